//! Templates of letters, which officials write.
#![no_main]

use documents::template::Template;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    if let Err(problems) = Template::parse("receipt", input) {
        assert!(!problems.is_empty());
    }
});
