//! Limits and clocks of cases as others see them.

use crate::time::Time;
use serde::{Deserialize, Serialize};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Working days (工作日); the usual of administrative law (行政许可法第八十二条).
    WorkingDays,
    /// Days of the calendar (自然日). A limit that would end on a day not worked ends on the next one
    /// that is (民法典第二百零三条).
    CalendarDays,
}

/// How long there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Number of days.
    pub days: u32,
    /// Which days.
    pub count: Count,
}

impl Limit {
    /// Reads `20 working days`, `20 days`, `20个工作日`, `20日`; `None` for anything else, for 0 and
    /// for more than 3,660.
    pub fn parse(text: &str) -> Option<Limit> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let days: u32 = text[..digits].parse().ok()?;
        let count = match text[digits..].trim() {
            "working days" | "working day" | "个工作日" | "工作日" => Count::WorkingDays,
            "days" | "day" | "calendar days" | "个自然日" | "自然日" | "日" | "天" => {
                Count::CalendarDays
            }
            _ => return None,
        };
        (1..=3660).contains(&days).then_some(Limit { days, count })
    }
}

/// Where a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// In time.
    Green,
    /// A fifth of the days or fewer, or the last one, remain.
    Yellow,
    /// Over.
    Red,
    /// Does not run.
    Paused,
}

/// What is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The end of the last day; of a paused clock, if it went on today.
    pub due: Time,
    /// Days left after today, below zero when it is over, in days of the limit.
    pub days: i64,
    /// How it stands.
    pub light: Light,
    /// The calendar of the year it ends in is not published yet.
    pub provisional: bool,
}

/// Who was told how a clock stands: an entry `told` of the history of its task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// What makes it another telling: told once for each.
    pub key: String,
    /// `yellow`, `red`, or `overdue` when it is red for a working day.
    pub light: String,
    /// Accounts of those who have the task, or may take it.
    #[serde(default)]
    pub to: Vec<String>,
    /// Accounts of their superiors.
    #[serde(default)]
    pub superiors: Vec<String>,
    /// Organisations those superiors head.
    #[serde(default)]
    pub heads_of: Vec<String>,
}

/// Why a clock may stop (行政许可法第四十五条 and the laws on each): the time of these does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseKind {
    /// 补正: the applicant supplies what is missing.
    Supplement,
    /// 公示、公告: it is on public display.
    Display,
    /// 听证: a hearing.
    Hearing,
    /// 招标、拍卖: a tender or auction.
    Tender,
    /// 检验、检测、检疫: an inspection.
    Inspection,
    /// 鉴定: an appraisal.
    Appraisal,
    /// 专家评审: experts review it.
    ExpertReview,
    /// 不可抗力: nobody could.
    ForceMajeure,
}

/// A time that does not count against the office.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since.
    pub from: Time,
    /// Until; `None` while it lasts.
    pub to: Option<Time>,
    /// Why.
    pub kind: PauseKind,
    /// The law and its article.
    pub basis: String,
    /// Particulars.
    pub note: String,
    /// Account that stopped the clock.
    pub by: String,
}

/// A day that is not what its weekday says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarDay {
    /// The day, `2026-10-01`.
    pub day: String,
    /// Is it worked (调休上班) or not (放假)?
    pub worked: bool,
    /// Name of the holiday.
    #[serde(default)]
    pub name: String,
}

/// A clock whose end moved because the calendar changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// `case`, `task`, `timer` of a drawing, or `start`: a timer that begins a case.
    pub kind: String,
    /// Its identification; of a timer that of its case, a hyphen and a number, of a start the process.
    pub id: String,
    /// When it was due.
    pub before: Option<Time>,
    /// When it is due now.
    pub after: Option<Time>,
}
