//! HTTP Basic, for existing clients that know nothing else: name and password at every request.
//! A pair that was right is remembered for a few minutes, so that not every request costs a hash;
//! it counts only while account and password are unchanged. An account with a second factor, or
//! that must have one, cannot sign in this way: a program gets a token instead.

use crate::accounts::shown;
use crate::factors::Restriction;
use crate::sessions::Origin;
use crate::{Engine, secrets};
use kernel::access::Actor;
use kernel::{Fault, Span, Time};
use parking_lot::Mutex;
use std::collections::HashMap;
use store::accounts::{self, AccountRow};

/// How long a pair is remembered.
const REMEMBERED: Span = Span::minutes(5);
/// Pairs remembered, at most.
const PAIRS: usize = 1_000;

/// Pairs that were right: digest of name and password → stored hash, and until when.
pub(crate) struct Remembered {
    pairs: Mutex<HashMap<String, (String, i64)>>,
    /// Makes the digests worthless outside of this process.
    pepper: String,
}

impl Default for Remembered {
    fn default() -> Remembered {
        Remembered {
            pairs: Mutex::default(),
            pepper: secrets::new("pepper"),
        }
    }
}

impl Engine {
    /// Who has this name and password; the same faults as [`Engine::sign_in`]. Opens no session.
    pub async fn basic(
        &self,
        account: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<Actor, Fault> {
        let now = self.clock.now();
        let pair = secrets::hash(&format!("{}\0{account}\0{password}", self.basic.pepper));
        let known = self.basic.pairs.lock().get(&pair).cloned();
        if let Some((hash, _)) = known.filter(|(_, until)| now.0 < *until) {
            let mut reader = self.store.reader().await?;
            let row = accounts::account(&mut reader, account).await?;
            if let Some(row) = row.filter(|row| row.password == hash && !row.disabled) {
                return self.by_password_alone(&row, now);
            }
        }
        let row = self.verified(account, password, origin).await?;
        let actor = self.by_password_alone(&row, now)?;
        let mut pairs = self.basic.pairs.lock();
        if pairs.len() >= PAIRS {
            pairs.retain(|_, (_, until)| now.0 < *until);
        }
        if pairs.len() < PAIRS {
            pairs.insert(pair, (row.password.clone(), (now + REMEMBERED).0));
        }
        Ok(actor)
    }

    /// The person, unless the password alone is not enough.
    fn by_password_alone(&self, row: &AccountRow, now: Time) -> Result<Actor, Fault> {
        if row.second_factors > 0 {
            return Err(Restriction::SecondFactor.fault());
        }
        let used = ["pwd".to_string()];
        if let Some(must) = self.restriction(row, &used, now)? {
            return Err(must.fault());
        }
        let mut actor = shown(row)?.actor();
        actor.standing.factors = used.to_vec();
        actor.standing.auth_time = now.0;
        actor.standing.proofing = row.proofing.clamp(0, 3) as u8;
        actor.standing.person = row.person.clone();
        Ok(actor)
    }
}
