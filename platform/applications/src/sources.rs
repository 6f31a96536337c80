//! What the city knows already: values that are filled in, and materials nobody has to bring.

use crate::body::{Applicant, DraftBody};
use crate::faults::problem;
use crate::settle::of_part;
use crate::{Engine, faults};
use kernel::access::{Actor, Grant};
use kernel::applications::{MaterialState, Prefilled};
use kernel::fault::{FaultKind, Problem};
use kernel::items::{DeliveryWay, Item, Material, Source};
use kernel::licences::HolderDocument;
use kernel::numbers::{self, CitizenNumber};
use kernel::records::Record;
use kernel::{Fault, Words};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::audit::AuditEntry;

/// Purpose and basis under which somebody's own data are filled into their own form.
const OWN_PURPOSE: &str = "本人申请办事时预填本人信息";
const OWN_BASIS: &str = "《中华人民共和国个人信息保护法》第十三条；本人申请";

/// An item with the parts it bundles, and what a draft's answers mean for them.
pub(crate) struct Whole {
    pub(crate) item: Arc<Item>,
    pub(crate) parts: Vec<Arc<Item>>,
    pub(crate) materials: Vec<MaterialState>,
    /// Everything that keeps it from being handed in.
    pub(crate) problems: Vec<Problem>,
    pub(crate) fees_fen: i64,
}

/// What answers a material.
struct Known {
    source: Source,
    words: Words,
    /// Identifier, when it is a licence.
    licence: Option<String>,
}

/// A source that knows nothing is no fault; one that cannot be asked is.
fn known<T>(outcome: Result<Option<T>, Fault>) -> Result<Option<T>, Fault> {
    match outcome {
        Ok(found) => Ok(found),
        Err(fault) => match fault.kind {
            FaultKind::Missing | FaultKind::Invalid | FaultKind::Denied => {
                tracing::warn!(%fault, "asking a source of a form");
                Ok(None)
            }
            _ => Err(fault),
        },
    }
}

impl Engine {
    /// The parts an item bundles, each as published newest.
    pub(crate) async fn parts_of(&self, item: &Item) -> Result<Vec<Arc<Item>>, Fault> {
        let mut parts = vec![];
        for name in &item.content.bundle {
            parts.push(self.means.items.item(name, None).await?);
        }
        Ok(parts)
    }

    /// A draft judged whole.
    pub(crate) async fn whole(&self, item: Arc<Item>, body: &DraftBody) -> Result<Whole, Fault> {
        let items = &*self.means.items;
        let parts = self.parts_of(&item).await?;
        let number = &body.applicant.holder.number;
        let mut problems = items.judge(&item, &body.answers, true);
        problems.extend(items.judge_applicant(&item, &body.answers, number));
        let mut asked = items.materials(&item, &body.answers);
        let mut fees = items.fees(&item, &body.answers);
        for part in &parts {
            let own = of_part(items, part, &body.answers);
            let applicant = items.judge_applicant(part, &own, number);
            for problem in items.judge(part, &own, true).into_iter().chain(applicant) {
                if !problems.iter().any(|known| known.at == problem.at) {
                    problems.push(problem);
                }
            }
            for material in items.materials(part, &own) {
                if !asked.iter().any(|known| known.name == material.name) {
                    asked.push(material);
                }
            }
            fees.extend(items.fees(part, &own));
        }
        let materials = self.states(&asked, body).await?;
        problems.extend(missing(&materials));
        problems.extend(delivery_problems(&item, body));
        Ok(Whole {
            item,
            parts,
            materials,
            problems,
            fees_fen: fees.iter().map(|fee| fee.fen).sum(),
        })
    }

    /// The materials as they stand.
    async fn states(
        &self,
        asked: &[Material],
        body: &DraftBody,
    ) -> Result<Vec<MaterialState>, Fault> {
        let mut states = vec![];
        for material in asked {
            let answered = self
                .answered(&material.sources, &body.applicant, &body.answers)
                .await?;
            let licence = answered.as_ref().and_then(|known| known.licence.clone());
            let answered_by = answered.map(|known| (known.source, known.words));
            let files = body.files.get(&material.name).cloned().unwrap_or_default();
            let follows = material.may_follow && body.following.contains(&material.name);
            states.push(MaterialState {
                name: material.name.clone(),
                title: material.title.clone(),
                required: material.required,
                may_follow: material.may_follow,
                following: follows && files.is_empty() && answered_by.is_none(),
                answered_by,
                licence,
                files,
                note: material.note.clone(),
            });
        }
        Ok(states)
    }

