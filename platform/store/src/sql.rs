//! Statements and rows: one code path over two databases. A statement is built with sea-query
//! and spoken in the dialect of the connection it runs on; a row is read by column name. Only four
//! types cross this door, so that both databases mean the same: 64-bit integers (`bigint`), double
//! precision, text and bytes. Times are integers (microseconds), truth is 0 or 1, JSON is text.

use crate::transaction::Connection;
use crate::{faults, limits};
use futures::StreamExt;
use futures::stream::BoxStream;
use kernel::Fault;
use sea_query::{
    DeleteStatement, IndexCreateStatement, IndexDropStatement, InsertStatement, OptionEnum,
    PostgresQueryBuilder, QueryStatementWriter, SchemaStatementBuilder, SelectStatement,
    SqliteQueryBuilder, TableAlterStatement, TableCreateStatement, TableDropStatement,
    TableRenameStatement, UpdateStatement, Value, WithQuery,
};
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Decode, Row};

/// Which database a store lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite, one file, embedded profile.
    Sqlite,
    /// PostgreSQL, city profile.
    Postgres,
}

/// Anything sea-query can build, spoken in the dialect of a database.
pub trait Statement: Send + Sync {
    /// The text with placeholders, and the values for them in order.
    fn build(&self, backend: Backend) -> (String, Vec<Value>);
}

macro_rules! statements {
    (queries $($query:ty),+; schema $($schema:ty),+) => {
        $(impl Statement for $query {
            fn build(&self, backend: Backend) -> (String, Vec<Value>) {
                match backend {
                    Backend::Sqlite => {
                        let built = QueryStatementWriter::build(self, SqliteQueryBuilder);
                        limits::spelt_out(built.0, built.1.0)
                    }
                    Backend::Postgres => {
                        let built = QueryStatementWriter::build(self, PostgresQueryBuilder);
                        (built.0, built.1.0)
                    }
                }
            }
        })+
        $(impl Statement for $schema {
            fn build(&self, backend: Backend) -> (String, Vec<Value>) {
                let text = match backend {
                    Backend::Sqlite => SchemaStatementBuilder::build(self, SqliteQueryBuilder),
                    Backend::Postgres => SchemaStatementBuilder::build(self, PostgresQueryBuilder),
                };
                (text, vec![])
            }
        })+
    };
}

statements!(
    queries SelectStatement, InsertStatement, UpdateStatement, DeleteStatement, WithQuery;
    schema TableCreateStatement, TableAlterStatement, TableDropStatement, TableRenameStatement,
        IndexCreateStatement, IndexDropStatement
);

impl Statement for Box<dyn Statement> {
    fn build(&self, backend: Backend) -> (String, Vec<Value>) {
        (**self).build(backend)
    }
}

