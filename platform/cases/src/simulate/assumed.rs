//! Assumptions, in words: everything a replay took for granted because nobody knows it.

use super::past::{Learnt, Past};
use super::replay::UNKNOWN_MINUTES;
use kernel::Words;
use std::collections::{BTreeMap, BTreeSet};

/// Assumptions named, at most.
const NAMED: usize = 200;

/// What one replay assumed.
#[derive(Default)]
pub struct Noted {
    /// By node: outcomes taken from another case.
    pub drawn: BTreeMap<String, usize>,
    /// Nodes nothing is known of: whether people work there, and whether a time was said.
    pub unknown: BTreeMap<String, (bool, bool)>,
    /// Tasks nobody did in the period.
    pub nobody: BTreeSet<String>,
    /// By node that is not there, or not within reach: tokens that were led to it.
    pub led_nowhere: BTreeMap<String, usize>,
    /// By node: records of cases that ended that found no occasion.
    pub unused: BTreeMap<String, usize>,
    /// People who did tasks of several roles.
    pub several: usize,
    /// Processes that were called.
    pub called: BTreeSet<String>,
    /// Messages that were sent.
    pub sent: usize,
    /// Signals that were given.
    pub signalled: usize,
}

/// In place of what was done by hand: the case, or its drawing, cannot be read.
pub const UNREADABLE: &str = "unreadable";

/// Why a case something was done to by hand cannot be replayed.
pub fn by_hand(what: &str) -> Words {
    if what == UNREADABLE {
        return Words::new("该办件无法读取", "the case cannot be read");
    }
    let (zh, en) = match what {
        "cancelled" => ("已被终止", "was cancelled"),
        "suspended" => ("曾被中止", "was suspended"),
        "set" => ("变量曾被人工修改", "had variables set"),
        "moved" => ("环节曾被人工调整", "was moved to another node"),
        _ => ("曾被迁移到另一版本", "was migrated"),
    };
    Words::new(
        format!("该办件{zh}，无法重演"),
        format!("the case {en} by hand, which cannot be replayed"),
    )
}

/// What is assumed whatever is replayed.
fn always() -> [Words; 4] {
    [
        Words::new(
            "办理时间按每日 9:00–12:00、13:30–17:30 的工作日计；同时在手的多件任务平分该人员的时间",
            "people work 9:00 to 12:00 and 13:30 to 17:30 on working days; the time of somebody with several tasks in hand is shared equally between them",
        ),
        Words::new(
            "人员只办理本流程，先到先办，开始后不换手",
            "people work at this process only, take what came first, and finish what they began",
        ),
        Words::new(
            "时段开始时没有积压的办件",
            "nothing lies on the desks when the period begins",
        ),
        Words::new(
            "人员的决定与当时相同，不因流程变化而改变",
            "people decide as they did then, whatever is changed",
        ),
    ]
}

fn of_the_past(past: &Past, learnt: &Learnt) -> Vec<Words> {
    let mut words = vec![];
    let mut say = |count: usize, zh: &str, en: &str| {
        if count > 0 {
            words.push(Words::new(format!("{count} {zh}"), format!("{count} {en}")));
        }
    };
    let count = |of: fn(&&super::past::PastCase) -> bool| past.cases.iter().filter(of).count();
    say(
        past.arrivals.saturating_sub(past.cases.len()),
        "件在上限之外，未计入",
        "cases were beyond the limit and left out",
    );
    say(
        count(|case| case.data_of_the_end),
        "件开始时的数据没有记录，以其最后的数据代替",
        "cases have no record of what they began with; what they knew last is taken instead",
    );
    say(
        count(|case| case.cut),
        "件的部分较大的数据没有记录，重演时缺失",
        "cases had data too large to be recorded; the replay does without",
    );
    say(
        count(|case| !case.pauses.is_empty()),
        "件曾暂停计时：计算承诺时限时按当时的起止日期扣除",
        "cases had their clock stopped: the same days do not count against the promised limit",
    );
    say(
        learnt.unclaimed,
        "项任务未经签收即办结：办理时间自可办之时起算",
        "tasks were done without being taken first: work counts from when they were offered",
    );
    say(
        learnt.outside,
        "项任务在工作时间之外办理：按实际用时计，至多 420 分钟",
        "tasks were done outside of working hours: they count as long as they took, 420 minutes at most",
    );
    words
}

