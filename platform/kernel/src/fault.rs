//! Faults: what went wrong, said to a person in Chinese and English and to a program by a stable
//! code. Every code of `CODES` has a page under `docs/errors/`; over HTTP a fault is RFC 9457
//! problem+json. Bad input is refused whole, with every problem named at once.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A text in both languages of the interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Words {
    /// Plain official Chinese; the language people see first.
    pub zh: String,
    /// Complete English.
    pub en: String,
}

impl Words {
    /// Both languages at once.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Words {
        Words {
            zh: zh.into(),
            en: en.into(),
        }
    }
}

/// One thing wrong with an input: where, and what, in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Where: a JSON pointer, a field name, or `file:line`.
    pub at: String,
    /// What is wrong and what would be right.
    pub words: Words,
}

/// What kind of fault; decides the HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The input is wrong (400, or 422 when it is well formed but breaks a rule).
    Invalid,
    /// Nobody is signed in (401).
    SignIn,
    /// The person may not do this (403).
    Denied,
    /// There is no such thing, or none this person may know of (404).
    Missing,
    /// Somebody else changed it first, or it exists already (409 / 412).
    Conflict,
    /// The request is for a host that is not ours (421).
    Misdirected,
    /// The body or the request is larger than allowed (413).
    TooLarge,
    /// Too many requests; try again later (429).
    TooMany,
    /// The engine is overloaded or not ready, the disk full, the database gone; nothing was taken
    /// (503).
    Overloaded,
    /// Our mistake or the machine's (500).
    Internal,
}

/// An error that may be shown. Build with [`Fault::new`] and a code from [`CODES`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct Fault {
    /// Stable code such as `observations.overloaded`; its page is `docs/errors/<code>.md`.
    pub code: &'static str,
    /// Decides the HTTP status.
    pub kind: FaultKind,
    /// What was being attempted and what failed.
    pub words: Words,
    /// Every problem of the input, not only the first.
    pub problems: Vec<Problem>,
    /// When to try again, in seconds, for `TooMany` and `Overloaded`.
    pub retry_after_s: Option<u32>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.words.en)?;
        for problem in &self.problems {
            write!(f, "\n  {}: {}", problem.at, problem.words.en)?;
        }
        Ok(())
    }
}

/// What is kept of a fault nobody waited for: why work was put off or set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Noted {
    /// Its code; `None` when an older program noted something else.
    pub code: Option<String>,
    /// What went wrong, every problem on a line of its own.
    pub words: Words,
}

impl Noted {
    /// Characters of each language, at most.
    const MOST: usize = 1_000;

    /// As it is kept in a text.
    pub fn to_text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// From a text of [`Self::to_text`], or what an older program kept: `code: English`.
    pub fn from_text(text: &str) -> Noted {
        if let Ok(noted) = serde_json::from_str(text) {
            return noted;
        }
        let of_code = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
        let known = |code: &str| code.contains('.') && code.chars().all(of_code);
        let (code, words) = match text.split_once(": ") {
            Some((code, words)) if known(code) => (Some(code.to_string()), words),
            _ => (None, text),
        };
        Noted {
            code,
            words: Words::new(words, words),
        }
    }
}

impl From<&Fault> for Noted {
    fn from(fault: &Fault) -> Noted {
        let lines = |of: fn(&Words) -> &str| -> String {
            let mut text = of(&fault.words).to_string();
            for problem in &fault.problems {
                text.push_str(&format!("\n{}: {}", problem.at, of(&problem.words)));
            }
            text.chars().take(Noted::MOST).collect()
        };
        Noted {
            code: Some(fault.code.to_string()),
            words: Words::new(lines(|words| &words.zh), lines(|words| &words.en)),
        }
    }
}