/// A statement sea-query has no words for (`VACUUM INTO`, advisory locks, storage settings). Its
/// text must come from this crate, never from outside.
pub(crate) struct Plain(pub(crate) &'static str);

impl Statement for Plain {
    fn build(&self, _: Backend) -> (String, Vec<Value>) {
        (self.0.to_owned(), vec![])
    }
}

/// The connection a statement runs on.
#[doc(hidden)]
pub enum Link<'a> {
    /// A connection to SQLite.
    Sqlite(&'a mut SqliteConnection),
    /// A connection to PostgreSQL.
    Postgres(&'a mut PgConnection),
}

impl Link<'_> {
    fn backend(&self) -> Backend {
        match self {
            Link::Sqlite(_) => Backend::Sqlite,
            Link::Postgres(_) => Backend::Postgres,
        }
    }
}

/// Runs statements: a write transaction ([`crate::Tx`]) or a read connection ([`crate::Reader`]).
pub trait Run: Send {
    /// The connection.
    #[doc(hidden)]
    fn link(&mut self) -> Link<'_>;

    /// What is to be said before the next statement, in one breath with it.
    #[doc(hidden)]
    fn owed(&mut self) -> Option<Owed> {
        None
    }

    /// Called when a statement was answered to its end.
    #[doc(hidden)]
    fn answered(&mut self) {}

    /// Called when a statement failed: a write transaction then refuses to commit, because
    /// PostgreSQL would roll it back while SQLite would keep what came before.
    #[doc(hidden)]
    fn failed(&mut self, _: &Fault) {}

    /// Which database it speaks to.
    fn backend(&mut self) -> Backend {
        self.link().backend()
    }

    /// Runs a statement and says how many rows it touched.
    fn execute(
        &mut self,
        statement: &impl Statement,
    ) -> impl Future<Output = Result<u64, Fault>> + Send
    where
        Self: Sized,
    {
        async move {
            let outcome = execute(self, statement).await;
            ended(self, outcome)
        }
    }

    /// Runs a statement and returns every row. The statement must carry a limit of its own.
    fn fetch_all(
        &mut self,
        statement: &impl Statement,
    ) -> impl Future<Output = Result<Vec<SqlRow>, Fault>> + Send
    where
        Self: Sized,
    {
        async move {
            let outcome = fetch_all(self, statement).await;
            ended(self, outcome)
        }
    }

    /// Runs a statement and returns its first row, if there is one.
    fn fetch_optional(
        &mut self,
        statement: &impl Statement,
    ) -> impl Future<Output = Result<Option<SqlRow>, Fault>> + Send
    where
        Self: Sized,
    {
        async move {
            let outcome = fetch_optional(self, statement).await;
            ended(self, outcome)
        }
    }
}

/// Tells the connection how its statement ended.
fn ended<T>(run: &mut impl Run, outcome: Result<T, Fault>) -> Result<T, Fault> {
    match &outcome {
        Ok(_) => run.answered(),
        Err(fault) => run.failed(fault),
    }
    outcome
}

/// Statements that were put off: they are said with the one that follows, so that the thread which
/// speaks to SQLite is woken once for all of them. PostgreSQL takes one statement at a time, and
/// nothing is put off.
#[doc(hidden)]
#[derive(Default)]
pub struct Owed {
    text: String,
    values: Vec<Portable>,
}

impl Owed {
    /// Characters and values that are put off, about: SQLite takes a million characters at once.
    const LONG: (usize, usize) = (32 << 10, 1000);

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn is_long(&self) -> bool {
        let blob = |value: &Portable| match value {
            Portable::Bytes(Some(bytes)) => bytes.len(),
            Portable::Text(Some(text)) => text.len(),
            _ => 0,
        };
        let (text, values) = Owed::LONG;
        let bytes: usize = self.values.iter().map(blob).sum();
        self.text.len() > text || self.values.len() > values || bytes > LONG_BYTES
    }

    /// Adds a statement that has no values.
    pub(crate) fn say(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push_str("; ");
        }
        self.text.push_str(text);
    }

    /// Adds a statement, judged already: what is wrong with it is known before it is put off.
    pub(crate) fn add(&mut self, statement: &impl Statement) -> Result<(), Fault> {
        let (text, values) = statement.build(Backend::Sqlite);
        let values = portables(values)?;
        self.say(&text);
        self.values.extend(values);
        Ok(())
    }

    pub(crate) fn append(&mut self, other: Owed) {
        self.say(&other.text);
        self.values.extend(other.values);
    }
}

/// Bytes of values that are put off.
const LONG_BYTES: usize = 1 << 20;

/// A statement ready to be said.
struct Spoken {
    text: String,
    values: Vec<Portable>,
    /// What it does, for the message of a fault.
    doing: String,
    /// Others are said before it.
    follows: bool,
}

impl Spoken {
    /// Judges the statement before it takes what is owed: a refused one leaves that as it was.
    fn new(run: &mut impl Run, statement: &impl Statement) -> Result<Spoken, Fault> {
        let (text, values) = statement.build(run.backend());
        let values = portables(values)?;
        let doing = first_words(&text);
        let owed = run.owed().filter(|owed| !owed.is_empty());
        Ok(match owed {
            None => Spoken {
                text,
                values,
                doing,
                follows: false,
            },
            Some(mut owed) => {
                owed.append(Owed { text, values });
                Spoken {
                    text: owed.text,
                    values: owed.values,
                    doing,
                    follows: true,
                }
            }
        })
    }
}

