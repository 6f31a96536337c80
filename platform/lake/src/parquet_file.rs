//! Parquet for analysis, written column by column without Arrow: row groups of 131,072 rows,
//! zstd, dictionaries for names, times as `TIMESTAMP_MICROS` in UTC.

use crate::{Bounded, ExportRow, LakeError};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, TypePtr};
use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

/// Rows of one row group: what is held in memory at once.
pub const ROW_GROUP_ROWS: usize = 128 * 1024;

const SCHEMA: &str = "message observations {
  required binary thing (STRING);
  required binary property (STRING);
  required binary kind (STRING);
  required int64 time (TIMESTAMP(MICROS, true));
  required double value;
  required binary flag (STRING);
  required int64 received (TIMESTAMP(MICROS, true));
}";

/// What the file says about itself in its key-value metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileNotes {
    /// Unit of each property: `unit.<property>` in the file.
    pub units: Vec<(String, String)>,
    /// Datum of any coordinates that belong to the things, such as `CGCS2000`.
    pub datum: String,
    /// Further pairs as they are: source, licence, time of the export.
    pub more: Vec<(String, String)>,
}

impl FileNotes {
    fn pairs(&self) -> Vec<KeyValue> {
        let mut pairs = vec![KeyValue::new("datum".into(), self.datum.clone())];
        for (property, unit) in &self.units {
            pairs.push(KeyValue::new(format!("unit.{property}"), unit.clone()));
        }
        for (key, value) in &self.more {
            pairs.push(KeyValue::new(key.clone(), value.clone()));
        }
        pairs
    }
}

/// Writes rows as one Parquet file and returns how many. More than `limit` rows is an error.
pub fn write_parquet(
    to: impl Write + Send,
    rows: impl Iterator<Item = ExportRow>,
    limit: u64,
    notes: &FileNotes,
) -> Result<u64, LakeError> {
    let schema: TypePtr = Arc::new(parse_message_type(SCHEMA)?);
    let to = std::io::BufWriter::with_capacity(1 << 16, to);
    let mut file = SerializedFileWriter::new(to, schema, Arc::new(properties(notes)?))?;
    let mut rows = Bounded::new(rows, limit);
    let mut group = Group::default();
    while let Some(row) = rows.next()? {
        group.push(row);
        if group.times.len() == ROW_GROUP_ROWS {
            group.write(&mut file)?;
        }
    }
    group.write(&mut file)?;
    file.finish()?;
    file.inner_mut().flush()?;
    Ok(rows.taken)
}

fn properties(notes: &FileNotes) -> Result<WriterProperties, ParquetError> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_created_by("jicheng".into())
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_key_value_metadata(Some(notes.pairs()));
    // Times rise in small steps: deltas are a fraction of a dictionary's size.
    for name in ["time", "received"] {
        let path = ColumnPath::from(name);
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    Ok(builder.build())
}

/// The columns of one row group.
#[derive(Default)]
struct Group {
    things: Texts,
    properties: Texts,
    kinds: Texts,
    times: Vec<i64>,
    values: Vec<f64>,
    flags: Texts,
    received: Vec<i64>,
}

impl Group {
    fn push(&mut self, row: ExportRow) {
        self.things.push(&row.thing);
        self.properties.push(&row.property);
        self.kinds.push(&row.kind.to_string());
        self.times.push(row.time.0);
        self.values.push(row.value);
        self.flags.push(&row.flag.text());
        self.received.push(row.received.0);
    }

    fn write<W: Write + Send>(
        &mut self,
        file: &mut SerializedFileWriter<W>,
    ) -> Result<(), LakeError> {
        if self.times.is_empty() {
            return Ok(());
        }
        let mut group = file.next_row_group()?;
        column::<ByteArrayType, W>(&mut group, &self.things.rows)?;
        column::<ByteArrayType, W>(&mut group, &self.properties.rows)?;
        column::<ByteArrayType, W>(&mut group, &self.kinds.rows)?;
        column::<Int64Type, W>(&mut group, &self.times)?;
        column::<DoubleType, W>(&mut group, &self.values)?;
        column::<ByteArrayType, W>(&mut group, &self.flags.rows)?;
        column::<Int64Type, W>(&mut group, &self.received)?;
        group.close()?;
        *self = Group::default();
        Ok(())
    }
}

/// A column of texts whose equal entries share their bytes.
#[derive(Default)]
struct Texts {
    known: HashMap<Box<str>, ByteArray>,
    rows: Vec<ByteArray>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        let bytes = match self.known.get(text) {
            Some(bytes) => bytes.clone(),
            None => {
                let bytes = ByteArray::from(text);
                self.known.insert(text.into(), bytes.clone());
                bytes
            }
        };
        self.rows.push(bytes);
    }
}

fn column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
) -> Result<(), LakeError> {
    let missing = || ParquetError::General("the schema has fewer columns than the rows".into());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()?;
    Ok(())
}
