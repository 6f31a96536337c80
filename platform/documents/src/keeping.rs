//! Keeping files: judged, searched, sealed chunk by chunk, and compared with both digests when
//! they are read. A large file comes in several transactions, so that it holds nobody up; it is
//! there when the last of them is on the disk, and what broke off before is swept away.

use crate::inspect::{self, inspect, problem};
use crate::scanner::{Verdict, infected};
use crate::signing::certificates::hex;
use crate::{Engine, blocking};
use kernel::access::Actor;
use kernel::crypto::{Crypto, Ring};
use kernel::documents::{File, FileInfo, FileKind, NewFile};
use kernel::events::EventKind;
use kernel::fault::FaultKind;
use kernel::{Fault, Problem, Span, Time};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sm3::Sm3;
use store::audit::{self, AuditEntry};
use store::files::{self as rows, FileRow};
use store::{Tx, events};

/// Bytes of one chunk before it is sealed.
pub(crate) const CHUNK: usize = 256 << 10;
/// Chunks of one transaction.
const TOGETHER: usize = 4;

/// Where a chunk is sealed for: a chunk moved elsewhere does not open.
pub(crate) fn place(id: &str, n: i64, chunks: i64) -> String {
    format!("files/{id}/{n}/{chunks}")
}

/// Where the name is sealed for.
pub(crate) fn name_place(id: &str) -> String {
    format!("files/{id}/name")
}

/// What is kept of this file is not what came.
pub(crate) fn altered(id: &str, what_zh: &str, what_en: &str) -> Fault {
    tracing::error!(file = id, "{what_en}");
    Fault::new(
        FaultKind::Internal,
        "documents.altered",
        format!("文件 {id} 与收到时不符：{what_zh}"),
        format!("the file {id} is not what came: {what_en}"),
    )
}

pub(crate) fn missing() -> Fault {
    Fault::missing("file")
}

/// Is this a reference such as `draft/01J…`?
pub(crate) fn is_reference(text: &str, most: usize, parts: bool) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c) || (parts && c == '/');
    let sized = !text.is_empty() && text.len() <= most && text.chars().all(allowed);
    sized && !text.starts_with('/') && !text.ends_with('/') && !text.contains("..")
}

pub(crate) fn reference_problem(at: &str) -> Problem {
    problem(
        at,
        "只能由字母、数字、_ - . 组成（分段用 /），且不能为空",
        "consists of letters, digits, _ - . (parts by /) and is not empty",
    )
}

/// A file judged, with its digests.
pub(crate) struct Judged {
    pub(crate) kind: FileKind,
    pub(crate) pages: Option<u32>,
    pub(crate) name: String,
    pub(crate) sha256: String,
    pub(crate) sm3: String,
}

/// Adds the digests.
pub(crate) fn digests(bytes: &[u8]) -> (String, String) {
    (hex(&Sha256::digest(bytes)), hex(&Sm3::digest(bytes)))
}

/// The entry of the audit log; nothing personal but the pseudonym.
pub(crate) fn entry(
    actor: &Actor,
    at: Time,
    verb: &str,
    object: &str,
    subject: &str,
    person: Option<&str>,
    mut details: Value,
) -> AuditEntry {
    if let Some(person) = person {
        details["records"] = json!([{ "person": person }]);
    }
    if let Some(case) = &actor.standing.case {
        details["case"] = case.clone().into();
    }
    AuditEntry {
        at,
        account: actor.account.clone(),
        verb: verb.into(),
        object: object.into(),
        subject: subject.into(),
        purpose: actor.grant.purpose.clone(),
        basis: actor.grant.basis.clone(),
        details: actor.on_behalf(details),
        outcome: "done".into(),
    }
}

async fn judge(engine: &Engine, new: NewFile) -> Result<(NewFile, Judged), Fault> {
    let mut limits = engine.settings.limits.clone();
    if !new.accept.is_empty() {
        limits.kinds.retain(|kind| new.accept.contains(kind));
    }
    if new.bytes.len() > limits.bytes {
        let mut fault = Fault::new(
            FaultKind::TooLarge,
            "input.too_large",
            "文件过大，未保存",
            "the file is too large; it was not kept",
        );
        fault.problems = vec![inspect::too_big(new.bytes.len(), limits.bytes)];
        return Err(fault);
    }
    blocking(move || {
        let mut problems = vec![];
        // What belongs to letters is written by the engine alone.
        let sound = is_reference(&new.owner, 200, true) && new.owner.len() >= 3;
        if !sound || new.owner.starts_with("letter/") {
            problems.push(reference_problem("owner"));
        }
        if !is_reference(&new.slot, 100, false) {
            problems.push(reference_problem("slot"));
        }
        match inspect(&new.name, &new.bytes, &limits) {
            Ok(found) if problems.is_empty() => {
                let (sha256, sm3) = digests(&new.bytes);
                let judged = Judged {
                    kind: found.kind,
                    pages: found.pages,
                    name: found.name,
                    sha256,
                    sm3,
                };
                Ok((new, judged))
            }
            Ok(_) => Err(Fault::invalid(problems)),
            Err(wrong) => {
                problems.extend(wrong);
                Err(Fault::invalid(problems))
            }
        }
    })
    .await?
}

