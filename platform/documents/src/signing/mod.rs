//! Signing: PDF advanced electronic signatures (PAdES baseline B, ETSI EN 319 142-1): a CMS
//! signature (RFC 5652) over all of the file but itself, by the city's key for letters under a
//! certificate of the office, which the city's own authority issued.

pub(crate) mod certificates;
pub(crate) mod check;
mod cms;
mod der;
pub(crate) mod pdf;
