//! Answers judged, in words; what is asked; forms of the desk.

use crate::*;
use kernel::items::Items;

/// Sound answers for a restaurant.
pub(crate) fn restaurant() -> Value {
    json!({ "operator": "测试饭店", "responsible": "李明", "responsible_number": "130199199001010014",
        "mobile": "13800000013", "premises": "测试路 1 号", "place": "114.502461,38.045474",
        "area": 80.5, "opens_on": "2026-12-01", "leased_to": "2030-12-01", "business": "catering",
        "items": "热食类", "dishes": ["hot", "cold"], "cold_room": true, "seats": 40,
        "capital": 5_000_000, "room": "A101", "paper": true, "note": "无\n其他" })
}

fn food() -> Item {
    let mut item = item(1, json!({}));
    item.content = content(FOOD);
    item
}

#[tokio::test]
async fn answers_and_their_faults() {
    let (_dir, engine) = alone().await;
    let food = food();
    // Changes of the restaurant's answers (`null` removes), whether whole, and what is said where.
    let check = |changes: Value, whole: bool, expect: &[(&str, &str)]| {
        let mut answers = map(restaurant());
        for (name, value) in map(changes) {
            match value {
                Value::Null => drop(answers.shift_remove(&name)),
                value => drop(answers.insert(name, value)),
            }
        }
        let problems = engine.judge(&food, &answers, whole);
        in_both_languages(&problems);
        let found: Vec<&str> = problems
            .iter()
            .map(|p| p.at.trim_start_matches("/answers/"))
            .collect();
        let places: Vec<&str> = expect.iter().map(|(at, _)| *at).collect();
        assert_eq!(found, places, "{problems:#?}");
        for (problem, (at, zh)) in problems.iter().zip(expect) {
            assert!(
                problem.words.zh.contains(zh),
                "{at}: {} lacks {zh}",
                problem.words.zh
            );
        }
    };
    check(json!({}), true, &[]);
    check(
        json!({ "premises": null }),
        true,
        &[("premises", "请填写“经营场所”")],
    );
    check(
        json!({ "premises": "  " }),
        true,
        &[("premises", "请填写“经营场所”")],
    );
    check(json!({ "premises": null }), false, &[]);
    check(json!({ "note": "" }), true, &[]);
    check(json!({ "premises": 5 }), true, &[("premises", "应填文字")]);
    check(
        json!({ "premises": "路".repeat(101) }),
        true,
        &[("premises", "最多 100 个字")],
    );
    check(
        json!({ "premises": "测试路\n1 号" }),
        true,
        &[("premises", "看不见的字符")],
    );
    check(
        json!({ "premises": "测试路\u{202e}1" }),
        true,
        &[("premises", "看不见的字符")],
    );
    check(
        json!({ "responsible_number": "130199199001010015" }),
        true,
        &[("responsible_number", "校验位")],
    );
    check(
        json!({ "responsible_number": "1301991990" }),
        true,
        &[("responsible_number", "位数")],
    );
    check(
        json!({ "mobile": "12345678901" }),
        true,
        &[("mobile", "手机")],
    );
    check(
        json!({ "mobile": "138 0000 0013" }),
        true,
        &[("mobile", "空格")],
    );
    check(json!({ "place": "here" }), true, &[("place", "地图")]);
    check(json!({ "place": "114.5,91" }), true, &[("place", "地图")]);
    check(
        json!({ "place": null }),
        true,
        &[("place", "请在地图上选择")],
    );
    check(json!({ "area": "80" }), true, &[("area", "数值")]);
    check(json!({ "area": 0 }), true, &[("area", "不得小于 1 平方米")]);
    check(json!({ "area": 1e300 }), true, &[("area", "不得大于")]);
    check(
        json!({ "opens_on": "2026-02-30" }),
        true,
        &[("opens_on", "日期")],
    );
    check(
        json!({ "opens_on": "2026-11-24" }),
        true,
        &[("opens_on", "不能早于今天")],
    );
    check(json!({ "opens_on": "2026-11-25" }), true, &[]);
    check(
        json!({ "leased_to": "2026-12-01" }),
        true,
        &[("leased_to", "应晚于“拟开业日期”")],
    );
    check(
        json!({ "leased_to": "2026-12-01", "opens_on": null }),
        false,
        &[],
    );
    check(
        json!({ "business": "bank", "dishes": null, "cold_room": null, "seats": null }),
        true,
        &[("business", "请在选项中选择")],
    );
    check(
        json!({ "business": null, "dishes": null, "cold_room": null, "seats": null }),
        true,
        &[("business", "请选择“主体业态”")],
    );
    // What is not asked is not answered, and what hangs on it neither.
    check(
        json!({ "business": "retail" }),
        true,
        &[
            ("dishes", "不用填写"),
            ("cold_room", "不用填写"),
            ("seats", "不用填写"),
        ],
    );
    check(
        json!({ "business": "retail", "dishes": null, "cold_room": null, "seats": null }),
        true,
        &[],
    );
    check(json!({ "business": "canteen", "seats": null }), true, &[]);
    check(
        json!({ "seats": null }),
        true,
        &[("seats", "请填写“座位数”")],
    );
    check(
        json!({ "dishes": ["hot"] }),
        true,
        &[("cold_room", "不用填写")],
    );
    check(
        json!({ "dishes": ["hot", "hot"], "cold_room": null }),
        true,
        &[("dishes", "两次")],
    );
    check(
        json!({ "dishes": ["hot", "cold", "cake"] }),
        true,
        &[("dishes", "最多选 2 项")],
    );
    check(
        json!({ "dishes": ["soup"], "cold_room": null }),
        true,
        &[("dishes", "请在选项中选择")],
    );
    check(
        json!({ "dishes": "hot", "cold_room": null }),
        true,
        &[("dishes", "可多选")],
    );
    check(json!({ "seats": 40.5 }), true, &[("seats", "整数")]);
    check(
        json!({ "seats": 5001 }),
        true,
        &[("seats", "不得大于 5000 个")],
    );
    check(
        json!({ "capital": -1 }),
        true,
        &[("capital", "不得少于 0 元")],
    );
    check(
        json!({ "capital": 100_000_000_001i64 }),
        true,
        &[("capital", "不得超过 1000000000 元")],
    );
    check(json!({ "room": "a101" }), true, &[("room", "如 A101")]);
    check(json!({ "paper": "yes" }), true, &[("paper", "是或否")]);
    check(
        json!({ "colour": "red" }),
        false,
        &[("colour", "没有这一项")],
    );
    let mut answers = map(restaurant());
    answers["note"] = Value::Null;
    assert_eq!(
        places(&engine.judge(&food, &answers, true)),
        ["/answers/note"]
    );
    // A catastrophe elsewhere: linear here.
    let item = item(
        7,
        json!({ "type": "object", "properties": { "a": { "type": "string", "title": "甲", "x-title-en": "A", "pattern": "^(a+)+$", "maxLength": 5000 } } }),
    );
    let long = json!({ "a": format!("{}b", "a".repeat(4_000)) });
    let begin = std::time::Instant::now();
    assert_eq!(engine.judge(&item, &map(long), true).len(), 1);
    assert!(begin.elapsed().as_secs() < 2);
}

