//! Posture: the items of the standards judged by what the running system shows. Engines give
//! evidence through the kernel's trait; what only the program knows is found here. Nothing is
//! ticked by hand: an item without evidence is unknown.

mod promises;

use crate::app::App;
use async_trait::async_trait;
use kernel::crypto::{Ring, Suite};
use kernel::fault::{Fault, Words};
use kernel::posture::{Evidence, Finding, State};
use kernel::{Access, Actor, Decision, Span, Time, Verb};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use store::audit::AuditFilter;

/// A key older than this should have been rotated.
const KEY_AGE: Span = Span::days(400);
/// An account not used for so long should be closed.
const IDLE: Span = Span::days(180);
/// Findings of one page of accounts.
const ACCOUNTS: usize = 1_000;

/// An item with its judgement.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// Stable name.
    pub name: String,
    /// Standard and clause.
    pub standard: String,
    /// What it asks.
    pub title: Words,
    /// `met`, `partly`, `not_met`, `unknown`, `not_ours`.
    pub state: &'static str,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Who answers for it, when it is not the software.
    pub by: Option<Words>,
}

/// Lets the program give evidence about itself.
pub fn join(app: &Arc<App>) {
    let own = Program(Arc::downgrade(app));
    app.evidence.write().push(Arc::new(own));
}

/// Judges every declared item.
pub async fn judge(app: &App) -> Result<Vec<Judged>, Fault> {
    let sources: Vec<Arc<dyn Evidence>> = app.evidence.read().clone();
    let mut found: BTreeMap<String, Finding> = BTreeMap::new();
    for source in sources {
        // Later sources know better: an engine more than the program about it.
        for finding in source.findings().await? {
            found.insert(finding.check.clone(), finding);
        }
    }
    let now = app.city.clock.now();
    let items = app.city.declared.systems.iter().flat_map(|s| &s.posture);
    let judged = items.map(|item| {
        let findings: Vec<Finding> = item
            .checks
            .iter()
            .map(|check| match found.get(check) {
                Some(finding) => finding.clone(),
                None => unknown(check, now),
            })
            .collect();
        Judged {
            name: item.name.clone(),
            standard: item.standard.clone(),
            title: item.title.clone(),
            state: match item.by {
                Some(_) => "not_ours",
                None => together(&findings),
            },
            findings,
            by: item.by.clone(),
        }
    });
    Ok(judged.collect())
}

fn unknown(check: &str, now: Time) -> Finding {
    let words = Words::new(
        format!("暂无系统证据（{check}）"),
        format!("no engine gives evidence of {check} yet"),
    );
    Finding::new(check, State::Unknown, words, json!({}), now)
}

/// All met: met. None met: not met. Nothing known: unknown. Anything else: in part.
fn together(findings: &[Finding]) -> &'static str {
    let all = |state: State| findings.iter().all(|f| f.state == state);
    if all(State::Met) {
        "met"
    } else if all(State::Unknown) {
        "unknown"
    } else if findings
        .iter()
        .all(|f| matches!(f.state, State::NotMet | State::Unknown))
    {
        "not_met"
    } else {
        "partly"
    }
}

struct Program(Weak<App>);

fn met(condition: bool) -> State {
    if condition { State::Met } else { State::NotMet }
}

#[async_trait]
impl Evidence for Program {
    async fn findings(&self) -> Result<Vec<Finding>, Fault> {
        let Some(app) = self.0.upgrade() else {
            return Ok(vec![]);
        };
        let now = app.city.clock.now();
        let mut all = web(&app, now);
        all.extend(keys(&app, now));
        all.extend(people(&app, now).await?);
        all.extend(records(&app, now).await?);
        all.extend(promises::findings(&app, now).await?);
        Ok(all)
    }
}

