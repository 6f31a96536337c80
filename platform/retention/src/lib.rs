//! retention: legal holds. What a case, an audit or an accident needs is named here with reason and
//! legal basis, and nobody removes it while the hold is in force. Placing and releasing are audited;
//! a hold released stays on the list. Holds are few and kept in memory; the store has them too.

use kernel::events::EventKind;
use kernel::fault::FaultKind;
use kernel::holds::{Holds, Scope, Subject};
use kernel::{Actor, Clock, Fault, Problem, Time, Words};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use store::audit::AuditEntry;
use store::{Store, Tx};

const COLLECTION: &str = "holds";
/// Holds there can be, released ones included.
const LIMIT: usize = 10_000;
const TEXT_LIMIT: usize = 1000;

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Identification.
    pub id: String,
    /// Name for people, such as the number of the case.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Legal basis.
    pub basis: String,
    /// What it covers.
    pub scope: Scope,
    /// Who placed it.
    pub placed_by: String,
    /// When.
    pub placed_at: Time,
    /// Ends by itself then; `None`: until released.
    pub until: Option<Time>,
    /// Who released it.
    pub released_by: Option<String>,
    /// When.
    pub released_at: Option<Time>,
    /// Why.
    pub release_reason: Option<String>,
}

impl Hold {
    /// In force now?
    pub fn in_force(&self, now: Time) -> bool {
        self.released_at.is_none() && self.until.is_none_or(|until| now < until)
    }
}

/// A hold to place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHold {
    /// Name for people.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Legal basis.
    pub basis: String,
    /// What it covers.
    pub scope: Scope,
    /// Ends by itself then.
    #[serde(default)]
    pub until: Option<Time>,
}

/// The holds of the city.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    holds: RwLock<Vec<Hold>>,
}

impl Engine {
    /// Reads the holds of a store.
    pub async fn open(store: Store, clock: Arc<dyn Clock>) -> Result<Arc<Engine>, Fault> {
        let mut holds: Vec<Hold> = vec![];
        let mut after: Option<String> = None;
        loop {
            let page = store
                .documents()
                .list_by_prefix(COLLECTION, "", after.as_deref(), 1000)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for document in page {
                let hold = serde_json::from_value(document.json);
                holds.push(hold.map_err(|e| Fault::internal("reading the legal holds", e))?);
            }
        }
        Ok(Arc::new(Engine {
            store,
            clock,
            holds: RwLock::new(holds),
        }))
    }

    /// Every hold, the newest first.
    pub fn list(&self) -> Vec<Hold> {
        let mut all = self.holds.read().clone();
        all.sort_by(|one, two| two.id.cmp(&one.id));
        all
    }

    /// Places a hold.
    pub async fn place(&self, actor: &Actor, new: NewHold) -> Result<Hold, Fault> {
        check(&new, self.clock.now())?;
        if self.holds.read().len() >= LIMIT {
            return Err(Fault::invalid_at(
                "/",
                "冻结项过多",
                "there are too many holds",
            ));
        }
        let hold = Hold {
            id: kernel::new_id(self.clock.now()),
            name: new.name.trim().into(),
            reason: new.reason.trim().into(),
            basis: new.basis.trim().into(),
            scope: new.scope,
            placed_by: actor.account.clone(),
            placed_at: self.clock.now(),
            until: new.until,
            released_by: None,
            released_at: None,
            release_reason: None,
        };
        let mut tx = self.store.begin().await?;
        write(&mut tx, actor, "hold", &hold, Some(0)).await?;
        // Known before it is durable: what removes meanwhile keeps too much, not too little.
        self.holds.write().push(hold.clone());
        if let Err(fault) = tx.commit().await {
            self.holds.write().retain(|other| other.id != hold.id);
            return Err(fault);
        }
        Ok(hold)
    }

    /// Releases a hold, for a reason.
    pub async fn release(&self, actor: &Actor, id: &str, reason: &str) -> Result<Hold, Fault> {
        if reason.trim().is_empty() || reason.len() > TEXT_LIMIT {
            let (zh, en) = ("请写明解除理由", "a release needs its reason");
            return Err(Fault::invalid_at("/reason", zh, en));
        }
        let found = self.holds.read().iter().find(|hold| hold.id == id).cloned();
        let mut hold = found.ok_or_else(|| Fault::missing(id))?;
        if hold.released_at.is_some() {
            return Err(Fault::new(
                FaultKind::Conflict,
                "input.conflict",
                "该冻结已经解除",
                "that hold was released already",
            ));
        }
        hold.released_by = Some(actor.account.clone());
        hold.released_at = Some(self.clock.now());
        hold.release_reason = Some(reason.trim().into());
        let mut tx = self.store.begin().await?;
        write(&mut tx, actor, "release", &hold, Some(1)).await?;
        tx.commit().await?;
        let mut holds = self.holds.write();
        if let Some(kept) = holds.iter_mut().find(|kept| kept.id == id) {
            *kept = hold.clone();
        }
        Ok(hold)
    }
}

impl Holds for Engine {
    fn held_from(&self, subject: &Subject<'_>) -> Option<Time> {
        let now = self.clock.now();
        let holds = self.holds.read();
        holds
            .iter()
            .filter(|hold| hold.in_force(now) && hold.scope.covers(subject))
            .map(|hold| hold.scope.from.unwrap_or(Time(i64::MIN)))
            .min()
    }
}

