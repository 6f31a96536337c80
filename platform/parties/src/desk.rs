//! The counter: finding a party by its number, proofs in person, legal persons and who represents
//! them, guardianships by paper. Every read of personal data is written down with purpose and
//! basis; lists are masked.

use crate::mine::{StepInfo, steps_shown};
use crate::ties::{Draft, TieInfo};
use crate::{Deed, Engine, change, problem, record, refuse, said};
use kernel::access::Actor;
use kernel::licences::{Holder, HolderDocument};
use kernel::numbers::CreditCode;
use kernel::parties::{Claim, DocumentKind, Identity};
use kernel::{Fault, Problem, Time, new_id, numbers};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::parties::{self as rows, PartyRow};

/// Somebody proven in person.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CounterProof {
    /// Account name, or its proven mobile number.
    pub account: String,
    /// What the document says.
    pub identity: Claim,
    /// The document that was seen; no picture of it is kept.
    pub document_seen: String,
    /// For which matter.
    pub purpose: String,
    /// Close the account the person has already, with their consent.
    #[serde(default)]
    pub replace: bool,
}

/// A legal person and who represents it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLegal {
    /// Unified social credit code.
    pub code: String,
    /// Name as registered.
    pub name: String,
    /// Its legal representative.
    pub representative: Claim,
    /// Identification of the licence that was seen.
    pub evidence: String,
    /// For which matter.
    pub purpose: String,
}

/// A guardianship by paper.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGuardianship {
    /// Who acts.
    pub guardian: Claim,
    /// A minor, or an elder.
    pub ward: Claim,
    /// Identification of the document seen: birth certificate, household register, letter of proxy.
    pub evidence: String,
    /// Days it lasts: for an elder, 1 to 1095; for a minor absent.
    #[serde(default)]
    pub days: Option<u32>,
    /// For which matter.
    pub purpose: String,
}

/// A party as a list shows it.
#[derive(Clone, Debug, Serialize)]
pub struct PartyInfo {
    /// Identification.
    pub id: String,
    /// `natural` or `legal`.
    pub kind: String,
    /// Kind of document.
    pub document: String,
    /// Code of a legal person, masked number of a natural one.
    pub number: String,
    /// Name of a legal person, masked name of a natural one.
    pub name: String,
    /// Verified.
    pub proven: bool,
    /// Known since.
    pub created_at: Time,
    /// Number of changes, from 1.
    pub version: i64,
}

/// A page of parties.
#[derive(Clone, Debug, Serialize)]
pub struct PartyPage {
    /// In order of identification.
    pub items: Vec<PartyInfo>,
    /// Continue after.
    pub next: Option<String>,
    /// How many there are in all.
    pub total: u64,
}

/// A party with its ties and history.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The party.
    pub party: PartyInfo,
    /// Level of its account; `None` without one.
    pub level: Option<i64>,
    /// Ties from either side.
    pub ties: Vec<TieInfo>,
    /// What was done.
    pub history: Vec<StepInfo>,
}

/// Personal data in full. No `Debug`.
#[derive(Serialize)]
pub struct Revealed {
    /// Document, number, name, birth.
    pub identity: Option<Identity>,
    /// Proven mobile number.
    pub phone: Option<String>,
    /// Account name.
    pub account: Option<String>,
    /// Level of proof.
    pub level: i64,
}

fn missing() -> Fault {
    Fault::missing("party")
}

fn sound(claim: &Claim, at: &str, now: Time, problems: &mut Vec<Problem>) -> Option<Identity> {
    match claim.check(now) {
        Ok(identity) => Some(identity),
        Err(more) => {
            problems.extend(more.into_iter().map(|p| Problem {
                at: format!("{at}.{}", p.at),
                ..p
            }));
            None
        }
    }
}

impl Engine {
    fn party_info(&self, row: &PartyRow) -> Result<PartyInfo, Fault> {
        let (number, name) = match (&row.code, &row.sealed) {
            (Some(code), _) => (code.clone(), row.name.clone().unwrap_or_default()),
            (None, Some(sealed)) if row.erased_at.is_none() => {
                let identity = self.sealing.identity(&row.id, sealed)?;
                (
                    numbers::mask_number(&identity.number),
                    numbers::mask_name(&identity.name),
                )
            }
            _ => ("—".into(), "—".into()),
        };
        Ok(PartyInfo {
            id: row.id.clone(),
            kind: row.kind.clone(),
            document: row.document.clone(),
            number,
            name,
            proven: row.proven,
            created_at: Time(row.created_at),
            version: row.version,
        })
    }

