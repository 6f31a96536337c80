//! Items of files: read with lines, published once, left alone when a designer took over.

use crate::*;
use kernel::items::{ItemVerb, Items};

#[tokio::test]
async fn files_are_published_when_they_are_new_or_changed() {
    testkit::each_store(|store| async move {
        let engine = engine(&store).await;
        // In any order: the bundle stands before its parts.
        let all = [
            ("birth", BIRTH),
            ("birth_certificate", CERTIFICATE),
            ("newborn_insurance", INSURANCE),
            ("food_permit", FOOD),
        ];
        let published = engine.publish_declared(&files(&all)).await.unwrap();
        assert_eq!(published.len(), 4);
        let item = engine.item("food_permit", None).await.unwrap();
        assert_eq!(
            (item.version, item.published_by.as_deref()),
            (1, Some("system"))
        );
        assert_eq!(item.content.task_code, "11130199MB0000001R0100000000001");
        let again = crate::engine(&store).await;
        assert_eq!(
            again.publish_declared(&files(&all)).await.unwrap(),
            Vec::<String>::new()
        );
        let changed = CERTIFICATE.replace("出生医学证明签发", "出生证签发");
        let changed = [("birth_certificate", changed.as_str())];
        assert_eq!(
            again.publish_declared(&files(&changed)).await.unwrap(),
            ["birth_certificate"]
        );
        assert_eq!(
            again.item("birth_certificate", None).await.unwrap().version,
            2
        );
        // A designer publishes: the file does not come back.
        let by = designer("zhang");
        let mut content = value(CERTIFICATE);
        content["summary"] = json!({ "zh": "新", "en": "New" });
        again
            .save(&by, "birth_certificate", None, &content)
            .await
            .unwrap();
        let publish = ItemVerb::Publish {
            note: "修改".into(),
        };
        again.rule(&by, "birth_certificate", publish).await.unwrap();
        assert_eq!(
            again.publish_declared(&files(&changed)).await.unwrap(),
            Vec::<String>::new()
        );
        assert_eq!(
            again.item("birth_certificate", None).await.unwrap().version,
            3
        );
    })
    .await;
}

#[tokio::test]
async fn faults_of_files_have_file_and_line() {
    let (_dir, engine) = alone().await;
    let line_of = |text: &str, part: &str| text.lines().position(|l| l.contains(part)).unwrap() + 1;
    let wrong = FOOD
        .replace("organisation: data_bureau", "organisation: nobody")
        .replace("format: mobile", "format: fax")
        .replace("proofing: 2", "proofing: 7\ncolour: red");
    let refused = engine
        .publish_declared(&files(&[
            ("food_permit", &wrong),
            ("birth", BIRTH),
            ("Bad-Name", BIRTH),
        ]))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "declaration.invalid");
    in_both_languages(&refused.problems);
    let at = |file: &str, text: &str, part: &str| {
        format!("systems/services/items/{file}.yaml:{}", line_of(text, part))
    };
    for expect in [
        at("food_permit", &wrong, "proofing: 7"),
        at("food_permit", &wrong, "colour: red"),
        at("food_permit", &wrong, "format: fax"),
        at("birth", BIRTH, "bundle:"),
        "systems/services/items/Bad-Name.yaml:1".into(),
    ] {
        assert!(
            refused.problems.iter().any(|p| p.at == expect),
            "{expect} {:#?}",
            refused.problems
        );
    }
    assert_eq!(
        engine.item("food_permit", None).await.unwrap_err().code,
        "input.not_found"
    );
    // What only the city knows comes once the file is sound in itself.
    let wrong = FOOD.replace("organisation: data_bureau", "organisation: nobody");
    let refused = engine
        .publish_declared(&files(&[("food_permit", &wrong)]))
        .await
        .unwrap_err();
    assert_eq!(
        places(&refused.problems),
        [at("food_permit", &wrong, "organisation: nobody")]
    );

    let text = "title: {zh: 一\n";
    assert_eq!(items::read_declared(text).unwrap_err().len(), 1);
    assert_eq!(items::read_declared("").unwrap_err().len(), 1);
    let twice = files(&[
        ("birth_certificate", CERTIFICATE),
        ("birth_certificate", CERTIFICATE),
    ]);
    assert_eq!(
        engine
            .publish_declared(&twice)
            .await
            .unwrap_err()
            .problems
            .len(),
        1
    );
}

#[tokio::test]
async fn the_example_of_the_page_is_sound() {
    let (_dir, engine) = alone().await;
    let page = include_str!("../../../../docs/items.md");
    let begin = page.find("```yaml\n").unwrap() + 8;
    let end = begin + page[begin..].find("```").unwrap();
    let example = content(&page[begin..end]);
    assert_eq!(engine.check(&example).await, vec![]);
}

#[test]
fn systems_and_the_city_declare_items() {
    let files = ["systems/s/items/one.yaml", "cities/c/items/two.yaml"]
        .map(|file| (file.to_string(), CERTIFICATE.to_string()));
    let (declared, problems) = kernel::declare::check::load_all(&files.into_iter().collect());
    let found: Vec<&str> = declared.items().map(|file| file.file.as_str()).collect();
    assert_eq!(
        found,
        ["systems/s/items/one.yaml", "cities/c/items/two.yaml"]
    );
    assert!(
        !problems.iter().any(|p| p.at.contains("/items/")),
        "{problems:?}"
    );
}
