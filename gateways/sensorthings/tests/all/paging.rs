//! Pages: following the next link from the first to the last gives everything exactly once, in
//! order, whatever the order asked for.

use crate::city::{A, B, START, city};
use crate::{BASE, get, ids};
use kernel::City;
use sensorthings::answer;
use serde_json::Value;

/// Follows next links and returns all entities and the number of pages.
async fn follow(path: &str, query: &str) -> (Vec<Value>, usize) {
    follow_in(&city(false), get(path, query).await).await
}

async fn follow_in(city: &City, first: Value) -> (Vec<Value>, usize) {
    let mut body = first;
    let mut found = body["value"].as_array().unwrap().clone();
    let mut pages = 1;
    while let Some(next) = body["@iot.nextLink"].as_str() {
        let (path, query) = next.strip_prefix(BASE).unwrap().split_once('?').unwrap();
        let answer = answer(city, BASE, path, query).await;
        assert_eq!(answer.status, 200, "{next}");
        body = answer.body;
        found.extend(body["value"].as_array().unwrap().iter().cloned());
        pages += 1;
        assert!(pages < 1_000, "the pages never end");
    }
    (found, pages)
}

fn distinct(found: &[Value]) -> usize {
    let ids: std::collections::BTreeSet<&str> = found
        .iter()
        .map(|v| v["@iot.id"].as_str().unwrap())
        .collect();
    ids.len()
}

#[tokio::test]
async fn every_collection_can_be_paged_through() {
    let check = async |path: &str, query: &str, total: usize, pages: usize| {
        let (found, walked) = follow(path, query).await;
        assert_eq!(
            (found.len(), distinct(&found), walked),
            (total, total, pages),
            "{path}?{query}"
        );
    };
    check("Things", "$top=1", 3, 3).await;
    check("Things", "$top=1&$orderby=name desc", 3, 3).await;
    check("Datastreams", "$top=3", 4, 2).await;
    check("ObservedProperties", "$top=1", 2, 2).await;
    check("Sensors", "$top=2", 3, 2).await;
    check("Observations", "$top=100", 1_061, 11).await;
    check(
        "Observations",
        "$top=100&$orderby=phenomenonTime desc",
        1_061,
        11,
    )
    .await;
    check(
        "Observations",
        "$top=100&$orderby=phenomenonTime asc",
        1_061,
        11,
    )
    .await;
    check("Observations", "$top=500&$orderby=result desc", 1_061, 3).await;
    check("Observations", "$top=7&$filter=result lt 9", 30, 5).await;
    check(&format!("Things('{B}')/Datastreams"), "$top=1", 1, 1).await;
    check(
        &format!("FeaturesOfInterest('{A}')/Observations"),
        "",
        1_048,
        11,
    )
    .await;
    check("Things", "$top=1&$skip=1", 2, 2).await;
}

#[tokio::test]
async fn orders_hold_over_pages() {
    let (found, _) = follow("Observations", "$top=50&$orderby=phenomenonTime desc").await;
    let times: Vec<&str> = found
        .iter()
        .map(|v| v["phenomenonTime"].as_str().unwrap())
        .collect();
    assert!(times.windows(2).all(|w| w[0] >= w[1]));
    let (found, _) = follow(
        "Observations",
        "$top=50&$orderby=result,phenomenonTime desc",
    )
    .await;
    let results: Vec<f64> = found
        .iter()
        .map(|v| v["result"].as_f64().unwrap())
        .collect();
    assert!(results.windows(2).all(|w| w[0] <= w[1]));
    let names = get(
        "Datastreams",
        "$orderby=Thing/name desc,@iot.id desc&$select=id",
    )
    .await;
    let first = names["value"][0]["@iot.id"].as_str().unwrap();
    assert!(first.starts_with("外来"), "{first}");
}

#[tokio::test]
async fn skip_top_and_count_agree() {
    let path = format!("Datastreams('{A}:a34004:minute.mean')/Observations");
    let body = get(&path, "$skip=10&$top=2&$count=true&$select=result").await;
    assert_eq!(body["@iot.count"], 1_000);
    assert_eq!(body["value"][0]["result"], 10.0);
    assert_eq!(body["value"].as_array().unwrap().len(), 2);
    let newest = ids(&path, "$top=1&$orderby=phenomenonTime desc").await;
    let last = START.0 + 999 * 60_000_000;
    assert_eq!(newest, [format!("{A}:a34004:minute.mean@{last}")]);
    let none = get(&path, "$top=0&$count=true").await;
    assert_eq!(
        (
            none["@iot.count"].as_u64(),
            none["value"].as_array().unwrap().len()
        ),
        (Some(1_000), 0)
    );
    let huge = get(&path, "$top=5000").await;
    assert_eq!(huge["value"].as_array().unwrap().len(), 1_000);
    assert!(huge.get("@iot.nextLink").is_none());
}

#[tokio::test]
async fn an_expanded_collection_is_paged_too() {
    let query = "$expand=Observations($top=400;$filter=result ge 100)";
    let stream = get(&format!("Datastreams('{A}:a34004:minute.mean')"), query).await;
    let next = stream["Observations@iot.nextLink"].as_str().unwrap();
    let (path, query) = next.strip_prefix(BASE).unwrap().split_once('?').unwrap();
    let (rest, _) = follow(path, query).await;
    let first = stream["Observations"].as_array().unwrap();
    assert_eq!((first.len(), rest.len()), (400, 500));
    assert_eq!(rest[0]["result"], 500.0);
}

#[tokio::test]
async fn a_dense_series_is_read_backwards_from_what_is_dated_ahead() {
    let city = city(true);
    let path = format!("Datastreams('{A}:dense:real_time')/Observations");
    let query = "$orderby=phenomenonTime%20desc&$top=1000&$select=id,result";
    let first = answer(&city, BASE, &path, query).await;
    let (found, pages) = follow_in(&city, first.body).await;
    assert_eq!((found.len(), pages), (45_001, 46));
    let results: Vec<f64> = found
        .iter()
        .map(|v| v["result"].as_f64().unwrap())
        .collect();
    assert!(
        results.windows(2).all(|w| w[0] == w[1] + 1.0),
        "not all, or not in order"
    );
}
