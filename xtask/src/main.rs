//! Chores of the workspace: generate, bless, check, new-system.
fn main() {}
