//! Who may do what. An applicant is known by the keyed digest of the number they were proven by,
//! or of whom they act for; an officer by the policy, or by a task of the case. To everybody else
//! an application is not there.

use crate::change::Open;
use crate::faults::not_found;
use crate::{Engine, OBJECT};
use kernel::access::{Actor, Grant, Tie};
use kernel::cases::InboxFilter;
use kernel::facts::{Attribute, Narrowing, Scalar};
use kernel::parties::MATTERS;
use kernel::{Facts, Fault, Filter, Verb};
use store::applications::Test;
use store::applications::read::{self, By};

/// Purpose and basis of a look by whoever has a task of the case and no grant that says more.
const TASK_PURPOSE: &str = "办理分派给本人的任务";
const TASK_BASIS: &str = "《中华人民共和国行政许可法》第三十四条；流程分派";
/// Rows of an inbox looked through for a task of a case.
const TASKS: usize = 200;

/// What somebody may do at one application.
pub(crate) struct Access {
    /// It is theirs, or of whom they act for.
    pub(crate) own: bool,
    /// They wrote it for the applicant, and may still write for others.
    pub(crate) behalf: bool,
    /// The asker under what a look of theirs is logged with.
    looks: Actor,
    /// They may read it: under this grant.
    pub(crate) read: Option<Actor>,
    /// They may handle it: under this grant.
    pub(crate) handle: Option<Actor>,
    /// They have a task of its case, or may take one.
    pub(crate) task: bool,
}

impl Access {
    /// May they know that it is there?
    pub(crate) fn any(&self) -> bool {
        self.own || self.behalf || self.read.is_some() || self.handle.is_some() || self.task
    }
    /// May they see personal fields as they are?
    pub(crate) fn clear(&self) -> bool {
        self.own || self.behalf || self.handle.is_some() || self.task
    }
    /// Do they look as an office does? Then it is logged.
    pub(crate) fn is_office(&self) -> bool {
        !self.own
    }
    /// The officer under the grant that admits them.
    pub(crate) fn under(&self) -> Actor {
        let granted = self.handle.as_ref().or(self.read.as_ref());
        granted.cloned().unwrap_or_else(|| self.looks.clone())
    }
}

/// Is it the machine itself?
pub(crate) fn is_machine(actor: &Actor) -> bool {
    actor.account == "system" && actor.standing.session.is_none()
}

/// The number of whom somebody applies for: whom they act for, or themselves.
pub(crate) fn subject(actor: &Actor) -> Option<&str> {
    let standing = &actor.standing;
    match &standing.acts_for {
        Some(party) if party.tie != Tie::Delegation => Some(party.party.as_str()),
        _ => standing.person.as_deref(),
    }
    .filter(|number| !number.is_empty())
}

impl Engine {
    /// Does this belong to the asker, or to whom they act for within what they may handle?
    pub(crate) async fn owns(&self, by: &Actor, owner: &str, matter: &str) -> Result<bool, Fault> {
        let Some(number) = subject(by) else {
            return Ok(false);
        };
        if self.sealing.applicant(number) != owner {
            return Ok(false);
        }
        self.within_matter(by, matter).await
    }