fn check(new: &NewHold, now: Time) -> Result<(), Fault> {
    let mut problems = vec![];
    let mut wrong = |at: &str, zh: &str, en: &str| {
        problems.push(Problem {
            at: at.into(),
            words: Words::new(zh, en),
        });
    };
    for (at, text) in [
        ("/name", &new.name),
        ("/reason", &new.reason),
        ("/basis", &new.basis),
    ] {
        if text.trim().is_empty() || text.len() > TEXT_LIMIT {
            wrong(
                at,
                "不能为空，且不超过 1000 字节",
                "expected 1 to 1000 bytes",
            );
        }
    }
    if !new.scope.names_something() {
        wrong(
            "/scope",
            "至少限定一项：库、键、人员、账户、设备或起止时间",
            "name at least a register, key, person, account, thing, or both times",
        );
    }
    if new.scope.key.is_some() && new.scope.register.is_none() {
        wrong(
            "/scope/register",
            "指定键时须指定库",
            "a key needs its register",
        );
    }
    if let (Some(from), Some(to)) = (new.scope.from, new.scope.to)
        && from >= to
    {
        wrong("/scope/to", "应晚于起始时间", "must come after its begin");
    }
    if new.until.is_some_and(|until| until <= now) {
        wrong("/until", "应为将来的时间", "must be in the future");
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Fault::invalid(problems)),
    }
}

async fn write(
    tx: &mut Tx,
    actor: &Actor,
    verb: &str,
    hold: &Hold,
    version: Option<i64>,
) -> Result<(), Fault> {
    let json = serde_json::to_value(hold).map_err(|e| Fault::internal("writing a hold", e))?;
    store::documents::put(tx, COLLECTION, &hold.id, &json, version).await?;
    let at = hold.released_at.unwrap_or(hold.placed_at);
    let entry = AuditEntry {
        at,
        account: actor.account.clone(),
        verb: verb.into(),
        object: "holds".into(),
        subject: hold.id.clone(),
        purpose: actor.grant.purpose.clone(),
        basis: hold.basis.clone(),
        details: json!({"name": hold.name, "scope": hold.scope, "reason": hold.release_reason.as_ref().unwrap_or(&hold.reason)}),
        outcome: "done".into(),
    };
    store::audit::append(tx, &entry).await?;
    let body = json.to_string();
    store::events::append(tx, at, EventKind::Backup, &hold.id, body.as_bytes()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{ManualClock, Span};

    fn about(thing: &str, from: Option<Time>) -> NewHold {
        NewHold {
            name: "〔2026〕冀01行初1号".into(),
            reason: "诉讼保全".into(),
            basis: "《中华人民共和国行政诉讼法》第四十二条".into(),
            scope: Scope {
                thing: Some(thing.into()),
                from,
                ..Scope::default()
            },
            until: None,
        }
    }

    #[tokio::test]
    async fn a_hold_is_in_force_until_released_and_survives_a_restart() {
        testkit::each_store(|store| async move {
            let clock = Arc::new(ManualClock::new(Time(1_000_000)));
            let engine = Engine::open(store.clone(), clock.clone()).await.unwrap();
            let actor = Actor::system();
            let of = |thing| Subject {
                thing: Some(thing),
                ..Subject::default()
            };
            assert_eq!(engine.held_from(&of("a")), None);
            let hold = engine
                .place(&actor, about("a", Some(Time(500))))
                .await
                .unwrap();
            assert_eq!(engine.held_from(&of("a")), Some(Time(500)));
            assert_eq!(engine.held_from(&of("b")), None);
            let record = Subject {
                register: Some("station"),
                ..Subject::default()
            };
            assert_eq!(engine.held_from(&record), None);
            let whole = engine.place(&actor, about("a", None)).await.unwrap();
            let again = Engine::open(store.clone(), clock.clone()).await.unwrap();
            assert_eq!(again.held_from(&of("a")), Some(Time(i64::MIN)));
            again.release(&actor, &whole.id, "撤诉").await.unwrap();
            assert_eq!(again.held_from(&of("a")), Some(Time(500)));
            again.release(&actor, &hold.id, "撤诉").await.unwrap();
            assert_eq!(again.held_from(&of("a")), None);
            let twice = again.release(&actor, &hold.id, "撤诉").await.unwrap_err();
            assert_eq!(twice.code, "input.conflict");
            assert_eq!(store.audit().head().await.unwrap().seq, 4);
            assert_eq!(again.list().len(), 2, "released ones stay on the list");
        })
        .await;
    }

    #[tokio::test]
    async fn a_hold_ends_by_itself_and_wrong_ones_are_refused_whole() {
        testkit::each_store(|store| async move {
            let clock = Arc::new(ManualClock::new(Time(1_000_000)));
            let engine = Engine::open(store, clock.clone()).await.unwrap();
            let mut new = about("a", None);
            new.until = Some(Time(2_000_000));
            engine.place(&Actor::system(), new).await.unwrap();
            let subject = Subject {
                thing: Some("a"),
                ..Subject::default()
            };
            assert!(engine.held_from(&subject).is_some());
            clock.set(Time(1_000_000) + Span::seconds(1));
            assert!(engine.held_from(&subject).is_none());
            let wrong = NewHold {
                name: " ".into(),
                reason: String::new(),
                basis: "x".repeat(1001),
                scope: Scope {
                    key: Some("k".into()),
                    from: Some(Time(2)),
                    to: Some(Time(1)),
                    ..Scope::default()
                },
                until: Some(Time(3)),
            };
            let fault = engine.place(&Actor::system(), wrong).await.unwrap_err();
            assert_eq!(fault.problems.len(), 6, "{fault}");
            let mut nothing = about("a", None);
            nothing.scope = Scope::default();
            let fault = engine.place(&Actor::system(), nothing).await.unwrap_err();
            assert_eq!(fault.problems[0].at, "/scope");
        })
        .await;
    }
}
