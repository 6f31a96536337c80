//! The system query options (clause 9.3) of a request, and of each `$expand` inside it.

use crate::Refusal;
use crate::filter::{self, Expr};
use crate::model::Set;
use crate::url;

/// Entities of a page when `$top` is absent.
const DEFAULT_TOP: usize = 100;
/// Entities of a page at most.
const MAX_TOP: usize = 1_000;
/// Deepest nesting of `$expand`.
const MAX_EXPAND_DEPTH: usize = 6;
/// Furthest `$skip`.
const MAX_SKIP: usize = 10_000_000;

/// One `$expand`.
#[derive(Clone, Debug)]
pub struct Expand {
    /// Navigation property.
    pub link: String,
    /// Options within the parentheses.
    pub options: Options,
}

/// The options of one collection or entity.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `$filter`.
    pub filter: Option<Expr>,
    /// `$expand`.
    pub expand: Vec<Expand>,
    /// `$orderby`: expression and whether downwards.
    pub order: Vec<(Expr, bool)>,
    /// `$top`, capped; `None` when absent.
    pub top: Option<usize>,
    /// `$skip`.
    pub skip: usize,
    /// `$select`: names of properties.
    pub select: Option<Vec<String>>,
    /// `$count`.
    pub count: bool,
    /// `$resultFormat=dataArray`.
    pub data_array: bool,
    /// Where the page before ended.
    pub token: Option<String>,
    /// The pairs as they came, for the link to the next page.
    pub raw: Vec<(String, String)>,
}

fn wrong(name: &str, value: &str) -> Refusal {
    Refusal::bad(
        format!("{name} 的值有误：{value}"),
        format!("bad value of {name}: {value}"),
    )
}

impl Options {
    /// Reads the pairs of a query for entities of `set`.
    pub fn read(set: Set, pairs: Vec<(String, String)>) -> Result<Options, Refusal> {
        Options::read_at(set, pairs, 0)
    }

    fn read_at(set: Set, pairs: Vec<(String, String)>, depth: usize) -> Result<Options, Refusal> {
        let mut options = Options::default();
        for (name, value) in &pairs {
            options.take(set, name, value, depth)?;
        }
        options.raw = pairs;
        Ok(options)
    }

    fn take(&mut self, set: Set, name: &str, value: &str, depth: usize) -> Result<(), Refusal> {
        match name {
            "$filter" => {
                let filter = filter::parse(value)?;
                filter.check(set)?;
                self.filter = Some(filter);
            }
            "$orderby" => self.order = read_order(set, value)?,
            "$top" => {
                let top: usize = value.parse().map_err(|_| wrong(name, value))?;
                self.top = Some(top.min(MAX_TOP));
            }
            "$skip" => {
                let skip = value.parse().ok().filter(|n| *n <= MAX_SKIP);
                self.skip = skip.ok_or_else(|| wrong(name, value))?;
            }
            "$count" => {
                self.count = match value {
                    "true" => true,
                    "false" => false,
                    _ => return Err(wrong(name, value)),
                }
            }
            "$select" => self.select = Some(read_select(set, value)?),
            "$expand" => {
                if depth == MAX_EXPAND_DEPTH {
                    return Err(Refusal::bad(
                        "$expand 嵌套过深",
                        "$expand is nested too deeply",
                    ));
                }
                for item in url::split_outside(value, ',') {
                    self.read_expand(set, item.trim(), depth + 1)?;
                }
            }
            "$resultFormat" if value == "dataArray" && set == Set::Observations && depth == 0 => {
                self.data_array = true;
            }
            "$resultFormat" => {
                return Err(Refusal::unsupported(&format!("$resultFormat={value} here")));
            }
            "$skiptoken" => self.token = Some(value.into()),
            _ if name.starts_with('$') => {
                return Err(Refusal::unsupported(&format!("query option {name}")));
            }
            // What is no option of the standard is not ours to judge.
            _ => {}
        }
        Ok(())
    }

    /// Reads `Datastreams/Observations($top=1)`: the options belong to the last step.
    fn read_expand(&mut self, set: Set, item: &str, depth: usize) -> Result<(), Refusal> {
        let (path, inner) = match item.split_once('(') {
            Some((path, rest)) => {
                let inner = rest.strip_suffix(')');
                (path, inner.ok_or_else(|| wrong("$expand", item))?)
            }
            None => (item, ""),
        };
        if depth > MAX_EXPAND_DEPTH {
            return Err(wrong("$expand", item));
        }
        let (head, rest) = match path.split_once('/') {
            Some((head, rest)) => (head, Some(rest)),
            None => (path, None),
        };
        let link = set.link(head).ok_or_else(|| {
            Refusal::bad(
                format!("{} 没有关联 {head}", set.name()),
                format!("{} have no link {head}", set.name()),
            )
        })?;
        let options = match rest {
            None => {
                let mut pairs = vec![];
                for pair in url::split_outside(inner, ';') {
                    if let Some((name, value)) = pair.split_once('=') {
                        pairs.push((name.trim().to_string(), value.to_string()));
                    } else if !pair.trim().is_empty() {
                        return Err(wrong("$expand", item));
                    }
                }
                Options::read_at(link.to, pairs, depth)?
            }
            Some(rest) => {
                let below = match inner {
                    "" => rest.to_string(),
                    inner => format!("{rest}({inner})"),
                };
                let pairs = vec![("$expand".to_string(), below)];
                Options::read_at(link.to, pairs, depth)?
            }
        };
        self.add_expand(head, options);
        Ok(())
    }

    /// The same link named twice (`Datastreams,Datastreams/Sensor`) is expanded once.
    fn add_expand(&mut self, link: &str, options: Options) {
        let Some(known) = self.expand.iter_mut().find(|e| e.link == link) else {
            self.expand.push(Expand {
                link: link.into(),
                options,
            });
            return;
        };
        for inner in options.expand {
            known.options.add_expand(&inner.link, inner.options);
        }
    }

    /// Entities of a page.
    pub fn page_size(&self) -> usize {
        self.top.unwrap_or(DEFAULT_TOP)
    }

    /// The query of the next page: the same with another place to begin.
    pub fn next_query(&self, place: (&str, String)) -> String {
        let old = ["$skip", "$skiptoken"];
        let mut pairs = self.raw.clone();
        pairs.retain(|(name, _)| !old.contains(&name.as_str()));
        pairs.push((place.0.into(), place.1));
        url::query(&pairs)
    }
}

fn read_order(set: Set, value: &str) -> Result<Vec<(Expr, bool)>, Refusal> {
    let mut order = vec![];
    for item in url::split_outside(value, ',') {
        let item = item.trim();
        let lower = item.to_ascii_lowercase();
        let (text, down) = if lower.ends_with(" desc") {
            (&item[..item.len() - 5], true)
        } else if lower.ends_with(" asc") {
            (&item[..item.len() - 4], false)
        } else {
            (item, false)
        };
        let expr = filter::parse(text)?;
        expr.check(set)?;
        order.push((expr, down));
    }
    Ok(order)
}

fn read_select(set: Set, value: &str) -> Result<Vec<String>, Refusal> {
    let mut names = vec![];
    for item in value.split(',') {
        let name = item.trim();
        let head = name.split('/').next().unwrap_or(name);
        if set.link(head).is_none() {
            set.check_path(&[head.to_string()])?;
        }
        names.push(head.to_string());
    }
    Ok(names)
}
