//! Audit: who did what to what, for which purpose. Append-only, and chained: each entry carries
//! the SHA-256 of the entry before it and of itself, so that a row altered, removed or slipped in
//! by somebody with access to the database is found and named. Written in the transaction of the
//! deed itself.

use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use crate::{Store, Tx};
use kernel::{Fault, Time};
use sea_query::{ColumnDef, Expr, ExprTrait, Index, Order, Query, SelectStatement, Table};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Entries of one page, at most.
pub const PAGE_LIMIT: u64 = 1000;

const COLUMNS: [&str; 12] = [
    "seq", "at", "account", "verb", "object", "subject", "purpose", "basis", "details", "outcome",
    "previous", "hash",
];

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    let log = Migration {
        name: "audit_1",
        statements: |_| {
            let mut table = Table::create();
            table
                .table("audit")
                .col(ColumnDef::new("seq").big_integer().not_null().primary_key())
                .col(ColumnDef::new("at").big_integer().not_null());
            for name in &COLUMNS[2..10] {
                table.col(ColumnDef::new(*name).text().not_null());
            }
            table
                .col(ColumnDef::new("previous").blob().not_null())
                .col(ColumnDef::new("hash").blob().not_null());
            let index = |name, column| {
                step(
                    Index::create()
                        .name(name)
                        .table("audit")
                        .col(column)
                        .col("seq")
                        .to_owned(),
                )
            };
            vec![
                step(table),
                index("audit_by_account", "account"),
                index("audit_by_subject", "subject"),
                index("audit_by_time", "at"),
            ]
        },
    };
    // Whom an entry concerns, so that they find it. It follows from the entries and is checked
    // against them.
    let subjects = Migration {
        name: "audit_2",
        statements: |_| {
            vec![
                step(
                    Table::create()
                        .table("audit_subjects")
                        .col(ColumnDef::new("person").text().not_null())
                        .col(ColumnDef::new("seq").big_integer().not_null())
                        .primary_key(Index::create().col("person").col("seq"))
                        .to_owned(),
                ),
                step(
                    Index::create()
                        .name("audit_subjects_by_seq")
                        .table("audit_subjects")
                        .col("seq")
                        .to_owned(),
                ),
            ]
        },
    };
    vec![log, subjects]
}

/// A deed to write down.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditEntry {
    /// When (the city's clock).
    pub at: Time,
    /// Account that acted; `system` for the machine itself.
    pub account: String,
    /// Verb of [`kernel::Verb`], or a word such as `sign_in`.
    pub verb: String,
    /// Kind of thing: `observations`, `register.station`, `accounts` …
    pub object: String,
    /// The very thing: its key or identification; empty when there is none.
    pub subject: String,
    /// Purpose named in the grant.
    pub purpose: String,
    /// Legal basis named in the grant.
    pub basis: String,
    /// Anything else worth keeping.
    pub details: Value,
    /// `done`, `denied`, `failed` …
    pub outcome: String,
}

/// A deed written down.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditRow {
    /// Its number, without gaps from 1.
    pub seq: i64,
    /// The deed.
    #[serde(flatten)]
    pub entry: AuditEntry,
    /// SHA-256 of the chain up to this entry, in hexadecimal.
    pub hash: String,
}

/// Where the chain stands: kept elsewhere (printed, sent away, in a backup) it also proves that
/// no entries were cut off at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct AuditHead {
    /// Number of the last entry; 0 for an empty log.
    pub seq: i64,
    /// Its hash in hexadecimal; empty for an empty log.
    pub hash: String,
}

/// What is wrong with the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditDamage {
    /// The content of this entry is not what was written.
    Altered,
    /// The entry of this number is not there.
    Missing,
    /// The entry does not follow the one before it: it or the one before was replaced.
    Unchained,
}

/// Outcome of [`Audit::verify`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditVerdict {
    /// Entries checked, up to the damage if there is one.
    pub checked: u64,
    /// The first damaged entry by number.
    pub damage: Option<(i64, AuditDamage)>,
    /// The head that was reached.
    pub head: AuditHead,
}

/// Which entries to list. Parts combine with "and".
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only by this account.
    pub account: Option<String>,
    /// Only this verb.
    pub verb: Option<String>,
    /// Only this kind of thing.
    pub object: Option<String>,
    /// Only about this thing.
    pub subject: Option<String>,
    /// Only this outcome.
    pub outcome: Option<String>,
    /// Only at or after.
    pub from: Option<Time>,
    /// Only before.
    pub to: Option<Time>,
    /// Continue below this number (from the page before).
    pub before: Option<i64>,
    /// At most so many; 0 means the most, [`PAGE_LIMIT`].
    pub limit: u64,
}

