//! What a process does to its application: functions of service tasks, each done once for its key.

use crate::body::Decision;
use crate::change::{Change, Open};
use crate::faults::{problem, refuse, said};
use crate::sources::document_of;
use crate::{Engine, TRIES, paying};
use kernel::access::Actor;
use kernel::applications::{ApplicationState, Delivery};
use kernel::cases::Served;
use kernel::items::{DeliveryWay, Item};
use kernel::licences::{Holder, HolderDocument, NewLicence};
use kernel::numbers::CreditCode;
use kernel::{Fault, Time, Words};
use serde_json::{Map, Value, json};
use store::applications::{Counts, read};

impl Engine {
    pub(crate) async fn served(
        &self,
        function: &str,
        key: &str,
        input: &Map<String, Value>,
    ) -> Result<Served, Fault> {
        let known = [
            "applications.decide",
            "applications.bill",
            "applications.note",
            "applications.licence",
        ];
        if !known.contains(&function) {
            return Err(Fault::missing(function));
        }
        if key.is_empty() || key.len() > 200 {
            return Err(Fault::invalid_at("key", "缺少幂等键", "the key is missing"));
        }
        for _ in 0..TRIES {
            let said = read::served(&mut self.store.reader().await?, key).await?;
            if let Some(said) = said {
                let answer = serde_json::from_str(&said);
                let answer = answer.map_err(|e| Fault::internal("reading an answer", e))?;
                return Ok(Served::Done(answer));
            }
            let open = self.of_input(input).await?;
            let fits = match function {
                "applications.note" => true,
                // A result follows what was approved a moment ago.
                "applications.licence" => matches!(
                    open.state(),
                    ApplicationState::Accepted | ApplicationState::Approved
                ),
                _ => open.state() == ApplicationState::Accepted,
            };
            if !fits {
                return Ok(Served::Refused {
                    code: "application_ended".into(),
                    variables: state_of(&open),
                });
            }
            let mut change = self.change(open);
            let answer = match function {
                "applications.decide" => self.decide(&mut change, input).await?,
                "applications.bill" => self.bill(&mut change).await?,
                "applications.licence" => self.issue(&mut change).await?,
                _ => note(&mut change, input)?,
            };
            let text = Value::Object(answer.clone()).to_string();
            change.write.served = Some((key.into(), change.open.row.id.clone(), text));
            let details = json!({ "function": function });
            change.audit(&Actor::system(), "write", "serve", details);
            let (write, _) = self.finish(change).await?;
            if self.put(write).await?.is_some() {
                return Ok(Served::Done(answer));
            }
        }
        Err(Fault::overloaded("applications", 1))
    }

