//! `$filter` of SensorThings (OData).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    if let Err(words) = sensorthings::check_filter(input) {
        assert!(!words.is_empty());
    }
});
