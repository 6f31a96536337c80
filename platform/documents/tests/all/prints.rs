//! Prints of licences: what they say, for whom a copy is, and that they are signed.

use super::letters::text_of;
use super::*;
use kernel::documents::{Documents, LicencePrint, PdfVerdict, Watermark};
use testkit::each_store;

fn print() -> LicencePrint {
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
        let lacking = LicencePrint {
            title: "证\u{10FFFD}照".into(),
            ..print()
        };
        assert!(super::said(house.engine.licence_pdf(&lacking).await).contains("lacks"));
    })
    .await;
}
