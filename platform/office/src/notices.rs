//! Notices (通知公告): published to the public, to every member or to organisations, for a time,
//! with who has read and confirmed them.

use crate::Engine;
use crate::desk::{MEMBERS, MOST, PUBLIC, cut, organisation_scope, own_item};
use crate::say::{Deed, body, change, conflict, from_json, line, problem, record, refuse, to_json};
use kernel::access::{Actor, Verb};
use kernel::office::{
    Audience, BODY_LIMIT, Member, NewNotice, Notice, Notices, Readers, Receipt, TITLE_LIMIT,
};
use kernel::page::{Page, Part};
use kernel::{Fault, Problem, Time, new_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use store::office::{self as rows, ItemRow, Items, PersonRow};

/// Kind of the item.
const NOTICE: &str = "notice";

#[derive(Serialize, Deserialize)]
struct Body {
    title: String,
    body: String,
    files: Vec<String>,
    audience: Audience,
    pinned: bool,
    confirm: bool,
    organisation: Option<String>,
    reason: Option<String>,
}

fn scopes(audience: &Audience) -> Vec<String> {
    match audience {
        Audience::Public => vec![PUBLIC.into()],
        Audience::Members => vec![MEMBERS.into()],
        Audience::Organisations(codes) => {
            let codes: BTreeSet<&String> = codes.iter().collect();
            codes
                .into_iter()
                .map(|code| organisation_scope(code))
                .collect()
        }
    }
}

fn shows(item: &ItemRow, now: Time) -> bool {
    item.state == "open"
        && item.from_at.is_some_and(|from| from <= now.0)
        && item.to_at.is_none_or(|to| now.0 < to)
}

/// Is a notice shown now to somebody with these scopes?
pub(crate) fn is_shown_to(item: &ItemRow, seen: &[String], now: Time) -> Result<bool, Fault> {
    let body: Body = from_json(&item.body)?;
    let inside = scopes(&body.audience).iter().any(|s| seen.contains(s));
    Ok(inside && shows(item, now))
}

fn shown(item: &ItemRow, person: Option<&PersonRow>, whole: bool) -> Result<Notice, Fault> {
    let body: Body = from_json(&item.body)?;
    Ok(Notice {
        id: item.id.clone(),
        title: body.title,
        body: if whole { body.body } else { String::new() },
        files: body.files,
        audience: body.audience,
        from: Time(item.from_at.unwrap_or(item.at)),
        to: item.to_at.map(Time),
        pinned: body.pinned,
        confirm: body.confirm,
        organisation: body.organisation,
        by: Some(item.owner.clone()),
        at: Time(item.at),
        withdrawn_at: item.ended_at.map(Time),
        read_at: person.and_then(|p| p.read_at).map(Time),
        confirmed_at: person
            .filter(|_| body.confirm)
            .and_then(|p| p.done_at)
            .map(Time),
    })
}

fn for_the_public(mut notice: Notice) -> Notice {
    notice.by = None;
    notice
}

fn time_problems(new: &NewNotice, now: Time) -> Vec<Problem> {
    let mut found = vec![];
    let from = new.from.unwrap_or(now);
    if new.to.is_some_and(|to| to <= from || to <= now) {
        found.push(problem(
            "to",
            "截止时间须在开始时间和现在之后",
            "it must end after it begins and after now",
        ));
    }
    let most = now + kernel::Span::days(366);
    if new.from.is_some_and(|from| from > most) {
        found.push(problem("from", "最多提前一年", "a year ahead at most"));
    }
    found
}

impl Engine {
    /// Publishing to organisations beyond one's own, to all members or to the public takes
    /// `operate`.
    fn publisher(&self, by: &Actor, audience: &Audience) -> Result<(Actor, Member), Fault> {
        let (actor, me) = self.member(by, Verb::Write)?;
        let own = match audience {
            Audience::Organisations(codes) => codes.iter().all(|code| {
                let scope = &by.standing.scope;
                scope.iter().any(|inside| inside == code) || me.organisation == *code
            }),
            _ => false,
        };
        if own {
            return Ok((actor, me));
        }
        self.member(by, Verb::Operate)
    }

    fn audience_problems(&self, audience: &Audience) -> Vec<Problem> {
        let Audience::Organisations(codes) = audience else {
            return vec![];
        };
        if !(1..=100).contains(&codes.len()) {
            return vec![problem(
                "audience",
                "机构应为 1 至 100 个",
                "1 to 100 organisations",
            )];
        }
        let unknown = |(_, code): &(usize, &String)| {
            self.members.of_organisation(Some(code.as_str())).is_none()
        };
        let unknown = codes.iter().enumerate().filter(unknown);
        unknown
            .map(|(number, _)| {
                problem(
                    format!("audience/organisations/{number}"),
                    "没有这个机构",
                    "there is no such organisation",
                )
            })
            .collect()
    }

    pub(crate) async fn put_up(&self, by: &Actor, new: NewNotice) -> Result<Notice, Fault> {
        let (actor, me) = self.publisher(by, &new.audience)?;
        let now = self.clock.now();
        let mut problems = time_problems(&new, now);
        problems.extend(line("title", &new.title, 1, TITLE_LIMIT));
        problems.extend(body("body", &new.body, 1, BODY_LIMIT));
        problems.extend(self.audience_problems(&new.audience));
        problems.extend(self.file_problems(by, &new.files).await?);
        if new.confirm && new.audience == Audience::Public {
            problems.push(problem(
                "confirm",
                "面向公众的公告不能要求确认阅读",
                "the public cannot be asked to confirm",
            ));
        }
        refuse(problems)?;
        let id = new_id(now);
        let body = Body {
            title: new.title.trim().into(),
            body: new.body.clone(),
            files: new.files.clone(),
            audience: new.audience.clone(),
            pinned: new.pinned,
            confirm: new.confirm,
            organisation: Some(me.organisation.clone()),
            reason: None,
        };
        let item = ItemRow {
            kind: NOTICE.into(),
            owner: me.account.clone(),
            at: now.0,
            state: "open".into(),
            sort: format!("{}{id}", u8::from(new.pinned)),
            thread: None,
            from_at: Some(new.from.unwrap_or(now).0),
            to_at: new.to.map(|t| t.0),
            remind_at: None,
            ended_at: None,
            body: to_json(&body)?,
            version: 1,
            id,
        };
        let mut tx = self.store.begin().await?;
        rows::add(&mut tx, &item, &[], &scopes(&new.audience), &new.files).await?;
        let details = json!({ "audience": new.audience, "title": body.title });
        change(
            &mut tx,
            now,
            &actor,
            deed(&item.id, "write", "notice_published", details),
        )
        .await?;
        tx.commit().await?;
        shown(&item, None, true)
    }

    pub(crate) async fn list_notices(
        &self,
        by: &Actor,
        which: Notices,
        part: &Part,
    ) -> Result<Page<Notice>, Fault> {
        let (_, me) = self.member(by, Verb::Read)?;
        let scopes = self.notice_scopes(&me);
        let wanted = match which {
            Notices::Published => Items::Of(&me.account),
            _ => Items::Shown {
                now: self.clock.now().0,
                scopes: &scopes,
                unread_by: (which == Notices::Unread).then_some(me.account.as_str()),
            },
        };
        let mut reader = self.store.reader().await?;
        let (size, after) = (part.size(), part.after.as_deref());
        let (mut found, total) = rows::list(&mut reader, NOTICE, &wanted, after, size + 1).await?;
        let next = cut(&mut found, size, |item| item.sort.clone());
        let mut items = vec![];
        for item in &found {
            let person = rows::person(&mut reader, &item.id, &me.account).await?;
            items.push(shown(item, person.as_ref(), false)?);
        }
        Ok(Page { items, next, total })
    }

    pub(crate) async fn list_public(&self, part: &Part) -> Result<Page<Notice>, Fault> {
        let scopes = [PUBLIC.to_string()];
        let wanted = Items::Shown {
            now: self.clock.now().0,
            scopes: &scopes,
            unread_by: None,
        };
        let mut reader = self.store.reader().await?;
        let (size, after) = (part.size(), part.after.as_deref());
        let (mut found, total) = rows::list(&mut reader, NOTICE, &wanted, after, size + 1).await?;
        let next = cut(&mut found, size, |item| item.sort.clone());
        let items = found
            .iter()
            .map(|item| shown(item, None, false).map(for_the_public));
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next,
            total,
        })
    }

    pub(crate) async fn one_public(&self, id: &str) -> Result<Notice, Fault> {
        let mut reader = self.store.reader().await?;
        let found = rows::item(&mut reader, id).await?;
        let found = found.filter(|item| item.kind == NOTICE);
        let item = found.ok_or_else(|| Fault::missing(NOTICE))?;
        let seen = [PUBLIC.to_string()];
        if !is_shown_to(&item, &seen, self.clock.now())? {
            return Err(Fault::missing(NOTICE));
        }
        shown(&item, None, true).map(for_the_public)
    }

    /// Shows a notice and notes that it was read, or confirmed.
    pub(crate) async fn look_at_notice(
        &self,
        by: &Actor,
        id: &str,
        confirm: bool,
    ) -> Result<Notice, Fault> {
        let verb = if confirm { Verb::Handle } else { Verb::Read };
        let (actor, me) = self.member(by, verb)?;
        let now = self.clock.now();
        let mut reader = self.store.reader().await?;
        let found = rows::item(&mut reader, id).await?;
        let found = found.filter(|item| item.kind == NOTICE);
        let item = found.ok_or_else(|| Fault::missing(NOTICE))?;
        let scopes = self.notice_scopes(&me);
        let mine = is_shown_to(&item, &scopes, now)?;
        if !mine && item.owner != me.account {
            return Err(Fault::missing(NOTICE));
        }
        let known = rows::person(&mut reader, id, &me.account).await?;
        drop(reader);
        let must: Body = from_json(&item.body)?;
        if confirm && !(must.confirm && mine) {
            return Err(conflict(
                "此通知不需要您确认",
                "this notice is not yours to confirm",
            ));
        }
        let done = confirm || !must.confirm;
        let stands = known.as_ref().map(|p| p.state.as_str());
        if !mine || stands == Some("done") || (stands == Some("read") && !done) {
            return shown(&item, known.as_ref(), true);
        }
        let person = PersonRow {
            item: id.into(),
            account: me.account.clone(),
            kind: NOTICE.into(),
            place: 0,
            state: if done { "done" } else { "read" }.into(),
            came_at: None,
            read_at: known.as_ref().and_then(|p| p.read_at).or(Some(now.0)),
            done_at: done.then_some(now.0),
            urged_at: None,
            body: "{}".into(),
        };
        let mut tx = self.store.begin().await?;
        let written = match &known {
            Some(known) => rows::put_person(&mut tx, &person, &known.state).await?,
            None => rows::add_person(&mut tx, &person).await?,
        };
        if written {
            let (verb, what) = match confirm {
                true => ("handle", "notice_confirmed"),
                false => ("read", "notice_read"),
            };
            record(&mut tx, now, &actor, deed(id, verb, what, json!({}))).await?;
            tx.commit().await?;
            return shown(&item, Some(&person), true);
        }
        let known = rows::person(&mut tx, id, &me.account).await?;
        shown(&item, known.as_ref(), true)
    }

    /// Accounts a notice is for.
    fn audience(&self, audience: &Audience) -> BTreeSet<String> {
        let everybody = |code| self.members.of_organisation(code).unwrap_or_default();
        match audience {
            Audience::Public | Audience::Members => everybody(None).into_iter().collect(),
            Audience::Organisations(codes) => {
                let all = codes.iter().flat_map(|code| everybody(Some(code)));
                all.collect()
            }
        }
    }

    pub(crate) async fn list_readers(
        &self,
        by: &Actor,
        id: &str,
        which: Readers,
        part: &Part,
    ) -> Result<Page<Receipt>, Fault> {
        let (_, me) = self.member(by, Verb::Read)?;
        let mut reader = self.store.reader().await?;
        let item = own_item(&mut reader, id, NOTICE, &me.account).await?;
        let (size, after) = (part.size(), part.after.as_deref());
        let done = ["done"];
        if which == Readers::Read {
            let (mut found, total) =
                rows::people_by_account(&mut reader, id, &done, after, size + 1).await?;
            let next = cut(&mut found, size, |person| person.account.clone());
            let items = found.into_iter().map(|person| Receipt {
                name: self.name_of(&person.account),
                account: person.account,
                read_at: person.read_at.map(Time),
            });
            let items = items.collect();
            return Ok(Page { items, next, total });
        }
        let body: Body = from_json(&item.body)?;
        let mut left = self.audience(&body.audience);
        let mut last: Option<String> = None;
        loop {
            let (found, _) =
                rows::people_by_account(&mut reader, id, &done, last.as_deref(), MOST).await?;
            for person in &found {
                left.remove(&person.account);
            }
            last = found.last().map(|person| person.account.clone());
            if (found.len() as u64) < MOST {
                break;
            }
        }
        let total = left.len() as u64;
        let beyond = left
            .into_iter()
            .filter(|a| after.is_none_or(|after| a.as_str() > after));
        let mut accounts: Vec<String> = beyond.take(size as usize + 1).collect();
        let next = cut(&mut accounts, size, Clone::clone);
        let mut items = vec![];
        for account in accounts {
            let person = rows::person(&mut reader, id, &account).await?;
            items.push(Receipt {
                name: self.name_of(&account),
                account,
                read_at: person.and_then(|p| p.read_at).map(Time),
            });
        }
        Ok(Page { items, next, total })
    }

    pub(crate) async fn take_down(
        &self,
        by: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<Notice, Fault> {
        let (actor, me) = self.member(by, Verb::Write)?;
        refuse(line("reason", reason, 2, 200).into_iter().collect())?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut item = own_item(&mut tx, id, NOTICE, &me.account).await?;
        if item.state != "open" {
            return Err(conflict("通知已撤回", "it was withdrawn already"));
        }
        let mut body: Body = from_json(&item.body)?;
        body.reason = Some(reason.trim().into());
        item.body = to_json(&body)?;
        item.state = "withdrawn".into();
        item.ended_at = Some(now.0);
        item.version += 1;
        rows::put_item(&mut tx, &item).await?;
        let details = json!({ "reason": reason.trim() });
        change(
            &mut tx,
            now,
            &actor,
            deed(id, "write", "notice_withdrawn", details),
        )
        .await?;
        tx.commit().await?;
        shown(&item, None, true)
    }
}

fn deed<'a>(
    subject: &'a str,
    verb: &'a str,
    what: &'a str,
    details: serde_json::Value,
) -> Deed<'a> {
    Deed {
        verb,
        object: "office",
        subject,
        what,
        details,
    }
}
