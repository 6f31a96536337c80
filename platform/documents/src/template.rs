//! Templates of letters: plain text an official can read. Above `---` stand title, pattern of the
//! number and the fields, below it the body, one paragraph a line:
//!
//! ```text
//! title: 受理通知书
//! number: {short}受字〔{year}〕第{n:6}号
//! text applicant: 申请人, required, 100
//! table missing: 需要补正的内容, optional, 50
//! ---
//! > {{applicant}}：                      without indent
//! 你（单位）提出的申请 …                 a paragraph
//! # 一、事实                             a heading
//! = 事项名称 | {{item}}                  a row of name and value
//! - {{duties}}                           each text of a list, numbered
//! | 序号*1 | 材料*5 |                    a table: titles with their share of the width,
//! | {{#}} | {{missing.name}} |           and the row repeated for each object of its list
//! ```
//!
//! A paragraph or row that names an optional field that is not there is left out. `{{office}}`,
//! `{{number}}`, `{{date}}` and `{{check}}` are always there. What stands below the body (office,
//! date, seal, code) is drawn for every letter.

mod judge;
mod reword;

pub(crate) use judge::printed;

use kernel::{Problem, Words};
use std::collections::{BTreeMap, BTreeSet};

/// Characters of a template, at most.
const SIZE: usize = 64 << 10;
/// Fields, at most.
const FIELDS: usize = 100;
/// Characters a field may be allowed.
const LONGEST: usize = 5000;
/// Always there.
const BUILT_IN: [&str; 4] = ["office", "number", "date", "check"];

/// Shape of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A text, a number.
    Text,
    /// Several texts.
    List,
    /// Several objects of texts.
    Table,
}

/// A field of a letter.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// Shape.
    pub shape: Shape,
    /// Must be there.
    pub required: bool,
    /// Characters of a text, entries of a list or table, at most.
    pub most: usize,
}

/// A piece of a paragraph.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Words(String),
    Field(String),
    /// A column of the table the row stands in.
    Column(String),
    /// Number of the row.
    Row,
}

/// A part of the body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    Paragraph {
        pieces: Vec<Piece>,
        indent: bool,
    },
    Heading(Vec<Piece>),
    Pair {
        title: String,
        pieces: Vec<Piece>,
    },
    Items(String),
    Table {
        field: String,
        titles: Vec<(String, f32)>,
        cells: Vec<Vec<Piece>>,
    },
}

/// A template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Name.
    pub kind: String,
    /// Title.
    pub title: String,
    /// Series of its numbers: templates with one series share it.
    pub series: String,
    /// Fields, in their order.
    pub fields: Vec<Field>,
    pub(crate) blocks: Vec<Block>,
    number: Vec<NumberPiece>,
    /// As it was written.
    pub(crate) text: String,
}

#[derive(Clone, Debug, PartialEq)]
enum NumberPiece {
    Words(String),
    Short,
    Year,
    N(usize),
}

/// The templates that are delivered, by name.
pub(crate) const DELIVERED: [(&str, &str); 8] = [
    ("receipt", include_str!("../templates/receipt.txt")),
    ("acceptance", include_str!("../templates/acceptance.txt")),
    ("refusal", include_str!("../templates/refusal.txt")),
    ("correction", include_str!("../templates/correction.txt")),
    ("grant", include_str!("../templates/grant.txt")),
    ("denial", include_str!("../templates/denial.txt")),
    ("extension", include_str!("../templates/extension.txt")),
    ("hearing", include_str!("../templates/hearing.txt")),
];

struct Parser<'a> {
    kind: &'a str,
    problems: Vec<Problem>,
}

fn is_name(text: &str) -> bool {
    let first = text.starts_with(|c: char| c.is_ascii_lowercase());
    let all = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    first && text.len() <= 40 && text.chars().all(all)
}

