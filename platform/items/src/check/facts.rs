//! What the city says that a check needs: organisations, processes, types of licences, registers, and
//! the other items.

use crate::form::Form;
use async_trait::async_trait;
use kernel::declare::{LicenceDecl, RegisterDecl};
use kernel::items::{Item, ItemContent, ItemState, Source};
use kernel::refusing::Refusing;
use kernel::{Fault, Problem};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The rest of the city as items refer to it; the program hands it in.
#[async_trait]
pub trait Surroundings: Send + Sync {
    /// Is there an organisation of this code now?
    async fn organisation(&self, code: &str) -> Result<bool, Fault>;
    /// Whoever has the work of an organisation that stands no longer.
    fn successor(&self, code: &str) -> Option<String> {
        let _ = code;
        None
    }
    /// Is there a published process of this name?
    async fn process(&self, name: &str) -> Result<bool, Fault>;
    /// Names of the forms that tasks of this process give (`jicheng:form`), as far as they are known.
    async fn process_forms(&self, name: &str) -> Result<Vec<String>, Fault> {
        let _ = name;
        Ok(vec![])
    }
    /// What speaks against these words for a kind of letter of an item whose refusal is called so;
    /// each is said of the letter.
    async fn letter(
        &self,
        kind: &str,
        refusing: Refusing,
        text: &str,
    ) -> Result<Vec<Problem>, Fault> {
        let _ = (kind, refusing, text);
        Ok(vec![])
    }
    /// The type of licence of this name.
    async fn licence(&self, name: &str) -> Result<Option<LicenceDecl>, Fault>;
    /// The register of this name.
    async fn register(&self, name: &str) -> Result<Option<RegisterDecl>, Fault>;
}

/// What a check asks: the surroundings, and the items themselves.
#[async_trait]
pub(crate) trait Ask: Send + Sync {
    fn surroundings(&self) -> &dyn Surroundings;
    /// The newest version of an item that was published and not cancelled.
    async fn published(&self, name: &str) -> Result<Option<Arc<Item>>, Fault>;
    /// Bundles in force that contain this item.
    async fn bundles_with(&self, name: &str) -> Result<Vec<Arc<Item>>, Fault>;
}

/// The answers.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) organisation: bool,
    pub(crate) process: bool,
    pub(crate) process_forms: Vec<String>,
    /// What is wrong with letters, by kind.
    pub(crate) letters: Vec<(String, Problem)>,
    licences: BTreeMap<String, LicenceDecl>,
    registers: BTreeMap<String, RegisterDecl>,
    items: BTreeMap<String, Arc<Item>>,
    pub(crate) bundled_in: Vec<Arc<Item>>,
}

impl Facts {
    pub(crate) fn licence(&self, name: &str) -> Option<&LicenceDecl> {
        self.licences.get(name)
    }

    pub(crate) fn register(&self, name: &str) -> Option<&RegisterDecl> {
        self.registers.get(name)
    }

    /// An item that can be begun.
    pub(crate) fn item(&self, name: &str) -> Option<&Item> {
        let item = self.items.get(name)?;
        (item.state == ItemState::InForce).then_some(item)
    }

    /// Asks for everything a content names.
    pub(crate) async fn gather(
        content: &ItemContent,
        form: &Form,
        own: Option<&str>,
        ask: &impl Ask,
    ) -> Result<Facts, Fault> {
        let around = ask.surroundings();
        let mut licences: BTreeSet<&str> = content.outcome.licence.as_deref().into_iter().collect();
        let mut registers: BTreeSet<&str> = BTreeSet::new();
        for source in content.materials.iter().flat_map(|m| &m.sources) {
            match source {
                Source::Licence { kind } => licences.insert(kind),
                Source::Register { register, .. } => registers.insert(register),
            };
        }
        for path in form.fields.iter().filter_map(|f| f.prefill.as_deref()) {
            let mut parts = path.splitn(3, '.');
            match (parts.next(), parts.next()) {
                (Some("register"), Some(name)) => registers.insert(name),
                (Some("licence"), Some(name)) => licences.insert(name),
                _ => false,
            };
        }
        let mut facts = Facts {
            organisation: around.organisation(&content.organisation).await?,
            process: match &content.process {
                Some(process) => around.process(process).await?,
                None => false,
            },
            ..Facts::default()
        };
        if let (Some(process), true) = (&content.process, facts.process) {
            facts.process_forms = around.process_forms(process).await?;
        }
        let refusing = content.refusing();
        for (kind, text) in &content.letters {
            let wrong = around.letter(kind, refusing, text).await?;
            facts
                .letters
                .extend(wrong.into_iter().map(|problem| (kind.clone(), problem)));
        }
        for name in licences {
            if let Some(decl) = around.licence(name).await? {
                facts.licences.insert(name.into(), decl);
            }
        }
        for name in registers {
            if let Some(decl) = around.register(name).await? {
                facts.registers.insert(name.into(), decl);
            }
        }
        let options = content.guidance.iter().flat_map(|q| &q.options);
        let named = options.filter_map(|option| option.item.as_ref());
        let named: BTreeSet<&String> = content.bundle.iter().chain(named).collect();
        for name in named {
            if let Some(item) = ask.published(name).await? {
                facts.items.insert(name.clone(), item);
            }
        }
        if let Some(own) = own {
            facts.bundled_in = ask.bundles_with(own).await?;
        }
        Ok(facts)
    }
}
