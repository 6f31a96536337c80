//! Archives: one file sealed as a whole, such as the portable archive of the store. The city's
//! keys, wrapped by its master key, travel in its header.

use crate::faults::io_fault;
use crate::sealed::{Header, MAGIC, Reader, Writer};
use kernel::Fault;
use kernel::crypto::{Crypto, Suite};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

const NAME: &str = "archive";

/// Is this file sealed?
pub fn is_sealed(path: &Path) -> bool {
    let mut begin = [0; MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && &begin == MAGIC
}

/// Seals a file into another; the first is left as it is.
pub fn seal(
    crypto: &dyn Crypto,
    keys: &serde_json::Value,
    from: &Path,
    to: &Path,
) -> Result<u64, Fault> {
    let failed = |e| io_fault(from, e);
    let mut file = File::open(from).map_err(failed)?;
    let header = Header {
        name: NAME.into(),
        repository: String::new(),
        suite: Suite::International,
        key: String::new(),
        bytes: file.metadata().map_err(failed)?.len(),
        facts: keys.clone(),
    };
    let mut writer = Writer::create(crypto, to, header)?;
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block).map_err(failed)? {
            0 => break,
            count => writer.write(&block[..count])?,
        }
    }
    writer.finish().map(|(_, bytes)| bytes)
}

/// The wrapped keys in the header of a sealed archive.
pub fn keys(path: &Path) -> Result<serde_json::Value, Fault> {
    Ok(Reader::open(path)?.header.facts)
}

/// Opens a sealed archive into a new file, which is removed again when it does not open whole.
pub fn open(crypto: &dyn Crypto, from: &Path, to: &Path) -> Result<(), Fault> {
    let reader = Reader::open(from)?;
    let failed = |e| io_fault(to, e);
    let mut out = File::create_new(to).map_err(failed)?;
    let outcome = reader.read(crypto, |bytes| out.write_all(bytes).map_err(failed));
    if outcome.is_err() {
        let _ = std::fs::remove_file(to);
    }
    outcome.map(drop)
}