    /// May they handle matters of this kind for whom they act? That a tie is over is said.
    async fn within_matter(&self, by: &Actor, matter: &str) -> Result<bool, Fault> {
        match self.means.parties.demand_matter(by, matter).await {
            Ok(()) => Ok(true),
            Err(fault) if fault.code == "parties.beyond_scope" => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// The kinds of matters an agent may see of whom they act for; `None` for all.
    pub(crate) async fn matters(&self, by: &Actor) -> Result<Option<Vec<String>>, Fault> {
        let agent = by.standing.acts_for.as_ref();
        if !agent.is_some_and(|party| party.tie == Tie::Agent) {
            return Ok(None);
        }
        let mut allowed = vec![];
        for (matter, ..) in MATTERS {
            if self.within_matter(by, matter).await? {
                allowed.push(matter.to_string());
            }
        }
        Ok(Some(allowed))
    }

    /// What the asker may do at an application.
    pub(crate) async fn access(&self, by: &Actor, open: &Open) -> Result<Access, Fault> {
        let row = &open.row;
        let policy = &self.means.policy;
        let facts = facts(open);
        let may = |verb| {
            if is_machine(by) {
                return Some(by.clone());
            }
            if by.account.is_empty() {
                return None;
            }
            let decision = policy.may_this(by, verb, OBJECT, &facts);
            decision.allowed().then(|| by.under(&decision))
        };
        let applicant = &open.body.applicant;
        let wrote = applicant.seen.is_some() && applicant.account == by.account;
        let own = !by.account.is_empty() && self.owns(by, &row.owner, &row.matter).await?;
        let writes = policy.may(by, Verb::Write, OBJECT);
        let mut access = Access {
            own,
            behalf: wrote && writes.allowed(),
            looks: by.under(&writes),
            read: may(Verb::Read),
            handle: may(Verb::Handle),
            task: false,
        };
        if !access.clear() {
            access.task = self.has_task(by, open).await?;
        }
        if access.task {
            access.looks = by.under(&policy.may(by, Verb::Read, "cases"));
        }
        if access.looks.grant.purpose.is_empty() {
            access.looks.grant = Grant {
                purpose: TASK_PURPOSE.into(),
                basis: TASK_BASIS.into(),
            };
        }
        Ok(access)
    }

    /// Has the asker a task of its case in hand, or may they take one?
    async fn has_task(&self, by: &Actor, open: &Open) -> Result<bool, Fault> {
        let (Some(case), Some(cases)) = (&open.row.case_id, self.cases.get()) else {
            return Ok(false);
        };
        if by.account.is_empty() {
            return Ok(false);
        }
        let filter = InboxFilter {
            text: Some(open.row.number.clone()),
            limit: TASKS,
            ..InboxFilter::default()
        };
        let inbox = cases.inbox(by, &filter).await?;
        Ok(inbox.rows.iter().any(|task| task.case == *case))
    }

    /// An application by identification or number, if the asker may know of it.
    pub(crate) async fn seen(&self, by: &Actor, id: &str) -> Result<(Open, Access), Fault> {
        let open = self.find(id).await?.ok_or_else(not_found)?;
        let access = self.access(by, &open).await?;
        if !access.any() {
            return Err(not_found());
        }
        Ok((open, access))
    }

    /// An application by identification or number.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Open>, Fault> {
        if id.is_empty() || id.len() > 100 || id.contains('\0') {
            return Ok(None);
        }
        let mut reader = self.store.reader().await?;
        let row = match read::application(&mut reader, By::Id, id).await? {
            Some(row) => Some(row),
            None => read::application(&mut reader, By::Number, id).await?,
        };
        drop(reader);
        row.map(|row| self.opened(row)).transpose()
    }

    /// What the policy lets an officer see of the list; `None` for nothing.
    pub(crate) fn narrowed(&self, by: &Actor) -> Option<Test> {
        if is_machine(by) {
            return Some(Test::All(vec![]));
        }
        let scope = || {
            let mut own: Vec<String> = by.standing.scope.iter().cloned().collect();
            own.extend(by.standing.organisations.iter().cloned());
            own.extend(by.organisation.clone());
            Test::Organisation(own)
        };
        match self.means.policy.filter(by, Verb::Read, OBJECT) {
            Filter::Everything => Some(Test::All(vec![])),
            Filter::Nothing => None,
            // What cannot be said as a condition on rows shows one's own organisations only.
            Filter::Ask => Some(scope()),
            Filter::Where(narrowing) => Some(self.test(&narrowing).unwrap_or_else(scope)),
        }
    }

    /// A condition of the policy as one on rows; `None` when it asks for what no row says.
    fn test(&self, narrowing: &Narrowing) -> Option<Test> {
        let all = |parts: &[Narrowing]| -> Option<Vec<Test>> {
            parts.iter().map(|part| self.test(part)).collect()
        };
        let always = Test::All(vec![]);
        let never = Test::Any(vec![]);
        Some(match narrowing {
            Narrowing::All(parts) => Test::All(all(parts)?),
            Narrowing::Any(parts) => Test::Any(all(parts)?),
            Narrowing::Not(part) => Test::Not(Box::new(self.test(part)?)),
            Narrowing::Has(Attribute::Key | Attribute::Owner) => always,
            Narrowing::Has(Attribute::District | Attribute::Handler) => never,
            Narrowing::OneOf(attribute, values) => {
                let texts = values.iter().filter_map(|value| match value {
                    Scalar::Text(text) => Some(text.clone()),
                    _ => None,
                });
                match attribute {
                    Attribute::Key => Test::Number(texts.collect()),
                    Attribute::Owner => Test::Organisation(texts.collect()),
                    Attribute::Person => Test::Owner(
                        texts
                            .map(|number| self.sealing.applicant(&number))
                            .collect(),
                    ),
                    Attribute::District | Attribute::Handler => never,
                    Attribute::Field(_) => return None,
                }
            }
            _ => return None,
        })
    }

    /// Whose drafts the asker's are: those for themselves or whom they act for, and those they
    /// write for others.
    pub(crate) fn draft_owners(&self, by: &Actor) -> Vec<String> {
        let mut owners: Vec<String> = subject(by)
            .map(|number| self.sealing.applicant(number))
            .into_iter()
            .collect();
        if !by.account.is_empty() && self.means.policy.may(by, Verb::Write, OBJECT).allowed() {
            owners.push(self.sealing.clerk(&by.account));
        }
        owners
    }
}

/// What is known of an application when the policy is asked.
fn facts(open: &Open) -> Facts {
    let holder = &open.body.applicant.holder;
    Facts {
        key: open.row.number.clone(),
        owner: Some(open.row.organisation.clone()),
        person: holder.is_natural().then(|| holder.number.clone()),
        ..Facts::default()
    }
}