/// Says what is owed by itself.
pub(crate) async fn pay(run: &mut impl Run) -> Result<(), Fault> {
    let Some(owed) = run.owed().filter(|owed| !owed.is_empty()) else {
        return Ok(());
    };
    let doing = first_words(&owed.text);
    let Link::Sqlite(connection) = run.link() else {
        return Err(Fault::internal(&doing, "nothing is put off here"));
    };
    let query = sqlx::query_with(AssertSqlSafe(owed.text), sqlite_arguments(owed.values)?);
    let outcome = query.execute(connection).await;
    let outcome = outcome.map_err(|e| faults::from_sqlx(&doing, e));
    ended(run, outcome.map(drop))
}

/// Runs a statement after what is owed.
pub(crate) async fn execute_after(
    connection: &mut Connection,
    owed: Owed,
    statement: &Plain,
) -> Result<(), Fault> {
    let mut run = Owing {
        connection,
        owed: Some(owed),
    };
    let outcome = execute(&mut run, statement).await;
    ended(&mut run, outcome.map(drop))
}

/// A connection before which something is to be said.
struct Owing<'a> {
    connection: &'a mut Connection,
    owed: Option<Owed>,
}

impl Run for Owing<'_> {
    fn link(&mut self) -> Link<'_> {
        self.connection.link()
    }
    fn owed(&mut self) -> Option<Owed> {
        self.owed.take()
    }
    fn answered(&mut self) {
        self.connection.answered();
    }
}

/// Runs a query: `$call` is a method of sqlx's query, `$map` turns what it yields into ours.
macro_rules! on_link {
    ($run:expr, $spoken:expr, $call:ident, $sqlite:expr, $postgres:expr) => {{
        let spoken = $spoken;
        match $run.link() {
            Link::Sqlite(connection) => {
                let arguments = sqlite_arguments(spoken.values)?;
                let query = sqlx::query_with(AssertSqlSafe(spoken.text), arguments);
                let outcome = query.$call(connection).await;
                outcome
                    .map($sqlite)
                    .map_err(|e| faults::from_sqlx(&spoken.doing, e))
            }
            Link::Postgres(connection) => {
                let arguments = postgres_arguments(spoken.values)?;
                let query = sqlx::query_with(AssertSqlSafe(spoken.text), arguments);
                let outcome = query.$call(connection).await;
                outcome
                    .map($postgres)
                    .map_err(|e| faults::from_sqlx(&spoken.doing, e))
            }
        }
    }};
}

async fn execute(run: &mut impl Run, statement: &impl Statement) -> Result<u64, Fault> {
    let spoken = Spoken::new(run, statement)?;
    if spoken.follows {
        return execute_last(run, spoken).await;
    }
    on_link!(run, spoken, execute, |done| done.rows_affected(), |done| {
        done.rows_affected()
    })
}

/// Runs several and says how many rows the last of them touched.
async fn execute_last(run: &mut impl Run, spoken: Spoken) -> Result<u64, Fault> {
    let Link::Sqlite(connection) = run.link() else {
        return Err(Fault::internal(&spoken.doing, "nothing is put off here"));
    };
    let arguments = sqlite_arguments(spoken.values)?;
    let query = sqlx::query_with(AssertSqlSafe(spoken.text), arguments);
    let mut answers = sqlx::Executor::fetch_many(connection, query);
    let mut touched = 0;
    while let Some(answer) = answers.next().await {
        let answer = answer.map_err(|e| faults::from_sqlx(&spoken.doing, e))?;
        if let Some(done) = answer.left() {
            touched = done.rows_affected();
        }
    }
    Ok(touched)
}