    /// Parties in order of identification, masked.
    pub async fn list(
        &self,
        clerk: &Actor,
        kind: Option<&str>,
        after: &str,
        limit: usize,
    ) -> Result<PartyPage, Fault> {
        let limit = limit.clamp(1, rows::PAGE_LIMIT as usize);
        let mut tx = self.store.begin().await?;
        let found = rows::parties(&mut tx, kind, after, limit as u64).await?;
        let total = rows::count_parties(&mut tx, kind).await?;
        let details = json!({ "shown": found.len(), "fields": ["masked name", "masked number"] });
        let deed = Deed::official(clerk, "", "listed", details).verb("read");
        record(&mut tx, self.clock.now(), clerk, deed).await?;
        tx.commit().await?;
        let next = found
            .last()
            .filter(|_| found.len() == limit)
            .map(|row| row.id.clone());
        let items: Result<Vec<PartyInfo>, Fault> =
            found.iter().map(|row| self.party_info(row)).collect();
        Ok(PartyPage {
            items: items?,
            next,
            total,
        })
    }

    /// The party of a number, if it is known.
    pub async fn find(
        &self,
        clerk: &Actor,
        document: &str,
        number: &str,
        purpose: &str,
    ) -> Result<Option<PartyInfo>, Fault> {
        let mut problems: Vec<Problem> = said("purpose", purpose, 200).into_iter().collect();
        let kind: Option<kernel::parties::DocumentKind> =
            serde_json::from_value(document.into()).ok();
        let digest = match (document, kind) {
            ("credit_code", _) => CreditCode::parse(number)
                .map(|code| self.sealing.code_digest(code.as_str()))
                .map_err(|fault| fault.words()),
            (_, Some(kernel::parties::DocumentKind::Passport)) => numbers::passport(number)
                .map(|n| {
                    self.sealing
                        .person_digest(kernel::parties::DocumentKind::Passport, &n)
                })
                .map_err(|fault| fault.words()),
            (_, Some(kind)) => numbers::CitizenNumber::parse(number)
                .map(|n| self.sealing.person_digest(kind, n.as_str()))
                .map_err(|fault| fault.words()),
            _ => Err(kernel::Words::new(
                "不认识的证件类型",
                "unknown kind of document",
            )),
        };
        let digest = digest.unwrap_or_else(|words| {
            problems.push(Problem {
                at: "number".into(),
                words,
            });
            String::new()
        });
        refuse(problems)?;
        let mut tx = self.store.begin().await?;
        let found = rows::party_by_digest(&mut tx, &digest).await?;
        let subject = found.as_ref().map_or("", |row| row.id.as_str());
        let details = json!({ "found": found.is_some(), "stated_purpose": purpose });
        let deed = Deed::official(clerk, subject, "searched", details).verb("read");
        record(&mut tx, self.clock.now(), clerk, deed).await?;
        tx.commit().await?;
        found.as_ref().map(|row| self.party_info(row)).transpose()
    }

    /// Is a party of this number known, and by this name? For engines that write for somebody: it
    /// answers no more than that, and nothing is logged here, so no route may answer with it.
    pub async fn is_known_as(&self, holder: &Holder) -> Result<Option<bool>, Fault> {
        let digest = match holder.document {
            HolderDocument::CreditCode => self.sealing.code_digest(&holder.number),
            HolderDocument::Passport => self
                .sealing
                .person_digest(DocumentKind::Passport, &holder.number),
            HolderDocument::ResidencePermit => self
                .sealing
                .person_digest(DocumentKind::ResidencePermit, &holder.number),
            _ => self
                .sealing
                .person_digest(DocumentKind::CitizenNumber, &holder.number),
        };
        let mut reader = self.store.reader().await?;
        let row = rows::party_by_digest(&mut reader, &digest).await?;
        let Some(row) = row.filter(|row| row.erased_at.is_none()) else {
            return Ok(None);
        };
        let name = match (&row.code, &row.sealed) {
            (Some(_), _) => row.name.clone(),
            (None, Some(sealed)) => Some(self.sealing.identity(&row.id, sealed)?.name),
            _ => None,
        };
        Ok(name.map(|name| numbers::same_name(&name, &holder.name)))
    }