impl<'a> Parser<'a> {
    fn new(kind: &'a str) -> Parser<'a> {
        Parser {
            kind,
            problems: vec![],
        }
    }

    fn wrong(&mut self, line: usize, zh: impl Into<String>, en: impl Into<String>) {
        self.problems.push(Problem {
            at: format!("letters/{}.txt:{line}", self.kind),
            words: Words::new(zh, en),
        });
    }

    fn field(&mut self, line: usize, shape: Shape, name: &str, said: &str) -> Option<Field> {
        let parts: Vec<&str> = said.split([',', '，']).map(str::trim).collect();
        let (required, most) = match parts.as_slice() {
            [_, "required", most] => (true, most.parse::<usize>().ok()),
            [_, "optional", most] => (false, most.parse::<usize>().ok()),
            _ => (false, None),
        };
        let most = most.filter(|most| (1..=LONGEST).contains(most));
        if !is_name(name) || BUILT_IN.contains(&name) || parts[0].is_empty() || most.is_none() {
            self.wrong(
                line,
                "字段应写作：text|list|table 名称: 标题, required|optional, 上限",
                "a field is written: text|list|table name: title, required|optional, most",
            );
            return None;
        }
        Some(Field {
            name: name.into(),
            title: parts[0].into(),
            shape,
            required,
            most: most.unwrap_or(1),
        })
    }

    fn number(&mut self, line: usize, said: &str) -> Vec<NumberPiece> {
        let mut pieces = vec![];
        let mut rest = said;
        while let Some((before, after)) = rest.split_once('{') {
            pieces.push(NumberPiece::Words(before.into()));
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            let width = name.strip_prefix("n:").and_then(|w| w.parse().ok());
            match (name, width) {
                ("short", _) => pieces.push(NumberPiece::Short),
                ("year", _) => pieces.push(NumberPiece::Year),
                ("n", _) => pieces.push(NumberPiece::N(1)),
                (_, Some(width @ 1..=12)) => pieces.push(NumberPiece::N(width)),
                _ => self.wrong(
                    line,
                    "文号中只能用 {short}、{year}、{n}、{n:6}",
                    "a number knows {short}, {year}, {n} and {n:6} only",
                ),
            }
            rest = after;
        }
        pieces.push(NumberPiece::Words(rest.into()));
        let has = |is: fn(&NumberPiece) -> bool| pieces.iter().any(is);
        let whole = has(|p| matches!(p, NumberPiece::Short))
            && has(|p| matches!(p, NumberPiece::Year))
            && has(|p| matches!(p, NumberPiece::N(_)));
        if !whole {
            self.wrong(
                line,
                "文号必须含有 {short}、{year} 和 {n}，否则会重号",
                "a number needs {short}, {year} and {n}, or two letters have one",
            );
        }
        pieces
    }

    fn pieces(&mut self, line: usize, text: &str) -> Vec<Piece> {
        let mut pieces = vec![];
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            if !before.is_empty() {
                pieces.push(Piece::Words(before.into()));
            }
            let Some((name, after)) = after.split_once("}}") else {
                self.wrong(line, "缺少 }}", "}} is missing");
                return pieces;
            };
            let name = name.trim();
            pieces.push(match name.split_once('.') {
                _ if name == "#" => Piece::Row,
                Some((_, column)) => Piece::Column(column.into()),
                None => Piece::Field(name.into()),
            });
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Words(rest.into()));
        }
        pieces
    }
}

fn cells(line: &str) -> Vec<&str> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split('|').map(str::trim).collect()
}

/// The table a row of a pattern takes its columns from.
fn table_of(row: &str) -> Option<&str> {
    let mut names = row.split("{{").skip(1);
    names.find_map(|part| {
        part.split_once("}}")?
            .0
            .trim()
            .split_once('.')
            .map(|(t, _)| t)
    })
}