#[tokio::test]
async fn what_is_asked_charged_and_wanted() {
    let (_dir, engine) = alone().await;
    let food = food();
    let check = |answers: Value, asked: &[&str], materials: &[&str], fen: i64| {
        let answers = map(answers);
        let found = engine.asked(&food, &answers);
        for name in ["dishes", "cold_room", "seats"] {
            assert_eq!(
                found.iter().any(|f| f == name),
                asked.contains(&name),
                "{name} {found:?}"
            );
        }
        let found = engine.materials(&food, &answers);
        let names: Vec<&str> = found.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, materials);
        let fees: i64 = engine.fees(&food, &answers).iter().map(|fee| fee.fen).sum();
        assert_eq!(fees, fen);
    };
    check(json!({}), &[], &["licence"], 0);
    check(
        json!({ "business": "catering" }),
        &["dishes", "seats"],
        &["layout", "licence"],
        0,
    );
    check(
        restaurant(),
        &["dishes", "cold_room", "seats"],
        &["layout", "licence", "cold"],
        1000,
    );
    // A cold room said in answer to a question that is not asked settles nothing.
    check(
        json!({ "business": "retail", "dishes": ["cold"], "cold_room": true, "paper": true }),
        &[],
        &["licence"],
        1000,
    );
    let paths = engine.prefills(&food);
    assert!(paths.contains(&("operator".into(), "party.name".into())));
    assert_eq!(
        engine.personal(&food),
        ["responsible", "responsible_number", "mobile"]
    );
}

