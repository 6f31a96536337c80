//! licences: electronic licences (电子证照). Types are declared in files; licences are issued to
//! holders, signed, suspended, revoked and replaced with a history that only grows; anybody they
//! are shown to verifies them, by a short-lived code, by identifier and name, or as a signed
//! document (SD-JWT VC) that wallets fetch by OpenID4VCI and show by OpenID4VP.
//!
//! What a licence says lies sealed in the store and signed over canonical JSON; a row altered
//! behind the city's back is found by the next verification. Every use is on the disk before its
//! answer leaves, and its holder sees it. Whoever verifies sees the fields their purpose needs,
//! under a watermark that names it; a licence that counts no more shows nothing personal.

pub mod canonical;
mod change;
mod check;
mod consult;
mod content;
mod guesses;
pub mod identifier;
mod issue;
mod jose;
mod office;
pub mod openid4vc;
mod opening;
mod print;
mod reading;
mod renewal;
mod reseal;
pub mod sd_jwt;
mod sealing;
mod status;
mod table;
mod uses;
mod verify;
mod wallet;
mod written;

pub use office::{Listed, Looked};
pub use print::{NewPrint, PrintStanding, Printing};
pub use renewal::Reissue;
pub use status::{CAPACITY, TTL as STATUS_TTL, status_at};
pub use wallet::{NewPresentation, Presentation, StepInfo, UseInfo, WalletPage};

use async_trait::async_trait;
use identifier::Rules;
use kernel::access::{Actor, Tie};
use kernel::crypto::{Crypto, Ring, Suite};
use kernel::fault::FaultKind;
use kernel::licences::{
    Change, Holder, InPlace, Licence, LicenceType, Licences, NewLicence, Shown, State, Use,
    Verification,
};
use kernel::parties::Parties;
use kernel::{Clock, Fault, Problem, Words};
use parking_lot::RwLock;
use sealing::Sealing;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::licences::{self as rows, By, LicenceRow, TypeRow};
use store::{Run, Store};

/// Level of proof a holder needs to open their wallet.
pub const WALLET_LEVEL: u8 = 2;

/// From the number of a natural person to the name the audit log knows them by.
pub type Pseudonym = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// From the code of an organisation to its name.
pub type Offices = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What the engine works with besides the store.
pub struct Means {
    /// Keys: licences are signed with [`Ring::Seal`] and sealed with [`Ring::Secrets`].
    pub crypto: Arc<dyn Crypto>,
    /// Says whether an agent may handle licences of whom they act for.
    pub parties: Arc<dyn Parties>,
    /// How the audit log knows a natural person by their number: uses then stand under "who saw
    /// my data" too.
    pub pseudonym: Pseudonym,
    /// Name of an organisation by its code, for the holders who see who used a licence.
    pub offices: Offices,
    /// The types declared now ([`kernel::licences::types`]).
    pub types: BTreeMap<String, LicenceType>,
    /// What the city configures.
    pub settings: Settings,
}

/// What the city configures.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address of the city as others reach it, without a slash at its end: issuer of signed
    /// documents (`iss`), and before every address in them.
    pub issuer: String,
    /// Name of the city for wallets.
    pub name: Words,
    /// What of GB/T 36904 is configuration.
    pub identifiers: Rules,
    /// Codes of states in GB/T 36903, where the city's province says others.
    pub state_codes: StateCodes,
}

/// Codes of states (GB/T 36903). The defaults are those of a published service.
#[derive(Clone, Debug)]
pub struct StateCodes {
    /// By state.
    pub of: BTreeMap<&'static str, String>,
    /// When its last day has passed.
    pub expired: String,
}

impl Default for StateCodes {
    fn default() -> StateCodes {
        let code = |state: State| match state {
            State::InForce => "01",
            State::Suspended => "02",
            State::Withdrawn => "03",
            State::Cancelled => "04",
            State::Penalty => "07",
            State::Replaced => "99",
        };
        StateCodes {
            of: State::ALL
                .map(|state| (state.word(), code(state).into()))
                .into(),
            expired: "05".into(),
        }
    }
}

/// The licences engine.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    sealing: Sealing,
    parties: Arc<dyn Parties>,
    pseudonym: Pseudonym,
    offices: Offices,
    settings: Settings,
    issuer: RwLock<String>,
    types: Types,
    opening: Arc<opening::Opening>,
    uses: Arc<uses::Uses>,
    lists: status::Lists,
    guesses: guesses::Guesses,
}

