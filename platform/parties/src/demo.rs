//! The demonstration: synthetic persons of the unassigned area 130199, a prover that knows only
//! them, and a catcher of messages for cities without a carrier. Never used by a real city.

use async_trait::async_trait;
use kernel::numbers::citizen_check;
use kernel::parties::{DocumentKind, Identity, IdentityProver, Message, Messenger, Verdict};
use kernel::{Clock, Fault, Time};
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;

/// Messages kept, at most.
const KEPT: usize = 50;

/// A prover that knows persons of area 130199 by a rule: the name of number `n` is made of it, so
/// that it holds no list. A mother is born in the year 1990, her child in 2016 or later with the
/// same last three digits.
pub struct DemoProver;

const SURNAMES: [&str; 10] = ["赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈"];
const GIVEN: [&str; 10] = ["明", "芳", "伟", "静", "磊", "娜", "军", "敏", "强", "丽"];

fn person(birth: &str, serial: u32) -> (String, String) {
    let first = format!("130199{birth}{:03}", serial % 1000);
    let check = citizen_check(&first).unwrap_or('0');
    let (tens, ones) = ((serial / 10 % 10) as usize, (serial % 10) as usize);
    (
        format!("{first}{check}"),
        format!("{}{}", SURNAMES[tens], GIVEN[ones]),
    )
}

/// Number and name of a synthetic grown-up, born on 1 January 1990.
pub fn demo_person(serial: u32) -> (String, String) {
    person("19900101", serial)
}

/// Number and name of the synthetic child of the grown-up of the same serial, born on 1 June of a
/// year.
pub fn demo_child(serial: u32, year: u16) -> (String, String) {
    person(&format!("{year:04}0601"), serial)
}

fn serial_of(identity: &Identity) -> Option<u32> {
    let number = identity.number.strip_prefix("130199")?;
    number.get(8..11)?.parse().ok()
}

fn is_known(identity: &Identity) -> bool {
    let Some(serial) = serial_of(identity) else {
        return false;
    };
    let (tens, ones) = ((serial / 10 % 10) as usize, (serial % 10) as usize);
    identity.document == DocumentKind::CitizenNumber
        && identity.name == format!("{}{}", SURNAMES[tens], GIVEN[ones])
}

fn verdict(holds: bool) -> Verdict {
    if holds {
        Verdict::Match
    } else {
        Verdict::NoMatch
    }
}

#[async_trait]
impl IdentityProver for DemoProver {
    fn is_ready(&self) -> bool {
        true
    }
    fn is_demonstration(&self) -> bool {
        true
    }
    async fn prove(&self, claim: &Identity, _: &str) -> Result<Verdict, Fault> {
        Ok(verdict(is_known(claim)))
    }
    async fn prove_guardian(&self, guardian: &Identity, ward: &Identity) -> Result<Verdict, Fault> {
        let both = is_known(guardian) && is_known(ward);
        Ok(verdict(both && serial_of(guardian) == serial_of(ward)))
    }
}

/// A message caught.
#[derive(Clone, Serialize)]
pub struct Caught {
    /// When.
    pub at: Time,
    /// To whom.
    pub to: String,
    /// What it says.
    pub text: String,
}

/// Keeps the last messages in memory, for operators of a demonstration to look at.
pub struct Catcher {
    clock: Arc<dyn Clock>,
    kept: Mutex<VecDeque<Caught>>,
}

impl Catcher {
    /// An empty catcher.
    pub fn new(clock: Arc<dyn Clock>) -> Catcher {
        Catcher {
            clock,
            kept: Mutex::default(),
        }
    }

    /// The messages, newest first.
    pub fn caught(&self) -> Vec<Caught> {
        self.kept.lock().iter().rev().cloned().collect()
    }
}

#[async_trait]
impl Messenger for Catcher {
    fn is_ready(&self) -> bool {
        true
    }
    async fn send(&self, message: Message) -> Result<(), Fault> {
        let mut kept = self.kept.lock();
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(Caught {
            at: self.clock.now(),
            to: message.to,
            text: message.text,
        });
        Ok(())
    }
}
