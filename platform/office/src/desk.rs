//! The desk: the office of those who work in an organisation. Who may use it, what waits for them,
//! the directory, and the things mails, notices, documents and calendars share.

use crate::say::{problem, refuse};
use async_trait::async_trait;
use kernel::access::{Actor, Verb};
use kernel::facts::{Shown, masked};
use kernel::fault::FaultKind;
use kernel::messages::{Channel, NewMessage, Outbox, Recipient};
use kernel::office::*;
use kernel::page::{Page, Part};
use kernel::{Clock, Fault, Policy, Problem, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::office::{self as rows, ItemRow, Items};
use store::{Reader, Store, Tx};

/// Items a file is looked for in, and people of an item worked with at once.
pub(crate) const MOST: u64 = 1000;

/// What the office works with besides the store.
pub struct OfficeMeans {
    /// Who may do what.
    pub policy: Arc<dyn Policy>,
    /// Who works where.
    pub members: Arc<dyn Members>,
    /// Files that may be attached.
    pub files: Arc<dyn Files>,
    /// Takes invitations, reminders and urgings.
    pub outbox: Arc<dyn Outbox>,
}

/// The office.
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: Arc<dyn Policy>,
    pub(crate) members: Arc<dyn Members>,
    pub(crate) files: Arc<dyn Files>,
    pub(crate) outbox: Arc<dyn Outbox>,
}

/// Scopes of notices.
pub(crate) const PUBLIC: &str = "public";
pub(crate) const MEMBERS: &str = "members";

pub(crate) fn organisation_scope(code: &str) -> String {
    format!("notice/{code}")
}

pub(crate) fn calendar_scope(code: &str) -> String {
    format!("calendar/{code}")
}

/// A page of rows fetched with one too many.
pub(crate) fn cut<T>(rows: &mut Vec<T>, size: u64, key: impl Fn(&T) -> String) -> Option<String> {
    let more = rows.len() as u64 > size;
    rows.truncate(size as usize);
    more.then(|| rows.last().map(key)).flatten()
}

impl Engine {
    /// Opens the office.
    pub fn open(store: Store, clock: Arc<dyn Clock>, means: OfficeMeans) -> Arc<Engine> {
        Arc::new(Engine {
            store,
            clock,
            policy: means.policy,
            members: means.members,
            files: means.files,
            outbox: means.outbox,
        })
    }

    /// The member behind an actor whom the policy lets do this; who works nowhere has no desk,
    /// whatever the policy says.
    pub(crate) fn member(&self, by: &Actor, verb: Verb) -> Result<(Actor, Member), Fault> {
        let actor = self.policy.demand(by, verb, "office")?;
        let member = self.members.member(&by.account).ok_or_else(|| {
            Fault::new(
                FaultKind::Denied,
                "access.denied",
                "办公平台只供各机构在岗人员使用",
                "the office is for those who work in an organisation",
            )
        })?;
        Ok((actor, member))
    }

    /// Name of an account for people.
    pub(crate) fn name_of(&self, account: &str) -> String {
        let member = self.members.member(account);
        member.map_or_else(|| account.to_string(), |member| member.name)
    }

    /// Checks attached files: each must be one the sender may give away, or has from something
    /// they may see.
    pub(crate) async fn file_problems(
        &self,
        by: &Actor,
        files: &[String],
    ) -> Result<Vec<Problem>, Fault> {
        let mut found = vec![];
        if files.len() > FILES_LIMIT {
            found.push(problem(
                "files",
                format!("附件最多 {FILES_LIMIT} 个"),
                format!("{FILES_LIMIT} files at most"),
            ));
            return Ok(found);
        }
        let mut seen = BTreeSet::new();
        for (number, file) in files.iter().enumerate() {
            let at = format!("files/{number}");
            let sound = (1..=100).contains(&file.len()) && !file.contains(char::is_control);
            if !sound || !seen.insert(file) {
                found.push(problem(
                    at,
                    "附件编号不对或重复",
                    "the file is named wrongly or twice",
                ));
                continue;
            }
            let may =
                self.files.may_attach(by, file).await? || self.is_attached_for(by, file).await?;
            if !may {
                found.push(problem(
                    at,
                    "没有这个文件，或您不能转交它",
                    "there is no such file, or you may not pass it on",
                ));
            }
        }
        Ok(found)
    }

    /// Scopes of notices somebody sees.
    pub(crate) fn notice_scopes(&self, member: &Member) -> Vec<String> {
        let mut scopes = vec![PUBLIC.to_string(), MEMBERS.to_string()];
        scopes.extend(member.within.iter().map(|code| organisation_scope(code)));
        scopes
    }