impl Fault {
    /// A fault with a code of [`CODES`] and its words.
    pub fn new(
        kind: FaultKind,
        code: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Fault {
        debug_assert!(CODES.contains(&code), "{code} is not in fault::CODES");
        Fault {
            code,
            kind,
            words: Words::new(zh, en),
            problems: vec![],
            retry_after_s: None,
        }
    }

    /// Wrong input with the problems found in it.
    pub fn invalid(problems: Vec<Problem>) -> Fault {
        let mut fault = Fault::new(
            FaultKind::Invalid,
            "input.invalid",
            format!("提交的内容有 {} 处错误，未做任何更改", problems.len()),
            format!(
                "the input has {} fault(s); nothing was changed",
                problems.len()
            ),
        );
        fault.problems = problems;
        fault
    }

    /// One problem only.
    pub fn invalid_at(
        at: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Fault {
        Fault::invalid(vec![Problem {
            at: at.into(),
            words: Words::new(zh, en),
        }])
    }

    /// There is no such thing.
    pub fn missing(what: &str) -> Fault {
        Fault::new(
            FaultKind::Missing,
            "input.not_found",
            format!("没有找到：{}", chinese(what)),
            format!("not found: {what}"),
        )
    }

    /// An internal failure, with the cause for the log; people see only that it failed.
    pub fn internal(doing: &str, cause: impl fmt::Display) -> Fault {
        Fault::new(
            FaultKind::Internal,
            "system.internal",
            format!("系统内部错误（{doing}）"),
            format!("internal error while {doing}: {cause}"),
        )
    }

    /// Overloaded: nothing was taken, try again after `retry_after_s`.
    pub fn overloaded(what: &str, retry_after_s: u32) -> Fault {
        let mut fault = Fault::new(
            FaultKind::Overloaded,
            "system.overloaded",
            format!("系统繁忙（{what}），请稍后重试"),
            format!("overloaded ({what}); nothing was taken, try again"),
        );
        fault.retry_after_s = Some(retry_after_s);
        fault
    }

    /// The HTTP status of this fault.
    pub fn status(&self) -> u16 {
        match self.kind {
            FaultKind::Invalid => 422,
            FaultKind::SignIn => 401,
            FaultKind::Denied => 403,
            FaultKind::Missing => 404,
            FaultKind::Conflict => 409,
            FaultKind::Misdirected => 421,
            FaultKind::TooLarge => 413,
            FaultKind::TooMany => 429,
            FaultKind::Overloaded => 503,
            FaultKind::Internal => 500,
        }
    }
}

/// Every code in use. A test checks that each has its page in `docs/errors/` and is used.
pub const CODES: &[&str] = &[
    "access.certificate",
    "access.denied",
    "access.locked",
    "access.sign_in",
    "access.wrong_password",
    "access.wrong_factor",
    "access.sign_in_expired",
    "access.factor_required",
    "access.password_change_required",
    "access.step_up",
    "alerts.closed",
    "audit.altered",
    "backup.damaged",
    "backup.not_there",
    "backup.wrong_key",
    "commands.not_connected",
    "commands.unsupported",
    "crypto.master_key",
    "crypto.not_opened",
    "decisions.budget",
    "decisions.failed",
    "declaration.invalid",
    "documents.altered",
    "documents.infected",
    "documents.no_font",
    "documents.not_scanned",
    "input.conflict",
    "input.invalid",
    "input.not_found",
    "input.stale",
    "input.too_large",
    "input.too_many",
    "input.unsupported_format",
    "input.wrong_host",
    "licences.guesses",
    "licences.not_in_force",
    "licences.not_of_matter",
    "metering.quota",
    "metering.rate",
    "outgoing.failed",
    "outgoing.refused",
    "parties.beyond_scope",
    "parties.code",
    "parties.level",
    "parties.not_proven",
    "parties.one_account",
    "parties.tie_ended",
    "parties.unavailable",
    "openid.request",
    "openid.upstream",
    "store.disk_full",
    "store.unavailable",
    "system.internal",
    "system.overloaded",
    "system.stopping",
    "visits.booked",
    "visits.closed",
    "visits.full",
];

/// What may be missing, by the English word it is called by.
const THINGS: &[(&str, &str)] = &[
    ("account", "账号"),
    ("appointment", "预约"),
    ("application", "办件"),
    ("bill", "缴费单"),
    ("case", "案件"),
    ("circulated document", "传阅件"),
    ("draft", "草稿"),
    ("enterprise", "企业"),
    ("factor", "验证方式"),
    ("file", "文件"),
    ("hall", "大厅"),
    ("holder", "持证主体"),
    ("leave", "请假"),
    ("letter", "文书"),
    ("licence", "证照"),
    ("material", "材料"),
    ("matter of the hall", "大厅受理的事项"),
    ("member", "成员"),
    ("message", "消息"),
    ("messages", "消息"),
    ("model", "决策模型"),
    ("offer", "领取码"),
    ("one-window service", "一窗服务"),
    ("party", "当事人"),
    ("path", "路径"),
    ("portal account", "个人账号"),
    ("position", "岗位"),
    ("provider", "登录方式"),
    ("queue number", "排队号"),
    ("request", "出示请求"),
    ("station", "站点"),
    ("status list", "状态列表"),
    ("tie", "关系"),
    ("token", "凭证"),
    ("type of licence", "证照类型"),
    ("window", "窗口"),
];

/// The Chinese word for what is missing, with what stands behind it; a name stays as it is.
fn chinese(what: &str) -> String {
    let known = |(en, zh): &(&str, &str)| {
        let rest = what.strip_prefix(en)?;
        (rest.is_empty() || rest.starts_with(' ')).then(|| format!("{zh}{rest}"))
    };
    let found = THINGS.iter().find_map(known);
    found.unwrap_or_else(|| what.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_again_in_both_languages() {
        let mut fault = Fault::new(
            FaultKind::Overloaded,
            "outgoing.failed",
            "没有答复",
            "no answer",
        );
        fault.problems.push(Problem {
            at: "/to".into(),
            words: Words::new("不通\0", "not there"),
        });
        let noted = Noted::from(&fault);
        assert_eq!(noted.words.zh, "没有答复\n/to: 不通\0");
        assert_eq!(noted.words.en, "no answer\n/to: not there");
        // PostgreSQL keeps no NUL.
        assert!(!noted.to_text().contains('\0'));
        assert_eq!(Noted::from_text(&noted.to_text()), noted);
        fault.words.en = "長".repeat(9_000);
        assert_eq!(Noted::from(&fault).words.en.chars().count(), 1_000);
    }

    #[test]
    fn what_is_missing_is_said_in_both_languages() {
        let check = |what: &str, zh: &str| {
            let words = Fault::missing(what).words;
            assert_eq!(words.zh, format!("没有找到：{zh}"));
            assert_eq!(words.en, format!("not found: {what}"));
        };
        check("licence", "证照");
        check("member li", "成员 li");
        check("membership", "membership");
        check("messages", "消息");
        check("01JD", "01JD");
    }

    #[test]
    fn what_an_older_program_noted_is_read_as_it_was() {
        let check = |text: &str, code: Option<&str>, words: &str| {
            let noted = Noted::from_text(text);
            assert_eq!((noted.code.as_deref(), &*noted.words.zh), (code, words));
        };
        check(
            "outgoing.failed: no answer\n  /to: x",
            Some("outgoing.failed"),
            "no answer\n  /to: x",
        );
        check("a panic: at once", None, "a panic: at once");
        check("", None, "");
        check("{", None, "{");
    }
}
