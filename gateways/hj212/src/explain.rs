//! A received frame in words, for the desk: every field with its meaning and every factor with its
//! name, unit and value. For people; the ingest path does not come through here.

use crate::codec::{Piece, Splitter, decode};
use crate::vocabulary;
use kernel::observations::Basis;
use serde_json::{Value, json};

/// Longest input that is explained, in bytes.
const LIMIT: usize = 4096;

/// The text of a frame without the station's password (`PW=`, and the new one of CN 1072): for
/// everything that people or logs get to see.
pub fn without_passwords(text: &str) -> String {
    let mut parts = text.split("PW=");
    let mut shown = parts.next().unwrap_or("").to_string();
    for part in parts {
        let end = part.find([';', ',', '&']).unwrap_or(part.len());
        shown.push_str("PW=***");
        shown.push_str(&part[end..]);
    }
    shown
}

/// The frame as JSON, or what is wrong with it. Never fails: what cannot be read is said so.
pub fn explain(raw: &[u8]) -> Value {
    let mut splitter = Splitter::new(LIMIT);
    splitter.feed(&raw[..raw.len().min(LIMIT)]);
    splitter.feed(b"\r\n");
    let Some(Piece::Frame(envelope)) = splitter.next_piece() else {
        return json!({"fault": "not_a_frame"});
    };
    let mut plain = vec![];
    let frame = match decode(envelope, |_| None, &mut plain) {
        Ok(frame) => frame,
        Err(refusal) => return json!({"fault": refusal.reason.word(), "mn": refusal.mn}),
    };
    let mut measurements = vec![];
    frame.measurements(&mut measurements);
    let values: Vec<Value> = measurements
        .iter()
        .map(|m| {
            let (property, statistic, basis) = vocabulary::column(m.code, m.suffix);
            let factor = vocabulary::factor(m.code);
            json!({
                "code": m.code,
                "suffix": m.suffix.word(),
                "property": property,
                "name": factor.map(|f| f.name.clone()),
                "statistic": statistic.word(),
                "converted": basis == Basis::Converted,
                "value": m.value,
                "unit": vocabulary::unit(m.code, frame.st, statistic),
                "flag": if m.flag == 0 { String::new() } else { (m.flag as char).to_string() },
            })
        })
        .collect();
    json!({
        "edition": frame.edition().word(),
        "check": frame.check.word(),
        "qn": frame.qn,
        "st": frame.st,
        "cn": frame.cn,
        "mn": frame.mn,
        "flag": frame.flag,
        "wants_answer": frame.wants_answer(),
        "data_time": frame.field("DataTime"),
        "values": values,
    })
}

#[cfg(test)]
mod tests {
    use super::without_passwords;

    #[test]
    fn no_password_is_shown() {
        let text = "##0101QN=1;ST=32;CN=1072;PW=123456;MN=1;Flag=5;CP=&&NewPW=654321&&1C80";
        let shown = "##0101QN=1;ST=32;CN=1072;PW=***;MN=1;Flag=5;CP=&&NewPW=***&&1C80";
        assert_eq!(without_passwords(text), shown);
        assert_eq!(without_passwords("no frame PW="), "no frame PW=***");
    }
}
