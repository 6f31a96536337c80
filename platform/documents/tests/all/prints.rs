//! Prints of licences: what they say, for whom a copy is, and that they are signed.

use super::letters::text_of;
use super::*;
use kernel::documents::Office;
use kernel::documents::{Documents, LicencePrint, PdfVerdict, Watermark};
use testkit::each_store;

pub(crate) fn print() -> LicencePrint {
    LicencePrint {
        title: "食品经营许可证".into(),
        number: "JY21301990000001".into(),
        identifier: "1.2.156.3005.2.11130199000000019E001.11130199000000019E.000001.001.X".into(),
        office: office(),
        lines: vec![
            ("经营者名称".into(), "冀城示例餐饮有限公司".into()),
            ("统一社会信用代码".into(), "91130199MA0000000X".into()),
            ("经营场所".into(), "冀城市桥西区示例路1号".repeat(6)),
            ("有效期至".into(), "2031年11月24日".into()),
        ],
        issued_at: at("2026-11-25T10:00:00+08:00"),
        elements: vec![("证照标识".into(), "1.2.156.<1>&\"".into())],
        qr: "https://city.example/verify?code=abc".into(),
        watermark: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_print_says_what_the_licence_says() {
    each_store(|store| async move {
        let house = house(&store).await;
        let bytes = house.engine.licence_pdf(&print()).await.unwrap();
        let checked = house.engine.verify_pdf(bytes.clone()).await.unwrap();
        assert_eq!(checked.verdict, PdfVerdict::Valid);
        assert_eq!(checked.letter, None);
        // Which licence it is a print of stands in what is signed.
        assert_eq!(checked.print.as_deref(), Some(print().identifier.as_str()));
        let named = b"/XXLicence<";
        let at = bytes.windows(named.len()).rposition(|part| part == named);
        let mut altered = bytes.clone();
        altered[at.unwrap() + named.len()] ^= 1;
        let found = house.engine.verify_pdf(altered).await.unwrap();
        assert_eq!(found.verdict, PdfVerdict::Altered);
        assert_eq!(found.print, None);
        if let Some(text) = text_of(&bytes) {
            let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            for part in [
                "食品经营许可证",
                "JY21301990000001",
                "1.2.156.3005.2",
                "冀城示例餐饮有限公司",
            ] {
                assert!(text.contains(part), "{part} in {text}");
            }
            assert!(!text.contains("加注件"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_passed_on_says_for_whom_and_for_what() {
    each_store(|store| async move {
        let house = house(&store).await;
        let copy = LicencePrint {
            watermark: Some(Watermark {
                requester: "示例银行冀城分行".into(),
                purpose: "开立对公账户".into(),
                at: at("2026-11-25T11:30:00+08:00"),
            }),
            ..print()
        };
        let bytes = house.engine.licence_pdf(&copy).await.unwrap();
        if let Ok(folder) = std::env::var("LETTERS_OUT") {
            std::fs::write(format!("{folder}/licence.pdf"), &bytes).unwrap();
        }
        if let Some(text) = text_of(&bytes) {
            assert!(
                text.contains(
                    "仅供示例银行冀城分行用于开立对公账户，他用无效（2026-11-25 11:30:00）"
                ),
                "{text}"
            );
        }
    })
    .await;
}

/// A long one goes on on a second sheet, and each says which of how many it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_print_goes_on_on_the_next_sheet() {
    each_store(|store| async move {
        let house = house(&store).await;
        let mut lines = vec![("许可范围".to_string(), "热食类食品制售。".repeat(110))];
        lines.extend((1..30).map(|n| (format!("第 {n} 项"), format!("内容 {n}"))));
        let long = LicencePrint { lines, ..print() };
        let bytes = house.engine.licence_pdf(&long).await.unwrap();
        if let Ok(folder) = std::env::var("LETTERS_OUT") {
            std::fs::write(format!("{folder}/licence-long.pdf"), &bytes).unwrap();
        }
        if let Some(text) = text_of(&bytes) {
            let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            assert!(
                text.contains("第1页，共4页") && text.contains("第4页，共4页"),
                "{text}"
            );
            assert_eq!(text.matches('热').count(), 110);
            assert!(text.contains("第29项内容29"), "{text}");
        }
    })
    .await;
}

/// What the check page takes from anybody, 1 MiB, holds a print of very many different characters.
#[tokio::test(flavor = "multi_thread")]
async fn a_print_of_many_different_characters_is_small_enough_to_be_checked() {
    each_store(|store| async move {
        let house = house(&store).await;
        let many: String = ('\u{4e00}'..).take(600).collect();
        let lines = vec![("经营范围".to_string(), many)];
        let long = LicencePrint { lines, ..print() };
        let bytes = house.engine.licence_pdf(&long).await.unwrap();
        assert!(bytes.len() < 1 << 20, "{} bytes", bytes.len());
        let checked = house.engine.verify_pdf(bytes).await.unwrap();
        assert_eq!(checked.verdict, PdfVerdict::Valid);
    })
    .await;
}

/// The texts of an OFD, page by page, read by foreign libraries (ZIP by Python, XML by roxmltree).
fn ofd_text(bytes: &[u8]) -> String {
    assert_eq!(
        documents::inspect::kind_of(bytes),
        Some(kernel::documents::FileKind::Ofd)
    );
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.ofd");
    std::fs::write(&path, bytes).unwrap();
    let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2]); print('\\n'.join(z.namelist()))";
    let output = std::process::Command::new("python3")
        .args(["-c", script])
        .args([&path, &dir.path().join("out")])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let names = String::from_utf8(output.stdout).unwrap();
    let mut text = String::new();
    let mut ids = std::collections::BTreeSet::new();
    for name in names.lines() {
        let content = std::fs::read_to_string(dir.path().join("out").join(name)).unwrap();
        let xml = roxmltree::Document::parse(&content).unwrap();
        let root = xml.root_element();
        assert_eq!(
            root.tag_name().namespace(),
            Some("http://www.ofdspec.org/2016")
        );
        for node in root.descendants() {
            let is_reference = name.ends_with("Document.xml") && node.has_tag_name("Page");
            if let (Some(id), false) = (node.attribute("ID"), is_reference) {
                assert!(ids.insert(id.to_owned()), "{id} is there twice");
            }
            if node.tag_name().name() == "TextCode" {
                let said = node.text().unwrap_or_default();
                let steps = node.attribute("DeltaX").unwrap_or_default();
                assert_eq!(steps.split_whitespace().count() + 1, said.chars().count());
                text.push_str(said);
            }
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_and_licences_are_written_as_ofd_too() {
    each_store(|store| async move {
        let house = house(&store).await;
        let mut new = acceptance("a");
        new.fields
            .insert("excluded".into(), "现场核查 <&\"> 听证".into());
        let letter = house.engine.letter(&clerk(), &new).await.unwrap();
        let ofd = house.engine.letter_ofd(&clerk(), &letter.id).await.unwrap();
        assert_eq!(
            house.engine.letter_ofd(&clerk(), &letter.id).await.unwrap(),
            ofd
        );
        if let Ok(folder) = std::env::var("LETTERS_OUT") {
            std::fs::write(format!("{folder}/letter.ofd"), &ofd).unwrap();
        }
        let text: String = ofd_text(&ofd).chars().filter(|c| *c != ' ').collect();
        for part in [
            "冀城市行政审批局",
            "冀城审受字〔2026〕第000001号",
            "现场核查<&\">听证",
            &letter.check,
            "电子印章",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let reads = audit(&store, "letters").await;
        assert!(reads.iter().any(|e| e.entry.verb == "read"));
        assert!(house.engine.letter_ofd(&clerk(), "nothing").await.is_err());
        // What we write is what we take.
        let file = file("draft/1", "copy", "公文.ofd", ofd);
        house.engine.put(&clerk(), file).await.unwrap();
        let licence = house.engine.licence_ofd(&print()).await.unwrap();
        assert!(ofd_text(&licence).contains("冀城示例餐饮有限公司"));
        // What it says of itself, for programs (GB/T 33190, CustomDatas), last in its description.
        let said = "<ofd:CustomDatas><ofd:CustomData Name=\"证照标识\">1.2.156.&lt;1&gt;&amp;&quot;</ofd:CustomData></ofd:CustomDatas></ofd:DocInfo>";
        let raw = String::from_utf8_lossy(&licence);
        assert!(raw.contains(said), "{}", &raw[..1500.min(raw.len())]);
    })
    .await;
}

#[test]
fn a_licence_is_printed_as_its_type_says() {
    use kernel::licences::{Licence, types};
    let files = [
        (
            "cities/c/city.yaml",
            "code: '130199'\ntitle: {zh: 城, en: City}\ncentre: [114.5, 38.0]\n",
        ),
        (
            "cities/c/organisations.yaml",
            "organisations:\n  market: {title: {zh: 市场监督管理局, en: Market bureau}, credit_code: 11130199000000019E}\n",
        ),
        (
            "cities/c/licences/food.yaml",
            "code: 11130199000000019E001\ntitle: {zh: 食品经营许可证, en: Food}\nissuer: market\nholder: legal\nvalidity: {years: 5}\nbasis: 法\nfields:\n  category: {title: {zh: 主体业态, en: Category}, type: choice, choices: {restaurant: [餐饮服务, Restaurant]}}\n  seats: {title: {zh: 座位, en: Seats}, type: integer}\n  opened: {title: {zh: 开业, en: Opened}, type: date}\n  note: {title: {zh: 备注, en: Note}}\nminimum: [holder_name]\npublic: [holder_name]\n",
        ),
    ];
    let files = files.map(|(k, v)| (k.to_string(), v.to_string())).into();
    let declared = kernel::declare::check::load(&files).unwrap();
    let kind = types(&declared).remove("food").unwrap();
    let licence: Licence = serde_json::from_value(json!({
        "identifier": "1.2.156", "kind": "food", "title": {"zh": "食品经营许可证", "en": "Food"},
        "number": "JY1", "holder": {"document": "credit_code", "number": "91130199MA0000000X", "name": "某公司"},
        "fields": {"category": "restaurant", "seats": 12, "opened": "2026-03-05", "note": null},
        "issuer": {"zh": "市场监督管理局", "en": "Market"}, "issuer_code": "11130199000000019E",
        "issued_at": at("2026-11-25T10:00:00+08:00"), "valid_from": at("2026-11-25"),
        "valid_to": at("2031-11-25"), "grade": "A", "state": "in_force", "state_code": "01",
        "reason": null, "replaces": null, "replaced_by": null, "version": 1,
    }))
    .unwrap();
    let lines = |office: Office, chosen: &[&str]| -> Vec<String> {
        let chosen: Vec<String> = chosen.iter().map(ToString::to_string).collect();
        let print = LicencePrint::of(&licence, &kind, &chosen, office, "https://x".into(), None);
        let lines = print.lines.iter();
        lines.map(|(a, b)| format!("{a}={b}")).collect()
    };
    let issuer = Office {
        name: "市场监督管理局".into(),
        ..office()
    };
    assert_eq!(
        lines(issuer.clone(), &[]),
        [
            "持证主体=某公司",
            "持证主体代码=91130199MA0000000X",
            "主体业态=餐饮服务",
            "座位=12",
            "开业=2026年3月5日",
            "有效期=2026年11月25日至2031年11月24日",
        ]
    );
    // An extract says that it is one; whoever issued it under another name is named.
    assert_eq!(
        lines(office(), &["seats"]),
        [
            "持证主体=某公司",
            "座位=12",
            "有效期=2026年11月25日至2031年11月24日",
            "颁发机构=市场监督管理局",
            "说明=本件为摘录，只载所选内容，不代替全文",
        ]
    );
    // Everything there is was chosen: nothing is left out.
    let all = ["holder_number", "category", "seats", "opened"];
    assert_eq!(lines(issuer.clone(), &all), lines(issuer, &[]));
    // What the file says of itself is as much as is printed.
    let elements = |chosen: &[&str]| -> Vec<String> {
        let chosen: Vec<String> = chosen.iter().map(ToString::to_string).collect();
        let print = LicencePrint::of(&licence, &kind, &chosen, office(), "https://x".into(), None);
        let all = print.elements.iter();
        all.map(|(a, b)| format!("{a}={b}")).collect()
    };
    let whole = elements(&[]);
    assert_eq!(
        whole,
        [
            "证照标识=1.2.156",
            "证照类型名称=食品经营许可证",
            "证照类型代码=11130199000000019E001",
            "证照编号=JY1",
            "证照颁发机构=市场监督管理局",
            "证照颁发机构代码=11130199000000019E",
            "证照颁发日期=2026-11-25",
            "证照有效期起始日期=2026-11-25",
            "证照有效期截止日期=2031-11-24",
            "持证主体=某公司",
            "持证主体代码=91130199MA0000000X",
        ]
    );
    assert_eq!(elements(&["seats"]), whole[..10]);
}

/// Each of the fonts that the fault for none names, alone.
#[tokio::test(flavor = "multi_thread")]
async fn every_font_that_is_named_will_do() {
    each_store(|store| async move {
        let mut tried = 0;
        for folder in ["opentype/noto", "truetype/wqy"] {
            let folder = std::path::Path::new("/usr/share/fonts").join(folder);
            if !folder.is_dir() {
                eprintln!("skipped: {} is not there", folder.display());
                continue;
            }
            let keys: Arc<dyn Crypto> = Arc::new(testkit::FakeCrypto::default());
            let one = Settings {
                font_folders: vec![folder.clone()],
                ..settings()
            };
            let house = house_with(&store, clock(), keys, None, one).await;
            let bytes = house.engine.licence_pdf(&print()).await.unwrap();
            assert!(
                bytes.len() < 400_000,
                "{} embeds too much",
                folder.display()
            );
            tried += 1;
            if let Ok(out) = std::env::var("LETTERS_OUT") {
                let name = folder.file_name().unwrap().to_string_lossy().into_owned();
                std::fs::write(format!("{out}/font-{name}.pdf"), &bytes).unwrap();
            }
            if let Some(text) = text_of(&bytes) {
                let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                assert!(text.contains("冀城示例餐饮有限公司") && text.contains("JY21301990000001"));
            }
        }
        assert!(tried > 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_print_that_cannot_be_is_refused_with_every_fault() {
    each_store(|store| async move {
        let house = house(&store).await;
        let wrong = LicencePrint {
            title: "x".into(),
            qr: "q".repeat(601),
            lines: vec![("a".into(), "b".repeat(1001)); 61],
            ..print()
        };
        let said = said(house.engine.licence_pdf(&wrong).await);
        for at in ["title:", "qr:", "lines/0/1:", "lines:"] {
            assert!(said.contains(at), "{at} in {said}");
        }
        // What is said now can be said otherwise, and where it stands is named.
        let lacking = LicencePrint {
            watermark: Some(Watermark {
                requester: "李明".into(),
                purpose: "开\u{10FFFD}户".into(),
                at: at("2026-11-25T11:30:00+08:00"),
            }),
            ..print()
        };
        let refused = house.engine.licence_pdf(&lacking).await.err().unwrap();
        assert_eq!(refused.problems[0].at, "purpose");
        assert!(refused.problems[0].words.zh.contains('\u{10FFFD}'));
    })
    .await;
}

/// A name no font here can draw is issued and printed all the same: with a mark in its place, and
/// a line that says which characters those are.
#[tokio::test(flavor = "multi_thread")]
async fn characters_no_font_has_are_printed_as_marks() {
    each_store(|store| async move {
        let house = house(&store).await;
        let mut rare = LicencePrint {
            title: "证\u{10FFFD}照".into(),
            watermark: Some(Watermark {
                requester: "李\u{10FFFE}".into(),
                purpose: "开户".into(),
                at: at("2026-11-25T11:30:00+08:00"),
            }),
            ..print()
        };
        rare.lines[0].1 = "李\u{10FFFC}明".into();
        let bytes = house.engine.licence_pdf(&rare).await.unwrap();
        if let Some(text) = text_of(&bytes) {
            let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            for part in [
                "证〓照",
                "李〓明",
                "仅供李〓用于开户",
                "U+10FFFC、U+10FFFD、U+10FFFE",
            ] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
        let ofd = house.engine.licence_ofd(&rare).await.unwrap();
        assert!(ofd_text(&ofd).contains("李〓明"));
        let warned = house.engine.undrawn("rows/0/holder/name", "李\u{10FFFC}明");
        assert_eq!(warned.unwrap().at, "rows/0/holder/name");
        assert!(house.engine.undrawn("x", "李明").is_none());
    })
    .await;
}
