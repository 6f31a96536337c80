//! Stations as the register holds them, with their limits, and the words of the system.

use kernel::City;
use kernel::declare::PropertyDecl;
use kernel::fault::Words;
use kernel::records::Record;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A report looks at most at so many stations; more are refused, not silently left out.
pub const STATIONS_LIMIT: usize = 2_000;

/// A station of the register.
#[derive(Clone, Debug)]
pub struct Station {
    /// MN: key and name of the thing.
    pub key: String,
    /// Name.
    pub name: String,
    /// `air`, `flue_gas`, `waste_water`, `surface_water`, `noise`, `energy`, `process`.
    pub kind: String,
    /// Division code.
    pub district: Option<String>,
    /// Credit code of the enterprise.
    pub enterprise: Option<String>,
    /// Outlet code.
    pub outlet: Option<String>,
    /// Longitude, latitude.
    pub place: Option<(f64, f64)>,
    /// Reference oxygen, %.
    pub standard_o2: Option<f64>,
    /// Gases come in µg/m³ instead of mg/m³.
    pub gas_in_micrograms: bool,
    /// Properties that tell whether production runs.
    pub production: Vec<String>,
    /// Properties that tell whether treatment runs.
    pub treatment: Vec<String>,
    /// In operation according to the register.
    pub running: bool,
    /// May be shown to the public.
    pub published: bool,
    /// The limits are set for this outlet, not for its class.
    pub own_limits: bool,
    /// Limits by property.
    pub limits: BTreeMap<String, Limit>,
    /// The record itself.
    pub record: Arc<Record>,
}

/// A limit of one property.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// In the unit in which the station sends the property.
    pub limit: f64,
    /// Standard and table.
    pub source: String,
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    let text = fields.get(name)?.as_str()?;
    (!text.is_empty()).then(|| text.to_string())
}

fn list(fields: &Map<String, Value>, name: &str) -> Vec<String> {
    let text = text(fields, name).unwrap_or_default();
    let names = text.split([',', '，', ' ']).filter(|n| !n.is_empty());
    names.map(str::to_string).collect()
}

/// Gases that some ambient stations send in µg/m³; carbon monoxide stays in mg/m³ everywhere.
const SENT_IN_MICROGRAMS: [&str; 5] = ["a21026", "a21004", "a05024", "a21003", "a21002"];

/// A limit in the unit in which the station sends.
fn in_micrograms((property, limit): (String, Limit)) -> (String, Limit) {
    let factor = match SENT_IN_MICROGRAMS.contains(&property.as_str()) {
        true => 1000.0,
        false => 1.0,
    };
    let scaled = Limit {
        limit: limit.limit * factor,
        ..limit
    };
    (property, scaled)
}

impl Station {
    fn read(record: Arc<Record>, limits: BTreeMap<String, Limit>, by_class: bool) -> Station {
        let fields = &record.fields;
        let number = |name: &str| fields.get(name).and_then(Value::as_f64);
        let gas_in_micrograms = text(fields, "gas_unit").as_deref() == Some("ug");
        Station {
            key: record.key.clone(),
            name: text(fields, "name").unwrap_or_else(|| record.key.clone()),
            kind: text(fields, "kind").unwrap_or_default(),
            district: text(fields, "district"),
            enterprise: text(fields, "enterprise"),
            outlet: text(fields, "outlet"),
            place: number("longitude").zip(number("latitude")),
            standard_o2: number("standard_o2"),
            gas_in_micrograms,
            production: list(fields, "production_properties"),
            treatment: list(fields, "treatment_properties"),
            running: text(fields, "state").is_none_or(|state| state == "running"),
            published: fields.get("published") == Some(&Value::Bool(true)),
            own_limits: !by_class && !limits.is_empty(),
            limits: match gas_in_micrograms {
                true => limits.into_iter().map(in_micrograms).collect(),
                false => limits,
            },
            record: record.clone(),
        }
    }

    /// `[longitude, latitude]` or null.
    pub fn place_json(&self) -> Value {
        self.place
            .map_or(Value::Null, |(lon, lat)| json!([lon, lat]))
    }

    /// Unit in which the station sends a property.
    pub fn unit(&self, city: &City, property: &str) -> String {
        match self.gas_in_micrograms && SENT_IN_MICROGRAMS.contains(&property) {
            true => "µg/m³".into(),
            false => unit(city, property),
        }
    }

