//! documents: files and letters.
