//! Letters: numbered without gaps, once for each key, over crashes too; what they say is in them.

use super::*;
use documents::template::Template;
use kernel::Span;
use kernel::documents::{Documents, LetterState};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;
use store::files::{self as rows, By};
use testkit::each_store;

/// The text of a PDF as a foreign reader sees it; `None` when there is no such reader here.
pub(crate) fn text_of(pdf: &[u8]) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letter.pdf");
    std::fs::write(&path, pdf).unwrap();
    let output = Command::new("pdftotext")
        .arg("-layout")
        .arg(&path)
        .arg("-")
        .output();
    match output {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(_) if std::env::var_os("CI").is_some() => panic!("poppler-utils is not installed"),
        Err(_) => {
            eprintln!("skipped: pdftotext (poppler-utils) is not installed");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_says_what_it_was_asked_to() {
    each_store(|store| async move {
        let house = house(&store).await;
        let letter = house
            .engine
            .letter(&clerk(), &acceptance("a"))
            .await
            .unwrap();
        assert_eq!(letter.number, "冀城审受字〔2026〕第000001号");
        assert_eq!(letter.state, LetterState::Issued);
        let file = house.engine.get(&clerk(), &letter.file).await.unwrap();
        if let Ok(folder) = std::env::var("LETTERS_OUT") {
            std::fs::write(format!("{folder}/letter.pdf"), &file.bytes).unwrap();
        }
        if let Some(text) = text_of(&file.bytes) {
            let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            for part in [
                "冀城市行政审批局",
                "行政许可申请受理通知书",
                "冀城审受字〔2026〕第000001号",
                "冀城示例餐饮有限公司：",
                "于2026年11月24日提出的“食品经营许可（新办）”申请",
                "2026年11月25日",
                &letter.check,
            ] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
    })
    .await;
}

/// What a camera reads off the first page of a PDF; `None` when there is no such reader here.
fn scanned(pdf: &[u8]) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letter.pdf");
    std::fs::write(&path, pdf).unwrap();
    let drawn = Command::new("pdftoppm")
        .args(["-gray", "-r", "300", "-f", "1", "-l", "1"])
        .arg(&path)
        .output();
    let drawn = match drawn {
        Ok(output) => output.stdout,
        Err(_) if std::env::var_os("CI").is_some() => panic!("poppler-utils is not installed"),
        Err(_) => {
            eprintln!("skipped: pdftoppm (poppler-utils) is not installed");
            return None;
        }
    };
    // PGM: "P5", width, height, 255, then a byte for each point.
    let mut parts = drawn.splitn(4, |byte| byte.is_ascii_whitespace());
    assert_eq!(parts.next(), Some(&b"P5"[..]));
    let mut number = || -> usize {
        let text = std::str::from_utf8(parts.next().unwrap()).unwrap();
        text.parse().unwrap()
    };
    let (width, height) = (number(), number());
    let points = &drawn[drawn.len() - width * height..];
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| points[y * width + x]);
    let codes = image.detect_grids();
    assert_eq!(codes.len(), 1, "one code on the page");
    Some(codes[0].decode().unwrap().1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_reads_where_a_letter_is_verified() {
    each_store(|store| async move {
        let house = house(&store).await;
        for n in 0..4 {
            let new = acceptance(&n.to_string());
            let letter = house.engine.letter(&clerk(), &new).await.unwrap();
            let file = house.engine.get(&clerk(), &letter.file).await.unwrap();
            let Some(text) = scanned(&file.bytes) else {
                return;
            };
            let address = url::Url::parse(&text).unwrap();
            let asked: BTreeMap<_, _> = address.query_pairs().into_owned().collect();
            assert_eq!(asked["number"], letter.number);
            assert_eq!(asked["check"], letter.check);
        }
    })
    .await;
}

/// Fields for every delivered template.
fn every_kind() -> Vec<(&'static str, Value)> {
    let who = json!({
        "applicant": "冀城示例餐饮有限公司", "item": "食品经营许可（新办）", "application": "SQ1",
    });
    let with = |more: Value| {
        let mut all = object(who.clone());
        all.extend(object(more));
        Value::Object(all)
    };
    let rows: Vec<Value> = (0..40)
        .map(|n| json!({"name": format!("材料{n}"), "problem": "缺少法定代表人签字，".repeat(1 + n % 7), "form": "电子", "copies": 1}))
        .collect();
    let take = |names: &[&str]| -> Vec<Value> {
        rows.iter()
            .map(|row| {
                names
                    .iter()
                    .map(|n| (n.to_string(), row[*n].clone()))
                    .collect()
            })
            .collect()
    };
    let reason = "你单位提交的经营场所证明与申请书所填地址不一致，\n且未在期限内说明。".repeat(20);
    let remedy = json!({
        "review_office": "冀城市人民政府", "court": "冀城市桥西区人民法院",
        "basis": "《食品经营许可和备案管理办法》第十七条", "reason": reason,
        "applied_on": "2026年11月24日",
    });
    let mut denied = object(remedy.clone());
    denied.remove("applied_on");
    denied.insert("accepted_on".into(), "2026年11月25日".into());
    vec![
        (
            "receipt",
            with(
                json!({"received_on": "2026年11月24日", "materials": take(&["name", "form", "copies"]), "answer_by": "2026年12月1日"}),
            ),
        ),
        ("acceptance", Value::Object(acceptance("x").fields)),
        ("refusal", with(remedy)),
        (
            "correction",
            with(json!({"applied_on": "2026年11月24日", "missing": take(&["name", "problem"])})),
        ),
        (
            "grant",
            with(
                json!({"accepted_on": "2026年11月25日", "basis": "《中华人民共和国食品安全法》第三十五条", "content": "热食类食品制售", "valid_from": "2026年11月25日", "valid_to": "2031年11月24日", "duties": ["亮证经营", "变更事项应当申请变更"]}),
            ),
        ),
        ("denial", with(Value::Object(denied))),
        (
            "extension",
            with(
                json!({"accepted_on": "2026年11月25日", "reason": "现场核查需要专家论证", "days": 10, "due_on": "2027年1月6日"}),
            ),
        ),
        (
            "hearing",
            with(
                json!({"party": "示例社区居民委员会", "accepted_on": "2026年11月25日", "reason": "该许可直接涉及你（单位）与申请人之间的重大利益关系。", "contact": "0311-00000000"}),
            ),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_template_makes_a_letter() {
    each_store(|store| async move {
        let house = house(&store).await;
        let delivered: BTreeSet<String> = house
            .engine
            .templates()
            .iter()
            .map(|t| t.kind.clone())
            .collect();
        let kinds = every_kind();
        assert_eq!(
            delivered,
            kinds.iter().map(|(kind, _)| kind.to_string()).collect()
        );
        for (kind, fields) in kinds {
            let new = NewLetter {
                kind: kind.into(),
                fields: object(fields),
                ..acceptance(kind)
            };
            let letter = house.engine.letter(&clerk(), &new).await.unwrap();
            let file = house.engine.get(&clerk(), &letter.file).await.unwrap();
            if let Ok(folder) = std::env::var("LETTERS_OUT") {
                std::fs::write(format!("{folder}/{kind}.pdf"), &file.bytes).unwrap();
            }
            let checked = house.engine.verify_pdf(file.bytes.clone()).await.unwrap();
            assert_eq!(checked.verdict.words().en, "signed and untouched", "{kind}");
            let Some(text) = text_of(&file.bytes) else {
                continue;
            };
            let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            assert!(
                !text.contains("{{") && !text.contains('|'),
                "{kind}: {text}"
            );
            if kind == "correction" {
                // Nothing of a long table is lost between pages.
                for n in 0..40 {
                    assert!(text.contains(&format!("材料{n}")), "{n}");
                }
                assert_eq!(
                    text.matches("缺少法定").count(),
                    (0..40).map(|n| 1 + n % 7).sum::<usize>()
                );
                assert!(file.info.pages.unwrap() > 1);
                assert!(
                    !text.contains("请于"),
                    "a paragraph whose field is absent is left out"
                );
            }
        }
        // One series for each kind: every number is the first.
        for letter in house.engine.letters("application/1").await.unwrap() {
            assert!(letter.number.ends_with("第000001号"), "{}", letter.number);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_letters_at_once_have_sixty_four_numbers_in_a_row() {
    each_store(|store| async move {
        let house = house(&store).await;
        let many: Vec<_> = (0..64)
            .map(|n| {
                let engine = house.engine.clone();
                // Some keys are asked twice at once: one letter each.
                let key = format!("key-{}", n.min(60));
                tokio::spawn(async move { engine.letter(&clerk(), &acceptance(&key)).await })
            })
            .collect();
        let mut letters = vec![];
        for each in many {
            letters.push(each.await.unwrap().unwrap());
        }
        assert_eq!(letters[60], letters[63]);
        for n in 64..67 {
            let letter = house
                .engine
                .letter(&clerk(), &acceptance(&format!("k{n}")))
                .await;
            letters.push(letter.unwrap());
        }
        let numbers: BTreeSet<String> = letters.iter().map(|l| l.number.clone()).collect();
        let expect: BTreeSet<String> = (1..=64)
            .map(|n| format!("冀城审受字〔2026〕第{n:06}号"))
            .collect();
        assert_eq!(numbers, expect);
        assert_eq!(
            house.engine.letters("application/1").await.unwrap().len(),
            64
        );
        // Another office counts for itself, and so does another year.
        let mut other = acceptance("other");
        other.office.code = "market".into();
        other.office.short = "冀市监".into();
        let letter = house.engine.letter(&clerk(), &other).await.unwrap();
        assert_eq!(letter.number, "冀市监受字〔2026〕第000001号");
        house.clock.set(at("2027-01-01T00:00:01+08:00"));
        let letter = house
            .engine
            .letter(&clerk(), &acceptance("next"))
            .await
            .unwrap();
        assert_eq!(letter.number, "冀城审受字〔2027〕第000001号");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_may_have_a_text_of_its_own() {
    each_store(|store| async move {
        let house = house(&store).await;
        house
            .engine
            .letter(&clerk(), &acceptance("a"))
            .await
            .unwrap();
        let text = "title: 摊位受理单\nnumber: {short}受字〔{year}〕第{n:6}号\n\
                    text applicant: 申请人, required, 100\n---\n> {{applicant}}：\n已受理。";
        let own = NewLetter {
            template: Some(text.into()),
            fields: object(json!({"applicant": "示例摊主"})),
            ..acceptance("b")
        };
        let letter = house.engine.letter(&clerk(), &own).await.unwrap();
        assert_eq!(letter.title, "摊位受理单");
        assert_eq!(
            letter.number, "冀城审受字〔2026〕第000002号",
            "of the same series"
        );
        let file = house.engine.get(&clerk(), &letter.file).await.unwrap();
        if let Some(text) = text_of(&file.bytes) {
            assert!(text.contains("摊位受理单") && text.contains("示例摊主："));
        }
        let wrong = NewLetter {
            template: Some("title: x".into()),
            ..acceptance("c")
        };
        let said = super::said(house.engine.letter(&clerk(), &wrong).await);
        assert!(said.contains("letters/acceptance.txt:1"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_one_letter() {
    each_store(|store| async move {
        let house = house(&store).await;
        let letter = house
            .engine
            .letter(&clerk(), &acceptance("a"))
            .await
            .unwrap();
        assert_eq!(
            house
                .engine
                .letter(&clerk(), &acceptance("a"))
                .await
                .unwrap(),
            letter
        );
        let mut other = acceptance("a");
        other.fields.insert("item".into(), "别的事项".into());
        let fault = house.engine.letter(&clerk(), &other).await.err().unwrap();
        assert_eq!(fault.code, "input.conflict");
        assert!(fault.words.zh.contains(&letter.number));
        // Two offices with one short word would have one number: refused, and nothing is taken.
        let mut twin = acceptance("b");
        twin.office.code = "twin".into();
        let fault = house.engine.letter(&clerk(), &twin).await.err().unwrap();
        assert_eq!(fault.code, "input.conflict");
        let next = house
            .engine
            .letter(&clerk(), &acceptance("c"))
            .await
            .unwrap();
        assert_eq!(next.number, "冀城审受字〔2026〕第000002号");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_broke_off_keeps_its_number() {
    each_store(|store| async move {
        let keys: Arc<dyn Crypto> = Arc::new(testkit::FakeCrypto::default());
        let house = house_with(&store, clock(), keys.clone(), None, settings()).await;
        // Left alone at other moments each time: before the number, between number and PDF, after.
        for n in 0..40_u64 {
            let engine = house.engine.clone();
            let key = format!("key-{n}");
            let task =
                tokio::spawn(async move { engine.letter(&clerk(), &acceptance(&key)).await });
            tokio::time::sleep(Duration::from_millis(n * 3 % 97)).await;
            task.abort();
            let _ = task.await;
        }
        // What was begun to be committed is finished.
        tokio::time::sleep(Duration::from_millis(500)).await;
        // A new process, with another template in force, asked again: the same number, and what
        // was begun is finished with the template it was begun with.
        let changed = "title: 新通知书\nnumber: {short}新{year}-{n}\n\
                       text applicant: 申请人, required, 100\n---\n{{applicant}}";
        let changed = Settings {
            templates: [("acceptance".to_owned(), changed.to_owned())].into(),
            ..settings()
        };
        let again = house_with(&store, house.clock.clone(), keys, None, changed).await;
        let (mut seen, mut broken) = (BTreeSet::new(), 0);
        for n in 0..40 {
            let key = format!("key-{n}");
            let mut reader = store.reader().await.unwrap();
            let known = rows::letter(&mut reader, By::Once, &key).await.unwrap();
            drop(reader);
            let Some(known) = known else { continue };
            seen.insert(known.n);
            if known.file.is_some() {
                continue;
            }
            broken += 1;
            if broken % 2 == 0 {
                let letter = house
                    .engine
                    .letter(&clerk(), &acceptance(&key))
                    .await
                    .unwrap();
                assert_eq!(letter.number, known.number);
            }
        }
        assert!(broken > 1, "some broke off between");
        again.clock.advance(Span::minutes(3));
        let (_, written) = again.engine.tidy().await.unwrap();
        assert_eq!(written, broken - broken / 2);
        let count = seen.len() as i64;
        assert_eq!(seen, (1..=count).collect(), "no gaps");
        let letters = again.engine.letters("application/1").await.unwrap();
        assert_eq!(letters.len() as i64, count);
        for letter in letters {
            assert_eq!(letter.title, "行政许可申请受理通知书");
            let file = again.engine.get(&clerk(), &letter.file).await.unwrap();
            if let Some(text) = text_of(&file.bytes) {
                assert!(text.contains("行政许可申请受理通知书"));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_fields_are_all_named_and_take_no_number() {
    each_store(|store| async move {
        let house = house(&store).await;
        let mut new = acceptance("a");
        new.fields.remove("applicant");
        new.fields.insert("item".into(), "长".repeat(201).into());
        new.fields.insert("limit".into(), json!({"days": 20}));
        new.fields.insert("nonsense".into(), "x".into());
        new.fields.insert("excluded".into(), "a\u{7}b".into());
        new.fields.insert("contact".into(), "\u{10FFFD}".into());
        new.about = "../x".into();
        new.office.name = "短".into();
        let fault = house.engine.letter(&clerk(), &new).await.err().unwrap();
        let wrong: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
        for at in ["fields/applicant", "fields/item", "fields/limit", "fields/nonsense", "fields/excluded", "about", "office/name", "fields"] {
            assert!(wrong.contains(&at), "{at} in {wrong:?}");
        }
        let mut table = acceptance("b");
        table.kind = "correction".into();
        table.fields = object(json!({"applicant": "某", "item": "某事", "application": "1", "applied_on": "今", "missing": [{"name": "甲"}, {"nam": "乙"}, "丙"]}));
        let said = said(house.engine.letter(&clerk(), &table).await);
        assert!(said.contains("fields/missing/1") && said.contains("fields/missing/2"), "{said}");
        // Too long a letter takes no number either.
        let rows = vec![json!({"name": "甲".repeat(500), "problem": "乙".repeat(500)}); 100];
        table.fields.insert("missing".into(), Value::Array(rows));
        let long = super::said(house.engine.letter(&clerk(), &table).await);
        assert!(long.contains("60 pages"), "{long}");
        table.kind = "nothing".into();
        assert!(house.engine.letter(&clerk(), &table).await.err().unwrap().words.en.contains("fault"));
        let letter = house.engine.letter(&clerk(), &acceptance("a")).await.unwrap();
        assert!(letter.number.contains("000001"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_who_holds_number_and_check_may_know_that_it_is_real() {
    each_store(|store| async move {
        let house = house(&store).await;
        let letter = house
            .engine
            .letter(&clerk(), &acceptance("a"))
            .await
            .unwrap();
        let file = house.engine.info(&letter.file).await.unwrap();
        let typed = letter.check.to_lowercase().replace('-', " ");
        for number in [
            letter.number.clone(),
            " 冀城审受字[2026]第000001号".into(),
            "冀城审受字【2026】第000001号".into(),
        ] {
            let found = house.engine.find_letter(&number, &typed).await.unwrap();
            assert_eq!(found.number, letter.number);
            assert_eq!(found.office, "冀城市行政审批局");
            assert_eq!(found.sha256, file.sha256);
            assert_eq!(found.state, LetterState::Issued);
        }
        for (number, check) in [
            (letter.number.as_str(), "00000-00000"),
            (letter.number.as_str(), ""),
            ("冀城审受字〔2026〕第000002号", letter.check.as_str()),
            ("", ""),
            ("\0", "\0"),
        ] {
            let fault = house.engine.find_letter(number, check).await.err().unwrap();
            assert_eq!(fault.code, "input.not_found");
        }
        assert!(
            house
                .engine
                .withdraw_letter(&clerk(), &letter.id, "")
                .await
                .is_err()
        );
        let gone = house
            .engine
            .withdraw_letter(&clerk(), &letter.id, "申请人姓名有误")
            .await;
        assert_eq!(gone.unwrap().state, LetterState::Withdrawn);
        let again = house
            .engine
            .withdraw_letter(&clerk(), &letter.id, "申请人姓名有误")
            .await;
        assert_eq!(again.err().unwrap().code, "input.conflict");
        let found = house
            .engine
            .find_letter(&letter.number, &letter.check)
            .await
            .unwrap();
        assert_eq!(found.state, LetterState::Withdrawn);
        let checked = house.engine.get(&clerk(), &letter.file).await.unwrap();
        let checked = house.engine.verify_pdf(checked.bytes).await.unwrap();
        assert_eq!(checked.letter.unwrap().state, LetterState::Withdrawn);
        let entries = audit(&store, "letters").await;
        let whats: Vec<_> = entries
            .iter()
            .map(|e| e.entry.details["what"].clone())
            .collect();
        assert_eq!(whats, ["withdraw", "issue", "number"]);
        assert!(house.engine.remove(&clerk(), &letter.file).await.is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_font_letters_are_refused_and_files_are_not() {
    each_store(|store| async move {
        let keys: Arc<dyn Crypto> = Arc::new(testkit::FakeCrypto::default());
        let dir = tempfile::tempdir().unwrap();
        let bare = Settings {
            font_folders: vec![dir.path().into()],
            ..settings()
        };
        let house = house_with(&store, clock(), keys.clone(), None, bare).await;
        let fault = house
            .engine
            .letter(&clerk(), &acceptance("a"))
            .await
            .err()
            .unwrap();
        assert_eq!(fault.code, "documents.no_font");
        assert!(
            fault.words.zh.contains("fonts-noto-cjk") && fault.words.en.contains("fonts-noto-cjk")
        );
        assert_eq!(house.engine.trouble(), Some(fault));
        let new = file("draft/1", "deed", "a.pdf", pdf(1, ""));
        house.engine.put(&clerk(), new).await.unwrap();
        // No number was taken meanwhile.
        let again = house_with(&store, clock(), keys, None, settings()).await;
        let letter = again
            .engine
            .letter(&clerk(), &acceptance("a"))
            .await
            .unwrap();
        assert!(letter.number.contains("000001"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_input_gives_the_same_bytes() {
    each_store(|store| async move {
        let house = house(&store).await;
        let text = include_str!("../../templates/acceptance.txt");
        let mut all = vec![];
        for _ in 0..4 {
            let fields = acceptance("a").fields;
            let bytes = house
                .engine
                .preview("acceptance", text, &office(), fields)
                .await;
            all.push(bytes.unwrap());
        }
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    })
    .await;
}

#[test]
fn templates_name_every_fault_with_its_line() {
    let check = |text: &str| match Template::parse("test", text) {
        Ok(_) => String::from("fine"),
        Err(problems) => {
            let each = problems.iter().map(|p| format!("{} {}", p.at, p.words.en));
            each.collect::<Vec<_>>().join("; ")
        }
    };
    let head = "title: 通知\nnumber: {short}字〔{year}〕第{n}号\n";
    let body = |fields: &str, body: &str| check(&format!("{head}{fields}---\n{body}"));
    assert_eq!(
        body("text a: 甲, required, 10\n", "{{a}} {{office}} {{date}}"),
        "fine"
    );
    assert_eq!(
        body(
            "table t: 表, optional, 10\n",
            "| 甲*2 | 乙 |\n| {{#}} | {{t.x}} |"
        ),
        "fine"
    );
    for (fields, text, wrong) in [
        ("", "{{b}}", "no such field: b"),
        ("text a: 甲, required, 10\n", "", "a is not used"),
        (
            "text a: 甲, maybe, 10\n",
            "{{a}}",
            "test.txt:3 a field is written",
        ),
        (
            "text a: 甲, required, 10\ntext a: 乙, required, 1\n",
            "{{a}}",
            "twice",
        ),
        (
            "text office: 甲, required, 10\n",
            "{{office}}",
            "a field is written",
        ),
        ("list a: 甲, required, 10\n", "{{a}}", "no such field: a"),
        (
            "text a: 甲, required, 10\n",
            "{{a",
            "test.txt:5 }} is missing",
        ),
        (
            "table t: 表, optional, 10\n",
            "| 甲 | 乙 |\n| {{t.x}} |",
            "a table has two lines",
        ),
        (
            "table t: 表, optional, 10\n",
            "{{t.x}}",
            "belong into a table",
        ),
        ("colour: red\n", "x", "not understood: colour"),
    ] {
        let said = body(fields, text);
        assert!(said.contains(wrong), "{fields}{text}: {said}");
    }
    assert!(check("title: 通知\nnumber: 第{n}号\n---\n").contains("two letters have one"));
    assert!(check("title: 通知\n").contains("--- is missing"));
}