    /// A party, masked, with its ties and history.
    pub async fn party(&self, clerk: &Actor, id: &str) -> Result<Found, Fault> {
        let mut tx = self.store.begin().await?;
        let row = rows::party(&mut tx, id).await?.ok_or_else(missing)?;
        let account = rows::account_of_party(&mut tx, id).await?;
        let mut ties = vec![];
        for tie in rows::ties_of(&mut tx, id).await? {
            let (side, other) = match tie.holder == id {
                true => ("holder", &tie.principal),
                false => ("principal", &tie.holder),
            };
            if let Some(other) = rows::party(&mut tx, other).await? {
                ties.push(self.tie_info(&tie, side, &other)?);
            }
        }
        let history = steps_shown(rows::steps(&mut tx, id).await?);
        let details = json!({ "fields": ["masked name", "masked number", "ties"] });
        let deed = Deed::official(clerk, id, "opened", details).verb("read");
        record(&mut tx, self.clock.now(), clerk, deed).await?;
        tx.commit().await?;
        Ok(Found {
            party: self.party_info(&row)?,
            level: account.map(|row| row.level),
            ties,
            history,
        })
    }

    /// A natural person in full, for a stated purpose.
    pub async fn reveal(&self, clerk: &Actor, id: &str, purpose: &str) -> Result<Revealed, Fault> {
        refuse(said("purpose", purpose, 200).into_iter().collect())?;
        let mut tx = self.store.begin().await?;
        let row = rows::party(&mut tx, id).await?;
        let row = row.filter(|row| row.erased_at.is_none() && row.code.is_none());
        let row = row.ok_or_else(missing)?;
        let sealed = row.sealed.as_deref().ok_or_else(missing)?;
        let identity = self.sealing.identity(id, sealed)?;
        let account = rows::account_of_party(&mut tx, id).await?;
        let phone = account
            .as_ref()
            .map(|row| self.phone_of(row))
            .transpose()?
            .flatten();
        let fields = ["number", "name", "birth", "phone", "account"];
        let details = json!({ "fields": fields, "stated_purpose": purpose });
        let deed = Deed::official(clerk, id, "revealed", details).verb("read");
        record(&mut tx, self.clock.now(), clerk, deed).await?;
        tx.commit().await?;
        Ok(Revealed {
            identity: Some(identity),
            phone,
            level: account.as_ref().map_or(0, |row| row.level),
            account: account.map(|row| row.account),
        })
    }

    /// Enters a legal person, or a new representative of one that is known. `registered` is the
    /// name the enterprise register has for the code.
    pub async fn enter_legal(
        &self,
        clerk: &Actor,
        new: NewLegal,
        registered: Option<String>,
    ) -> Result<PartyInfo, Fault> {
        let now = self.clock.now();
        let mut problems: Vec<Problem> = said("purpose", &new.purpose, 200).into_iter().collect();
        problems.extend(said("evidence", &new.evidence, 100));
        problems.extend(said("name", &new.name, 100));
        let code = CreditCode::parse(&new.code).map_err(|fault| {
            problems.push(Problem {
                at: "code".into(),
                words: fault.words(),
            });
        });
        let name = new.name.trim().to_string();
        if registered.is_some_and(|known| known != name) {
            problems.push(problem(
                "name",
                "名称与企业登记信息不一致",
                "the name is not the one in the register of enterprises",
            ));
        }
        let person = sound(&new.representative, "representative", now, &mut problems);
        refuse(problems)?;
        let (Ok(code), Some(person)) = (code, person) else {
            return Err(Fault::internal("entering a legal person", "no identity"));
        };
        let mut tx = self.store.begin().await?;
        let party = self
            .legal_party(&mut tx, clerk, code.as_str(), &name)
            .await?;
        let holder = self.proven_party(&mut tx, clerk, &person).await?;
        let before = rows::ties_for(&mut tx, &party.id, "representative").await?;
        for tie in before.into_iter().filter(|tie| tie.holder != holder.id) {
            self.end_tie(&mut tx, clerk, tie, "法定代表人变更").await?;
        }
        let draft = Draft {
            tie: "representative",
            holder: &holder.id,
            principal: &party.id,
            scope: vec![],
            name: None,
            evidence: &new.evidence,
            days: None,
            active: true,
        };
        self.tie_up(&mut tx, clerk, draft).await?;
        tx.commit().await?;
        self.party_info(&party)
    }

