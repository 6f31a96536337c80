//! What is refused before it is published, and where it says so.

use crate::*;
use kernel::items::Items;

/// The food permit with one place changed must have exactly these problems.
async fn check(engine: &Engine, change: impl Fn(&mut Value), expect: &[&str]) {
    let mut content = value(FOOD);
    change(&mut content);
    let by = designer("zhang");
    let saved = engine
        .save(&by, "food_permit", None, &content)
        .await
        .unwrap();
    in_both_languages(&saved.problems);
    let mut found = places(&saved.problems);
    found.sort();
    found.dedup();
    let mut expect = expect.to_vec();
    expect.sort();
    assert_eq!(found, expect, "{:#?}", saved.problems);
}

fn set(pointer: &'static str, value: Value) -> impl Fn(&mut Value) {
    move |content| {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = content
            .pointer_mut(parent)
            .unwrap_or_else(|| panic!("{pointer}"));
        match parent {
            Value::Array(list) => list[key.parse::<usize>().unwrap()] = value.clone(),
            parent => parent[key] = value.clone(),
        }
    }
}

#[tokio::test]
async fn fixtures_are_sound() {
    let (_dir, engine) = alone().await;
    assert_eq!(engine.check(&content(FOOD)).await, vec![]);
    let published = engine
        .publish_declared(&files(&[
            ("birth", BIRTH),
            ("newborn_insurance", INSURANCE),
            ("birth_certificate", CERTIFICATE),
        ]))
        .await
        .unwrap();
    assert_eq!(published.len(), 3);
    assert_eq!(engine.check(&content(BIRTH)).await, vec![]);
}

#[tokio::test]
async fn the_head_of_an_item() {
    let (_dir, engine) = alone().await;
    let check = async |pointer, value, expect: &[&str]| {
        check(&engine, set(pointer, value), expect).await;
    };
    check(
        "/title",
        json!({ "zh": "", "en": "x", "fr": "x" }),
        &["/title/zh", "/title/en", "/title/fr"],
    )
    .await;
    check("/title", json!("标题"), &["/title"]).await;
    check("/nonsense", json!(1), &["/nonsense"]).await;
    check(
        "/catalogue_code",
        json!("12345678901"),
        &["/catalogue_code"],
    )
    .await;
    check(
        "/catalogue_code",
        json!("12345678901a"),
        &["/catalogue_code"],
    )
    .await;
    check(
        "/task_code",
        json!("11130199MB0000001R010000000001"),
        &["/task_code"],
    )
    .await;
    check(
        "/task_code",
        json!("11130199MB0000002R0100000000001"),
        &["/task_code"],
    )
    .await;
    check(
        "/task_code",
        json!("11130199MB0000001R0500000000001"),
        &["/task_code"],
    )
    .await;
    check(
        "/task_code",
        json!("11130199MB0000001R010000000000A"),
        &["/task_code"],
    )
    .await;
    check(
        "/task_code",
        json!("中1130199MB0000001R01000000000"),
        &["/task_code"],
    )
    .await;
    check("/type", json!("02"), &["/type"]).await;
    check("/type", json!("05"), &["/task_code"]).await;
    check("/organisation", json!("nobody"), &["/organisation"]).await;
    check("/matter", json!("magic"), &["/matter"]).await;
    check("/basis", json!([]), &["/basis"]).await;
    check("/channels", json!([]), &["/channels"]).await;
    check("/channels", json!(["web", "web"]), &["/channels/1"]).await;
    check("/channels", json!(["web", "fax"]), &["/channels/1"]).await;
    check("/delivery", json!(["post", "post"]), &["/delivery/1"]).await;
    check("/proofing", json!(4), &["/proofing"]).await;
    check("/proofing", json!(0), &["/proofing"]).await;
    check("/process", json!("nothing"), &["/process"]).await;
    check("/process", json!(null), &["/process"]).await;
    check("/process", json!("measured"), &["/desk_forms/measure"]).await;
    check(
        "/bundle",
        json!(["birth", "other"]),
        &["/process", "/bundle/0", "/bundle/1"],
    )
    .await;
    check("/letters", json!({ "love": "x" }), &["/letters/love"]).await;
    check("/instant", json!(true), &["/promised"]).await;
    check(
        "/place",
        json!({ "zh": "一层\u{0}", "en": "" }),
        &["/place/zh"],
    )
    .await;
    let days = |days: u32, count: &str| json!({ "days": days, "count": count });
    check("/promised", days(21, "working_days"), &["/promised"]).await;
    check("/promised", days(20, "working_days"), &[]).await;
    check("/promised", days(28, "calendar_days"), &[]).await;
    check("/promised", days(29, "calendar_days"), &["/promised"]).await;
    check("/promised", days(0, "calendar_days"), &["/promised/days"]).await;
    check("/promised", days(5, "moons"), &["/promised/count"]).await;
}

