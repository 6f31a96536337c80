//! The queue: a message is checked, worded and kept, within the transaction of what it tells of.

use crate::Centre;
use crate::address::{email, mask_email};
use crate::say::{Deed, body, problem, record, refuse, unprintable};
use crate::template::{fill_words, subject_fields};
use kernel::access::Actor;
use kernel::messages::{
    Channel, FIELD_LIMIT, NewMessage, Queued, Recipient, SMS_LIMIT, SUBJECT_LIMIT, TEXT_LIMIT,
    Template,
};
use kernel::numbers::{mask_mobile, mobile};
use kernel::{Fault, Problem, Span, Time, Words, new_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::atomic::Ordering;
use store::Tx;
use store::messages::{self as rows, InboxRow, MessageRow};

/// What of a message lies sealed. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Letter {
    /// To whom.
    pub(crate) to: Recipient,
    /// Subject.
    pub(crate) subject: Words,
    /// Text; for a short message that of the template's short message.
    pub(crate) text: Words,
}

/// What of an entry of an inbox lies sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) subject: Words,
    pub(crate) text: Words,
}

/// Where a message is sealed for.
pub(crate) fn place(id: &str) -> String {
    format!("messages/{id}")
}
/// Where an entry is sealed for.
pub(crate) fn inbox_place(id: &str) -> String {
    format!("inbox/{id}")
}

/// The recipient in its sound form and as an operator sees it.
fn recipient(new: &NewMessage) -> Result<(Recipient, String), Problem> {
    let wrong = |zh: &str, en: &str| Err(problem("to", zh, en));
    match (&new.to, new.channel) {
        (Recipient::Account(account), _) => {
            let sound = (1..=100).contains(&account.len()) && !account.contains(char::is_control);
            if !sound {
                return wrong("账号名不对", "the account name is wrong");
            }
            Ok((new.to.clone(), account.clone()))
        }
        (Recipient::Mobile(number), Channel::Sms) => match mobile(number) {
            Some(number) => {
                let shown = mask_mobile(&number);
                Ok((Recipient::Mobile(number), shown))
            }
            None => wrong("不是手机号码", "not a mobile number"),
        },
        (Recipient::Email(address), Channel::Email) => match email(address) {
            Some(address) => {
                let shown = mask_email(&address);
                Ok((Recipient::Email(address), shown))
            }
            None => wrong("不是电子邮件地址", "not an e-mail address"),
        },
        _ => wrong(
            "此方式不能发给这样的收件人",
            "this channel does not reach such a recipient",
        ),
    }
}

fn field_problems(new: &NewMessage, template: &Template) -> Vec<Problem> {
    let mut found = vec![];
    let one_line = subject_fields(&template.words);
    for name in &template.fields {
        let at = format!("fields/{name}");
        let Some(value) = new.fields.get(name) else {
            found.push(problem(at, "缺少此字段", "this field is missing"));
            continue;
        };
        let broken = one_line.contains(name) && value.contains(['\n', '\r']);
        if value.chars().count() > FIELD_LIMIT || value.contains(unprintable) || broken {
            found.push(problem(
                at,
                format!("最多 {FIELD_LIMIT} 字，不能有控制字符，用于标题的不能换行"),
                format!("{FIELD_LIMIT} characters at most, no control characters, one line when it stands in the subject"),
            ));
        }
    }
    // What the program says of everything, and these words leave out, is not said.
    let filled = crate::defaults::filled(&new.template).unwrap_or_default();
    let known = |name: &&String| template.fields.contains(name) || filled.contains(name);
    for name in new.fields.keys().filter(|name| !known(name)) {
        let shown: String = name.chars().take(60).collect();
        found.push(problem(
            format!("fields/{shown}"),
            "模板没有此字段",
            "the template has no such field",
        ));
    }
    found
}

