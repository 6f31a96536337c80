//! Halls: set as a whole, kept as a document with its version, checked before anything is kept.

use crate::Engine;
use crate::hours;
use crate::say::{Deed, change, problem, refuse};
use kernel::access::{Actor, Verb};
use kernel::fault::FaultKind;
use kernel::numbers::Day;
use kernel::page::{Page, Part};
use kernel::visits::{Hall, HallMatter, NewHall, Slot};
use kernel::{Fault, Problem, Words};
use serde_json::json;
use std::collections::BTreeSet;
use store::documents::{self, Document};
use store::visits as rows;

/// Where halls are kept.
const COLLECTION: &str = "visit_halls";
/// Halls there may be.
const HALLS_LIMIT: u64 = 1000;

fn is_code(text: &str, dots: bool) -> bool {
    let fits = |b: u8| {
        b.is_ascii_lowercase()
            || b.is_ascii_digit()
            || matches!(b, b'_' | b'-')
            || (dots && b == b'.')
    };
    (1..=60).contains(&text.len()) && text.bytes().all(fits)
}

fn words_problems(at: &str, words: &Words, most: usize) -> Vec<Problem> {
    let both = [("zh", &words.zh), ("en", &words.en)];
    let wrong = both.into_iter().filter(|(_, text)| {
        let length = text.trim().chars().count();
        !(1..=most).contains(&length) || text.contains(char::is_control)
    });
    wrong
        .map(|(language, _)| {
            problem(
                format!("{at}/{language}"),
                format!("须为 1 至 {most} 个字"),
                format!("1 to {most} characters"),
            )
        })
        .collect()
}

fn matter_problems(matters: &[HallMatter]) -> Vec<Problem> {
    if !(1..=500).contains(&matters.len()) {
        let (zh, en) = ("事项应为 1 至 500 项", "1 to 500 matters");
        return vec![problem("matters", zh, en)];
    }
    let mut found = vec![];
    let mut seen = BTreeSet::new();
    for (number, matter) in matters.iter().enumerate() {
        let at = |field: &str| format!("matters/{number}/{field}");
        if !is_code(&matter.code, true) || !seen.insert(&matter.code) {
            found.push(problem(
                at("code"),
                "编码应为 1 至 60 个小写字母、数字、点、横线或下划线，不能重复",
                "1 to 60 of a-z, 0-9, dot, dash and underscore, none twice",
            ));
        }
        found.extend(words_problems(&at("title"), &matter.title, 100));
        if !matter.letter.is_ascii_uppercase() {
            found.push(problem(
                at("letter"),
                "应为一个大写字母",
                "one capital letter",
            ));
        }
        if !(1..=480).contains(&matter.minutes) {
            found.push(problem(
                at("minutes"),
                "应为 1 至 480 分钟",
                "1 to 480 minutes",
            ));
        }
        if matter.capacity > 1000 {
            found.push(problem(at("capacity"), "应为 0 至 1000", "0 to 1000"));
        }
    }
    found
}

fn window_problems(hall: &NewHall) -> Vec<Problem> {
    if !(1..=500).contains(&hall.windows.len()) {
        let (zh, en) = ("窗口应为 1 至 500 个", "1 to 500 windows");
        return vec![problem("windows", zh, en)];
    }
    let mut found = vec![];
    let known: BTreeSet<&String> = hall.matters.iter().map(|m| &m.code).collect();
    let (mut seen, mut served) = (BTreeSet::new(), BTreeSet::new());
    for (number, window) in hall.windows.iter().enumerate() {
        let at = |field: &str| format!("windows/{number}/{field}");
        let sound = (1..=20).contains(&window.code.len())
            && window
                .code
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !sound || !seen.insert(&window.code) {
            found.push(problem(
                at("code"),
                "编号应为 1 至 20 个字母或数字，不能重复",
                "1 to 20 letters and digits, none twice",
            ));
        }
        found.extend(words_problems(&at("title"), &window.title, 60));
        for (place, matter) in window.matters.iter().enumerate() {
            if !known.contains(matter) {
                found.push(problem(
                    at(&format!("matters/{place}")),
                    "大厅没有这个事项",
                    "the hall has no such matter",
                ));
            }
            served.insert(matter);
        }
    }
    for (number, matter) in hall.matters.iter().enumerate() {
        if !served.contains(&matter.code) {
            found.push(problem(
                format!("matters/{number}"),
                "没有窗口办理此事项",
                "no window serves this matter",
            ));
        }
    }
    found
}

