//! The shelf: drawings that were read, by process and version. A version never changes, so what was
//! read once stays.

use super::Engine;
use crate::bpmn::{self, EventWhat, Model, Moment, NodeIndex, NodeKind};
use kernel::Fault;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;
use store::Run;
use store::cases::processes;

/// Drawings kept; beyond it the shelf is emptied and fills again.
const LIMIT: usize = 2_000;

#[derive(Default)]
pub(super) struct Shelf {
    models: RwLock<HashMap<(String, i64), Arc<Model>>>,
    /// The newest version of each process.
    newest: RwLock<HashMap<String, i64>>,
}

/// What begins a process besides a person.
pub(super) struct Beginning {
    pub(super) process: String,
    pub(super) version: i64,
    pub(super) node: NodeIndex,
}

impl Shelf {
    pub(super) fn newest(&self, process: &str) -> Option<i64> {
        self.newest.read().get(process).copied()
    }

    pub(super) fn put(&self, process: &str, version: i64, model: Arc<Model>) {
        let mut models = self.models.write();
        if models.len() >= LIMIT {
            models.clear();
        }
        models.insert((process.into(), version), model);
        let mut newest = self.newest.write();
        let known = newest.entry(process.into()).or_insert(version);
        *known = std::cmp::max(*known, version);
    }

    fn get(&self, process: &str, version: i64) -> Option<Arc<Model>> {
        let models = self.models.read();
        models.get(&(process.to_string(), version)).cloned()
    }

    /// The newest drawings, by process.
    pub(super) fn all_newest(&self) -> Vec<(String, i64, Arc<Model>)> {
        let newest: Vec<(String, i64)> = self
            .newest
            .read()
            .iter()
            .map(|(process, version)| (process.clone(), *version))
            .collect();
        let mut found: Vec<_> = newest
            .into_iter()
            .filter_map(|(process, version)| {
                let model = self.get(&process, version)?;
                Some((process, version, model))
            })
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    /// Processes a signal begins, after one, in order; `limit` at most.
    pub(super) fn begun_by_signal(
        &self,
        signal: &str,
        after: &str,
        limit: usize,
    ) -> Vec<Beginning> {
        let newest = self.all_newest().into_iter();
        let later = newest.filter(|(process, _, _)| process.as_str() > after);
        let begun = later.filter_map(|(process, version, model)| {
            let (node, _) = model
                .processes
                .get(&process)?
                .within(None)
                .find(|(_, found)| {
                    matches!(&found.kind, NodeKind::Event {
                        moment: Moment::Start { .. },
                        what: EventWhat::Signal(id),
                    } if model.signals.get(id).is_some_and(|s| s.name == signal))
                })?;
            Some(Beginning {
                process,
                version,
                node,
            })
        });
        begun.take(limit).collect()
    }

    /// The process a message begins.
    pub(super) fn begun_by(&self, message: &str) -> Option<Beginning> {
        for (process, version, model) in self.all_newest() {
            let drawing = model.processes.get(&process)?;
            for (node, found) in drawing.within(None) {
                if let NodeKind::Event {
                    moment: Moment::Start { .. },
                    what: EventWhat::Message(id),
                } = &found.kind
                    && model.messages.get(id).is_some_and(|m| m.name == message)
                {
                    return Some(Beginning {
                        process,
                        version,
                        node,
                    });
                }
            }
        }
        None
    }
}

impl Engine {
    /// Reads the newest version of every process.
    pub(super) async fn load_processes(&self) -> Result<(), Fault> {
        let mut reader = self.store.reader().await?;
        for process in processes::newest(&mut reader).await? {
            let model = self.model(&mut reader, &process.process, process.version);
            if let Err(fault) = model.await {
                // One that cannot be read any more does not stop the others.
                tracing::error!(%fault, process = process.process, "reading a process");
            }
        }
        Ok(())
    }

    /// The drawing of a version.
    pub(super) async fn model(
        &self,
        run: &mut impl Run,
        process: &str,
        version: i64,
    ) -> Result<Arc<Model>, Fault> {
        if let Some(model) = self.shelf.get(process, version) {
            return Ok(model);
        }
        let file = processes::file(run, process, version).await?;
        let file = file.ok_or_else(|| Fault::missing(&format!("{process} v{version}")))?;
        let model = bpmn::read_stored(process, &file).map_err(Fault::invalid)?;
        let model = Arc::new(model);
        self.shelf.put(process, version, model.clone());
        Ok(model)
    }
}