/// The types: those that are issued now, and every version licences were issued under.
struct Types {
    current: BTreeMap<String, (i64, Arc<LicenceType>)>,
    versions: BTreeMap<(String, i64), Arc<LicenceType>>,
}

impl Engine {
    /// Opens the engine. A type declared otherwise than before gets a new version; licences keep
    /// the one they were issued under.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        means: Means,
    ) -> Result<Arc<Engine>, Fault> {
        let sealing = Sealing::open(&store, means.crypto).await?;
        let types = note_types(&store, clock.as_ref(), means.types).await?;
        Ok(Arc::new(Engine {
            opening: opening::Opening::new(store.clone()),
            uses: uses::Uses::new(store.clone()),
            store,
            clock,
            sealing,
            parties: means.parties,
            pseudonym: means.pseudonym,
            offices: means.offices,
            issuer: RwLock::new(means.settings.issuer.clone()),
            settings: means.settings,
            types,
            lists: status::Lists::default(),
            guesses: guesses::Guesses::default(),
        }))
    }

    /// The city's own address, where it is known only once it listens.
    pub fn set_issuer(&self, issuer: &str) {
        *self.issuer.write() = issuer.trim_end_matches('/').into();
    }

    /// Issuer of signed documents, and before every address in them.
    fn issuer(&self) -> String {
        self.issuer.read().clone()
    }

    /// The types issued now, for pages and forms.
    pub fn types(&self) -> Vec<LicenceType> {
        let current = self.types.current.values();
        current.map(|(_, kind)| (**kind).clone()).collect()
    }

    /// The office an actor works for, by name; their account when they work for none.
    pub fn office_of(&self, actor: &Actor) -> String {
        let code = actor.organisation.as_deref();
        let name = code.map(|code| (self.offices)(code).unwrap_or_else(|| code.into()));
        name.unwrap_or_else(|| actor.account.clone())
    }

    /// The type a licence was issued under.
    fn type_of(&self, row: &LicenceRow) -> Result<Arc<LicenceType>, Fault> {
        let key = (row.kind.clone(), row.kind_version);
        let found = self.types.versions.get(&key).cloned();
        // Another process may know a newer declaration; any version has the same elements.
        let found = found.or_else(|| self.types.current.get(&row.kind).map(|(_, t)| t.clone()));
        found.ok_or_else(|| Fault::internal("reading a licence", "its type is not known"))
    }

    fn current_type(&self, name: &str) -> Option<&(i64, Arc<LicenceType>)> {
        self.types.current.get(name)
    }

    /// A licence by identifier; the check character is looked at first.
    async fn row_of(&self, run: &mut impl Run, identifier: &str) -> Result<LicenceRow, Fault> {
        let parsed = self.settings.identifiers.parse(identifier);
        let parsed = parsed.map_err(|problem| Fault::invalid(vec![problem]))?;
        let found = rows::licence(run, By::Identifier, &parsed.to_string()).await?;
        found.ok_or_else(|| Fault::missing("licence"))
    }

    fn crypto(&self) -> &dyn Crypto {
        self.sealing.crypto.as_ref()
    }

    /// The ring that signs documents: of the suite; for wallets of others always one they can
    /// verify (ES256).
    fn document_ring(&self, for_wallet: bool) -> Ring {
        match self.crypto().suite() {
            Suite::National if for_wallet => Ring::OpenId,
            _ => Ring::Seal,
        }
    }

    /// Whose licences the actor may handle: their own, or those of whom they act for, within the
    /// authorisation. The identity must be proven.
    async fn holder_of(&self, actor: &Actor) -> Result<String, Fault> {
        let standing = &actor.standing;
        if standing.proofing < WALLET_LEVEL || standing.person.is_none() {
            return Err(Fault::new(
                FaultKind::Denied,
                "parties.level",
                format!("办理此事项需要实名核验达到 {WALLET_LEVEL} 级，请先在“我的身份”中提升"),
                format!(
                    "this needs an identity proven to level {WALLET_LEVEL}; raise it under \"my identity\""
                ),
            ));
        }
        self.parties.demand_matter(actor, "licences").await?;
        let acting = standing.acts_for.as_ref();
        let acting = acting.filter(|party| party.tie != Tie::Delegation);
        let number = acting.map(|party| party.party.clone());
        let number = number.or_else(|| standing.person.clone());
        number.ok_or_else(|| Fault::missing("holder"))
    }

    /// Forgets secrets that are long over, and writes the end of licences into their histories.
    /// A job; says how many licences ended.
    pub async fn tidy(&self) -> Result<u64, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let (day, kept) = (now - kernel::Span::days(1), now - openid4vc::KEPT);
        rows::sweep_tokens(&mut tx, day.0, kept.0).await?;
        tx.commit().await?;
        self.note_ended().await
    }
}

