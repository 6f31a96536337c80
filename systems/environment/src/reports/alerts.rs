//! `alerts_handled?days=30&minutes=30`: how many of the grave alerts somebody answered in time.

use super::standing::alerts;
use super::{Given, begin};
use crate::data::Data;
use crate::quality::percent;
use crate::stations::words;
use kernel::alerts::{Alert, AlertFilter, Level};
use kernel::{City, Fault, Span, Time};
use serde_json::{Value, json};

/// Answers the report.
pub async fn handled(city: City, given: Given) -> Result<Value, Fault> {
    let mut ask = begin(&city, given);
    let days = ask.count("days", 30, 400);
    let minutes = ask.count("minutes", 30, 24 * 60);
    ask.finish()?;
    let data = Data::new(city)?;
    let to = data.city.clock.now();
    let from = to - Span::days(days);
    let filter = AlertFilter {
        levels: vec![Level::Orange, Level::Red],
        from: Some(from),
        to: Some(to),
        ..AlertFilter::default()
    };
    let (found, cut) = alerts(&data, filter).await?;
    let within = Span::minutes(minutes);
    let (mut in_time, mut due) = (0, 0);
    for alert in &found {
        match answered(alert) {
            Some(at) => {
                due += 1;
                in_time += u64::from(at.since(alert.raised_at) <= within);
            }
            // One that was over before anybody had to answer, or whose time still runs, is not due.
            None if alert.ended_at.unwrap_or(to).since(alert.raised_at) <= within => {}
            None => due += 1,
        }
    }
    let share = percent(in_time, due);
    let reason = share.is_none().then(|| words(&data.city, "no_alert", &[]));
    Ok(json!({
        "from": from, "to": to, "minutes": minutes, "in_time": in_time, "due": due,
        "share": share, "cut": cut, "reason": reason,
    }))
}

/// When a person first did something with the alert.
fn answered(alert: &Alert) -> Option<Time> {
    let acts = ["acknowledged", "assigned", "comment", "closed"];
    let by_person =
        |step: &&kernel::alerts::AlertStep| step.by != "rule" && acts.contains(&step.what.as_str());
    alert.steps.iter().find(by_person).map(|step| step.at)
}
