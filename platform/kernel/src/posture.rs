//! Posture: how safe the running city is, item by item of the standards that judge it. An item is
//! declared in files; its state is computed from the running system by whoever knows, and never
//! set by hand.

use crate::fault::{Fault, Words};
use crate::time::Time;
use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Map, Value};

/// How an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not met.
    NotMet,
    /// Met in part.
    Partly,
    /// Met.
    Met,
    /// Nobody knows: no engine gives evidence.
    Unknown,
}

/// What the running system shows for one item.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Name of the check, as items declare it.
    pub check: String,
    /// How it stands.
    pub state: State,
    /// What was found, for people.
    pub words: Words,
    /// The figures behind it.
    pub figures: Map<String, Value>,
    /// When it was computed.
    pub at: Time,
}

impl Finding {
    /// A finding with its figures (a JSON object).
    pub fn new(check: &str, state: State, words: Words, figures: Value, at: Time) -> Finding {
        let figures = match figures {
            Value::Object(figures) => figures,
            _ => Map::new(),
        };
        Finding {
            check: check.into(),
            state,
            words,
            figures,
            at,
        }
    }
}

/// Gives evidence from the running system: an engine about what it runs, the program about itself.
#[async_trait]
pub trait Evidence: Send + Sync {
    /// Its findings now. Must be quick: it is asked when somebody opens the page.
    async fn findings(&self) -> Result<Vec<Finding>, Fault>;
}
