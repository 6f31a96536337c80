//! Sealed files: how everything in a repository is written. A header that anybody may read, then
//! chunks of at most one MiB, each compressed and then encrypted by AEAD: AES-256-GCM, or SM4-GCM
//! in the national suite. The data key is random for each file and stands in the header, wrapped
//! by the city's keys for backups. The nonce of a chunk is its number and whether it is the last
//! (the STREAM construction), and the digest of the header is authenticated with every chunk: a
//! chunk altered, moved, left out, or a file cut short is refused, by name and place.

use crate::faults::{damaged, io_fault};
use aes_gcm::aead::{Aead, KeyInit, Payload, consts::U12};
use aes_gcm::{Aes256Gcm, AesGcm};
use kernel::Fault;
use kernel::crypto::{Crypto, Ring, Suite};
use rand::Rng;
use serde::{Deserialize, Serialize};
use sha2::Digest;
use sm4::Sm4;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// First bytes of every sealed file.
pub const MAGIC: &[u8; 8] = b"JCHBAK1\n";
/// Bytes of a chunk before compression, at most.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Bytes of a header, at most.
const HEADER_LIMIT: usize = 64 << 10;
/// Bytes of a chunk as it is in the file, at most: what does not compress grows a little.
const SEALED_LIMIT: usize = CHUNK_BYTES + (64 << 10);
/// Bits of the number of a chunk: 2^32 MiB are enough.
const NONCE_BYTES: usize = 12;
/// Compression: the fastest of zstd, which saves most of what there is to save.
const LEVEL: i32 = 1;

type Sm4Gcm = AesGcm<Sm4, U12>;

/// What opens one file.
enum Cipher {
    Aes(Box<Aes256Gcm>),
    Sm4(Box<Sm4Gcm>),
}

impl Cipher {
    fn key_bytes(suite: Suite) -> usize {
        match suite {
            Suite::International => 32,
            Suite::National => 16,
        }
    }

    fn new(suite: Suite, key: &[u8]) -> Option<Cipher> {
        Some(match suite {
            Suite::International => Cipher::Aes(Box::new(Aes256Gcm::new_from_slice(key).ok()?)),
            Suite::National => Cipher::Sm4(Box::new(Sm4Gcm::new_from_slice(key).ok()?)),
        })
    }

    fn nonce(number: u32, last: bool) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        nonce[7..11].copy_from_slice(&number.to_be_bytes());
        nonce[11] = u8::from(last);
        nonce
    }

    fn seal(&self, number: u32, last: bool, aad: &[u8], msg: &[u8]) -> Option<Vec<u8>> {
        let nonce = Cipher::nonce(number, last);
        let payload = Payload { msg, aad };
        match self {
            Cipher::Aes(cipher) => cipher.encrypt(&nonce.into(), payload),
            Cipher::Sm4(cipher) => cipher.encrypt(&nonce.into(), payload),
        }
        .ok()
    }

    fn open(&self, number: u32, last: bool, aad: &[u8], msg: &[u8]) -> Option<Vec<u8>> {
        let nonce = Cipher::nonce(number, last);
        let payload = Payload { msg, aad };
        match self {
            Cipher::Aes(cipher) => cipher.decrypt(&nonce.into(), payload),
            Cipher::Sm4(cipher) => cipher.decrypt(&nonce.into(), payload),
        }
        .ok()
    }
}

/// What is written before the chunks. The facts of a kind of file stand in `facts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// What the data key is bound to: the name of the file in its repository.
    pub name: String,
    /// Identification of the repository, empty outside one.
    pub repository: String,
    /// Suite of the algorithms.
    pub suite: Suite,
    /// The data key, wrapped, in hexadecimal.
    pub key: String,
    /// Bytes of the content; 0 when not known beforehand.
    pub bytes: u64,
    /// What the file is, for its reader.
    pub facts: serde_json::Value,
}

/// Digest of a suite: SHA-256 or SM3. A file is digested in the suite it was made in, whatever the
/// city uses today.
fn digest_of(suite: Suite, bytes: &[u8]) -> [u8; 32] {
    match suite {
        Suite::International => sha2::Sha256::digest(bytes).into(),
        Suite::National => sm3::Sm3::digest(bytes).into(),
    }
}

fn context(header: &Header) -> Vec<u8> {
    format!("backup/{}/{}", header.repository, header.name).into_bytes()
}

/// Bytes as hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| (byte as char).to_digit(16).map(|d| d as u8);
    let pair = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    digits.chunks_exact(2).map(pair).collect()
}

/// A file being written. It has its name only after [`Writer::finish`].
pub struct Writer {
    suite: Suite,
    out: BufWriter<File>,
    part: PathBuf,
    path: PathBuf,
    cipher: Cipher,
    aad: [u8; 32],
    waiting: Vec<u8>,
    number: u32,
    digests: Vec<u8>,
    written: u64,
    finished: bool,
}

