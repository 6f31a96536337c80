//! Progress by number and check code, for anybody who has both. Wrong guesses are slowed and then
//! refused for a while, for one number and for all of them together. What is said names no person.

use crate::bundle::missing_of;
use crate::change::Open;
use crate::faults::{not_found, too_many};
use crate::{Engine, views};
use kernel::applications::{ApplicationState, Missing, Progress};
use kernel::{Fault, Span, Time};
use parking_lot::Mutex;
use std::collections::HashMap;
use store::applications::read::{self, By};

/// Wrong guesses at one number within [`WINDOW`].
const PER_NUMBER: usize = 5;
/// Wrong guesses at all numbers within [`WINDOW`].
const OVERALL: usize = 2_000;
/// For how long a wrong guess counts.
const WINDOW: Span = Span::minutes(15);
/// Numbers remembered, at most.
const NUMBERS: usize = 10_000;
/// How much longer an answer takes for each wrong guess before it.
const SLOWER: std::time::Duration = std::time::Duration::from_millis(100);

/// Wrong guesses, by number.
#[derive(Default)]
pub(crate) struct Guesses(Mutex<State>);

#[derive(Default)]
struct State {
    of: HashMap<String, Vec<Time>>,
    all: std::collections::VecDeque<Time>,
}

impl Guesses {
    /// Wrong guesses at a number so far, or how long to wait in seconds.
    fn ask(&self, number: &str, now: Time) -> Result<usize, u32> {
        let mut state = self.0.lock();
        let since = now - WINDOW;
        while state.all.front().is_some_and(|at| *at <= since) {
            state.all.pop_front();
        }
        let wait = |first: Time| {
            let left = (first + WINDOW).since(now).as_seconds().ceil();
            (left as u32).max(1)
        };
        if state.all.len() >= OVERALL {
            return Err(wait(state.all.front().copied().unwrap_or(now)));
        }
        let Some(times) = state.of.get_mut(number) else {
            return Ok(0);
        };
        times.retain(|at| *at > since);
        match times.first().copied().filter(|_| times.len() >= PER_NUMBER) {
            Some(first) => Err(wait(first)),
            None => Ok(times.len()),
        }
    }

    /// A guess was wrong.
    fn wrong(&self, number: &str, now: Time) {
        let mut state = self.0.lock();
        state.all.push_back(now);
        if state.of.len() >= NUMBERS {
            let since = now - WINDOW;
            state
                .of
                .retain(|_, times| times.iter().any(|at| *at > since));
        }
        // Beyond this the limit for all of them has been reached long ago.
        if state.of.len() < NUMBERS {
            state.of.entry(number.into()).or_default().push(now);
        }
    }
}

impl Engine {
    pub(crate) async fn progress_of(&self, number: &str, check: &str) -> Result<Progress, Fault> {
        let number = number.trim();
        let check = check.trim();
        let sound = (1..=100).contains(&number.len()) && !number.contains('\0');
        if !sound || check.len() != 6 || !check.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Fault::invalid_at(
                "check",
                "请填写办件编号和 6 位查询码",
                "number and check code of 6 digits are needed",
            ));
        }
        let now = self.clock.now();
        let before = self.guesses.ask(number, now).map_err(too_many)?;
        if before > 0 {
            tokio::time::sleep(SLOWER * before as u32).await;
        }
        let row = {
            let mut reader = self.store.reader().await?;
            read::application(&mut reader, By::Number, number).await?
        };
        // One answer, whether there is no such number or the code is another.
        let given = self.sealing.check(number, check);
        let row = row.filter(|row| same(&row.check_digest, &given));
        let Some(row) = row else {
            self.guesses.wrong(number, now);
            return Err(not_found());
        };
        let open = self.opened(row)?;
        let parts = self.opened_parts(&open.row).await?;
        let missing = match open.row.bundle {
            1 => missing_of(&parts),
            _ => open.body.missing().to_vec(),
        };
        Ok(Progress {
            number: open.row.number.clone(),
            title: open.title(),
            organisation: self.office(&open.row.organisation),
            state: open.state(),
            refusal: self.refusal(&open).await?,
            steps: views::steps(&open, false),
            due: self.due(&open).await?,
            missing: impersonal(&open, missing),
        })
    }
}

/// Compared in a time that does not tell where they differ.
fn same(a: &str, b: &str) -> bool {
    let differ = a
        .bytes()
        .zip(b.bytes())
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && differ == 0
}

/// What is missing, without names and numbers of persons.
fn impersonal(open: &Open, missing: Vec<Missing>) -> Vec<Missing> {
    if open.state() != ApplicationState::Correction {
        return vec![];
    }
    let applicant = &open.body.applicant;
    let holder = &applicant.holder;
    let agent = applicant.agent.as_deref().unwrap_or("");
    let personal = [
        holder.name.as_str(),
        &holder.number,
        &applicant.mobile,
        agent,
    ];
    let clean = |text: &str| {
        let known = personal.iter().filter(|word| word.chars().count() >= 2);
        let text = known.fold(text.to_string(), |text, word| text.replace(word, "***"));
        without_numbers(&text)
    };
    missing
        .into_iter()
        .map(|one| Missing {
            at: one.at,
            what: clean(&one.what),
        })
        .collect()
}

/// Runs of eleven digits and more are a number of somebody.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_digit() || (!run.is_empty() && (c == 'X' || c == 'x')) {
            run.push(c);
            continue;
        }
        match run.len() >= 11 {
            true => out.push_str("***"),
            false => out.push_str(&run),
        }
        run.clear();
        out.push(c);
    }
    out.pop();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_persons_are_left_out() {
        let check = |text: &str, expect: &str| assert_eq!(without_numbers(text), expect);
        check("身份证 13019919900101123X 不清晰", "身份证 *** 不清晰");
        check("电话13812345678", "电话***");
        check("第 3 页缺 2026 年审计", "第 3 页缺 2026 年审计");
        check("", "");
    }

    #[test]
    fn guesses_are_limited_and_forgotten() {
        let guesses = Guesses::default();
        let at = |minutes| Time(0) + Span::minutes(minutes);
        for n in 0..PER_NUMBER {
            assert_eq!(guesses.ask("a", at(0)), Ok(n));
            guesses.wrong("a", at(0));
        }
        assert_eq!(guesses.ask("a", at(5)), Err(600));
        assert_eq!(guesses.ask("b", at(5)), Ok(0));
        assert_eq!(guesses.ask("a", at(15)), Ok(0));
        for n in 0..OVERALL {
            guesses.wrong(&format!("n{n}"), at(20));
        }
        assert!(guesses.ask("never", at(20)).is_err());
        assert_eq!(guesses.ask("never", at(35)), Ok(0));
    }
}
