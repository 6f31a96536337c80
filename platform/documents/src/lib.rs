//! documents: everything that is a file in government services. What applicants hand in is judged
//! by its content, searched for viruses and kept encrypted, in chunks that are rows of the store,
//! so that backup, log shipping and restore cover it. The letters of an office are numbered without
//! gaps, rendered from templates an official can read, sealed, signed so that any reader of PDF
//! verifies them, and found again by number and check.
//!
//! Rooms: [`inspect`] what a file is; [`scanner`] viruses; `keeping` files; [`template`], `drawing`
//! and [`fonts`] what a letter looks like; `letters` numbers and issues; `signing` certificates,
//! signatures and their examination; `pdf` the little that must be understood of that format.

mod drawing;
pub mod fonts;
pub mod inspect;
mod keeping;
mod letters;
mod pdf;
mod printing;
mod quiet;
mod reads;
mod reseal;
pub mod scanner;
mod signing;
pub mod template;

use fonts::Fonts;
use inspect::Limits;
use kernel::access::Actor;
use kernel::crypto::Crypto;
use kernel::documents::{
    Documents, File, FileInfo, Letter, LetterProof, LicencePrint, NewFile, NewLetter, PdfCheck,
};
use kernel::{Clock, Fault, Problem};
use parking_lot::RwLock;
use scanner::Scanner;
use serde_json::{Map, Value};
use signing::certificates::Authority;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use template::Template;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long work waits for its turn.
const TURN: Duration = Duration::from_secs(60);
/// Uploads handled at once; each is held in memory.
const UPLOADS: usize = 8;

/// What the engine works with besides the store.
pub struct Means {
    /// Keys: contents are sealed with [`kernel::crypto::Ring::Secrets`], letters signed with
    /// [`kernel::crypto::Ring::Letters`].
    pub crypto: Arc<dyn Crypto>,
    /// Looks for viruses; `None` when the city has configured none.
    pub scanner: Option<Arc<dyn Scanner>>,
    /// What the city configures.
    pub settings: Settings,
}

/// What the city configures.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the city, for the certificate letters are traced to: 石家庄市.
    pub city: String,
    /// What is accepted of one file.
    pub limits: Limits,
    /// Files of one owner, at most.
    pub files_per_owner: usize,
    /// Bytes of one owner's files together, at most.
    pub bytes_per_owner: u64,
    /// Folders fonts are searched in, and those below them.
    pub font_folders: Vec<PathBuf>,
    /// Address of the page where letters are verified; number and check are appended.
    pub verify_at: String,
    /// Templates by name beside those delivered, or in their place.
    pub templates: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            city: "示例市".into(),
            limits: Limits::default(),
            files_per_owner: 200,
            bytes_per_owner: 500 << 20,
            font_folders: vec!["/usr/share/fonts".into(), "/usr/local/share/fonts".into()],
            verify_at: "/verify-letter".into(),
            templates: BTreeMap::new(),
        }
    }
}

/// The documents engine.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    crypto: Arc<dyn Crypto>,
    scanner: Option<Arc<dyn Scanner>>,
    settings: Settings,
    fonts: Result<Arc<Fonts>, Fault>,
    templates: RwLock<Templates>,
    authority: Authority,
    reads: Arc<reads::Reads>,
    uploads: Semaphore,
    looks: Semaphore,
    drawings: Semaphore,
    /// Templates known to be kept, by digest.
    kept_templates: RwLock<BTreeMap<String, Arc<Template>>>,
}

/// Templates in force, by name.
type Templates = BTreeMap<String, Arc<Template>>;

/// The delivered templates with others beside them or in their place.
fn templates(own: &BTreeMap<String, String>) -> Result<Templates, Vec<Problem>> {
    let delivered = template::DELIVERED
        .iter()
        .map(|(kind, text)| (*kind, *text));
    let own = own
        .iter()
        .map(|(kind, text)| (kind.as_str(), text.as_str()));
    let texts: BTreeMap<&str, &str> = delivered.chain(own).collect();
    let mut found = Templates::new();
    let mut problems = vec![];
    for (kind, text) in texts {
        match Template::parse(kind, text) {
            Ok(template) => {
                found.insert(kind.into(), Arc::new(template));
            }
            Err(wrong) => problems.extend(wrong),
        }
    }
    match problems.is_empty() {
        true => Ok(found),
        false => Err(problems),
    }
}