    /// The first source that answers.
    async fn answered(
        &self,
        sources: &[Source],
        applicant: &Applicant,
        answers: &Map<String, Value>,
    ) -> Result<Option<Known>, Fault> {
        for source in sources {
            let mut licence = None;
            let words = match source {
                Source::Licence { kind } => {
                    let held = self.means.licences.held(&applicant.holder, kind).await;
                    let held = known(held.map(|held| held.into_iter().next()))?;
                    licence = held.clone();
                    held.map(|identifier| {
                        Words::new(
                            format!("电子证照 {identifier}"),
                            format!("electronic licence {identifier}"),
                        )
                    })
                }
                Source::Register { register, key } => {
                    let Some(key) = key_of(key, applicant, answers) else {
                        continue;
                    };
                    let record = self.means.registers.get(register, &key, None, None).await;
                    known(record)?.map(|_| self.register_words(register))
                }
            };
            if let Some(words) = words {
                return Ok(Some(Known {
                    source: source.clone(),
                    words,
                    licence,
                }));
            }
        }
        Ok(None)
    }

    /// Values the city knows, by field, with where they come from; and the note of it for the audit
    /// log: a look for the person's own use, or the clerk's under their grant.
    pub(crate) async fn prefill(
        &self,
        by: &Actor,
        item: &Item,
        applicant: &Applicant,
    ) -> Result<(BTreeMap<String, Prefilled>, Option<AuditEntry>), Fault> {
        let mut found = BTreeMap::new();
        let mut asked: Vec<String> = vec![];
        let mut records: BTreeMap<String, Option<Record>> = BTreeMap::new();
        for (field, path) in self.means.items.prefills(item) {
            let mut steps = path.splitn(3, '.');
            let parts = (steps.next(), steps.next(), steps.next());
            let value = match parts {
                (Some("register"), Some(register), Some(name)) => {
                    if !records.contains_key(register) {
                        let number = &applicant.holder.number;
                        let record = self.means.registers.get(register, number, None, None);
                        records.insert(register.into(), known(record.await)?);
                    }
                    let record = records.get(register).and_then(Option::as_ref);
                    let value = record.and_then(|record| record.fields.get(name)).cloned();
                    value.map(|value| Prefilled {
                        value,
                        source: self.register_words(register),
                    })
                }
                (Some("licence"), Some(kind), Some(name)) => {
                    self.of_licence(by, applicant, kind, name).await?
                }
                _ => of_applicant(&path, applicant),
            };
            let Some(value) = value else { continue };
            if !path.starts_with("person.") && !path.starts_with("party.") {
                asked.push(path);
            }
            found.insert(field, value);
        }
        let entry = (!asked.is_empty()).then(|| self.own_use(by, item, applicant, &asked));
        Ok((found, entry))
    }

    /// A register as people know it: 登记库《市场主体登记库》.
    fn register_words(&self, register: &str) -> Words {
        let title = (self.means.register_title)(register);
        let title = title.unwrap_or_else(|| Words::new(register, register));
        Words::new(
            format!("登记库《{}》", title.zh),
            format!("register “{}”", title.en),
        )
    }

    /// A field of a licence in force, used under a purpose its holder sees.
    async fn of_licence(
        &self,
        by: &Actor,
        applicant: &Applicant,
        kind: &str,
        name: &str,
    ) -> Result<Option<Prefilled>, Fault> {
        let held = self.means.licences.held(&applicant.holder, kind).await;
        let Some(identifier) = known(held.map(|held| held.into_iter().next()))? else {
            return Ok(None);
        };
        let actor = self.reader_of(by, applicant);
        let fields = [name.to_string()];
        let used = self.means.licences.consult(&actor, &identifier, &fields);
        let Some(used) = known(used.await.map(Some))? else {
            return Ok(None);
        };
        let title = used.title.unwrap_or_else(|| Words::new(kind, kind));
        let shown = used.fields.into_iter().find(|field| field.name == name);
        Ok(shown.map(|shown| Prefilled {
            value: shown.value,
            source: Words::new(
                format!("电子证照：{}", title.zh),
                format!("licence: {}", title.en),
            ),
        }))
    }

    /// Who looks at a source: the person for themselves, or the clerk under their grant.
    fn reader_of(&self, by: &Actor, applicant: &Applicant) -> Actor {
        let mut actor = by.clone();
        if applicant.seen.is_none() || actor.grant.purpose.is_empty() {
            actor.grant = Grant {
                purpose: OWN_PURPOSE.into(),
                basis: OWN_BASIS.into(),
            };
        }
        actor
    }