#[tokio::test]
async fn materials_fees_outcome_and_guidance() {
    let (_dir, engine) = alone().await;
    let check = async |pointer, value, expect: &[&str]| {
        check(&engine, set(pointer, value), expect).await;
    };
    let when = |field: &str, values: Value| json!([{ "field": field, "in": values }]);
    check("/materials/1/name", json!("layout"), &["/materials/1/name"]).await;
    check(
        "/materials/0/when",
        when("colour", json!(["red"])),
        &["/materials/0/when/0"],
    )
    .await;
    check(
        "/materials/0/when",
        when("business", json!(["bank"])),
        &["/materials/0/when/0"],
    )
    .await;
    check(
        "/materials/0/when",
        when("business", json!([])),
        &["/materials/0/when/0/in"],
    )
    .await;
    check("/materials/0/when", when("dishes", json!(["hot"])), &[]).await;
    check("/materials/0/when", when("seats", json!([7])), &[]).await;
    check(
        "/materials/0/when",
        when("seats", json!([0])),
        &["/materials/0/when/0"],
    )
    .await;
    check(
        "/materials/1/formats",
        json!(["exe"]),
        &["/materials/1/formats/0"],
    )
    .await;
    check("/materials/1/most", json!(21), &["/materials/1/most"]).await;
    check(
        "/materials/1/sources/0/kind",
        json!("x"),
        &["/materials/1/sources/0/kind"],
    )
    .await;
    check(
        "/materials/1/sources/1/register",
        json!("x"),
        &["/materials/1/sources/1/register"],
    )
    .await;
    check(
        "/materials/1/sources/1/key",
        json!("form.seats"),
        &["/materials/1/sources/1/key"],
    )
    .await;
    check("/materials/1/sources/1/key", json!("form.operator"), &[]).await;
    check(
        "/materials/1/sources/0",
        json!({ "from": "heaven" }),
        &["/materials/1/sources/0"],
    )
    .await;
    check("/fees/0/fen", json!(0), &["/fees/0/fen"]).await;
    check(
        "/fees/0/when",
        when("paper", json!(["yes"])),
        &["/fees/0/when/0"],
    )
    .await;
    check("/outcome/licence", json!("x"), &["/outcome/licence"]).await;
    check("/outcome/licence", json!(null), &["/outcome/fields"]).await;
    check(
        "/outcome/fields/premises",
        json!("form.seats"),
        &["/outcome/fields/premises"],
    )
    .await;
    check(
        "/outcome/fields/premises",
        json!("form.note"),
        &["/outcome/fields/premises"],
    )
    .await;
    check("/outcome/fields/premises", json!("applicant.name"), &[]).await;
    check(
        "/outcome/fields/premises",
        json!("the moon"),
        &["/outcome/fields/premises"],
    )
    .await;
    check(
        "/outcome/fields/business",
        json!("form.items"),
        &["/outcome/fields/business"],
    )
    .await;
    check("/outcome/fields/business", json!("=catering"), &[]).await;
    check(
        "/outcome/fields/business",
        json!("=bank"),
        &["/outcome/fields/business"],
    )
    .await;
    check("/outcome/fields/seats", json!("form.seats"), &[]).await;
    check(
        "/outcome/fields/seats",
        json!("=many"),
        &["/outcome/fields/seats"],
    )
    .await;
    check(
        "/outcome/fields/colour",
        json!("form.items"),
        &["/outcome/fields/colour"],
    )
    .await;
    check(
        "/outcome/fields",
        json!({ "premises": "form.premises", "business": "form.business" }),
        &["/outcome/fields/items"],
    )
    .await;
    // More characters than the licence has room for.
    check(
        "/form/properties/premises/maxLength",
        json!(101),
        &["/outcome/fields/premises"],
    )
    .await;
    let paths = |number: &str, name: &str| json!({ "number": number, "name": name });
    check(
        "/outcome/holder",
        paths("form.responsible_number", "form.responsible"),
        &[],
    )
    .await;
    check(
        "/outcome/holder",
        paths("form.items", "form.note"),
        &["/outcome/holder/number", "/outcome/holder/name"],
    )
    .await;
    check(
        "/guidance/0/options/0/next",
        json!("where"),
        &["/guidance/0/options/0/next"],
    )
    .await;
    check("/guidance/0/options/0/next", json!(null), &["/guidance/1"]).await;
    check(
        "/guidance/1/options/0/next",
        json!("what"),
        &["/guidance/1/options/0/next"],
    )
    .await;
    check(
        "/guidance/1/options/0/next",
        json!("size"),
        &["/guidance/1/options/0/next"],
    )
    .await;
    check(
        "/guidance/1/name",
        json!("what"),
        &["/guidance/0/options/0/next", "/guidance/1/name"],
    )
    .await;
    check("/guidance/0/options", json!([]), &["/guidance/0/options"]).await;
    check(
        "/guidance/0/options/0/sets",
        json!({ "business": "bank" }),
        &["/guidance/0/options/0/sets/business"],
    )
    .await;
    check(
        "/guidance/0/options/0/sets",
        json!({ "colour": "red" }),
        &["/guidance/0/options/0/sets/colour"],
    )
    .await;
    check(
        "/guidance/0/options/2/sets",
        json!({ "seats": 3 }),
        &["/guidance/0/options/2/sets"],
    )
    .await;
    check(
        "/guidance/0/options/1/item",
        json!("nothing"),
        &["/guidance/0/options/1/item", "/guidance/0/options/1/sets"],
    )
    .await;
}