    async fn is_attached_for(&self, by: &Actor, file: &str) -> Result<bool, Fault> {
        let mut reader = self.store.reader().await?;
        let items = rows::items_with_file(&mut reader, file).await?;
        for item in items {
            if self.may_see(&mut reader, by, &item).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Is a file attached to anything?
    pub async fn is_attached(&self, file: &str) -> Result<bool, Fault> {
        let mut reader = self.store.reader().await?;
        Ok(!rows::items_with_file(&mut reader, file).await?.is_empty())
    }

    /// May somebody see an item? Who works nowhere sees public notices only.
    async fn may_see(
        &self,
        reader: &mut Reader,
        by: &Actor,
        item: &ItemRow,
    ) -> Result<bool, Fault> {
        let member = self.member(by, Verb::Read).ok().map(|(_, member)| member);
        if item.kind == "notice" {
            let scopes = match &member {
                Some(member) if item.owner == member.account => return Ok(true),
                Some(member) => self.notice_scopes(member),
                None => vec![PUBLIC.to_string()],
            };
            return crate::notices::is_shown_to(item, &scopes, self.clock.now());
        }
        let Some(member) = member else {
            return Ok(false);
        };
        if item.owner == member.account {
            return Ok(true);
        }
        let person = rows::person(reader, &item.id, &member.account).await?;
        let hidden = ["taken_back", "waiting", "gone"];
        Ok(person.is_some_and(|p| !hidden.contains(&p.state.as_str())))
    }

    /// Says something to a member's inbox within a transaction: the template and the key it is said
    /// by once, what it is about, and the fields, each made one line.
    pub(crate) async fn tell(
        &self,
        tx: &mut Tx,
        by: &Actor,
        account: &str,
        (template, once): (&str, String),
        about: &str,
        fields: &[(&str, String)],
    ) -> Result<(), Fault> {
        let fields: BTreeMap<String, String> = fields
            .iter()
            .map(|(name, value)| {
                let line: String = value
                    .chars()
                    .map(|c| if c.is_control() { ' ' } else { c })
                    .collect();
                (name.to_string(), line)
            })
            .collect();
        let new = NewMessage {
            to: Recipient::Account(account.into()),
            channel: Channel::Inbox,
            template: template.into(),
            fields,
            once,
            about: about.into(),
            not_before: None,
            until: None,
        };
        self.outbox.send_within(tx, by, new).await?;
        Ok(())
    }

    pub(crate) async fn count_waiting(&self, by: &Actor) -> Result<Waiting, Fault> {
        let (_, member) = self.member(by, Verb::Read)?;
        let mut reader = self.store.reader().await?;
        let account = member.account.as_str();
        let mails = rows::of_account(&mut reader, account, "mail", &["unread"], None, 1).await?;
        let open = ["open", "received"];
        let round = rows::of_account(&mut reader, account, "circulation", &open, None, 1).await?;
        let scopes = self.notice_scopes(&member);
        let which = Items::Shown {
            now: self.clock.now().0,
            scopes: &scopes,
            unread_by: Some(account),
        };
        let notices = rows::list(&mut reader, "notice", &which, None, 1).await?;
        Ok(Waiting {
            mails: mails.1,
            notices: notices.1,
            circulations: round.1,
        })
    }

    pub(crate) fn search(
        &self,
        by: &Actor,
        words: &str,
        organisation: Option<&str>,
        part: &Part,
    ) -> Result<Page<Member>, Fault> {
        let (actor, _) = self.member(by, Verb::Read)?;
        refuse(
            crate::say::line("words", words, 0, 100)
                .into_iter()
                .collect(),
        )?;
        let part = Part {
            after: part.after.clone(),
            limit: Some(part.size()),
        };
        let mut page = self.members.search(words.trim(), organisation, &part);
        let mask = self.policy.mask(&actor, Verb::Read, "directory", None);
        for member in &mut page.items {
            let phone = member.phone.take();
            member.phone = match mask.of("phone") {
                Shown::Clear => phone,
                Shown::Masked => phone.map(|phone| masked(&phone)),
                Shown::Withheld => None,
            };
        }
        Ok(page)
    }
}

/// The item, when it is of this kind and its owner asks; otherwise there is none.
pub(crate) async fn own_item(
    run: &mut impl store::Run,
    id: &str,
    kind: &str,
    account: &str,
) -> Result<ItemRow, Fault> {
    let found = rows::item(run, id).await?;
    let found = found.filter(|item| item.kind == kind && item.owner == account);
    found.ok_or_else(|| Fault::missing(kind))
}

#[async_trait]
impl Office for Engine {
    async fn waiting(&self, by: &Actor) -> Result<Waiting, Fault> {
        self.count_waiting(by).await
    }
    async fn send_mail(&self, by: &Actor, new: NewMail) -> Result<OfficeMail, Fault> {
        self.post(by, new).await
    }
    async fn mails(
        &self,
        by: &Actor,
        folder: Folder,
        part: &Part,
    ) -> Result<Page<OfficeMail>, Fault> {
        self.list_mails(by, folder, part).await
    }
    async fn mail(&self, by: &Actor, id: &str) -> Result<OfficeMail, Fault> {
        self.open_mail(by, id).await
    }
    async fn thread(&self, by: &Actor, id: &str) -> Result<Vec<OfficeMail>, Fault> {
        self.mails_of_thread(by, id).await
    }
    async fn receipts(&self, by: &Actor, id: &str, part: &Part) -> Result<Page<Receipt>, Fault> {
        self.list_receipts(by, id, part).await
    }
    async fn recall(&self, by: &Actor, id: &str) -> Result<Recalled, Fault> {
        self.take_back(by, id).await
    }
    async fn publish(&self, by: &Actor, new: NewNotice) -> Result<Notice, Fault> {
        self.put_up(by, new).await
    }
    async fn notices(
        &self,
        by: &Actor,
        which: Notices,
        part: &Part,
    ) -> Result<Page<Notice>, Fault> {
        self.list_notices(by, which, part).await
    }
    async fn public_notices(&self, part: &Part) -> Result<Page<Notice>, Fault> {
        self.list_public(part).await
    }
    async fn public_notice(&self, id: &str) -> Result<Notice, Fault> {
        self.one_public(id).await
    }
    async fn notice(&self, by: &Actor, id: &str) -> Result<Notice, Fault> {
        self.look_at_notice(by, id, false).await
    }
    async fn confirm(&self, by: &Actor, id: &str) -> Result<Notice, Fault> {
        self.look_at_notice(by, id, true).await
    }
    async fn readers(
        &self,
        by: &Actor,
        id: &str,
        which: Readers,
        part: &Part,
    ) -> Result<Page<Receipt>, Fault> {
        self.list_readers(by, id, which, part).await
    }
    async fn withdraw_notice(&self, by: &Actor, id: &str, reason: &str) -> Result<Notice, Fault> {
        self.take_down(by, id, reason).await
    }
    async fn circulate(&self, by: &Actor, new: NewCirculation) -> Result<Circulation, Fault> {
        self.send_round(by, new).await
    }
    async fn circulations(
        &self,
        by: &Actor,
        which: Circulations,
        part: &Part,
    ) -> Result<Page<Circulation>, Fault> {
        self.list_circulations(by, which, part).await
    }
    async fn circulation(&self, by: &Actor, id: &str) -> Result<Circulation, Fault> {
        self.open_circulation(by, id).await
    }
    async fn sign(&self, by: &Actor, id: &str, opinion: Opinion) -> Result<Circulation, Fault> {
        self.sign_circulation(by, id, opinion).await
    }
    async fn urge(&self, by: &Actor, id: &str) -> Result<u64, Fault> {
        self.urge_circulation(by, id).await
    }
    async fn withdraw_circulation(
        &self,
        by: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<Circulation, Fault> {
        self.end_circulation(by, id, reason).await
    }
    async fn entries(&self, by: &Actor, from: Time, to: Time) -> Result<Vec<Entry>, Fault> {
        self.list_entries(by, from, to).await
    }
    async fn add_entry(&self, by: &Actor, new: NewEntry) -> Result<Entry, Fault> {
        self.make_entry(by, new).await
    }
    async fn change_entry(
        &self,
        by: &Actor,
        id: &str,
        new: NewEntry,
        version: i64,
    ) -> Result<Entry, Fault> {
        self.move_entry(by, id, new, version).await
    }
    async fn cancel_entry(&self, by: &Actor, id: &str) -> Result<Entry, Fault> {
        self.drop_entry(by, id).await
    }
    async fn answer(&self, by: &Actor, id: &str, comes: bool) -> Result<Entry, Fault> {
        self.answer_entry(by, id, comes).await
    }
    async fn icalendar(&self, by: &Actor, from: Time, to: Time) -> Result<String, Fault> {
        self.write_icalendar(by, from, to).await
    }
    async fn directory(
        &self,
        by: &Actor,
        words: &str,
        organisation: Option<&str>,
        part: &Part,
    ) -> Result<Page<Member>, Fault> {
        self.search(by, words, organisation, part)
    }
    async fn sees_file(&self, by: &Actor, file: &str) -> Result<bool, Fault> {
        self.is_attached_for(by, file).await
    }
}
