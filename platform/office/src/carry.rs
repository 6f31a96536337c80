//! Carrying: messages whose turn it is are claimed, handed to their carrier, and noted.
//!
//! Between the carrier's answer and our note the program may die. A claim that nobody ended is
//! then found by its time: the message is handed over once more, marked as maybe repeated, and
//! when that breaks off too it is given up. So a person gets it twice at most.

use crate::Centre;
use crate::queue::{Letter, place};
use crate::say::{Deed, change, record, to_json};
use futures::StreamExt;
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::messages::{Channel, Mail, Recipient};
use kernel::parties::Message;
use kernel::{Fault, Span, Time, Words, new_id};
use serde_json::json;
use std::sync::atomic::Ordering;
use store::messages::{self as rows, MessageRow};

/// Messages claimed in one transaction.
const BATCH: u64 = 50;
/// Batches of one run: a job comes to an end.
const BATCHES: usize = 100;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Taken by their carriers.
    pub sent: u64,
    /// To be tried again.
    pub failed: u64,
    /// Not to be tried again.
    pub given_up: u64,
}

/// How an attempt ended.
enum Outcome {
    Sent,
    /// Will never be taken.
    Never(Words),
    /// May be taken another time.
    Failed(Words),
    /// Nobody knows whether it was taken.
    Unsure(Words),
}

fn nobody_knows() -> Words {
    Words::new(
        "交给网关后没有得到答复，不知对方是否已收到",
        "handed to the carrier without an answer: it is not known whether it was taken",
    )
}

/// A way to the recipient.
enum Way {
    Sms(String),
    Email(String),
    Inbox,
}

impl Centre {
    /// Carries what is due. A job, and woken by [`Centre::wait_for_news`].
    pub async fn carry(&self) -> Result<Carried, Fault> {
        let mut carried = Carried::default();
        for _ in 0..BATCHES {
            let (mine, looked, ended) = self.claim().await?;
            carried.given_up += ended;
            let count = |outcome: &Result<&'static str, Fault>, carried: &mut Carried| match outcome
            {
                Ok("sent") => carried.sent += 1,
                Ok("given_up") => carried.given_up += 1,
                _ => carried.failed += 1,
            };
            let attempts = mine.into_iter().map(|row| self.attempt(row));
            let mut attempts =
                futures::stream::iter(attempts).buffer_unordered(self.limits.at_once);
            let mut trouble = None;
            while let Some(outcome) = attempts.next().await {
                count(&outcome, &mut carried);
                trouble = outcome.err().or(trouble);
            }
            if let Some(fault) = trouble {
                return Err(fault);
            }
            if looked < BATCH {
                break;
            }
        }
        let waiting = rows::waiting(&mut self.store.reader().await?).await?;
        self.waiting.store(waiting, Ordering::Relaxed);
        Ok(carried)
    }