impl Writer {
    /// Begins a file. The key of `header` is made here.
    pub fn create(crypto: &dyn Crypto, path: &Path, mut header: Header) -> Result<Self, Fault> {
        header.suite = crypto.suite();
        let mut key = Zeroizing::new(vec![0; Cipher::key_bytes(header.suite)]);
        rand::rng().fill_bytes(&mut key);
        header.key = hex(&crypto.seal(Ring::Backup, &context(&header), &key)?);
        let cipher = Cipher::new(header.suite, &key)
            .ok_or_else(|| Fault::internal("sealing a backup", "the length of a key"))?;
        let text = serde_json::to_vec(&header)
            .map_err(|e| Fault::internal("writing the header of a backup", e))?;
        let part = part_of(path);
        let failed = |e| io_fault(&part, e);
        let file = File::create(&part).map_err(failed)?;
        let mut out = BufWriter::with_capacity(1 << 18, file);
        let length = (text.len() as u32).to_be_bytes();
        for bytes in [&MAGIC[..], &length, &text] {
            out.write_all(bytes).map_err(failed)?;
        }
        Ok(Writer {
            suite: header.suite,
            out,
            path: path.to_owned(),
            cipher,
            aad: digest_of(header.suite, &text),
            waiting: Vec::with_capacity(CHUNK_BYTES),
            number: 0,
            digests: vec![],
            written: (MAGIC.len() + 4 + text.len()) as u64,
            finished: false,
            part,
        })
    }

