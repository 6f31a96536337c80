//! Figures of the service as shares (`GET /api/v1/services/figures`): of the city and of each
//! department. What nothing happened for is null, not zero and not a hundred.

use kernel::applications::ServiceFigures;
use kernel::ask::Ask;
use kernel::{Actor, City, Fault, Span, Words};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Days of a period, at most and usually.
const DAYS_MOST: i64 = 366;
const DAYS_USUAL: i64 = 30;

/// Answers the report. Takes `days`, whole days of Beijing up to now.
pub(crate) async fn answer(city: City, given: BTreeMap<String, String>) -> Result<Value, Fault> {
    let now = city.clock.now();
    let mut ask = Ask::new(given, now);
    let days = ask.count("days", DAYS_USUAL, DAYS_MOST);
    ask.finish()?;
    let Some(applications) = &city.applications else {
        return Err(Fault::missing("one-window service"));
    };
    let from = now - Span::days(days);
    let figures = applications.figures(&Actor::default(), from, now).await?;
    let mut whole = shares(&ServiceFigures::default());
    let mut organisations = vec![];
    for of in &figures {
        let mut part = shares(of);
        if of.organisation.is_empty() {
            whole = part;
            continue;
        }
        part["organisation"] = json!(of.organisation);
        let unnamed = || Words::new(of.organisation.clone(), of.organisation.clone());
        let title = Some(of.title.clone()).filter(|title| !title.zh.is_empty());
        part["title"] = json!(title.unwrap_or_else(unnamed));
        organisations.push(part);
    }
    Ok(
        json!({ "from": from, "to": now, "days": days, "city": whole, "organisations": organisations }),
    )
}

/// The counts with their shares: per cent with two decimals, null where there is nothing to share.
pub fn shares(of: &ServiceFigures) -> Value {
    json!({
        "items": of.items,
        "items_online": of.items_online,
        "items_one_visit": of.items_one_visit,
        "submitted": of.submitted,
        "submitted_online": of.submitted_online,
        "decided": of.decided,
        "decided_on_time": of.decided_on_time,
        "rated": of.rated,
        "rated_good": of.rated_good,
        "bad": of.bad,
        "bad_answered": of.bad_answered,
        "online_share": share(of.items_online, of.items),
        "one_visit_share": share(of.items_one_visit, of.items),
        "submitted_online_share": share(of.submitted_online, of.submitted),
        "on_time_share": share(of.decided_on_time, of.decided),
        "good_share": share(of.rated_good, of.rated),
        "bad_answered_share": share(of.bad_answered, of.bad),
    })
}

fn share(part: i64, whole: i64) -> Option<f64> {
    let hundredths = (part as f64 / whole as f64 * 10_000.0).round();
    (whole > 0).then_some(hundredths / 100.0)
}
