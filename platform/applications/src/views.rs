//! What pages show of what is kept, with personal values masked for those who may not see them.

use crate::body::{Applicant, StepBody};
use crate::bundle::counts_of;
use crate::change::Open;
use crate::faults::state_words;
use crate::{ACCEPTANCE, Engine};
use kernel::applications::{ApplicantLine, Application, ApplicationState, Step};
use kernel::cases::{Left, Light};
use kernel::items::Channel;
use kernel::{Fault, Time, Words, facts, numbers};
use serde_json::{Map, Value};
use store::applications::NEVER;
use store::applications::read::{self, By};

/// Depth to which values of answers are masked; deeper ones are withheld.
const DEPTH: usize = 8;

/// The word of a channel.
pub(crate) fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Web => "web",
        Channel::Phone => "phone",
        Channel::Counter => "counter",
        Channel::Terminal => "terminal",
        Channel::Hotline => "hotline",
    }
}

/// From its word.
pub(crate) fn channel_of(word: &str) -> Channel {
    match word {
        "phone" => Channel::Phone,
        "counter" => Channel::Counter,
        "terminal" => Channel::Terminal,
        "hotline" => Channel::Hotline,
        _ => Channel::Web,
    }
}

/// A number of the state with its middle replaced: `1301**********1234`.
pub(crate) fn masked_number(number: &str) -> String {
    let length = number.chars().count();
    if length < 12 {
        return numbers::mask_number(number);
    }
    let shown = |i: usize| i < 4 || i + 4 >= length;
    number
        .chars()
        .enumerate()
        .map(|(i, c)| if shown(i) { c } else { '*' })
        .collect()
}

/// An applicant as pages show them. Credit codes are public.
pub(crate) fn applicant_line(applicant: &Applicant, clear: bool) -> ApplicantLine {
    let holder = &applicant.holder;
    let natural = holder.is_natural();
    ApplicantLine {
        name: holder.name.clone(),
        number: match natural && !clear {
            true => masked_number(&holder.number),
            false => holder.number.clone(),
        },
        natural,
        agent: applicant.agent.clone(),
    }
}

/// The same for somebody who may not see names either.
pub(crate) fn masked_line(applicant: &Applicant) -> ApplicantLine {
    let mut line = applicant_line(applicant, false);
    if line.natural {
        line.name = numbers::mask_name(&line.name);
    }
    line.agent = line.agent.map(|agent| numbers::mask_name(&agent));
    line
}

/// A personal value with most of its characters replaced.
pub(crate) fn masked_value(value: &Value, depth: usize) -> Value {
    match value {
        Value::String(text) if text.chars().count() >= 15 && text.is_ascii() => {
            masked_number(text).into()
        }
        Value::String(text) => facts::masked(text).into(),
        Value::Array(list) if depth < DEPTH => {
            list.iter().map(|v| masked_value(v, depth + 1)).collect()
        }
        Value::Object(map) if depth < DEPTH => {
            let masked = map.iter();
            let masked = masked.map(|(k, v)| (k.clone(), masked_value(v, depth + 1)));
            Value::Object(masked.collect::<Map<_, _>>())
        }
        Value::Null => Value::Null,
        _ => "***".into(),
    }
}

/// Steps; the notes only for those who may see them.
pub(crate) fn steps(open: &Open, clear: bool) -> Vec<Step> {
    let all = open.body.steps.iter().map(|one| step(one, clear));
    let all = all.map(|mut step| {
        // Earlier versions wrote where a bundle stands as if its applicant had said so.
        let said = matches!(
            step.what.as_str(),
            "accepted" | "approved" | "refused" | "terminated"
        );
        if open.row.bundle == 1 && said && step.office.is_none() {
            step.office = Some(open.row.organisation.clone());
        }
        step
    });
    all.collect()
}

fn step(step: &StepBody, clear: bool) -> Step {
    let mut words = step.words.clone();
    if let Some(note) = step.note.as_ref().filter(|_| clear) {
        words = Words::new(
            format!("{}：{note}", words.zh),
            format!("{}: {note}", words.en),
        );
    }
    Step {
        at: step.at,
        what: step.what.clone(),
        words,
        office: step.office.clone(),
    }
}

impl Engine {
    /// The organisation that has the work of this one now.
    pub(crate) fn office(&self, code: &str) -> String {
        let heir = self.means.offices.successor(code);
        heir.unwrap_or_else(|| code.into())
    }

    /// What a refusal of this application is called; `None` of one that was not refused. Of a bundle
    /// it is the refusal of a part, which says it itself.
    pub(crate) async fn refusal(&self, open: &Open) -> Result<Option<Words>, Fault> {
        if open.state() != ApplicationState::Refused {
            return Ok(None);
        }
        if open.row.bundle == 1 {
            let words = Words::new("有事项未获准", "not all of it granted");
            return Ok(Some(words));
        }
        let item = self.version_of(&open.row.item, open.row.item_version);
        Ok(Some(item.await?.content.refusing().words()))
    }

    /// Where an application stands, in words.
    pub(crate) async fn state_words(&self, open: &Open) -> Result<Words, Fault> {
        let refusal = self.refusal(open).await?;
        Ok(refusal.unwrap_or_else(|| state_words(open.state())))
    }

    /// An application as lists show it.
    pub(crate) async fn line(&self, open: &Open, clear: bool) -> Result<Application, Fault> {
        let parts = self.opened_parts(&open.row).await?;
        self.line_with(open, &parts, clear).await
    }

    /// The same for one whose parts are known.
    pub(crate) async fn line_with(
        &self,
        open: &Open,
        parts: &[Open],
        clear: bool,
    ) -> Result<Application, Fault> {
        let (row, body) = (&open.row, &open.body);
        let part_of = match &row.parent {
            Some(parent) => {
                let mut reader = self.store.reader().await?;
                let parent = read::application(&mut reader, By::Id, parent).await?;
                parent.map(|parent| parent.number)
            }
            None => None,
        };
        Ok(Application {
            id: row.id.clone(),
            number: row.number.clone(),
            item: row.item.clone(),
            item_version: row.item_version,
            title: open.title(),
            organisation: self.office(&row.organisation),
            channel: channel_of(&row.channel),
            applicant: match clear {
                true => applicant_line(&body.applicant, true),
                false => masked_line(&body.applicant),
            },
            state: open.state(),
            part_of,
            case: row.case_id.clone(),
            submitted_at: Time(row.submitted_at),
            accepted_at: row.accepted_at.map(Time),
            decided_at: row.decided_at.map(Time),
            due: self.due(open).await?,
            delivery: body.delivery.clone(),
            rating: row.rating.and_then(|mark| u8::try_from(mark).ok()),
            refusal: self.refusal(open).await?,
            parts: (row.bundle == 1).then(|| counts_of(parts)),
            version: row.version,
        })
    }

    /// What is left of the clock that runs.
    pub(crate) async fn due(&self, open: &Open) -> Result<Option<Left>, Fault> {
        let row = &open.row;
        let limit = match open.state() {
            ApplicationState::Submitted => ACCEPTANCE,
            ApplicationState::Accepted => open.body.promised,
            _ => return Ok(None),
        };
        if row.due_at == NEVER {
            return Ok(None);
        }
        let now = self.clock.now();
        let mut left = self.means.days.until(Time(row.due_at), limit, now).await?;
        if open.body.paused {
            left.light = Light::Paused;
        }
        Ok(Some(left))
    }
}
