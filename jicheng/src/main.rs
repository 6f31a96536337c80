//! The program. Nothing else knows every part.
fn main() {}