/// A file on its way into the store.
pub(crate) struct Incoming {
    pub(crate) row: FileRow,
    name: String,
}

pub(crate) fn incoming(
    engine: &Engine,
    actor: &Actor,
    new: &NewFile,
    judged: Judged,
) -> Result<Incoming, Fault> {
    let now = engine.clock.now();
    let id = kernel::new_id(now);
    let seal =
        |place: &str, bytes: &[u8]| engine.crypto.seal(Ring::Secrets, place.as_bytes(), bytes);
    let row = FileRow {
        owner: new.owner.clone(),
        slot: new.slot.clone(),
        sealed_name: seal(&name_place(&id), judged.name.as_bytes())?,
        kind: judged.kind.word().into(),
        size: new.bytes.len() as i64,
        pages: judged.pages.map(i64::from),
        sha256: judged.sha256,
        sm3: judged.sm3,
        chunks: new.bytes.len().div_ceil(CHUNK) as i64,
        person: new.person.clone(),
        created_at: now.0,
        created_by: actor.account.clone(),
        handed_in: i64::from(new.handed_in),
        scanned_by: None,
        whole: 0,
        id,
    };
    Ok(Incoming {
        row,
        name: judged.name,
    })
}

/// Seals chunks for their places.
pub(crate) fn seal_chunks(
    crypto: &dyn Crypto,
    id: &str,
    from: usize,
    chunks: i64,
    bytes: &[u8],
) -> Result<Vec<(i64, Vec<u8>)>, Fault> {
    let numbered = bytes.chunks(CHUNK).enumerate();
    numbered
        .map(|(n, chunk)| {
            let n = (from + n) as i64;
            let place = place(id, n, chunks);
            Ok((n, crypto.seal(Ring::Secrets, place.as_bytes(), chunk)?))
        })
        .collect()
}

fn over(engine: &Engine, files: i64, bytes: i64) -> Option<Problem> {
    let settings = &engine.settings;
    let most = settings.files_per_owner;
    if files as u64 > most as u64 {
        return Some(problem(
            "owner",
            format!("文件数超过 {most} 个"),
            format!("more than {most} files"),
        ));
    }
    let most = settings.bytes_per_owner >> 20;
    (bytes as u64 > settings.bytes_per_owner).then(|| {
        problem(
            "owner",
            format!("文件合计超过 {most} MB"),
            format!("the files have more than {most} MB together"),
        )
    })
}

pub(crate) async fn put(engine: &Engine, actor: &Actor, new: NewFile) -> Result<FileInfo, Fault> {
    let _turn = engine.turn(&engine.uploads).await?;
    let (mut new, judged) = {
        // Looking at a file takes a core and some room.
        let _turn = engine.turn(&engine.looks).await?;
        judge(engine, new).await?
    };
    let mut scanned_by = None;
    if let Some(scanner) = &engine.scanner {
        match scanner.scan(&new.bytes).await? {
            Verdict::Clean => scanned_by = Some(scanner.name()),
            Verdict::Infected(what) => {
                note_infected(engine, actor, &new, &judged, &what).await?;
                return Err(infected(&what));
            }
        }
    }
    let mut coming = incoming(engine, actor, &new, judged)?;
    coming.row.scanned_by = scanned_by;
    let bytes = std::mem::take(&mut new.bytes);
    if let Err(fault) = write(engine, actor, &mut coming, bytes).await {
        discard(engine, &coming.row.id).await;
        return Err(fault);
    }
    info_of(&coming.row, coming.name)
}

/// Removes what was written of a file that could not be written whole; what cannot be removed now
/// is swept away later.
async fn discard(engine: &Engine, id: &str) {
    if let Ok(mut tx) = engine.store.begin().await
        && rows::remove_unfinished(&mut tx, id).await.is_ok()
    {
        let _ = tx.commit().await;
    }
}

/// That something infected came is worth knowing.
async fn note_infected(
    engine: &Engine,
    actor: &Actor,
    new: &NewFile,
    judged: &Judged,
    what: &str,
) -> Result<(), Fault> {
    let details = json!({
        "what": "infected", "found": what, "owner": new.owner, "sha256": judged.sha256,
    });
    let now = engine.clock.now();
    let mut entry = entry(actor, now, "write", "files", "", None, details);
    entry.outcome = "denied".into();
    engine.reads.note(entry).await
}