/// The bytes that are hashed: the hash before, then every field with its length before it, so
/// that no two different entries have the same bytes.
fn canonical(previous: &[u8], seq: i64, at: i64, texts: [&str; 8]) -> Vec<u8> {
    let long: usize = texts.iter().map(|text| text.len() + 8).sum();
    let mut bytes = Vec::with_capacity(24 + previous.len() + long);
    bytes.extend((previous.len() as u64).to_be_bytes());
    bytes.extend(previous);
    bytes.extend(seq.to_be_bytes());
    bytes.extend(at.to_be_bytes());
    for text in texts {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

fn chain_hash(previous: &[u8], seq: i64, at: i64, texts: [&str; 8]) -> Vec<u8> {
    Sha256::digest(canonical(previous, seq, at, texts)).to_vec()
}

/// Rows of one statement: SQLite takes 32,766 values in one.
const ROWS_PER_STATEMENT: usize = 250;

/// Whom an entry concerns, by which name they find it: `person` of each of its `records` (a
/// pseudonym), and the party whose data were looked at. They see it in turn.
pub fn persons(verb: &str, object: &str, subject: &str, details: &Value) -> BTreeSet<String> {
    let records = details["records"].as_array().into_iter().flatten();
    let mut found: BTreeSet<String> = records
        .filter_map(|record| record["person"].as_str())
        .filter(|person| !person.is_empty())
        .map(String::from)
        .collect();
    if object == "parties" && ["read", "export"].contains(&verb) && !subject.is_empty() {
        found.insert(format!("party/{subject}"));
    }
    found
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a deed down, in the transaction of the deed, and returns its number.
pub async fn append(tx: &mut Tx, entry: &AuditEntry) -> Result<i64, Fault> {
    append_many(tx, std::slice::from_ref(entry)).await
}

/// Writes many deeds down in their order, and returns the number of the last.
pub async fn append_many(tx: &mut Tx, entries: &[AuditEntry]) -> Result<i64, Fault> {
    let (mut seq, mut previous) = match tx.heads().audit.take() {
        Some(known) => known,
        None => match tx.fetch_optional(&last_row()).await? {
            Some(row) => (row.i64("seq")?, row.bytes("hash")?),
            None => (0, vec![]),
        },
    };
    for some in entries.chunks(ROWS_PER_STATEMENT) {
        let mut statement = Query::insert();
        statement.into_table("audit").columns(COLUMNS);
        let mut subjects: Vec<(String, i64)> = vec![];
        for entry in some {
            seq += 1;
            let details = entry.details.to_string();
            let texts = [
                entry.account.as_str(),
                &entry.verb,
                &entry.object,
                &entry.subject,
                &entry.purpose,
                &entry.basis,
                &details,
                &entry.outcome,
            ];
            let hash = chain_hash(&previous, seq, entry.at.0, texts);
            let mut values = vec![Expr::val(seq), Expr::val(entry.at.0)];
            values.extend(texts.map(Expr::val));
            values.extend([Expr::val(previous), Expr::val(hash.as_slice())]);
            statement.values_panic(values);
            let concerned = persons(&entry.verb, &entry.object, &entry.subject, &entry.details);
            subjects.extend(concerned.into_iter().map(|person| (person, seq)));
            previous = hash;
        }
        tx.execute_later(&statement).await?;
        for some in subjects.chunks(ROWS_PER_STATEMENT) {
            let mut statement = Query::insert();
            statement
                .into_table("audit_subjects")
                .columns(["person", "seq"]);
            for (person, seq) in some {
                statement.values_panic([Expr::val(person.as_str()), Expr::val(*seq)]);
            }
            tx.execute_later(&statement).await?;
        }
    }
    tx.heads().audit = Some((seq, previous));
    Ok(seq)
}

fn last_row() -> SelectStatement {
    Query::select()
        .columns(["seq", "hash"])
        .from("audit")
        .order_by("seq", Order::Desc)
        .limit(1)
        .to_owned()
}

/// Names of the eight texts of a row, in their order.
pub const TEXTS: [&str; 8] = [
    "account", "verb", "object", "subject", "purpose", "basis", "details", "outcome",
];

/// A stored row as it is, before it is believed.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Its number.
    pub seq: i64,
    /// When, microseconds UTC.
    pub at: i64,
    /// The texts of [`TEXTS`]; the details as they were hashed.
    pub texts: [String; 8],
    /// Hash of the entry before.
    pub previous: Vec<u8>,
    /// Hash of this one.
    pub hash: Vec<u8>,
}

impl Stored {
    /// The bytes that are hashed: in the chain, and as a leaf of the trees.
    pub fn canonical(&self) -> Vec<u8> {
        let texts = self.texts.each_ref().map(String::as_str);
        canonical(&self.previous, self.seq, self.at, texts)
    }

    fn read(row: &SqlRow) -> Result<Stored, Fault> {
        let mut texts = <[String; 8]>::default();
        for (text, name) in texts.iter_mut().zip(&COLUMNS[2..10]) {
            *text = row.text(name)?;
        }
        Ok(Stored {
            seq: row.i64("seq")?,
            at: row.i64("at")?,
            texts,
            previous: row.bytes("previous")?,
            hash: row.bytes("hash")?,
        })
    }

    /// What is wrong with this row when the chain before it ends with `head`.
    pub fn damage(&self, seq: i64, hash: &[u8]) -> Option<(i64, AuditDamage)> {
        if self.seq != seq + 1 {
            return Some((seq + 1, AuditDamage::Missing));
        }
        let texts = self.texts.each_ref().map(String::as_str);
        if chain_hash(&self.previous, self.seq, self.at, texts) != self.hash {
            return Some((self.seq, AuditDamage::Altered));
        }
        (self.previous != hash).then_some((self.seq, AuditDamage::Unchained))
    }

    /// Whom it concerns; see [`persons`].
    pub fn persons(&self) -> BTreeSet<String> {
        let [_, verb, object, subject, _, _, details, _] = &self.texts;
        let details = serde_json::from_str(details).unwrap_or_default();
        persons(verb, object, subject, &details)
    }

    /// For reading.
    pub fn into_row(self) -> AuditRow {
        let [
            account,
            verb,
            object,
            subject,
            purpose,
            basis,
            details,
            outcome,
        ] = self.texts;
        let details = serde_json::from_str(&details).unwrap_or(Value::String(details));
        let at = Time(self.at);
        let entry = AuditEntry {
            at,
            account,
            verb,
            object,
            subject,
            purpose,
            basis,
            details,
            outcome,
        };
        AuditRow {
            seq: self.seq,
            entry,
            hash: hex(&self.hash),
        }
    }
}

/// Rows after a number, in order, at most so many.
pub async fn stored_after(run: &mut impl Run, seq: i64, limit: u64) -> Result<Vec<Stored>, Fault> {
    let page = Query::select()
        .columns(COLUMNS)
        .from("audit")
        .and_where(Expr::col("seq").gt(seq))
        .order_by("seq", Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&page).await?;
    rows.iter().map(Stored::read).collect()
}

/// Who is to see which of the entries after a number, in order of number, up to another.
pub async fn subjects_between(
    run: &mut impl Run,
    after: i64,
    up_to: i64,
) -> Result<BTreeSet<(i64, String)>, Fault> {
    let query = Query::select()
        .columns(["person", "seq"])
        .from("audit_subjects")
        .and_where(Expr::col("seq").gt(after))
        .and_where(Expr::col("seq").lte(up_to))
        .limit(PAGE_LIMIT * PAGE_LIMIT)
        .to_owned();
    let rows = run.fetch_all(&query).await?;
    rows.iter()
        .map(|row| Ok((row.i64("seq")?, row.text("person")?)))
        .collect()
}

/// The audit log of a store, for reading.
pub struct Audit(Store);

impl Audit {
    pub(crate) fn new(store: Store) -> Audit {
        Audit(store)
    }

    /// A page of entries, newest first. The next page continues with `before` set to the last
    /// number of this one.
    pub async fn list(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, Fault> {
        let mut query = Query::select();
        query
            .columns(COLUMNS)
            .from("audit")
            .order_by("seq", Order::Desc);
        let equal = [
            ("account", &filter.account),
            ("verb", &filter.verb),
            ("object", &filter.object),
            ("subject", &filter.subject),
            ("outcome", &filter.outcome),
        ];
        for (column, value) in equal {
            query.and_where_option(value.as_ref().map(|v| Expr::col(column).eq(v.as_str())));
        }
        query.and_where_option(filter.from.map(|t| Expr::col("at").gte(t.0)));
        query.and_where_option(filter.to.map(|t| Expr::col("at").lt(t.0)));
        query.and_where_option(filter.before.map(|seq| Expr::col("seq").lt(seq)));
        query.limit(match filter.limit {
            0 => PAGE_LIMIT,
            limit => std::cmp::min(limit, PAGE_LIMIT),
        });
        let rows = self.0.reader().await?.fetch_all(&query).await?;
        rows.iter()
            .map(|row| Ok(Stored::read(row)?.into_row()))
            .collect()
    }

    /// Entries that concern a person under any of their names, newest first, below the number
    /// `before`; and how many there are in all.
    pub async fn about(
        &self,
        names: &[String],
        before: Option<i64>,
        limit: u64,
    ) -> Result<(Vec<AuditRow>, u64), Fault> {
        let mut reader = self.0.reader().await?;
        let mut wanted = Query::select();
        wanted
            .distinct()
            .column("seq")
            .from("audit_subjects")
            .and_where(Expr::col("person").is_in(names.iter().map(String::as_str)))
            .and_where_option(before.map(|seq| Expr::col("seq").lt(seq)))
            .order_by("seq", Order::Desc)
            .limit(std::cmp::min(limit, PAGE_LIMIT));
        let rows = reader.fetch_all(&wanted).await?;
        let numbers: Result<Vec<i64>, Fault> = rows.iter().map(|row| row.i64("seq")).collect();
        let query = Query::select()
            .columns(COLUMNS)
            .from("audit")
            .and_where(Expr::col("seq").is_in(numbers?))
            .order_by("seq", Order::Desc)
            .limit(PAGE_LIMIT)
            .to_owned();
        let rows = reader.fetch_all(&query).await?;
        let found: Result<Vec<AuditRow>, Fault> = rows
            .iter()
            .map(|row| Ok(Stored::read(row)?.into_row()))
            .collect();
        let count = Query::select()
            .expr_as(Expr::col("seq").count_distinct(), "total")
            .from("audit_subjects")
            .and_where(Expr::col("person").is_in(names.iter().map(String::as_str)))
            .to_owned();
        let total = reader.fetch_optional(&count).await?;
        let total = total.map_or(Ok(0), |row| row.i64("total"))?;
        Ok((found?, total.unsigned_abs()))
    }

    /// Where the chain stands now.
    pub async fn head(&self) -> Result<AuditHead, Fault> {
        match self.0.reader().await?.fetch_optional(&last_row()).await? {
            Some(row) => Ok(AuditHead {
                seq: row.i64("seq")?,
                hash: hex(&row.bytes("hash")?),
            }),
            None => Ok(AuditHead {
                seq: 0,
                hash: String::new(),
            }),
        }
    }

    /// Checks the whole chain, page by page, and names the first damaged entry.
    pub async fn verify(&self) -> Result<AuditVerdict, Fault> {
        self.verify_against(&AuditHead {
            seq: 0,
            hash: String::new(),
        })
        .await
    }

    /// The same, and that the chain still goes through `anchor`, a head noted earlier: entries cut
    /// off at the end, or a chain made anew, show nowhere else.
    pub async fn verify_against(&self, anchor: &AuditHead) -> Result<AuditVerdict, Fault> {
        let mut reader = self.0.reader().await?;
        let (mut seq, mut hash) = (0, vec![]);
        let mut damage = None;
        'pages: loop {
            let rows = stored_after(&mut reader, seq, PAGE_LIMIT).await?;
            let ended = rows.is_empty();
            for stored in rows {
                damage = stored.damage(seq, &hash);
                if damage.is_none() && stored.seq == anchor.seq && hex(&stored.hash) != anchor.hash
                {
                    damage = Some((stored.seq, AuditDamage::Unchained));
                }
                if damage.is_some() {
                    break 'pages;
                }
                (seq, hash) = (stored.seq, stored.hash);
            }
            if ended {
                break;
            }
        }
        if damage.is_none() && seq < anchor.seq {
            damage = Some((seq + 1, AuditDamage::Missing));
        }
        let head = AuditHead {
            seq,
            hash: hex(&hash),
        };
        Ok(AuditVerdict {
            checked: seq as u64,
            damage,
            head,
        })
    }
}
