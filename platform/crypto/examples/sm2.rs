//! Signatures of SM2 verified a second, on two threads: by a key that comes back, as licences are,
//! and, in the same run, by the library alone, which works every multiple out anew.
//!
//!     cargo run --release -p crypto --example sm2 [seconds]

use kernel::crypto::Algorithm;
use sm2::dsa::signature::{Signer, Verifier};
use sm2::dsa::{Signature, SigningKey};
use std::time::{Duration, Instant};

const THREADS: usize = 2;
/// The identification of GM/T 0009.
const IDENTIFICATION: &str = "1234567812345678";

/// How often `verify` is done a second on all threads.
fn rate(span: Duration, verify: impl Fn() -> bool + Sync) -> f64 {
    let start = Instant::now();
    let count: u64 = std::thread::scope(|scope| {
        let count = || {
            let mut count = 0;
            while start.elapsed() < span {
                assert!(verify(), "a signature was not sound");
                count += 1;
            }
            count
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(count)).collect();
        threads.into_iter().map(|t| t.join().unwrap_or(0)).sum()
    });
    count as f64 / start.elapsed().as_secs_f64()
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|n| n.parse().ok());
    let span = Duration::from_secs(seconds.unwrap_or(5));
    let message = [b'x'; 900];
    let Ok(key) = SigningKey::from_slice(IDENTIFICATION, &[7; 32]) else {
        return;
    };
    let signature: Signature = key.sign(&message);
    let public = key.verifying_key().to_sec1_bytes();
    let bytes = signature.to_bytes();
    let ours = || crypto::verify(Algorithm::Sm2, &public[1..], &message, &bytes);
    let library = || key.verifying_key().verify(&message, &signature).is_ok();
    let (ours, library) = (rate(span, ours), rate(span, library));
    println!("SM2 signatures verified a second, {THREADS} threads, 900 bytes");
    println!("  a key that comes back  {ours:>7.0}");
    println!(
        "  the library alone      {library:>7.0}   ours {:.1} ×",
        ours / library
    );
}
