//! Letters: numbered without gaps, once for each key, over crashes too; what they say is in them.

use super::*;
use kernel::documents::{Documents, LetterState};
use std::process::Command;
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