#[tokio::test]
async fn forms_say_only_what_is_understood() {
    let (_dir, engine) = alone().await;
    let field = async |value: Value, expect: &[&str]| {
        let expect: Vec<String> = expect
            .iter()
            .map(|at| format!("/form/properties/extra{at}"))
            .collect();
        let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
        let mut whole = json!({ "title": "另", "x-title-en": "Extra", "x-step": "business" });
        for (key, value) in map(value) {
            whole[key] = value;
        }
        check(&engine, set("/form/properties/extra", whole), &expect).await;
    };
    field(json!({ "type": "string" }), &[]).await;
    field(json!({}), &["/type"]).await;
    field(json!({ "type": "object" }), &["/type"]).await;
    field(json!({ "type": "string", "title": null }), &[""]).await;
    field(json!({ "type": "string", "format": "email" }), &["/format"]).await;
    field(
        json!({ "type": "number", "format": "money-fen" }),
        &["/format"],
    )
    .await;
    field(json!({ "type": "string", "$ref": "#/x" }), &["/$ref"]).await;
    field(
        json!({ "type": "string", "const": "x", "x-colour": 1 }),
        &["/const", "/x-colour"],
    )
    .await;
    field(
        json!({ "type": "integer", "minLength": 2 }),
        &["/minLength"],
    )
    .await;
    field(
        json!({ "type": "string", "maxLength": 5001 }),
        &["/maxLength"],
    )
    .await;
    field(
        json!({ "type": "string", "minLength": 9, "maxLength": 3 }),
        &["/minLength"],
    )
    .await;
    field(
        json!({ "type": "string", "pattern": "(?=x)" }),
        &["/pattern"],
    )
    .await;
    field(json!({ "type": "string", "pattern": "(" }), &["/pattern"]).await;
    field(
        json!({ "type": "string", "pattern": "((a{0,900}){0,900}){0,900}" }),
        &["/pattern"],
    )
    .await;
    field(json!({ "type": "string", "pattern": "^(a+)+$" }), &[]).await;
    field(
        json!({ "type": "integer", "minimum": 9, "maximum": 3 }),
        &["/minimum"],
    )
    .await;
    field(
        json!({ "type": "number", "multipleOf": 0 }),
        &["/multipleOf"],
    )
    .await;
    field(json!({ "type": "string", "enum": [] }), &["/enum"]).await;
    field(json!({ "type": "string", "enum": ["a"] }), &["/x-words"]).await;
    field(json!({ "type": "string", "enum": ["a", "a"], "x-words": { "a": { "zh": "甲", "en": "A" } } }), &["/enum"]).await;
    field(json!({ "type": "string", "enum": ["a"], "x-words": { "a": { "zh": "甲", "en": "A" }, "b": { "zh": "乙", "en": "B" } } }), &["/x-words"]).await;
    field(
        json!({ "type": "array", "items": { "type": "integer" } }),
        &["/items/type", "/items/enum"],
    )
    .await;
    field(json!({ "type": "array" }), &["/items"]).await;
    field(
        json!({ "type": "string", "x-step": "nowhere" }),
        &["/x-step"],
    )
    .await;
    field(json!({ "type": "string", "x-step": "who" }), &["/x-step"]).await;
    field(json!({ "type": "string", "x-help": "帮助" }), &[""]).await;
    field(
        json!({ "type": "string", "x-when": [{ "field": "extra", "in": ["x"] }] }),
        &["/x-when/0"],
    )
    .await;
    field(
        json!({ "type": "string", "x-when": [{ "field": "business", "in": ["bank"] }] }),
        &["/x-when/0"],
    )
    .await;
    field(
        json!({ "type": "string", "x-when": [{ "field": "business" }] }),
        &["/x-when/0"],
    )
    .await;
    field(
        json!({ "type": "string", "x-after": "opens_on" }),
        &["/x-after"],
    )
    .await;
    field(
        json!({ "type": "string", "format": "date", "x-after": "items" }),
        &["/x-after"],
    )
    .await;
    field(
        json!({ "type": "string", "format": "date", "x-birth-of": "opens_on" }),
        &["/x-birth-of"],
    )
    .await;
    field(
        json!({ "type": "string", "format": "date", "x-after": "today" }),
        &["/x-after"],
    )
    .await;
    field(json!({ "type": "string", "x-was": "items" }), &["/x-was"]).await;
    field(json!({ "type": "string", "x-unit": "米" }), &["/x-unit"]).await;
    field(
        json!({ "type": "string", "x-prefill": "person.number" }),
        &[],
    )
    .await;
    field(
        json!({ "type": "string", "x-prefill": "person.shoe" }),
        &["/x-prefill"],
    )
    .await;
    field(
        json!({ "type": "integer", "x-prefill": "person.name" }),
        &["/x-prefill"],
    )
    .await;
    field(
        json!({ "type": "string", "x-prefill": "register.enterprise.code" }),
        &[],
    )
    .await;
    field(
        json!({ "type": "string", "x-prefill": "register.enterprise.capital" }),
        &["/x-prefill"],
    )
    .await;
    field(
        json!({ "type": "string", "x-prefill": "register.enterprise.x" }),
        &["/x-prefill"],
    )
    .await;
    field(
        json!({ "type": "string", "x-prefill": "register.x.code" }),
        &["/x-prefill"],
    )
    .await;
    field(
        json!({ "type": "string", "x-prefill": "licence.business_licence.scope" }),
        &[],
    )
    .await;
    field(
        json!({ "type": "string", "x-prefill": "licence.business_licence.x" }),
        &["/x-prefill"],
    )
    .await;
    let check = async |pointer, value, expect: &[&str]| {
        check(&engine, set(pointer, value), expect).await;
    };
    check(
        "/form/properties/Bad name",
        json!({ "type": "string", "title": "x", "x-title-en": "x", "x-step": "business" }),
        &["/form/properties/Bad name"],
    )
    .await;
    check("/form/required/0", json!("nothing"), &["/form/required"]).await;
    check("/form/allOf", json!([]), &["/form/allOf"]).await;
    check(
        "/form/x-steps/0/name",
        json!("place"),
        &[
            "/form/x-steps/1/name",
            "/form/properties/operator/x-step",
            "/form/properties/responsible/x-step",
            "/form/properties/responsible_number/x-step",
            "/form/properties/mobile/x-step",
        ],
    )
    .await;
    check(
        "/desk_forms/approve",
        json!({ "type": "object" }),
        &["/desk_forms/approve/properties"],
    )
    .await;
    let filled = json!({ "type": "object", "properties": { "a": { "type": "string", "title": "甲", "x-title-en": "A", "x-prefill": "person.name" } } });
    check(
        "/desk_forms/approve",
        filled,
        &["/desk_forms/approve/properties/a/x-prefill"],
    )
    .await;
}

