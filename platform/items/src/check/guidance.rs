//! Guidance: a tree of questions. Every name resolves, every question is reached, every path ends.

use super::Facts;
use crate::form::Form;
use crate::say::{brief, escape, problem};
use kernel::Problem;
use kernel::items::{Choice, ItemContent, Question};
use std::collections::BTreeSet;

/// Everything wrong with the guidance.
pub(super) fn check(
    content: &ItemContent,
    form: &Form,
    own: Option<&str>,
    facts: &Facts,
) -> Vec<Problem> {
    let tree = &content.guidance;
    let mut found = vec![];
    for (n, question) in tree.iter().enumerate() {
        if tree[..n].iter().any(|q| q.name == question.name) {
            let (zh, en) = ("问题重名", "two questions of one name");
            found.push(problem(format!("/guidance/{n}/name"), zh, en));
        }
        for (o, option) in question.options.iter().enumerate() {
            let at = format!("/guidance/{n}/options/{o}");
            found.extend(check_option(option, tree, form, own, facts, &at));
        }
    }
    if found.is_empty() {
        found.extend(paths(tree));
    }
    found
}

fn check_option(
    option: &Choice,
    tree: &[Question],
    form: &Form,
    own: Option<&str>,
    facts: &Facts,
    at: &str,
) -> Vec<Problem> {
    let mut found = vec![];
    let ends = [
        option.next.is_some(),
        option.item.is_some(),
        option.stop.is_some(),
    ];
    if ends.iter().filter(|end| **end).count() > 1 {
        found.push(problem(
            at,
            "next、item、stop 只能有一个",
            "only one of next, item and stop",
        ));
    }
    if !option.sets.is_empty() && (option.item.is_some() || option.stop.is_some()) {
        found.push(problem(
            format!("{at}/sets"),
            "不到表单的选项不能填写表单",
            "an option that leads elsewhere settles nothing of the form",
        ));
    }
    if let Some(next) = &option.next
        && !tree.iter().any(|question| question.name == *next)
    {
        let name = brief(next);
        found.push(problem(
            format!("{at}/next"),
            format!("没有问题“{name}”"),
            format!("there is no question \"{name}\""),
        ));
    }
    if let Some(item) = &option.item
        && (facts.item(item).is_none() || own == Some(item.as_str()))
    {
        let name = brief(item);
        found.push(problem(
            format!("{at}/item"),
            format!("没有其他在用的事项“{name}”"),
            format!("there is no other item \"{name}\" in force"),
        ));
    }
    for (name, value) in &option.sets {
        let at = format!("{at}/sets/{}", escape(name));
        let Some(field) = form.field(name) else {
            found.push(problem(
                at,
                "表单没有这个字段",
                "the form has no such field",
            ));
            continue;
        };
        for (_, words) in field.values.faults(field, value) {
            found.push(problem(at.clone(), words.zh, words.en));
        }
    }
    found
}

/// Circles, and questions nobody gets to. All names resolve.
fn paths(tree: &[Question]) -> Vec<Problem> {
    let place = |name: &str| tree.iter().position(|question| question.name == name);
    let mut found = vec![];
    // Questions looked at whole; the way to the one in hand, with its next option.
    let mut done: BTreeSet<usize> = BTreeSet::new();
    let mut way: Vec<(usize, usize)> = if tree.is_empty() {
        vec![]
    } else {
        vec![(0, 0)]
    };
    while let Some((question, option)) = way.last().copied() {
        let Some(choice) = tree[question].options.get(option) else {
            done.insert(question);
            way.pop();
            continue;
        };
        if let Some(last) = way.last_mut() {
            last.1 += 1;
        }
        let Some(next) = choice.next.as_deref().and_then(place) else {
            continue;
        };
        if way.iter().any(|(before, _)| *before == next) {
            found.push(problem(
                format!("/guidance/{question}/options/{option}/next"),
                "又回到前面的问题，没有尽头",
                "goes back to an earlier question and never ends",
            ));
        } else if !done.contains(&next) {
            way.push((next, 0));
        }
    }
    for (n, question) in tree.iter().enumerate() {
        if !done.contains(&n) {
            let name = &question.name;
            found.push(problem(
                format!("/guidance/{n}"),
                format!("没有选项通往问题“{name}”"),
                format!("no option leads to the question \"{name}\""),
            ));
        }
    }
    found
}
