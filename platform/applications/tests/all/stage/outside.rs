//! Registers, licences, letters, messages, files and working days that remember.
#![allow(
    unused_imports,
    clippy::unwrap_used,
    reason = "helpers of tests and of the benchmark"
)]

use super::*;

/// Registers with one shop, and what else a test puts there.
#[derive(Default)]
pub struct FakeRegisters(pub Mutex<BTreeMap<(String, String), Map<String, Value>>>);

#[async_trait]
impl Registers for FakeRegisters {
    async fn get(
        &self,
        register: &str,
        key: &str,
        _: Option<Time>,
        _: Option<Time>,
    ) -> Result<Option<Record>, Fault> {
        let known = self.0.lock().unwrap();
        let fields = known.get(&(register.to_string(), key.to_string()));
        Ok(fields.map(|fields| Record {
            register: register.into(),
            key: key.into(),
            fields: fields.clone(),
            valid_from: Time(0),
            valid_to: None,
            recorded_at: Time(0),
            superseded_at: None,
            version: 1,
            by: "x".into(),
            reason: None,
        }))
    }
    async fn list(&self, _: &str, _: &RecordQuery) -> Result<RecordPage, Fault> {
        Err(Fault::missing("register"))
    }
    async fn history(&self, _: &str, _: &str) -> Result<Vec<Record>, Fault> {
        Ok(vec![])
    }
    async fn apply(&self, _: &Actor, _: Vec<RecordChange>) -> Result<Vec<Record>, Fault> {
        Err(Fault::missing("register"))
    }
    fn cached(&self, _: &str, _: &str) -> Option<Arc<Record>> {
        None
    }
    fn cached_all(&self, _: &str) -> Vec<Arc<Record>> {
        vec![]
    }
}

/// Licences: who holds a health card, and what was issued.
#[derive(Default)]
pub struct FakeLicences {
    pub cards: Mutex<BTreeSet<String>>,
    pub issued: Mutex<BTreeMap<String, NewLicence>>,
    pub consulted: Mutex<Vec<(String, String)>>,
    pub in_place: Mutex<Vec<(String, InPlace)>>,
}

#[async_trait]
impl Licences for FakeLicences {
    async fn issue(&self, _: &Actor, new: &[NewLicence]) -> Result<Vec<Licence>, Fault> {
        let mut issued = self.issued.lock().unwrap();
        let new = new[0].clone();
        issued.insert(new.source.clone(), new.clone());
        let grade = kernel::licences::Grade::A;
        Ok(vec![Licence {
            identifier: format!("1.2.156.{}", new.source),
            kind: new.kind,
            title: Words::default(),
            number: "1".into(),
            holder: new.holder,
            fields: new.fields,
            issuer: Words::default(),
            issuer_code: String::new(),
            issued_at: Time(0),
            valid_from: Time(0),
            valid_to: None,
            grade,
            state: kernel::licences::State::InForce,
            state_code: "01".into(),
            reason: None,
            replaces: None,
            replaced_by: None,
            version: 1,
        }])
    }
    async fn reissue(&self, _: &Actor, _: &str, _: &NewLicence) -> Result<Licence, Fault> {
        Err(Fault::missing("licence"))
    }
    async fn change(&self, _: &Actor, _: &str, _: &Change) -> Result<Licence, Fault> {
        Err(Fault::missing("licence"))
    }
    async fn held(&self, holder: &Holder, kind: &str) -> Result<Vec<String>, Fault> {
        let has = kind == "health_card" && self.cards.lock().unwrap().contains(&holder.number);
        Ok(if has { vec!["card-1".into()] } else { vec![] })
    }
    async fn note_in_place(&self, identifier: &str, used: &InPlace) -> Result<(), Fault> {
        let noted = (identifier.to_string(), used.clone());
        self.in_place.lock().unwrap().push(noted);
        Ok(())
    }
    async fn consult(
        &self,
        actor: &Actor,
        identifier: &str,
        fields: &[String],
    ) -> Result<Verification, Fault> {
        let grant = &actor.grant;
        assert!(!grant.purpose.is_empty() && !grant.basis.is_empty());
        let used = (identifier.to_string(), grant.purpose.clone());
        self.consulted.lock().unwrap().push(used);
        Ok(Verification {
            verdict: kernel::licences::Verdict::Valid,
            words: Words::default(),
            as_of: Time(0),
            identifier: Some(identifier.into()),
            title: Some(Words::new("健康证", "health card")),
            issuer: None,
            grade: None,
            valid_from: None,
            valid_to: None,
            fields: vec![ShownField {
                name: fields[0].clone(),
                title: Words::default(),
                value: "A级".into(),
            }],
            missing: vec![],
            watermark: Words::default(),
        })
    }
    async fn verify(&self, _: &Actor, _: &Shown, _: &Use) -> Result<Verification, Fault> {
        Err(Fault::missing("licence"))
    }
}

/// What was asked of letters, messages and files.
#[derive(Default)]
pub struct Outside {
    pub letters: Mutex<BTreeMap<String, NewLetter>>,
    pub notices: Mutex<BTreeMap<String, (String, String)>>,
    pub handed_in: Mutex<BTreeSet<String>>,
    pub forgotten: Mutex<BTreeSet<String>>,
    pub broken: AtomicBool,
}

#[async_trait]
impl Letters for Outside {
    async fn make(&self, letter: &NewLetter) -> Result<LetterLine, Fault> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Fault::overloaded("letters", 1));
        }
        let mut letters = self.letters.lock().unwrap();
        let count = letters.len();
        letters.entry(letter.key.clone()).or_insert(letter.clone());
        Ok(LetterLine {
            kind: letter.kind.clone(),
            number: format!("冀城受〔2026〕{}号", count + 1),
            file: Some(format!("file-of-{}", letter.key)),
            at: Time(1),
        })
    }
}

#[async_trait]
impl Notices for Outside {
    async fn tell(
        &self,
        to: &Recipient,
        what: &str,
        _: &Map<String, Value>,
        once: &str,
    ) -> Result<(), Fault> {
        let mut notices = self.notices.lock().unwrap();
        notices.insert(once.into(), (what.into(), to.mobile.clone()));
        Ok(())
    }
}

#[async_trait]
impl Files for Outside {
    async fn hand_in(&self, files: &[String]) -> Result<(), Fault> {
        self.handed_in.lock().unwrap().extend(files.iter().cloned());
        Ok(())
    }
    async fn forget(&self, about: &str) -> Result<(), Fault> {
        self.forgotten.lock().unwrap().insert(about.into());
        Ok(())
    }
}

/// Monday to Friday, no holidays.
pub struct Weekdays(pub Arc<ManualClock>);

#[async_trait]
impl WorkingDays for Weekdays {
    async fn add(&self, from: Time, limit: Limit) -> Result<Left, Fault> {
        let mut day = from.floor(Span::days(1)).0;
        let mut left = limit.days;
        while left > 0 {
            day += DAY;
            let worked = self.is_worked(Time(day));
            left -= u32::from(limit.count == Count::CalendarDays || worked);
        }
        self.until(Time(day + DAY), limit, self.0.now()).await
    }
    fn is_worked(&self, at: Time) -> bool {
        // The first day of all was a Thursday.
        let day = (at.0 + 8 * 3_600_000_000).div_euclid(DAY);
        (day + 3).rem_euclid(7) < 5
    }
}
