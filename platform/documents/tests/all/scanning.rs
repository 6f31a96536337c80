//! scanning
