//! Who is who for the engines of the window: residents by their proven identity, members of the
//! office with where they work, addresses; files that were handed in; halls that are declared.

use applications::{Files, People, Person};
use async_trait::async_trait;
use kernel::declare::{Declared, yaml};
use kernel::documents::Documents;
use kernel::fault::FaultKind;
use kernel::licences::Holder;
use kernel::messages::{AddressBook, Reach};
use kernel::numbers::same_name;
use kernel::office::{Files as OfficeFilesOf, Member, Members};
use kernel::organisations::Organisations;
use kernel::page::{Page, Part};
use kernel::records::Registers;
use kernel::visits::{NewHall, Visits};
use kernel::{Actor, Clock, Fault, Span};
use parking_lot::RwLock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rows read at once.
const PAGE: usize = 500;

/// Residents, by the parties engine.
pub struct Residents {
    /// It.
    pub parties: Arc<parties::Engine>,
    /// Persons and enterprises as their registers have them.
    pub registers: Arc<registers::Engine>,
    /// Which registers there are.
    pub declared: Arc<Declared>,
}

/// Registers that know persons, and enterprises, by their number and a field `name`.
const NAMED: [(bool, &str); 3] = [
    (true, "person"),
    (false, "market_entity"),
    (false, "enterprise"),
];

#[async_trait]
impl People for Residents {
    async fn person(&self, account: &str) -> Result<Option<Person>, Fault> {
        let known = self.parties.person_of(account).await?;
        Ok(known.identity.map(|identity| Person {
            identity,
            mobile: known.phone.unwrap_or_default(),
        }))
    }

    async fn is_named(&self, holder: &Holder) -> Result<Option<bool>, Fault> {
        let mut named = self.parties.is_known_as(holder).await?;
        for (natural, register) in NAMED {
            let declared = self.declared.register(register).is_some();
            if named.is_some() || natural != holder.is_natural() || !declared {
                continue;
            }
            let record = self.registers.get(register, &holder.number, None, None);
            let record = record.await?;
            let name = record.as_ref().and_then(|r| r.fields.get("name")?.as_str());
            named = name.map(|name| same_name(name, &holder.name));
        }
        Ok(named)
    }
}

/// Where accounts can be reached: the number they proved.
pub struct Addresses {
    /// Knows it.
    pub parties: Arc<parties::Engine>,
}

#[async_trait]
impl AddressBook for Addresses {
    async fn reach(&self, account: &str) -> Result<Option<Reach>, Fault> {
        let known = self.parties.person_of(account).await?;
        Ok(Some(Reach {
            mobile: known.phone,
            email: None,
            english: false,
        }))
    }
}

/// Files of applicants, kept by the documents engine.
pub struct HandedIn {
    /// It.
    pub documents: Arc<documents::Engine>,
}

#[async_trait]
impl Files for HandedIn {
    async fn hand_in(&self, files: &[String]) -> Result<(), Fault> {
        let mut attached = BTreeSet::new();
        for id in files {
            if attached.contains(id) {
                continue;
            }
            let info = self.documents.info(id).await?;
            if info.handed_in {
                continue;
            }
            // They stay where they are, and can no longer be removed.
            let owner = info.owner;
            let all = self
                .documents
                .attach(&Actor::system(), &owner, &owner)
                .await?;
            attached.extend(all.into_iter().map(|info| info.id));
        }
        Ok(())
    }

    async fn forget(&self, about: &str) -> Result<(), Fault> {
        for file in self.documents.list(about).await? {
            if !file.handed_in {
                self.documents.remove(&Actor::system(), &file.id).await?;
            }
        }
        Ok(())
    }
}

