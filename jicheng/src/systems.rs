//! The list of systems. A folder under `systems/` that is not here, or the reverse, fails a test.

use kernel::System;

/// Every system, in order of folder name.
pub fn all() -> Vec<Box<dyn System>> {
    vec![
        Box::new(environment::Environment),
        Box::new(services::Services),
    ]
}
