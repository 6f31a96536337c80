//! Keys that only shuffle, and accounts in memory.

use async_trait::async_trait;
use kernel::crypto::{Crypto, PublicKey, Ring, Signature, Suite};
use kernel::fault::FaultKind;
use kernel::parties::{NewResident, ResidentAccounts};
use kernel::{Fault, Problem, Words};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};

/// The newest generation of its key, and the oldest that still opens.
#[derive(Default)]
pub(crate) struct FakeCrypto {
    pub(crate) newest: AtomicU8,
    pub(crate) oldest: AtomicU8,
}

impl Crypto for FakeCrypto {
    fn suite(&self) -> Suite {
        Suite::International
    }
    fn digest(&self, _: &[u8]) -> [u8; 32] {
        [0; 32]
    }
    fn sign(&self, _: Ring, _: &[u8]) -> Result<Signature, Fault> {
        Err(Fault::internal("signing", "not faked"))
    }
    fn verify(&self, _: Ring, _: &[u8], _: &Signature) -> Result<bool, Fault> {
        Ok(false)
    }
    fn public_keys(&self, _: Ring) -> Result<Vec<PublicKey>, Fault> {
        Ok(vec![])
    }
    fn seal(&self, _: Ring, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut sealed = vec![self.newest.load(Ordering::SeqCst)];
        sealed.extend((context.len() as u64).to_be_bytes());
        sealed.extend(context);
        sealed.extend(plain.iter().map(|b| b ^ 0xa5));
        Ok(sealed)
    }
    fn is_current(&self, _: Ring, sealed: &[u8]) -> bool {
        sealed.first() == Some(&self.newest.load(Ordering::SeqCst))
    }
    fn open(&self, _: Ring, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut head = (context.len() as u64).to_be_bytes().to_vec();
        head.extend(context);
        let (generation, rest) = sealed.split_first().unwrap_or((&0, &[]));
        if *generation < self.oldest.load(Ordering::SeqCst) {
            return Err(Fault::internal("opening", "a retired key"));
        }
        let body = rest.strip_prefix(head.as_slice());
        let body = body.ok_or_else(|| Fault::internal("opening", "sealed for another place"))?;
        Ok(body.iter().map(|b| b ^ 0xa5).collect())
    }
}

/// Name → password, and whether it is closed.
#[derive(Default)]
pub(crate) struct FakeAccounts(Mutex<BTreeMap<String, (String, bool)>>);

impl FakeAccounts {
    pub(crate) fn count(&self) -> usize {
        self.0.lock().len()
    }
    pub(crate) fn password(&self, name: &str) -> Option<String> {
        let all = self.0.lock();
        all.get(name)
            .filter(|(_, closed)| !closed)
            .map(|(password, _)| password.clone())
    }
}

#[async_trait]
impl ResidentAccounts for FakeAccounts {
    async fn create(&self, new: NewResident) -> Result<(), Fault> {
        let mut all = self.0.lock();
        if all.contains_key(&new.name) {
            return Err(Fault::new(
                FaultKind::Conflict,
                "input.conflict",
                "已有",
                "taken",
            ));
        }
        all.insert(new.name, (new.password, false));
        Ok(())
    }
    fn problems(&self, new: &NewResident) -> Vec<Problem> {
        let short = new.password.chars().count() < 8;
        let problem = Problem {
            at: "password".into(),
            words: Words::new("短", "short"),
        };
        short.then_some(problem).into_iter().collect()
    }
    async fn exists(&self, account: &str) -> Result<bool, Fault> {
        Ok(self.password(account).is_some())
    }
    async fn set_password(&self, account: &str, password: &str) -> Result<(), Fault> {
        self.0
            .lock()
            .insert(account.into(), (password.into(), false));
        Ok(())
    }
    async fn close(&self, account: &str) -> Result<(), Fault> {
        if let Some(known) = self.0.lock().get_mut(account) {
            known.1 = true;
        }
        Ok(())
    }
}
