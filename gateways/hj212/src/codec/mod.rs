//! The codec: pure functions from bytes to frames and back. It knows no socket, no clock and no
//! store, so it can be fuzzed and timed alone.
//!
//! A stream goes through [`Splitter`] into pieces, a piece through [`decode`] into a [`Frame`],
//! a frame's CP through [`Frame::measurements`] into numbers. Everything is read by key, never by
//! position, and borrows from the buffer.

mod crc;
mod decode;
mod encode;
mod frame;
mod moment;
mod sm4;
mod split;
mod values;

pub use crc::{Check, modbus, standard};
pub use decode::{Reason, Refusal, decode};
pub use encode::{Outgoing, enclose};
pub use frame::{Attribute, Edition, Frame};
pub use moment::{format_millis, format_time, parse_time};
pub use sm4::{Key, decrypt_contents, looks_encrypted, to_text_form};
pub use split::{Envelope, Piece, Splitter};
pub use values::{Measurement, Suffix, Tally, parse_number};
