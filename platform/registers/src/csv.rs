//! CSV by RFC 4180: a reader that names lines, and a writer that no spreadsheet mistakes for
//! formulas.

/// One record of a file: the line it begins on, and its cells.
pub(crate) type Row = (usize, Vec<String>);

/// What is wrong with the form of a file, at a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// A quoted cell is never closed.
    Open(usize),
    /// A quote stands inside an unquoted cell, or text follows a closing quote.
    Stray(usize),
}

/// Reads a whole file. Lines end with LF or CRLF; a byte order mark and empty lines are skipped.
pub(crate) fn read(text: &str) -> Result<Vec<Row>, Broken> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = vec![];
    let mut chars = text.chars().peekable();
    let mut line = 1;
    while chars.peek().is_some() {
        let begins = line;
        let mut cells = vec![];
        loop {
            let (cell, more) = read_cell(&mut chars, &mut line)?;
            cells.push(cell);
            if !more {
                break;
            }
        }
        if cells.len() > 1 || !cells[0].is_empty() {
            rows.push((begins, cells));
        }
    }
    Ok(rows)
}

/// Reads one cell and what ends it; true when another cell of the row follows.
fn read_cell(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    line: &mut usize,
) -> Result<(String, bool), Broken> {
    let mut cell = String::new();
    if chars.next_if_eq(&'"').is_some() {
        let begins = *line;
        loop {
            match chars.next() {
                None => return Err(Broken::Open(begins)),
                Some('"') if chars.next_if_eq(&'"').is_some() => cell.push('"'),
                Some('"') => break,
                Some(c) => {
                    *line += usize::from(c == '\n');
                    cell.push(c);
                }
            }
        }
    } else {
        while let Some(c) = chars.next_if(|c| !matches!(c, ',' | '\n' | '\r' | '"')) {
            cell.push(c);
        }
    }
    chars.next_if_eq(&'\r');
    match chars.next() {
        None => Ok((cell, false)),
        Some(',') => Ok((cell, true)),
        Some('\n') => {
            *line += 1;
            Ok((cell, false))
        }
        Some(_) => Err(Broken::Stray(*line)),
    }
}

/// A spreadsheet would run a cell that begins so.
fn looks_like_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

fn is_number(cell: &str) -> bool {
    cell.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Writes one row, ended by CRLF. A cell that a spreadsheet would take for a formula gets an
/// apostrophe before it, unless it is a number.
pub(crate) fn write_row<'a>(to: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (number, cell) in cells.into_iter().enumerate() {
        if number > 0 {
            to.push(',');
        }
        let guard = if looks_like_formula(cell) && !is_number(cell) {
            "'"
        } else {
            ""
        };
        if cell.contains(['"', ',', '\n', '\r']) {
            to.push('"');
            to.push_str(guard);
            to.push_str(&cell.replace('"', "\"\""));
            to.push('"');
        } else {
            to.push_str(guard);
            to.push_str(cell);
        }
    }
    to.push_str("\r\n");
}

/// Takes off the apostrophe that [`write_row`] put before a cell.
pub(crate) fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if looks_like_formula(rest) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn files_are_read_by_the_rules() {
        let check = |text: &str, expect: &[(usize, &[&str])]| {
            let rows = read(text).unwrap();
            let found: Vec<(usize, Vec<&str>)> = rows
                .iter()
                .map(|(line, cells)| (*line, cells.iter().map(String::as_str).collect()))
                .collect();
            let expect: Vec<(usize, Vec<&str>)> = expect
                .iter()
                .map(|(line, cells)| (*line, cells.to_vec()))
                .collect();
            assert_eq!(found, expect, "{text:?}");
        };
        check("", &[]);
        check("a,b\r\n1,2\r\n", &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check("\u{feff}a\n\n\nb", &[(1, &["a"]), (4, &["b"])]);
        check("a,\n", &[(1, &["a", ""])]);
        check(
            "\"a,\"\"b\"\"\nc\",d\ne",
            &[(1, &["a,\"b\"\nc", "d"]), (3, &["e"])],
        );
        assert_eq!(read("a\n\"b\n\n"), Err(Broken::Open(2)));
        assert_eq!(read("a\nb\"c\n"), Err(Broken::Stray(2)));
        assert_eq!(read("\"b\"c\n"), Err(Broken::Stray(1)));
    }

    #[test]
    fn formulas_are_guarded_and_numbers_are_not() {
        let check = |cell: &str, expect: &str| {
            let mut text = String::new();
            write_row(&mut text, [cell]);
            assert_eq!(text, format!("{expect}\r\n"));
        };
        check("=1+1", "'=1+1");
        check("@SUM(A1)", "'@SUM(A1)");
        check("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0");
        check("\t=1", "'\t=1");
        check("=\"a\",b", "\"'=\"\"a\"\",b\"");
        check("-12.5", "-12.5");
        check("-", "'-");
        check("石家庄", "石家庄");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn what_is_written_is_read_again(
            rows in prop::collection::vec(prop::collection::vec("[a',\"=\n\r+-]{0,6}", 2..4), 1..6),
        ) {
            let mut text = String::new();
            for row in &rows {
                write_row(&mut text, row.iter().map(String::as_str));
            }
            let read: Vec<Vec<String>> = read(&text)
                .unwrap()
                .into_iter()
                .map(|(_, cells)| cells.iter().map(|c| unguarded(c).to_string()).collect())
                .collect();
            // A cell that begins with our own mark before a formula cannot be told from ours.
            let rows: Vec<Vec<String>> = rows
                .iter()
                .map(|row| row.iter().map(|c| unguarded(c).to_string()).collect())
                .collect();
            prop_assert_eq!(read, rows);
        }
    }
}
