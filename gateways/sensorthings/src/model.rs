//! The eight entity sets of the standard (clause 8.2), how they hang together, and what each
//! entity is made of in the city's words.

use crate::Refusal;
use kernel::observations::{Kind, Point, SeriesInfo, SeriesName};
use kernel::records::Record;
use std::sync::Arc;

/// An entity set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    Things,
    Locations,
    HistoricalLocations,
    Datastreams,
    Sensors,
    ObservedProperties,
    Observations,
    FeaturesOfInterest,
}

/// A navigation property: its name, where it leads, and whether to exactly one entity.
pub struct Link {
    pub name: &'static str,
    pub to: Set,
    pub one: bool,
}

const fn one(name: &'static str, to: Set) -> Link {
    Link {
        name,
        to,
        one: true,
    }
}

const fn many(name: &'static str, to: Set) -> Link {
    Link {
        name,
        to,
        one: false,
    }
}

impl Set {
    /// All sets, in the order of the service root.
    pub const ALL: [Set; 8] = [
        Set::Things,
        Set::Locations,
        Set::HistoricalLocations,
        Set::Datastreams,
        Set::Sensors,
        Set::ObservedProperties,
        Set::Observations,
        Set::FeaturesOfInterest,
    ];

    /// Name in paths.
    pub fn name(self) -> &'static str {
        match self {
            Set::Things => "Things",
            Set::Locations => "Locations",
            Set::HistoricalLocations => "HistoricalLocations",
            Set::Datastreams => "Datastreams",
            Set::Sensors => "Sensors",
            Set::ObservedProperties => "ObservedProperties",
            Set::Observations => "Observations",
            Set::FeaturesOfInterest => "FeaturesOfInterest",
        }
    }

    /// From its name in paths.
    pub fn parse(name: &str) -> Option<Set> {
        Set::ALL.into_iter().find(|s| s.name() == name)
    }

    /// Its own properties, without id and links.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Set::Things => &["name", "description", "properties"],
            Set::Locations => &[
                "name",
                "description",
                "encodingType",
                "location",
                "properties",
            ],
            Set::HistoricalLocations => &["time"],
            Set::Datastreams => &[
                "name",
                "description",
                "observationType",
                "unitOfMeasurement",
                "observedArea",
                "phenomenonTime",
                "resultTime",
                "properties",
            ],
            Set::Sensors => &[
                "name",
                "description",
                "encodingType",
                "metadata",
                "properties",
            ],
            Set::ObservedProperties => &["name", "definition", "description", "properties"],
            Set::Observations => &[
                "phenomenonTime",
                "result",
                "resultTime",
                "resultQuality",
                "parameters",
            ],
            Set::FeaturesOfInterest => &[
                "name",
                "description",
                "encodingType",
                "feature",
                "properties",
            ],
        }
    }

    /// Its navigation properties.
    pub fn links(self) -> &'static [Link] {
        match self {
            Set::Things => {
                const LINKS: &[Link] = &[
                    many("Locations", Set::Locations),
                    many("HistoricalLocations", Set::HistoricalLocations),
                    many("Datastreams", Set::Datastreams),
                ];
                LINKS
            }
            Set::Locations => {
                const LINKS: &[Link] = &[
                    many("Things", Set::Things),
                    many("HistoricalLocations", Set::HistoricalLocations),
                ];
                LINKS
            }
            Set::HistoricalLocations => {
                const LINKS: &[Link] =
                    &[one("Thing", Set::Things), many("Locations", Set::Locations)];
                LINKS
            }
            Set::Datastreams => {
                const LINKS: &[Link] = &[
                    one("Thing", Set::Things),
                    one("Sensor", Set::Sensors),
                    one("ObservedProperty", Set::ObservedProperties),
                    many("Observations", Set::Observations),
                ];
                LINKS
            }
            Set::Sensors | Set::ObservedProperties => {
                const LINKS: &[Link] = &[many("Datastreams", Set::Datastreams)];
                LINKS
            }
            Set::Observations => {
                const LINKS: &[Link] = &[
                    one("Datastream", Set::Datastreams),
                    one("FeatureOfInterest", Set::FeaturesOfInterest),
                ];
                LINKS
            }
            Set::FeaturesOfInterest => {
                const LINKS: &[Link] = &[many("Observations", Set::Observations)];
                LINKS
            }
        }
    }

    /// A navigation property by name.
    pub fn link(self, name: &str) -> Option<&'static Link> {
        self.links().iter().find(|l| l.name == name)
    }

    /// Refuses a property path that leads nowhere. What lies inside `properties` and the like is
    /// free; going through Observations is not supported in filters (it would read everything).
    pub fn check_path(self, path: &[String]) -> Result<(), Refusal> {
        let Some((head, rest)) = path.split_first() else {
            return Ok(());
        };
        if let Some(link) = self.link(head) {
            if link.to == Set::Observations {
                let what = "navigation into Observations in $filter and $orderby";
                return Err(Refusal::unsupported(what));
            }
            return link.to.check_path(rest);
        }
        let known = is_id(head) || head == "@iot.selfLink" || self.fields().contains(&&**head);
        if known && (rest.is_empty() || !is_id(head)) {
            return Ok(());
        }
        Err(Refusal::bad(
            format!("{} 没有属性 {head}", self.name()),
            format!("{} have no property {head}", self.name()),
        ))
    }
}

