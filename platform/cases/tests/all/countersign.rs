//! 会签 while it goes on: countersigners added and taken away, an opinion taken back; the condition
//! is asked over those who really sign.

use crate::house::{House, admin, object, officer, own};
use crate::stage::Play;
use cases::machine::{Added, Happened};
use kernel::access::Actor;
use kernel::cases::{CaseState, Cases, Countersign, Place, Signed, TaskState, TaskVerb};
use kernel::{Fault, cases::CaseVerb};
use serde_json::{Value, json};
use testkit::each_store;

const ENDS: &str = r#"<startEvent id="start"/><endEvent id="end"/>"#;

/// 会签 of the people in `people`, then the chief decides.
fn body(sequential: bool, until: &str) -> String {
    let until = match until {
        "" => String::new(),
        until => format!(
            "<completionCondition>{}</completionCondition>",
            until.replace('<', "&lt;")
        ),
    };
    format!(
        r#"{ENDS}<userTask id="m" name="会签" j:assignee="who"><multiInstanceLoopCharacteristics isSequential="{sequential}"
        j:collection="people" j:item="who" j:result="opinion" j:results="opinions">{until}</multiInstanceLoopCharacteristics></userTask>{}"#,
        own("decide", "chief")
    )
}

const FLOWS: &str = "start>m m>decide decide>end";

/// A countersign in a house.
struct Round {
    house: House,
    case: String,
}

fn who(name: &str) -> Actor {
    officer(name, "", "")
}

impl Round {
    async fn begin(house: House, sequential: bool, until: &str, people: &str) -> Round {
        house.publish(&body(sequential, until), FLOWS).await;
        let people: Vec<&str> = people.split_whitespace().collect();
        let case = house.start(json!({ "people": people })).await.id;
        Round { house, case }
    }

    async fn task(&self, name: &str) -> String {
        self.house.only(&who(name)).await.id
    }

    async fn add(&self, by: &str, to: &str, place: Place) -> Result<(), Fault> {
        let verb = TaskVerb::AddSigner {
            to: to.into(),
            reason: "涉及该单位职责".into(),
            countersign: Some(place),
        };
        let task = self.task(by).await;
        self.house.act(&who(by), &task, verb).await.map(drop)
    }

    /// Takes somebody away, found among the signers by account.
    async fn remove(&self, by: &Actor, at: &str, name: &str) -> Result<(), Fault> {
        let verb = TaskVerb::RemoveSigner {
            signer: self.signer(at, name).await,
            reason: "不涉及".into(),
        };
        let task = self.task(at).await;
        self.house.act(by, &task, verb).await.map(drop)
    }

    async fn signer(&self, at: &str, name: &str) -> String {
        let signers = self.seen(at, at).await.signers;
        let found = signers
            .into_iter()
            .find(|signer| signer.account.as_deref() == Some(name));
        found.unwrap().signer
    }

    async fn seen(&self, by: &str, at: &str) -> Countersign {
        let task = self.task(at).await;
        let file = self.house.engine.task(&who(by), &task).await.unwrap();
        file.countersign.unwrap()
    }

    /// Who signs, in order, with how they stand: `ann+ bob cid?` are done, open, to come.
    async fn expect(&self, at: &str, signers: &str, counts: (usize, u32)) {
        let seen = self.seen(at, at).await;
        let word = |signer: &kernel::cases::Countersigner| {
            let sign = match signer.state {
                Signed::Done => "+",
                Signed::Open => "",
                Signed::Pending => "?",
            };
            format!("{}{sign}", signer.account.as_deref().unwrap_or("-"))
        };
        let said: Vec<String> = seen.signers.iter().map(word).collect();
        assert_eq!(
            (said.join(" ").as_str(), seen.instances, seen.done),
            (signers, counts.0, counts.1)
        );
    }

    async fn sign(&self, name: &str, opinion: &str) -> String {
        let done = self
            .house
            .complete(&who(name), json!({ "opinion": opinion }))
            .await;
        done.task.id
    }

    async fn withdraw(&self, name: &str, task: &str) -> Result<(), Fault> {
        let reason = "改意见".to_string();
        let verb = TaskVerb::Withdraw { reason };
        self.house.act(&who(name), task, verb).await.map(drop)
    }

    async fn opinions(&self) -> Value {
        let file = self.house.engine.case(&admin(), &self.case).await.unwrap();
        file.data.get("opinions").cloned().unwrap_or(Value::Null)
    }