/// What is known of the web.
fn web(app: &Arc<App>, now: Time) -> Vec<Finding> {
    let served = app.tls.get().map(|t| t.served());
    let proxied =
        app.config.text("public_url").starts_with("https:") && !app.config.proxies().is_empty();
    let days = served
        .as_ref()
        .map(|s| Time(s.ends_at).since(now).0 / Span::days(1).0);
    let (state, words) = match (&served, proxied) {
        (Some(s), _) if s.source != "temporary" && days > Some(0) => (
            State::Met,
            Words::new(
                format!("TLS 1.2/1.3 已启用，证书剩余 {} 天", days.unwrap_or(0)),
                format!(
                    "TLS 1.2/1.3 is on, the certificate ends in {} days",
                    days.unwrap_or(0)
                ),
            ),
        ),
        (Some(_), _) => (
            State::Partly,
            Words::new(
                "TLS 已启用，但证书是临时的或已过期",
                "TLS is on with a temporary or ended certificate",
            ),
        ),
        (None, true) => (
            State::Partly,
            Words::new(
                "TLS 由前置代理提供（本系统无法核实）",
                "TLS is spoken by the proxy in front, which is not seen from here",
            ),
        ),
        (None, false) => (
            State::NotMet,
            Words::new(
                "未启用 TLS：网页以明文传输",
                "TLS is not on: the web is in clear text",
            ),
        ),
    };
    let host = app.config.text("public_url");
    let (_, routes) = crate::http::table(app);
    let open = routes.iter().filter(|r| r.access == Access::Public).count();
    let quotas = app.metering.quotas().len();
    let limits = crate::listen::Limits::of(&app.config);
    vec![
        Finding::new(
            "tls",
            state,
            words,
            json!({"served": served, "days_left": days}),
            now,
        ),
        Finding::new(
            "host_known",
            met(!host.is_empty()),
            match host {
                "" => Words::new(
                    "未配置 public_url，任何主机名都会应答",
                    "public_url is not set: any host is answered",
                ),
                _ => Words::new(format!("只应答 {host}"), format!("only {host} is answered")),
            },
            json!({"public_url": host}),
            now,
        ),
        Finding::new(
            "routes_guarded",
            State::Met,
            Words::new(
                format!("{} 个接口均有访问声明，其中公开 {open} 个", routes.len()),
                format!(
                    "all {} routes state what they demand, {open} are public",
                    routes.len()
                ),
            ),
            json!({"routes": routes.len(), "public": open}),
            now,
        ),
        Finding::new(
            "input_checked",
            State::Met,
            Words::new(
                format!(
                    "{} 个声明的登记簿按模式校验，错误整体拒收",
                    app.city.declared.registers().count()
                ),
                format!(
                    "{} registers are checked by schema and refused whole",
                    app.city.declared.registers().count()
                ),
            ),
            json!({"registers": app.city.declared.registers().count(), "body_bytes": crate::http::table::SMALL_BODY}),
            now,
        ),
        Finding::new(
            "web_limits",
            met(app.config.number("rate_caller_per_s") > 0
                && app.config.number("rate_address_per_s") > 0),
            Words::new(
                format!(
                    "连接上限 {}，每地址 {}，已拒绝 {}",
                    limits.connections,
                    limits.per_address,
                    refused(app)
                ),
                format!(
                    "{} connections at most, {} an address, {} refused",
                    limits.connections,
                    limits.per_address,
                    refused(app)
                ),
            ),
            json!({"connections": limits.connections, "per_address": limits.per_address, "refused": refused(app),
                "rate_caller_per_s": app.config.number("rate_caller_per_s"), "rate_address_per_s": app.config.number("rate_address_per_s")}),
            now,
        ),
        Finding::new(
            "quotas_set",
            met(quotas > 0),
            Words::new(
                format!("已设限额 {quotas} 项"),
                format!("{quotas} quotas are in force"),
            ),
            json!({"quotas": quotas}),
            now,
        ),
        Finding::new(
            "metrics_on",
            State::Met,
            Words::new(
                match app.config.text("metrics_token") {
                    "" => "指标只对本机开放",
                    _ => "指标对持令牌的监测系统开放",
                },
                match app.config.text("metrics_token") {
                    "" => "metrics are read on this machine only",
                    _ => "metrics are read with a token",
                },
            ),
            json!({"remote": !app.config.text("metrics_token").is_empty()}),
            now,
        ),
    ]
}

fn refused(app: &App) -> u64 {
    use std::sync::atomic::Ordering::Relaxed;
    app.door.refused_full.load(Relaxed) + app.door.refused_address.load(Relaxed)
}

