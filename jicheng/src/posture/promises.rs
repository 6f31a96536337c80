//! Posture: how people prove who they are, how the audit log is kept, how the city would come back
//! after a disaster; as the running city shows it.

use super::met;
use crate::app::App;
use kernel::fault::{Fault, Words};
use kernel::posture::{Finding, State};
use kernel::{Span, Time, Verb};
use serde_json::json;

/// Memory and passes of argon2id that count as enough (OWASP: 19 MiB and two passes).
const HASH: (u32, u32) = (19_456, 2);
/// A checkpoint of a log that grows should not be older.
const CHECKPOINT: Span = Span::minutes(15);
/// Accounts looked at.
const ACCOUNTS: usize = 1_000;

/// Everything this file knows.
pub(super) async fn findings(app: &App, now: Time) -> Result<Vec<Finding>, Fault> {
    Ok(vec![
        password_rule(app, now),
        secrets_hashed(app, now),
        session_ends(app, now),
        second_factor(app, now).await?,
        audit_chain(app, now).await?,
        backup(app, now),
        labels(app, now),
    ])
}

fn password_rule(app: &App, now: Time) -> Finding {
    let remembered = app.config.number("passwords_remembered");
    let words = Words::new(
        format!("口令至少 8 位，常见与已泄露的不接受，最近 {remembered} 个不可重用"),
        format!(
            "eight characters at least, none that leaked or is common, not one of the last {remembered}"
        ),
    );
    let facts = json!({"remembered": remembered, "days": app.config.number("password_days")});
    Finding::new("password_rule", met(remembered > 0), words, facts, now)
}

fn secrets_hashed(app: &App, now: Time) -> Finding {
    let (memory, passes) = (
        app.config.number("argon2_memory_kib"),
        app.config.number("argon2_passes"),
    );
    let words = Words::new(
        format!("口令以 argon2id 保存（{memory} KiB，{passes} 遍），令牌只存摘要"),
        format!(
            "passwords are kept as argon2id ({memory} KiB, {passes} passes), tokens as digests"
        ),
    );
    let enough = memory >= HASH.0 && passes >= HASH.1;
    Finding::new(
        "secrets_hashed",
        met(enough),
        words,
        json!({"memory_kib": memory, "passes": passes}),
        now,
    )
}

fn session_ends(app: &App, now: Time) -> Finding {
    let (idle, longest) = (
        app.config.number("session_idle_min"),
        app.config.number("session_longest_h"),
    );
    let words = Words::new(
        format!("会话闲置 {idle} 分钟、最长 {longest} 小时后结束"),
        format!("a session ends after {idle} idle minutes, {longest} hours at most"),
    );
    let ends = idle > 0 && idle <= 240 && longest > 0 && longest <= 24;
    Finding::new(
        "session_ends",
        met(ends),
        words,
        json!({"idle_min": idle, "longest_h": longest}),
        now,
    )
}

/// Of those who may operate the city, how many have a second factor?
async fn second_factor(app: &App, now: Time) -> Result<Finding, Fault> {
    let page = app.identity.accounts("", ACCOUNTS).await?;
    let powerful = page.items.iter().filter(|account| {
        let actor = kernel::Actor {
            account: account.name.clone(),
            roles: account.roles.clone(),
            ..Default::default()
        };
        let may = |object| app.city.policy.may(&actor, Verb::Operate, object).allowed();
        !account.disabled && (may("system") || may("accounts") || may("keys"))
    });
    let (with, without): (Vec<_>, Vec<_>) =
        powerful.partition(|account| account.second_factors > 0);
    let state = match (with.len(), without.len()) {
        (_, 0) => State::Met,
        (0, _) => State::NotMet,
        _ => State::Partly,
    };
    let words = Words::new(
        format!(
            "可运维平台的账号中，有第二重验证 {} 个，没有 {} 个",
            with.len(),
            without.len()
        ),
        format!(
            "of the accounts that may operate the platform {} have a second factor, {} have none",
            with.len(),
            without.len()
        ),
    );
    let all = app.config.text("second_factor") == "all";
    Ok(Finding::new(
        "second_factor",
        state,
        words,
        json!({"with": with.len(), "without": without.len(), "demanded_of_all": all}),
        now,
    ))
}

/// The log stands in signed trees: how old is the last checkpoint?
async fn audit_chain(app: &App, now: Time) -> Result<Finding, Fault> {
    let last = app.log.checkpoints(None, 1).await?.into_iter().next();
    let age = last.as_ref().map(|row| now.since(Time(row.at)));
    let state = match age {
        Some(age) if age <= CHECKPOINT => State::Met,
        Some(_) => State::Partly,
        None => State::Unknown,
    };
    let (size, minutes) = (
        last.map_or(0, |row| row.size),
        age.map_or(0, |age| age.0 / Span::minutes(1).0),
    );
    let words = Words::new(
        format!("已签名检查点覆盖 {size} 条记录，{minutes} 分钟前签署；可由外部凭公钥核验"),
        format!(
            "a signed checkpoint covers {size} entries, {minutes} minutes old; outsiders verify it with the public key"
        ),
    );
    Ok(Finding::new(
        "audit_chain",
        state,
        words,
        json!({"entries": size, "age_min": minutes}),
        now,
    ))
}

fn backup(app: &App, now: Time) -> Finding {
    let on = app.backups.shipper.is_some();
    let late = app.backups.late(&app.config, app.started_at, now) == Some(true);
    let second = !app.config.text("backup_copy_folder").is_empty();
    let age = app.backups.age_s(now);
    let (state, words) = match (on, late) {
        (false, _) => (
            State::NotMet,
            Words::new("未配置连续备份", "no continuous backup is configured"),
        ),
        (true, true) => (
            State::NotMet,
            Words::new("连续备份已落后", "the continuous backup is late"),
        ),
        (true, false) if second => (
            State::Met,
            Words::new(
                "连续备份正常，另存一份",
                "the backup keeps up, with a second place",
            ),
        ),
        (true, false) => (
            State::Partly,
            Words::new(
                "连续备份正常，未设第二处存放",
                "the backup keeps up, with no second place",
            ),
        ),
    };
    Finding::new(
        "backup",
        state,
        words,
        json!({"on": on, "late": late, "age_s": age, "second_place": second}),
        now,
    )
}

/// Which data are personal is said field by field, and whose a record is.
fn labels(app: &App, now: Time) -> Finding {
    let registers: Vec<_> = app.city.declared.registers().collect();
    let personal = registers
        .iter()
        .flat_map(|r| &r.fields)
        .filter(|f| f.personal)
        .count();
    let owned = registers
        .iter()
        .filter(|r| r.access.named().next().is_some())
        .count();
    let words = Words::new(
        format!(
            "登记簿 {} 个，标为个人信息的字段 {personal} 个，按归属授权的登记簿 {owned} 个",
            registers.len()
        ),
        format!(
            "{} registers, {personal} fields marked personal, {owned} registers with owners of records",
            registers.len()
        ),
    );
    Finding::new(
        "labels",
        State::Partly,
        words,
        json!({"registers": registers.len(), "personal": personal, "owned": owned}),
        now,
    )
}