    /// Claims messages whose turn it is; gives up those whose time is over. Answers those claimed,
    /// how many were looked at and how many given up.
    async fn claim(&self) -> Result<(Vec<MessageRow>, u64, u64), Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let due = rows::due(&mut tx, now.0, BATCH).await?;
        let looked = due.len() as u64;
        let (mut mine, mut ended) = (vec![], 0);
        for mut row in due {
            let held = row.claim.take();
            if row.state == "sending" {
                row.unsure += 1;
            }
            let over = row.until_at.is_some_and(|until| until <= now.0);
            let reason = if row.unsure > 1 {
                Some(nobody_knows())
            } else if over {
                Some(Words::new("已过时效", "its time is over"))
            } else {
                None
            };
            if let Some(reason) = reason {
                self.give_up_row(&mut tx, row, held.as_deref(), &reason, now)
                    .await?;
                ended += 1;
                continue;
            }
            row.state = "sending".into();
            row.claim = Some(new_id(now));
            row.attempts += 1;
            row.next_at = Some((now + self.limits.lease).0);
            if rows::put(&mut tx, &row, held.as_deref()).await? {
                mine.push(row);
            }
        }
        tx.commit().await?;
        Ok((mine, looked, ended))
    }

    async fn give_up_row(
        &self,
        tx: &mut store::Tx,
        mut row: MessageRow,
        held: Option<&str>,
        reason: &Words,
        now: Time,
    ) -> Result<(), Fault> {
        row.state = "given_up".into();
        row.reason = Some(to_json(reason)?);
        row.next_at = None;
        row.claim = None;
        row.done_at = Some(now.0);
        if !rows::put(tx, &row, held).await? {
            return Ok(());
        }
        tracing::warn!(message = %row.id, channel = %row.channel, "a message was given up");
        let deed = Deed {
            verb: "write",
            object: "messages",
            subject: &row.id,
            what: "given_up",
            details: json!({ "attempts": row.attempts }),
        };
        change(tx, now, &Actor::system(), deed).await
    }

    /// Hands one message over and notes what became of it; says where it stands then.
    async fn attempt(&self, row: MessageRow) -> Result<&'static str, Fault> {
        let letter: Letter = self.sealing.open(&place(&row.id), &row.sealed)?;
        let carried = tokio::time::timeout(self.limits.time_out, self.hand_over(&row, &letter));
        let outcome = match carried.await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Unsure(nobody_knows()),
        };
        self.note(row, &letter, outcome).await
    }

    async fn hand_over(&self, row: &MessageRow, letter: &Letter) -> Outcome {
        let (way, english) = match self.way(row, letter).await {
            Ok(Ok(found)) => found,
            Ok(Err(reason)) => return Outcome::Never(reason),
            Err(fault) => return Outcome::Failed(fault.words),
        };
        let said = |words: &Words| match english {
            true => words.en.clone(),
            false => words.zh.clone(),
        };
        let none = || {
            Outcome::Never(Words::new(
                "没有配置此方式的网关",
                "no gateway is configured for this channel",
            ))
        };
        let (to, answer) = match way {
            Way::Inbox => return Outcome::Sent,
            Way::Sms(_) if !self.sms.is_ready() => return none(),
            Way::Email(_) if !self.mail.is_ready() => return none(),
            Way::Sms(to) => {
                let text = said(&letter.text);
                let message = Message {
                    to: to.clone(),
                    text,
                };
                (to, self.sms.send(message).await)
            }
            Way::Email(to) => {
                let mail = Mail {
                    id: row.id.clone(),
                    to: to.clone(),
                    subject: said(&letter.subject),
                    text: said(&letter.text),
                };
                (to, self.mail.send(mail).await)
            }
        };
        match answer {
            Ok(()) => Outcome::Sent,
            Err(fault) => {
                // A carrier may repeat the recipient in what it says.
                let clean = |text: &str| text.replace(&to, &row.shown);
                let words = Words::new(clean(&fault.words.zh), clean(&fault.words.en));
                match fault.kind {
                    FaultKind::Invalid => Outcome::Never(words),
                    FaultKind::Internal => Outcome::Unsure(nobody_knows()),
                    _ => Outcome::Failed(words),
                }
            }
        }
    }

    /// How the recipient is reached, and whether in English; or why never.
    async fn way(
        &self,
        row: &MessageRow,
        letter: &Letter,
    ) -> Result<Result<(Way, bool), Words>, Fault> {
        let account = match &letter.to {
            Recipient::Mobile(number) => return Ok(Ok((Way::Sms(number.clone()), false))),
            Recipient::Email(address) => return Ok(Ok((Way::Email(address.clone()), false))),
            Recipient::Account(account) => account,
        };
        if Channel::parse(&row.channel) == Some(Channel::Inbox) {
            return Ok(Ok((Way::Inbox, false)));
        }
        let Some(reach) = self.addresses.reach(account).await? else {
            return Ok(Err(Words::new("账号不存在", "there is no such account")));
        };
        let way = match Channel::parse(&row.channel) {
            Some(Channel::Sms) => {
                let number = reach.mobile.as_deref().and_then(kernel::numbers::mobile);
                number.map(Way::Sms)
            }
            _ => {
                let address = reach.email.as_deref().and_then(crate::address::email);
                address.map(Way::Email)
            }
        };
        let none = Words::new(
            "收件人没有登记可用的号码或地址",
            "the recipient has no usable number or address",
        );
        Ok(way.map(|way| (way, reach.english)).ok_or(none))
    }

    async fn note(
        &self,
        mut row: MessageRow,
        letter: &Letter,
        outcome: Outcome,
    ) -> Result<&'static str, Fault> {
        let now = self.clock.now();
        let held = row.claim.take();
        let mut tx = self.store.begin().await?;
        let (reason, never) = match outcome {
            Outcome::Sent => (None, false),
            Outcome::Never(reason) => (Some(reason), true),
            Outcome::Failed(reason) => (Some(reason), row.attempts >= self.limits.attempts),
            Outcome::Unsure(reason) => {
                row.unsure += 1;
                let over = row.unsure > 1 || row.attempts >= self.limits.attempts;
                (Some(reason), over)
            }
        };
        let stands = match reason {
            None => {
                row.state = "sent".into();
                row.reason = None;
                row.next_at = None;
                row.done_at = Some(now.0);
                if rows::put(&mut tx, &row, held.as_deref()).await? {
                    if row.channel == "inbox" {
                        self.put_into_inbox(&mut tx, &row, letter).await?;
                    }
                    let deed = Deed {
                        verb: "write",
                        object: "messages",
                        subject: &row.id,
                        what: "sent",
                        details: json!({ "attempts": row.attempts }),
                    };
                    record(&mut tx, now, &Actor::system(), deed).await?;
                }
                "sent"
            }
            Some(reason) if never => {
                self.give_up_row(&mut tx, row, held.as_deref(), &reason, now)
                    .await?;
                "given_up"
            }
            Some(reason) => {
                row.state = "failed".into();
                row.reason = Some(to_json(&reason)?);
                row.next_at = Some((now + self.wait_after(row.attempts)).0);
                rows::put(&mut tx, &row, held.as_deref()).await?;
                "failed"
            }
        };
        tx.commit().await?;
        Ok(stands)
    }

    fn wait_after(&self, attempts: i64) -> Span {
        let times = 4_i64.saturating_pow(u32::try_from(attempts - 1).unwrap_or(0).min(20));
        Span(std::cmp::min(
            self.limits.wait.0.saturating_mul(times),
            self.limits.wait_limit.0,
        ))
    }

    /// Forgets what is long over. A job.
    pub async fn tidy(&self) -> Result<u64, Fault> {
        let before = self.clock.now() - self.limits.keep;
        let mut gone = 0;
        loop {
            let mut tx = self.store.begin().await?;
            let some = rows::sweep(&mut tx, before.0).await?;
            if some > 0 {
                let deed = Deed {
                    verb: "write",
                    object: "messages",
                    subject: "",
                    what: "expired",
                    details: json!({ "count": some }),
                };
                record(&mut tx, self.clock.now(), &Actor::system(), deed).await?;
            }
            tx.commit().await?;
            gone += some;
            if some == 0 {
                return Ok(gone);
            }
        }
    }

    /// Seals everything anew that is not under the newest key; says how many values. A job, and
    /// done before an old key is retired.
    pub async fn reseal(&self) -> Result<u64, Fault> {
        let mut done = 0;
        let mut after = String::new();
        loop {
            let mut tx = self.store.begin().await?;
            let page = rows::messages_after(&mut tx, &after).await?;
            let Some(last) = page.last() else { break };
            after = last.id.clone();
            for row in &page {
                if let Some(sealed) = self.sealing.anew(&place(&row.id), &row.sealed)? {
                    rows::put_sealed(&mut tx, &row.id, &sealed, false).await?;
                    done += 1;
                }
            }
            tx.commit().await?;
        }
        after.clear();
        loop {
            let mut tx = self.store.begin().await?;
            let page = rows::inbox_after(&mut tx, &after).await?;
            let Some(last) = page.last() else { break };
            after = last.id.clone();
            for row in &page {
                let place = crate::queue::inbox_place(&row.id);
                if let Some(sealed) = self.sealing.anew(&place, &row.sealed)? {
                    rows::put_sealed(&mut tx, &row.id, &sealed, true).await?;
                    done += 1;
                }
            }
            tx.commit().await?;
        }
        Ok(done)
    }
}