    fn own_use(
        &self,
        by: &Actor,
        item: &Item,
        applicant: &Applicant,
        sources: &[String],
    ) -> AuditEntry {
        let actor = self.reader_of(by, applicant);
        let holder = &applicant.holder;
        let person = holder.is_natural().then_some(&holder.number);
        let person = person.and_then(|number| (self.means.pseudonym)(number));
        let records: Vec<Value> = person
            .into_iter()
            .map(|person| json!({ "person": person }))
            .collect();
        AuditEntry {
            at: self.clock.now(),
            account: actor.account.clone(),
            verb: "read".into(),
            object: crate::OBJECT.into(),
            subject: item.item.clone(),
            purpose: actor.grant.purpose.clone(),
            basis: actor.grant.basis.clone(),
            details: by.on_behalf(json!({
                "what": "prefill",
                "own_use": applicant.seen.is_none(),
                "sources": sources,
                "records": records,
            })),
            outcome: "done".into(),
        }
    }
}

/// Required materials that are neither there, nor answered, nor promised.
pub(crate) fn missing(materials: &[MaterialState]) -> Vec<Problem> {
    let lacks = |m: &&MaterialState| {
        m.required && m.files.is_empty() && m.answered_by.is_none() && !m.following
    };
    materials
        .iter()
        .filter(lacks)
        .map(|material| {
            problem(
                format!("/materials/{}", material.name),
                format!("缺少材料：{}", material.title.zh),
                format!("this material is missing: {}", material.title.en),
            )
        })
        .collect()
}

/// The key of a record that answers a material.
fn key_of(path: &str, applicant: &Applicant, answers: &Map<String, Value>) -> Option<String> {
    let holder = &applicant.holder;
    match path {
        "person.number" => holder.is_natural().then(|| holder.number.clone()),
        "party.code" => (!holder.is_natural()).then(|| holder.number.clone()),
        _ => {
            let value = answers.get(path.strip_prefix("form.")?)?;
            value
                .as_str()
                .filter(|key| !key.is_empty())
                .map(String::from)
        }
    }
}

/// A value the applicant's own identity says.
fn of_applicant(path: &str, applicant: &Applicant) -> Option<Prefilled> {
    let holder = &applicant.holder;
    let natural = holder.is_natural();
    let value = match path {
        "person.name" => natural.then(|| holder.name.clone()),
        "person.number" => natural.then(|| holder.number.clone()),
        "person.birth" => {
            let number = CitizenNumber::parse(&holder.number).ok();
            number.map(|number| number.birth().to_string())
        }
        "person.mobile" => Some(applicant.mobile.clone()).filter(|mobile| !mobile.is_empty()),
        "party.name" => (!natural).then(|| holder.name.clone()),
        "party.code" => (!natural).then(|| holder.number.clone()),
        _ => None,
    }?;
    let source = match (&applicant.seen, applicant.known, natural) {
        (None, _, true) => Words::new("实名核验信息", "your proven identity"),
        (None, _, false) => Words::new("代办的单位", "whom you act for"),
        (Some(_), true, _) if path != "person.mobile" => Words::new(
            "经办人录入，与登记一致",
            "entered by the clerk, as registered",
        ),
        (Some(_), ..) => Words::new("经办人录入", "entered by the clerk"),
    };
    Some(Prefilled {
        value: value.into(),
        source,
    })
}

/// What is wrong with how the result is to come.
pub(crate) fn delivery_problems(item: &Item, body: &DraftBody) -> Vec<Problem> {
    let allowed = &item.content.delivery;
    let Some(wanted) = &body.delivery else {
        let chosen = allowed.is_empty() || (allowed.len() == 1 && allowed[0] != DeliveryWay::Post);
        return match chosen {
            true => vec![],
            false => vec![problem(
                "/delivery",
                "请选择结果领取方式",
                "choose how the result is to come",
            )],
        };
    };
    let mut problems = vec![];
    if !allowed.contains(&wanted.way) {
        problems.push(problem(
            "/delivery/way",
            "本事项不提供这种领取方式",
            "this item does not offer this way of delivery",
        ));
    }
    match (&wanted.address, wanted.way) {
        (None, DeliveryWay::Post) => problems.push(problem(
            "/delivery/address",
            "邮寄须填写收件人、手机号和地址",
            "for the post, name, mobile number and address are needed",
        )),
        (Some(address), _) => {
            problems.extend(faults::said("/delivery/address/name", &address.name, 2, 50));
            problems.extend(faults::said(
                "/delivery/address/address",
                &address.address,
                5,
                200,
            ));
            if numbers::mobile(&address.mobile).is_none() {
                problems.push(problem(
                    "/delivery/address/mobile",
                    "手机号不对",
                    "this is no mobile number",
                ));
            }
        }
        (None, _) => {}
    }
    problems
}

/// Is this document a citizen number or a residence permit, by its number?
pub(crate) fn document_of(number: &str) -> HolderDocument {
    match CitizenNumber::parse(number) {
        Ok(number) if number.is_residence_permit() => HolderDocument::ResidencePermit,
        Ok(_) => HolderDocument::CitizenNumber,
        Err(_) => HolderDocument::Passport,
    }
}