#[tokio::test]
async fn answers_are_kept_tidy() {
    let (_dir, engine) = alone().await;
    let typed = json!({ "responsible_number": " 11010519491231002x ", "mobile": "+86 138-0000-0013",
        "premises": "  测试路 1 号 ", "note": "", "dishes": [], "seats": "", "business": "catering",
        "room": "  ", "area": null, "colour": " red " });
    let tidy = engine.tidy(&food(), &map(typed));
    let expect = json!({ "responsible_number": "11010519491231002X", "mobile": "13800000013",
        "premises": "测试路 1 号", "business": "catering", "colour": " red " });
    assert_eq!(Value::Object(tidy), expect);
}

#[tokio::test]
async fn forms_of_the_desk() {
    let (_dir, engine) = alone().await;
    let food = food();
    let check = |form: &str, answers: Value, expect: &[&str]| {
        let problems = engine.judge_desk(&food, form, &map(answers));
        in_both_languages(&problems);
        assert_eq!(places(&problems), expect, "{form} {problems:#?}");
    };
    check("accept", json!({ "accepted": true }), &[]);
    check("accept", json!({}), &["/answers/accepted"]);
    check("review", json!({ "opinion": "agree" }), &[]);
    check(
        "review",
        json!({ "opinion": "disagree" }),
        &["/answers/reason"],
    );
    check("approve", json!({ "approved": true }), &[]);
    check(
        "approve",
        json!({ "approved": true, "reason": "材料不实" }),
        &["/answers/reason"],
    );
    check(
        "approve",
        json!({ "approved": false }),
        &["/answers/reason", "/answers/basis"],
    );
    check(
        "approve",
        json!({ "approved": false, "reason": "材料不实", "basis": "第七十八条" }),
        &[],
    );
    check(
        "hearing",
        json!({ "held_on": "2026-11-26", "attended": true, "record": "记录" }),
        &["/answers/held_on"],
    );
    // The item brings a form of inspection of its own.
    check(
        "inspect",
        json!({ "passed": true, "findings": "合格" }),
        &[],
    );
    check(
        "inspect",
        json!({ "passed": true, "findings": "合格", "inspected_on": "2026-11-24" }),
        &["/answers/inspected_on"],
    );
    check("dance", json!({}), &["/form"]);
    // Those that stand in would pass the check of a designer's own.
    let mut whole = content(FOOD);
    for name in items::STANDARD {
        let form = items::standard_desk_form(name).unwrap();
        whole.desk_forms.insert(name.into(), form);
    }
    assert_eq!(engine.check(&whole).await, vec![]);
}

#[tokio::test]
async fn a_day_of_birth_agrees_with_the_number() {
    let (_dir, engine) = alone().await;
    let number = json!({ "type": "string", "title": "号码", "x-title-en": "Number",
        "format": "citizen-number" });
    let birth = json!({ "type": "string", "title": "出生日期", "x-title-en": "Born",
        "format": "date", "x-birth-of": "number" });
    let form = json!({ "type": "object", "required": ["number", "birth"],
        "properties": { "number": number, "birth": birth } });
    let item = item(1, form);
    let judged = |birth: &str| {
        let answers = json!({ "number": "130199199001010014", "birth": birth });
        let problems = engine.judge(&item, &map(answers), true);
        in_both_languages(&problems);
        problems.into_iter().map(|p| p.words.zh).collect::<Vec<_>>()
    };
    assert!(judged("1990-01-01").is_empty());
    assert_eq!(judged("1940-01-01"), ["“出生日期”不符合“号码”"]);
}