    /// Properties that matter for the kind: those with a limit, and the usual ones.
    pub fn main_properties(&self) -> Vec<&str> {
        let usual: &[&str] = match self.kind.as_str() {
            "air" => &["a21026", "a21004", "a34002", "a21005", "a05024", "a34004"],
            "flue_gas" => &["a34013", "a21026", "a21002"],
            "waste_water" | "surface_water" => &["w01018", "w21003"],
            "noise" => &["Leq"],
            "energy" => &["e_power"],
            "process" => &["production_running", "treatment_running"],
            _ => &[],
        };
        let limited = self.limits.keys().map(String::as_str);
        let others = usual.iter().filter(|p| !self.limits.contains_key(**p));
        limited.chain(others.copied()).collect()
    }

    /// Properties that should come, and for which rates are counted: those limited for this very
    /// outlet; otherwise those that matter and have ever come, because a class has limits for more
    /// than each of its stations measures. A station that never sent anything owes all.
    pub fn expected_properties(&self, came: impl Fn(&str) -> bool) -> Vec<&str> {
        if self.own_limits {
            return self.limits.keys().map(String::as_str).collect();
        }
        let main = self.main_properties();
        let known: Vec<&str> = main.iter().copied().filter(|p| came(p)).collect();
        if known.is_empty() { main } else { known }
    }
}

/// All stations in order of key, with their limits: those set for the outlet, else those of the
/// class in the city's thresholds.
pub fn stations(city: &City) -> Vec<Arc<Station>> {
    let mut own: BTreeMap<String, BTreeMap<String, Limit>> = BTreeMap::new();
    for record in city.registers.cached_all("emission_limit") {
        let fields = &record.fields;
        let limit = fields.get("limit").and_then(Value::as_f64);
        if let (Some(station), Some(property), Some(limit)) =
            (text(fields, "station"), text(fields, "property"), limit)
        {
            let source = text(fields, "source").unwrap_or_default();
            let of_station = own.entry(station).or_default();
            of_station.insert(property, Limit { limit, source });
        }
    }
    let all = city.registers.cached_all("station").into_iter();
    let read = all.map(|record| {
        let by_class = text(&record.fields, "limits_from").as_deref() == Some("class");
        let limits = match text(&record.fields, "class").filter(|_| by_class) {
            Some(class) => limits_of_class(city, &class),
            None => own.remove(&record.key).unwrap_or_default(),
        };
        Arc::new(Station::read(record, limits, by_class))
    });
    read.collect()
}

/// The city's limits for a class.
pub fn limits_of_class(city: &City, class: &str) -> BTreeMap<String, Limit> {
    let thresholds = city.declared.city.thresholds.iter();
    let of_class = thresholds.filter(|t| t.class == class);
    let pairs = of_class.map(|t| {
        let limit = Limit {
            limit: t.limit,
            source: t.source.clone(),
        };
        (t.property.clone(), limit)
    });
    pairs.collect()
}

/// Words of the system's `texts/`, with `{name}` filled in.
pub fn words(city: &City, key: &str, fill: &[(&str, String)]) -> Words {
    let system = city.declared.systems.iter();
    let system = system.filter(|s| s.folder == "environment");
    let mut found = system
        .flat_map(|s| s.texts.get(key))
        .next()
        .cloned()
        .unwrap_or_else(|| Words::new(key, key));
    for (name, value) in fill {
        let hole = format!("{{{name}}}");
        found.zh = found.zh.replace(&hole, value);
        found.en = found.en.replace(&hole, value);
    }
    found
}

/// The declared property, if it is declared.
pub fn property<'a>(city: &'a City, name: &str) -> Option<&'a PropertyDecl> {
    city.declared.property(name)
}

/// Title of a property; its name in both languages when it is not declared.
pub fn title(city: &City, name: &str) -> Words {
    property(city, name).map_or_else(|| Words::new(name, name), |p| p.title.clone())
}

/// Unit of a property; empty when it is not declared.
pub fn unit(city: &City, name: &str) -> String {
    property(city, name).map_or_else(String::new, |p| p.unit.clone())
}

/// Name of what a key stands for: a station, an enterprise or a district.
pub fn name_of(city: &City, by: &str, key: &str) -> Words {
    if by == "district" {
        let districts = city.declared.city.districts.iter();
        let found = districts.clone().find(|d| d.code == key);
        return found.map_or_else(|| Words::new(key, key), |d| d.title.clone());
    }
    let record = city.registers.cached(by, key);
    let name = record.and_then(|r| text(&r.fields, "name"));
    let name = name.unwrap_or_else(|| key.to_string());
    Words::new(name.clone(), name)
}

/// The key by which a station is grouped; `None` when it has none (then it is left out).
pub fn group_key<'a>(station: &'a Station, by: &str) -> Option<&'a str> {
    match by {
        "enterprise" => station.enterprise.as_deref(),
        "district" => station.district.as_deref(),
        _ => Some(&station.key),
    }
}