    async fn decided(&self) -> bool {
        self.house.nodes(&who("chief")).await == "decide"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_more_who_signs_at_the_same_time_is_counted() {
    each_store(|store| async move {
        let until = "numberOfCompletedInstances >= 2";
        let house = House::open(&store).await;
        let round = Round::begin(house, false, until, "ann").await;
        round.add("ann", "dan", Place::Last).await.unwrap();
        round.expect("ann", "ann dan", (2, 0)).await;
        // Asked for twice, or asking oneself.
        for name in ["dan", "ann"] {
            let fault = round.add("ann", name, Place::Next).await.unwrap_err();
            assert_eq!(fault.code, "input.conflict", "{name}");
        }
        for name in ["nobody_z", "resident"] {
            let fault = round.add("ann", name, Place::Next).await.unwrap_err();
            assert_eq!(
                (fault.code, fault.problems[0].at.as_str()),
                ("input.invalid", "to")
            );
        }
        round.sign("ann", "yes").await;
        assert!(!round.decided().await, "it waits for dan as well");
        // Those added may add.
        round.add("dan", "eva", Place::Last).await.unwrap();
        let dan = round.task("dan").await;
        assert_eq!(
            round
                .house
                .engine
                .task(&who("dan"), &dan)
                .await
                .unwrap()
                .data["who"],
            "dan"
        );
        round.sign("dan", "no").await;
        assert!(round.decided().await, "two of three are enough");
        assert_eq!(round.opinions().await, json!(["yes", "no"]));
        assert_eq!(round.house.nodes(&who("eva")).await, "");
        let expect = "started countersigner_added completed countersigner_added completed";
        assert_eq!(round.house.history(&round.case).await, expect);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_more_of_those_who_sign_one_after_the_other() {
    each_store(|store| async move {
        let round = Round::begin(House::open(&store).await, true, "", "ann bob").await;
        round.add("ann", "zoe", Place::Last).await.unwrap();
        round.add("ann", "cid", Place::Next).await.unwrap();
        round.expect("ann", "ann cid? bob? zoe?", (4, 0)).await;
        round.sign("ann", "1").await;
        // A stop in between forgets nothing.
        let house = House::again(&store, round.house.clock.clone()).await;
        let round = Round { house, ..round };
        round.expect("cid", "ann+ cid bob? zoe?", (4, 1)).await;
        for name in ["cid", "bob", "zoe"] {
            assert!(!round.decided().await);
            round.sign(name, name).await;
        }
        assert!(round.decided().await);
        // In the order of the drawing, those added last.
        assert_eq!(round.opinions().await, json!(["1", "bob", "zoe", "cid"]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fewer_ends_what_is_enough_then() {
    each_store(|store| async move {
        for sequential in [false, true] {
            let round = Round::begin(House::open(&store).await, sequential, "", "ann bob").await;
            round.add("ann", "cid", Place::Last).await.unwrap();
            round
                .expect(
                    "ann",
                    if sequential {
                        "ann bob? cid?"
                    } else {
                        "ann bob cid"
                    },
                    (3, 0),
                )
                .await;
            // Bob is drawn: only who steers the case does without him. Nobody takes themselves away.
            for (by, name) in [(who("ann"), "bob"), (admin(), "ann")] {
                let fault = round.remove(&by, "ann", name).await.unwrap_err();
                let code = if name == "bob" {
                    "access.denied"
                } else {
                    "input.invalid"
                };
                assert_eq!(fault.code, code, "{name} {sequential}");
            }
            let fault = round
                .remove(&who("stranger"), "ann", "cid")
                .await
                .unwrap_err();
            assert_eq!(fault.code, "input.not_found");
            round.remove(&who("ann"), "ann", "cid").await.unwrap();
            round.remove(&admin(), "ann", "bob").await.unwrap();
            round.expect("ann", "ann", (1, 0)).await;
            assert_eq!(round.house.nodes(&who("bob")).await, "");
            round.sign("ann", "yes").await;
            assert!(round.decided().await, "{sequential}");
            assert_eq!(round.opinions().await, json!(["yes"]));
            round.house.complete(&who("chief"), json!({})).await;
            assert_eq!(
                round.house.case(&round.case).await.state,
                CaseState::Completed
            );
        }
    })
    .await;
}

/// The condition is asked again over those who are left.
#[tokio::test(flavor = "multi_thread")]
async fn taking_one_away_may_be_the_end_of_it() {
    each_store(|store| async move {
        let until = "numberOfInstances < 3";
        let round = Round::begin(House::open(&store).await, false, until, "ann bob").await;
        round.add("ann", "cid", Place::Last).await.unwrap();
        let ann = round.task("ann").await;
        round.remove(&who("ann"), "ann", "cid").await.unwrap();
        assert!(round.decided().await, "the condition holds now");
        let over = round.house.engine.task(&who("ann"), &ann).await.unwrap();
        assert_eq!(over.task.state, TaskState::Dropped);
        assert!(over.countersign.is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_and_being_taken_away_one_is_first() {
    each_store(|store| async move {
        for round in 0..6 {
            let house = House::open(&store).await;
            let round_of = Round::begin(house, false, "", "ann").await;
            round_of.add("ann", "cid", Place::Last).await.unwrap();
            let (ann, cid) = (round_of.task("ann").await, round_of.task("cid").await);
            let remove = TaskVerb::RemoveSigner {
                signer: cid.clone(),
                reason: String::new(),
            };
            let data = object(json!({ "opinion": "yes" }));
            let sign = TaskVerb::Complete { data };
            let (by_ann, by_cid) = (who("ann"), who("cid"));
            let engine = &round_of.house.engine;
            let removing = engine.act(&by_ann, &ann, None, remove);
            let signing = engine.act(&by_cid, &cid, None, sign);
            let (removed, signed) = match round % 2 {
                0 => tokio::join!(removing, signing),
                _ => {
                    let (signed, removed) = tokio::join!(signing, removing);
                    (removed, signed)
                }
            };
            let (loser, first) = match (removed, signed) {
                (Ok(_), Err(fault)) => (fault, "ann"),
                (Err(fault), Ok(_)) => (fault, "cid"),
                other => panic!("{other:?}"),
            };
            assert_eq!(loser.code, "input.conflict");
            assert_eq!(loser.problems[0].words.en, first, "{loser}");
            let counts = if first == "ann" { (1, 0) } else { (2, 1) };
            let signers = if first == "ann" { "ann" } else { "cid+ ann" };
            round_of.expect("ann", signers, counts).await;
            let reason = "x".to_string();
            let cancel = CaseVerb::Cancel { reason };
            let by = admin();
            engine
                .rule(&by, &round_of.case, None, cancel)
                .await
                .unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_officers_add_at_once_and_both_count() {
    each_store(|store| async move {
        let round = Round::begin(House::open(&store).await, false, "", "ann bob").await;
        let (one, two) = tokio::join!(
            round.add("ann", "cid", Place::Last),
            round.add("bob", "dan", Place::Last)
        );
        one.unwrap();
        two.unwrap();
        assert_eq!(round.seen("ann", "ann").await.instances, 4);
        // The same person, asked by both: one of them is told.
        let (one, two) = tokio::join!(
            round.add("ann", "eva", Place::Last),
            round.add("bob", "eva", Place::Last)
        );
        assert_ne!(one.is_ok(), two.is_ok());
        assert_eq!(round.seen("ann", "ann").await.instances, 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_done_once_knows_no_countersigner() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!("{ENDS}{}", own("a", "ann"));
        house.publish(&body, "start>a a>end").await;
        let case = house.start(json!({})).await.id;
        let round = Round { house, case };
        let fault = round.add("ann", "cid", Place::Last).await.unwrap_err();
        assert_eq!(
            (fault.code, fault.problems[0].at.as_str()),
            ("input.invalid", "countersign")
        );
        let task = round.task("ann").await;
        let file = round.house.engine.task(&who("ann"), &task).await.unwrap();
        assert!(file.countersign.is_none());
    })
    .await;
}

/// Where the items are departments, whoever is added signs for the one that added them.
#[tokio::test(flavor = "multi_thread")]
async fn one_more_beside_a_department() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!(
            r#"{ENDS}<userTask id="m" j:roles="clerk" j:organisation="office"><multiInstanceLoopCharacteristics
            j:collection="people" j:item="office"/></userTask>{}"#,
            own("decide", "chief")
        );
        house.publish(&body, FLOWS).await;
        let case = house.start(json!({ "people": ["housing", "water"] })).await.id;
        let round = Round { house, case };
        let li = officer("li", "housing", "clerk");
        let task = round.house.only(&li).await.id;
        let verb = TaskVerb::AddSigner {
            to: "eva".into(),
            reason: String::new(),
            countersign: Some(Place::Last),
        };
        round.house.act(&li, &task, verb).await.unwrap();
        let eva = round.task("eva").await;
        let file = round.house.engine.task(&who("eva"), &eva).await.unwrap();
        assert_eq!(file.data["office"], "housing");
        assert!(file.task.roles.is_empty() && file.task.organisation.is_none());
        let release = round.house.act(&who("eva"), &eva, TaskVerb::Release).await;
        assert_eq!(release.unwrap_err().code, "input.conflict", "it is hers alone");
        assert_eq!(round.house.nodes(&officer("wu", "water", "clerk")).await, "m");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opinion_is_taken_back_until_all_have_signed() {
    each_store(|store| async move {
        let until = "numberOfCompletedInstances >= 2";
        let round = Round::begin(House::open(&store).await, false, until, "ann bob cid").await;
        let done = round.sign("ann", "yes").await;
        let fault = round.withdraw("bob", &done).await.unwrap_err();
        assert_eq!(fault.code, "input.not_found", "not his");
        round.withdraw("ann", &done).await.unwrap();
        round.expect("ann", "ann bob cid", (3, 0)).await;
        let fault = round.withdraw("ann", &done).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict", "once");
        round.sign("bob", "no").await;
        assert!(!round.decided().await, "hers does not count");
        let done = round.sign("ann", "after all").await;
        assert!(round.decided().await);
        assert_eq!(round.opinions().await, json!(["after all", "no"]));
        let fault = round.withdraw("ann", &done).await.unwrap_err();
        assert!(
            fault.code == "input.conflict" && fault.words.zh.contains("会签已经结束"),
            "{fault}"
        );
        let expect = "started completed withdrawn completed completed";
        assert_eq!(round.house.history(&round.case).await, expect);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_after_the_other_it_is_taken_back_before_the_next_has_begun() {
    each_store(|store| async move {
        let round = Round::begin(House::open(&store).await, true, "", "ann bob cid").await;
        let first = round.sign("ann", "1").await;
        round.withdraw("ann", &first).await.unwrap();
        round.expect("ann", "ann bob? cid?", (3, 0)).await;
        assert_eq!(round.house.nodes(&who("bob")).await, "");
        let first = round.sign("ann", "one").await;
        let bob = round.task("bob").await;
        round
            .house
            .act(&who("bob"), &bob, TaskVerb::Claim)
            .await
            .unwrap();
        let fault = round.withdraw("ann", &first).await.unwrap_err();
        assert!(fault.words.en.contains("bob"), "{fault}");
        round.sign("bob", "2").await;
        let fault = round.withdraw("ann", &first).await.unwrap_err();
        assert!(fault.words.en.contains("bob"), "{fault}");
        round.sign("cid", "3").await;
        assert_eq!(round.opinions().await, json!(["one", "2", "3"]));
    })
    .await;
}

#[test]
fn a_turn_added_and_undone_leaves_nothing_over() {
    let body = body(true, "").replace(r#"j:assignee="who""#, "");
    let people = json!({ "people": ["a", "b"] });
    let mut play = Play::begin(&body, FLOWS, people);
    let counting = |play: &Play| {
        let mut scopes = play.instance.scopes.iter();
        *scopes.find(|(_, scope)| scope.repeats.is_some()).unwrap().0
    };
    let count = counting(&play);
    let added = Added {
        to: "x".into(),
        by: "a".into(),
    };
    let add = Happened::AddTurn {
        count,
        item: json!("x"),
        added,
        next: true,
    };
    play.happen(add).expect("m");
    // The present one is done without: the one added comes.
    play.happen(Happened::RemoveTurn { count, number: 0 })
        .expect("m");
    let scope = play.instance.waits[&play.wait("m")].scope;
    assert_eq!(play.instance.variables(scope)["who"], "x");
    let repeats = play.instance.scopes[&count].repeats.as_ref().unwrap();
    assert_eq!(
        (repeats.instances(), repeats.begun, repeats.done),
        (2, 1, 0)
    );
    play.come("m")
        .expect("m")
        .come("m")
        .expect("decide")
        .come("decide");
    play.ended(cases::machine::Standing::Completed);
    // One that is gone already, and one of nothing.
    let mut play = Play::begin(&body, FLOWS, json!({ "people": ["a", "b"] }));
    let count = counting(&play);
    play.happen(Happened::RemoveTurn { count, number: 1 });
    for number in [1, 7] {
        let again = Happened::RemoveTurn { count, number };
        let small = crate::stage::Small;
        let step = cases::machine::step(
            &play.model,
            &play.instance,
            again,
            &small,
            crate::stage::NOW,
        );
        assert_eq!(step.unwrap_err().code, "input.conflict", "{number}");
    }
}
