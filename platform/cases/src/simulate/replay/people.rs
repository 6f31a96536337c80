//! People: who does which tasks, who is free, who waits.

use super::super::past::{Drawing, group};
use super::{Next, Pending, Replay};
use crate::bpmn::{NodeKind, TaskKind};
use crate::machine::Id;
use kernel::{Time, Words};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// People who do the same tasks.
#[derive(Default)]
pub struct People {
    /// Their name.
    pub name: String,
    /// Nodes they do.
    pub nodes: Vec<String>,
    /// How many.
    pub workers: u32,
    /// Working microseconds of the period they were busy, all together.
    pub busy_us: i64,
    pub(super) busy: u32,
    pub(super) queue: VecDeque<(usize, Id)>,
}

impl Replay<'_> {
    /// Says who does which tasks, and how many they are.
    pub(super) fn hire(&mut self) {
        let drawings: Vec<&Drawing> = match self.set.changed {
            Some(changed) => vec![changed],
            None => self.set.past.drawings.iter().collect(),
        };
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for (version, drawing) in drawings.into_iter().enumerate() {
            let Some(process) = drawing.drawn() else {
                continue;
            };
            for (at, node) in process.nodes.iter().enumerate() {
                let NodeKind::Task(TaskKind::User(who) | TaskKind::Manual(who)) = &node.kind else {
                    continue;
                };
                let capacity = self.set.capacity;
                let role = who.roles.iter().find(|role| capacity.contains_key(*role));
                let name = match role {
                    _ if capacity.contains_key(&node.id) => node.id.clone(),
                    Some(role) => role.clone(),
                    None => group(process, &node.id),
                };
                let place = *known.entry(name.clone()).or_insert_with(|| {
                    self.people.push(People {
                        name,
                        ..People::default()
                    });
                    self.people.len() - 1
                });
                self.by_node.insert((version, at), place);
                if !self.people[place].nodes.contains(&node.id) {
                    self.people[place].nodes.push(node.id.clone());
                }
            }
        }
        let learnt = self.set.learnt;
        let mut roles: BTreeMap<&String, usize> = BTreeMap::new();
        for people in &mut self.people {
            if let Some(workers) = self.set.capacity.get(&people.name) {
                people.workers = *workers;
                continue;
            }
            let nodes = people.nodes.iter();
            let seen = nodes.filter_map(|node| learnt.people.get(node));
            let group = learnt.groups.get(&people.name);
            let seen: BTreeSet<&String> = seen.chain(group).flatten().collect();
            people.workers = seen.len() as u32;
            if people.workers == 0 {
                people.workers = 1;
                self.noted.nobody.insert(people.name.clone());
            }
            for person in seen {
                *roles.entry(person).or_default() += 1;
            }
        }
        self.noted.several = roles.values().filter(|roles| **roles > 1).count();
    }

    /// Gives the next tasks to people who are free.
    pub(super) fn dispatch(&mut self, place: usize, now: Time) {
        while self.people[place].busy < self.people[place].workers {
            let Some((case, wait)) = self.people[place].queue.pop_front() else {
                return;
            };
            let live = self.lives[case].as_mut();
            let Some(pending) = live.and_then(|live| live.waits.get_mut(&wait)) else {
                continue; // of no use any more
            };
            let begun = self.set.hours.next(now);
            let ended = begun.and_then(|b| self.set.hours.after(b, pending.outcome.took));
            let (Some(begun), Some(ended)) = (begun, ended) else {
                let words = Words::new("二十年内无法办结", "it would not end within twenty years");
                self.give_up(case, words, now);
                continue;
            };
            pending.begun = Some(begun);
            self.people[place].busy += 1;
            self.push(ended, Next::Came(case, wait));
        }
    }

    /// Whoever had it in hand is free again; answers who.
    pub(super) fn free(&mut self, pending: &Pending, now: Time) -> Option<usize> {
        let (place, begun) = (pending.people?, pending.begun?);
        let people = &mut self.people[place];
        people.busy -= 1;
        let until = std::cmp::min(now, self.set.until);
        people.busy_us += self.set.hours.between(begun, until);
        Some(place)
    }
}