fn problems(hall: &NewHall) -> Vec<Problem> {
    let mut found = vec![];
    if !is_code(&hall.code, false) {
        found.push(problem(
            "code",
            "编码应为 1 至 60 个小写字母、数字、横线或下划线",
            "1 to 60 of a-z, 0-9, dash and underscore",
        ));
    }
    found.extend(words_problems("title", &hall.title, 100));
    found.extend(words_problems("address", &hall.address, 200));
    let organisation = hall.organisation.as_str();
    if !(1..=60).contains(&organisation.len()) || organisation.contains(char::is_control) {
        found.push(problem(
            "organisation",
            "缺少所属机构",
            "the organisation is missing",
        ));
    }
    found.extend(matter_problems(&hall.matters));
    found.extend(window_problems(hall));
    found.extend(hours::problems(&hall.hours));
    if hall.closed.len() > 366 {
        found.push(problem("closed", "最多 366 天", "366 days at most"));
    }
    if !(1..=90).contains(&hall.days_ahead) {
        found.push(problem("days_ahead", "应为 1 至 90 天", "1 to 90 days"));
    }
    found
}

impl Engine {
    fn hall_of(&self, document: Document) -> Result<Hall, Fault> {
        let set: NewHall = serde_json::from_value(document.json)
            .map_err(|e| Fault::internal("reading a hall", e))?;
        let open = hours::is_open(&set, self.clock.now(), self.days.as_ref());
        Ok(Hall {
            set,
            version: document.version,
            open,
        })
    }

    pub(crate) async fn one_hall(&self, code: &str) -> Result<Hall, Fault> {
        if !is_code(code, false) {
            return Err(Fault::missing("hall"));
        }
        let found = self.store.documents().get(COLLECTION, code).await?;
        self.hall_of(found.ok_or_else(|| Fault::missing("hall"))?)
    }

    pub(crate) async fn list_halls(&self, part: &Part) -> Result<Page<Hall>, Fault> {
        let documents = self.store.documents();
        let all = documents
            .list_by_prefix(COLLECTION, "", None, HALLS_LIMIT)
            .await?;
        let total = all.len() as u64;
        let after = part.after.as_deref().unwrap_or("");
        let size = part.size() as usize;
        let mut items = vec![];
        for document in all {
            let hall = self.hall_of(document)?;
            if hall.set.code.as_str() > after {
                items.push(hall);
            }
        }
        let more = items.len() > size;
        items.truncate(size);
        let next = more.then(|| items.last().map(|hall| hall.set.code.clone()));
        Ok(Page {
            next: next.flatten(),
            items,
            total,
        })
    }

    pub(crate) async fn keep_hall(
        &self,
        by: &Actor,
        new: NewHall,
        version: i64,
    ) -> Result<Hall, Fault> {
        let actor = self.demand(by, Verb::Operate, &new)?;
        refuse(problems(&new))?;
        match self.one_hall(&new.code).await {
            // Whoever takes a hall over from another organisation may do so there too.
            Ok(known) => {
                self.demand(by, Verb::Operate, &known.set)?;
            }
            Err(fault) if fault.kind == FaultKind::Missing => {}
            Err(fault) => return Err(fault),
        }
        let documents = self.store.documents();
        let all = documents
            .list_by_prefix(COLLECTION, "", None, HALLS_LIMIT)
            .await?;
        if version == 0 && all.len() as u64 >= HALLS_LIMIT {
            return Err(crate::say::conflict("大厅太多", "there are too many halls"));
        }
        let document =
            serde_json::to_value(&new).map_err(|e| Fault::internal("writing a hall", e))?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let version =
            documents::put(&mut tx, COLLECTION, &new.code, &document, Some(version)).await?;
        let deed = Deed::new("operate", &new.code, "hall_set").with(json!({ "version": version }));
        change(&mut tx, now, &actor, deed).await?;
        tx.commit().await?;
        let open = hours::is_open(&new, now, self.days.as_ref());
        Ok(Hall {
            set: new,
            version,
            open,
        })
    }

    /// A hall and one of its matters.
    pub(crate) async fn hall_and_matter(
        &self,
        hall: &str,
        matter: &str,
    ) -> Result<(NewHall, HallMatter), Fault> {
        let hall = self.one_hall(hall).await?.set;
        let found = hall.matters.iter().find(|m| m.code == matter).cloned();
        let found = found.ok_or_else(|| Fault::missing("matter of the hall"))?;
        Ok((hall, found))
    }

    pub(crate) async fn list_slots(
        &self,
        hall: &str,
        matter: &str,
        day: Day,
    ) -> Result<Vec<Slot>, Fault> {
        let (hall, matter) = self.hall_and_matter(hall, matter).await?;
        let slots = hours::slots(&hall, day, self.clock.now(), self.days.as_ref());
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else {
            return Ok(vec![]);
        };
        if matter.capacity == 0 {
            return Ok(vec![]);
        }
        let mut reader = self.store.reader().await?;
        let (from, to) = (first.0.0, last.1.0);
        let taken = rows::taken_between(&mut reader, &hall.code, &matter.code, from, to).await?;
        let slot = |(from, to): &(kernel::Time, kernel::Time)| {
            let gone = taken
                .iter()
                .find(|(at, _)| *at == from.0)
                .map_or(0, |t| t.1);
            let gone = u32::try_from(gone).unwrap_or(u32::MAX);
            Slot {
                from: *from,
                to: *to,
                capacity: matter.capacity,
                free: matter.capacity.saturating_sub(gone),
            }
        };
        Ok(slots.iter().map(slot).collect())
    }
}
