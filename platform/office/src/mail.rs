//! Mail (内部邮件) between members: to people, positions and organisations, in threads, with
//! receipts, and taken back from those who have not read it.

use crate::Engine;
use crate::desk::{MOST, cut, own_item};
use crate::say::{Deed, body, change, conflict, from_json, line, problem, record, refuse, to_json};
use kernel::access::{Actor, Verb};
use kernel::office::{
    Addressee, BODY_LIMIT, Folder, Member, NewMail, OfficeMail, PEOPLE_LIMIT, Recalled, Receipt,
    TITLE_LIMIT,
};
use kernel::page::{Page, Part};
use kernel::{Fault, Problem, Time, new_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use store::Run;
use store::office::{self as rows, ItemRow, Items, PersonRow};

/// Kind of the item.
const MAIL: &str = "mail";
/// Mails of a thread shown at once.
const THREAD: usize = 200;

#[derive(Serialize, Deserialize)]
struct Body {
    from_name: String,
    to: Vec<Addressee>,
    subject: String,
    body: String,
    files: Vec<String>,
    reply_to: Option<String>,
    forward_of: Option<String>,
}

/// Who looks at a mail.
enum Looks<'a> {
    Sender { sent_to: u64, read_by: u64 },
    Recipient(&'a PersonRow),
}

async fn sender(run: &mut impl Run, item: &ItemRow) -> Result<Looks<'static>, Fault> {
    let read_by = rows::count_people(run, &item.id, "read").await?;
    let unread = rows::count_people(run, &item.id, "unread").await?;
    Ok(Looks::Sender {
        sent_to: read_by + unread,
        read_by,
    })
}

impl Engine {
    /// Accounts meant by those a mail is addressed to.
    fn resolve(&self, to: &[Addressee], problems: &mut Vec<Problem>) -> BTreeSet<String> {
        let mut people = BTreeSet::new();
        if !(1..=50).contains(&to.len()) {
            problems.push(problem("to", "收件人应为 1 至 50 项", "1 to 50 addressees"));
            return people;
        }
        for (number, addressee) in to.iter().enumerate() {
            let found = match addressee {
                Addressee::Account(account) => {
                    self.members.member(account).map(|m| vec![m.account])
                }
                Addressee::Position(position) => self.members.of_position(position),
                Addressee::Organisation(code) => self.members.of_organisation(Some(code)),
            };
            match found {
                Some(accounts) => people.extend(accounts),
                None => problems.push(problem(
                    format!("to/{number}"),
                    "没有这个人员、岗位或机构",
                    "there is no such member, position or organisation",
                )),
            }
        }
        if problems.is_empty() && people.is_empty() {
            problems.push(problem("to", "目前没有人在岗", "nobody is there now"));
        }
        if people.len() > PEOPLE_LIMIT {
            problems.push(problem(
                "to",
                format!("共 {} 人，最多 {PEOPLE_LIMIT} 人", people.len()),
                format!("{} people, {PEOPLE_LIMIT} at most", people.len()),
            ));
        }
        people
    }

    /// A mail somebody wrote or got.
    async fn visible(
        &self,
        run: &mut impl Run,
        id: &str,
        account: &str,
    ) -> Result<Option<(ItemRow, Option<PersonRow>)>, Fault> {
        let Some(item) = rows::item(run, id).await?.filter(|i| i.kind == MAIL) else {
            return Ok(None);
        };
        let person = rows::person(run, id, account).await?;
        let person = person.filter(|p| p.state != "taken_back");
        let visible = item.owner == account || person.is_some();
        Ok(visible.then_some((item, person)))
    }

    fn mail_shown(
        &self,
        item: &ItemRow,
        looks: Looks<'_>,
        whole: bool,
    ) -> Result<OfficeMail, Fault> {
        let body: Body = from_json(&item.body)?;
        let (read_at, sent_to, read_by) = match looks {
            Looks::Sender { sent_to, read_by } => (None, sent_to, read_by),
            Looks::Recipient(person) => (person.read_at.map(Time), 0, 0),
        };
        Ok(OfficeMail {
            id: item.id.clone(),
            thread: item.thread.clone().unwrap_or_default(),
            from: item.owner.clone(),
            from_name: body.from_name,
            to_names: body
                .to
                .iter()
                .map(|to| self.name_of_addressee(to))
                .collect(),
            to: body.to,
            subject: body.subject,
            body: if whole { body.body } else { String::new() },
            files: body.files,
            at: Time(item.at),
            reply_to: body.reply_to,
            forward_of: body.forward_of,
            read_at,
            recalled_at: item.ended_at.map(Time),
            sent_to,
            read_by,
        })
    }