impl Engine {
    /// Opens the engine. Without a Chinese font it opens all the same, and letters are refused
    /// with `documents.no_font`; see [`Engine::trouble`]. Templates that cannot be read are
    /// refused with every fault and its line.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        means: Means,
    ) -> Result<Arc<Engine>, Fault> {
        let settings = means.settings;
        let templates = templates(&settings.templates).map_err(Fault::invalid)?;
        let folders = settings.font_folders.clone();
        let fonts = blocking(move || Fonts::find(&folders)).await?;
        let fonts = fonts.map(Arc::new);
        if let Err(fault) = &fonts {
            tracing::warn!(%fault, "letters cannot be written");
        }
        let authority = Authority::open(&store, &clock, &means.crypto, &settings.city).await?;
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Arc::new(Engine {
            reads: reads::Reads::new(store.clone()),
            store,
            clock,
            crypto: means.crypto,
            scanner: means.scanner,
            fonts,
            templates: RwLock::new(templates),
            authority,
            uploads: Semaphore::new(UPLOADS),
            // Somebody waits for a file to be looked at, and not behind letters.
            looks: Semaphore::new(cores.clamp(1, 8)),
            drawings: Semaphore::new(cores.clamp(1, 8)),
            kept_templates: RwLock::default(),
            settings,
        }))
    }

    /// What keeps letters from being written, for the start and the health page.
    pub fn trouble(&self) -> Option<Fault> {
        self.fonts.as_ref().err().cloned()
    }

    /// The templates in force, for pages and forms.
    pub fn templates(&self) -> Vec<Arc<Template>> {
        self.templates.read().values().cloned().collect()
    }

    /// Puts other templates into force beside those delivered, or in their place; all or none.
    pub fn replace_templates(&self, own: &BTreeMap<String, String>) -> Result<(), Fault> {
        let found = templates(own).map_err(Fault::invalid)?;
        *self.templates.write() = found;
        Ok(())
    }

    /// How a letter by this template would look, for whoever writes templates: with these fields,
    /// a number that counts for nothing and no signature.
    pub async fn preview(
        &self,
        kind: &str,
        text: &str,
        office: &kernel::documents::Office,
        fields: Map<String, Value>,
    ) -> Result<Vec<u8>, Fault> {
        letters::preview(self, kind, text, office, fields).await
    }

    /// Characters of a text at this place that a print of a licence will show as a mark, because
    /// no font of this machine has them.
    pub fn undrawn(&self, at: &str, text: &str) -> Option<Problem> {
        printing::undrawn(self, at, text)
    }

    fn fonts(&self) -> Result<Arc<Fonts>, Fault> {
        self.fonts.clone()
    }

    async fn turn<'a>(&self, of: &'a Semaphore) -> Result<SemaphorePermit<'a>, Fault> {
        let turn = tokio::time::timeout(TURN, of.acquire()).await;
        match turn {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Fault::overloaded("documents", 5)),
        }
    }

    /// What is done now and then: removes uploads that broke off over an hour ago, and writes the
    /// letters whose process ended between number and PDF. Says how many of each.
    pub async fn tidy(&self) -> Result<(u64, u64), Fault> {
        let removed = keeping::sweep(self).await?;
        let written = letters::finish(self).await?;
        Ok((removed, written))
    }

    /// Files of owners that begin so, which came before a moment and were not handed in, 1,000 at
    /// most: those who let people bring files before they belong anywhere look after them.
    pub async fn loose(&self, prefix: &str, before: kernel::Time) -> Result<Vec<FileInfo>, Fault> {
        keeping::loose(self, prefix, before).await
    }

    /// Seals everything anew that is not under the newest keys, a few rows at a time, before an
    /// old key is retired; says how many files and letters.
    pub async fn reseal(&self) -> Result<u64, Fault> {
        reseal::reseal(self).await
    }
}

/// Work for a thread that may take its time.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Fault::internal("working on a document", e))
}

#[async_trait::async_trait]
impl Documents for Engine {
    async fn put(&self, actor: &Actor, new: NewFile) -> Result<FileInfo, Fault> {
        keeping::put(self, actor, new).await
    }
    async fn get(&self, actor: &Actor, id: &str) -> Result<File, Fault> {
        keeping::get(self, actor, id).await
    }
    async fn info(&self, id: &str) -> Result<FileInfo, Fault> {
        keeping::info(self, id).await
    }
    async fn list(&self, owner: &str) -> Result<Vec<FileInfo>, Fault> {
        keeping::list(self, owner).await
    }
    async fn remove(&self, actor: &Actor, id: &str) -> Result<(), Fault> {
        keeping::remove(self, actor, id).await
    }
    async fn attach(&self, actor: &Actor, from: &str, to: &str) -> Result<Vec<FileInfo>, Fault> {
        keeping::attach(self, actor, from, to).await
    }
    async fn letter(&self, actor: &Actor, new: &NewLetter) -> Result<Letter, Fault> {
        letters::letter(self, actor, new).await
    }
    async fn letters(&self, about: &str) -> Result<Vec<Letter>, Fault> {
        letters::letters(self, about).await
    }
    async fn withdraw_letter(
        &self,
        actor: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<Letter, Fault> {
        letters::withdraw(self, actor, id, reason).await
    }
    async fn find_letter(&self, number: &str, check: &str) -> Result<LetterProof, Fault> {
        letters::find(self, number, check).await
    }
    async fn verify_pdf(&self, bytes: Vec<u8>) -> Result<PdfCheck, Fault> {
        printing::verify(self, bytes).await
    }
    async fn licence_pdf(&self, print: &LicencePrint) -> Result<Vec<u8>, Fault> {
        printing::licence(self, print).await
    }
    async fn letter_ofd(&self, actor: &Actor, id: &str) -> Result<Vec<u8>, Fault> {
        letters::ofd(self, actor, id).await
    }
    async fn licence_ofd(&self, print: &LicencePrint) -> Result<Vec<u8>, Fault> {
        printing::licence_ofd(self, print).await
    }
    async fn authority(&self) -> Result<String, Fault> {
        Ok(printing::pem(&self.authority.certificate))
    }
}
