//! Nine hours of real traffic and the vectors of the standards corpus, counted to the last value.

use flate2::read::GzDecoder;
use hj212::codec::*;
use std::collections::{HashMap, HashSet};
use std::io::Read;

#[test]
fn every_vector_of_the_standards_corpus() {
    let Some(folder) = crate::corpus("standards") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("vectors.json")).unwrap();
    let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut checked = 0;
    for vector in vectors["ok"].as_array().unwrap() {
        if !vector["standard"].as_str().unwrap().starts_with("HJ212") {
            continue;
        }
        let wire = vector["frame"].as_str().unwrap().replace("\\r\\n", "\r\n");
        let mut splitter = Splitter::new(4096);
        splitter.feed(wire.as_bytes());
        let Some(Piece::Frame(envelope)) = splitter.next_piece() else {
            panic!("no frame: {wire}");
        };
        let mut plain = vec![];
        let frame = decode(envelope, |_| None, &mut plain).unwrap();
        assert_eq!(
            (frame.check, frame.edition()),
            (Check::Standard, Edition::E2017)
        );
        let mut numbers = vec![];
        let tally = frame.measurements(&mut numbers);
        assert_eq!(tally, Tally::default());
        let expect = wire.matches("-Rtd=").count()
            + ["-Cou=", "-Min=", "-Avg=", "-Max="]
                .iter()
                .map(|s| wire.matches(s).count())
                .sum::<usize>();
        assert_eq!(numbers.len(), expect, "{wire}");
        assert!(numbers.iter().all(|m| m.flag == b'N'));
        if frame.cn == 1062 {
            assert_eq!(frame.field("RtdInterval"), Some("30"));
            assert!(frame.wants_answer());
        } else {
            assert!(parse_time(frame.field("DataTime").unwrap().as_bytes()).is_some());
        }
        checked += 1;
    }
    assert_eq!(checked, 6);
}

#[derive(Default, Debug, PartialEq)]
struct Count {
    frames: u64,
    not_frames: u64,
    accepted: u64,
    crc: u64,
    length: u64,
    other: u64,
    values: u64,
    non_numeric: u64,
    unknown_suffix: u64,
    states: u64,
    heartbeats: u64,
    bad_time: u64,
}

#[test]
fn nine_hours_of_real_traffic() {
    let Some(folder) = crate::corpus("hj212-shijiazhuang") else {
        return;
    };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "gz"));
    files.sort();
    assert_eq!(files.len(), 9);
    let mut count = Count::default();
    let mut devices = HashSet::new();
    let mut places: HashMap<String, HashSet<(u16, String, String)>> = HashMap::new();
    for file in files {
        let mut stream = vec![];
        GzDecoder::new(std::fs::File::open(file).unwrap())
            .read_to_end(&mut stream)
            .unwrap();
        let mut splitter = Splitter::new(4096);
        // An awkward size of packets, so that many frames are cut.
        for packet in stream.chunks(1447) {
            splitter.feed(packet);
            while let Some(piece) = splitter.next_piece() {
                tally(piece, &mut count, &mut devices, &mut places);
            }
        }
        assert_eq!(splitter.finish(), None);
    }
    let expect = Count {
        frames: 79_945,
        not_frames: 9,
        accepted: 79_906,
        crc: 38,
        length: 1,
        other: 0,
        values: 734_234,
        non_numeric: 0,
        unknown_suffix: 384 + 138,
        states: 67_872 + 6_727,
        heartbeats: 4_148 + 6_717,
        bad_time: 0,
    };
    assert_eq!(count, expect);
    assert_eq!(devices.len(), 288);
    assert_eq!(places.values().map(HashSet::len).sum::<usize>(), 712_242);
}

fn tally(
    piece: Piece<'_>,
    count: &mut Count,
    devices: &mut HashSet<String>,
    places: &mut HashMap<String, HashSet<(u16, String, String)>>,
) {
    let envelope = match piece {
        Piece::Frame(envelope) => envelope,
        Piece::NotAFrame(_) => {
            count.not_frames += 1;
            return;
        }
        Piece::Torn(_) => {
            count.frames += 1;
            count.crc += 1;
            return;
        }
        Piece::TooLong(_) => panic!("none is too long"),
    };
    count.frames += 1;
    let mut plain = vec![];
    let frame = match decode(envelope, |_| None, &mut plain) {
        Ok(frame) => frame,
        Err(refusal) => {
            match refusal.reason {
                Reason::Crc => count.crc += 1,
                Reason::Length => count.length += 1,
                _ => count.other += 1,
            }
            return;
        }
    };
    assert_eq!(frame.check, Check::Standard);
    assert_eq!(frame.edition(), Edition::E2005);
    assert!(frame.is_known(), "{}", frame.cn);
    count.accepted += 1;
    count.heartbeats += u64::from(frame.is_heartbeat());
    devices.insert(frame.mn.to_owned());
    let mut numbers = vec![];
    let told = frame.measurements(&mut numbers);
    count.non_numeric += told.non_numeric;
    count.unknown_suffix += told.other;
    let time = frame.field("DataTime").unwrap_or_default();
    for number in numbers {
        if number.suffix.is_state() {
            count.states += 1;
            continue;
        }
        count.values += 1;
        count.bad_time += u64::from(parse_time(time.as_bytes()).is_none());
        let name = format!("{}-{}", number.code, number.suffix.word());
        let of_device = places.entry(frame.mn.to_owned()).or_default();
        of_device.insert((frame.cn, time.to_owned(), name));
    }
}
