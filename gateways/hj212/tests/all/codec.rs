//! Frames in, fields out: the standard's own example, real oddities, every reason of refusal.

use hj212::codec::*;
use kernel::Time;

/// The only piece of `bytes`, decoded, and written down in one line.
fn read(bytes: &[u8], key: Option<Key>) -> String {
    let mut splitter = Splitter::new(4096);
    splitter.feed(bytes);
    let piece = match splitter.next_piece() {
        Some(piece) => piece,
        None => return "nothing".into(),
    };
    let Piece::Frame(envelope) = piece else {
        return format!("{piece:?}").split('(').next().unwrap().into();
    };
    let mut plain = vec![];
    match decode(envelope, |_| key, &mut plain) {
        Err(refusal) => format!("refused {} {:?}", refusal.reason.word(), refusal.mn),
        Ok(frame) => {
            let mut numbers = vec![];
            let tally = frame.measurements(&mut numbers);
            let numbers: Vec<String> = numbers
                .iter()
                .map(|m| {
                    let flag = if m.flag == 0 { ' ' } else { m.flag as char };
                    format!("{}-{}={}{flag}", m.code, m.suffix.word(), m.value)
                })
                .collect();
            format!(
                "{} {} cn={} mn={} qn={} answer={} {} other={}/{}",
                frame.edition().word(),
                frame.check.word(),
                frame.cn,
                frame.mn,
                frame.request().unwrap_or("-"),
                frame.wants_answer(),
                numbers.join(","),
                tally.non_numeric,
                tally.other
            )
            .replace(" ,", ",")
        }
    }
}

fn check(data: &str, expect: &str) {
    assert_eq!(
        read(&enclose(data.as_bytes(), Check::Standard), None),
        expect,
        "{data}"
    );
}

#[test]
fn the_example_of_the_standard() {
    let frame = b"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&1C80\r\n";
    assert_eq!(
        read(frame, None),
        "2017 standard cn=1062 mn=010000A8900016F000169DC0 qn=20160801085857223 answer=true  other=0/0"
    );
    let data = &frame[6..frame.len() - 6];
    assert_eq!((standard(data), modbus(data)), (0x1C80, 0x0759));
    let as_modbus = enclose(data, Check::Modbus);
    assert!(read(&as_modbus, None).starts_with("2017 modbus cn=1062"));
}

#[test]
fn fields_are_found_by_name_in_any_order() {
    check(
        "MN=A1;CP=&&02-Rtd=1.5,02-Flag=N;DataTime=20160824000500000;011-Rtd=-3&&",
        "2005 standard cn=0 mn=A1 qn=- answer=false 02-Rtd=1.5N,011-Rtd=-3  other=0/0",
    );
    check(
        "CN=9011;ST=91;MN=LD1;Flag=0;CP=&&QN=20160824000504006;QnRtn=1&&",
        "2005 standard cn=9011 mn=LD1 qn=20160824000504006 answer=false  other=0/0",
    );
    check(
        "QN=20260101080000001;ST=22;CN=2011;PW=1;MN=X;Flag=9;RF=1;CP=&&DataTime=20260101080000;a34004-Rtd=35.0,a34004-Flag=d&&",
        "2025 standard cn=2011 mn=X qn=20260101080000001 answer=true a34004-Rtd=35D other=0/0",
    );
    check(
        "ST=31;CN=2011;MN=X;Flag=1;CP=&&DataTime=20260101080000;a21026-Rtd=1&&",
        "2017 standard cn=2011 mn=X qn=- answer=true a21026-Rtd=1  other=0/0",
    );
}

#[test]
fn flags_go_to_their_factor_and_basis() {
    check(
        "ST=31;CN=2051;MN=X;CP=&&01-ZsAvg=2,01-Avg=1,01-ZsFlag=D,01-Flag=N;02-Flag=T,02-Avg=5,03-Avg=6&&",
        "2005 standard cn=2051 mn=X qn=- answer=false 01-ZsAvg=2D,01-Avg=1N,02-Avg=5T,03-Avg=6  other=0/0",
    );
    check(
        "ST=22;CN=2051;MN=X;CP=&&01-Avg=2,01-Flag=3;02-Avg=1,02-Flag=2&&",
        "2005 standard cn=2051 mn=X qn=- answer=false 01-Avg=2N,02-Avg=1D other=0/0",
    );
}

#[test]
fn what_is_no_number_is_counted_and_the_rest_kept() {
    check(
        "ST=31;CN=2051;MN=X;CP=&&01-Avg=abc;02-Avg=NaN;03-Avg=inf;04-Avg=1e400;05-Avg=;06-Avg=7;07-ZsCou=1;08-Avg44&&",
        "2005 standard cn=2051 mn=X qn=- answer=false 06-Avg=7  other=5/2",
    );
    check(
        "ST=23;CN=2031;MN=X;CP=&&LA-Data=50.1;Ld-DayData=48;SB1-RS=1;SB1-RT=23.5&&",
        "2005 standard cn=2031 mn=X qn=- answer=false LA-Data=50.1,Ld-DayData=48,SB1-RS=1,SB1-RT=23.5  other=0/0",
    );
}

