//! Licences as somebody's wallet shows them (SD-JWT), before any signature was looked at.
#![no_main]

use libfuzzer_sys::fuzz_target;
use licences::sd_jwt::Document;

fuzz_target!(|input: &str| {
    if let Some(document) = Document::parse(input)
        && let Ok(claims) = document.claims()
    {
        assert!(!claims.contains_key("_sd") && !claims.contains_key("_sd_alg"));
    }
});