    /// 准予 or 不予: the application is decided.
    async fn decide(
        &self,
        change: &mut Change,
        input: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Fault> {
        let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or("");
        let (reason, basis) = (text("reason").trim(), text("basis").trim());
        let mut problems = vec![];
        let approved = input.get("approved").and_then(Value::as_bool);
        if approved.is_none() {
            problems.push(problem(
                "approved",
                "须为 true 或 false",
                "must be true or false",
            ));
        }
        if approved == Some(false) {
            // 行政许可法第三十八条: a refusal says why.
            problems.extend(said("reason", reason, 2, 1_000));
            problems.extend(said("basis", basis, 2, 300));
        }
        refuse(problems)?;
        let approved = approved.unwrap_or(false);
        let on_time = self.on_time(&change.open).await?;
        let now = change.now;
        let state = match approved {
            true => ApplicationState::Approved,
            false => ApplicationState::Refused,
        };
        change.becomes(state);
        change.open.row.decided_at = Some(now.0);
        change.open.body.paused = false;
        change.open.body.decision = Some(Decision {
            approved,
            reason: reason.into(),
            basis: basis.into(),
            at: now,
        });
        let (what, words) = match approved {
            true => ("approved", Words::new("准予", "approved")),
            false => ("refused", self.state_words(&change.open).await?),
        };
        let note = match approved {
            true => reason.to_string(),
            false => format!("{reason}（{basis}）"),
        };
        change.step(what, words, Some(&note), true);
        change.letter(if approved { "approval" } else { "refusal" });
        change.notice(&format!("application_{what}"));
        let counts = Counts {
            decided: 1,
            on_time: i64::from(on_time),
            ..Counts::default()
        };
        change.count(now, counts);
        result(change, now);
        change.event(what);
        let mut answer = Map::new();
        answer.insert("approved".into(), approved.into());
        Ok(answer)
    }

    /// Was it decided within what the office promised? The clock of the case says, pauses left out;
    /// without a case the days since it was accepted.
    async fn on_time(&self, open: &Open) -> Result<bool, Fault> {
        let now = self.clock.now();
        if let (Some(case), Some(cases)) = (&open.row.case_id, self.cases.get()) {
            match cases.case(&Actor::system(), case).await {
                Ok(file) => {
                    if let Some(left) = file.case.promised.or(file.case.statutory) {
                        return Ok(now < left.due);
                    }
                }
                Err(fault) => tracing::warn!(%fault, case, "asking the clock of a case"),
            }
        }
        Ok(now.0 < open.row.due_at)
    }

    /// Bills what the item costs for these answers.
    async fn bill(&self, change: &mut Change) -> Result<Map<String, Value>, Fault> {
        let row = &change.open.row;
        let item = self.version_of(&row.item, row.item_version).await?;
        let fees = self.means.items.fees(&item, &change.open.body.answers);
        let before = change.open.body.bills.len();
        paying::add_bills(change, &fees);
        let bills = &change.open.body.bills;
        let new: Vec<Value> = bills[before..]
            .iter()
            .map(|b| b.id.clone().into())
            .collect();
        let fen: i64 = bills[before..].iter().map(|bill| bill.fen).sum();
        if new.is_empty() {
            // Nothing to pay: whoever waits for the payment goes on.
            change.message();
        } else {
            let words = Words::new("请缴费", "please pay");
            change.step("billed", words, None, true);
            change.notice("application_billed");
            change.event("billed");
        }
        let mut answer = Map::new();
        answer.insert("fees_fen".into(), fen.into());
        answer.insert("bills".into(), new.into());
        Ok(answer)
    }

    /// Issues the licence the item results in; once, whatever happens in between.
    async fn issue(&self, change: &mut Change) -> Result<Map<String, Value>, Fault> {
        let row = &change.open.row;
        let item = self.version_of(&row.item, row.item_version).await?;
        let Some(kind) = &item.content.outcome.licence else {
            return Err(Fault::invalid_at(
                "licence",
                "该事项的结果不是电子证照",
                "the item does not result in a licence",
            ));
        };
        let new = NewLicence {
            kind: kind.clone(),
            source: format!("application/{}/licence", row.id),
            holder: holder_of(&change.open, &item)?,
            fields: fields_of(&change.open, &item),
            number: None,
            serial: None,
            issued_on: None,
            valid_from: None,
            valid_to: None,
            grade: None,
        };
        let issued = self.means.licences.issue(&Actor::system(), &[new]).await?;
        let none = || Fault::internal("issuing a licence", "none came");
        let identifier = issued.into_iter().next().ok_or_else(none)?.identifier;
        let licences = &mut change.open.body.licences;
        if !licences.contains(&identifier) {
            licences.push(identifier.clone());
            let words = Words::new("已制发电子证照", "the licence was issued");
            change.step("licensed", words, None, true);
            change.event("licensed");
        }
        let mut answer = Map::new();
        answer.insert("licence_identifier".into(), identifier.into());
        Ok(answer)
    }
}

/// How the result reaches its holder from now on.
fn result(change: &mut Change, now: Time) {
    let way = change.open.body.wanted.as_ref().map(|wanted| wanted.way);
    let way = way.unwrap_or(DeliveryWay::Electronic);
    let at_once = way == DeliveryWay::Electronic;
    change.open.body.delivery = Some(Delivery {
        way,
        state: if at_once { "electronic" } else { "waiting" }.into(),
        tracking: None,
        at: at_once.then_some(now),
    });
    change.open.row.undelivered = i64::from(!at_once);
}

/// Where an application stands, for a process that asks too late.
fn state_of(open: &Open) -> Map<String, Value> {
    let mut variables = Map::new();
    variables.insert("application_state".into(), open.state().word().into());
    variables
}

/// A step in words, for the applicant.
fn note(change: &mut Change, input: &Map<String, Value>) -> Result<Map<String, Value>, Fault> {
    let words = input.get("words").cloned().unwrap_or_default();
    let text = |language: &str| words[language].as_str().unwrap_or("").to_string();
    let words = Words::new(text("zh"), text("en"));
    let problems = [
        said("words/zh", &words.zh, 2, 200),
        said("words/en", &words.en, 2, 200),
    ];
    refuse(problems.into_iter().flatten().collect())?;
    change.step("note", words, None, true);
    Ok(Map::new())
}

/// The holder of the result: the applicant, or whom fields of the form name.
fn holder_of(open: &Open, item: &Item) -> Result<Holder, Fault> {
    let applicant = &open.body.applicant.holder;
    let Some(paths) = &item.content.outcome.holder else {
        return Ok(applicant.clone());
    };
    let field = |path: &str| {
        let name = path.strip_prefix("form.").unwrap_or(path);
        let value = open.body.answers.get(name).and_then(Value::as_str);
        value.map(|value| value.trim().to_string())
    };
    let (Some(number), Some(name)) = (field(&paths.number), field(&paths.name)) else {
        return Err(Fault::invalid_at(
            "holder",
            "申请表中没有持证人的号码或姓名",
            "the form names no holder",
        ));
    };
    let document = match CreditCode::parse(&number) {
        Ok(_) => HolderDocument::CreditCode,
        Err(_) => document_of(&number),
    };
    Ok(Holder {
        document,
        number,
        name,
    })
}

/// Fields of the licence, from where the item says they are.
fn fields_of(open: &Open, item: &Item) -> Map<String, Value> {
    let holder = &open.body.applicant.holder;
    let value = |path: &String| -> Option<Value> {
        if let Some(constant) = path.strip_prefix('=') {
            return Some(constant.into());
        }
        match path.as_str() {
            "applicant.name" => Some(holder.name.clone().into()),
            "applicant.number" => Some(holder.number.clone().into()),
            "number" => Some(open.row.number.clone().into()),
            _ => open.body.answers.get(path.strip_prefix("form.")?).cloned(),
        }
    };
    let fields = item.content.outcome.fields.iter();
    fields
        .filter_map(|(name, path)| Some((name.clone(), value(path)?)))
        .collect()
}