/// Writes a file, a few chunks in each transaction.
async fn write(
    engine: &Engine,
    actor: &Actor,
    coming: &mut Incoming,
    bytes: Vec<u8>,
) -> Result<(), Fault> {
    let bytes = std::sync::Arc::new(bytes);
    let together = CHUNK * TOGETHER;
    let groups = bytes.len().div_ceil(together);
    for group in 0..groups {
        let (crypto, shared) = (engine.crypto.clone(), bytes.clone());
        let (id, chunks) = (coming.row.id.clone(), coming.row.chunks);
        let sealed = blocking(move || {
            let from = group * together;
            let some = &shared[from..shared.len().min(from + together)];
            seal_chunks(crypto.as_ref(), &id, group * TOGETHER, chunks, some)
        });
        let sealed = sealed.await??;
        let last = group + 1 == groups;
        let mut tx = engine.store.begin().await?;
        if group == 0 {
            let (files, size) = rows::usage(&mut tx, &coming.row.owner).await?;
            if let Some(problem) = over(engine, files + 1, size + coming.row.size) {
                return Err(Fault::invalid(vec![problem]));
            }
            coming.row.whole = i64::from(last);
            rows::add_file(&mut tx, &coming.row).await?;
        } else if last && !rows::mark_whole(&mut tx, &coming.row.id).await? {
            // Swept away meanwhile: it took hours.
            return Err(Fault::overloaded("documents", 5));
        }
        for (n, chunk) in sealed {
            rows::add_chunk(&mut tx, &coming.row.id, n, chunk).await?;
        }
        if last {
            audit::append(&mut tx, &came(engine, actor, &coming.row)).await?;
        }
        tx.commit().await?;
    }
    coming.row.whole = 1;
    Ok(())
}

fn came(engine: &Engine, actor: &Actor, row: &FileRow) -> AuditEntry {
    let details = json!({
        "what": "put", "owner": row.owner, "slot": row.slot, "kind": row.kind,
        "size": row.size, "sha256": row.sha256, "scanned_by": row.scanned_by,
    });
    let person = row.person.as_deref();
    entry(
        actor,
        engine.clock.now(),
        "write",
        "files",
        &row.id,
        person,
        details,
    )
}

/// What is known of a file, its name opened.
fn info_of(row: &FileRow, name: String) -> Result<FileInfo, Fault> {
    let kind = FileKind::parse(&row.kind);
    Ok(FileInfo {
        kind: kind.ok_or_else(|| altered(&row.id, "类型未知", "its kind is not known"))?,
        id: row.id.clone(),
        owner: row.owner.clone(),
        slot: row.slot.clone(),
        name,
        size: row.size.unsigned_abs(),
        pages: row.pages.and_then(|n| u32::try_from(n).ok()),
        sha256: row.sha256.clone(),
        sm3: row.sm3.clone(),
        created_at: Time(row.created_at),
        created_by: row.created_by.clone(),
        handed_in: row.handed_in == 1,
        scanned_by: row.scanned_by.clone(),
    })
}

fn opened(engine: &Engine, row: &FileRow) -> Result<FileInfo, Fault> {
    let place = name_place(&row.id);
    let name = engine
        .crypto
        .open(Ring::Secrets, place.as_bytes(), &row.sealed_name);
    let name = name.ok().and_then(|name| String::from_utf8(name).ok());
    let name = name.ok_or_else(|| altered(&row.id, "名称无法解封", "its name cannot be opened"));
    info_of(row, name?)
}

/// The content of a file, compared with its digests.
pub(crate) async fn content(engine: &Engine, row: &FileRow) -> Result<Vec<u8>, Fault> {
    let size = usize::try_from(row.size).unwrap_or(0);
    let mut bytes = Vec::with_capacity(size.min(64 << 20));
    let mut reader = engine.store.reader().await?;
    for n in 0..row.chunks {
        let sealed = rows::chunk(&mut reader, &row.id, n).await?;
        let broken = || {
            let (zh, en) = (
                format!("第 {n} 段被改动或缺失"),
                format!("part {n} was altered or is missing"),
            );
            altered(&row.id, &zh, &en)
        };
        let sealed = sealed.ok_or_else(broken)?;
        let place = place(&row.id, n, row.chunks);
        let plain = engine.crypto.open(Ring::Secrets, place.as_bytes(), &sealed);
        bytes.extend(plain.map_err(|_| broken())?);
    }
    drop(reader);
    let (bytes, (sha256, sm3)) = blocking(move || {
        let found = digests(&bytes);
        (bytes, found)
    })
    .await?;
    if sha256 != row.sha256 || sm3 != row.sm3 || bytes.len() != size {
        return Err(altered(&row.id, "摘要不一致", "its digests differ"));
    }
    Ok(bytes)
}

