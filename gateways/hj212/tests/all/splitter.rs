//! The splitter: the same pieces however the stream is cut, no panic on any bytes, bounded memory.

use hj212::codec::*;
use proptest::prelude::*;

/// All pieces of a stream cut at the given places, each written down.
fn pieces(stream: &[u8], cuts: &[usize], limit: usize) -> Vec<String> {
    let mut splitter = Splitter::new(limit);
    let mut found = vec![];
    let mut from = 0;
    let mut cuts: Vec<usize> = cuts.iter().map(|c| c % (stream.len() + 1)).collect();
    cuts.sort_unstable();
    for to in cuts.into_iter().chain([stream.len()]) {
        splitter.feed(&stream[from..to]);
        let fed = to - from;
        from = to;
        while let Some(piece) = splitter.next_piece() {
            found.push(write_down(piece));
        }
        splitter.rest();
        assert!(splitter.pending() <= limit + 16);
        // Up to 2,048 bytes are kept between pieces; beyond that memory follows what was fed.
        assert!(splitter.capacity() <= (4 * (limit + 16 + fed)).max(2048));
    }
    found.extend(splitter.finish().map(write_down));
    assert_eq!(splitter.pending(), 0, "everything is given out or skipped");
    found
}

fn write_down(piece: Piece<'_>) -> String {
    match piece {
        Piece::Frame(e) => format!("frame {} {}", e.stated, e.whole.escape_ascii()),
        Piece::Torn(b) => format!("torn {}", b.escape_ascii()),
        Piece::NotAFrame(b) => format!("no frame {}", b.escape_ascii()),
        Piece::TooLong(b) => format!("too long {}", b.len()),
    }
}

fn check(stream: &[u8], expect: &[&str]) {
    let whole = pieces(stream, &[], 256);
    let kinds: Vec<&str> = whole
        .iter()
        .map(|p| &p[..p.len().min(expect_len(p))])
        .collect();
    assert_eq!(kinds, expect, "{}", stream.escape_ascii());
    let each: Vec<usize> = (0..stream.len()).collect();
    assert_eq!(pieces(stream, &each, 256), whole, "cut at every byte");
}

fn expect_len(piece: &str) -> usize {
    ["frame", "torn", "no frame", "too long"]
        .iter()
        .find(|k| piece.starts_with(**k))
        .map_or(0, |k| k.len())
}

fn good(data: &str) -> Vec<u8> {
    enclose(data.as_bytes(), Check::Standard)
}

#[test]
fn frames_joined_torn_and_among_garbage() {
    let a = good("MN=A;CP=&&01-Rtd=1&&");
    let bare = &a[..a.len() - 2];
    check(&a, &["frame"]);
    check(bare, &["frame"]);
    check(&[&a[..], &a].concat(), &["frame", "frame"]);
    check(&[bare, bare, b"\n"].concat(), &["frame", "frame"]);
    check(
        &[b"\0\xffgarbage", bare, b"##", &a].concat(),
        &["no frame", "frame", "no frame", "frame"],
    );
    check(&[&a[..12], &a].concat(), &["torn", "frame"]);
    check(&[&a[..12], b"\r\n", &a].concat(), &["torn", "frame"]);
    check(
        &[b"##9999MN=A;CP=&&&&1234\r\n", &a[..]].concat(),
        &["frame", "frame"],
    );
    check(
        &[b"##0900MN=A;CP=&&&&1234", &a[..]].concat(),
        &["frame", "frame"],
    );
    check(&[b"###", &a[2..]].concat(), &["no frame", "frame"]);
    check(
        &[b"x".repeat(1000), a.clone()].concat(),
        &["too long", "frame"],
    );
    check(
        &[b"x".repeat(1000), b"\r\n".to_vec(), a.clone()].concat(),
        &["too long", "frame"],
    );
    check(&good("MN=A;CP=&&i22001-Info=中文\n文&&"), &["frame"]);
    check(&good("MN=A;CP=&&\x01\n##0001\n&&"), &["frame"]);
}

#[test]
fn one_endless_line_is_one_piece_and_little_memory() {
    let mut splitter = Splitter::new(4096);
    let mut found = 0;
    for _ in 0..1000 {
        splitter.feed(&[b'#'; 4000]);
        while splitter.next_piece().is_some() {
            found += 1;
        }
        splitter.rest();
        assert!(splitter.capacity() <= 16 * 1024);
    }
    assert_eq!(found, 1);
}

fn part() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => "[A-Z]{2}=[0-9]{1,9};MN=[A-Z0-9]{4};CP=&&[ -~]{0,80}&&".prop_map(|d| good(&d)),
        2 => "[A-Z]{2}=[0-9]{1,9};CP=&&[ -~]{0,80}&&".prop_map(|d| {
            let frame = good(&d);
            frame[..frame.len() - 2].to_vec()
        }),
        1 => proptest::collection::vec(any::<u8>(), 0..60),
        1 => "##[0-9]{4}[ -~]{0,40}".prop_map(String::into_bytes),
        1 => "[#0-9&\r\n]{0,20}".prop_map(String::into_bytes),
        1 => "##[0-9]{4}MN=A;CP=&&[ -~]{0,40}&&[0-9A-F]{4}(\r\n)?".prop_map(String::into_bytes),
        1 => Just(b"\r\n".to_vec()),
        1 => Just(vec![b'x'; 300]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn cutting_changes_nothing(
        parts in proptest::collection::vec(part(), 0..12),
        cuts in proptest::collection::vec(any::<usize>(), 0..40),
    ) {
        let stream = parts.concat();
        prop_assert_eq!(pieces(&stream, &cuts, 256), pieces(&stream, &[], 256));
    }

    /// The stable-toolchain counterpart of `fuzz/`: whole decoder on arbitrary bytes.
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), wrap in any::<bool>()) {
        let bytes = if wrap { enclose(&bytes, Check::Modbus) } else { bytes };
        let mut splitter = Splitter::new(512);
        splitter.feed(&bytes);
        while let Some(piece) = splitter.next_piece() {
            let (mut plain, mut numbers) = (vec![], vec![]);
            if let Piece::Frame(envelope) = piece
                && let Ok(frame) = decode(envelope, |_| Key::parse("0000000000000000"), &mut plain)
            {
                frame.measurements(&mut numbers);
                let _ = (frame.edition(), frame.request());
            }
            prop_assert!(numbers.iter().all(|m| m.value.is_finite()));
        }
    }
}
