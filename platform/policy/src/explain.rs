//! Why, and why not: the policies behind an answer with the file and line they stand at, what keeps
//! the others from allowing it, how personal fields are shown; and the matrix of everything
//! granted.

use crate::Engine;
use crate::rule::{Rule, Source};
use kernel::access::{Actor, Decision, Missing, Policy, Verb};
use kernel::facts::{Facts, Filter, Mask, Shown};
use serde::Serialize;
use std::collections::BTreeMap;

/// A policy, cited.
#[derive(Clone, Debug, Serialize)]
pub struct Cited {
    /// File and line, or `grant:<identification>`.
    pub at: String,
    /// Where it comes from.
    pub source: Source,
    /// Permits, or forbids.
    pub permits: bool,
    /// Whom it speaks of: a role …
    pub role: Option<String>,
    /// … or an account.
    pub account: Option<String>,
    /// For which purpose.
    pub purpose: String,
    /// On which legal basis.
    pub basis: String,
    /// In the Cedar language.
    pub text: String,
    /// What keeps it from allowing; empty when it holds.
    pub missing: Vec<Missing>,
}

fn cited(rule: &Rule, missing: Vec<Missing>) -> Cited {
    Cited {
        at: rule.at.clone(),
        source: rule.source,
        permits: rule.permits,
        role: rule.role.clone(),
        account: rule.account.clone(),
        purpose: rule.purpose.clone(),
        basis: rule.basis.clone(),
        text: rule.text.clone(),
        missing,
    }
}

/// An answer, explained.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The answer.
    pub decision: Decision,
    /// Policies that decided it: permissions that hold, or prohibitions.
    pub determining: Vec<Cited>,
    /// Policies about the person that would allow it if it were not for what is missing.
    pub others: Vec<Cited>,
    /// To which records of the kind.
    pub filter: Filter,
    /// How personal fields are shown.
    pub mask: Mask,
}

/// What one role may do to one object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MatrixLine {
    /// Role.
    pub role: String,
    /// Object of access.
    pub object: String,
    /// Verb.
    pub verb: Verb,
    /// What narrows it: `scope:own`, `level:2`, `second_factor`, `clear:…`, `masked:…`, `when`,
    /// `break_glass`; empty for no condition.
    pub marks: Vec<String>,
    /// For which purpose.
    pub purpose: String,
    /// On which legal basis.
    pub basis: String,
    /// File and line.
    pub at: String,
}

impl Engine {
    /// Why somebody may do this: to any of the kind, or to this record.
    pub fn explain(
        &self,
        actor: &Actor,
        verb: Verb,
        object: &str,
        facts: Option<&Facts>,
    ) -> Explained {
        let (book, now) = (self.book(), self.clock.now());
        let answer = book.answer(actor, verb, object, facts, now);
        let held = match answer.forbidding.is_empty() {
            true => &answer.holding,
            false => &answer.forbidding,
        };
        let determining = held
            .iter()
            .map(|n| cited(&book.rules[*n], vec![]))
            .collect();
        let mut others = vec![];
        if let Some(kind) = book.kinds.number(object) {
            let candidates = book.candidates(actor, verb, kind);
            let idle = candidates
                .permits
                .iter()
                .filter(|n| !answer.holding.contains(n));
            for number in idle {
                let missing = book.unmet_of(actor, verb, kind, facts, *number, now);
                others.push(cited(&book.rules[*number], missing));
            }
        }
        Explained {
            determining,
            others,
            filter: self.filter(actor, verb, object),
            mask: self.mask(actor, verb, object, facts),
            decision: answer.decision,
        }
    }

    /// Everything granted to roles, in order of role, object and verb.
    pub fn matrix(&self) -> Vec<MatrixLine> {
        let book = self.book();
        let mut lines = vec![];
        for rule in book.rules.iter().filter(|rule| rule.permits) {
            let Some(role) = &rule.role else { continue };
            for kind in &rule.kinds {
                let kind = &book.kinds.all[*kind];
                let shown = kind.personal().then(|| marks_of_fields(rule));
                for verb in &rule.verbs {
                    let mut marks = marks_of(rule);
                    marks.extend(shown.clone().into_iter().flatten());
                    lines.push(MatrixLine {
                        role: role.clone(),
                        object: kind.object.clone(),
                        verb: *verb,
                        marks,
                        purpose: rule.purpose.clone(),
                        basis: rule.basis.clone(),
                        at: rule.at.clone(),
                    });
                }
            }
        }
        for glass in book.glass.iter() {
            for object in &glass.grant.objects {
                for verb in &glass.grant.verbs {
                    lines.push(MatrixLine {
                        role: glass.role.clone(),
                        object: object.clone(),
                        verb: *verb,
                        marks: vec!["break_glass".into()],
                        purpose: glass.grant.purpose.clone(),
                        basis: glass.grant.basis.clone(),
                        at: glass.grant.at.clone(),
                    });
                }
            }
        }
        let place: BTreeMap<&str, usize> = book
            .roles
            .iter()
            .map(|r| r.name.as_str())
            .zip(0..)
            .collect();
        lines.sort_by_key(|l| {
            (
                place.get(l.role.as_str()).copied(),
                l.object.clone(),
                l.verb,
            )
        });
        lines
    }
}

fn marks_of(rule: &Rule) -> Vec<String> {
    let mark = |missing: &Missing| match missing {
        Missing::Level(level) => format!("level:{level}"),
        Missing::SecondFactor => "second_factor".into(),
        Missing::Scope(scope) => format!("scope:{scope}"),
        _ => "when".into(),
    };
    let mut marks: Vec<String> = rule
        .clauses
        .iter()
        .map(|(missing, _)| mark(missing))
        .collect();
    marks.dedup();
    if rule.source == Source::Temporary || rule.source == Source::BreakGlass {
        marks.push("temporary".into());
    }
    marks
}

fn marks_of_fields(rule: &Rule) -> Vec<String> {
    let Some(shown) = &rule.shown else {
        return vec!["masked:*".into()];
    };
    let of = |wanted: Shown, word: &str| {
        let names = shown
            .iter()
            .filter(|(_, s)| **s == wanted)
            .map(|(n, _)| n.as_str());
        let names: Vec<&str> = names.collect();
        (!names.is_empty()).then(|| format!("{word}:{}", names.join(",")))
    };
    let marks = [of(Shown::Clear, "clear"), of(Shown::Masked, "masked")];
    marks.into_iter().flatten().collect()
}