fn of_unknown(noted: &Noted, say: &mut dyn FnMut(String, String)) {
    for (node, (person, said)) in &noted.unknown {
        match (person, said) {
            (true, true) => say(
                format!("{node} 为新环节，用时按所给，不改变任何数据"),
                format!("{node} is new: it takes what was said and sets nothing"),
            ),
            (true, false) => say(
                format!("{node} 为新环节，用时按 {UNKNOWN_MINUTES} 分钟，不改变任何数据"),
                format!("{node} is new: it takes {UNKNOWN_MINUTES} minutes and sets nothing"),
            ),
            (false, true) => say(
                format!("{node} 没有记录，等待按所给，不带回数据"),
                format!("{node} has no record: its answer takes what was said and brings nothing"),
            ),
            (false, false) => say(
                format!("{node} 没有记录，视为立即答复，不带回数据"),
                format!("{node} has no record: it answers at once and brings nothing"),
            ),
        }
    }
}

fn of_a_replay(noted: &Noted, changed: bool) -> Vec<Words> {
    let (zh, en) = if changed {
        ("变更后", "changed")
    } else {
        ("原流程", "baseline")
    };
    let mut words = vec![];
    let mut say = |chinese: String, english: String| {
        words.push(Words::new(
            format!("{zh}：{chinese}"),
            format!("{en}: {english}"),
        ));
    };
    of_unknown(noted, &mut say);
    for name in &noted.nobody {
        say(
            format!("{name} 在时段内无人办理，按 1 人计"),
            format!("{name}: nobody did it in the period; one person is assumed"),
        );
    }
    for (node, count) in &noted.drawn {
        say(
            format!("{node} 有 {count} 次没有本办件的记录，按种子取自其他办件"),
            format!("{node}: {count} times the case has no record; drawn from others by the seed"),
        );
    }
    for (node, count) in &noted.led_nowhere {
        say(
            format!("{count} 次退回的目标 {node} 在图中不可达，视为办结"),
            format!("{count} times what was sent back to {node} cannot go there; taken as done"),
        );
    }
    for (node, count) in &noted.unused {
        say(
            format!("{node} 有 {count} 条当时的记录在重演中没有用上"),
            format!("{node}: {count} records of then found no occasion"),
        );
    }
    if noted.several > 0 {
        say(
            format!(
                "{} 人办理过多个角色的任务，在各角色中分别计为 1 人",
                noted.several
            ),
            format!(
                "{} people did tasks of several roles and count as one in each",
                noted.several
            ),
        );
    }
    for process in &noted.called {
        say(
            format!("被调用的流程 {process} 不重演，用时取当时的中位数"),
            format!("{process}, which is called, is not replayed: it takes the median of then"),
        );
    }
    if noted.sent > 0 {
        say(
            format!("发出的 {} 条消息未送达任何办件", noted.sent),
            format!("{} messages that were sent reach nobody", noted.sent),
        );
    }
    if noted.signalled > 0 {
        say(
            format!("发出的 {} 个信号只送达本办件", noted.signalled),
            format!(
                "{} signals reach the case that gave them only",
                noted.signalled
            ),
        );
    }
    words
}

/// Everything that was assumed.
pub fn all(past: &Past, learnt: &Learnt, baseline: &Noted, changed: &Noted) -> Vec<Words> {
    let mut words: Vec<Words> = always().into();
    words.extend(of_the_past(past, learnt));
    words.extend(of_a_replay(changed, true));
    words.extend(of_a_replay(baseline, false));
    if words.len() > NAMED {
        let more = words.len() - NAMED;
        words.truncate(NAMED);
        words.push(Words::new(
            format!("另有 {more} 项"),
            format!("and {more} more"),
        ));
    }
    words
}
