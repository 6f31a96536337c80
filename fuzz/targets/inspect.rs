//! Files people bring (PDF, OFD, JPEG, PNG), by content whatever their name says.
#![no_main]

use documents::inspect::{Limits, inspect, kind_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let limits = Limits::default();
    let Some(kind) = kind_of(input) else {
        assert!(inspect("a.pdf", input, &limits).is_err());
        return;
    };
    match inspect(&format!("a.{}", kind.word()), input, &limits) {
        Ok(found) => {
            assert_eq!(found.kind, kind);
            assert!(found.pages.is_none_or(|pages| pages <= limits.pages));
        }
        Err(problems) => assert!(!problems.is_empty()),
    }
});