async fn fetch_all(run: &mut impl Run, statement: &impl Statement) -> Result<Vec<SqlRow>, Fault> {
    let spoken = Spoken::new(run, statement)?;
    on_link!(
        run,
        spoken,
        fetch_all,
        |rows| rows.into_iter().map(SqlRow::Sqlite).collect(),
        |rows| rows.into_iter().map(SqlRow::Postgres).collect()
    )
}

async fn fetch_optional(
    run: &mut impl Run,
    statement: &impl Statement,
) -> Result<Option<SqlRow>, Fault> {
    let spoken = Spoken::new(run, statement)?;
    on_link!(
        run,
        spoken,
        fetch_optional,
        |row| row.map(SqlRow::Sqlite),
        |row| row.map(SqlRow::Postgres)
    )
}

/// Rows one after the other, for answers of any size.
pub(crate) fn stream<'a>(
    link: Link<'a>,
    statement: &impl Statement,
) -> Result<BoxStream<'a, Result<SqlRow, Fault>>, Fault> {
    let (text, values) = statement.build(link.backend());
    let (doing, values) = (first_words(&text), portables(values)?);
    Ok(match link {
        Link::Sqlite(connection) => {
            sqlx::query_with(AssertSqlSafe(text), sqlite_arguments(values)?)
                .fetch(connection)
                .map(move |row| {
                    row.map(SqlRow::Sqlite)
                        .map_err(|e| faults::from_sqlx(&doing, e))
                })
                .boxed()
        }
        Link::Postgres(connection) => {
            sqlx::query_with(AssertSqlSafe(text), postgres_arguments(values)?)
                .fetch(connection)
                .map(move |row| {
                    row.map(SqlRow::Postgres)
                        .map_err(|e| faults::from_sqlx(&doing, e))
                })
                .boxed()
        }
    })
}

/// What a statement does, for the message of a fault: its first words, no values.
fn first_words(text: &str) -> String {
    text.chars().take(60).collect()
}

/// A sea-query value in one of the four types that cross the door.
#[doc(hidden)]
pub enum Portable {
    Integer(Option<i64>),
    Double(Option<f64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

/// PostgreSQL cannot hold U+0000 in text and SQLite can: neither gets it.
fn portables(values: Vec<Value>) -> Result<Vec<Portable>, Fault> {
    let zero = |value: &Value| matches!(value, Value::String(Some(text)) if text.contains('\0'));
    if values.iter().any(zero) {
        return Err(Fault::invalid_at(
            "text",
            "文本中不能含有空字符（U+0000）",
            "text must not contain U+0000",
        ));
    }
    values.into_iter().map(portable).collect()
}

fn portable(value: Value) -> Result<Portable, Fault> {
    Ok(match value {
        Value::Bool(v) => Portable::Integer(v.map(i64::from)),
        Value::TinyInt(v) => Portable::Integer(v.map(i64::from)),
        Value::SmallInt(v) => Portable::Integer(v.map(i64::from)),
        Value::Int(v) => Portable::Integer(v.map(i64::from)),
        Value::BigInt(v) => Portable::Integer(v),
        Value::TinyUnsigned(v) => Portable::Integer(v.map(i64::from)),
        Value::SmallUnsigned(v) => Portable::Integer(v.map(i64::from)),
        Value::Unsigned(v) => Portable::Integer(v.map(i64::from)),
        Value::BigUnsigned(v) => {
            let fits = v.map(i64::try_from).transpose();
            Portable::Integer(fits.map_err(|e| Fault::internal("binding a number", e))?)
        }
        Value::Float(v) => Portable::Double(v.map(f64::from)),
        Value::Double(v) => Portable::Double(v),
        Value::String(v) => Portable::Text(v),
        Value::Char(v) => Portable::Text(v.map(String::from)),
        Value::Enum(OptionEnum::Some(v)) => Portable::Text(Some(v.value.into_owned())),
        Value::Enum(OptionEnum::None(_)) => Portable::Text(None),
        Value::Bytes(v) => Portable::Bytes(v),
    })
}

fn sqlite_arguments(values: Vec<Portable>) -> Result<SqliteArguments, Fault> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        let added = match value {
            Portable::Integer(v) => arguments.add(v),
            Portable::Double(v) => arguments.add(v),
            Portable::Text(v) => arguments.add(v),
            Portable::Bytes(v) => arguments.add(v),
        };
        added.map_err(|e| Fault::internal("binding a value", e))?;
    }
    Ok(arguments)
}

