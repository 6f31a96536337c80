//! Tests of the lake: what is written is read back by the crate's own reader, row for row.

// A test that cannot go on should stop where it is.
#![allow(clippy::unwrap_used)]

use kernel::Time;
use kernel::observations::{Flag, Kind};
use lake::{ExportRow, FileNotes, LakeError, ROW_GROUP_ROWS, write_csv, write_parquet};
use parquet::basic::{LogicalType, TimeUnit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

const START: i64 = 1_763_654_400_000_000;

fn row(n: usize) -> ExportRow {
    ExportRow {
        thing: format!("1301990000{:04}", n % 7).into(),
        property: if n.is_multiple_of(2) {
            "a34004"
        } else {
            "w01018"
        }
        .into(),
        kind: if n.is_multiple_of(3) {
            Kind::REAL_TIME
        } else {
            Kind::parse("hour.mean").unwrap()
        },
        time: Time(START + n as i64 * 60_000_000),
        value: n as f64 / 8.0,
        flag: if n.is_multiple_of(5) {
            Flag::UNSTATED
        } else {
            Flag::NORMAL
        },
        received: Time(START + n as i64 * 60_000_000 + 1_500_000),
    }
}

fn notes() -> FileNotes {
    FileNotes {
        units: vec![("a34004".into(), "μg/m³".into())],
        datum: "CGCS2000".into(),
        more: vec![("source".into(), "测试".into())],
    }
}

fn text(field: &Field) -> String {
    match field {
        Field::Str(text) => text.clone(),
        other => panic!("not a text: {other:?}"),
    }
}

#[test]
fn parquet_reads_back_row_for_row_over_several_groups() {
    let count = ROW_GROUP_ROWS + 1_000;
    let mut bytes = Vec::new();
    let written = write_parquet(&mut bytes, (0..count).map(row), u64::MAX, &notes()).unwrap();
    assert_eq!(written, count as u64);
    let reader = SerializedFileReader::new(parquet_bytes(bytes)).unwrap();
    let meta = reader.metadata();
    assert_eq!(meta.num_row_groups(), 2);
    let pairs = meta.file_metadata().key_value_metadata().unwrap();
    let find = |key: &str| {
        pairs
            .iter()
            .find(|p| p.key == key)
            .unwrap()
            .value
            .clone()
            .unwrap()
    };
    assert_eq!(find("unit.a34004"), "μg/m³");
    assert_eq!(find("datum"), "CGCS2000");
    assert_eq!(find("source"), "测试");
    let time = meta.file_metadata().schema_descr().column(3);
    let micros = LogicalType::timestamp(true, TimeUnit::MICROS);
    assert_eq!(time.logical_type_ref(), Some(&micros));
    let mut seen = 0;
    for (n, record) in reader.get_row_iter(None).unwrap().enumerate() {
        let fields: Vec<Field> = record
            .unwrap()
            .into_columns()
            .into_iter()
            .map(|(_, field)| field)
            .collect();
        let expect = row(n);
        assert_eq!(text(&fields[0]), &*expect.thing);
        assert_eq!(text(&fields[1]), &*expect.property);
        assert_eq!(text(&fields[2]), expect.kind.to_string());
        assert_eq!(fields[3], Field::TimestampMicros(expect.time.0));
        assert_eq!(fields[4], Field::Double(expect.value));
        assert_eq!(text(&fields[5]), expect.flag.text());
        assert_eq!(fields[6], Field::TimestampMicros(expect.received.0));
        seen += 1;
    }
    assert_eq!(seen, count);
}

fn parquet_bytes(bytes: Vec<u8>) -> std::fs::File {
    use std::io::{Seek, Write};
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    file.rewind().unwrap();
    file
}

#[test]
fn no_rows_make_a_readable_file() {
    let mut bytes = Vec::new();
    assert_eq!(
        write_parquet(&mut bytes, std::iter::empty(), 10, &notes()).unwrap(),
        0
    );
    let reader = SerializedFileReader::new(parquet_bytes(bytes)).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
}

#[test]
fn too_many_rows_are_refused_not_cut() {
    let exact = write_parquet(std::io::sink(), (0..10).map(row), 10, &notes());
    assert_eq!(exact.unwrap(), 10);
    let over = write_parquet(std::io::sink(), (0..11).map(row), 10, &notes());
    assert!(matches!(over, Err(LakeError::TooLarge { limit: 10 })));
    let over = write_csv(std::io::sink(), (0..11).map(row), 10, false);
    let fault = kernel::Fault::from(over.unwrap_err());
    assert_eq!((fault.code, fault.status()), ("input.too_large", 413));
}

#[test]
fn csv_is_what_spreadsheets_expect() {
    let check = |thing: &str, mark: bool, expect: &str| {
        let mut bytes = Vec::new();
        let mut one = row(0);
        one.thing = thing.into();
        one.flag = Flag::NORMAL;
        write_csv(&mut bytes, std::iter::once(one), 10, mark).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), expect);
    };
    let head = "thing,property,kind,time,value,flag,received\r\n";
    let tail = "a34004,real_time,2025-11-21T00:00:00+08:00,0,N,2025-11-21T00:00:01.5+08:00\r\n";
    check("S1", false, &format!("{head}S1,{tail}"));
    check("S1", true, &format!("\u{feff}{head}S1,{tail}"));
    check(
        "一,\"二\"",
        false,
        &format!("{head}\"一,\"\"二\"\"\",{tail}"),
    );
    check("=1+1", false, &format!("{head}'=1+1,{tail}"));
}

#[test]
fn a_workbook_holds_what_the_csv_holds() {
    use calamine::{Data, Reader, Xlsx};
    let csv = "\u{feff}code,name,value\r\n007,\"甲, 乙\",12.5\r\n130199200001010016,'=1+1,-3\r\n";
    let bytes = lake::xlsx_of_csv("站点/一览", csv.as_bytes()).unwrap();
    let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
    assert_eq!(book.sheet_names(), ["站点一览"]);
    let range = book.worksheet_range("站点一览").unwrap();
    let text = |s: &str| Data::String(s.into());
    let rows: Vec<Vec<Data>> = range.rows().map(<[Data]>::to_vec).collect();
    assert_eq!(
        rows,
        [
            vec![text("code"), text("name"), text("value")],
            vec![text("007"), text("甲, 乙"), Data::Float(12.5)],
            vec![text("130199200001010016"), text("=1+1"), Data::Float(-3.0)],
        ]
    );
}

#[test]
fn an_empty_csv_is_an_empty_workbook() {
    assert!(lake::xlsx_of_csv("", b"").unwrap().starts_with(b"PK"));
}
