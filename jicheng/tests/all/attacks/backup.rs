//! Attacks on the backup: somebody who can write into the repository, or hands over an archive.
//! Names that lead elsewhere, links, sizes that would fill memory or disk.

use crate::program::Place;
use std::path::{Path, PathBuf};

struct Ground {
    folder: tempfile::TempDir,
    place: Place,
    repository: PathBuf,
}

/// A city that stopped, with its repository.
fn ground() -> Ground {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = folder.path().join("repository");
    let setting = format!("backup_folder={}", repository.display());
    let place = Place::new(&folder.path().join("city"), &[&setting]);
    let (done, said, fault) = place.command(&["backup", "base"]);
    assert!(done, "{said}{fault}");
    Ground {
        folder,
        place,
        repository,
    }
}

impl Ground {
    /// Tries to restore the latest; success and what was said.
    fn restore(&self, name: &str) -> (bool, String) {
        let into = self.folder.path().join(name);
        std::fs::create_dir_all(&into).expect("a folder");
        let key = self.place.data().join("master.key");
        std::fs::copy(key, into.join("master.key")).expect("the key");
        let from = self.repository.display().to_string();
        let into = into.display().to_string();
        let words = ["restore", "--from", &from, "--latest", "--into", &into];
        let (done, said, fault) = self.place.command(&words);
        (done, format!("{said}{fault}"))
    }

    fn base(&self) -> PathBuf {
        self.repository.join("bases/00000001.base")
    }
}

fn nothing_restored(ground: &Ground, name: &str) {
    let into = ground.folder.path().join(name);
    assert!(!into.join("jicheng.db").exists(), "{name}");
}

/// The header of a sealed file rewritten, its chunks left.
fn rewrite_header(file: &Path, change: impl Fn(&mut serde_json::Value)) {
    let bytes = std::fs::read(file).expect("the file");
    let length = u32::from_be_bytes(bytes[8..12].try_into().expect("a length")) as usize;
    let mut header = serde_json::from_slice(&bytes[12..12 + length]).expect("a header");
    change(&mut header);
    let text = serde_json::to_vec(&header).expect("a header");
    let mut new = bytes[..8].to_vec();
    new.extend((text.len() as u32).to_be_bytes());
    new.extend(text);
    new.extend(&bytes[12 + length..]);
    std::fs::write(file, new).expect("the file");
}

#[test]
fn links_in_a_repository_are_not_followed() {
    let ground = ground();
    let base = ground.base();
    let away = ground.folder.path().join("away.base");
    std::fs::rename(&base, &away).expect("moved");
    std::os::unix::fs::symlink(&away, &base).expect("a link");
    let (done, said) = ground.restore("link");
    assert!(!done && said.contains("not a regular file"), "{said}");
    nothing_restored(&ground, "link");
    // A folder that is a link.
    std::fs::remove_file(&base).expect("the link");
    std::fs::rename(&away, &base).expect("back");
    let (folder, elsewhere) = (
        ground.repository.join("bases"),
        ground.folder.path().join("elsewhere"),
    );
    std::fs::rename(&folder, &elsewhere).expect("moved");
    std::os::unix::fs::symlink(&elsewhere, &folder).expect("a link");
    let (done, said) = ground.restore("folder");
    assert!(!done && said.contains("instead of a folder"), "{said}");
    nothing_restored(&ground, "folder");
    // The plain files.
    std::fs::remove_file(&folder).expect("the link");
    std::fs::rename(&elsewhere, &folder).expect("back");
    let keys = ground.repository.join("keys.json");
    std::fs::remove_file(&keys).expect("the keys");
    std::os::unix::fs::symlink("/dev/zero", &keys).expect("a link");
    let (done, said) = ground.restore("keys");
    assert!(!done && said.contains("keys.json"), "{said}");
    nothing_restored(&ground, "keys");
}

