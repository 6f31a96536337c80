//! One set of names: factor codes of both editions to the codes of HJ 212-2017, suffixes and
//! commands to kinds of series, and the units.
//!
//! `factors.csv` holds what tables B.1 to B.4 of HJ 212-2017 say (with the codes of 2005 beside
//! them), plus ozone, which they forget. Codes ending in `xx` stand for numbered devices. Where the
//! standard gives one code twice (`e701xx`, `g119xx`), the first meaning is taken.

use crate::codec::Suffix;
use kernel::Words;
use kernel::observations::{Basis, Period, Statistic};
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// The table as text, semicolon-separated, one head line.
pub const FACTORS: &str = include_str!("factors.csv");

/// What the standard says about a factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Code of 2017.
    pub code: &'static str,
    /// Code of 2005, empty when there was none.
    pub old_code: &'static str,
    /// Name; the English one is empty for rare factors.
    pub name: Words,
    /// Unit of readings and means, such as `mg/m3`.
    pub unit: &'static str,
    /// Unit of cumulative amounts (Cou), empty when there are none.
    pub unit_total: &'static str,
    /// Decimal places, when the standard gives a number format.
    pub digits: Option<u8>,
}

struct Table {
    factors: Vec<Factor>,
    by_code: FxHashMap<&'static str, usize>,
    by_old_code: FxHashMap<&'static str, usize>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        factors: vec![],
        by_code: FxHashMap::default(),
        by_old_code: FxHashMap::default(),
    };
    for line in FACTORS.lines().skip(1) {
        let mut cells = line.split(';');
        let mut cell = || cells.next().unwrap_or_default();
        let factor = Factor {
            code: cell(),
            old_code: cell(),
            name: Words::new(cell(), cell()),
            unit: cell(),
            unit_total: cell(),
            digits: cell().parse().ok(),
        };
        let number = table.factors.len();
        table.by_code.entry(factor.code).or_insert(number);
        if !factor.old_code.is_empty() {
            table.by_old_code.entry(factor.old_code).or_insert(number);
        }
        table.factors.push(factor);
    }
    table
});

/// All factors in the order of the standard.
pub fn factors() -> &'static [Factor] {
    &TABLE.factors
}

/// The factor of a code of either edition; `e10102` finds `e101xx`.
pub fn factor(code: &str) -> Option<&'static Factor> {
    let found = TABLE
        .by_code
        .get(code)
        .or_else(|| TABLE.by_old_code.get(code));
    let number = match found {
        Some(number) => *number,
        None => {
            let family = code.get(..4).filter(|_| code.len() == 6)?;
            *TABLE.by_code.get(format!("{family}xx").as_str())?
        }
    };
    TABLE.factors.get(number)
}

/// The name of a property in the city: the code of 2017 for a code of 2005, any other as it is
/// (vendors' codes keep their own names).
pub fn property(code: &str) -> &str {
    match TABLE.by_old_code.get(code) {
        Some(number) => TABLE.factors[*number].code,
        None => code,
    }
}

/// The unit of a property's values. Air stations (ST 22) and building-site dust (ST 39) report
/// particles and gases in µg/m3 and carbon monoxide in mg/m3, whatever the table prints.
pub fn unit(code: &str, system_code: &str, statistic: Statistic) -> &'static str {
    let Some(factor) = factor(code) else {
        return "";
    };
    if statistic == Statistic::Total {
        return factor.unit_total;
    }
    let ambient = matches!(system_code, "22" | "39");
    match factor.code {
        "a34001" | "a34002" | "a34004" | "a34005" => "ug/m3",
        "a21026" | "a21002" | "a21003" | "a21004" | "a05024" if ambient => "ug/m3",
        _ => factor.unit,
    }
}

/// What the values of a command speak for; `None` for commands that carry no measurements.
pub fn period(cn: u16) -> Option<Period> {
    match cn {
        2011 | 2021 => Some(Period::RealTime),
        2051 | 2111 => Some(Period::Minute),
        2061 => Some(Period::Hour),
        2031 | 2041 => Some(Period::Day),
        _ => None,
    }
}

/// What a suffix says: property, statistic, basis. States of devices are properties of their own
/// (`SB1`, `SB1_hours`), so that they never mix with measured values.
pub fn column(code: &str, suffix: Suffix) -> (String, Statistic, Basis) {
    use Basis::{Converted, Measured};
    let own = || property(code).to_owned();
    match suffix {
        Suffix::Rtd | Suffix::Data => (own(), Statistic::Value, Measured),
        Suffix::Avg => (own(), Statistic::Mean, Measured),
        Suffix::Min => (own(), Statistic::Min, Measured),
        Suffix::Max => (own(), Statistic::Max, Measured),
        Suffix::Cou => (own(), Statistic::Total, Measured),
        Suffix::ZsRtd => (own(), Statistic::Value, Converted),
        Suffix::ZsAvg => (own(), Statistic::Mean, Converted),
        Suffix::ZsMin => (own(), Statistic::Min, Converted),
        Suffix::ZsMax => (own(), Statistic::Max, Converted),
        Suffix::DayData => ("Ld".into(), Statistic::Value, Measured),
        Suffix::NightData => ("Ln".into(), Statistic::Value, Measured),
        Suffix::State => (code.to_owned(), Statistic::Value, Measured),
        Suffix::RunTime => (format!("{code}_hours"), Statistic::Value, Measured),
    }
}