    fn name_of_addressee(&self, to: &Addressee) -> String {
        match to {
            Addressee::Account(account) => self.name_of(account),
            Addressee::Position(code) | Addressee::Organisation(code) => code.clone(),
        }
    }

    pub(crate) async fn post(&self, by: &Actor, new: NewMail) -> Result<OfficeMail, Fault> {
        let (actor, me) = self.member(by, Verb::Handle)?;
        let mut problems = vec![];
        let people = self.resolve(&new.to, &mut problems);
        problems.extend(line("subject", &new.subject, 1, TITLE_LIMIT));
        problems.extend(body("body", &new.body, 0, BODY_LIMIT));
        problems.extend(self.file_problems(by, &new.files).await?);
        let mut thread = None;
        for (at, id) in [("reply_to", &new.reply_to), ("forward_of", &new.forward_of)] {
            let Some(id) = id else { continue };
            let mut reader = self.store.reader().await?;
            match self.visible(&mut reader, id, &me.account).await? {
                Some((item, _)) => thread = thread.or(item.thread),
                None => problems.push(problem(at, "没有这封邮件", "there is no such mail")),
            }
        }
        refuse(problems)?;
        let now = self.clock.now();
        let id = new_id(now);
        let item = mail_row(&id, &me, thread, &new, now)?;
        let person = |account: &String| PersonRow {
            item: id.clone(),
            account: account.clone(),
            kind: MAIL.into(),
            place: 0,
            state: "unread".into(),
            came_at: Some(now.0),
            read_at: None,
            done_at: None,
            urged_at: None,
            body: "{}".into(),
        };
        let people: Vec<PersonRow> = people.iter().map(person).collect();
        let mut tx = self.store.begin().await?;
        rows::add(&mut tx, &item, &people, &[], &new.files).await?;
        let details = json!({ "people": people.len(), "files": new.files.len() });
        change(&mut tx, now, &actor, deed(&id, "mail_sent", details)).await?;
        tx.commit().await?;
        let looks = Looks::Sender {
            sent_to: people.len() as u64,
            read_by: 0,
        };
        self.mail_shown(&item, looks, true)
    }

    pub(crate) async fn list_mails(
        &self,
        by: &Actor,
        folder: Folder,
        part: &Part,
    ) -> Result<Page<OfficeMail>, Fault> {
        let (_, me) = self.member(by, Verb::Read)?;
        let mut reader = self.store.reader().await?;
        let (size, after) = (part.size(), part.after.as_deref());
        if folder == Folder::Sent {
            let of = Items::Of(&me.account);
            let (mut found, total) = rows::list(&mut reader, MAIL, &of, after, size + 1).await?;
            let next = cut(&mut found, size, |item| item.id.clone());
            let mut items = vec![];
            for item in &found {
                items.push(self.mail_shown(item, sender(&mut reader, item).await?, false)?);
            }
            return Ok(Page { items, next, total });
        }
        let states: &[&str] = match folder {
            Folder::Unread => &["unread"],
            _ => &["read", "unread"],
        };
        let (mut people, total) =
            rows::of_account(&mut reader, &me.account, MAIL, states, after, size + 1).await?;
        let next = cut(&mut people, size, |person| person.item.clone());
        let ids: Vec<String> = people.iter().map(|p| p.item.clone()).collect();
        let found = rows::items(&mut reader, &ids).await?;
        let mut items = vec![];
        for person in &people {
            if let Some(item) = found.iter().find(|item| item.id == person.item) {
                items.push(self.mail_shown(item, Looks::Recipient(person), false)?);
            }
        }
        Ok(Page { items, next, total })
    }

    pub(crate) async fn open_mail(&self, by: &Actor, id: &str) -> Result<OfficeMail, Fault> {
        let (actor, me) = self.member(by, Verb::Read)?;
        let missing = || Fault::missing(MAIL);
        let mut reader = self.store.reader().await?;
        let found = self.visible(&mut reader, id, &me.account).await?;
        let (item, person) = found.ok_or_else(missing)?;
        drop(reader);
        let person = match person {
            Some(person) if person.state == "unread" => {
                let now = self.clock.now();
                let mut tx = self.store.begin().await?;
                let read = PersonRow {
                    state: "read".into(),
                    read_at: Some(now.0),
                    ..person
                };
                // Taken back in this moment: there is no such mail any more.
                if rows::put_person(&mut tx, &read, "unread").await? {
                    record(&mut tx, now, &actor, deed(id, "mail_read", json!({}))).await?;
                    tx.commit().await?;
                    Some(read)
                } else {
                    let found = self.visible(&mut tx, id, &me.account).await?;
                    found.ok_or_else(missing)?.1
                }
            }
            other => other,
        };
        match &person {
            Some(person) if item.owner != me.account => {
                self.mail_shown(&item, Looks::Recipient(person), true)
            }
            _ => {
                let mut reader = self.store.reader().await?;
                let mut mail = self.mail_shown(&item, sender(&mut reader, &item).await?, true)?;
                mail.read_at = person.and_then(|p| p.read_at).map(Time);
                Ok(mail)
            }
        }
    }