/// Files members may attach: those they brought themselves.
pub struct OfficeFiles {
    /// Keeps them.
    pub documents: Arc<documents::Engine>,
    /// Says how old they are.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl OfficeFilesOf for OfficeFiles {
    async fn may_attach(&self, by: &Actor, file: &str) -> Result<bool, Fault> {
        match self.documents.info(file).await {
            Ok(info) => {
                let mine = info.created_by == by.account && info.owner.starts_with("office/");
                // An older one may be about to be removed.
                let new = info.created_at > self.clock.now() - Span::days(1);
                Ok(mine && (new || info.handed_in))
            }
            Err(fault) if fault.kind == FaultKind::Missing => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}

/// Members of the city's organisations: everybody who holds a position, and every account that
/// belongs to an organisation without one. Accounts are read anew by a job.
pub struct Staff {
    organisations: Arc<organisations::Engine>,
    identity: Arc<identity::Engine>,
    accounts: RwLock<BTreeMap<String, Member>>,
}

impl Staff {
    /// Over these engines; nobody is known yet.
    pub fn new(
        organisations: Arc<organisations::Engine>,
        identity: Arc<identity::Engine>,
    ) -> Arc<Staff> {
        Arc::new(Staff {
            organisations,
            identity,
            accounts: RwLock::default(),
        })
    }

    /// Reads the accounts of organisations anew. Residents' accounts belong to none that is an
    /// office.
    pub async fn refresh(&self) -> Result<(), Fault> {
        let mut all = BTreeMap::new();
        let mut after = String::new();
        loop {
            let page = self.identity.accounts(&after, PAGE).await?;
            let Some(last) = page.items.last() else { break };
            after = last.name.clone();
            let whole = page.items.len() >= PAGE;
            for account in page.items {
                let Some(code) = account.organisation.filter(|_| !account.disabled) else {
                    continue;
                };
                // Of a merged organisation, where its people went.
                let code = self.organisations.home(&code).unwrap_or(code);
                let Some(home) = self.organisations.get(&code, None) else {
                    continue;
                };
                if home.kind == kernel::organisations::OrganisationKind::Public {
                    continue;
                }
                let mut within = vec![code.clone()];
                within.extend(self.organisations.above(&code, None));
                let member = Member {
                    account: account.name.clone(),
                    name: account.display,
                    organisation: code,
                    organisation_title: home.title.clone(),
                    positions: vec![],
                    phone: None,
                    room: String::new(),
                    within,
                };
                all.insert(account.name, member);
            }
            if !whole {
                break;
            }
        }
        self.add_positions(&mut all);
        *self.accounts.write() = all;
        Ok(())
    }

    /// What the tree knows of those who hold positions.
    fn add_positions(&self, all: &mut BTreeMap<String, Member>) {
        let mut at = 0;
        loop {
            let page = self
                .organisations
                .directory(None, true, None, None, at, PAGE);
            let end = page.next.and_then(|next| next.parse().ok());
            for entry in page.items {
                let member = all.entry(entry.account.clone()).or_insert_with(|| Member {
                    account: entry.account.clone(),
                    name: entry.name.clone(),
                    organisation: entry.organisation.clone(),
                    organisation_title: entry.organisation_title.clone(),
                    positions: vec![],
                    phone: None,
                    room: String::new(),
                    within: vec![],
                });
                if entry.main || member.positions.is_empty() {
                    member.name = entry.name;
                    member.organisation = entry.organisation.clone();
                    member.organisation_title = entry.organisation_title;
                    member.phone = Some(entry.phone).filter(|phone| !phone.is_empty());
                    member.room = entry.room;
                }
                member.positions.push(entry.title);
                for code in std::iter::once(entry.organisation.clone())
                    .chain(self.organisations.above(&entry.organisation, None))
                {
                    if !member.within.contains(&code) {
                        member.within.push(code);
                    }
                }
            }
            match end {
                Some(end) => at = end,
                None => return,
            }
        }
    }
}

impl Members for Staff {
    fn member(&self, account: &str) -> Option<Member> {
        self.accounts.read().get(account).cloned()
    }

    fn of_position(&self, position: &str) -> Option<Vec<String>> {
        let mut found = vec![];
        let mut at = 0;
        loop {
            let page = self
                .organisations
                .directory(None, true, None, None, at, PAGE);
            let holds = page.items.iter().filter(|e| e.position == position);
            found.extend(holds.map(|entry| entry.account.clone()));
            match page.next.and_then(|next| next.parse().ok()) {
                Some(end) => at = end,
                None => break,
            }
        }
        (!found.is_empty()).then_some(found)
    }

    fn of_organisation(&self, code: Option<&str>) -> Option<Vec<String>> {
        if let Some(code) = code {
            self.organisations.get(code, None)?;
        }
        let accounts = self.accounts.read();
        let inside = accounts
            .values()
            .filter(|member| code.is_none_or(|code| member.within.iter().any(|c| c == code)));
        Some(inside.map(|member| member.account.clone()).collect())
    }

    fn search(&self, words: &str, organisation: Option<&str>, part: &Part) -> Page<Member> {
        let wanted: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        let fits = |member: &&Member| {
            let inside = organisation.is_none_or(|o| member.within.iter().any(|c| c == o));
            let all = format!(
                "{} {} {} {} {}",
                member.account,
                member.name,
                member.organisation_title.zh,
                member.organisation_title.en,
                member
                    .positions
                    .iter()
                    .map(|p| format!("{} {}", p.zh, p.en))
                    .collect::<String>(),
            )
            .to_lowercase();
            inside && wanted.iter().all(|word| all.contains(word.as_str()))
        };
        let accounts = self.accounts.read();
        let found: Vec<&Member> = accounts.values().filter(fits).collect();
        let after = part.after.as_deref().unwrap_or("");
        let size = usize::try_from(part.size()).unwrap_or(50);
        let rest = found
            .iter()
            .filter(|member| member.account.as_str() > after);
        let items: Vec<Member> = rest.clone().take(size).map(|m| (*m).clone()).collect();
        let more = rest.count() > items.len();
        let next = items
            .last()
            .map(|last| last.account.clone())
            .filter(|_| more);
        Page {
            items,
            next,
            total: found.len() as u64,
        }
    }
}

/// Halls of `halls.yaml`; what is wrong is said with the file.
fn halls(declared: &Declared) -> Result<Vec<NewHall>, Fault> {
    let Some(file) = &declared.city.halls else {
        return Ok(vec![]);
    };
    let wrong = |line: usize, why: String| {
        let at = format!("{}:{line}", file.file);
        Fault::invalid_at(at, format!("大厅声明有误：{why}"), why)
    };
    let node = yaml::parse(&file.text).map_err(|(line, why)| wrong(line, why))?;
    let halls = node.json()["halls"].take();
    serde_json::from_value(halls).map_err(|why| wrong(1, why.to_string()))
}

/// Sets the halls the city pack declares, unless they are there already: what was changed by pages
/// stays.
pub async fn publish_halls(visits: &visits::Engine, declared: &Declared) -> Result<(), Fault> {
    for hall in halls(declared)? {
        match visits.hall(&hall.code).await {
            Ok(_) => {}
            Err(fault) if fault.kind == FaultKind::Missing => {
                visits.set_hall(&Actor::system(), hall, 0).await?;
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}