async fn row_of(engine: &Engine, id: &str) -> Result<FileRow, Fault> {
    if !is_reference(id, 40, false) {
        return Err(missing());
    }
    let row = rows::file(&mut engine.store.reader().await?, id).await?;
    row.ok_or_else(missing)
}

pub(crate) async fn get(engine: &Engine, actor: &Actor, id: &str) -> Result<File, Fault> {
    let row = row_of(engine, id).await?;
    let bytes = content(engine, &row).await?;
    let info = opened(engine, &row)?;
    let details = json!({ "what": "get", "owner": row.owner, "slot": row.slot });
    let now = engine.clock.now();
    let person = row.person.as_deref();
    let entry = entry(actor, now, "read", "files", &row.id, person, details);
    engine.reads.note(entry).await?;
    Ok(File { info, bytes })
}

pub(crate) async fn info(engine: &Engine, id: &str) -> Result<FileInfo, Fault> {
    opened(engine, &row_of(engine, id).await?)
}

/// Files nobody handed in that came before a moment, of owners that begin so.
pub(crate) async fn loose(
    engine: &Engine,
    prefix: &str,
    before: Time,
) -> Result<Vec<FileInfo>, Fault> {
    let mut reader = engine.store.reader().await?;
    let found = rows::loose(&mut reader, prefix, before.0, rows::PAGE_LIMIT).await?;
    found.iter().map(|row| opened(engine, row)).collect()
}

pub(crate) async fn list(engine: &Engine, owner: &str) -> Result<Vec<FileInfo>, Fault> {
    let found = rows::files_of(&mut engine.store.reader().await?, owner).await?;
    found.iter().map(|row| opened(engine, row)).collect()
}

pub(crate) async fn remove(engine: &Engine, actor: &Actor, id: &str) -> Result<(), Fault> {
    let mut tx = engine.store.begin().await?;
    let row = match is_reference(id, 40, false) {
        true => rows::file(&mut tx, id).await?.ok_or_else(missing)?,
        false => return Err(missing()),
    };
    if !rows::remove_file(&mut tx, id).await? {
        return Err(Fault::new(
            FaultKind::Conflict,
            "input.conflict",
            "材料已经提交，不能删除",
            "the file was handed in and cannot be removed",
        ));
    }
    let details = json!({ "what": "remove", "owner": row.owner, "slot": row.slot });
    let now = engine.clock.now();
    let person = row.person.as_deref();
    let entry = entry(actor, now, "write", "files", id, person, details);
    audit::append(&mut tx, &entry).await?;
    tx.commit().await
}

pub(crate) async fn attach(
    engine: &Engine,
    actor: &Actor,
    from: &str,
    to: &str,
) -> Result<Vec<FileInfo>, Fault> {
    let mut problems = vec![];
    for (at, owner) in [("from", from), ("to", to)] {
        if !is_reference(owner, 200, true) || owner.starts_with("letter/") {
            problems.push(reference_problem(at));
        }
    }
    if !problems.is_empty() {
        return Err(Fault::invalid(problems));
    }
    let mut tx = engine.store.begin().await?;
    let moved = rows::attach(&mut tx, from, to).await?;
    let found = rows::files_of(&mut tx, to).await?;
    if moved > 0 {
        let now = engine.clock.now();
        let details = json!({ "what": "attach", "from": from, "files": moved });
        let entry = entry(actor, now, "write", "files", to, None, details);
        audit::append(&mut tx, &entry).await?;
        let body = json!({ "what": "handed_in", "from": from, "to": to, "files": moved });
        tell(&mut tx, now, to, &body).await?;
        tx.commit().await?;
    }
    found.iter().map(|row| opened(engine, row)).collect()
}

/// The event that tells others.
pub(crate) async fn tell(tx: &mut Tx, at: Time, about: &str, body: &Value) -> Result<(), Fault> {
    let body = body.to_string();
    events::append(tx, at, EventKind::Document, about, body.as_bytes()).await?;
    Ok(())
}

/// Removes what never became whole.
pub(crate) async fn sweep(engine: &Engine) -> Result<u64, Fault> {
    let before = (engine.clock.now() - Span::hours(1)).0;
    let mut removed = 0;
    loop {
        let mut tx = engine.store.begin().await?;
        let found = rows::unfinished(&mut tx, before, 20).await?;
        if found.is_empty() {
            return Ok(removed);
        }
        for id in found {
            removed += u64::from(rows::remove_unfinished(&mut tx, &id).await?);
        }
        tx.commit().await?;
    }
}
