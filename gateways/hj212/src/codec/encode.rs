//! From fields to bytes: what the platform sends, and what the simulated stations send.

use super::crc::Check;
use super::frame::Edition;

/// A message to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing<'a> {
    /// Request number, 17 digits.
    pub qn: &'a str,
    /// System code.
    pub st: &'a str,
    /// Command.
    pub cn: u16,
    /// Password, empty to leave it out.
    pub pw: &'a str,
    /// Device.
    pub mn: &'a str,
    /// Edition to speak.
    pub edition: Edition,
    /// Ask for an answer (bit 0 of Flag).
    pub answer: bool,
    /// Mark as back-filled (RF=1, 2025 only).
    pub back_filled: bool,
    /// Contents of CP.
    pub cp: &'a str,
    /// Check value to use.
    pub check: Check,
}

impl Outgoing<'_> {
    /// The whole frame with its line break.
    pub fn bytes(&self) -> Vec<u8> {
        let mut data = format!("QN={};ST={};CN={}", self.qn, self.st, self.cn);
        if !self.pw.is_empty() {
            data += ";PW=";
            data += self.pw;
        }
        data += ";MN=";
        data += self.mn;
        let flag = self.edition.flag_bits() | u8::from(self.answer);
        data += &format!(";Flag={flag}");
        if self.back_filled && self.edition == Edition::E2025 {
            data += ";RF=1";
        }
        data += ";CP=&&";
        data += self.cp;
        data += "&&";
        enclose(data.as_bytes(), self.check)
    }
}

/// Puts a data segment into its envelope: head, check value, line break.
pub fn enclose(data: &[u8], check: Check) -> Vec<u8> {
    let mut frame = Vec::with_capacity(data.len() + 12);
    frame.extend_from_slice(format!("##{:04}", data.len()).as_bytes());
    frame.extend_from_slice(data);
    frame.extend_from_slice(format!("{:04X}\r\n", check.of(data)).as_bytes());
    frame
}