impl Template {
    /// Reads a template; every fault is named with its line.
    pub fn parse(kind: &str, text: &str) -> Result<Template, Vec<Problem>> {
        let mut parser = Parser::new(kind);
        if !is_name(kind) || text.chars().count() > SIZE || text.contains('\0') {
            parser.wrong(
                1,
                "模板名称或长度不对",
                "the name or length of a template is wrong",
            );
            return Err(parser.problems);
        }
        let mut template = Template {
            kind: kind.into(),
            title: String::new(),
            series: kind.into(),
            fields: vec![],
            blocks: vec![],
            number: vec![],
            text: text.into(),
        };
        let lines: Vec<(usize, &str)> = text.lines().map(str::trim).enumerate().collect();
        let lines: Vec<(usize, &str)> = lines.into_iter().map(|(n, line)| (n + 1, line)).collect();
        let split = lines.iter().position(|(_, line)| *line == "---");
        let Some(split) = split else {
            parser.wrong(1, "缺少分隔线 ---", "the line --- is missing");
            return Err(parser.problems);
        };
        template.head(&mut parser, &lines[..split]);
        template.body(&mut parser, &lines[split + 1..]);
        template.resolve(&mut parser);
        match parser.problems.is_empty() {
            true => Ok(template),
            false => Err(parser.problems),
        }
    }

    fn head(&mut self, parser: &mut Parser<'_>, lines: &[(usize, &str)]) {
        for &(n, line) in lines {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once([':', '：']).unwrap_or((line, ""));
            let value = value.trim();
            let (word, name) = key.trim().split_once(' ').unwrap_or((key.trim(), ""));
            let shape = match word {
                "text" => Some(Shape::Text),
                "list" => Some(Shape::List),
                "table" => Some(Shape::Table),
                _ => None,
            };
            match (word, shape) {
                (_, Some(shape)) => {
                    let field = parser.field(n, shape, name.trim(), value);
                    self.fields.extend(field);
                }
                ("title", _) => self.title = value.into(),
                ("series", _) if is_name(value) => self.series = value.into(),
                ("number", _) => self.number = parser.number(n, value),
                _ => parser.wrong(
                    n,
                    format!("不认识：{line}"),
                    format!("not understood: {line}"),
                ),
            }
        }
        let long = self.title.chars().count();
        if !(2..=60).contains(&long) || self.number.is_empty() || self.fields.len() > FIELDS {
            parser.wrong(
                1,
                format!("需要 title（2–60 字）、number，字段不超过 {FIELDS} 个"),
                format!(
                    "title (2–60 characters) and number are needed, and at most {FIELDS} fields"
                ),
            );
        }
        let mut seen = BTreeSet::new();
        let twins = self.fields.iter().filter(|field| !seen.insert(&field.name));
        let twins: Vec<String> = twins.map(|field| field.name.clone()).collect();
        for name in twins {
            parser.wrong(
                1,
                format!("字段 {name} 重复"),
                format!("field {name} is there twice"),
            );
        }
    }

    fn body(&mut self, parser: &mut Parser<'_>, lines: &[(usize, &str)]) {
        let mut rest = lines.iter().peekable();
        while let Some(&(n, line)) = rest.next() {
            if line.is_empty() {
                continue;
            }
            let block = if let Some(text) = line.strip_prefix("> ") {
                Block::Paragraph {
                    pieces: parser.pieces(n, text),
                    indent: false,
                }
            } else if let Some(text) = line.strip_prefix("# ") {
                Block::Heading(parser.pieces(n, text))
            } else if let Some(text) = line.strip_prefix("= ") {
                let (title, value) = text.split_once('|').unwrap_or((text, ""));
                Block::Pair {
                    title: title.trim().into(),
                    pieces: parser.pieces(n, value.trim()),
                }
            } else if let Some(text) = line.strip_prefix("- ") {
                match parser.pieces(n, text.trim()).as_slice() {
                    [Piece::Field(name)] => Block::Items(name.clone()),
                    _ => {
                        parser.wrong(n, "应写作 - {{清单字段}}", "write - {{a list}}");
                        continue;
                    }
                }
            } else if line.starts_with('|') {
                let pattern = rest.next_if(|(_, next)| next.starts_with('|'));
                match pattern.and_then(|(at, row)| table(parser, *at, line, row)) {
                    Some(block) => block,
                    None => {
                        parser.wrong(
                            n,
                            "表格应有两行：标题行，以及列数相同、引用同一表格字段的样式行",
                            "a table has two lines: titles, and as many cells that name one table",
                        );
                        continue;
                    }
                }
            } else {
                Block::Paragraph {
                    pieces: parser.pieces(n, line),
                    indent: true,
                }
            };
            self.blocks.push(block);
        }
    }