#[test]
fn every_refusal_has_its_reason() {
    check("ST=31;CN=2011;CP=&&01-Rtd=1&&", "refused no_device None");
    check(
        "ST=31;CN=2011;MN=a b;CP=&&&&",
        "refused no_device Some(\"a b\")",
    );
    let cases: [(&[u8], &str); 9] = [
        (b"##test13912345678\0\r\n", "NotAFrame"),
        (b"2BC0\r\n", "NotAFrame"),
        (b"30102000172;Flag=1;CP=&&&&4380\r\n", "Torn"),
        (b"##0377ST=31;CN=2011;03-Rt\r\n", "Torn"),
        (b"##9ST=31;CN=2011;CP=&&&&CAC1\r\n", "Torn"),
        (b"##0293;Flag=1;CP=&&&&C601\r\n", "refused crc None"),
        (b"##0009MN=A;CP=&&&&0000\r\n", "refused crc Some(\"A\")"),
        (b"##00", "nothing"),
        (b"\r\n\r\n", "nothing"),
    ];
    for (bytes, expect) in cases {
        assert_eq!(read(bytes, None), expect, "{}", bytes.escape_ascii());
    }
    let mut wrong_length = enclose(b"MN=A;CP=&&&&", Check::Standard);
    wrong_length[5] = b'9';
    assert_eq!(read(&wrong_length, None), "refused length Some(\"A\")");
}

#[test]
fn encrypted_frames_need_their_key() {
    let plain = "QN=20260101080000001;ST=22;CN=2011;PW=1;MN=E1;Flag=9;CP=&&DataTime=20260101080000;a34004-Rtd=35.0,a34004-Flag=N&&";
    let key = Key::parse("0000000000000000").unwrap();
    assert_eq!(Key::parse(&"30".repeat(16)), Some(key));
    let (head, contents) = plain.split_once("CP=&&").unwrap();
    let mut cipher = contents.as_bytes()[..contents.len() - 2].to_vec();
    key.encrypt(&mut cipher);
    for contents in [cipher.clone(), to_text_form(&cipher)] {
        let crc = format!("&&{:04X}\r\n", standard(plain.as_bytes()));
        let mut wire = format!("##{:04}{head}CP=&&", plain.len()).into_bytes();
        wire.extend_from_slice(&contents);
        wire.extend_from_slice(crc.as_bytes());
        assert_eq!(read(&wire, None), "refused encrypted Some(\"E1\")");
        let other = Key::parse("0123456789abcdef");
        assert_eq!(read(&wire, other), "refused encrypted Some(\"E1\")");
        assert!(
            read(&wire, Some(key)).contains("a34004-Rtd=35N"),
            "{}",
            read(&wire, Some(key))
        );
    }
    assert_eq!(Key::parse("short"), None);
}

#[test]
fn times_of_fourteen_and_seventeen_digits() {
    let cases = [
        ("20160824003500", Some("2016-08-24T00:35:00+08:00")),
        ("20160824003500123", Some("2016-08-24T00:35:00.123+08:00")),
        ("20000202000000000", Some("2000-02-02T00:00:00+08:00")),
        ("20240229235959", Some("2024-02-29T23:59:59+08:00")),
        ("20230229000000", None),
        ("20160824240000", None),
        ("20161324000000", None),
        ("19991231235959", None),
        ("2016082410450", None),
        ("2016082410450x", None),
        ("", None),
    ];
    for (text, expect) in cases {
        let time = parse_time(text.as_bytes());
        assert_eq!(time.map(Time::rfc3339).as_deref(), expect, "{text}");
    }
    let time = parse_time(b"20991231235959").unwrap();
    assert_eq!(format_time(time), "20991231235959");
    assert_eq!(format_millis(time), "20991231235959000");
    for day in 0..36_524 {
        let time = Time::parse("2000-01-01").unwrap() + kernel::Span::days(day);
        assert_eq!(parse_time(format_time(time).as_bytes()), Some(time));
    }
}

#[test]
fn numbers_are_read_exactly() {
    for text in [
        "0",
        "-0.00",
        "1.5",
        "622.922668",
        "134668.09",
        "0.1",
        "123456789012345",
        "1e5",
        "-1E-3",
        "1234567890123456789",
        "0.000000000000001",
        "+5",
        " 7 ",
        "5.",
        ".5",
    ] {
        let expect: f64 = text.trim().parse().unwrap();
        let read = parse_number(text.as_bytes()).unwrap();
        assert_eq!(read.to_bits(), expect.to_bits(), "{text}");
    }
    for text in [
        "",
        "-",
        ".",
        "NaN",
        "inf",
        "-infinity",
        "1e999",
        "1.2.3",
        "4.107-Max",
        "１",
    ] {
        assert_eq!(parse_number(text.as_bytes()), None, "{text}");
    }
}
