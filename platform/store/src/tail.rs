//! The tail: the newest events in memory, so that readers at the head of the log never go to the
//! disk. A run of numbers without a gap, bounded in bytes.

use kernel::events::Event;
use std::collections::VecDeque;

/// Bytes of events kept in memory.
pub(crate) const BUDGET: usize = 32 << 20;

/// What an event costs besides its body.
const OVERHEAD: usize = 128;

pub(crate) struct Tail {
    events: VecDeque<Event>,
    bytes: usize,
    budget: usize,
    /// Number of the last committed event this process knows of.
    last: i64,
}

fn cost(event: &Event) -> usize {
    event.body.len() + event.about.len() + OVERHEAD
}

impl Tail {
    pub(crate) fn new(budget: usize) -> Tail {
        Tail {
            events: VecDeque::new(),
            bytes: 0,
            budget,
            last: 0,
        }
    }

    /// The last number known.
    pub(crate) fn last(&self) -> i64 {
        self.last
    }

    /// Forgets everything; the log now ends at `last`.
    pub(crate) fn restart(&mut self, last: i64) {
        self.events.clear();
        self.bytes = 0;
        self.last = last;
    }

    /// Adds events just committed. When numbers are missing before them (another process wrote
    /// those), what came before is forgotten: the disk has it.
    pub(crate) fn push(&mut self, events: Vec<Event>) {
        for event in events {
            if event.seq != self.last + 1 {
                self.restart(event.seq - 1);
            }
            self.last = event.seq;
            self.bytes += cost(&event);
            self.events.push_back(event);
        }
        while self.bytes > self.budget {
            let Some(oldest) = self.events.pop_front() else {
                break;
            };
            self.bytes -= cost(&oldest);
        }
    }

    /// Forgets events up to `until`, which the log no longer has.
    pub(crate) fn forget(&mut self, until: i64) {
        while let Some(oldest) = self.events.pop_front_if(|event| event.seq <= until) {
            self.bytes -= cost(&oldest);
        }
    }

    /// Events after `after` up to `limit_bytes` of bodies, at least one when there is one; `None`
    /// when they are not all in memory. Nothing after the last known number is an empty answer.
    pub(crate) fn read(&self, after: i64, limit_bytes: usize) -> Option<Vec<Event>> {
        if after >= self.last {
            return Some(vec![]);
        }
        let first = self.events.front()?.seq;
        let skip = usize::try_from(after + 1 - first).ok()?;
        let mut bytes = 0;
        let mut out = vec![];
        for event in self.events.range(skip..) {
            bytes += event.body.len();
            if !out.is_empty() && bytes > limit_bytes {
                break;
            }
            out.push(event.clone());
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Time;
    use kernel::events::EventKind;

    fn event(seq: i64, size: usize) -> Event {
        let body = vec![seq as u8; size].into();
        Event {
            seq,
            at: Time(seq),
            kind: EventKind::Record,
            about: "x".into(),
            body,
        }
    }

    fn numbers(tail: &Tail, after: i64, limit: usize) -> Option<Vec<i64>> {
        Some(tail.read(after, limit)?.iter().map(|e| e.seq).collect())
    }

    #[test]
    fn the_tail_keeps_the_newest_within_its_budget() {
        let mut tail = Tail::new(10 * (100 + 1 + OVERHEAD));
        tail.restart(4);
        tail.push((5..=20).map(|seq| event(seq, 100)).collect());
        assert_eq!(numbers(&tail, 20, 1000), Some(vec![]));
        assert_eq!(numbers(&tail, 17, 1000), Some(vec![18, 19, 20]));
        assert_eq!(numbers(&tail, 10, 250), Some(vec![11, 12]));
        assert_eq!(numbers(&tail, 10, 1), Some(vec![11]), "one at least");
        assert_eq!(numbers(&tail, 9, 1000), None, "event 10 was forgotten");
        assert_eq!(numbers(&tail, 0, 1000), None);
    }

    #[test]
    fn what_the_log_forgot_the_tail_forgets() {
        let mut tail = Tail::new(1 << 20);
        tail.push((1..=5).map(|seq| event(seq, 10)).collect());
        tail.forget(3);
        assert_eq!(numbers(&tail, 3, 1000), Some(vec![4, 5]));
        assert_eq!(numbers(&tail, 2, 1000), None);
        tail.forget(9);
        assert_eq!((tail.bytes, tail.last()), (0, 5));
    }

    #[test]
    fn a_gap_forgets_what_came_before() {
        let mut tail = Tail::new(1 << 20);
        tail.push(vec![event(1, 1), event(2, 1)]);
        tail.push(vec![event(5, 1)]);
        assert_eq!(numbers(&tail, 1, 1000), None);
        assert_eq!(numbers(&tail, 4, 1000), Some(vec![5]));
    }

    #[test]
    fn an_event_larger_than_the_budget_stays_on_disk() {
        let mut tail = Tail::new(1000);
        tail.push(vec![event(1, 5000)]);
        assert_eq!(numbers(&tail, 0, 1000), None);
        tail.push(vec![event(2, 10)]);
        assert_eq!(numbers(&tail, 1, 1000), Some(vec![2]));
        assert_eq!(tail.last(), 2);
    }
}
