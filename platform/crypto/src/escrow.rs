//! Escrow of the master key by threshold (Shamir): any `threshold` of the shares make the key
//! anew, fewer tell nothing. A share is one line of text with a checksum, to be printed once and
//! kept by one person each.
//!
//! The arithmetic is `blahaj`'s, the kept successor of `sharks` (which had a bias in its
//! coefficients, RUSTSEC-2024-0398).

use crate::master::{MasterKey, fault};
use crate::suites;
use blahaj::{Share, Sharks};
use kernel::Fault;
use kernel::crypto::Suite;
use zeroize::Zeroizing;

/// Begins every share.
const HEAD: &str = "jcshare1";
/// Shares there can be, at most.
pub const MOST: u8 = 50;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let even = text.len().is_multiple_of(2) && text.is_ascii();
    let pairs = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16));
    let bytes: Result<Vec<u8>, _> = if even { pairs.collect() } else { return None };
    bytes.ok().map(Zeroizing::new)
}

fn checksum(text: &str) -> String {
    hex(&suites::digest(Suite::International, text.as_bytes())[..4])
}

/// Splits the master key. Each share is `jcshare1-<threshold>-<key>-<share>-<checksum>`.
pub fn split(
    master: &MasterKey,
    shares: u8,
    threshold: u8,
) -> Result<Vec<Zeroizing<String>>, Fault> {
    if threshold < 2 || shares < threshold || shares > MOST {
        return Err(Fault::invalid_at(
            "threshold",
            format!("门限至少为 2，份额不少于门限，且不超过 {MOST}"),
            format!("the threshold is at least 2, the shares at least as many and at most {MOST}"),
        ));
    }
    let dealer = Sharks(threshold).dealer(master.bytes());
    let text = |share: Share| {
        let bytes = Zeroizing::new(Vec::from(&share));
        let body = Zeroizing::new(format!(
            "{HEAD}-{threshold}-{}-{}",
            master.id(),
            hex(&bytes)
        ));
        Zeroizing::new(format!("{}-{}", *body, checksum(&body)))
    };
    Ok(dealer.take(shares as usize).map(text).collect())
}

/// Puts shares together. Every share that is mistyped, of another key, or a repetition is named;
/// what comes out is checked against the identification in the shares.
pub fn combine(shares: &[impl AsRef<str>]) -> Result<MasterKey, Fault> {
    let mut problems = vec![];
    let mut taken: Vec<(u8, String, Share)> = vec![];
    for (number, text) in shares.iter().enumerate() {
        let mut wrong = |zh: &str, en: &str| {
            problems.push(kernel::Problem {
                at: format!("share {}", number + 1),
                words: kernel::Words::new(zh, en),
            });
        };
        match read(text.as_ref().trim()) {
            None => wrong("份额有误（抄写错误或不是份额）", "mistyped, or not a share"),
            Some((threshold, id, share)) => match taken.first() {
                Some((t, i, _)) if (*t, i) != (threshold, &id) => wrong(
                    "该份额属于另一个主密钥或另一次托管",
                    "this share belongs to another key or another escrow",
                ),
                _ if taken.iter().any(|(_, _, s)| s.x == share.x) => {
                    wrong("该份额重复", "this share was given twice");
                }
                _ => taken.push((threshold, id, share)),
            },
        }
    }
    if !problems.is_empty() {
        return Err(Fault::invalid(problems));
    }
    let Some((threshold, id, _)) = taken.first().map(|(t, i, _)| (*t, i.clone(), ())) else {
        return Err(Fault::invalid_at(
            "shares",
            "没有份额",
            "no share was given",
        ));
    };
    if taken.len() < threshold as usize {
        let have = taken.len();
        return Err(Fault::invalid_at(
            "shares",
            format!("份额不足：需要 {threshold} 份，只有 {have} 份"),
            format!("not enough shares: {threshold} are needed, {have} were given"),
        ));
    }
    let parts: Vec<Share> = taken.into_iter().map(|(_, _, share)| share).collect();
    let sharks = Sharks(threshold);
    let secret = sharks.recover(&parts).map(Zeroizing::new);
    let key = secret.ok().and_then(|bytes| MasterKey::from_bytes(&bytes));
    key.filter(|key| key.id() == id).ok_or_else(|| {
        fault(
            "这些份额不能合成主密钥",
            "these shares do not make the master key",
        )
    })
}

fn read(text: &str) -> Option<(u8, String, Share)> {
    let (body, check) = text.rsplit_once('-')?;
    if checksum(body) != check {
        return None;
    }
    let mut parts = body.strip_prefix(HEAD)?.strip_prefix('-')?.split('-');
    let (threshold, id, share) = (parts.next()?, parts.next()?, parts.next()?);
    let share = unhex(share)?;
    let share = Share::try_from(share.as_slice()).ok()?;
    Some((threshold.parse().ok()?, id.into(), share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_threshold_of_shares_makes_the_key_and_fewer_do_not() {
        let key = MasterKey::random();
        let shares = split(&key, 5, 3).unwrap();
        for chosen in [[0, 1, 2], [4, 2, 0], [1, 3, 4]] {
            let some: Vec<&str> = chosen.iter().map(|i| shares[*i].as_str()).collect();
            assert_eq!(combine(&some).unwrap().bytes(), key.bytes());
        }
        let two = combine(&[&*shares[0], &*shares[1]]).err().unwrap();
        assert!(two.problems[0].words.en.contains("not enough"), "{two}");
    }

    #[test]
    fn every_wrong_share_is_named() {
        let shares = split(&MasterKey::random(), 3, 2).unwrap();
        let other = split(&MasterKey::random(), 3, 2).unwrap();
        let mut mistyped = shares[1].to_string();
        let last = if mistyped.ends_with('0') { '1' } else { '0' };
        mistyped.pop();
        mistyped.push(last);
        let given = [
            shares[0].to_string(),
            mistyped,
            other[1].to_string(),
            shares[0].to_string(),
            "é-é".into(),
        ];
        let fault = combine(&given).err().unwrap();
        let at: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
        assert_eq!(at, ["share 2", "share 3", "share 4", "share 5"]);
    }

    #[test]
    fn senseless_numbers_are_refused() {
        let key = MasterKey::random();
        for (shares, threshold) in [(5, 1), (2, 3), (51, 3), (0, 0)] {
            assert!(split(&key, shares, threshold).is_err());
        }
    }
}
