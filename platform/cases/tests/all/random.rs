//! Random plays of random processes: whatever is drawn and whatever happens, a step answers, an
//! ended instance holds nothing, and what is waited for belongs to a token that is there.

use crate::stage::{NOW, Small, file, users};
use cases::bpmn::read;
use cases::machine::{Happened, Place, begin, step};
use proptest::prelude::*;
use serde_json::{Map, json};

/// A process of blocks one after the other and within each other.
fn block(depth: u32) -> BoxedStrategy<Block> {
    let leaf = prop_oneof![Just(Block::User), Just(Block::Timer), Just(Block::Script)];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = prop::collection::vec(block(depth - 1), 1..4);
    prop_oneof![
        3 => leaf,
        1 => inner.clone().prop_map(Block::Parallel),
        1 => inner.clone().prop_map(Block::Inclusive),
        1 => inner.clone().prop_map(Block::Sub),
        1 => inner.prop_map(Block::Repeat),
    ]
    .boxed()
}

#[derive(Clone, Debug)]
enum Block {
    User,
    Timer,
    Script,
    Parallel(Vec<Block>),
    Inclusive(Vec<Block>),
    Sub(Vec<Block>),
    Repeat(Vec<Block>),
}

#[derive(Default)]
struct Drawing {
    body: String,
    flows: String,
    next: usize,
}

impl Drawing {
    fn name(&mut self) -> String {
        self.next += 1;
        format!("n{}", self.next)
    }

    /// Draws blocks one after the other between two nodes.
    fn chain(&mut self, blocks: &[Block], from: &str, to: &str) {
        let mut last = from.to_string();
        for block in blocks {
            let (first, end) = self.block(block);
            self.flows.push_str(&format!("{last}>{first} "));
            last = end;
        }
        self.flows.push_str(&format!("{last}>{to} "));
    }

    fn block(&mut self, block: &Block) -> (String, String) {
        let name = self.name();
        match block {
            Block::User => self.body.push_str(&users(&name)),
            Block::Script => self.body.push_str(&format!(r#"<scriptTask id="{name}" j:result="n"><script>n + 1</script></scriptTask>"#)),
            Block::Timer => self.body.push_str(&format!(
                r#"<userTask id="{name}"/><boundaryEvent id="b{name}" attachedToRef="{name}" cancelActivity="false"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent><endEvent id="x{name}"/><sequenceFlow id="y{name}" sourceRef="b{name}" targetRef="x{name}"/>"#
            )),
            Block::Parallel(inner) | Block::Inclusive(inner) => {
                let kind = if matches!(block, Block::Parallel(_)) { "parallel" } else { "inclusive" };
                let (split, join) = (name, self.name());
                self.body.push_str(&format!(r#"<{kind}Gateway id="{split}"/><{kind}Gateway id="{join}"/>"#));
                for one in inner {
                    let (first, last) = self.block(one);
                    let condition = if kind == "inclusive" { ":n_>=_0" } else { "" };
                    self.flows.push_str(&format!("{split}>{first}{condition} {last}>{join} "));
                }
                return (split, join);
            }
            Block::Sub(inner) | Block::Repeat(inner) => {
                let mut within = Drawing { next: self.next, ..Drawing::default() };
                let (start, end) = (within.name(), within.name());
                within.body.push_str(&format!(r#"<startEvent id="{start}"/><endEvent id="{end}"/>"#));
                within.chain(inner, &start, &end);
                self.next = within.next;
                let looped = if matches!(block, Block::Repeat(_)) {
                    r#"<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>"#
                } else {
                    ""
                };
                self.body.push_str(&format!(
                    r#"<subProcess id="{name}">{looped}{}{}</subProcess>"#,
                    within.body,
                    crate::stage::draw(&within.flows)
                ));
            }
        }
        (name.clone(), name)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_play_comes_to_a_clean_end(blocks in prop::collection::vec(block(2), 1..4), choices in prop::collection::vec(any::<u16>(), 400)) {
        let mut drawing = Drawing::default();
        drawing.body.push_str(r#"<startEvent id="start"/><endEvent id="end"/>"#);
        drawing.chain(&blocks, "start", "end");
        let model = read("random", &file(&drawing.body, &drawing.flows)).unwrap_or_else(|f| panic!("{f:#?}\n{}", drawing.body));
        let variables = Map::from_iter([("n".to_string(), json!(0))]);
        let mut instance = begin(&model, "p", None, variables, &Small, NOW).unwrap().instance;
        let mut choices = choices.into_iter().cycle();
        let mut steps = 0;
        while !instance.ended() {
            for (id, token) in &instance.tokens {
                prop_assert!(instance.scopes.contains_key(&token.scope));
                prop_assert!(!matches!(token.place, Place::Arriving | Place::Stuck { .. }), "{id} {token:?}");
            }
            for wait in instance.waits.values() {
                prop_assert!(wait.token.is_none_or(|t| instance.tokens.contains_key(&t)));
            }
            prop_assert!(!instance.waits.is_empty(), "nothing is waited for and it has not ended: {instance:#?}");
            let waits: Vec<u64> = instance.waits.keys().copied().collect();
            let wait = waits[choices.next().unwrap() as usize % waits.len()];
            let happened = Happened::Came { wait, variables: Map::new() };
            instance = step(&model, &instance, happened, &Small, NOW).unwrap().instance;
            steps += 1;
            prop_assert!(steps < 3_000);
        }
        prop_assert!(instance.tokens.is_empty() && instance.waits.is_empty() && instance.scopes.len() == 1);
        // What is kept of an instance says the same when read back.
        let text = serde_json::to_string(&instance).unwrap();
        prop_assert_eq!(serde_json::from_str::<cases::machine::Instance>(&text).unwrap(), instance);
    }
}
