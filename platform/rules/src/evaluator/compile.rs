//! Declared rules made ready for the stream: one judge for each rule and property (or for the
//! rule as a whole), found by column and period without looking at a name.

use kernel::Span;
use kernel::declare::{Amount, Comparison, Condition, Declared, Limit, RuleDecl, Schedule};
use kernel::fault::Words;
use kernel::observations::{Basis, Column, Kind, Period, Statistic};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A rule and its judges.
pub(crate) struct Rule {
    pub decl: RuleDecl,
    /// Numbers of its judges; none for an absence rule.
    pub judges: Vec<u32>,
}

/// One thing the engine decides for each thing: a rule with one of its properties.
pub(crate) struct Judge {
    pub rule: u32,
    /// Finds its states again after a restart with other declarations.
    pub signature: String,
    /// Property and kind; `None` when several are combined.
    pub series: Option<(Arc<str>, Kind)>,
    pub test: Test,
}

/// How a judge decides.
pub(crate) enum Test {
    Threshold(Bound),
    Constant { hold: Span, at_least: u32 },
    Change { over: Span, by: Amount },
    All { parts: Vec<Bound>, hold: Span },
}

/// One comparison with a limit.
#[derive(Clone)]
pub(crate) struct Bound {
    pub property: Arc<str>,
    pub kind: Kind,
    pub comparison: Comparison,
    pub limit: Limit,
    pub hold: Span,
    pub hysteresis: f64,
    pub schedule: Option<Schedule>,
}

/// What to do with a value of some column and period.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    pub judge: u32,
    /// Part of a combined condition.
    pub part: u32,
}

/// Words of a property for messages.
#[derive(Clone, Default)]
pub(crate) struct PropertyWords {
    pub title: Words,
    pub unit: String,
    pub digits: u8,
}

/// Columns by meaning, with the periods watched in them.
type ByMeaning = FxHashMap<(Arc<str>, Statistic, Basis), Vec<(Period, Watch)>>;

/// All rules, ready.
pub(crate) struct Rules {
    pub rules: Vec<Rule>,
    pub judges: Vec<Judge>,
    pub properties: FxHashMap<Arc<str>, PropertyWords>,
    by_meaning: ByMeaning,
}

impl Rules {
    pub fn compile(declared: &Declared) -> Rules {
        let mut rules = Rules {
            rules: vec![],
            judges: vec![],
            properties: FxHashMap::default(),
            by_meaning: FxHashMap::default(),
        };
        for decl in declared.rules() {
            let number = rules.rules.len() as u32;
            rules.rules.push(Rule {
                decl: decl.clone(),
                judges: vec![],
            });
            rules.add_judges(number, decl);
            for (property, _) in decl.when.series() {
                let words = declared.property(&property).map(|p| PropertyWords {
                    title: p.title.clone(),
                    unit: p.unit.clone(),
                    digits: p.digits,
                });
                rules
                    .properties
                    .insert(property.into(), words.unwrap_or_default());
            }
        }
        rules
    }

    fn add_judges(&mut self, rule: u32, decl: &RuleDecl) {
        match &decl.when {
            Condition::Threshold { .. } => {
                for bound in bounds(&decl.when) {
                    let series = (bound.property.clone(), bound.kind);
                    self.add_judge(rule, "threshold", Some(series), Test::Threshold(bound));
                }
            }
            Condition::Constant {
                properties,
                kind,
                hold,
                at_least,
            } => {
                for property in properties {
                    let (hold, at_least) = (*hold, *at_least);
                    let series = (Arc::from(property.as_str()), *kind);
                    let test = Test::Constant { hold, at_least };
                    self.add_judge(rule, "constant", Some(series), test);
                }
            }
            Condition::Change {
                properties,
                kind,
                over,
                by,
            } => {
                for property in properties {
                    let (over, by) = (*over, *by);
                    let series = (Arc::from(property.as_str()), *kind);
                    self.add_judge(rule, "change", Some(series), Test::Change { over, by });
                }
            }
            Condition::All { parts, hold } => {
                let parts: Vec<Bound> = parts.iter().flat_map(bounds).collect();
                // The number of parts is in the name: a kept state must fit them.
                let name = format!("all{}", parts.len());
                self.add_judge(rule, &name, None, Test::All { parts, hold: *hold });
            }
            Condition::Absent { .. } => {}
        }
    }

    fn add_judge(&mut self, rule: u32, test: &str, series: Option<(Arc<str>, Kind)>, how: Test) {
        let number = self.judges.len() as u32;
        let of = match &how {
            Test::All { parts, .. } => parts.iter().map(|b| (b.property.clone(), b.kind)).collect(),
            _ => Vec::from_iter(series.clone()),
        };
        for (part, (property, kind)) in of.into_iter().enumerate() {
            let watch = Watch {
                judge: number,
                part: part as u32,
            };
            self.by_meaning
                .entry((property, kind.statistic, kind.basis))
                .or_default()
                .push((kind.period, watch));
        }
        let decl = &self.rules[rule as usize].decl;
        let property = series.as_ref().map_or("", |(property, _)| property);
        let signature = format!("{}:{property}:{test}", decl.name);
        self.rules[rule as usize].judges.push(number);
        self.judges.push(Judge {
            rule,
            signature,
            series,
            test: how,
        });
    }

    /// What is watched in a column.
    pub fn watches(&self, column: &Column) -> &[(Period, Watch)] {
        let meaning = (column.property.clone(), column.statistic, column.basis);
        self.by_meaning.get(&meaning).map_or(&[], Vec::as_slice)
    }

    /// The absence rules and their allowed silence.
    pub fn absences(&self) -> impl Iterator<Item = (u32, &RuleDecl, Span)> {
        let numbered = self.rules.iter().enumerate();
        numbered.filter_map(|(number, rule)| match rule.decl.when {
            Condition::Absent { hold } => Some((number as u32, &rule.decl, hold)),
            _ => None,
        })
    }
}

fn bounds(condition: &Condition) -> Vec<Bound> {
    let Condition::Threshold {
        properties,
        kind,
        comparison,
        limit,
        hold,
        hysteresis,
        schedule,
    } = condition
    else {
        return vec![];
    };
    let make = |property: &String| Bound {
        property: property.as_str().into(),
        kind: *kind,
        comparison: *comparison,
        limit: limit.clone(),
        hold: *hold,
        hysteresis: *hysteresis,
        schedule: *schedule,
    };
    properties.iter().map(make).collect()
}
