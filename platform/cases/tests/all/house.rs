//! A house for cases: a store, a clock that is moved by hand, officers, and functions that answer as
//! they are told.

use crate::stage::{Small, file};
use async_trait::async_trait;
use cases::{Engine, Means, Tuning};
use kernel::access::{Actor, Decision};
use kernel::cases::{
    Acted, Case, Cases, Expressions, Forms, HandedIn, Inbox, InboxFilter, NewCase, People, Served,
    Services, Task, TaskVerb, Worker,
};
use kernel::{Fault, ManualClock, Policy, Problem, Span, Time, Verb, Words};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use store::Store;

/// `admin` may do everything, `window` may begin cases; everybody else may nothing.
pub struct Rules;

impl Policy for Rules {
    fn may(&self, actor: &Actor, verb: Verb, object: &str) -> Decision {
        let role = |role: &str| actor.roles.iter().any(|r| r == role);
        if role("admin") || role("window") && verb == Verb::Write && object == "cases" {
            return Decision::Allowed {
                role: "test".into(),
                purpose: "handling".into(),
                basis: "law".into(),
            };
        }
        Decision::denied(vec!["admin".into()])
    }
}

/// Everybody works for the city but `resident`, who does not, `gone`, who is there no more, and
/// names that begin with `nobody`. `old` went into `housing`.
pub struct Everyone;

#[async_trait]
impl People for Everyone {
    async fn worker(&self, account: &str) -> Result<Worker, Fault> {
        Ok(match account {
            "resident" => Worker::Resident,
            "gone" => Worker::Disabled,
            name if name.starts_with("nobody") => Worker::Unknown,
            _ => Worker::Official,
        })
    }
    fn successor(&self, organisation: &str) -> Option<String> {
        (organisation == "old").then(|| "housing".into())
    }
    fn predecessors(&self, organisation: &str) -> Vec<String> {
        let old = (organisation == "housing").then(|| "old".into());
        old.into_iter().collect()
    }
}

/// Functions by name: how often each was called under which key, and how each answers.
#[derive(Default)]
pub struct Functions {
    pub calls: Mutex<HashMap<String, Vec<String>>>,
}

#[async_trait]
impl Services for Functions {
    async fn call(
        &self,
        name: &str,
        key: &str,
        input: Map<String, Value>,
    ) -> Result<Served, Fault> {
        let count = {
            let mut calls = self.calls.lock().unwrap();
            let calls = calls.entry(name.to_string()).or_default();
            calls.push(key.to_string());
            calls.len()
        };
        match name {
            "poison" => Err(Fault::internal("poison", "always fails")),
            "breaks" => panic!("a function breaks"),
            "hangs" => std::future::pending().await,
            "refuses" => Ok(Served::Refused {
                code: "E1".into(),
                variables: Map::new(),
            }),
            // 理由: two characters at least.
            "decides" => Ok(
                match input["reason"].as_str().unwrap_or_default().chars().count() {
                    0 | 1 => Served::Refused {
                        code: "input.invalid".into(),
                        variables: object(serde_json::json!({
                            "problems": [{ "zh": "须为 2 至 1000 个字", "en": "too short" }],
                        })),
                    },
                    _ => Served::Done(Map::new()),
                },
            ),
            "third" if count < 3 => Err(Fault::overloaded("third", 1)),
            _ => {
                let mut answer = Map::new();
                answer.insert("answer".into(), Value::from(input.len()));
                Ok(Served::Done(answer))
            }
        }
    }
}

/// One form: `review`, with a yes-or-no field `approved`.
struct Review;

#[async_trait]
impl Forms for Review {
    async fn judge(&self, handed_in: HandedIn<'_>) -> Result<Option<Vec<Problem>>, Fault> {
        if handed_in.form != "review" {
            return Ok(None);
        }
        assert!(handed_in.variables.contains_key("applicant"), "its scope");
        let names = handed_in.data.keys().filter(|name| *name != "approved");
        let mut wrong: Vec<&str> = names.map(String::as_str).collect();
        if !handed_in
            .data
            .get("approved")
            .is_some_and(Value::is_boolean)
        {
            wrong.push("approved");
        }
        let problem = |name: &&str| Problem {
            at: format!("/answers/{name}"),
            words: Words::new("不对", "wrong"),
        };
        Ok(Some(wrong.iter().map(problem).collect()))
    }
}

pub struct House {
    pub engine: Arc<Engine>,
    pub clock: Arc<ManualClock>,
    pub functions: Arc<Functions>,
}

pub fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// An officer of an organisation with roles.
pub fn officer(account: &str, organisation: &str, roles: &str) -> Actor {
    Actor {
        account: account.into(),
        display: format!("{account} 同志"),
        roles: roles.split_whitespace().map(String::from).collect(),
        organisation: (!organisation.is_empty()).then(|| organisation.into()),
        ..Actor::default()
    }
}

