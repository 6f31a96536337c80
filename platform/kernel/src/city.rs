//! City: the handle a system holds, one `Arc<dyn …>` per engine, and what a system is to the
//! program: a folder of declarations plus the few Rust functions that files cannot say.

use crate::alerts::Alerts;
use crate::applications::Applications;
use crate::clock::Clock;
use crate::devices::{Devices, Gateway};
use crate::observations::Observations;
use crate::records::Registers;
use crate::{Fault, Policy};
use serde_json::Value;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

/// Everything a system or a gateway may ask of the city.
#[derive(Clone)]
pub struct City {
    /// The clock: real, or moved by a test, a rehearsal or a replay.
    pub clock: Arc<dyn Clock>,
    /// What devices measure.
    pub observations: Arc<dyn Observations>,
    /// What is on record.
    pub registers: Arc<dyn Registers>,
    /// What is wrong.
    pub alerts: Arc<dyn Alerts>,
    /// What is connected.
    pub devices: Arc<dyn Devices>,
    /// Who may do what.
    pub policy: Arc<dyn Policy>,
    /// Everything declared in files.
    pub declared: Arc<crate::declare::Declared>,
    /// What people apply for; `None` where the city has no one-window service (small tests).
    pub applications: Option<Arc<dyn Applications>>,
    /// Gateways that are running.
    pub gateways: Vec<Arc<dyn Gateway>>,
}

/// The future of a report.
pub type ReportFuture = Pin<Box<dyn Future<Output = Result<Value, Fault>> + Send>>;

/// A named question a system answers with JSON, bound to a page or an API path
/// (`GET /api/v1/<system>/<report>?…`). Parameters come as text.
pub type Report = fn(City, BTreeMap<String, String>) -> ReportFuture;

/// Names a system binds. Each must be used by a file of the system, and each name a file uses
/// must be bound: `jicheng check` compares both ways.
#[derive(Default)]
pub struct Bindings {
    /// Reports by name.
    pub reports: BTreeMap<&'static str, Report>,
}

impl Bindings {
    /// Binds a report.
    pub fn report(&mut self, name: &'static str, report: Report) {
        let before = self.reports.insert(name, report);
        debug_assert!(before.is_none(), "report {name} bound twice");
    }
}

/// A system: a folder, and its Rust.
pub trait System: Send + Sync {
    /// Folder name under `systems/`.
    fn folder(&self) -> &'static str;
    /// Binds names to functions.
    fn bind(&self, names: &mut Bindings);
}