/// Both spellings of the id.
pub fn is_id(name: &str) -> bool {
    name == "@iot.id" || name == "id"
}

/// A thing by name, with its record when a register has one.
#[derive(Clone, Debug)]
pub struct ThingRow {
    pub name: String,
    pub record: Option<Arc<Record>>,
}

/// An entity. Locations and features are the places of things; a sensor is the device of one.
#[derive(Clone, Debug)]
pub enum Entity {
    Thing(ThingRow),
    Location(ThingRow),
    Feature(ThingRow),
    Sensor(String),
    Property(String),
    Datastream(Arc<SeriesInfo>),
    Observation(Arc<SeriesInfo>, Point),
}

impl Entity {
    /// The set it belongs to.
    pub fn set(&self) -> Set {
        match self {
            Entity::Thing(_) => Set::Things,
            Entity::Location(_) => Set::Locations,
            Entity::Feature(_) => Set::FeaturesOfInterest,
            Entity::Sensor(_) => Set::Sensors,
            Entity::Property(_) => Set::ObservedProperties,
            Entity::Datastream(_) => Set::Datastreams,
            Entity::Observation(..) => Set::Observations,
        }
    }

    /// Its `@iot.id`.
    pub fn id(&self) -> String {
        match self {
            Entity::Thing(row) | Entity::Location(row) | Entity::Feature(row) => row.name.clone(),
            Entity::Sensor(name) | Entity::Property(name) => name.clone(),
            Entity::Datastream(series) => series_id(&series.name),
            Entity::Observation(series, point) => {
                format!("{}@{}", series_id(&series.name), point.time.0)
            }
        }
    }
}

/// The id of a series: `thing:property:kind`.
pub fn series_id(name: &SeriesName) -> String {
    format!("{}:{}:{}", name.thing, name.property, name.kind)
}

/// Reads the id of a series. Only the thing's name may itself contain a colon.
pub fn parse_series_id(id: &str) -> Option<SeriesName> {
    let mut parts = id.rsplitn(3, ':');
    let kind = Kind::parse(parts.next()?)?;
    let property = parts.next()?.to_string();
    let thing = parts.next()?.to_string();
    Some(SeriesName {
        thing,
        property,
        kind,
    })
}

/// Reads the id of an observation: series and microseconds.
pub fn parse_observation_id(id: &str) -> Option<(SeriesName, i64)> {
    let (series, micros) = id.rsplit_once('@')?;
    Some((parse_series_id(series)?, micros.parse().ok()?))
}

/// A set of entities narrowed to one thing, property or kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    pub set: Set,
    pub thing: Option<String>,
    pub property: Option<String>,
    pub kind: Option<Kind>,
}

impl Source {
    /// All entities of a set.
    pub fn all(set: Set) -> Source {
        Source {
            set,
            thing: None,
            property: None,
            kind: None,
        }
    }

    /// What a link of an entity leads to.
    pub fn linked(entity: &Entity, link: &Link) -> Source {
        let mut source = Source::all(link.to);
        match entity {
            Entity::Thing(row) | Entity::Location(row) | Entity::Feature(row) => {
                source.thing = Some(row.name.clone());
            }
            Entity::Sensor(name) => source.thing = Some(name.clone()),
            Entity::Property(name) => source.property = Some(name.clone()),
            Entity::Datastream(series) | Entity::Observation(series, _) => {
                source.narrow_to_series(&series.name);
            }
        }
        source
    }

    /// Narrows to one series.
    pub fn narrow_to_series(&mut self, name: &SeriesName) {
        self.thing = Some(name.thing.clone());
        self.property = Some(name.property.clone());
        self.kind = Some(name.kind);
    }

    /// Whether a series lies within.
    pub fn holds(&self, name: &SeriesName) -> bool {
        self.thing.as_ref().is_none_or(|t| *t == name.thing)
            && self.property.as_ref().is_none_or(|p| *p == name.property)
            && self.kind.is_none_or(|k| k == name.kind)
    }
}
