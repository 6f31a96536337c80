//! Air quality index after HJ 633-2012 and HJ 633-2026 (《环境空气质量指数（AQI）技术规定》): tables,
//! interpolation, levels. Pure arithmetic in whole numbers; nothing here knows stations or times of
//! day except the day on which the newer edition takes over.

use kernel::Time;

/// Which edition's tables apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// HJ 633-2012: observations before 2026-03-01.
    Of2012,
    /// HJ 633-2026: observations from 2026-03-01 (Beijing time) on.
    Of2026,
}

/// 2026-03-01T00:00+08:00.
const TAKES_OVER: Time = Time(1_772_294_400_000_000);

impl Edition {
    /// The edition in force when something was observed.
    pub fn at(observed: Time) -> Edition {
        if observed < TAKES_OVER {
            Edition::Of2012
        } else {
            Edition::Of2026
        }
    }

    /// Name of the standard.
    pub fn name(self) -> &'static str {
        match self {
            Edition::Of2012 => "HJ 633-2012",
            Edition::Of2026 => "HJ 633-2026",
        }
    }
}

/// The six items of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pollutant {
    /// Sulphur dioxide, µg/m³.
    So2,
    /// Nitrogen dioxide, µg/m³.
    No2,
    /// Particles up to 10 µm, µg/m³.
    Pm10,
    /// Carbon monoxide, mg/m³.
    Co,
    /// Ozone, µg/m³.
    O3,
    /// Particles up to 2.5 µm, µg/m³.
    Pm25,
}

/// Over which time a concentration is a mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Averaging {
    /// One hour. Particles are read against their 24-hour table.
    Hour,
    /// Eight hours; exists for ozone only.
    EightHours,
    /// 24 hours; does not exist for ozone.
    Day,
}

/// Indices of the breakpoints (table 1).
const INDEX: [i64; 8] = [0, 50, 100, 150, 200, 300, 400, 500];

impl Pollutant {
    /// All six, in the order of the standard.
    pub const ALL: [Pollutant; 6] = [
        Pollutant::So2,
        Pollutant::No2,
        Pollutant::Pm10,
        Pollutant::Co,
        Pollutant::O3,
        Pollutant::Pm25,
    ];

    /// Factor code of HJ 212 (ozone: HJ 524).
    pub fn property(self) -> &'static str {
        match self {
            Pollutant::So2 => "a21026",
            Pollutant::No2 => "a21004",
            Pollutant::Pm10 => "a34002",
            Pollutant::Co => "a21005",
            Pollutant::O3 => "a05024",
            Pollutant::Pm25 => "a34004",
        }
    }

    /// Unit in which the index reads its concentration.
    pub fn unit(self) -> &'static str {
        match self {
            Pollutant::Co => "mg/m³",
            _ => "µg/m³",
        }
    }

    /// Steps of one unit that count: carbon monoxide has one decimal, the others none.
    fn steps(self) -> f64 {
        if self == Pollutant::Co { 10.0 } else { 1.0 }
    }

    fn breakpoints(self, averaging: Averaging, edition: Edition) -> Option<&'static [i64]> {
        use Averaging::{Day, EightHours, Hour};
        Some(match (self, averaging) {
            (Pollutant::So2, Day) => &[0, 50, 150, 475, 800, 1600, 2100, 2620],
            (Pollutant::So2, Hour) => &[0, 150, 500, 650, 800],
            (Pollutant::No2, Day) => &[0, 40, 80, 180, 280, 565, 750, 940],
            (Pollutant::No2, Hour) => &[0, 100, 200, 700, 1200, 2340, 3090, 3840],
            (Pollutant::Co, Day) => &[0, 20, 40, 140, 240, 360, 480, 600],
            (Pollutant::Co, Hour) => &[0, 50, 100, 350, 600, 900, 1200, 1500],
            (Pollutant::O3, EightHours) => &[0, 100, 160, 215, 265, 800],
            (Pollutant::O3, Hour) => &[0, 160, 200, 300, 400, 800, 1000, 1200],
            (Pollutant::Pm10, Hour | Day) => match edition {
                Edition::Of2012 => &[0, 50, 150, 250, 350, 420, 500, 600],
                Edition::Of2026 => &[0, 50, 120, 250, 350, 420, 500, 600],
            },
            (Pollutant::Pm25, Hour | Day) => match edition {
                Edition::Of2012 => &[0, 35, 75, 115, 150, 250, 350, 500],
                Edition::Of2026 => &[0, 35, 60, 115, 150, 250, 350, 500],
            },
            (Pollutant::O3, Day) | (_, EightHours) => return None,
        })
    }
}

