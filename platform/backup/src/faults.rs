//! What can go wrong with a backup, in our words.

use kernel::Fault;
use kernel::fault::FaultKind;
use std::io;
use std::path::Path;

/// A file of a repository that cannot be believed: which, where in it, and what.
pub(crate) fn damaged(path: &Path, zh: &str, en: &str) -> Fault {
    let name = path.display();
    Fault::new(
        FaultKind::Invalid,
        "backup.damaged",
        format!("备份文件无法使用：{name}：{zh}"),
        format!("{name} cannot be used: {en}"),
    )
}

/// The keys at hand do not open the file.
pub(crate) fn wrong_key(path: &Path, cause: &Fault) -> Fault {
    let name = path.display();
    Fault::new(
        FaultKind::Invalid,
        "backup.wrong_key",
        format!("现有密钥打不开备份文件：{name}（{}）", cause.words.zh),
        format!(
            "the keys at hand do not open {name}: another city's, another master key, or its header \
             was altered ({})",
            cause.words.en
        ),
    )
}

/// The repository cannot give what was asked for.
pub(crate) fn not_there(zh: impl Into<String>, en: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Missing, "backup.not_there", zh, en)
}

/// Something is where nothing may be, or somebody else is at work.
pub(crate) fn occupied(zh: impl Into<String>, en: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Conflict, "input.conflict", zh, en)
}

/// Reading or writing failed.
pub(crate) fn io_fault(path: &Path, error: io::Error) -> Fault {
    let name = path.display();
    match error.kind() {
        io::ErrorKind::StorageFull => {
            let mut fault = Fault::new(
                FaultKind::Overloaded,
                "store.disk_full",
                format!("备份目录空间已满：{name}"),
                format!("no room for the backup at {name}: {error}"),
            );
            fault.retry_after_s = Some(30);
            fault
        }
        io::ErrorKind::NotFound => not_there(
            format!("备份中缺少 {name}"),
            format!("{name} is not there: {error}"),
        ),
        _ => Fault::internal("backing up", format!("{name}: {error}")),
    }
}
