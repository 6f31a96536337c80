//! Just enough geometry for filters: every place in the city is a point, so a shape is asked
//! only whether it holds a point and how far it is. Longitude and latitude in degrees, plane.

use serde_json::Value;

/// A point, or a polygon's outer ring and holes.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Longitude, latitude.
    Point(f64, f64),
    /// Rings; the first is the outer one.
    Polygon(Vec<Vec<(f64, f64)>>),
}

impl Shape {
    /// From a GeoJSON point.
    pub fn from_geojson(value: &Value) -> Option<Shape> {
        if value.get("type")? != "Point" {
            return None;
        }
        let place = value.get("coordinates")?;
        Some(Shape::Point(
            place.get(0)?.as_f64()?,
            place.get(1)?.as_f64()?,
        ))
    }

    /// From well-known text: `POINT(114.5 38.0)` or `POLYGON((…),(…))`, with or without an
    /// `SRID=4326;` in front.
    pub fn from_wkt(text: &str) -> Option<Shape> {
        let text = text.trim();
        let text = match text.split_once(';') {
            Some((srid, rest)) if srid.to_ascii_uppercase().starts_with("SRID=") => rest.trim(),
            _ => text,
        };
        let (name, rest) = text.split_once('(')?;
        let inner = rest.trim_end().strip_suffix(')')?;
        match name.trim().to_ascii_uppercase().as_str() {
            "POINT" => {
                let (lon, lat) = read_pair(inner)?;
                Some(Shape::Point(lon, lat))
            }
            "POLYGON" => {
                let rings: Option<Vec<_>> = inner.split("),").map(read_ring).collect();
                rings.filter(|r| !r.is_empty()).map(Shape::Polygon)
            }
            _ => None,
        }
    }

    /// Distance to another shape in degrees; `None` unless one of them is a point.
    pub fn distance(&self, other: &Shape) -> Option<f64> {
        match (self, other) {
            (Shape::Point(a, b), Shape::Point(c, d)) => Some((a - c).hypot(b - d)),
            (Shape::Point(a, b), Shape::Polygon(rings))
            | (Shape::Polygon(rings), Shape::Point(a, b)) => Some(if holds(rings, (*a, *b)) {
                0.0
            } else {
                let sides = rings.iter().flat_map(|ring| ring.windows(2));
                sides
                    .map(|side| to_segment((*a, *b), side[0], side[1]))
                    .fold(f64::INFINITY, f64::min)
            }),
            (Shape::Polygon(_), Shape::Polygon(_)) => None,
        }
    }

    /// Whether `self` lies within `other`.
    pub fn within(&self, other: &Shape) -> bool {
        match (self, other) {
            (Shape::Point(a, b), Shape::Polygon(rings)) => holds(rings, (*a, *b)),
            _ => self == other,
        }
    }
}

fn read_ring(text: &str) -> Option<Vec<(f64, f64)>> {
    let text = text.trim().trim_start_matches('(').trim_end_matches(')');
    let ring: Option<Vec<_>> = text.split(',').map(read_pair).collect();
    ring.filter(|r| r.len() >= 4)
}

fn read_pair(text: &str) -> Option<(f64, f64)> {
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let pair = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    (pair.0.is_finite() && pair.1.is_finite()).then_some(pair)
}

/// Even-odd rule over all rings, so that holes are outside.
fn holds(rings: &[Vec<(f64, f64)>], (x, y): (f64, f64)) -> bool {
    let mut inside = false;
    for side in rings.iter().flat_map(|ring| ring.windows(2)) {
        let ((ax, ay), (bx, by)) = (side[0], side[1]);
        if (ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax {
            inside = !inside;
        }
    }
    inside
}

fn to_segment((x, y): (f64, f64), a: (f64, f64), b: (f64, f64)) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx * dx + dy * dy;
    let along = if length == 0.0 {
        0.0
    } else {
        (((x - a.0) * dx + (y - a.1) * dy) / length).clamp(0.0, 1.0)
    };
    (x - a.0 - along * dx).hypot(y - a.1 - along * dy)
}
