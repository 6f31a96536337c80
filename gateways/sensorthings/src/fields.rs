//! The values of an entity's properties, taken from records, series, devices and declarations.

use crate::model::{Entity, Set, ThingRow, is_id};
use crate::view::View;
use kernel::Time;
use kernel::devices::DeviceState;
use kernel::observations::{Basis, Kind, Period, Point, SeriesInfo, Statistic};
use serde_json::{Map, Value, json};

const MEASUREMENT: &str = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement";
const GEOJSON: &str = "application/geo+json";

impl View<'_> {
    /// The value of a property of an entity; `Null` when it has none.
    pub fn value(&self, entity: &Entity, field: &str) -> Value {
        if is_id(field) {
            return entity.id().into();
        }
        if field == "@iot.selfLink" {
            return self.self_link(entity).into();
        }
        match entity {
            Entity::Thing(row) | Entity::Location(row) | Entity::Feature(row) => {
                self.thing_value(row, entity.set(), field)
            }
            Entity::Sensor(thing) => self.sensor_value(thing, field),
            Entity::Property(name) => self.property_value(name, field),
            Entity::Datastream(series) => self.datastream_value(series, field),
            Entity::Observation(series, point) => observation_value(series, point, field),
        }
    }

    fn thing_value(&self, row: &ThingRow, set: Set, field: &str) -> Value {
        match field {
            "name" => self.thing_name(row).into(),
            "description" => self.thing_description(row, set).into(),
            "encodingType" => GEOJSON.into(),
            "location" => self.point(row).unwrap_or(Value::Null),
            // A feature of interest must have one, even when nobody knows where it is.
            "feature" => self
                .point(row)
                .unwrap_or_else(|| json!({"type": "Feature", "geometry": null, "properties": {}})),
            "properties" if set == Set::Things => self.thing_properties(row),
            "properties" => json!({"datum": "CGCS2000"}),
            _ => Value::Null,
        }
    }

    /// The field called `name`, else the first text of the summary that is not the key.
    fn thing_name(&self, row: &ThingRow) -> String {
        let Some(record) = &row.record else {
            return row.name.clone();
        };
        let decl = self.city.declared.register(&record.register);
        let summary = decl.map(|d| d.summary.as_slice()).unwrap_or_default();
        let key = decl.map(|d| d.key.as_str()).unwrap_or_default();
        let candidates = std::iter::once("name").chain(summary.iter().map(String::as_str));
        candidates
            .filter(|field| *field != key && !self.is_personal(&record.register, field))
            .find_map(|field| record.fields.get(field)?.as_str())
            .unwrap_or(&row.name)
            .to_string()
    }

    fn is_personal(&self, register: &str, field: &str) -> bool {
        let decl = self.city.declared.register(register);
        let field = decl.and_then(|d| d.field(field));
        field.is_none_or(|f| f.personal)
    }

    fn thing_description(&self, row: &ThingRow, set: Set) -> String {
        let place = if set == Set::Things {
            ""
        } else {
            "位置 place of "
        };
        let decl = row
            .record
            .as_ref()
            .and_then(|r| self.city.declared.register(&r.register));
        match decl {
            Some(decl) => format!("{place}{} {} {}", decl.title.zh, decl.title.en, row.name),
            None => format!("{place}未登记的设备 device not on record {}", row.name),
        }
    }

    fn thing_properties(&self, row: &ThingRow) -> Value {
        let device = self.city.devices.get(&row.name);
        let state = match (device.map(|d| d.state), &row.record) {
            (Some(DeviceState::Claimed), _) => "claimed",
            (Some(DeviceState::Quarantined), _) => "quarantined",
            (None, Some(_)) => "on_record",
            (None, None) => "unknown",
        };
        let mut properties = Map::new();
        properties.insert("state".into(), state.into());
        if let Some(record) = &row.record {
            properties.insert("register".into(), record.register.clone().into());
            // In an object of their own: a field of a register may be called `state` too.
            let open = record
                .fields
                .iter()
                .filter(|(field, _)| !self.is_personal(&record.register, field))
                .map(|(field, value)| (field.clone(), value.clone()));
            properties.insert("record".into(), Value::Object(open.collect()));
        }
        Value::Object(properties)
    }

    /// The place as a GeoJSON point.
    pub fn point(&self, row: &ThingRow) -> Option<Value> {
        let record = row.record.as_ref()?;
        let decl = self.city.declared.register(&record.register)?;
        let (lon, lat) = decl.place.as_ref()?;
        let lon = record.fields.get(lon)?.as_f64()?;
        let lat = record.fields.get(lat)?.as_f64()?;
        Some(json!({"type": "Point", "coordinates": [lon, lat]}))
    }

    fn sensor_value(&self, thing: &str, field: &str) -> Value {
        let device = self.city.devices.get(thing).unwrap_or_default();
        match field {
            "name" => format!("{thing} 监测设备").into(),
            "description" => format!("device that reports for {thing}").into(),
            "encodingType" => "text/plain".into(),
            "metadata" => match device.gateway.as_str() {
                "" => "".into(),
                gateway => format!("{gateway} {}", device.edition).trim().into(),
            },
            "properties" => json!({
                "gateway": device.gateway,
                "edition": device.edition,
                "check": device.check,
                "system_code": device.system_code,
            }),
            _ => Value::Null,
        }
    }

    fn property_value(&self, name: &str, field: &str) -> Value {
        let decl = self.city.declared.property(name);
        match (field, decl) {
            ("name", Some(decl)) => decl.title.zh.clone().into(),
            ("name", None) => name.into(),
            ("definition", _) => self.value(&Entity::Property(name.into()), "@iot.selfLink"),
            ("description", Some(decl)) => decl.title.en.clone().into(),
            ("description", None) => format!("undeclared property {name}").into(),
            ("properties", decl) => json!({
                "code": name,
                "declared": decl.is_some(),
                "unit": decl.map(|d| d.unit.as_str()),
                "range": decl.and_then(|d| d.range).map(|(low, high)| [low, high]),
            }),
            _ => Value::Null,
        }
    }

    fn datastream_value(&self, series: &SeriesInfo, field: &str) -> Value {
        let name = &series.name;
        let decl = self.city.declared.property(&name.property);
        let kind = kind_words(name.kind);
        match field {
            "name" => {
                let title = decl.map_or(name.property.as_str(), |d| d.title.zh.as_str());
                let thing = self.thing_name(&self.thing_row(&name.thing));
                format!("{title} {kind} {thing}").into()
            }
            "description" => {
                let title = decl.map_or(name.property.as_str(), |d| d.title.en.as_str());
                format!("{title}, {}, of {}", name.kind, name.thing).into()
            }
            "observationType" => MEASUREMENT.into(),
            "unitOfMeasurement" => unit(decl.map_or("", |d| d.unit.as_str())),
            "observedArea" => self
                .point(&self.thing_row(&name.thing))
                .unwrap_or(Value::Null),
            "phenomenonTime" | "resultTime" => {
                format!("{}/{}", series.first, series.latest.time).into()
            }
            "properties" => json!({
                "property": name.property,
                "kind": name.kind,
                "period": name.kind.period.word(),
                "statistic": name.kind.statistic.word(),
                "converted": name.kind.basis == Basis::Converted,
            }),
            _ => Value::Null,
        }
    }
}

