//! The census: how many rows every table has and where the audit log stands, all at one moment.
//! Kept with an image of the store, and taken again of what was restored from it.

use super::schema;
use crate::audit::AuditHead;
use crate::sql::Run;
use crate::{Reader, Store};
use kernel::Fault;
use sea_query::{Expr, Order, Query};

/// Rows of every table, by name, and the head of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Census {
    /// Tables and their rows.
    pub tables: Vec<(String, u64)>,
    /// Head of the audit log.
    pub audit: AuditHead,
}

impl Census {
    /// Takes it as one snapshot sees it.
    pub async fn take(snapshot: &mut Reader) -> Result<Census, Fault> {
        let mut tables = vec![];
        for shape in schema::tables(snapshot).await? {
            let count = Query::select()
                .expr_as(Expr::cust("count(*)"), "rows")
                .from(shape.name.clone())
                .to_owned();
            let row = snapshot.fetch_optional(&count).await?;
            let rows = row.map_or(Ok(0), |row| row.i64("rows"))?;
            tables.push((shape.name, rows.unsigned_abs()));
        }
        let last = Query::select()
            .columns(["seq", "hash"])
            .from("audit")
            .order_by("seq", Order::Desc)
            .limit(1)
            .to_owned();
        let audit = match snapshot.fetch_optional(&last).await? {
            Some(row) => AuditHead {
                seq: row.i64("seq")?,
                hash: crate::audit::hex(&row.bytes("hash")?),
            },
            None => AuditHead {
                seq: 0,
                hash: String::new(),
            },
        };
        Ok(Census { tables, audit })
    }
}

impl Store {
    /// Takes a census now.
    pub async fn census(&self) -> Result<Census, Fault> {
        Census::take(&mut self.snapshot().await?).await
    }
}
