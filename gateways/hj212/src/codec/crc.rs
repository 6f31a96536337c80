//! The check value of HJ 212 (2017, appendix A): sixteen bits, polynomial A001H, but the low byte
//! of the register is discarded before each byte comes in. Many devices send the Modbus CRC
//! instead, which does not discard it; both are recognised and told apart.

use serde::{Deserialize, Serialize};

const fn table() -> [u16; 256] {
    let mut table = [0u16; 256];
    let mut i = 0;
    while i < 256 {
        let mut register = i as u16;
        let mut bit = 0;
        while bit < 8 {
            let low = register & 1;
            register >>= 1;
            if low == 1 {
                register ^= 0xA001;
            }
            bit += 1;
        }
        table[i] = register;
        i += 1;
    }
    table
}

const TABLE: [u16; 256] = table();

/// Which check value a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// As the standard says.
    #[default]
    Standard,
    /// The Modbus CRC: wrong, and frequent in the field.
    Modbus,
}

impl Check {
    /// The word shown on the device's page.
    pub fn word(self) -> &'static str {
        match self {
            Check::Standard => "standard",
            Check::Modbus => "modbus",
        }
    }

    /// The check value of `data` by this variant.
    pub fn of(self, data: &[u8]) -> u16 {
        match self {
            Check::Standard => standard(data),
            Check::Modbus => modbus(data),
        }
    }

    /// Which variant gives `sent` for `data`; the standard one is tried first.
    pub fn recognise(data: &[u8], sent: u16) -> Option<Check> {
        if standard(data) == sent {
            Some(Check::Standard)
        } else if modbus(data) == sent {
            Some(Check::Modbus)
        } else {
            None
        }
    }
}

/// The check value by the standard.
pub fn standard(data: &[u8]) -> u16 {
    data.iter().fold(0xFFFF, |register: u16, byte| {
        TABLE[usize::from((register >> 8) ^ u16::from(*byte))]
    })
}

/// The Modbus CRC.
pub fn modbus(data: &[u8]) -> u16 {
    data.iter().fold(0xFFFF, |register: u16, byte| {
        (register >> 8) ^ TABLE[usize::from((register ^ u16::from(*byte)) & 0xFF)]
    })
}

/// Four hexadecimal digits of either case.
pub(crate) fn parse_hex4(text: &[u8]) -> Option<u16> {
    if text.len() != 4 {
        return None;
    }
    text.iter().try_fold(0u16, |number, byte| {
        let digit = (*byte as char).to_digit(16)?;
        Some(number << 4 | digit as u16)
    })
}