/// `phenomenonTime` is an instant; for a period, its start (the datastream tells the period).
fn observation_value(series: &SeriesInfo, point: &Point, field: &str) -> Value {
    match field {
        "phenomenonTime" | "resultTime" => point.time.rfc3339().into(),
        "result" => json!(point.value),
        "resultQuality" => match point.flag.text() {
            flag if flag.is_empty() => Value::Null,
            flag => flag.into(),
        },
        "parameters" => json!({
            "received": point.received,
            "valid": point.flag.valid(),
            "period": series.name.kind.period.word(),
        }),
        _ => Value::Null,
    }
}

/// The bounds of a series as instants, for filters.
pub fn extent(series: &SeriesInfo) -> (Time, Time) {
    (series.first, series.latest.time)
}

fn kind_words(kind: Kind) -> String {
    let period = match kind.period {
        Period::RealTime => "实时",
        Period::Minute => "分钟",
        Period::Hour => "小时",
        Period::Day => "日",
    };
    let statistic = match kind.statistic {
        Statistic::Value => "值",
        Statistic::Mean => "均值",
        Statistic::Min => "最小值",
        Statistic::Max => "最大值",
        Statistic::Total => "累计值",
    };
    let basis = match kind.basis {
        Basis::Measured => "",
        Basis::Converted => "（折算）",
    };
    format!("{period}{statistic}{basis}")
}

/// The unit with its code in UCUM, the Unified Code for Units of Measure.
fn unit(symbol: &str) -> Value {
    let code: String = match symbol {
        "" | "无量纲" => "1".into(),
        "℃" | "°C" => "Cel".into(),
        "°" | "度" => "deg".into(),
        "级" => "{class}".into(),
        _ => symbol
            .chars()
            .map(|c| match c {
                '²' => '2',
                '³' => '3',
                'μ' | 'µ' => 'u',
                '·' | '⋅' => '.',
                other => other,
            })
            .collect(),
    };
    json!({"name": symbol, "symbol": symbol, "definition": format!("ucum:{code}")})
}