/// What the message says, or what is wrong with it.
fn word(new: &NewMessage, template: &Template) -> Result<(Words, Words), Vec<Problem>> {
    let mut problems = field_problems(new, template);
    let words = &template.words;
    if new.channel == Channel::Sms && words.sms.zh.is_empty() {
        problems.push(problem(
            "channel",
            "模板没有短信文本",
            "the template has no text for short messages",
        ));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let subject = fill_words(&words.subject, &new.fields);
    let (text, most) = match new.channel {
        Channel::Sms => (&words.sms, SMS_LIMIT),
        _ => (&words.text, TEXT_LIMIT),
    };
    let text = fill_words(text, &new.fields);
    for (language, said) in [("zh", &text.zh), ("en", &text.en)] {
        problems.extend(body(&format!("text/{language}"), said, 1, most));
    }
    if new.channel != Channel::Sms {
        for (language, said) in [("zh", &subject.zh), ("en", &subject.en)] {
            let at = format!("subject/{language}");
            problems.extend(crate::say::line(&at, said, 1, SUBJECT_LIMIT + FIELD_LIMIT));
        }
    }
    if problems.is_empty() {
        Ok((subject, text))
    } else {
        Err(problems)
    }
}

fn time_problems(new: &NewMessage, now: Time) -> Vec<Problem> {
    let mut found = vec![];
    if new.until.is_some_and(|until| until <= now) {
        found.push(problem("until", "期限已过", "it is over already"));
    }
    if new.not_before.is_some_and(|t| t > now + Span::days(400)) {
        found.push(problem(
            "not_before",
            "最多提前 400 天",
            "400 days ahead at most",
        ));
    }
    if let (Some(from), Some(to)) = (new.not_before, new.until)
        && to <= from
    {
        found.push(problem(
            "until",
            "期限须在发送时间之后",
            "it must be after not_before",
        ));
    }
    found
}

impl Centre {
    /// Takes a message within a transaction.
    pub(crate) async fn take(
        &self,
        tx: &mut Tx,
        by: &Actor,
        new: NewMessage,
    ) -> Result<Queued, Fault> {
        let worded = self.worded(&new, self.clock.now()).await;
        self.take_worded(tx, by, new, worded).await
    }

    /// The same once it is worded; one that was taken before is not judged again.
    pub(crate) async fn take_worded(
        &self,
        tx: &mut Tx,
        by: &Actor,
        new: NewMessage,
        worded: Result<(Letter, String), Fault>,
    ) -> Result<Queued, Fault> {
        if let Some(found) = rows::message_once(tx, &new.once).await? {
            return Ok(Queued {
                id: found.id,
                fresh: false,
            });
        }
        let now = self.clock.now();
        let (letter, shown) = worded?;
        let later = new.not_before.filter(|at| *at > now);
        let at_once = new.channel == Channel::Inbox && later.is_none();
        if !at_once && self.waiting.load(Ordering::Relaxed) >= self.limits.waiting {
            return Err(Fault::overloaded("messages", 60));
        }
        let id = new_id(now);
        let account = match &letter.to {
            Recipient::Account(account) => Some(account.clone()),
            _ => None,
        };
        let row = MessageRow {
            sealed: self.sealing.seal(&place(&id), &letter)?,
            once: new.once.clone(),
            channel: new.channel.word().into(),
            account,
            shown,
            template: new.template.clone(),
            about: new.about.clone(),
            state: if at_once { "sent" } else { "queued" }.into(),
            attempts: i64::from(at_once),
            unsure: 0,
            claim: None,
            reason: None,
            at: now.0,
            next_at: (!at_once).then_some(later.unwrap_or(now).0),
            until_at: new.until.map(|t| t.0),
            done_at: at_once.then_some(now.0),
            by_account: by.account.clone(),
            id,
        };
        if !rows::add(tx, &row).await? {
            // Another process was first.
            let found = rows::message_once(tx, &new.once).await?;
            let found = found.ok_or_else(|| Fault::internal("sending a message", "gone"))?;
            return Ok(Queued {
                id: found.id,
                fresh: false,
            });
        }
        if at_once {
            self.put_into_inbox(tx, &row, &letter).await?;
        }
        let details = json!({
            "channel": row.channel, "template": row.template, "about": row.about,
        });
        let deed = Deed {
            verb: "write",
            object: "messages",
            subject: &row.id,
            what: "queued",
            details,
        };
        record(tx, now, by, deed).await?;
        Ok(Queued {
            id: row.id,
            fresh: true,
        })
    }

    /// Checks everything of a message and words it.
    pub(crate) async fn worded(
        &self,
        new: &NewMessage,
        now: Time,
    ) -> Result<(Letter, String), Fault> {
        let mut problems = time_problems(new, now);
        problems.extend(crate::say::line("once", &new.once, 1, 200));
        problems.extend(crate::say::line("about", &new.about, 0, 200));
        let to = recipient(new).map_err(|found| problems.push(found));
        let known = self.find_template(&new.template).await?;
        if known.is_none() {
            problems.push(problem(
                "template",
                "没有这个消息模板",
                "there is no such template",
            ));
        }
        let said = known.map(|template| word(new, &template));
        let said = match said {
            Some(Err(found)) => {
                problems.extend(found);
                None
            }
            Some(Ok(said)) => Some(said),
            None => None,
        };
        match (to, said) {
            (Ok((to, shown)), Some((subject, text))) if problems.is_empty() => {
                Ok((Letter { to, subject, text }, shown))
            }
            _ => Err(Fault::invalid(problems)),
        }
    }

    /// Puts a message into the inbox of the account it goes to.
    pub(crate) async fn put_into_inbox(
        &self,
        tx: &mut Tx,
        row: &MessageRow,
        letter: &Letter,
    ) -> Result<(), Fault> {
        let entry = Entry {
            subject: letter.subject.clone(),
            text: letter.text.clone(),
        };
        let now = self.clock.now();
        let id = new_id(now);
        let row = InboxRow {
            sealed: self.sealing.seal(&inbox_place(&id), &entry)?,
            account: row.account.clone().unwrap_or_default(),
            at: now.0,
            about: row.about.clone(),
            read_at: None,
            id,
        };
        rows::add_inbox(tx, &row).await
    }

    /// A message was taken: somebody may be waiting for it.
    pub(crate) fn taken(&self, queued: &Queued) {
        if queued.fresh {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            self.news.notify_one();
        }
    }

    /// Checks what an operator says.
    pub(crate) fn reason(&self, reason: &str) -> Result<(), Fault> {
        refuse(
            crate::say::line("reason", reason, 2, 200)
                .into_iter()
                .collect(),
        )
    }
}
