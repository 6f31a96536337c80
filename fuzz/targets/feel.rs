//! Expressions (FEEL), read and evaluated within their budget.
#![no_main]

mod engine;

use kernel::decisions::Expressions;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|input: &str| {
    let context = json!({ "a": 1, "b": "x", "c": [1, 2, 3], "d": { "e": true } });
    let context = context.as_object().unwrap();
    if let Err(fault) = engine::engine().expressions().evaluate(input, context) {
        assert_ne!(fault.code, "system.internal", "{input:?}: {fault:?}");
    }
});