    pub(crate) async fn mails_of_thread(
        &self,
        by: &Actor,
        id: &str,
    ) -> Result<Vec<OfficeMail>, Fault> {
        let (_, me) = self.member(by, Verb::Read)?;
        let mut reader = self.store.reader().await?;
        let found = self.visible(&mut reader, id, &me.account).await?;
        let (item, _) = found.ok_or_else(|| Fault::missing(MAIL))?;
        let thread = item.thread.unwrap_or_default();
        let mut mails = vec![];
        for item in rows::thread(&mut reader, &thread).await? {
            if mails.len() == THREAD {
                break;
            }
            if item.owner == me.account {
                mails.push(self.mail_shown(&item, sender(&mut reader, &item).await?, true)?);
                continue;
            }
            let person = rows::person(&mut reader, &item.id, &me.account).await?;
            if let Some(person) = person.filter(|p| p.state != "taken_back") {
                // What is not read yet shows its subject only: opening it is the receipt.
                let whole = person.state == "read";
                mails.push(self.mail_shown(&item, Looks::Recipient(&person), whole)?);
            }
        }
        Ok(mails)
    }

    pub(crate) async fn list_receipts(
        &self,
        by: &Actor,
        id: &str,
        part: &Part,
    ) -> Result<Page<Receipt>, Fault> {
        let (_, me) = self.member(by, Verb::Read)?;
        let mut reader = self.store.reader().await?;
        own_item(&mut reader, id, MAIL, &me.account).await?;
        let (size, after) = (part.size(), part.after.as_deref());
        let states = ["read", "unread"];
        let (mut found, total) =
            rows::people_by_account(&mut reader, id, &states, after, size + 1).await?;
        let next = cut(&mut found, size, |person| person.account.clone());
        let items = found.into_iter().map(|person| Receipt {
            name: self.name_of(&person.account),
            account: person.account,
            read_at: person.read_at.map(Time),
        });
        Ok(Page {
            items: items.collect(),
            next,
            total,
        })
    }

    pub(crate) async fn take_back(&self, by: &Actor, id: &str) -> Result<Recalled, Fault> {
        let (actor, me) = self.member(by, Verb::Handle)?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut item = own_item(&mut tx, id, MAIL, &me.account).await?;
        let taken_back = rows::move_people(&mut tx, id, "unread", "taken_back").await?;
        if taken_back == 0 {
            return Err(conflict(
                "没有可撤回的收件人：都已阅读或已撤回",
                "nothing to take back: all have read it, or it was taken back",
            ));
        }
        let (kept, _) = rows::people_by_account(&mut tx, id, &["read"], None, MOST).await?;
        item.ended_at = Some(now.0);
        item.version += 1;
        rows::put_item(&mut tx, &item).await?;
        let details = json!({ "taken_back": taken_back, "kept": kept.len() });
        change(&mut tx, now, &actor, deed(id, "mail_recalled", details)).await?;
        tx.commit().await?;
        Ok(Recalled {
            taken_back,
            kept_by: kept.into_iter().map(|person| person.account).collect(),
        })
    }
}

fn deed<'a>(subject: &'a str, what: &'a str, details: serde_json::Value) -> Deed<'a> {
    Deed {
        verb: if what == "mail_read" {
            "read"
        } else {
            "handle"
        },
        object: "office",
        subject,
        what,
        details,
    }
}

fn mail_row(
    id: &str,
    me: &Member,
    thread: Option<String>,
    new: &NewMail,
    now: Time,
) -> Result<ItemRow, Fault> {
    let body = Body {
        from_name: me.name.clone(),
        to: new.to.clone(),
        subject: new.subject.trim().into(),
        body: new.body.clone(),
        files: new.files.clone(),
        reply_to: new.reply_to.clone(),
        forward_of: new.forward_of.clone(),
    };
    Ok(ItemRow {
        id: id.into(),
        kind: MAIL.into(),
        owner: me.account.clone(),
        at: now.0,
        state: "open".into(),
        sort: id.into(),
        thread: Some(thread.unwrap_or_else(|| id.into())),
        from_at: None,
        to_at: None,
        remind_at: None,
        ended_at: None,
        body: to_json(&body)?,
        version: 1,
    })
}