/// Rounds a concentration to what the index reads (GB/T 8170: half to even); CO to one decimal,
/// the others to whole numbers.
pub fn round_concentration(pollutant: Pollutant, concentration: f64) -> f64 {
    in_steps(pollutant, concentration) as f64 / pollutant.steps()
}

fn in_steps(pollutant: Pollutant, concentration: f64) -> i64 {
    // A mean of decimal readings carries binary noise; a millionth of a step is taken as noise
    // before the half is looked at.
    let scaled = concentration * pollutant.steps();
    let clean = (scaled * 1e6).round() / 1e6;
    clean.round_ties_even() as i64
}

/// The individual index of one mean concentration (µg/m³; CO mg/m³), rounded up; `None` when the
/// item has no such table, when it is negative or no number, and where HJ 633-2012 says that the
/// item is not computed (SO₂ 1 h above 800, O₃ 8 h above 800). Beyond the last breakpoint the
/// index stays at the last one.
pub fn iaqi(
    edition: Edition,
    pollutant: Pollutant,
    averaging: Averaging,
    concentration: f64,
) -> Option<u32> {
    let table = pollutant.breakpoints(averaging, edition)?;
    if !concentration.is_finite() || concentration < 0.0 {
        return None;
    }
    let value = in_steps(pollutant, concentration);
    let last = table.len() - 1;
    if value > table[last] {
        let whole = table.len() == INDEX.len();
        return (whole || edition == Edition::Of2026).then_some(INDEX[last] as u32);
    }
    let upper = table.iter().position(|point| value <= *point)?.max(1);
    let (low, high) = (table[upper - 1], table[upper]);
    let (from, to) = (INDEX[upper - 1], INDEX[upper]);
    let rise = (to - from) * (value - low);
    Some((from + (rise + (high - low) - 1).div_euclid(high - low)) as u32)
}

/// An index with what it was made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// The index; `None` (NA) when too many items are missing.
    pub aqi: Option<u32>,
    /// Individual indices of the items that were there.
    pub parts: Vec<(Pollutant, u32)>,
    /// Items with the largest individual index, when the index is above 50; ties all named.
    pub primary: Vec<Pollutant>,
    /// Items with an individual index above 100 (a notion of 2012 only; empty in 2026).
    pub exceeding: Vec<Pollutant>,
    /// Items that were missing.
    pub missing: Vec<Pollutant>,
}

/// Puts individual indices together. With items missing, the 2026 edition publishes only when the
/// rest already gives more than 100; the 2012 edition states no such rule.
pub fn combine(edition: Edition, found: &[(Pollutant, Option<u32>)]) -> Index {
    let of = |pollutant| found.iter().find(|(p, _)| *p == pollutant);
    let parts: Vec<(Pollutant, u32)> = Pollutant::ALL
        .into_iter()
        .filter_map(|p| Some((p, of(p)?.1?)))
        .collect();
    let missing: Vec<Pollutant> = Pollutant::ALL
        .into_iter()
        .filter(|p| !parts.iter().any(|(known, _)| known == p))
        .collect();
    let largest = parts.iter().map(|(_, part)| *part).max();
    let enough = missing.is_empty() || edition == Edition::Of2012 || largest > Some(100);
    let aqi = largest.filter(|_| enough);
    let those = |keep: &dyn Fn(u32) -> bool| {
        let kept = parts.iter().filter(|(_, part)| keep(*part));
        kept.map(|(pollutant, _)| *pollutant).collect::<Vec<_>>()
    };
    Index {
        aqi,
        primary: those(&|part| aqi.is_some_and(|aqi| aqi > 50 && part == aqi)),
        exceeding: match edition {
            Edition::Of2012 => those(&|part| part > 100),
            Edition::Of2026 => vec![],
        },
        parts,
        missing,
    }
}

/// A class of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// 1 (优) to 6 (严重污染).
    pub number: u8,
    /// Colour of the standard.
    pub colour: &'static str,
}

/// The class of an index (table 2).
pub fn class(aqi: u32) -> Class {
    let (number, colour) = match aqi {
        0..=50 => (1, "#00e400"),
        51..=100 => (2, "#ffff00"),
        101..=150 => (3, "#ff7e00"),
        151..=200 => (4, "#ff0000"),
        201..=300 => (5, "#99004c"),
        _ => (6, "#7e0023"),
    };
    Class { number, colour }
}