    /// Adds content.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            if self.waiting.len() == CHUNK_BYTES {
                self.put(false)?;
            }
            let room = std::cmp::min(CHUNK_BYTES - self.waiting.len(), bytes.len());
            self.waiting.extend_from_slice(&bytes[..room]);
            bytes = &bytes[room..];
        }
        Ok(())
    }

    fn put(&mut self, last: bool) -> Result<(), Fault> {
        let plain = zstd::bulk::compress(&self.waiting, LEVEL)
            .map_err(|e| Fault::internal("compressing a backup", e))?;
        let sealed = self
            .cipher
            .seal(self.number, last, &self.aad, &plain)
            .ok_or_else(|| Fault::internal("sealing a backup", "the cipher refused"))?;
        self.digests.extend(digest_of(self.suite, &sealed));
        let length = (sealed.len() as u32).to_be_bytes();
        for bytes in [&length[..], &sealed] {
            self.out
                .write_all(bytes)
                .map_err(|e| io_fault(&self.part, e))?;
        }
        self.written += 4 + sealed.len() as u64;
        self.waiting.clear();
        self.number = self
            .number
            .checked_add(1)
            .ok_or_else(|| Fault::internal("sealing a backup", "too large a file"))?;
        Ok(())
    }

    /// Writes the last chunk, puts everything on the disk and only then under its name. Returns
    /// the digest of the file and its size.
    pub fn finish(mut self) -> Result<(String, u64), Fault> {
        self.put(true)?;
        let failed = |e| io_fault(&self.part, e);
        self.out.flush().map_err(failed)?;
        self.out.get_ref().sync_data().map_err(failed)?;
        std::fs::rename(&self.part, &self.path).map_err(failed)?;
        sync_folder(&self.path).map_err(failed)?;
        self.finished = true;
        Ok((digest(self.suite, &self.aad, &self.digests), self.written))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished {
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

fn digest(suite: Suite, header: &[u8], chunks: &[u8]) -> String {
    let mut all = header.to_vec();
    all.extend_from_slice(chunks);
    hex(&digest_of(suite, &all))
}

/// The name of a file while it is written.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".part-{name}"))
}

/// Puts the entry of a file in its folder on the disk.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// A sealed file being read.
pub struct Reader {
    /// Its header, believed only as far as its chunks open.
    pub header: Header,
    path: PathBuf,
    input: BufReader<File>,
    header_text: Vec<u8>,
    at: u64,
}

impl Reader {
    /// Reads the header. Links and other things that are no regular files are refused.
    pub fn open(path: &Path) -> Result<Reader, Fault> {
        let failed = |e| io_fault(path, e);
        let seen = std::fs::symlink_metadata(path).map_err(failed)?;
        if !seen.is_file() {
            return Err(damaged(path, "不是普通文件", "not a regular file"));
        }
        let file = File::open(path).map_err(failed)?;
        let mut input = BufReader::with_capacity(1 << 18, file);
        let mut begin = [0; MAGIC.len() + 4];
        read_exact(&mut input, &mut begin, path, "header")?;
        if &begin[..MAGIC.len()] != MAGIC {
            return Err(damaged(path, "不是备份文件", "not a sealed backup file"));
        }
        let length = u32::from_be_bytes([begin[8], begin[9], begin[10], begin[11]]) as usize;
        if length > HEADER_LIMIT {
            return Err(damaged(path, "文件头过大", "the header is too large"));
        }
        let mut header_text = vec![0; length];
        read_exact(&mut input, &mut header_text, path, "header")?;
        let header = serde_json::from_slice(&header_text).map_err(|e| {
            let en = format!("the header cannot be read: {e}");
            damaged(path, "文件头无法读取", &en)
        })?;
        Ok(Reader {
            header,
            path: path.to_owned(),
            input,
            at: (begin.len() + length) as u64,
            header_text,
        })
    }

    /// Opens every chunk in order and hands its content over. Returns the digest of the file.
    pub fn read(
        mut self,
        crypto: &dyn Crypto,
        mut take: impl FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<String, Fault> {
        let wrapped = unhex(&self.header.key)
            .ok_or_else(|| damaged(&self.path, "密钥栏有误", "the wrapped key is no key"))?;
        let key = Zeroizing::new(
            crypto
                .open(Ring::Backup, &context(&self.header), &wrapped)
                .map_err(|fault| crate::faults::wrong_key(&self.path, &fault))?,
        );
        let cipher = Cipher::new(self.header.suite, &key)
            .ok_or_else(|| damaged(&self.path, "密钥长度有误", "the length of the key"))?;
        let suite = self.header.suite;
        let aad = digest_of(suite, &self.header_text);
        let mut digests = vec![];
        let (mut number, mut bytes) = (0_u32, 0_u64);
        let mut sealed = self.next_chunk(number)?;
        loop {
            let Some(this) = sealed else {
                return Err(self.truncated(number));
            };
            digests.extend(digest_of(suite, &this));
            let following = self.next_chunk(number + 1)?;
            let last = following.is_none();
            let Some(plain) = cipher.open(number, last, &aad, &this) else {
                // A chunk that opens as one in the middle is the last only of a file cut short.
                if last && cipher.open(number, false, &aad, &this).is_some() {
                    return Err(self.truncated(number + 1));
                }
                return Err(self.altered(number));
            };
            let content =
                zstd::bulk::decompress(&plain, CHUNK_BYTES).map_err(|_| self.altered(number))?;
            bytes += content.len() as u64;
            take(&content)?;
            if last {
                break;
            }
            sealed = following;
            number += 1;
        }
        if self.header.bytes != 0 && self.header.bytes != bytes {
            let en = format!("{bytes} bytes instead of {}", self.header.bytes);
            return Err(damaged(&self.path, "内容长度不符", &en));
        }
        Ok(digest(suite, &aad, &digests))
    }

    /// Reads the whole content, which must not be larger than `limit`.
    pub fn read_all(self, crypto: &dyn Crypto, limit: usize) -> Result<(Vec<u8>, String), Fault> {
        let path = self.path.clone();
        let mut all = vec![];
        let digest = self.read(crypto, |bytes| {
            if all.len() + bytes.len() > limit {
                return Err(damaged(&path, "内容过大", "the content is too large"));
            }
            all.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok((all, digest))
    }

    /// The digest of the file without opening it: no key is needed.
    pub fn digest(mut self) -> Result<String, Fault> {
        let suite = self.header.suite;
        let mut digests = vec![];
        let mut number = 0;
        while let Some(sealed) = self.next_chunk(number)? {
            digests.extend(digest_of(suite, &sealed));
            number += 1;
        }
        let header = digest_of(suite, &self.header_text);
        Ok(digest(suite, &header, &digests))
    }

    /// The next chunk as it is in the file; `None` at its end.
    fn next_chunk(&mut self, number: u32) -> Result<Option<Vec<u8>>, Fault> {
        let mut length = [0; 4];
        let mut have = 0;
        while have < length.len() {
            match self.input.read(&mut length[have..]) {
                Ok(0) if have == 0 => return Ok(None),
                Ok(0) => return Err(self.truncated(number)),
                Ok(count) => have += count,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(io_fault(&self.path, e)),
            }
        }
        let length = u32::from_be_bytes(length) as usize;
        if length > SEALED_LIMIT {
            return Err(self.altered(number));
        }
        let mut sealed = vec![0; length];
        if let Err(e) = self.input.read_exact(&mut sealed) {
            return Err(match e.kind() {
                std::io::ErrorKind::UnexpectedEof => self.truncated(number),
                _ => io_fault(&self.path, e),
            });
        }
        self.at += 4 + length as u64;
        Ok(Some(sealed))
    }

    fn truncated(&self, number: u32) -> Fault {
        damaged(
            &self.path,
            &format!("第 {} 块起缺失，文件被截断", number + 1),
            &format!("cut short: chunk {} is missing", number + 1),
        )
    }

    fn altered(&self, number: u32) -> Fault {
        damaged(
            &self.path,
            &format!(
                "第 {} 块（约第 {} 字节处）被改动或移位",
                number + 1,
                self.at
            ),
            &format!(
                "chunk {} (before byte {}) was altered or moved",
                number + 1,
                self.at
            ),
        )
    }
}

fn read_exact(
    input: &mut impl Read,
    into: &mut [u8],
    path: &Path,
    what: &str,
) -> Result<(), Fault> {
    input.read_exact(into).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => damaged(
            path,
            "文件头缺失，文件被截断",
            &format!("cut short in its {what}"),
        ),
        _ => io_fault(path, e),
    })
}