#[tokio::test]
async fn an_incomplete_copy_is_kept_and_all_that_is_missing_named() {
    let (_dir, engine) = alone().await;
    let by = designer("zhang");
    let begun = json!({ "title": { "zh": "新事项", "en": "New item" } });
    let saved = engine.save(&by, "new", None, &begun).await.unwrap();
    for at in [
        "/organisation",
        "/form",
        "/outcome",
        "/statutory",
        "/process",
    ] {
        assert!(
            saved.problems.iter().any(|p| p.at == at),
            "{at} {:#?}",
            saved.problems
        );
    }
    assert!(!saved.problems.iter().any(|p| p.at.starts_with("/title")));
    let refused = engine.save(&by, "new", None, &json!([])).await.unwrap_err();
    assert_eq!(refused.code, "input.invalid");
    let refused = engine
        .save(&by, "New Item", None, &json!({}))
        .await
        .unwrap_err();
    assert_eq!(refused.problems[0].at, "/item");
    let huge = json!({ "summary": "长".repeat(400_000) });
    assert!(engine.save(&by, "new", None, &huge).await.is_err());
}

#[tokio::test]
async fn bundles() {
    let (_dir, engine) = alone().await;
    let parts = [
        ("newborn_insurance", INSURANCE),
        ("birth_certificate", CERTIFICATE),
    ];
    engine.publish_declared(&files(&parts)).await.unwrap();
    let by = designer("zhang");
    let birth = async |change: &dyn Fn(&mut Value), expect: &[&str]| {
        let mut content = value(BIRTH);
        change(&mut content);
        let saved = engine.save(&by, "birth", None, &content).await.unwrap();
        assert_eq!(places(&saved.problems), expect, "{:#?}", saved.problems);
    };
    birth(&|_| {}, &[]).await;
    birth(
        &|c| c["bundle"] = json!(["birth_certificate"]),
        &["/bundle"],
    )
    .await;
    birth(&|c| c["bundle"][1] = json!("birth"), &["/bundle/1"]).await;
    birth(
        &|c| c["bundle"][1] = json!("birth_certificate"),
        &["/bundle/1"],
    )
    .await;
    birth(
        &|c| c["serves"] = json!("legal"),
        &["/bundle/0", "/bundle/1"],
    )
    .await;
    birth(
        &|c| {
            let mut properties = map(c["form"]["properties"].take());
            properties.shift_remove("insured_from");
            c["form"]["properties"] = properties.into();
            c["form"]["required"] = json!(["child_name", "born_on", "sex"]);
        },
        &["/bundle/1"],
    )
    .await;
    birth(
        &|c| {
            c["form"]["properties"]["remark"] =
                json!({ "type": "integer", "title": "备注", "x-title-en": "Remark" })
        },
        &["/bundle/1"],
    )
    .await;
    birth(
        &|c| c["form"]["required"] = json!(["child_name", "born_on", "insured_from"]),
        &["/bundle/0"],
    )
    .await;
    // Once the bundle is in force, its parts stand by it.
    engine
        .save(&by, "birth", None, &value(BIRTH))
        .await
        .unwrap();
    let publish = kernel::items::ItemVerb::Publish {
        note: "首次发布".into(),
    };
    engine.rule(&by, "birth", publish).await.unwrap();
    let mut part = value(INSURANCE);
    part["form"]["properties"]["school"] =
        json!({ "type": "string", "title": "学校", "x-title-en": "School" });
    part["form"]["required"] = json!(["child_name", "insured_from", "school"]);
    let saved = engine
        .save(&by, "newborn_insurance", None, &part)
        .await
        .unwrap();
    assert_eq!(places(&saved.problems), ["/form"]);
    let cancel = kernel::items::ItemVerb::Cancel {
        note: "取消".into(),
        successors: vec![],
    };
    let refused = engine
        .rule(&by, "newborn_insurance", cancel)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "input.conflict");
}

#[test]
fn the_printed_schema_knows_what_the_check_knows() {
    let validator = jsonschema::validator_for(&items::schema()).unwrap();
    for text in [FOOD, CERTIFICATE, INSURANCE, BIRTH] {
        let value = value(text);
        if let Err(fault) = validator.validate(&value) {
            panic!("{fault}");
        }
    }
    let mut wrong = value(FOOD);
    wrong["colour"] = json!(1);
    assert!(!validator.is_valid(&wrong));
    let mut wrong = value(FOOD);
    wrong["materials"][1]["sources"][0]["register"] = json!("x");
    assert!(!validator.is_valid(&wrong));
}
