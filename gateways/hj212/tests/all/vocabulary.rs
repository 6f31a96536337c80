//! The vocabulary agrees with the standards corpus and maps both editions to one set of names.

use hj212::codec::Suffix;
use hj212::vocabulary::*;
use kernel::observations::{Basis, Period, Statistic};

#[test]
fn the_table_says_what_the_standard_says() {
    let Some(folder) = crate::corpus("standards") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("hj212_2017_factors.csv")).unwrap();
    let units = [
        ("毫克/立方米", "mg/m3"),
        ("毫克/升", "mg/L"),
        ("安 [培]", "A"),
        ("无量纲", "1"),
        ("摄氏度", "Cel"),
        ("分贝", "dB"),
        ("微克/升", "ug/L"),
        ("千帕", "kPa"),
        ("纳克/立方米", "ng/m3"),
        ("%", "%"),
        ("米", "m"),
        ("千克", "kg"),
        ("--", ""),
        ("毫伏[特]", "mV"),
        ("纳克/升", "ng/L"),
        ("升/秒", "L/s"),
        ("[角]度", "deg"),
        ("立方米/小时", "m3/h"),
        ("个/升", "1/L"),
        ("贝可[勒尔]/升", "Bq/L"),
        ("米/秒", "m/s"),
        ("分钟", "min"),
        ("千瓦[特][小]时", "kW.h"),
        ("[色]度", "colour degree"),
        ("微西[门子]/厘米", "uS/cm"),
        ("立方米/秒", "m3/s"),
        ("平方米", "m2"),
        ("吨/平方千米 •月", "t/(km2.month)"),
        ("千克/立方米", "kg/m3"),
        ("帕", "Pa"),
        ("转/分钟", "r/min"),
        ("年月日时分秒", ""),
        ("伏[特]", "V"),
        ("秒", "s"),
        ("克", "g"),
        ("毫克", "mg"),
        ("立方米", "m3"),
        ("", ""),
    ];
    let unit_of = |zh: &str| units.iter().find(|(name, _)| *name == zh).unwrap().1;
    let mut ours = factors().iter().filter(|f| f.code != "a05024");
    let mut rows = 0;
    for line in text.lines().skip(1) {
        let cells = cells(line);
        let factor = ours.next().unwrap();
        assert_eq!(factor.code, cells[0]);
        assert_eq!(factor.old_code, cells[2], "{line}");
        assert_eq!(factor.unit, unit_of(&cells[3]), "{line}");
        assert_eq!(factor.unit_total, unit_of(&cells[4]), "{line}");
        let digits = cells[5]
            .strip_prefix('N')
            .and_then(|f| match f.split_once('.') {
                Some((_, digits)) => digits.parse().ok(),
                None => f.parse::<u8>().ok().map(|_| 0),
            });
        assert_eq!(factor.digits, digits, "{line}");
        assert!(!factor.name.zh.is_empty());
        rows += 1;
    }
    assert_eq!((rows, ours.next()), (374, None));
}

fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

#[test]
fn both_editions_have_one_name() {
    for (code, expect) in [
        ("011", "w01018"),
        ("060", "w21003"),
        ("01", "a34013"),
        ("02", "a21026"),
        ("03", "a21002"),
        ("04", "a21005"),
        ("B01", "w00000"),
        ("B02", "a00000"),
        ("S01", "a19001"),
        ("S02", "a01011"),
        ("S03", "a01012"),
        ("S04", "a01017"),
        ("S05", "a01014"),
        ("S07", "a01016"),
        ("S08", "a01013"),
        ("101", "w21011"),
        ("001", "w01001"),
        ("023", "w20116"),
        ("a214", "a214"),
        ("99", "99"),
        ("a34004", "a34004"),
    ] {
        assert_eq!(property(code), expect, "{code}");
    }
    assert_eq!(factor("e10102").unwrap().name.zh, "进水口流量");
    assert_eq!(factor("nothing"), None);
}

#[test]
fn units_depend_on_the_kind_of_station() {
    for (code, st, statistic, expect) in [
        ("a21026", "22", Statistic::Value, "ug/m3"),
        ("a21026", "31", Statistic::Value, "mg/m3"),
        ("02", "31", Statistic::Total, "kg"),
        ("a34004", "22", Statistic::Mean, "ug/m3"),
        ("a21005", "22", Statistic::Mean, "mg/m3"),
        ("B01", "32", Statistic::Mean, "L/s"),
        ("B01", "32", Statistic::Total, "m3"),
        ("x", "32", Statistic::Total, ""),
    ] {
        assert_eq!(unit(code, st, statistic), expect, "{code} {st}");
    }
}

#[test]
fn commands_and_suffixes_make_kinds() {
    assert_eq!(period(2011), Some(Period::RealTime));
    assert_eq!(period(2051), Some(Period::Minute));
    assert_eq!(period(2061), Some(Period::Hour));
    assert_eq!(period(2031), Some(Period::Day));
    assert_eq!(period(9015), None);
    let cases = [
        (
            "01",
            Suffix::ZsAvg,
            ("a34013", Statistic::Mean, Basis::Converted),
        ),
        (
            "B01",
            Suffix::Cou,
            ("w00000", Statistic::Total, Basis::Measured),
        ),
        (
            "SB1",
            Suffix::State,
            ("SB1", Statistic::Value, Basis::Measured),
        ),
        (
            "Leq",
            Suffix::DayData,
            ("Ld", Statistic::Value, Basis::Measured),
        ),
    ];
    for (code, suffix, (name, statistic, basis)) in cases {
        assert_eq!(column(code, suffix), (name.to_owned(), statistic, basis));
    }
}
