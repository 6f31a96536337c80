//! What the indicators of the service are taken from.

use kernel::applications::ServiceFigures;
use serde_json::json;
use services::shares;

#[test]
fn shares_are_per_cent_and_nothing_is_null() {
    let none = shares(&ServiceFigures::default());
    for name in [
        "online_share",
        "one_visit_share",
        "submitted_online_share",
        "on_time_share",
        "good_share",
        "bad_answered_share",
    ] {
        assert_eq!(none[name], json!(null), "{name}");
    }
    let some = shares(&ServiceFigures {
        items: 18,
        items_online: 17,
        items_one_visit: 18,
        submitted: 3,
        submitted_online: 1,
        decided: 7,
        decided_on_time: 7,
        rated: 6,
        rated_good: 4,
        bad: 2,
        bad_answered: 0,
        ..ServiceFigures::default()
    });
    assert_eq!(some["online_share"], json!(94.44));
    assert_eq!(some["one_visit_share"], json!(100.0));
    assert_eq!(some["submitted_online_share"], json!(33.33));
    assert_eq!(some["on_time_share"], json!(100.0));
    assert_eq!(some["good_share"], json!(66.67));
    assert_eq!(some["bad_answered_share"], json!(0.0));
}
