//! Who applies, by which way, and whether they may: a proven person, whom they act for, or somebody a
//! clerk writes for.

use crate::Engine;
use crate::access::subject;
use crate::body::Applicant;
use crate::faults::{conflict, level, not_found, problem, refuse, said};
use crate::sources::document_of;
use kernel::Fault;
use kernel::access::{Actor, Tie};
use kernel::applications::{Behalf, NewDraft};
use kernel::items::{Channel, Item, ItemState, Serves};
use kernel::licences::{Holder, HolderDocument};
use kernel::numbers::{self, CitizenNumber, CreditCode};
use kernel::parties::DocumentKind;

impl Engine {
    /// Who applies: the person, whom they act for, or whom a clerk writes for.
    pub(crate) async fn applicant(
        &self,
        by: &Actor,
        item: &Item,
        new: &NewDraft,
    ) -> Result<Applicant, Fault> {
        let applicant = match &new.on_behalf {
            Some(behalf) => {
                let holder = behalf_holder(behalf)?;
                let named = self.means.people.is_named(&holder).await?;
                if named == Some(false) {
                    return Err(another_name());
                }
                Applicant {
                    holder,
                    mobile: numbers::mobile(&behalf.mobile).unwrap_or_default(),
                    agent: None,
                    account: by.account.clone(),
                    seen: Some(behalf.seen.trim().into()),
                    known: named == Some(true),
                }
            }
            None => {
                self.means
                    .parties
                    .demand_matter(by, &item.content.matter)
                    .await?;
                self.demand_level(by, item)?;
                self.self_applicant(by).await?
            }
        };
        let natural = applicant.holder.is_natural();
        let (zh, en) = match (item.content.serves, natural) {
            (Serves::Natural, false) => ("本事项仅限自然人办理", "only natural persons can apply"),
            (Serves::Legal, true) => (
                "本事项仅限法人和其他组织办理，请先切换办理身份",
                "only enterprises can apply: choose for whom you act",
            ),
            _ => return Ok(applicant),
        };
        Err(Fault::invalid_at("item", zh, en))
    }

    /// Is the identity proven well enough for the item?
    pub(crate) fn demand_level(&self, by: &Actor, item: &Item) -> Result<(), Fault> {
        let needed = item.content.proofing;
        if by.standing.proofing < needed || subject(by).is_none() {
            return Err(level(needed));
        }
        Ok(())
    }

    async fn self_applicant(&self, by: &Actor) -> Result<Applicant, Fault> {
        let person = self.means.people.person(&by.account).await?;
        let person = person.filter(|person| {
            by.standing.person.as_deref() == Some(person.identity.number.as_str())
        });
        let person = person.ok_or_else(|| level(2))?;
        let mut applicant = Applicant {
            holder: Holder {
                document: match person.identity.document {
                    DocumentKind::CitizenNumber => HolderDocument::CitizenNumber,
                    DocumentKind::ResidencePermit => HolderDocument::ResidencePermit,
                    DocumentKind::Passport => HolderDocument::Passport,
                },
                number: person.identity.number.clone(),
                name: person.identity.name.clone(),
            },
            mobile: person.mobile,
            agent: None,
            account: by.account.clone(),
            seen: None,
            known: true,
        };
        let party = by.standing.acts_for.as_ref();
        if let Some(party) = party.filter(|party| party.tie != Tie::Delegation) {
            applicant.agent = Some(person.identity.name);
            applicant.holder = Holder {
                document: match party.tie {
                    Tie::Guardian => document_of(&party.party),
                    _ => HolderDocument::CreditCode,
                },
                number: party.party.clone(),
                name: party.display.clone(),
            };
        }
        Ok(applicant)
    }
}

/// Can somebody begin with it?
pub(crate) fn in_force(item: &Item) -> Result<(), Fault> {
    let next = match item.successors.is_empty() {
        true => String::new(),
        false => item.successors.join("、"),
    };
    let (zh, en) = match item.state {
        ItemState::InForce => return Ok(()),
        ItemState::Drafted => return Err(not_found()),
        ItemState::Suspended => (
            "该事项暂停办理，暂不能申请".to_string(),
            "the item is suspended at present".to_string(),
        ),
        ItemState::Cancelled if next.is_empty() => (
            "该事项已取消".to_string(),
            "the item is no longer offered".to_string(),
        ),
        ItemState::Cancelled => (
            format!("该事项已取消，请改办：{next}"),
            format!("the item is no longer offered; in its place: {next}"),
        ),
    };
    Err(conflict(zh, en))
}

/// The way it comes: clerks write at a counter, a terminal or the hotline, others on line.
pub(crate) fn channel(item: &Item, new: &NewDraft) -> Result<Channel, Fault> {
    use Channel::*;
    let clerk = new.on_behalf.is_some();
    let channel = new.channel.unwrap_or(if clerk { Counter } else { Web });
    let fits = match channel {
        Web | Phone => !clerk,
        Counter | Hotline => clerk,
        Terminal => true,
    };
    if !fits {
        return Err(Fault::invalid_at(
            "channel",
            "窗口、热线由工作人员代为填写，网上、手机由本人填写",
            "clerks write at a counter or the hotline, applicants on the web or phone",
        ));
    }
    if !item.content.channels.contains(&channel) {
        return Err(Fault::invalid_at(
            "channel",
            "本事项不能由此渠道办理",
            "the item cannot be applied for this way",
        ));
    }
    Ok(channel)
}

/// The city knows the number by another name, which is not told.
fn another_name() -> Fault {
    let (zh, en) = (
        "姓名或名称与该号码的登记不一致，请核对证件",
        "name and number do not belong together in the register; look at the document again",
    );
    let at = ["on_behalf/holder/name", "on_behalf/holder/number"];
    Fault::invalid(at.map(|at| problem(at, zh, en)).to_vec())
}

/// Whom a clerk writes for, judged; every fault is named.
fn behalf_holder(behalf: &Behalf) -> Result<Holder, Fault> {
    let mut problems = vec![];
    let holder = &behalf.holder;
    let number = match holder.document {
        HolderDocument::CreditCode => {
            CreditCode::parse(&holder.number).map(|code| code.as_str().to_string())
        }
        HolderDocument::Passport => numbers::passport(&holder.number),
        _ => CitizenNumber::parse(&holder.number).map(|number| number.as_str().to_string()),
    };
    let number = number.unwrap_or_else(|fault| {
        let words = fault.words();
        problems.push(problem("on_behalf/holder/number", words.zh, words.en));
        String::new()
    });
    let document = match holder.document {
        HolderDocument::CreditCode | HolderDocument::Passport => holder.document,
        _ => document_of(&number),
    };
    if !number.is_empty() && document != holder.document {
        problems.push(problem(
            "on_behalf/holder/document",
            "号码与所选证件类型不符",
            "the number does not belong to this kind of document",
        ));
    }
    let name = match holder.is_natural() {
        true => numbers::person_name(&holder.name),
        false => said("", &holder.name, 2, 100)
            .is_none()
            .then(|| holder.name.trim().to_string()),
    };
    if name.is_none() {
        problems.push(problem(
            "on_behalf/holder/name",
            "姓名或名称须与证件一致",
            "the name as in the document",
        ));
    }
    if numbers::mobile(&behalf.mobile).is_none() {
        problems.push(problem(
            "on_behalf/mobile",
            "手机号不对",
            "this is no mobile number",
        ));
    }
    problems.extend(said("on_behalf/seen", &behalf.seen, 2, 100));
    refuse(problems)?;
    Ok(Holder {
        document,
        number,
        name: name.unwrap_or_default(),
    })
}
