//! Drawings of processes (BPMN 2.0): every fault of what is refused has its line and both languages,
//! and what is accepted is read the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    match cases::bpmn::read("f.bpmn", input) {
        Ok(model) => assert_eq!(
            format!("{model:?}"),
            format!("{:?}", cases::bpmn::read("f.bpmn", input).unwrap())
        ),
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                assert!(problem.at.starts_with("f.bpmn"), "{problem:?}");
                assert!(!problem.words.zh.is_empty() && !problem.words.en.is_empty());
            }
        }
    }
});