    /// What the body names, with the shape it has to have there.
    fn wanted(&self, parser: &mut Parser<'_>) -> Vec<(String, Shape)> {
        let mut wanted: Vec<(String, Shape)> = vec![];
        for block in &self.blocks {
            let (pieces, own): (Vec<&Piece>, Option<(String, Shape)>) = match block {
                Block::Paragraph { pieces, .. }
                | Block::Heading(pieces)
                | Block::Pair { pieces, .. } => (pieces.iter().collect(), None),
                Block::Items(name) => (vec![], Some((name.clone(), Shape::List))),
                Block::Table { field, cells, .. } => (
                    cells.iter().flatten().collect(),
                    Some((field.clone(), Shape::Table)),
                ),
            };
            let of_table = matches!(own, Some((_, Shape::Table)));
            wanted.extend(own);
            for piece in pieces {
                match piece {
                    Piece::Field(name) => wanted.push((name.clone(), Shape::Text)),
                    Piece::Column(_) | Piece::Row if !of_table => parser.wrong(
                        1,
                        "{{#}} 和 {{表.列}} 只能用在表格中",
                        "{{#}} and {{table.column}} belong into a table",
                    ),
                    _ => {}
                }
            }
        }
        wanted
    }

    /// Every name in the body is a field of the right shape, and every field is used.
    fn resolve(&self, parser: &mut Parser<'_>) {
        let shapes: BTreeMap<&str, Shape> = self
            .fields
            .iter()
            .map(|f| (f.name.as_str(), f.shape))
            .collect();
        let mut used = BTreeSet::new();
        for (name, shape) in self.wanted(parser) {
            let fits = shapes.get(name.as_str()) == Some(&shape)
                || (shape == Shape::Text && BUILT_IN.contains(&name.as_str()));
            if !fits {
                parser.wrong(
                    1,
                    format!("没有这样的字段：{name}"),
                    format!("there is no such field: {name}"),
                );
            }
            used.insert(name);
        }
        for field in self.fields.iter().filter(|f| !used.contains(&f.name)) {
            let name = &field.name;
            parser.wrong(
                1,
                format!("字段 {name} 没有用到"),
                format!("the field {name} is not used"),
            );
        }
    }

    /// The number as printed.
    pub(crate) fn number(&self, short: &str, year: i64, n: i64) -> String {
        let pieces = self.number.iter().map(|piece| match piece {
            NumberPiece::Words(words) => words.clone(),
            NumberPiece::Short => short.into(),
            NumberPiece::Year => year.to_string(),
            NumberPiece::N(width) => format!("{n:0width$}"),
        });
        pieces.collect()
    }
}

fn table(parser: &mut Parser<'_>, at: usize, titles: &str, row: &str) -> Option<Block> {
    let field = table_of(row)?.to_owned();
    let titles: Vec<(String, f32)> = cells(titles)
        .into_iter()
        .map(|cell| match cell.rsplit_once('*') {
            Some((title, share)) => (title.trim().into(), share.trim().parse().unwrap_or(1.0)),
            None => (cell.into(), 1.0),
        })
        .collect();
    let shares = titles
        .iter()
        .all(|(_, share)| (0.1..=100.0).contains(share));
    let cells: Vec<Vec<Piece>> = cells(row)
        .into_iter()
        .map(|cell| parser.pieces(at, cell))
        .collect();
    let fits = shares && cells.len() == titles.len() && cells.len() <= 12;
    fits.then_some(Block::Table {
        field,
        titles,
        cells,
    })
}
