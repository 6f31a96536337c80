//! Lists of applications: whose, narrowed by what the policy leaves, page by page.

use super::read::select_applications;
use super::rows::ApplicationRow;
use crate::sql::Run;
use kernel::Fault;
use sea_query::{Cond, Expr, ExprTrait, Func, LikeExpr, Order, Query};

/// Rows of a page, at most.
pub const PAGE: usize = 200;

/// A condition on applications, as a policy leaves it.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// All of them.
    All(Vec<Test>),
    /// One of them.
    Any(Vec<Test>),
    /// Not this.
    Not(Box<Test>),
    /// The organisation in charge is one of these.
    Organisation(Vec<String>),
    /// The keyed digest of the applicant is one of these.
    Owner(Vec<String>),
    /// The number is one of these.
    Number(Vec<String>),
    /// The kind of matter is one of these.
    Matter(Vec<String>),
}

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct ListQuestion {
    /// Only of this applicant (keyed digest); parts of bundles are left to their bundle.
    pub owner: Option<String>,
    /// Only those for which this holds.
    pub test: Option<Test>,
    /// In one of these states.
    pub states: Vec<i64>,
    /// Of this item.
    pub item: Option<String>,
    /// That came this way.
    pub channel: Option<String>,
    /// Number begins with this, or title contains it.
    pub text: Option<String>,
    /// Waiting for delivery.
    pub undelivered: bool,
    /// With a bad mark not answered.
    pub unanswered: bool,
    /// The most pressing first instead of the newest.
    pub pressing: bool,
    /// After this row: when it is due (with `pressing`), and its identification.
    pub after: Option<(i64, String)>,
    /// Rows, at most.
    pub limit: usize,
}

/// Values of one condition, at most; the databases bound the parameters of a statement.
const VALUES: usize = 5_000;

fn cond(test: &Test) -> Cond {
    let among = |column: &'static str, values: &[String]| {
        let values = values.iter().take(VALUES).map(String::as_str);
        Cond::all().add(Expr::col(column).is_in(values))
    };
    match test {
        Test::All(parts) => parts
            .iter()
            .fold(Cond::all(), |all, part| all.add(cond(part))),
        // None of none holds.
        Test::Any(parts) if parts.is_empty() => Cond::all().add(Expr::col("version").lt(0)),
        Test::Any(parts) => parts
            .iter()
            .fold(Cond::any(), |any, part| any.add(cond(part))),
        Test::Not(part) => cond(part).not(),
        Test::Organisation(values) => among("organisation", values),
        Test::Owner(values) => among("owner", values),
        Test::Number(values) => among("number", values),
        Test::Matter(values) => among("matter", values),
    }
}

fn like(column: &'static str, text: &str, anywhere: bool) -> Expr {
    let mut pattern = String::from(if anywhere { "%" } else { "" });
    for c in text.chars() {
        if ['%', '_', '!'].contains(&c) {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    Expr::col(column).like(LikeExpr::new(pattern).escape('!'))
}

fn conditions(question: &ListQuestion) -> Cond {
    let mut all = Cond::all();
    let equal = |column: &'static str, value: &Option<String>| {
        let value = value.as_deref();
        value.map(|value| Expr::col(column).eq(value))
    };
    for part in [
        equal("owner", &question.owner),
        equal("item", &question.item),
        equal("channel", &question.channel),
    ]
    .into_iter()
    .flatten()
    {
        all = all.add(part);
    }
    if question.owner.is_some() {
        all = all.add(Expr::col("parent").is_null());
    }
    if let Some(test) = &question.test {
        all = all.add(cond(test));
    }
    if !question.states.is_empty() {
        all = all.add(Expr::col("state").is_in(question.states.iter().copied()));
    }
    if question.undelivered {
        all = all.add(Expr::col("undelivered").eq(1));
    }
    if question.unanswered {
        all = all.add(Expr::col("unanswered").eq(1));
    }
    if let Some(text) = &question.text {
        let any = Cond::any()
            .add(like("number", text, false))
            .add(like("title_zh", text, true))
            .add(like("title_en", text, true));
        all = all.add(any);
    }
    all
}

/// A page: the rows, whether more follow, and how many match in all. Ask it of a snapshot, so that
/// the count is that of the very rows.
pub async fn page(
    run: &mut impl Run,
    question: &ListQuestion,
) -> Result<(Vec<ApplicationRow>, bool, i64), Fault> {
    let conditions = conditions(question);
    let count = Query::select()
        .expr_as(Func::count(Expr::col("id")), "rows")
        .from("applications")
        .cond_where(conditions.clone())
        .to_owned();
    let count = run.fetch_optional(&count).await?;
    let count = count.map_or(Ok(0), |row| row.i64("rows"))?;
    let limit = question.limit.clamp(1, PAGE);
    let mut select = select_applications();
    select.cond_where(conditions);
    if question.pressing {
        if let Some((due_at, id)) = &question.after {
            let place = Expr::tuple([Expr::col("due_at"), Expr::col("id")]);
            let before = Expr::tuple([Expr::val(*due_at), Expr::val(id.as_str())]);
            select.and_where(place.gt(before));
        }
        select
            .order_by("due_at", Order::Asc)
            .order_by("id", Order::Asc);
    } else {
        if let Some((_, id)) = &question.after {
            select.and_where(Expr::col("id").lt(id.as_str()));
        }
        select.order_by("id", Order::Desc);
    }
    select.limit(limit as u64 + 1);
    let rows = run.fetch_all(&select).await?;
    let more = rows.len() > limit;
    let rows: Result<Vec<_>, Fault> = rows.iter().take(limit).map(ApplicationRow::read).collect();
    Ok((rows?, more, count))
}
