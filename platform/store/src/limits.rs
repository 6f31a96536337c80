//! Limits of statements for SQLite. It plans for the very limit that is bound, and so prepares a
//! statement anew whenever one is: a limit is spelt out.

use sea_query::Value;

const LIMIT: &str = " LIMIT ?";

/// The statement with its limits in its text instead of among its values.
pub(crate) fn spelt_out(text: String, values: Vec<Value>) -> (String, Vec<Value>) {
    if !text.contains(LIMIT) {
        return (text, values);
    }
    let (mut spelt, mut bound) = (String::with_capacity(text.len() + 8), vec![]);
    let (mut quote, mut said) = (None, 0);
    let mut values = values.into_iter();
    for (at, sign) in text.char_indices() {
        match (sign, quote) {
            ('\'' | '"', None) => quote = Some(sign),
            (sign, Some(open)) if sign == open => quote = None,
            ('?', None) => {
                let limit = text[..=at].ends_with(LIMIT);
                match values.next() {
                    Some(Value::BigUnsigned(Some(rows))) if limit => {
                        spelt.push_str(&text[said..at]);
                        spelt.push_str(&rows.to_string());
                        said = at + 1;
                    }
                    value => bound.extend(value),
                }
            }
            _ => {}
        }
    }
    spelt.push_str(&text[said..]);
    (spelt, bound)
}

#[cfg(test)]
mod tests {
    use crate::sql::{Backend, Statement};
    use sea_query::{Expr, ExprTrait, Query, Value};

    #[test]
    fn limits_are_spelt_out_for_sqlite() {
        let inner = Query::select()
            .column("b")
            .from("u")
            .and_where(Expr::col("d").eq("x LIMIT ?"))
            .limit(3)
            .to_owned();
        let question = Query::select()
            .expr(Expr::cust("' LIMIT ?'"))
            .from("t")
            .and_where(Expr::col("a").eq(7))
            .and_where(Expr::col("b").in_subquery(inner))
            .limit(200)
            .offset(5)
            .to_owned();
        let (text, values) = Statement::build(&question, Backend::Sqlite);
        let inner = r#"SELECT "b" FROM "u" WHERE "d" = ? LIMIT 3"#;
        assert_eq!(
            text,
            format!(
                r#"SELECT ' LIMIT ?' FROM "t" WHERE "a" = ? AND "b" IN ({inner}) LIMIT 200 OFFSET ?"#
            )
        );
        let bound: Vec<Value> = vec![7.into(), "x LIMIT ?".into(), 5_u64.into()];
        assert_eq!(values, bound);
        let (text, values) = Statement::build(&question, Backend::Postgres);
        assert!(text.ends_with("LIMIT $4 OFFSET $5"), "{text}");
        assert_eq!(values.len(), 5);
    }
}
