//! Drawing: what letters and prints look like. Text is broken into lines ([`flow`]), placed on
//! pages ([`sheet`]), with a round seal ([`seal`]) and a QR code; the same input gives the same
//! bytes.

pub(crate) mod flow;
pub(crate) mod letter;
pub(crate) mod licence;
mod ofd;
mod seal;
mod shape;
mod sheet;

/// What was drawn.
pub(crate) struct Drawn {
    pub(crate) pdf: Vec<u8>,
    pub(crate) pages: u32,
    /// Page of the seal, from 0.
    pub(crate) seal_page: usize,
    /// Its place in points from the lower left: left, bottom, right, top.
    pub(crate) seal_place: [f32; 4],
}