/// What is known of keys.
fn keys(app: &App, now: Time) -> Vec<Finding> {
    let rings = [Ring::Audit, Ring::OpenId, Ring::Seal];
    let public = rings.iter().filter_map(|r| app.crypto.public_keys(*r).ok());
    let oldest = public
        .flatten()
        .filter(|k| k.current)
        .map(|k| now.since(Time(k.created_at)))
        .max();
    let days = oldest.map(|age| age.0 / Span::days(1).0);
    let national = app.crypto.suite() == Suite::National;
    let place = app.key_rings.master_place().to_string();
    vec![
        Finding::new(
            "keys_young",
            oldest.map_or(State::Unknown, |age| met(age < KEY_AGE)),
            Words::new(
                format!("最旧的在用密钥已 {} 天", days.unwrap_or(0)),
                format!("the oldest key in use is {} days old", days.unwrap_or(0)),
            ),
            json!({"oldest_days": days}),
            now,
        ),
        Finding::new(
            "keys_sealed",
            State::Met,
            Words::new(
                format!("密钥以主密钥加密存放，主密钥位于 {place}"),
                format!("keys are kept encrypted under the master key in {place}"),
            ),
            json!({"master": app.key_rings.master_id(), "place": place}),
            now,
        ),
        Finding::new(
            "national_suite",
            if national { State::Met } else { State::NotMet },
            match national {
                true => Words::new("使用 SM2/SM3/SM4", "SM2, SM3 and SM4 are in use"),
                false => Words::new("当前为国际算法套件", "the international suite is in use"),
            },
            json!({"suite": app.crypto.suite()}),
            now,
        ),
        Finding::new(
            "certified_module",
            State::NotMet,
            Words::new(
                "当前使用软件密码模块，未经检测认证；可经同一接口更换为认证模块",
                "a software provider is in use, which is not certified; a certified module takes its place behind the same trait",
            ),
            json!({"provider": "software"}),
            now,
        ),
        Finding::new(
            "national_tls",
            State::NotMet,
            Words::new(
                "本系统不直接支持 TLCP；须由前置国密网关提供（见 docs/operating.md）",
                "TLCP is not spoken by the program; a gateway in front speaks it (docs/operating.md)",
            ),
            json!({}),
            now,
        ),
        Finding::new(
            "store_encrypted",
            State::NotMet,
            Words::new(
                "数据库文件未由本系统加密；请使用加密磁盘",
                "the database is not encrypted by the program; use an encrypted disk",
            ),
            json!({"store": app.store.backend() == store::Backend::Sqlite}),
            now,
        ),
    ]
}

/// What is known of accounts.
async fn people(app: &App, now: Time) -> Result<Vec<Finding>, Fault> {
    let page = app.identity.accounts("", ACCOUNTS).await?;
    let active: Vec<_> = page.items.iter().filter(|a| !a.disabled).collect();
    let demo = &app.city.declared.city.accounts;
    let left_over = active
        .iter()
        .filter(|a| demo.iter().any(|d| d.name == a.name));
    let left_over = left_over.count();
    let idle = active
        .iter()
        .filter(|a| now.since(a.last_sign_in.unwrap_or(a.created_at)) > IDLE)
        .count();
    let both = active.iter().filter(|a| {
        let actor = Actor {
            account: a.name.clone(),
            roles: a.roles.clone(),
            ..Actor::default()
        };
        let may = |verb, object| {
            matches!(
                app.city.policy.may(&actor, verb, object),
                Decision::Allowed { .. }
            )
        };
        may(Verb::Operate, "accounts") && may(Verb::Audit, "audit")
    });
    let both = both.count();
    let tokens = app.identity.tokens().await?;
    let roles = app.city.declared.roles().len();
    Ok(vec![
        Finding::new(
            "accounts_unique",
            State::Met,
            Words::new(
                format!("账号 {} 个，名称唯一", page.total),
                format!("{} accounts with names of their own", page.total),
            ),
            json!({"accounts": page.total, "active": active.len()}),
            now,
        ),
        Finding::new(
            "no_demo_accounts",
            met(left_over == 0),
            Words::new(
                format!("演示账号 {left_over} 个仍可登录"),
                format!("{left_over} demonstration accounts may still sign in"),
            ),
            json!({"demonstration": left_over}),
            now,
        ),
        Finding::new(
            "idle_accounts",
            met(idle == 0),
            Words::new(
                format!("180 天未登录的账号 {idle} 个"),
                format!("{idle} accounts were not used for 180 days"),
            ),
            json!({"idle": idle}),
            now,
        ),
        Finding::new(
            "roles_apart",
            met(both == 0),
            Words::new(
                format!("同时可管理账号和审计的账号 {both} 个"),
                format!("{both} accounts may both manage accounts and audit"),
            ),
            json!({"both": both, "roles": roles}),
            now,
        ),
        Finding::new(
            "policy_loaded",
            met(roles > 0),
            Words::new(
                format!(
                    "已声明角色 {roles} 个、策略文件 {} 个",
                    app.city.declared.policies().count()
                ),
                format!(
                    "{roles} roles and {} policy files are in force",
                    app.city.declared.policies().count()
                ),
            ),
            json!({"roles": roles}),
            now,
        ),
        Finding::new(
            "tokens_end",
            State::Met,
            Words::new(
                format!("程序令牌 {} 个，均有期限", tokens.len()),
                format!("{} tokens of programs, each with an end", tokens.len()),
            ),
            json!({"tokens": tokens.len(), "ended": tokens.iter().filter(|t| t.expires_at <= now).count()}),
            now,
        ),
    ])
}

