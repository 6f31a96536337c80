//! Ways of cases through the delivered processes: what was asked for, by whom it was handled, what was
//! decided, and which days did not count.

use crate::delivered_city::City;
use crate::house::{admin, at, officer};
use kernel::cases::{CaseFile, Cases, InboxFilter, Light, Message, PauseKind};
use serde_json::{Value, json};

fn tower() -> Value {
    json!({
        "height": 60, "area": 20000, "underground": true, "near_water": false,
        "vehicle_entrance": true,
    })
}

/// Everybody asked agrees, and the planner puts it on display.
async fn reviewed(city: &City, case: &str) {
    let opinion = json!({"agreed": true, "note": "同意"});
    for bureau in ["planning_bureau", "housing_bureau", "civil_defence_office"] {
        let who = format!("joint_reviewer@{bureau}");
        city.does(case, &who, "joint_review", opinion.clone()).await;
    }
    // The case waits for the last of them.
    assert_eq!(city.file(case).await.tasks.len(), 1);
    let who = "joint_reviewer@transport_bureau";
    city.does(case, who, "joint_review", opinion).await;
    let opinions = city.file(case).await.data["opinions"].clone();
    assert_eq!(opinions.as_array().unwrap().len(), 4);
    assert_eq!(
        opinions[1],
        json!({
            "organisation": "housing_bureau", "subject": "消防设计", "agreed": true, "note": "同意",
        })
    );
    let planner = "planning_reviewer@planning_bureau";
    city.does(case, planner, "summarise", json!({"displayable": true}))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tower_is_reviewed_displayed_heard_and_permitted() {
    let city = City::open().await;
    let case = city
        .accept("construction_planning_permit", "G1", tower())
        .await;
    let due = |file: &CaseFile| file.case.promised.unwrap().due;
    let end = |day: &str| at(&format!("{day}T00:00:00+08:00")) + kernel::Span::days(1);
    assert_eq!(due(&city.file(&case).await), end("2026-12-11"));
    // Nobody else is asked: there is no water near.
    let water = officer("w", "water_bureau", "joint_reviewer");
    let inbox = city
        .engine
        .inbox(&water, &InboxFilter::default())
        .await
        .unwrap();
    assert_eq!(inbox.count, 0);

    city.go_to("2026-11-27T10:00:00+08:00");
    reviewed(&city, &case).await;
    let file = city.file(&case).await;
    assert_eq!(file.pauses[0].kind, PauseKind::Display);
    assert_eq!(file.case.promised.unwrap().light, Light::Paused);
    assert!(file.pauses[0].basis.contains("第四十五条"));

    // Ten working days on display, then eight until the hearing was held: none of them counts.
    city.go_to("2026-12-11T10:00:00+08:00");
    let planner = "planning_reviewer@planning_bureau";
    let found = json!({"objections": 7, "hearing": true, "hearing_reason": "asked"});
    city.does(&case, planner, "display", found).await;
    let file = city.file(&case).await;
    assert_eq!(file.pauses.len(), 2);
    assert_eq!(file.pauses[1].kind, PauseKind::Hearing);
    assert!(file.pauses[0].to.is_some() && file.pauses[1].to.is_none());
    city.go_to("2026-12-23T10:00:00+08:00");
    city.does(
        &case,
        planner,
        "hold_hearing",
        json!({"hearing_record": "笔录"}),
    )
    .await;
    let file = city.file(&case).await;
    let left = file.case.promised.unwrap();
    // Two of twelve days were used before; ten remain after Wednesday, 23 December.
    assert_eq!((left.days, left.due), (10, end("2027-01-06")), "{left:?}");
    assert_eq!(left.light, Light::Green);
    // The calendar of 2027 is not known here.
    assert!(left.provisional);

    let approver = "department_approver@planning_bureau";
    city.does(&case, approver, "approve", json!({"approved": true}))
        .await;
    let decided = city.ended(&case).await;
    assert_eq!(decided["approved"], true);
    assert!(decided["basis"].as_str().unwrap().contains("城乡规划法"));
    assert!(decided["reason"].as_str().unwrap().contains("会审同意"));
    assert_eq!(city.called("applications.licence"), 1);
    assert_eq!(city.file(&case).await.data["licence_identifier"], "1.2.156");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_is_refused_with_reason_and_basis() {
    let city = City::open().await;
    // A small house asks planners only.
    let small = json!({"height": 9, "area": 300, "underground": false, "near_water": false, "vehicle_entrance": false});
    let case = city
        .accept("construction_planning_permit", "G2", small)
        .await;
    let opinion = json!({"agreed": false, "note": "超出容积率"});
    city.does(
        &case,
        "joint_reviewer@planning_bureau",
        "joint_review",
        opinion,
    )
    .await;
    let why = json!({"displayable": false, "opinion": "容积率超出规划条件"});
    city.does(&case, "planning_reviewer@planning_bureau", "summarise", why)
        .await;
    let no = json!({"approved": false, "opinion": "容积率超出规划条件"});
    city.does(&case, "department_approver@planning_bureau", "approve", no)
        .await;
    let decided = city.ended(&case).await;
    assert_eq!(decided["approved"], false);
    assert_eq!(decided["reason"], "容积率超出规划条件");
    assert!(
        decided["basis"]
            .as_str()
            .unwrap()
            .contains("第三十八条第二款")
    );
    assert_eq!(
        (
            city.called("applications.licence"),
            city.called("cases.pause")
        ),
        (0, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_birth_is_handled_by_four_offices_and_insurance_at_once() {
    let city = City::open().await;
    let form = json!({"child_sex": "1", "child_birth": "2026-11-03", "hospital": "演示妇产医院"});
    let yes = json!({"approved": true});
    let certificate = city.accept("birth_certificate", "B1", form.clone()).await;
    city.does(
        &certificate,
        "health_reviewer@health_commission",
        "review",
        yes.clone(),
    )
    .await;
    assert_eq!(city.ended(&certificate).await["approved"], true);
    let household = city
        .accept("household_registration_birth", "B2", form.clone())
        .await;
    city.does(
        &household,
        "police_reviewer@public_security_bureau",
        "review",
        yes.clone(),
    )
    .await;
    assert!(
        city.ended(&household).await["basis"]
            .as_str()
            .unwrap()
            .contains("户口登记条例")
    );
    // Within ninety days nobody needs to look.
    let insurance = city
        .accept("medical_insurance_newborn", "B3", form.clone())
        .await;
    assert_eq!(city.ended(&insurance).await["approved"], true);
    let card = city.accept("social_security_card_child", "B4", form).await;
    let clerk = "social_security_reviewer@human_resources_bureau";
    city.does(&card, clerk, "review", yes.clone()).await;
    city.does(&card, clerk, "make", json!({"card_number": "C0000001"}))
        .await;
    assert_eq!(city.ended(&card).await["approved"], true);
    assert_eq!(city.called("applications.licence"), 2);
    // After ninety days somebody does.
    let late = json!({"child_birth": "2026-06-01"});
    let insurance = city.accept("medical_insurance_newborn", "B5", late).await;
    let clerk = "medical_insurance_reviewer@medical_insurance_bureau";
    let no = json!({"approved": false, "opinion": "已在外地参保"});
    city.does(&insurance, clerk, "review", no).await;
    assert_eq!(city.ended(&insurance).await["reason"], "已在外地参保");
}

#[tokio::test(flavor = "multi_thread")]
async fn water_waits_for_its_bill_and_gives_up_after_thirty_days() {
    let city = City::open().await;
    let engineer = "water_engineer@water_group";
    let survey = json!({"possible": true, "charged": true});
    let paid = city.accept("water_connection", "W1", json!({})).await;
    city.does(&paid, engineer, "survey", survey.clone()).await;
    assert_eq!(city.called("applications.bill"), 1);
    let message = Message {
        name: "paid".into(),
        key: json!("A-W1"),
        ..Message::default()
    };
    city.engine
        .message(&admin(), message.clone())
        .await
        .unwrap();
    city.does(&paid, engineer, "build", json!({"meter": "M1"}))
        .await;
    assert_eq!(city.ended(&paid).await["approved"], true);
    let again = city.engine.message(&admin(), message).await;
    assert!(again.is_err(), "a case that ended waits for no bill");

    let unpaid = city.accept("water_connection", "W2", json!({})).await;
    city.does(&unpaid, engineer, "survey", survey).await;
    city.go_to("2026-12-26T10:00:00+08:00");
    city.engine.settle().await.unwrap();
    let decided = city.ended(&unpaid).await;
    assert_eq!(decided["approved"], false);
    assert!(decided["reason"].as_str().unwrap().contains("三十日"));
    // Nothing to pay: the works begin at once.
    let free = city.accept("water_connection", "W3", json!({})).await;
    city.does(
        &free,
        engineer,
        "survey",
        json!({"possible": true, "charged": false}),
    )
    .await;
    city.does(&free, engineer, "build", json!({"meter": "M3"}))
        .await;
    assert_eq!(city.ended(&free).await["approved"], true);
    assert_eq!(city.called("applications.bill"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_granted_at_once_looked_at_or_refused_by_the_tables() {
    let city = City::open().await;
    let ask = |amount: i64| json!({"purpose": "rent", "amount": amount, "balance": 20000, "paid_months": 12});
    let at_once = city
        .accept("housing_fund_withdrawal", "H1", ask(9000))
        .await;
    assert_eq!(city.ended(&at_once).await["approved"], true);
    let never = city
        .accept("housing_fund_withdrawal", "H2", ask(20001))
        .await;
    let decided = city.ended(&never).await;
    assert_eq!(decided["approved"], false);
    assert!(decided["reason"].as_str().unwrap().contains("余额"));
    let looked = city
        .accept("housing_fund_withdrawal", "H3", ask(19000))
        .await;
    let clerk = "housing_fund_reviewer@housing_fund_centre";
    city.does(&looked, clerk, "review", json!({"approved": true}))
        .await;
    assert_eq!(city.ended(&looked).await["approved"], true);
    // What somebody typed in is looked at, however little it is.
    let mut typed_in = ask(1);
    typed_in["typed_in"] = json!(true);
    let case = city.accept("housing_fund_withdrawal", "H4", typed_in).await;
    city.does(&case, clerk, "review", json!({"approved": true}))
        .await;
    // Nobody is asked about somebody of 70.
    let young = json!({"birth_date": "1956-01-01"});
    let case = city.accept("elderly_subsidy", "H5", young).await;
    assert_eq!(city.ended(&case).await["approved"], false);
    let old = json!({"birth_date": "1936-01-01"});
    let case = city.accept("elderly_subsidy", "H6", old).await;
    let (clerk, approver) = (
        "civil_affairs_reviewer@civil_affairs_bureau",
        "department_approver@civil_affairs_bureau",
    );
    city.does(&case, clerk, "review", json!({})).await;
    city.does(&case, approver, "approve", json!({"approved": true}))
        .await;
    let decided = city.ended(&case).await;
    assert!(decided["reason"].as_str().unwrap().ends_with("每月 200 元"));
}

/// A process, the answers of the form, and who does what with which answers of the desk.
type Way<'a> = (&'a str, Value, &'a [(&'a str, &'a str, Value)]);

#[tokio::test(flavor = "multi_thread")]
async fn the_other_processes_take_their_main_way() {
    let city = City::open().await;
    let yes = json!({"approved": true});
    let ways: &[Way<'_>] = &[
        (
            "business_registration",
            json!({}),
            &[
                (
                    "market_reviewer@market_bureau",
                    "review",
                    json!({"fit": true}),
                ),
                ("department_approver@market_bureau", "approve", yes.clone()),
            ],
        ),
        (
            "food_permit",
            json!({"business": "catering", "area": 80}),
            &[
                (
                    "permit_inspector@data_bureau",
                    "inspect",
                    json!({"passed": true}),
                ),
                ("permit_approver@data_bureau", "approve", yes.clone()),
            ],
        ),
        (
            "food_permit",
            json!({"business": "retail", "area": 500}),
            &[("permit_approver@data_bureau", "approve", yes.clone())],
        ),
        (
            "elderly_subsidy",
            json!({"birth_date": "1940-01-01"}),
            &[
                (
                    "civil_affairs_reviewer@civil_affairs_bureau",
                    "review",
                    json!({"alive": true}),
                ),
                (
                    "department_approver@civil_affairs_bureau",
                    "approve",
                    yes.clone(),
                ),
            ],
        ),
        (
            "ride_hailing_vehicle_permit",
            json!({"mileage": 10, "first_registered": "2020-01-01"}),
            &[
                ("transport_reviewer@transport_bureau", "review", json!({})),
                (
                    "transport_reviewer@transport_bureau",
                    "inspect",
                    json!({"passed": true}),
                ),
                (
                    "department_approver@transport_bureau",
                    "approve",
                    yes.clone(),
                ),
            ],
        ),
        (
            "ride_hailing_driver_permit",
            json!({}),
            &[
                (
                    "police_reviewer@public_security_bureau",
                    "background",
                    json!({}),
                ),
                (
                    "transport_reviewer@transport_bureau",
                    "examination",
                    json!({}),
                ),
                (
                    "department_approver@transport_bureau",
                    "approve",
                    yes.clone(),
                ),
            ],
        ),
        (
            "outdoor_advertising",
            json!({"position": "roof", "area": 8, "height": 4}),
            &[
                ("urban_reviewer@urban_bureau", "review", json!({})),
                ("urban_reviewer@urban_bureau", "expert_review", json!({})),
                ("urban_reviewer@urban_bureau", "survey", json!({})),
                ("department_approver@urban_bureau", "approve", yes.clone()),
            ],
        ),
        (
            "social_insurance_transfer",
            json!({}),
            &[
                (
                    "social_security_reviewer@human_resources_bureau",
                    "check",
                    json!({"fit": true}),
                ),
                (
                    "social_security_reviewer@human_resources_bureau",
                    "contact",
                    json!({}),
                ),
                (
                    "social_security_reviewer@human_resources_bureau",
                    "book",
                    json!({}),
                ),
            ],
        ),
        (
            "disability_card",
            json!({}),
            &[
                (
                    "disability_reviewer@disabled_federation",
                    "review",
                    json!({}),
                ),
                (
                    "disability_reviewer@disabled_federation",
                    "appraise",
                    json!({"graded": true}),
                ),
                (
                    "disability_reviewer@disabled_federation",
                    "display",
                    json!({}),
                ),
                (
                    "department_approver@disabled_federation",
                    "approve",
                    yes.clone(),
                ),
            ],
        ),
        (
            "road_occupation",
            json!({"traffic": true}),
            &[
                (
                    "police_reviewer@public_security_bureau",
                    "traffic",
                    json!({}),
                ),
                ("urban_reviewer@urban_bureau", "review", json!({})),
                (
                    "department_approver@urban_bureau",
                    "approve",
                    json!({"approved": true, "charged": false}),
                ),
            ],
        ),
    ];
    for (n, (process, form, steps)) in ways.iter().enumerate() {
        let case = city.accept(process, &format!("M{n}"), form.clone()).await;
        for (who, node, data) in *steps {
            city.does(&case, who, node, data.clone()).await;
        }
        let decided = city.ended(&case).await;
        assert_eq!(decided["approved"], true, "{process}");
        for said in ["basis", "reason"] {
            assert!(
                decided[said].as_str().is_some_and(|s| !s.is_empty()),
                "{process}: {said}"
            );
        }
        let open = city.file(&case).await.pauses;
        assert!(
            open.iter().all(|pause| pause.to.is_some()),
            "{process}: a clock stands still"
        );
    }
}
