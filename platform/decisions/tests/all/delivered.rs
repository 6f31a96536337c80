//! The tables that are delivered with the systems, asked for what their texts promise.

use crate::{engine, memory};
use kernel::decisions::{Decisions, NewModel};
use serde_json::{Value, json};
use std::path::Path;

/// Asks a delivered table about these answers of a form, which came from registers unless they say
/// `typed_in`.
async fn ask(model: &str, decision: &str, asked: &[(Value, Value)]) {
    let (_dir, store) = memory().await;
    let engine = engine(&store);
    let file = format!("../../systems/services/decisions/{model}.dmn");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let new = NewModel {
        model: model.into(),
        xml: std::fs::read_to_string(path).unwrap(),
        note: String::new(),
        after_version: None,
    };
    let published = engine.publish(&kernel::Actor::system(), &new).await;
    published.unwrap_or_else(|fault| panic!("{model}: {fault} {:?}", fault.problems));
    let ready = engine.ready(model, None).await.unwrap();
    for (form, expect) in asked {
        let known: Vec<&String> = match form.get("typed_in") {
            Some(_) => vec![],
            None => form.as_object().unwrap().keys().collect(),
        };
        let application = json!({ "form": form, "known": known });
        let Value::Object(input) = json!({ "application": application }) else {
            unreachable!()
        };
        let outcome = ready.decide(decision, &input).unwrap();
        assert_eq!(&outcome.result, expect, "{model} of {form}");
    }
}

#[tokio::test]
async fn departments_review_what_concerns_them() {
    let who = |names: &[(&str, &str)]| {
        let one = |(o, s): &(&str, &str)| json!({"organisation": o, "subject": s});
        Value::Array(names.iter().map(one).collect())
    };
    let planning = ("planning_bureau", "规划条件与控制性详细规划");
    let fire = ("housing_bureau", "消防设计");
    let form = |height: i64, area: i64, underground: bool, near_water: bool, entrance: bool| json!({"height": height, "area": area, "underground": underground, "near_water": near_water, "vehicle_entrance": entrance});
    ask(
        "construction_review",
        "departments",
        &[
            (form(9, 300, false, false, false), who(&[planning])),
            (form(23, 2499, false, false, false), who(&[planning])),
            // Fire is asked once, whether it is high, large or both.
            (form(24, 300, false, false, false), who(&[planning, fire])),
            (form(9, 2500, false, false, false), who(&[planning, fire])),
            (form(60, 20000, false, false, false), who(&[planning, fire])),
            (
                form(9, 300, true, true, true),
                who(&[
                    planning,
                    ("civil_defence_office", "防空地下室"),
                    ("water_bureau", "防洪与河湖管理范围"),
                    ("transport_bureau", "交通影响"),
                ]),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn newborns_are_insured_at_once_within_ninety_days() {
    // Today is 25 November 2026; 27 August is ninety days before.
    let born = |day: &str| json!({ "child_birth": day });
    ask(
        "newborn_insurance",
        "outcome",
        &[
            (born("2026-11-25"), json!("at_once")),
            (born("2026-08-27"), json!("at_once")),
            (born("2026-08-26"), json!("review")),
            (
                json!({"child_birth": "2026-11-25", "typed_in": true}),
                json!("review"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn subsidies_go_by_age_from_the_birthday_on() {
    let born = |day: &str| json!({ "birth_date": day });
    ask(
        "elderly_subsidy",
        "standard",
        &[
            (born("1946-11-26"), json!(0)),
            (born("1946-11-25"), json!(50)),
            (born("1936-11-26"), json!(50)),
            (born("1936-11-25"), json!(200)),
            (born("1926-11-25"), json!(500)),
        ],
    )
    .await;
}

#[tokio::test]
async fn money_is_granted_looked_at_or_refused() {
    let form = |purpose: &str, amount: i64, months: i64| json!({"purpose": purpose, "amount": amount, "balance": 30000, "paid_months": months});
    ask(
        "housing_fund",
        "outcome",
        &[
            (form("rent", 18000, 3), json!("at_once")),
            (form("rent", 18001, 3), json!("review")),
            (form("rent", 1000, 2), json!("refuse")),
            (form("retire", 30000, 1), json!("at_once")),
            (form("retire", 30001, 100), json!("refuse")),
            (form("local_loan", 20000, 24), json!("at_once")),
            (form("purchase", 20000, 24), json!("review")),
        ],
    )
    .await;
}

#[tokio::test]
async fn cars_and_boards_are_looked_at_when_they_are_old_large_or_high() {
    let car = |mileage: i64, day: &str| json!({"mileage": mileage, "first_registered": day});
    ask(
        "vehicle_check",
        "check",
        &[
            (car(10, "2026-01-01"), json!("documents")),
            (car(200_000, "2026-01-01"), json!("on_site")),
            (car(10, "2023-11-25"), json!("on_site")),
            (car(10, "2023-11-26"), json!("documents")),
        ],
    )
    .await;
    let board = |position: &str, area: i64, height: i64| json!({"position": position, "area": area, "height": height});
    ask(
        "advertising_check",
        "check",
        &[
            (board("wall", 5, 3), json!("documents")),
            (board("wall", 20, 3), json!("survey")),
            (board("screen", 5, 10), json!("expert")),
            (board("roof", 1, 1), json!("expert")),
        ],
    )
    .await;
}
