//! Status lists (IETF draft Token Status List): the states of many licences in one signed token of
//! two bits each, so that a verifier who is offline, or does not want to tell the city what it
//! verifies, can look a licence up among 131,072 others.

use crate::{Engine, jose};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use kernel::{Fault, Span, Time};
use parking_lot::Mutex;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use store::licences as rows;

/// Licences of one list. A power of two.
pub const CAPACITY: i64 = 1 << 17;
/// Bits of one licence: 0 valid, 1 invalid, 2 suspended.
const BITS: usize = 2;
/// How long a list may be kept by those who fetch it.
const LIFE: Span = Span::hours(12);
/// After which time they should look for a newer one.
pub const TTL: Span = Span::minutes(5);
/// How long we answer the one we made, when another process may have changed something.
const KEPT: Span = Span::seconds(30);
/// Lists kept, at most.
const LISTS: usize = 64;

struct Made {
    token: String,
    at: Time,
    generation: u64,
}

/// The lists made a moment ago.
#[derive(Default)]
pub(crate) struct Lists {
    generation: AtomicU64,
    made: Mutex<BTreeMap<(i64, bool), Made>>,
}

impl Lists {
    /// Something changed: lists are made anew.
    pub(crate) fn changed(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}

/// Bits of a list, packed and compressed as the draft says: the first licence in the lowest bits
/// of the first byte, zlib, base64 for addresses.
fn pack(statuses: &[(i64, i64)]) -> Result<String, Fault> {
    let mut bytes = vec![0_u8; CAPACITY as usize * BITS / 8];
    for (index, status) in statuses {
        let bit = *index as usize * BITS;
        if let Some(byte) = bytes.get_mut(bit / 8) {
            *byte |= ((*status as u8) & 0b11) << (bit % 8);
        }
    }
    let mut encoder = ZlibEncoder::new(vec![], Compression::best());
    let written = encoder.write_all(&bytes).and_then(|()| encoder.finish());
    let packed = written.map_err(|e| Fault::internal("making a status list", e))?;
    Ok(jose::encode(packed))
}

/// The state at one place of a packed list (`lst` with its `bits`); `None` when there is no such
/// place or it is no list.
pub fn status_at(lst: &str, bits: usize, index: usize) -> Option<u8> {
    if ![1, 2, 4, 8].contains(&bits) {
        return None;
    }
    let packed = B64.decode(lst).ok()?;
    let bit = index.checked_mul(bits)?;
    let mut bytes = vec![];
    // A list of ours has 32 kB; what is longer than a megabyte is none.
    ZlibDecoder::new(packed.as_slice())
        .take(1 << 20)
        .read_to_end(&mut bytes)
        .ok()?;
    let byte = bytes.get(bit / 8)?;
    let mask = ((1_u16 << bits) - 1) as u8;
    Some((byte >> (bit % 8)) & mask)
}

impl Engine {
    /// Address of a status list; `for_wallet` for the one that is signed so that anybody can
    /// verify it.
    pub(crate) fn status_uri(&self, list: i64, for_wallet: bool) -> String {
        let last = if for_wallet { "/es256" } else { "" };
        format!("{}/licences/status/{list}{last}", self.issuer())
    }

    /// A status list as a signed token (`application/statuslist+jwt`), to be served at
    /// `<issuer>/licences/status/<list>`, and with `for_wallet` at `…/es256`.
    pub async fn status_list(&self, list: i64, for_wallet: bool) -> Result<String, Fault> {
        let now = self.clock.now();
        let generation = self.lists.generation.load(Ordering::SeqCst);
        let key = (list, for_wallet);
        if let Some(made) = self.lists.made.lock().get(&key)
            && made.generation == generation
            && (now.0 - made.at.0).abs() < KEPT.0
        {
            return Ok(made.token.clone());
        }
        let mut reader = self.store.reader().await?;
        let next = rows::next_seq(&mut reader).await?;
        if list < 0 || list > std::cmp::max(next - 1, 0) / CAPACITY {
            return Err(Fault::missing("status list"));
        }
        let statuses = rows::statuses(&mut reader, list).await?;
        let seconds = |time: Time| time.0.div_euclid(1_000_000);
        let claims = json!({
            "sub": self.status_uri(list, for_wallet),
            "iat": seconds(now),
            "exp": seconds(now + LIFE),
            "ttl": TTL.0 / 1_000_000,
            "status_list": { "bits": BITS, "lst": pack(&statuses)? },
        });
        let ring = self.document_ring(for_wallet);
        let token = jose::sign(self.crypto(), ring, "statuslist+jwt", &claims)?;
        let made = Made {
            token: token.clone(),
            at: now,
            generation,
        };
        let mut kept = self.lists.made.lock();
        if kept.len() >= LISTS {
            kept.clear();
        }
        kept.insert(key, made);
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_stand_where_the_draft_puts_them() {
        // The example of the draft (two bits, twelve places), its bytes c9 44 f9.
        let statuses = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
        let all: Vec<(i64, i64)> = (0..).zip(statuses).collect();
        let packed = pack(&all).unwrap_or_default();
        for (index, status) in all {
            assert_eq!(status_at(&packed, 2, index as usize), Some(status as u8));
        }
        let mut bytes = vec![];
        let read = ZlibDecoder::new(B64.decode(&packed).unwrap_or_default().as_slice())
            .read_to_end(&mut bytes);
        assert!(read.is_ok());
        assert_eq!(bytes.get(..3), Some(&[0xc9, 0x44, 0xf9][..]));
        assert_eq!(bytes.len(), 32_768);
        // The draft's own compressed text of them.
        let draft = "eNo76fITAAPfAgc";
        assert_eq!(status_at(draft, 2, 3), Some(3));
        assert_eq!(status_at(draft, 2, 11), Some(3));
        assert_eq!(status_at(draft, 2, 12), None);
        assert_eq!(status_at("eNo", 2, 0), None);
        assert_eq!(status_at(draft, 3, 0), None);
        assert_eq!(status_at(draft, 8, usize::MAX), None);
    }
}
