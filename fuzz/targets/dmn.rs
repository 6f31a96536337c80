//! Decision models (DMN): what is refused says why in both languages.
#![no_main]

mod engine;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    if let Err(fault) = engine::engine().build(&[input]) {
        assert!(!fault.words.zh.is_empty() && !fault.words.en.is_empty(), "{fault:?}");
        assert_ne!(fault.code, "system.internal", "{fault:?}");
    }
});
