//! How people sign in here: what the configuration says, told to the identity engine.

use crate::config::Config;
use identity::{HashCost, Keys, Settings};
use kernel::Span;
use kernel::crypto::Crypto;
use std::path::PathBuf;
use std::sync::Arc;

/// File of the operator's list of leaked passwords, in the data folder.
pub fn breached_file(config: &Config) -> PathBuf {
    config.data().join("breached.bin")
}

/// Settings of the identity engine.
pub fn settings(config: &Config, keys: Option<Arc<dyn Crypto>>) -> Settings {
    let number = |name| i64::from(config.number(name));
    Settings {
        cost: HashCost {
            memory_kib: config.number("argon2_memory_kib"),
            passes: config.number("argon2_passes"),
            lanes: 1,
        },
        hashing_at_once: config.number("argon2_at_once") as usize,
        idle: Span::minutes(number("session_idle_min")),
        longest: Span::hours(number("session_longest_h")),
        sessions_per_account: config.number("sessions_per_account") as usize,
        passwords_remembered: u64::from(config.number("passwords_remembered")),
        password_life: Span::days(number("password_days")),
        second_factor_for_all: config.text("second_factor") == "all",
        public_url: config.text("public_url").into(),
        breached: Some(breached_file(config)).filter(|file| file.exists()),
        keys: Keys(keys),
    }
}
