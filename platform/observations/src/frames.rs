//! Frames in memory: the last accepted ones of each device and the last refused ones of all, both
//! bounded in number and bytes; nothing here waits.

use kernel::devices::Frame;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Accepted frames kept of one device.
const PER_DEVICE: usize = 200;
/// Bytes of all accepted frames.
const ACCEPTED_BYTES: usize = 20 << 20;
/// Refused frames kept in memory.
pub(crate) const REJECTED: usize = 5_000;
/// Bytes of a frame that are kept.
const RAW_BYTES: usize = 4096;
/// What a frame costs besides its texts.
const OVERHEAD: usize = 200;

/// The rings of frames and the counts of refusals.
#[derive(Default)]
pub(crate) struct Frames {
    accepted: BTreeMap<i64, Frame>,
    of_device: HashMap<String, VecDeque<i64>>,
    bytes: usize,
    rejected: VecDeque<Frame>,
    pub counts: BTreeMap<(String, String), u64>,
    /// Refused frames not yet on disk; the oldest give way.
    pub unsaved: VecDeque<Frame>,
    last: i64,
}

fn cost(frame: &Frame) -> usize {
    frame.raw.len() + 2 * frame.thing.len() + frame.peer.len() + OVERHEAD
}

/// What databases and pages can show: U+0000 as its picture.
fn showable(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{2400}")
    } else {
        text
    }
}

impl Frames {
    /// The rings as they were: refused frames oldest first, and the counts.
    pub fn load(rejected: Vec<Frame>, counts: Vec<(String, String, u64)>) -> Frames {
        Frames {
            last: rejected.last().map_or(0, |frame| frame.seq),
            rejected: rejected.into(),
            counts: counts.into_iter().map(|(g, r, n)| ((g, r), n)).collect(),
            ..Frames::default()
        }
    }

    /// Keeps a frame and numbers it.
    pub fn keep(&mut self, mut frame: Frame) {
        self.last += 1;
        frame.seq = self.last;
        if frame.raw.len() > RAW_BYTES {
            let end = (0..=RAW_BYTES)
                .rev()
                .find(|&at| frame.raw.is_char_boundary(at));
            frame.raw.truncate(end.unwrap_or(0));
        }
        frame.raw = showable(frame.raw);
        frame.thing = showable(frame.thing);
        match &frame.rejected {
            None => self.keep_accepted(frame),
            Some(reason) => {
                let key = (frame.gateway.clone(), reason.clone());
                *self.counts.entry(key).or_insert(0) += 1;
                for ring in [&mut self.rejected, &mut self.unsaved] {
                    ring.push_back(frame.clone());
                    if ring.len() > REJECTED {
                        ring.pop_front();
                    }
                }
            }
        }
    }

    fn keep_accepted(&mut self, frame: Frame) {
        let ring = self.of_device.entry(frame.thing.clone()).or_default();
        ring.push_back(frame.seq);
        let surplus = if ring.len() > PER_DEVICE {
            ring.pop_front()
        } else {
            None
        };
        self.bytes += cost(&frame);
        self.accepted.insert(frame.seq, frame);
        if let Some(gone) = surplus.and_then(|seq| self.accepted.remove(&seq)) {
            self.bytes -= cost(&gone);
        }
        while self.bytes > ACCEPTED_BYTES {
            let Some((_, gone)) = self.accepted.pop_first() else {
                return;
            };
            self.bytes -= cost(&gone);
            if let Some(ring) = self.of_device.get_mut(&gone.thing) {
                ring.pop_front();
                if ring.is_empty() {
                    self.of_device.remove(&gone.thing);
                }
            }
        }
    }

    /// Frames newest first: of one device, refused ones only, of one reason.
    pub fn list(
        &self,
        thing: Option<&str>,
        rejected_only: bool,
        reason: Option<&str>,
        limit: usize,
    ) -> Vec<Frame> {
        let of_reason = |f: &&Frame| reason.is_none_or(|r| f.rejected.as_deref() == Some(r));
        let of_thing = |f: &&Frame| thing.is_none_or(|t| f.thing == t);
        let rejected = self
            .rejected
            .iter()
            .rev()
            .filter(of_thing)
            .filter(of_reason)
            .take(limit);
        let mut found: Vec<&Frame> = rejected.collect();
        if !rejected_only && reason.is_none() {
            match thing {
                Some(thing) => {
                    let seqs = self
                        .of_device
                        .get(thing)
                        .into_iter()
                        .flatten()
                        .rev()
                        .take(limit);
                    found.extend(seqs.filter_map(|seq| self.accepted.get(seq)));
                }
                None => found.extend(self.accepted.values().rev().take(limit)),
            }
        }
        found.sort_by_key(|frame| -frame.seq);
        found.truncate(limit);
        found.into_iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(thing: &str, rejected: Option<&str>, raw: &str) -> Frame {
        let rejected = rejected.map(String::from);
        let (gateway, peer) = ("hj212".into(), "1.2.3.4:5".into());
        Frame {
            seq: 0,
            at: kernel::Time(0),
            gateway,
            peer,
            thing: thing.into(),
            rejected,
            raw: raw.into(),
        }
    }

    #[test]
    fn rings_are_bounded_and_newest_first() {
        let mut frames = Frames::default();
        for n in 0..300 {
            frames.keep(frame("A", None, &n.to_string()));
        }
        for n in 0..6000 {
            frames.keep(frame(
                "B",
                Some(if n % 2 == 0 { "crc" } else { "length" }),
                &n.to_string(),
            ));
        }
        assert_eq!(frames.list(Some("A"), false, None, 1000).len(), 200);
        assert_eq!(frames.list(Some("A"), false, None, 1)[0].raw, "299");
        assert_eq!(frames.list(None, true, None, 10_000).len(), 5000);
        assert_eq!(frames.list(None, true, Some("crc"), 1)[0].raw, "5998");
        assert_eq!(frames.counts[&("hj212".into(), "crc".into())], 3000);
        assert_eq!(frames.list(None, false, None, 5300).len(), 5200);
    }

    #[test]
    fn bytes_are_bounded_and_raw_is_cut() {
        let mut frames = Frames::default();
        let long = "é\0".repeat(10_000);
        for n in 0..10_000 {
            frames.keep(frame(&format!("D{n}"), None, &long));
        }
        assert!(frames.bytes <= ACCEPTED_BYTES && frames.accepted.len() > 1000);
        assert_eq!(frames.of_device.len(), frames.accepted.len());
        let kept = &frames.list(None, false, None, 1)[0];
        assert!(!kept.raw.contains('\0') && kept.raw.len() < 3 * RAW_BYTES);
    }
}
