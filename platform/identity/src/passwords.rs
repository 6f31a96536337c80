//! Passwords: hashed with argon2id, a few at a time so that a storm of sign-ins cannot eat the
//! machine, and judged by a few rules that help rather than annoy.

use crate::breach::{self, Breached};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use kernel::{Fault, Problem, Words};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Characters of a password, at least.
pub const SHORTEST: usize = 8;
/// Bytes of a password, at most: longer ones are refused unseen.
pub const LONGEST_BYTES: usize = 1024;
/// Hashes waiting for their turn, at most.
const WAITING: usize = 64;
/// Places kept for those who come from a device their account knows: a storm of strangers cannot
/// take them.
const KEPT_FOR_KNOWN: usize = 16;

/// What argon2id costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// Memory, kibibytes.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for HashCost {
    /// 19 MiB, two passes, one lane.
    fn default() -> HashCost {
        HashCost {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
        }
    }
}

/// Hashes and verifies.
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    cost: HashCost,
    turns: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    kept: Arc<Semaphore>,
    /// A hash nobody knows the password of: an unknown account costs the same time as a known one.
    decoy: String,
}

impl Hasher {
    /// With this cost, `at_once` hashes at a time (0: half of the processors).
    pub(crate) async fn new(cost: HashCost, at_once: usize) -> Result<Hasher, Fault> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None)
            .map_err(|e| Fault::internal("configuring argon2", e))?;
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let turns = if at_once == 0 {
            (processors / 2).max(1)
        } else {
            at_once
        };
        let mut hasher = Hasher {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            cost,
            turns: Arc::new(Semaphore::new(turns)),
            queue: Arc::new(Semaphore::new(turns + WAITING)),
            kept: Arc::new(Semaphore::new(KEPT_FOR_KNOWN)),
            decoy: String::new(),
        };
        let unknown: [u8; 32] = rand::random();
        hasher.decoy = hasher.hash(&crate::secrets::hex(&unknown)).await?;
        Ok(hasher)
    }

    /// A new hash in the PHC string format.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, Fault> {
        let (argon2, password) = (self.argon2.clone(), password.to_string());
        self.in_turn(true, move || {
            let hash = argon2.hash_password(password.as_bytes());
            hash.map(|h| h.to_string())
                .map_err(|e| Fault::internal("hashing a password", e))
        })
        .await?
    }

    /// Is it the password of this hash? Without a hash it takes as long and says no. `known` are
    /// those who come from a device their account knows.
    pub(crate) async fn verify(
        &self,
        password: &str,
        hash: Option<&str>,
        known_device: bool,
    ) -> Result<bool, Fault> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.decoy).to_string();
        let (argon2, password) = (self.argon2.clone(), password.to_string());
        let matches = self
            .in_turn(known_device, move || {
                let hash = PasswordHash::new(&hash)
                    .map_err(|e| Fault::internal("reading the hash of a password", e))?;
                Ok(argon2.verify_password(password.as_bytes(), &hash).is_ok())
            })
            .await??;
        Ok(matches && known)
    }

    /// Was a hash made at another cost than today's?
    pub(crate) fn is_outdated(&self, hash: &str) -> bool {
        let HashCost {
            memory_kib,
            passes,
            lanes,
        } = self.cost;
        !hash.contains(&format!("$m={memory_kib},t={passes},p={lanes}$"))
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        known_device: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let mut place = self.queue.clone().try_acquire_owned();
        if known_device && place.is_err() {
            place = self.kept.clone().try_acquire_owned();
        }
        let place = place.map_err(|_| Fault::overloaded("sign-in", 2))?;
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.map_err(|e| Fault::internal("waiting for a turn", e))?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // Held by the work itself: a caller that went away does not free a busy processor.
            drop((place, turn));
            done
        });
        done.await
            .map_err(|e| Fault::internal("hashing a password", e))
    }
}

/// What is wrong with a new password of an account; `at` is the field it came in.
pub(crate) fn problems(
    breached: &Breached,
    account: &str,
    password: &str,
    at: &str,
) -> Vec<Problem> {
    let mut found = vec![];
    let mut add = |zh: &str, en: &str| {
        found.push(Problem {
            at: at.into(),
            words: Words::new(zh, en),
        });
    };
    let lower = password.to_lowercase();
    if password.chars().count() < SHORTEST {
        add("密码至少 8 个字符", "a password has at least 8 characters");
    }
    if password.len() > LONGEST_BYTES {
        add("密码过长", "the password is too long");
    }
    if !account.is_empty() && lower.contains(&account.to_lowercase()) {
        add(
            "密码不能包含账号名",
            "a password must not contain the account's name",
        );
    }
    if is_run(&lower) || (password.len() <= LONGEST_BYTES && breached.holds(password)) {
        found.push(breach::problem(at));
    }
    found
}

/// One character repeated, or each the neighbour of the one before (`12345678`, `hgfedcba`).
fn is_run(password: &str) -> bool {
    let codes: Vec<i64> = password.chars().map(|c| i64::from(u32::from(c))).collect();
    let mut steps = codes.windows(2).map(|pair| pair[1] - pair[0]);
    let Some(first) = steps.next() else {
        return false;
    };
    (-1..=1).contains(&first) && steps.all(|step| step == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_named() {
        let breached = Breached::open(None).unwrap();
        let check = |password: &str, expect: usize| {
            assert_eq!(
                problems(&breached, "liming", password, "password").len(),
                expect,
                "{password}"
            );
        };
        check("correct horse", 0);
        check("密码要长一些才好", 0);
        check("short7!", 1);
        check("password", 1);
        check("PassWord", 1);
        check("12345678", 1);
        check("zyxwvuts", 1);
        check("啊啊啊啊啊啊啊啊", 1);
        check("LiMing-2026", 1);
        check(&"x1".repeat(513), 1);
        check("", 1);
    }
}
