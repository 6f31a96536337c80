//! The functions of clause 9.3.3.5.2. One table names them with the number of their arguments;
//! a name outside it is refused before anything is read.

use super::{Op, Val};
use crate::Refusal;
use kernel::Time;
use kernel::time::BEIJING_OFFSET;

/// Name, fewest and most arguments.
const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("substringof", 2, 2),
    ("contains", 2, 2),
    ("startswith", 2, 2),
    ("endswith", 2, 2),
    ("length", 1, 1),
    ("indexof", 2, 2),
    ("substring", 2, 3),
    ("tolower", 1, 1),
    ("toupper", 1, 1),
    ("trim", 1, 1),
    ("concat", 2, 2),
    ("year", 1, 1),
    ("month", 1, 1),
    ("day", 1, 1),
    ("hour", 1, 1),
    ("minute", 1, 1),
    ("second", 1, 1),
    ("fractionalseconds", 1, 1),
    ("date", 1, 1),
    ("time", 1, 1),
    ("totaloffsetminutes", 1, 1),
    ("now", 0, 0),
    ("mindatetime", 0, 0),
    ("maxdatetime", 0, 0),
    ("before", 2, 2),
    ("after", 2, 2),
    ("during", 2, 2),
    ("overlaps", 2, 2),
    ("meets", 2, 2),
    ("starts", 2, 2),
    ("finishes", 2, 2),
    ("round", 1, 1),
    ("floor", 1, 1),
    ("ceiling", 1, 1),
    ("geo.distance", 2, 2),
    ("geo.intersects", 2, 2),
    ("st_distance", 2, 2),
    ("st_equals", 2, 2),
    ("st_disjoint", 2, 2),
    ("st_within", 2, 2),
    ("st_intersects", 2, 2),
];

/// Refuses a function nobody knows, and a wrong number of arguments.
pub fn check(name: &str, arguments: usize) -> Result<(), Refusal> {
    match FUNCTIONS.iter().find(|(known, _, _)| *known == name) {
        None => Err(Refusal::unsupported(&format!("function {name}"))),
        Some((_, least, most)) if (*least..=*most).contains(&arguments) => Ok(()),
        Some(_) => Err(Refusal::bad(
            format!("函数 {name} 的参数个数不对"),
            format!("function {name} has a wrong number of arguments"),
        )),
    }
}

/// Applies a function that [`check`] let pass; arguments of the wrong kind give nothing.
pub fn call(name: &str, arguments: &[Val], now: Time) -> Val {
    match arguments {
        [] => match name {
            "now" => Val::Time(now),
            "mindatetime" => Val::Time(Time(-62_135_596_800_000_000)),
            _ => Val::Time(Time(253_402_300_799_000_000)),
        },
        [one] => text_function(name, one)
            .or_else(|| time_function(name, one))
            .or_else(|| number_function(name, one))
            .unwrap_or(Val::Null),
        [left, right] => text_pair(name, left, right)
            .or_else(|| time_pair(name, left, right))
            .or_else(|| shape_pair(name, left, right))
            .unwrap_or(Val::Null),
        [text, from, length, ..] => substring(text, from, Some(length)).unwrap_or(Val::Null),
    }
}

fn text_function(name: &str, value: &Val) -> Option<Val> {
    let Val::Text(text) = value else { return None };
    Some(match name {
        "length" => Val::Num(text.chars().count() as f64),
        "tolower" => Val::Text(text.to_lowercase()),
        "toupper" => Val::Text(text.to_uppercase()),
        "trim" => Val::Text(text.trim().into()),
        _ => return None,
    })
}

/// Civil fields are those of Beijing time, in which instants are also written.
fn time_function(name: &str, value: &Val) -> Option<Val> {
    let (time, _) = value.times()?;
    let (year, month, day, hour, minute, second) = time.beijing_fields();
    let (date, clock) = time
        .rfc3339()
        .split_once('T')
        .map(|(d, c)| (d.to_string(), c.to_string()))?;
    Some(match name {
        "year" => Val::Num(f64::from(year)),
        "month" => Val::Num(f64::from(month)),
        "day" => Val::Num(f64::from(day)),
        "hour" => Val::Num(f64::from(hour)),
        "minute" => Val::Num(f64::from(minute)),
        "second" => Val::Num(f64::from(second)),
        "fractionalseconds" => Val::Num(time.0.rem_euclid(1_000_000) as f64 / 1e6),
        "date" => Val::Text(date),
        "time" => Val::Text(clock.trim_end_matches("+08:00").to_string()),
        "totaloffsetminutes" => Val::Num((BEIJING_OFFSET / 60_000_000) as f64),
        _ => return None,
    })
}

fn number_function(name: &str, value: &Val) -> Option<Val> {
    let number = value.number()?;
    Some(Val::Num(match name {
        "round" => number.round(),
        "floor" => number.floor(),
        "ceiling" => number.ceil(),
        _ => return None,
    }))
}

fn text_pair(name: &str, left: &Val, right: &Val) -> Option<Val> {
    if name == "substring" {
        return substring(left, right, None);
    }
    let (Val::Text(a), Val::Text(b)) = (left, right) else {
        return None;
    };
    Some(match name {
        // The standard's substringof(part, whole); many clients send it the other way round in
        // `contains(whole, part)`.
        "substringof" => Val::Bool(b.contains(a.as_str())),
        "contains" => Val::Bool(a.contains(b.as_str())),
        "startswith" => Val::Bool(a.starts_with(b.as_str())),
        "endswith" => Val::Bool(a.ends_with(b.as_str())),
        "indexof" => Val::Num(match a.find(b.as_str()) {
            Some(byte) => a[..byte].chars().count() as f64,
            None => -1.0,
        }),
        "concat" => Val::Text(format!("{a}{b}")),
        _ => return None,
    })
}

fn substring(text: &Val, from: &Val, length: Option<&Val>) -> Option<Val> {
    let Val::Text(text) = text else { return None };
    let from = from.number()?.max(0.0) as usize;
    let length = match length {
        Some(length) => length.number()?.max(0.0) as usize,
        None => usize::MAX,
    };
    Some(Val::Text(text.chars().skip(from).take(length).collect()))
}

fn time_pair(name: &str, left: &Val, right: &Val) -> Option<Val> {
    let (a, b) = (left.times()?, right.times()?);
    Some(Val::Bool(match name {
        "before" => left.compare(Op::Lt, right),
        "after" => left.compare(Op::Gt, right),
        "during" => a.0 >= b.0 && a.1 < b.1,
        "overlaps" => a.0 <= b.1 && b.0 <= a.1,
        "meets" => a.1 == b.0 || b.1 == a.0,
        "starts" => a.0 == b.0,
        "finishes" => a.1 == b.1,
        _ => return None,
    }))
}

fn shape_pair(name: &str, left: &Val, right: &Val) -> Option<Val> {
    let (Val::Shape(a), Val::Shape(b)) = (left, right) else {
        return None;
    };
    let apart = a.distance(b);
    Some(match name {
        "geo.distance" | "st_distance" => apart.map_or(Val::Null, Val::Num),
        "st_equals" => Val::Bool(a == b),
        "st_within" => Val::Bool(a.within(b)),
        "geo.intersects" | "st_intersects" => Val::Bool(apart.is_some_and(|d| d == 0.0)),
        "st_disjoint" => Val::Bool(apart.is_some_and(|d| d > 0.0)),
        _ => return None,
    })
}
