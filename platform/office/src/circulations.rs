//! Circulated documents (公文传阅、会签): a list of readers, one after the other or all at once,
//! each with a receipt and an opinion, urged when they are slow, finished when all have read.

use crate::Engine;
use crate::desk::{cut, own_item};
use crate::say::{Deed, body, change, conflict, from_json, line, problem, record, refuse, to_json};
use kernel::access::{Actor, Verb};
use kernel::office::*;
use kernel::page::{Page, Part};
use kernel::{Fault, Problem, Span, Time, new_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use store::office::{self as rows, ItemRow, Items, PersonRow};
use store::{Run, Tx};

/// Kind of the item.
const ROUND: &str = "circulation";
/// Somebody is urged once in this time.
const URGE_EVERY: Span = Span::hours(1);

#[derive(Serialize, Deserialize)]
struct Body {
    title: String,
    body: String,
    files: Vec<String>,
    round: Round,
    countersign: bool,
    from_name: String,
    due: Option<i64>,
    reason: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Said {
    name: String,
    agrees: Option<bool>,
    opinion: String,
}

fn form() -> Fault {
    Fault::internal("reading a circulated document", "state of the store")
}

fn reader(person: &PersonRow) -> Result<Reader, Fault> {
    let said: Said = from_json(&person.body)?;
    let state = match person.state.as_str() {
        "waiting" => ReaderState::Waiting,
        "open" => ReaderState::Open,
        "received" => ReaderState::Received,
        "done" => ReaderState::Done,
        // The sender ended it before they were done.
        "gone" if person.read_at.is_some() => ReaderState::Received,
        "gone" if person.came_at.is_some() => ReaderState::Open,
        "gone" => ReaderState::Waiting,
        _ => return Err(form()),
    };
    Ok(Reader {
        account: person.account.clone(),
        name: said.name,
        place: person.place.unsigned_abs(),
        state,
        came_at: person.came_at.map(Time),
        received_at: person.read_at.map(Time),
        done_at: person.done_at.map(Time),
        agrees: said.agrees,
        opinion: said.opinion,
        urged_at: person.urged_at.map(Time),
    })
}

/// How a document looks; with its people when it is looked at by itself.
async fn shown(
    run: &mut impl Run,
    item: &ItemRow,
    people: Option<&[PersonRow]>,
    account: &str,
) -> Result<Circulation, Fault> {
    let body: Body = from_json(&item.body)?;
    let done = rows::count_people(run, &item.id, "done").await?;
    let mut of = done;
    for state in ["waiting", "open", "received", "gone"] {
        of += rows::count_people(run, &item.id, state).await?;
    }
    let sees =
        |r: &Reader| item.owner == account || r.account == account || r.state == ReaderState::Done;
    let readers: Result<Vec<Reader>, Fault> =
        people.unwrap_or_default().iter().map(reader).collect();
    Ok(Circulation {
        id: item.id.clone(),
        title: body.title,
        body: if people.is_some() {
            body.body
        } else {
            String::new()
        },
        files: body.files,
        round: body.round,
        countersign: body.countersign,
        from: item.owner.clone(),
        from_name: body.from_name,
        at: Time(item.at),
        due: body.due.map(Time),
        state: match item.state.as_str() {
            "running" => CirculationState::Running,
            "finished" => CirculationState::Finished,
            "withdrawn" => CirculationState::Withdrawn,
            _ => return Err(form()),
        },
        ended_at: item.ended_at.map(Time),
        done,
        of,
        readers: readers?.into_iter().filter(sees).collect(),
        version: item.version,
    })
}

fn deed<'a>(subject: &'a str, what: &'a str, details: serde_json::Value) -> Deed<'a> {
    Deed {
        verb: "handle",
        object: "office",
        subject,
        what,
        details,
    }
}

fn about(id: &str) -> String {
    format!("{ROUND}/{id}")
}

fn opinion_problems(body: &Body, said: &Opinion) -> Vec<Problem> {
    let mut found = vec![];
    found.extend(crate::say::body("opinion", &said.opinion, 0, OPINION_LIMIT));
    match (body.countersign, said.agrees) {
        (true, None) => found.push(problem(
            "agrees",
            "会签须表明同意或不同意",
            "say whether you agree",
        )),
        (false, Some(_)) => found.push(problem(
            "agrees",
            "传阅件不需要表明同意与否",
            "this document asks for no agreement",
        )),
        (true, Some(false)) if said.opinion.trim().is_empty() => found.push(problem(
            "opinion",
            "不同意的须写明意见",
            "who does not agree says why",
        )),
        _ => {}
    }
    found
}

impl Engine {
    fn reader_problems(&self, readers: &[String]) -> Vec<Problem> {
        if !(1..=PEOPLE_LIMIT).contains(&readers.len()) {
            return vec![problem(
                "readers",
                format!("阅签人应为 1 至 {PEOPLE_LIMIT} 人"),
                format!("1 to {PEOPLE_LIMIT} readers"),
            )];
        }
        let mut seen = BTreeSet::new();
        let mut found = vec![];
        for (number, account) in readers.iter().enumerate() {
            let at = format!("readers/{number}");
            if !seen.insert(account) {
                found.push(problem(at, "阅签人重复", "this reader is named twice"));
            } else if self.members.member(account).is_none() {
                found.push(problem(at, "没有这个人员", "there is no such member"));
            }
        }
        found
    }

    pub(crate) async fn send_round(
        &self,
        by: &Actor,
        new: NewCirculation,
    ) -> Result<Circulation, Fault> {
        let (actor, me) = self.member(by, Verb::Handle)?;
        let now = self.clock.now();
        let mut problems = vec![];
        problems.extend(line("title", &new.title, 1, TITLE_LIMIT));
        problems.extend(body("body", &new.body, 0, BODY_LIMIT));
        problems.extend(self.reader_problems(&new.readers));
        problems.extend(self.file_problems(by, &new.files).await?);
        if new
            .due
            .is_some_and(|due| due <= now || due > now + Span::days(366))
        {
            problems.push(problem(
                "due",
                "期限须在现在之后一年以内",
                "it must be due within a year from now",
            ));
        }
        refuse(problems)?;
        let id = new_id(now);
        let kept = Body {
            title: new.title.trim().into(),
            body: new.body,
            files: new.files.clone(),
            round: new.round,
            countersign: new.countersign,
            from_name: me.name.clone(),
            due: new.due.map(|t| t.0),
            reason: None,
        };
        // Urged a day before it is due, or at half time when that is less.
        let urge = |due: Time| {
            let day_before = due - Span::days(1);
            let half = now + Span((due.0 - now.0) / 2);
            std::cmp::max(day_before, half).0
        };
        let item = ItemRow {
            kind: ROUND.into(),
            owner: me.account.clone(),
            at: now.0,
            state: "running".into(),
            sort: id.clone(),
            thread: None,
            from_at: None,
            to_at: None,
            remind_at: new.due.map(urge),
            ended_at: None,
            body: to_json(&kept)?,
            version: 1,
            id: id.clone(),
        };
        let mut people = vec![];
        for (number, account) in new.readers.iter().enumerate() {
            let turn = number == 0 || new.round == Round::Parallel;
            let said = Said {
                name: self.name_of(account),
                ..Said::default()
            };
            people.push(PersonRow {
                item: id.clone(),
                account: account.clone(),
                kind: ROUND.into(),
                place: number as i64 + 1,
                state: if turn { "open" } else { "waiting" }.into(),
                came_at: turn.then_some(now.0),
                read_at: None,
                done_at: None,
                urged_at: None,
                body: to_json(&said)?,
            });
        }
        let mut tx = self.store.begin().await?;
        rows::add(&mut tx, &item, &people, &[], &new.files).await?;
        for person in people.iter().filter(|p| p.state == "open") {
            self.tell_turn(&mut tx, &actor, &item, &kept, &person.account)
                .await?;
        }
        let details = json!({ "readers": people.len(), "round": new.round });
        change(&mut tx, now, &actor, deed(&id, "circulation_sent", details)).await?;
        let answer = shown(&mut tx, &item, Some(&people), &me.account).await?;
        tx.commit().await?;
        Ok(answer)
    }

    async fn tell_turn(
        &self,
        tx: &mut Tx,
        by: &Actor,
        item: &ItemRow,
        body: &Body,
        account: &str,
    ) -> Result<(), Fault> {
        let fields = [
            ("title", body.title.clone()),
            ("from", body.from_name.clone()),
        ];
        let once = format!("{ROUND}/{}/{account}/turn", item.id);
        let about = about(&item.id);
        self.tell(tx, by, account, ("office_turn", once), &about, &fields)
            .await
    }

    pub(crate) async fn list_circulations(
        &self,
        by: &Actor,
        which: Circulations,
        part: &Part,
    ) -> Result<Page<Circulation>, Fault> {
        let (_, me) = self.member(by, Verb::Read)?;
        let mut run = self.store.reader().await?;
        let (size, after) = (part.size(), part.after.as_deref());
        let (found, next, total) = if which == Circulations::Sent {
            let of = Items::Of(&me.account);
            let (mut found, total) = rows::list(&mut run, ROUND, &of, after, size + 1).await?;
            let next = cut(&mut found, size, |item| item.id.clone());
            (found, next, total)
        } else {
            let states: &[&str] = match which {
                Circulations::Done => &["done"],
                _ => &["open", "received"],
            };
            let (mut people, total) =
                rows::of_account(&mut run, &me.account, ROUND, states, after, size + 1).await?;
            let next = cut(&mut people, size, |person| person.item.clone());
            let ids: Vec<String> = people.iter().map(|p| p.item.clone()).collect();
            let mut found = rows::items(&mut run, &ids).await?;
            found.sort_by(|a, b| b.id.cmp(&a.id));
            (found, next, total)
        };
        let mut items = vec![];
        for item in &found {
            items.push(shown(&mut run, item, None, &me.account).await?);
        }
        Ok(Page { items, next, total })
    }

    /// A document its sender or a reader whose turn it is or was may see.
    async fn round_of(
        &self,
        run: &mut impl Run,
        id: &str,
        account: &str,
    ) -> Result<(ItemRow, Option<PersonRow>), Fault> {
        let missing = || Fault::missing("circulated document");
        let found = rows::item(run, id).await?;
        let item = found.filter(|i| i.kind == ROUND).ok_or_else(missing)?;
        let person = rows::person(run, id, account).await?;
        let turn = person.filter(|p| !matches!(p.state.as_str(), "waiting" | "gone"));
        if item.owner != account && turn.is_none() {
            return Err(missing());
        }
        Ok((item, turn))
    }

    pub(crate) async fn open_circulation(
        &self,
        by: &Actor,
        id: &str,
    ) -> Result<Circulation, Fault> {
        let (actor, me) = self.member(by, Verb::Read)?;
        let mut run = self.store.reader().await?;
        let (item, person) = self.round_of(&mut run, id, &me.account).await?;
        let opens = person.as_ref().is_some_and(|p| p.state == "open");
        if opens && item.state == "running" {
            drop(run);
            let now = self.clock.now();
            let mut tx = self.store.begin().await?;
            if let Some(person) = person {
                let received = PersonRow {
                    state: "received".into(),
                    read_at: Some(now.0),
                    ..person
                };
                if rows::put_person(&mut tx, &received, "open").await? {
                    record(
                        &mut tx,
                        now,
                        &actor,
                        deed(id, "circulation_received", json!({})),
                    )
                    .await?;
                }
            }
            let people = rows::people(&mut tx, id).await?;
            let answer = shown(&mut tx, &item, Some(&people), &me.account).await?;
            tx.commit().await?;
            return Ok(answer);
        }
        let people = rows::people(&mut run, id).await?;
        shown(&mut run, &item, Some(&people), &me.account).await
    }

    pub(crate) async fn sign_circulation(
        &self,
        by: &Actor,
        id: &str,
        opinion: Opinion,
    ) -> Result<Circulation, Fault> {
        let (actor, me) = self.member(by, Verb::Handle)?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let (mut item, person) = self.round_of(&mut tx, id, &me.account).await?;
        let kept: Body = from_json(&item.body)?;
        if item.state != "running" {
            return Err(conflict("传阅已经结束", "it is over already"));
        }
        let Some(person) = person else {
            return Err(conflict("您不是阅签人", "you are not one of its readers"));
        };
        if person.state == "done" {
            return Err(conflict("您已经阅签", "you are done with it already"));
        }
        refuse(opinion_problems(&kept, &opinion))?;
        let stood = person.state.clone();
        let mut said: Said = from_json(&person.body)?;
        said.agrees = opinion.agrees;
        said.opinion = opinion.opinion.trim().into();
        let signed = PersonRow {
            state: "done".into(),
            read_at: person.read_at.or(Some(now.0)),
            done_at: Some(now.0),
            body: to_json(&said)?,
            ..person
        };
        if !rows::put_person(&mut tx, &signed, &stood).await? {
            return Err(conflict("您已经阅签", "you are done with it already"));
        }
        let mut people = rows::people(&mut tx, id).await?;
        self.pass_on(&mut tx, &actor, &item, &kept, &mut people)
            .await?;
        if people.iter().all(|p| p.state == "done") {
            item.state = "finished".into();
            item.ended_at = Some(now.0);
            item.remind_at = None;
            let fields = [
                ("title", kept.title.clone()),
                ("count", people.len().to_string()),
            ];
            let once = format!("{ROUND}/{id}/round");
            let owner = item.owner.clone();
            self.tell(
                &mut tx,
                &actor,
                &owner,
                ("office_round", once),
                &about(id),
                &fields,
            )
            .await?;
        }
        item.version += 1;
        rows::put_item(&mut tx, &item).await?;
        let details = json!({ "agrees": said.agrees });
        change(
            &mut tx,
            now,
            &actor,
            deed(id, "circulation_signed", details),
        )
        .await?;
        let answer = shown(&mut tx, &item, Some(&people), &me.account).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// One after the other: opens it for the next when nobody has it.
    async fn pass_on(
        &self,
        tx: &mut Tx,
        by: &Actor,
        item: &ItemRow,
        body: &Body,
        people: &mut [PersonRow],
    ) -> Result<(), Fault> {
        let has = |p: &PersonRow| matches!(p.state.as_str(), "open" | "received");
        if people.iter().any(has) {
            return Ok(());
        }
        let Some(next) = people.iter_mut().find(|p| p.state == "waiting") else {
            return Ok(());
        };
        next.state = "open".into();
        next.came_at = Some(self.clock.now().0);
        rows::put_person(tx, next, "waiting").await?;
        self.tell_turn(tx, by, item, body, &next.account).await
    }

    pub(crate) async fn urge_circulation(&self, by: &Actor, id: &str) -> Result<u64, Fault> {
        let (actor, me) = self.member(by, Verb::Handle)?;
        let mut tx = self.store.begin().await?;
        let item = own_item(&mut tx, id, ROUND, &me.account).await?;
        if item.state != "running" {
            return Err(conflict("传阅已经结束", "it is over already"));
        }
        let urged = self.urge_all(&mut tx, &actor, &item).await?;
        if urged == 0 {
            return Err(conflict(
                "待阅人员一小时内都已催办过",
                "everybody it waits for was urged within the hour",
            ));
        }
        tx.commit().await?;
        Ok(urged)
    }

    /// Urges those whose turn it is and who were not urged of late.
    pub(crate) async fn urge_all(
        &self,
        tx: &mut Tx,
        by: &Actor,
        item: &ItemRow,
    ) -> Result<u64, Fault> {
        let now = self.clock.now();
        let body: Body = from_json(&item.body)?;
        let mut urged = 0;
        for person in rows::people(tx, &item.id).await? {
            let turn = matches!(person.state.as_str(), "open" | "received");
            let late = person.urged_at.is_none_or(|at| at <= (now - URGE_EVERY).0);
            if !(turn && late) {
                continue;
            }
            let stood = person.state.clone();
            let person = PersonRow {
                urged_at: Some(now.0),
                ..person
            };
            rows::put_person(tx, &person, &stood).await?;
            let once = format!("{ROUND}/{}/{}/urge/{}", item.id, person.account, now.0);
            let fields = [
                ("title", body.title.clone()),
                ("from", body.from_name.clone()),
            ];
            let about = about(&item.id);
            self.tell(
                tx,
                by,
                &person.account,
                ("office_urge", once),
                &about,
                &fields,
            )
            .await?;
            urged += 1;
        }
        if urged > 0 {
            let details = json!({ "urged": urged });
            change(tx, now, by, deed(&item.id, "circulation_urged", details)).await?;
        }
        Ok(urged)
    }

    pub(crate) async fn end_circulation(
        &self,
        by: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<Circulation, Fault> {
        let (actor, me) = self.member(by, Verb::Handle)?;
        refuse(line("reason", reason, 2, 200).into_iter().collect())?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut item = own_item(&mut tx, id, ROUND, &me.account).await?;
        if item.state != "running" {
            return Err(conflict("传阅已经结束", "it is over already"));
        }
        let mut kept: Body = from_json(&item.body)?;
        kept.reason = Some(reason.trim().into());
        item.body = to_json(&kept)?;
        item.state = "withdrawn".into();
        item.ended_at = Some(now.0);
        item.remind_at = None;
        item.version += 1;
        rows::put_item(&mut tx, &item).await?;
        // It waits on nobody's desk any more; who has read it still finds it.
        for state in ["waiting", "open", "received"] {
            rows::move_people(&mut tx, id, state, "gone").await?;
        }
        let people = rows::people(&mut tx, id).await?;
        let answer = shown(&mut tx, &item, Some(&people), &me.account).await?;
        let details = json!({ "reason": reason.trim() });
        change(
            &mut tx,
            now,
            &actor,
            deed(id, "circulation_withdrawn", details),
        )
        .await?;
        tx.commit().await?;
        Ok(answer)
    }
}
