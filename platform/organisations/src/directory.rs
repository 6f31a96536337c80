//! The directory: who works where, in which position, under which number.

use crate::Engine;
use crate::model::Rank;
use crate::read::Page;
use crate::snapshot::{Held, by_rank, held};
use kernel::Time;
use kernel::fault::Words;
use serde::Serialize;

/// Lines on one page, at most.
const PAGE_LIMIT: usize = 500;

/// A line of the directory: one person in one position.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Account.
    pub account: String,
    /// Name.
    pub name: String,
    /// Office telephone.
    pub phone: String,
    /// Room.
    pub room: String,
    /// Organisation.
    pub organisation: String,
    /// Its name.
    pub organisation_title: Words,
    /// Position.
    pub position: String,
    /// Its title.
    pub title: Words,
    /// Roles it carries.
    pub roles: Vec<String>,
    /// Head, deputy or staff.
    pub rank: Rank,
    /// Main, or besides another.
    pub main: bool,
    /// The appointment.
    pub appointment: String,
    /// Since.
    pub since: Time,
    /// Until.
    pub until: Option<Time>,
    /// On leave now.
    pub away: bool,
    /// Who stands in meanwhile.
    pub substitute: Option<String>,
}

impl Engine {
    /// Those who hold a position in an organisation (and below it, when `deep`), or in any; with
    /// a text only those it fits. Heads first, then deputies, in the order of the tree.
    pub fn directory(
        &self,
        organisation: Option<&str>,
        deep: bool,
        text: Option<&str>,
        at: Option<Time>,
        after: usize,
        limit: usize,
    ) -> Page<Entry> {
        let now = self.now();
        let moment = at.unwrap_or_else(|| self.clock.now());
        let past;
        let people = match at {
            Some(at) if !now.holds_at(at) => {
                past = held(&now.book, at);
                &past
            }
            _ => &now.held,
        };
        let inside: Option<Vec<String>> = organisation.map(|code| {
            if deep {
                self.on_tree(at, |tree| tree.below(code).to_vec())
            } else {
                vec![code.to_string()]
            }
        });
        let is_inside = |code: &str| {
            inside
                .as_ref()
                .is_none_or(|all| all.iter().any(|c| c == code))
        };
        let mut lines: Vec<(usize, &String, &Held)> = people
            .iter()
            .flat_map(|(account, held)| held.iter().map(move |one| (account, one)))
            .filter(|(_, one)| is_inside(&one.position.organisation))
            .map(|(account, one)| {
                let place = now.tree.place(&one.position.organisation);
                (place.unwrap_or(usize::MAX), account, one)
            })
            .collect();
        lines.sort_by(|a, b| (a.0, by_rank(a.2), a.1).cmp(&(b.0, by_rank(b.2), b.1)));
        let entries = lines.into_iter().map(|(_, account, one)| {
            let member = now.book.members.get(account);
            let code = &one.position.organisation;
            let title = now.book.organisation(code, moment).map(|o| o.title.clone());
            let leave = now.book.leaves.values().find(|l| {
                l.account == *account
                    && l.cancelled_at.is_none()
                    && l.from <= moment
                    && moment < l.to
            });
            Entry {
                account: account.clone(),
                name: member.map_or_else(|| account.clone(), |m| m.name.clone()),
                phone: member.map(|m| m.phone.clone()).unwrap_or_default(),
                room: member.map(|m| m.room.clone()).unwrap_or_default(),
                organisation: code.clone(),
                organisation_title: title.unwrap_or_default(),
                position: one.position.id.clone(),
                title: one.position.title.clone(),
                roles: one.position.roles.clone(),
                rank: one.position.rank,
                main: one.appointment.main,
                appointment: one.appointment.id.clone(),
                since: one.appointment.valid_from,
                until: one.appointment.valid_to,
                away: leave.is_some(),
                substitute: leave.and_then(|l| l.substitute.clone()),
            }
        });
        let entries: Vec<Entry> = match text {
            None => entries.collect(),
            Some(text) => entries.filter(|entry| fits(entry, text)).collect(),
        };
        let total = entries.len() as u64;
        let limit = limit.clamp(1, PAGE_LIMIT);
        let items: Vec<Entry> = entries.into_iter().skip(after).take(limit).collect();
        let end = after + items.len();
        let next = ((end as u64) < total).then(|| end.to_string());
        Page { items, next, total }
    }

    /// Accounts of those who head an organisation now (正职), and of those who stand in for one who is
    /// on leave. Empty where nobody does.
    pub fn heads(&self, organisation: &str) -> Vec<String> {
        let page = self.directory(Some(organisation), false, None, None, 0, PAGE_LIMIT);
        let heads = page.items.into_iter().filter(|e| e.rank == Rank::Head);
        heads
            .flat_map(|entry| std::iter::once(entry.account).chain(entry.substitute))
            .collect()
    }

    /// Positions of an organisation at a moment, heads first, with how many hold each.
    pub fn positions(&self, organisation: &str, at: Option<Time>) -> Vec<serde_json::Value> {
        let now = self.now();
        let moment = at.unwrap_or_else(|| self.clock.now());
        let stands =
            |from: Time, to: Option<Time>| from <= moment && to.is_none_or(|to| moment < to);
        let mut all: Vec<_> = now
            .book
            .positions
            .values()
            .filter(|p| p.organisation == organisation && stands(p.valid_from, p.valid_to))
            .collect();
        all.sort_by(|a, b| (a.rank, &a.id).cmp(&(b.rank, &b.id)));
        all.into_iter()
            .map(|position| {
                let holders: Vec<&str> = now
                    .book
                    .appointments
                    .values()
                    .filter(|a| a.position == position.id && stands(a.valid_from, a.valid_to))
                    .map(|a| a.account.as_str())
                    .collect();
                let mut value = serde_json::json!(position);
                value["holders"] = serde_json::json!(holders);
                value
            })
            .collect()
    }
}

fn fits(entry: &Entry, text: &str) -> bool {
    let sought = text.to_lowercase();
    let has = |field: &str| field.to_lowercase().contains(&sought);
    has(&entry.name)
        || has(&entry.account)
        || has(&entry.phone)
        || has(&entry.title.zh)
        || has(&entry.title.en)
        || has(&entry.organisation_title.zh)
        || has(&entry.organisation_title.en)
}
