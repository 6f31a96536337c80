//! Hostile files: every refusal names what is wrong, and no bytes at all make the engine stumble,
//! grow or hang.

use super::*;
use documents::inspect::{Limits, inspect, kind_of};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use kernel::documents::{Documents, FileKind, PdfVerdict};
use proptest::prelude::*;
use std::io::Write;
use std::time::{Duration, Instant};
use testkit::each_store;

fn check(name: &str, bytes: &[u8]) -> String {
    match inspect(name, bytes, &Limits::default()) {
        Ok(found) => format!("{} {:?}", found.kind.word(), found.pages),
        Err(problems) => {
            assert!(!problems.is_empty());
            let each = problems.iter().map(|p| {
                assert!(!p.words.zh.is_empty());
                format!("{}: {}", p.at, p.words.en)
            });
            each.collect::<Vec<_>>().join("; ")
        }
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(vec![], Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An object stream with one object inside.
fn object_stream(inside: &str) -> Vec<u8> {
    let content = packed(format!("90 0 {inside}").as_bytes());
    let mut bytes = format!(
        "80 0 obj\n<</Type/ObjStm/N 1/First 5/Filter/FlateDecode/Length {}>>\nstream\n",
        content.len()
    )
    .into_bytes();
    bytes.extend(content);
    bytes.extend(b"\nendstream\nendobj\n");
    bytes
}

fn with(more: &[u8]) -> Vec<u8> {
    let mut bytes = pdf(1, "");
    let at = bytes.windows(7).position(|w| w == b"trailer").unwrap();
    let end = bytes.split_off(at);
    bytes.extend(more);
    bytes.extend(end);
    bytes
}

fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0, 0, 0xFF, 0xC0, 0, 11, 8];
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend([1, 1, 0x11, 0, 0xFF, 0xDA, 0, 2, 1, 2, 3, 0xFF, 0xD9]);
    bytes
}

/// A ZIP without content: local headers and a directory.
fn zip(names: &[&str], flags: u16, size: u32) -> Vec<u8> {
    let mut bytes = vec![];
    let mut directory = vec![];
    for name in names {
        let offset = bytes.len() as u32;
        let tail = |out: &mut Vec<u8>| {
            out.extend(flags.to_le_bytes());
            out.extend([0; 10]);
            out.extend(0_u32.to_le_bytes());
            out.extend(size.to_le_bytes());
            out.extend((name.len() as u16).to_le_bytes());
            out.extend(0_u16.to_le_bytes());
        };
        bytes.extend(b"PK\x03\x04\x14\0");
        tail(&mut bytes);
        bytes.extend(name.as_bytes());
        directory.extend(b"PK\x01\x02\x14\0\x14\0");
        tail(&mut directory);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, long) = (bytes.len() as u32, directory.len() as u32);
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([(names.len() as u16).to_le_bytes(); 2].concat());
    bytes.extend(long.to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn kinds_are_found_by_content() {
    assert_eq!(check("a.pdf", &pdf(3, "")), "pdf Some(3)");
    assert_eq!(check("A.PDF", &pdf(1, "")), "pdf Some(1)");
    assert_eq!(check("a.png", &png(100, 50)), "png Some(1)");
    assert_eq!(check("a.jpeg", &jpeg(100, 50)), "jpeg Some(1)");
    let ofd = zip(&["OFD.xml", "Doc_0/Document.xml"], 0, 10);
    assert_eq!(check("a.ofd", &ofd), "ofd None");
    assert_eq!(check("", &pdf(1, "")), "pdf Some(1)");
    assert_eq!(kind_of(b"MZ\x90\0"), None);
    // A ZIP that is no OFD, a script and a program under any name.
    assert!(check("a.ofd", &zip(&["word/document.xml"], 0, 10)).contains("no kind"));
    assert!(check("a.pdf", b"#!/bin/sh\n").contains("no kind"));
    assert!(check("a.pdf", b"MZ\x90\0%PDF-1.4").contains("no kind"));
}

#[test]
fn every_fault_is_named() {
    assert!(check("a.pdf", b"").contains("empty"));
    let both = check("a.png", &pdf(300, ""));
    assert!(
        both.contains("does not fit") && both.contains("more than 200 pages"),
        "{both}"
    );
    assert!(check("a.png", &png(60_000, 60_000)).contains("pixels"));
    assert!(check("a.png", &png(0, 10)).contains("damaged"));
    assert!(check("a.jpg", &jpeg(65_000, 65_000)).contains("pixels"));
    assert!(check("a.jpg", &jpeg(10, 10)[..20]).contains("damaged"));
    let cut = &pdf(1, "")[..150];
    assert!(check("a.pdf", cut).contains("cut off"));
    assert!(check("a.ofd", &zip(&["OFD.xml"], 1, 10)).contains("encrypted"));
    assert!(check("a.ofd", &zip(&["OFD.xml", "../../etc/cron"], 0, 1)).contains("lead out"));
    assert!(check("a.ofd", &zip(&["OFD.xml", "a", "b"], 0, 200 << 20)).contains("too much"));
    // Marks that turn the direction of writing hide nothing.
    assert!(check("a\u{202E}fdp.exe", &pdf(1, "")).contains("does not fit"));
    let found = inspect(
        "..\\..\\secret/../合同.pdf",
        &pdf(1, ""),
        &Limits::default(),
    );
    assert_eq!(found.unwrap().name, "合同.pdf");
    let few = Limits {
        kinds: vec![FileKind::Png],
        ..Limits::default()
    };
    let refused = inspect("a.pdf", &pdf(1, ""), &few).unwrap_err();
    assert!(
        refused[0]
            .words
            .en
            .contains("PDF is not accepted here; accepted: PNG")
    );
}

#[test]
fn what_acts_or_hides_in_a_pdf_is_refused() {
    let hidden = |object: &str, word: &str| {
        let open = with(format!("50 0 obj\n{object}\nendobj\n").as_bytes());
        assert!(
            check("a.pdf", &open).contains(word),
            "{object}: {}",
            check("a.pdf", &open)
        );
        // The same inside an object stream, where a plain search finds nothing.
        let packed = with(&object_stream(object));
        assert!(check("a.pdf", &packed).contains(word), "packed {object}");
    };
    hidden("<</S/JavaScript/JS(app.alert\\(1\\))>>", "scripts");
    hidden("<</S /Java#53cript /#4aS 5 0 R>>", "scripts");
    hidden("<</Names[<</a<</JavaScript 3 0 R>>>>]>>", "scripts");
    hidden("<</AcroForm<</XFA[(template) 3 0 R]>>>>", "scripts");
    hidden("<</Type/Action/S/Launch/F(cmd.exe)>>", "start programs");
    hidden("<</S/SubmitForm/F(http://x)>>", "start programs");
    hidden("<</Names<</EmbeddedFiles 4 0 R>>>>", "other files");
    hidden("<</Type/Filespec/F(a.exe)/EF<</F 9 0 R>>>>", "other files");
    hidden("<</Subtype/RichMedia>>", "multimedia");
    // In an object that cannot be read here but perhaps elsewhere.
    let torn = with(b"50 0 obj\n<</S/JavaScript/JS(x) /A ]>>\nendobj\n");
    assert!(check("a.pdf", &torn).contains("scripts"));
    // What is written in a text or a stream of a page is nothing.
    let harmless = with(b"50 0 obj\n<</T(about /JavaScript and /Launch)/Length 4>>\nstream\n/JS \nendstream\nendobj\n");
    assert_eq!(check("a.pdf", &harmless), "pdf Some(1)");
    let encrypted = String::from_utf8(pdf(1, "")).unwrap();
    let encrypted = encrypted.replace("/Size 4", "/Size 4/Encrypt 9 0 R");
    assert!(check("a.pdf", encrypted.as_bytes()).contains("encrypted"));
    let odd = with(b"80 0 obj\n<</Type/ObjStm/N 1/First 5/Filter[/ASCII85Decode/FlateDecode]/Length 4>>\nstream\nabcd\nendstream\nendobj\n");
    assert!(check("a.pdf", &odd).contains("unusual way"));
}

/// Judges. What would take hours shows even in a debug build on a machine that is busy otherwise.
fn quick(bytes: &[u8]) -> String {
    let begun = Instant::now();
    let found = check("a.pdf", bytes);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(120), "{took:?}");
    found
}

#[test]
fn bombs_do_not_go_off() {
    assert!(quick(&pdf(10_000, "")).contains("more than 200 pages"));
    // A tree that doubles forty times, one that is its own child, one too deep.
    let mut tree = String::from("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 100 0 R>>endobj\n");
    for n in 100..140 {
        let next = n + 1;
        tree.push_str(&format!(
            "{n} 0 obj<</Kids[{next} 0 R {next} 0 R]>>endobj\n"
        ));
    }
    tree.push_str("140 0 obj<</Type/Page>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF");
    assert!(quick(tree.as_bytes()).contains("more than 200 pages"));
    let own = "%PDF-1.4\n1 0 obj<</Pages 2 0 R>>endobj 2 0 obj<</Kids[2 0 R]>>endobj trailer<</Root 1 0 R>>\n%%EOF";
    assert!(quick(own.as_bytes()).contains("more than 200 pages"));
    let none = "%PDF-1.4\ntrailer<</Root 1 0 R>>\n%%EOF";
    assert!(quick(none.as_bytes()).contains("cannot be found"));
    let round = "%PDF-1.4\n1 0 obj 1 0 R endobj trailer<</Root 1 0 R>>\n%%EOF";
    assert!(quick(round.as_bytes()).contains("cannot be found"));
    // More than is unpacked of zeros in an object stream.
    let mut encoder = ZlibEncoder::new(vec![], Compression::fast());
    let zeros = vec![b'0'; 1 << 20];
    (0..80).for_each(|_| encoder.write_all(&zeros).unwrap());
    let bomb = encoder.finish().unwrap();
    let mut stream = b"80 0 obj<</Type/ObjStm/N 9/First 5/Filter/FlateDecode>>stream\n".to_vec();
    stream.extend(&bomb);
    assert!(quick(&with(&stream)).contains("too much"));
    // What never ends, begun again and again; brackets without end; objects without number.
    for part in [
        "1 0 obj(",
        "1 0 obj[",
        "1 0 obj<<",
        "1 0 obj%",
        "1 0 obj<</A",
        "1 0 obj<00",
    ] {
        let many = part.repeat((1 << 20) / part.len());
        quick(&with(many.as_bytes()));
    }
    let many: String = (0..400_000).map(|n| format!("{n} 0 obj 1 ")).collect();
    assert!(quick(&with(many.as_bytes())).contains("too many objects"));
    let long = format!("1 0 obj[{}]", "1 0 R ".repeat(2_000_000));
    assert!(quick(&with(long.as_bytes())).contains("too many objects"));
    quick(&[&b"%PDF-"[..], &vec![b' '; 4 << 20], b"obj obj"].concat());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_behind_any_beginning(kind in 0..4_usize, bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let heads: [&[u8]; 4] = [b"%PDF-1.7\n", b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04"];
        let all = [heads[kind], &bytes].concat();
        let _ = inspect("a", &all, &Limits::default());
    }

    #[test]
    fn a_pdf_changed_anywhere(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..30), cut in any::<usize>()) {
        let mut bytes = with(&object_stream("<</A[1 2 (x) <ab> /N#41 true null 4 0 R -1.5]>>"));
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let _ = inspect("a.pdf", &bytes, &Limits::default());
        bytes.truncate(cut % bytes.len());
        let _ = inspect("a.pdf", &bytes, &Limits::default());
    }

    #[test]
    fn words_of_pdf_in_any_order(words in proptest::collection::vec(0..20_usize, 0..200)) {
        let all = ["1 0 obj", "endobj", "<<", ">>", "[", "]", "(", ")", "<", ">", "/Kids", "/Type/ObjStm", "stream\n", "endstream", "trailer", "/Root 1 0 R", "/N 3/First 4", "1 0 R", "%", "\n"];
        let text: Vec<&str> = words.iter().map(|n| all[*n]).collect();
        let _ = inspect("a.pdf", format!("%PDF-{}", text.join(" ")).as_bytes(), &Limits::default());
    }

    #[test]
    fn a_zip_changed_anywhere(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..20)) {
        let mut bytes = zip(&["OFD.xml", "Doc_0/Document.xml"], 0, 10);
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let _ = inspect("a.ofd", &bytes, &Limits::default());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_changed_anywhere_is_never_taken_for_whole() {
    each_store(|store| async move {
        let house = house(&store).await;
        let letter = house
            .engine
            .letter(&clerk(), &acceptance("a"))
            .await
            .unwrap();
        let file = house.engine.get(&clerk(), &letter.file).await.unwrap();
        let whole = house.engine.verify_pdf(file.bytes.clone()).await.unwrap();
        assert_eq!(whole.verdict, PdfVerdict::Valid);
        let gap = {
            let at = file
                .bytes
                .windows(10)
                .rposition(|w| w == b"/Contents<")
                .unwrap()
                + 9;
            let end = file.bytes[at..].iter().position(|b| *b == b'>').unwrap();
            at..at + end + 1
        };
        for at in (0..file.bytes.len())
            .step_by(331)
            .chain(gap.start - 60..gap.start + 200)
        {
            let mut changed = file.bytes.clone();
            changed[at] ^= 0x10;
            let found = house.engine.verify_pdf(changed).await.unwrap();
            // The space that fills the signature's place to its end says nothing; no letter is
            // found for it all the same.
            assert!(found.letter.is_none(), "byte {at}");
            if !gap.contains(&at) {
                assert_ne!(found.verdict, PdfVerdict::Valid, "byte {at}");
            }
        }
        for length in (0..file.bytes.len()).step_by(1777) {
            let cut = house
                .engine
                .verify_pdf(file.bytes[..length].to_vec())
                .await
                .unwrap();
            assert_ne!(cut.verdict, PdfVerdict::Valid);
        }
    })
    .await;
}
