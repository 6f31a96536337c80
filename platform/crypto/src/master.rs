//! The master key: the one secret that is not in the store. It opens the keys of the rings and
//! nothing else.

use crate::suites;
use kernel::crypto::Suite;
use kernel::fault::{Fault, FaultKind};
use std::io::Write;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where the master key comes from.
#[derive(Clone)]
pub enum MasterSource {
    /// A file, made on the first start of a new store.
    File(PathBuf),
    /// The text itself, from the environment of the program.
    Text(Zeroizing<String>),
}

/// 256 random bits. Never printed, never logged.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// A fault about the master key.
pub(crate) fn fault(zh: impl Into<String>, en: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Internal, "crypto.master_key", zh, en)
}

impl MasterKey {
    /// A new one.
    pub fn random() -> MasterKey {
        MasterKey(Zeroizing::new(rand::random()))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<MasterKey> {
        Some(MasterKey(Zeroizing::new(bytes.try_into().ok()?)))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Tells one master key from another and reveals nothing of it.
    pub fn id(&self) -> String {
        let digest = suites::keyed(Suite::International, &self.0[..], &[b"identification"]);
        digest[..4].iter().map(|b| format!("{b:02x}")).collect()
    }

    /// From 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<MasterKey, Fault> {
        let text = text.trim();
        let wrong = || {
            fault(
                "主密钥格式有误：应为 64 位十六进制数字",
                "the master key is malformed: expected 64 hexadecimal digits",
            )
        };
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut bytes = Zeroizing::new([0; 32]);
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| wrong())?;
        }
        Ok(MasterKey(bytes))
    }

    fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(65));
        for byte in self.0.iter() {
            text.push_str(&format!("{byte:02x}"));
        }
        text.push('\n');
        text
    }

    /// Writes it to a new file that only its owner may read; an existing file is never replaced.
    pub fn write_new(&self, path: &Path) -> Result<(), Fault> {
        let failed = |e: std::io::Error| {
            let show = path.display();
            fault(
                format!("无法写入主密钥文件 {show}：{e}"),
                format!("cannot write the master key to {show}: {e}"),
            )
        };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        file.write_all(self.to_text().as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        // The name must be as durable as the key.
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = std::fs::File::open(folder.unwrap_or(Path::new("."))).map_err(failed)?;
        folder.sync_all().map_err(failed)
    }
}

impl MasterSource {
    /// Reads it; `None` when the file does not exist.
    pub fn read(&self) -> Result<Option<MasterKey>, Fault> {
        let path = match self {
            MasterSource::Text(text) => return MasterKey::parse(text).map(Some),
            MasterSource::File(path) => path,
        };
        let show = path.display();
        match std::fs::read_to_string(path).map(Zeroizing::new) {
            Ok(text) => {
                warn_if_open(path);
                MasterKey::parse(&text).map(Some)
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(fault(
                format!("无法读取主密钥文件 {show}：{e}"),
                format!("cannot read the master key from {show}: {e}"),
            )),
        }
    }

    /// Reads the key of a store that has none yet, making the file when it is absent.
    pub(crate) fn read_or_make(&self) -> Result<MasterKey, Fault> {
        if let Some(key) = self.read()? {
            return Ok(key);
        }
        let key = MasterKey::random();
        if let MasterSource::File(path) = self {
            key.write_new(path)?;
            tracing::info!(path = %path.display(), id = key.id(), "a master key was made; escrow it: jicheng keys escrow");
        }
        Ok(key)
    }

    /// For people: where it comes from.
    pub fn place(&self) -> String {
        match self {
            MasterSource::File(path) => path.display().to_string(),
            MasterSource::Text(_) => "environment".into(),
        }
    }
}

/// A key that others on the machine can read is a key they have.
fn warn_if_open(path: &Path) {
    #[cfg(unix)]
    if let Ok(about) = std::fs::metadata(path)
        && std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0
    {
        tracing::warn!(path = %path.display(), "the master key can be read by others; chmod 600 it");
    }
}