/// Notes what is declared; a new version of what changed.
async fn note_types(
    store: &Store,
    clock: &dyn Clock,
    declared: BTreeMap<String, LicenceType>,
) -> Result<Types, Fault> {
    let mut tx = store.begin().await?;
    let mut known: BTreeMap<String, TypeRow> = BTreeMap::new();
    let mut types = Types {
        current: BTreeMap::new(),
        versions: BTreeMap::new(),
    };
    for row in rows::types(&mut tx).await? {
        let kind: LicenceType = serde_json::from_str(&row.body)
            .map_err(|e| Fault::internal("reading a type of licence", e))?;
        let key = (row.name.clone(), row.version);
        types.versions.insert(key, Arc::new(kind));
        known.insert(row.name.clone(), row);
    }
    let mut written = false;
    for (name, kind) in declared {
        let body = serde_json::to_value(&kind)
            .map_err(|e| Fault::internal("writing a type of licence", e))?;
        let body = canonical::canonical(&body);
        let last = known.get(&name);
        let version = match last {
            Some(row) if row.body == body => row.version,
            _ => {
                let version = last.map_or(1, |row| row.version + 1);
                let at = clock.now().0;
                let name = name.clone();
                let row = TypeRow {
                    name,
                    version,
                    at,
                    body,
                };
                rows::add_type(&mut tx, &row).await?;
                written = true;
                version
            }
        };
        let kind = Arc::new(kind);
        types.versions.insert((name.clone(), version), kind.clone());
        types.current.insert(name, (version, kind));
    }
    if written {
        tx.commit().await?;
    }
    Ok(types)
}

#[async_trait]
impl Licences for Engine {
    async fn issue(&self, actor: &Actor, new: &[NewLicence]) -> Result<Vec<Licence>, Fault> {
        self.issue_all(actor, new).await
    }
    async fn reissue(
        &self,
        actor: &Actor,
        former: &str,
        new: &NewLicence,
    ) -> Result<Licence, Fault> {
        self.issue_in_place(actor, former, new, "").await
    }
    async fn change(
        &self,
        actor: &Actor,
        identifier: &str,
        change: &Change,
    ) -> Result<Licence, Fault> {
        self.change_state(actor, identifier, change).await
    }
    async fn held(&self, holder: &Holder, kind: &str) -> Result<Vec<String>, Fault> {
        self.held_by(holder, kind).await
    }
    async fn note_in_place(&self, identifier: &str, used: &InPlace) -> Result<(), Fault> {
        self.note_material(identifier, used).await
    }
    async fn consult(
        &self,
        actor: &Actor,
        identifier: &str,
        fields: &[String],
    ) -> Result<Verification, Fault> {
        self.consult_as_office(actor, identifier, fields).await
    }
    async fn verify(&self, actor: &Actor, shown: &Shown, why: &Use) -> Result<Verification, Fault> {
        self.verify_shown(actor, shown, why, "").await
    }
}

fn problem(at: impl Into<String>, zh: impl Into<String>, en: impl Into<String>) -> Problem {
    Problem {
        at: at.into(),
        words: Words::new(zh, en),
    }
}

fn refuse(problems: Vec<Problem>) -> Result<(), Fault> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Fault::invalid(problems))
    }
}

/// A reason, a purpose, a name: 2 to `most` characters that can be printed.
fn said(at: &str, text: &str, most: usize) -> Option<Problem> {
    let length = text.trim().chars().count();
    let sound = (2..=most).contains(&length) && !text.contains(is_invisible);
    (!sound).then(|| {
        problem(
            at,
            format!("须为 2 至 {most} 个字"),
            format!("2 to {most} characters"),
        )
    })
}

/// Characters that steer the text around them instead of standing in it.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