    async fn legal_party(
        &self,
        tx: &mut store::Tx,
        clerk: &Actor,
        code: &str,
        name: &str,
    ) -> Result<PartyRow, Fault> {
        let now = self.clock.now();
        let digest = self.sealing.code_digest(code);
        let known = rows::party_by_digest(tx, &digest).await?;
        let row = match known {
            Some(row) if row.name.as_deref() == Some(name) => return Ok(row),
            Some(row) => PartyRow {
                name: Some(name.into()),
                version: row.version + 1,
                ..row
            },
            None => PartyRow {
                id: new_id(now),
                kind: "legal".into(),
                document: "credit_code".into(),
                digest: Some(digest),
                code: Some(code.into()),
                name: Some(name.into()),
                sealed: None,
                proven: true,
                created_at: now.0,
                erased_at: None,
                version: 1,
            },
        };
        rows::put_party(tx, &row).await?;
        let details = json!({ "code": code, "name": name });
        let deed = Deed::official(clerk, &row.id, "legal_entered", details);
        change(tx, now, clerk, row.version, None, deed).await?;
        Ok(row)
    }

    /// Enters a guardianship by the papers that were seen.
    pub async fn enter_guardianship(
        &self,
        clerk: &Actor,
        new: NewGuardianship,
    ) -> Result<TieInfo, Fault> {
        let now = self.clock.now();
        let mut problems: Vec<Problem> = said("purpose", &new.purpose, 200).into_iter().collect();
        problems.extend(said("evidence", &new.evidence, 100));
        let guardian = sound(&new.guardian, "guardian", now, &mut problems);
        let ward = sound(&new.ward, "ward", now, &mut problems);
        let age = |person: &Option<Identity>| person.as_ref().map_or(30, |p| p.birth.age_at(now));
        let minor = age(&ward) < 18;
        if age(&guardian) < 18 {
            problems.push(problem(
                "guardian.number",
                "监护人须为成年人",
                "a guardian is of age",
            ));
        }
        if minor != new.days.is_none() || new.days.is_some_and(|days| !(1..=1095).contains(&days)) {
            problems.push(problem(
                "days",
                "成年人的委托须写明 1 至 1095 天的期限；未成年人的监护到年满十八周岁为止，不填期限",
                "for an adult 1 to 1095 days; for a minor none, it ends at eighteen",
            ));
        }
        refuse(problems)?;
        let (Some(guardian), Some(ward)) = (guardian, ward) else {
            return Err(Fault::internal("entering a guardianship", "no identity"));
        };
        if guardian.number == ward.number {
            return Err(Fault::invalid_at(
                "ward.number",
                "不能为同一人",
                "the same person",
            ));
        }
        let mut tx = self.store.begin().await?;
        let holder = self.proven_party(&mut tx, clerk, &guardian).await?;
        let principal = self.proven_party(&mut tx, clerk, &ward).await?;
        let draft = Draft {
            tie: if minor {
                "guardian_minor"
            } else {
                "guardian_elder"
            },
            holder: &holder.id,
            principal: &principal.id,
            scope: vec![],
            name: None,
            evidence: &new.evidence,
            days: new.days,
            active: true,
        };
        let row = self.tie_up(&mut tx, clerk, draft).await?;
        tx.commit().await?;
        self.tie_info(&row, "holder", &principal)
    }

    /// Ends a tie at a counter, with a reason.
    pub async fn end_at_counter(&self, clerk: &Actor, id: &str, reason: &str) -> Result<(), Fault> {
        refuse(said("reason", reason, 200).into_iter().collect())?;
        let mut tx = self.store.begin().await?;
        let row = rows::tie(&mut tx, id).await?;
        let row = row.filter(|row| ["invited", "active"].contains(&row.state.as_str()));
        let row = row.ok_or_else(|| Fault::missing("tie"))?;
        self.end_tie(&mut tx, clerk, row, reason).await?;
        tx.commit().await
    }
}
