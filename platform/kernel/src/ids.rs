//! Identifiers made by us: ULIDs, 26 characters, sortable by the time they were made.

/// A new identifier made at `at`.
pub fn new_id(at: crate::Time) -> String {
    let when = std::time::UNIX_EPOCH + std::time::Duration::from_micros(at.0.max(0) as u64);
    ulid::Ulid::from_datetime(when).to_string()
}

/// The least identifier that can have been made at `at` or later.
pub fn first_id(at: crate::Time) -> String {
    ulid::Ulid::from_parts(at.0.max(0) as u64 / 1_000, 0).to_string()
}
