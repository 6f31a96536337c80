//! Order: who is called next. Pure.
//!
//! Numbers handed to a window come first there. Then appointments whose time has come, then those
//! whom the law prefers (elderly, disabled, soldiers), then everybody in the order they came, then
//! appointments whose time has not come yet. After some preferred numbers in a row one who simply
//! waits is taken in between, so that a stream of preferred visitors starves nobody.

use kernel::Time;

/// A number that waits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Waits {
    /// Handed to the window that calls.
    pub(crate) direct: bool,
    /// Begin of its appointment, microseconds.
    pub(crate) appointment_at: Option<i64>,
    /// Preferred by law.
    pub(crate) preferred: bool,
    /// Taken, microseconds.
    pub(crate) at: i64,
    /// Number within its queue: who comes first of two of one moment.
    pub(crate) seq: i64,
}

/// Class of a number, and its place within the class; the smallest is called.
fn rank(waits: &Waits, now: Time) -> (u8, i64, i64) {
    let (class, place) = match waits.appointment_at {
        _ if waits.direct => (0, waits.at),
        Some(at) if at <= now.0 => (1, at),
        Some(at) => (4, at),
        None if waits.preferred => (2, waits.at),
        None => (3, waits.at),
    };
    (class, place, waits.seq)
}

/// Which of those who wait is next; `in_row` preferred ones (appointments too) were called last.
pub(crate) fn next(
    waiting: &[Waits],
    in_row: usize,
    most_in_row: usize,
    now: Time,
) -> Option<usize> {
    let ranked = |(number, waits): (usize, &Waits)| (rank(waits, now), number);
    let all = || waiting.iter().enumerate().map(ranked);
    let first = all().min()?;
    let preferred = matches!(first.0.0, 1 | 2);
    if preferred && in_row >= most_in_row {
        let ordinary = all().filter(|(rank, _)| rank.0 == 3).min();
        return ordinary.or(Some(first)).map(|(_, number)| number);
    }
    Some(first.1)
}

/// The order they would be called in, were nobody to come, with none taken in between.
pub(crate) fn sorted(waiting: &[Waits], now: Time) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..waiting.len()).collect();
    numbers.sort_by_key(|number| rank(&waiting[*number], now));
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(text: &str, seq: i64) -> Waits {
        // `o` ordinary, `p` preferred, `a<time>` appointment, `d` handed to the window.
        Waits {
            direct: text == "d",
            appointment_at: text.strip_prefix('a').map(|at| at.parse().unwrap()),
            preferred: text == "p",
            at: 100 + seq,
            seq,
        }
    }

    fn called(those: &[&str], now: i64) -> Vec<usize> {
        let mut left: Vec<(usize, Waits)> = those
            .iter()
            .enumerate()
            .map(|(n, text)| (n, waits(text, n as i64)))
            .collect();
        let (mut order, mut in_row) = (vec![], 0);
        while !left.is_empty() {
            let only: Vec<Waits> = left.iter().map(|(_, w)| w.clone()).collect();
            let place = next(&only, in_row, 3, Time(now)).unwrap();
            let (number, waits) = left.remove(place);
            let preferred = waits.preferred || waits.appointment_at.is_some();
            in_row = if preferred { in_row + 1 } else { 0 };
            order.push(number);
        }
        order
    }

    #[test]
    fn appointments_at_their_time_then_the_preferred_then_in_order() {
        assert_eq!(called(&["o", "o", "p", "a50"], 1000), [3, 2, 0, 1]);
        // Not yet their time: after those who wait.
        assert_eq!(called(&["a5000", "o", "a4000"], 1000), [1, 2, 0]);
        assert_eq!(called(&["a60", "a50"], 1000), [1, 0]);
        assert_eq!(called(&["o", "a50", "d"], 1000), [2, 1, 0]);
    }

    #[test]
    fn a_stream_of_preferred_starves_nobody() {
        let order = called(&["o", "p", "p", "p", "p", "p", "p", "o"], 1000);
        assert_eq!(order, [1, 2, 3, 0, 4, 5, 6, 7]);
        let order = called(&["p", "a10", "p", "p", "o"], 1000);
        assert_eq!(order, [1, 0, 2, 4, 3]);
    }

    #[test]
    fn nobody_waits_nobody_is_called() {
        assert_eq!(next(&[], 0, 3, Time(0)), None);
    }
}