fn postgres_arguments(values: Vec<Portable>) -> Result<PgArguments, Fault> {
    let mut arguments = PgArguments::default();
    arguments.reserve(values.len(), values.len() * 16);
    for value in values {
        let added = match value {
            Portable::Integer(v) => arguments.add(v),
            Portable::Double(v) => arguments.add(v),
            Portable::Text(v) => arguments.add(v),
            Portable::Bytes(v) => arguments.add(v),
        };
        added.map_err(|e| Fault::internal("binding a value", e))?;
    }
    Ok(arguments)
}

/// One row of an answer. Columns are read by name; reading a NULL without `opt_` is a fault, and
/// so is a name the answer does not have. A sum of integers is `numeric` in PostgreSQL: cast it
/// to `bigint` in the statement.
pub enum SqlRow {
    /// From SQLite.
    #[doc(hidden)]
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    #[doc(hidden)]
    Postgres(PgRow),
}

impl SqlRow {
    fn get<'r, T>(&'r self, name: &str) -> Result<Option<T>, Fault>
    where
        T: Decode<'r, sqlx::Sqlite> + Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let outcome = match self {
            // SQLite converts by its own rules (5 to 5.0); the declared type decides nothing.
            SqlRow::Sqlite(row) => row.try_get_unchecked::<Option<T>, _>(name),
            SqlRow::Postgres(row) => row.try_get::<Option<T>, _>(name),
        };
        outcome.map_err(|e| Fault::internal("reading a row", e))
    }

    fn present<T>(name: &str, value: Option<T>) -> Result<T, Fault> {
        value.ok_or_else(|| Fault::internal("reading a row", format!("column {name} is NULL")))
    }

    /// An integer (`bigint`) or NULL.
    pub fn opt_i64(&self, name: &str) -> Result<Option<i64>, Fault> {
        self.get(name)
    }
    /// An integer (`bigint`).
    pub fn i64(&self, name: &str) -> Result<i64, Fault> {
        Self::present(name, self.get(name)?)
    }
    /// A double or NULL.
    pub fn opt_f64(&self, name: &str) -> Result<Option<f64>, Fault> {
        self.get(name)
    }
    /// A double.
    pub fn f64(&self, name: &str) -> Result<f64, Fault> {
        Self::present(name, self.get(name)?)
    }
    /// Text or NULL.
    pub fn opt_text(&self, name: &str) -> Result<Option<String>, Fault> {
        self.get(name)
    }
    /// Text.
    pub fn text(&self, name: &str) -> Result<String, Fault> {
        Self::present(name, self.get(name)?)
    }
    /// Bytes or NULL.
    pub fn opt_bytes(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.get(name)
    }
    /// Bytes.
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, Fault> {
        Self::present(name, self.get(name)?)
    }
}

/// How SQLite finds what a statement asks for, step by step.
#[cfg(test)]
pub(crate) async fn plan(store: &crate::Store, statement: &impl Statement) -> Vec<String> {
    struct Explained<'a, S>(&'a S);
    impl<S: Statement> Statement for Explained<'_, S> {
        fn build(&self, backend: Backend) -> (String, Vec<Value>) {
            let (text, values) = self.0.build(backend);
            (format!("EXPLAIN QUERY PLAN {text}"), values)
        }
    }
    let mut reader = store.reader().await.unwrap();
    let steps = reader.fetch_all(&Explained(statement)).await.unwrap();
    steps
        .iter()
        .map(|row| row.text("detail").unwrap())
        .collect()
}
