//! Records: questions of a register, with exact totals and pages continued by the last row seen.

use super::{Cell, RecordRow, Shape, read, rows_of};
use crate::sql::Run;
use kernel::Fault;
use sea_query::{Cond, Expr, ExprTrait, Func, IntoCondition, LikeExpr, NullOrdering, Order, Query};

/// One condition.
#[derive(Clone, Debug)]
pub enum Test {
    /// The column with this number equals the cell; a cell without value means "has none".
    Equals(usize, Cell),
    /// The key equals.
    Key(String),
    /// The key is one of these.
    KeyOneOf(Vec<String>),
    /// The column with this number has a value.
    Has(usize),
    /// The column with this number is one of the cells, which are of its type.
    OneOf(usize, Vec<Cell>),
    /// The integer column with this number is smaller.
    Below(usize, i64),
    /// The integer column with this number is at most this.
    AtMost(usize, i64),
    /// All of these hold; with none of them, always.
    All(Vec<Test>),
    /// One of these holds; with none of them, never.
    Any(Vec<Test>),
    /// This does not hold. What asks about absent values is guarded by [`Test::Has`].
    Not(Box<Test>),
    /// The text is contained, whatever the case of ASCII letters, in the key or in one of the
    /// columns with these numbers.
    Contains(String, Vec<usize>),
    /// The columns with these numbers are a longitude and a latitude inside west, south, east,
    /// north. A box with west greater than east crosses the 180th meridian.
    Inside(usize, usize, [f64; 4]),
}

/// Which rows.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Valid at, microseconds.
    pub valid_at: i64,
    /// As believed at; `None` for now.
    pub as_of: Option<i64>,
    /// Conditions, all of which must hold.
    pub tests: Vec<Test>,
    /// Number of the column to order by and whether downwards; rows without value come last, ties
    /// go by key upwards. `None` orders by key.
    pub order: Option<(usize, bool)>,
    /// Keys downwards when there is no column to order by.
    pub keys_down: bool,
    /// Only rows after this one: its cell of the ordering column, and its key.
    pub after: Option<(Option<Cell>, String)>,
    /// So many at most.
    pub limit: u64,
}

/// The rows, and how many match in all.
pub async fn page(
    run: &mut impl Run,
    shape: &Shape,
    selection: &Selection,
) -> Result<(Vec<RecordRow>, u64), Fault> {
    let matching = conditions(shape, selection);
    let count = Query::select()
        .expr_as(Func::count(Expr::col("id")), "total")
        .from(shape.table())
        .cond_where(matching.clone())
        .to_owned();
    let total = run.fetch_optional(&count).await?;
    let total = total.map_or(Ok(0), |row| row.i64("total"))?;
    let mut question = rows_of(shape);
    question.cond_where(matching);
    if let Some(after) = &selection.after {
        question.cond_where(beyond(shape, selection, after));
    }
    let direction = |down| if down { Order::Desc } else { Order::Asc };
    if let Some((column, down)) = selection.order {
        let name = shape.columns[column].name();
        question.order_by_with_nulls(name, direction(down), NullOrdering::Last);
        question.order_by("key", Order::Asc);
    } else {
        question.order_by("key", direction(selection.keys_down));
    }
    let rows = run.fetch_all(question.limit(selection.limit)).await?;
    let rows: Result<Vec<RecordRow>, Fault> = rows.iter().map(read).collect();
    Ok((rows?, total as u64))
}

fn conditions(shape: &Shape, selection: &Selection) -> Cond {
    let mut all = Cond::all()
        .add(Expr::col("valid_from").lte(selection.valid_at))
        .add(Expr::col("valid_to").gt(selection.valid_at));
    all = match selection.as_of {
        None => all.add(Expr::col("superseded_at").eq(super::FOREVER)),
        Some(at) => all
            .add(Expr::col("recorded_at").lte(at))
            .add(Expr::col("superseded_at").gt(at)),
    };
    for test in &selection.tests {
        all = all.add(condition(shape, test));
    }
    all
}

fn condition(shape: &Shape, test: &Test) -> Cond {
    let column = |number: usize| Expr::col(shape.columns[number].name());
    match test {
        Test::Equals(number, cell) if cell.is_none() => column(*number).is_null().into_condition(),
        Test::Equals(number, cell) => column(*number).eq(cell.expr()).into_condition(),
        Test::Key(key) => Expr::col("key").eq(key.as_str()).into_condition(),
        Test::KeyOneOf(keys) if keys.is_empty() => never(),
        Test::KeyOneOf(keys) => Expr::col("key")
            .is_in(keys.iter().map(String::as_str))
            .into_condition(),
        Test::Has(number) => column(*number).is_not_null().into_condition(),
        Test::OneOf(_, cells) if cells.is_empty() => never(),
        Test::OneOf(number, cells) => column(*number)
            .is_in(cells.iter().map(Cell::expr))
            .into_condition(),
        Test::Below(number, than) => column(*number).lt(*than).into_condition(),
        Test::AtMost(number, than) => column(*number).lte(*than).into_condition(),
        Test::All(tests) => tests
            .iter()
            .fold(Cond::all().add(Expr::val(1).eq(1)), |all, test| {
                all.add(condition(shape, test))
            }),
        Test::Any(tests) if tests.is_empty() => never(),
        Test::Any(tests) => tests
            .iter()
            .fold(Cond::any(), |any, test| any.add(condition(shape, test))),
        Test::Not(test) => condition(shape, test).not(),
        Test::Contains(text, columns) => {
            let pattern = like_pattern(text);
            let like = |of: Expr| {
                let like = LikeExpr::new(pattern.as_str()).escape('!');
                Expr::expr(Func::lower(of)).like(like)
            };
            let mut any = Cond::any().add(like(Expr::col("key")));
            for number in columns {
                any = any.add(like(column(*number)));
            }
            any
        }
        Test::Inside(lon, lat, [west, south, east, north]) => {
            let across = if west <= east {
                Cond::all()
            } else {
                Cond::any()
            };
            let lon = across
                .add(column(*lon).gte(*west))
                .add(column(*lon).lte(*east));
            Cond::all()
                .add(lon)
                .add(column(*lat).gte(*south))
                .add(column(*lat).lte(*north))
        }
    }
}

fn never() -> Cond {
    Expr::val(1).eq(0).into_condition()
}

/// `%`, `_` and `!` of the text stand for themselves.
fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}

fn beyond(shape: &Shape, selection: &Selection, after: &(Option<Cell>, String)) -> Cond {
    let (cell, key) = after;
    let Some((column, down)) = selection.order else {
        let key_column = Expr::col("key");
        let further = if selection.keys_down {
            key_column.lt(key.as_str())
        } else {
            key_column.gt(key.as_str())
        };
        return further.into_condition();
    };
    let column = || Expr::col(shape.columns[column].name());
    let later_key = || Expr::col("key").gt(key.as_str());
    match cell {
        Some(cell) if !cell.is_none() => {
            let further = if down {
                column().lt(cell.expr())
            } else {
                column().gt(cell.expr())
            };
            let tie = Cond::all().add(column().eq(cell.expr())).add(later_key());
            Cond::any().add(further).add(tie).add(column().is_null())
        }
        _ => Cond::all().add(column().is_null()).add(later_key()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        let check = |text: &str, expect: &str| assert_eq!(like_pattern(text), expect);
        check("Abc", "%abc%");
        check("50%_!", "%50!%!_!!%");
        check("石家庄", "%石家庄%");
    }
}