pub fn admin() -> Actor {
    officer("admin", "", "admin")
}

pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => panic!("an object"),
    }
}

impl House {
    pub async fn open(store: &Store) -> House {
        let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
        House::again(store, clock).await
    }

    /// Opens it anew, as after a stop.
    pub async fn again(store: &Store, clock: Arc<ManualClock>) -> House {
        House::with(store, clock, Arc::new(Small)).await
    }

    /// The same with these expressions and decisions.
    pub async fn with(
        store: &Store,
        clock: Arc<ManualClock>,
        expressions: Arc<dyn Expressions>,
    ) -> House {
        let functions = Arc::new(Functions::default());
        let means = Means {
            expressions,
            services: functions.clone(),
            forms: Arc::new(Review),
            policy: Arc::new(Rules),
            people: Arc::new(Everyone),
        };
        let tuning = Tuning {
            attempts: 4,
            retry_wait: Span::seconds(10),
            service_limit: Span::seconds(1),
            ..Tuning::default()
        };
        let engine = Engine::open(store.clone(), clock.clone(), means, tuning)
            .await
            .unwrap();
        House {
            engine,
            clock,
            functions,
        }
    }

    /// Publishes process `p` of this body and these flows.
    pub async fn publish(&self, body: &str, flows: &str) {
        let xml = file(body, flows);
        self.engine
            .publish(&admin(), "p.bpmn", &xml)
            .await
            .unwrap_or_else(|fault| panic!("{fault}"));
    }

    pub async fn start(&self, data: Value) -> Case {
        let new = NewCase {
            process: "p".into(),
            data: object(data),
            organisation: Some("housing".into()),
            ..NewCase::default()
        };
        self.engine.start(&admin(), new).await.unwrap()
    }

    pub async fn inbox(&self, actor: &Actor) -> Inbox {
        let filter = InboxFilter::default();
        self.engine.inbox(actor, &filter).await.unwrap()
    }

    /// The first tasks of an inbox.
    pub async fn inbox_of(&self, actor: &Actor, limit: usize) -> Vec<Task> {
        let filter = InboxFilter {
            limit,
            ..InboxFilter::default()
        };
        self.engine.inbox(actor, &filter).await.unwrap().rows
    }

    /// The only task of an inbox.
    pub async fn only(&self, actor: &Actor) -> Task {
        let inbox = self.inbox(actor).await;
        assert_eq!(inbox.count, inbox.rows.len() as i64);
        assert_eq!(inbox.count, 1, "{:?}", inbox.rows);
        inbox.rows.into_iter().next().unwrap()
    }

    /// Names of the nodes in an inbox, in order.
    pub async fn nodes(&self, actor: &Actor) -> String {
        let inbox = self.inbox(actor).await;
        assert_eq!(inbox.count, inbox.rows.len() as i64);
        let nodes: Vec<&str> = inbox.rows.iter().map(|task| task.node.as_str()).collect();
        nodes.join(" ")
    }

    pub async fn act(&self, actor: &Actor, task: &str, verb: TaskVerb) -> Result<Acted, Fault> {
        self.engine.act(actor, task, None, verb).await
    }

    pub async fn complete(&self, actor: &Actor, data: Value) -> Acted {
        let task = self.only(actor).await;
        let data = object(data);
        self.act(actor, &task.id, TaskVerb::Complete { data })
            .await
            .unwrap_or_else(|fault| panic!("{fault}"))
    }

    pub async fn case(&self, case: &str) -> Case {
        self.engine.case(&admin(), case).await.unwrap().case
    }

    /// What happened in a case, in words.
    pub async fn history(&self, case: &str) -> String {
        let entries = self.engine.history(&admin(), case, 0, 0).await.unwrap();
        for (at, entry) in entries.iter().enumerate() {
            assert_eq!(
                entry.number,
                at as i64 + 1,
                "entries are numbered without a gap"
            );
        }
        let what: Vec<&str> = entries.iter().map(|entry| entry.what.as_str()).collect();
        what.join(" ")
    }
}

/// A user task for one account.
pub fn own(node: &str, account: &str) -> String {
    format!(r#"<userTask id="{node}" name="{node}" j:assignee='"{account}"'/>"#)
}

/// A user task for roles of an organisation.
pub fn offered(node: &str, roles: &str, organisation: &str) -> String {
    let organisation = match organisation {
        "" => String::new(),
        organisation => format!(r#" j:organisation='"{organisation}"'"#),
    };
    let roles = match roles {
        "" => String::new(),
        roles => format!(r#" j:roles="{roles}""#),
    };
    format!(r#"<userTask id="{node}" name="{node}"{roles}{organisation}/>"#)
}