#[test]
fn names_that_lead_elsewhere_lead_nowhere() {
    let ground = ground();
    let outside = ground.folder.path().join("outside");
    std::fs::write(&outside, b"x").expect("a file");
    // A header cannot say where anything is written or read: names are made of numbers.
    rewrite_header(&ground.base(), |header| {
        header["name"] = "base/../../../outside".into();
    });
    let (done, said) = ground.restore("name");
    assert!(!done && said.contains("backup.damaged"), "{said}");
    nothing_restored(&ground, "name");
    assert_eq!(std::fs::read(&outside).expect("the file"), b"x");
    // Strange names in its folders are no backups.
    let ground = self::ground();
    for name in [
        "..base",
        "-1.base",
        "1e3.base",
        "00000002.base.exe",
        "2.base",
        "٣.base",
    ] {
        std::fs::write(ground.repository.join("bases").join(name), b"JCHBAK1\n").expect("a file");
    }
    let (done, said) = ground.restore("strange");
    assert!(done, "{said}");
}

#[test]
fn sizes_that_would_fill_memory_or_disk_are_refused() {
    let ground = ground();
    let whole = std::fs::read(ground.base()).expect("the base");
    let length = u32::from_be_bytes(whole[8..12].try_into().expect("a length")) as usize;
    let attempt = |bytes: &[u8], name: &str| {
        std::fs::write(ground.base(), bytes).expect("the base");
        let (done, said) = ground.restore(name);
        assert!(!done && said.contains("backup.damaged"), "{name}: {said}");
        nothing_restored(&ground, name);
    };
    // A header of four GiB; a chunk of four GiB.
    let mut bytes = whole.clone();
    bytes[8..12].copy_from_slice(&[0xff; 4]);
    attempt(&bytes, "header");
    let mut bytes = whole.clone();
    bytes[12 + length..16 + length].copy_from_slice(&[0xff; 4]);
    attempt(&bytes, "chunk");
    // A content that says it is another length.
    std::fs::write(ground.base(), &whole).expect("the base");
    rewrite_header(&ground.base(), |header| {
        header["bytes"] = (1_u64 << 60).into()
    });
    let altered = std::fs::read(ground.base()).expect("the base");
    attempt(&altered, "bytes");
    // A plain file of many megabytes.
    std::fs::write(ground.base(), &whole).expect("the base");
    let keys = ground.repository.join("keys.json");
    let kept = std::fs::read(&keys).expect("the keys");
    std::fs::write(&keys, vec![b' '; 5 << 20]).expect("the keys");
    let (done, said) = ground.restore("keys");
    assert!(!done && said.contains("keys.json"), "{said}");
    std::fs::write(&keys, kept).expect("the keys");
    let (done, said) = ground.restore("whole");
    assert!(done, "{said}");
}

#[test]
fn an_archive_from_elsewhere_is_refused() {
    let ground = ground();
    let other = Place::new(&ground.folder.path().join("other"), &[]);
    let file = ground.folder.path().join("archive");
    let name = file.display().to_string();
    let (done, said, fault) = other.command(&["backup", &name]);
    assert!(done, "{said}{fault}");
    let copy = Place::bare(&ground.folder.path().join("copy"), &[]);
    std::fs::create_dir_all(copy.data()).expect("a folder");
    copy.take_master_key_of(&ground.place);
    let (done, _, fault) = copy.command(&["restore", &name]);
    assert!(!done && fault.contains("crypto.master_key"), "{fault}");
    // Not even a backup.
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("text", b"not a database"),
        ("magic", b"JCHBAK1\n"),
    ] {
        let file = ground.folder.path().join(name);
        std::fs::write(&file, bytes).expect("a file");
        let (done, _, fault) = copy.command(&["restore", &file.display().to_string()]);
        assert!(!done && !fault.contains("panicked"), "{name}: {fault}");
        assert!(!copy.data().join("jicheng.db").exists(), "{name}");
    }
}