/// What is known of the audit log and of devices.
async fn records(app: &App, now: Time) -> Result<Vec<Finding>, Fault> {
    let head = app.store.audit().head().await?;
    let today = AuditFilter {
        from: Some(kernel::metering::Window::Day.start(now)),
        limit: 1_000,
        ..AuditFilter::default()
    };
    let entries = app.store.audit().list(&today).await?;
    let denied = entries
        .iter()
        .filter(|e| e.entry.outcome == "denied")
        .count();
    let jobs = match app.jobs.get() {
        Some(jobs) => jobs.list().await?,
        None => vec![],
    };
    let verified = jobs.iter().find(|j| j.name == "verify_audit");
    let at = verified.and_then(|j| j.ended_at);
    let state = match verified {
        Some(j) if j.error.is_some() => State::NotMet,
        Some(j) if j.ended_at.is_some() => State::Met,
        // Chained from the first entry on; verified every night.
        _ => State::Partly,
    };
    let words = match at {
        Some(at) => Words::new(
            format!("链式摘要，上次校验 {}，共 {} 条", at.for_people(), head.seq),
            format!(
                "chained digests, verified {}, {} entries",
                at.for_people(),
                head.seq
            ),
        ),
        None => Words::new(
            format!("链式摘要，共 {} 条，尚未做过夜间校验", head.seq),
            format!(
                "chained digests, {} entries, not yet verified by the nightly job",
                head.seq
            ),
        ),
    };
    let figures = json!({"entries": head.seq, "verified_at": at});
    let quarantined = app.city.devices.rejected_counts();
    let refused: u64 = quarantined.iter().map(|(_, _, count)| count).sum();
    let personal = app.city.declared.registers();
    let personal = personal
        .filter(|r| r.fields.iter().any(|f| f.personal))
        .count();
    let value = |n: usize| -> Value { json!(n) };
    Ok(vec![
        Finding::new("audit_chain", state, words, figures, now),
        Finding::new(
            "audit_running",
            met(head.seq > 0),
            Words::new(
                format!("今日审计 {} 条（最多显示 1000）", entries.len()),
                format!("{} entries today (1,000 shown at most)", entries.len()),
            ),
            json!({"entries": head.seq, "today": entries.len()}),
            now,
        ),
        Finding::new(
            "audit_kept",
            State::Met,
            Words::new("审计记录从不删除", "audit entries are never removed"),
            json!({"first": 1, "last": head.seq}),
            now,
        ),
        Finding::new(
            "sign_in_limited",
            State::Met,
            Words::new(
                format!("失败登录逐次减速并锁定；今日被拒 {denied} 次"),
                format!("failed sign-ins are slowed and locked; {denied} denied today"),
            ),
            json!({"denied_today": value(denied)}),
            now,
        ),
        Finding::new(
            "personal_declared",
            State::Met,
            Words::new(
                format!("含个人信息的登记簿 {personal} 个，字段逐一声明"),
                format!("{personal} registers hold personal data, field by field declared"),
            ),
            json!({"registers": personal}),
            now,
        ),
        Finding::new(
            "devices_claimed",
            State::Partly,
            Words::new(
                format!("未认领设备的数据隔离；已拒收报文 {refused} 条；协议本身无设备签名"),
                format!(
                    "unclaimed devices are quarantined; {refused} frames refused; the protocol itself carries no signature"
                ),
            ),
            json!({"refused": refused}),
            now,
        ),
    ])
}
