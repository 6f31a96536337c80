//! The operator's pages: health, connections, jobs, the audit log, accounts, and `/metrics`.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, if_match, with_version};
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::fault::{Fault, FaultKind};
use kernel::{Access, Verb};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::audit::AuditFilter;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let operate = Access::May(Verb::Operate, "system");
    let accounts = Access::May(Verb::Operate, "accounts");
    let audit = Access::May(Verb::Audit, "audit");
    table.add(
        line(
            "GET /health",
            Access::Public,
            "存活检查",
            "The program is alive",
        ),
        health_plain,
    );
    table.add(
        line(
            "GET /ready",
            Access::Public,
            "就绪检查",
            "The city is ready to work",
        ),
        ready,
    );
    table.add(
        line(
            "GET /metrics",
            Access::Public,
            "Prometheus 指标（本机或令牌）",
            "Prometheus metrics (loopback or token)",
        ),
        metrics,
    );
    table.add(
        line(
            "GET /api/v1/operator/health",
            operate,
            "运行状况",
            "Health in detail",
        )
        .gives("Health"),
        health,
    );
    table.add(
        line(
            "GET /api/v1/operator/connections",
            operate,
            "设备连接",
            "Open connections of devices",
        ),
        connections,
    );
    table.add(
        line(
            "GET /api/v1/operator/jobs",
            operate,
            "后台任务",
            "Background jobs",
        ),
        jobs,
    );
    table.add(
        line(
            "POST /api/v1/operator/jobs/{name}/run",
            operate,
            "立即运行任务",
            "Run a job now",
        ),
        run_job,
    );
    table.add(
        line(
            "GET /api/v1/operator/audit",
            audit,
            "审计日志",
            "The audit log",
        )
        .query(&[
            "account: text",
            "verb: text",
            "object: text",
            "subject: text",
            "from: time",
            "to: time",
            "after: cursor",
            "limit: number",
        ]),
        audit_list,
    );
    table.add(
        line(
            "GET /api/v1/operator/accounts",
            accounts,
            "账号列表",
            "List accounts",
        )
        .query(&["after: cursor", "limit: number"]),
        account_list,
    );
    table.add(
        line(
            "POST /api/v1/operator/accounts",
            accounts,
            "新建账号",
            "Create an account",
        )
        .takes("NewAccount"),
        account_create,
    );
    table.add(
        line(
            "PATCH /api/v1/operator/accounts/{name}",
            accounts,
            "修改账号",
            "Change an account",
        )
        .takes("AccountChange"),
        account_change,
    );
    table.add(
        line(
            "GET /api/v1/operator/tokens",
            accounts,
            "程序令牌",
            "Tokens of programs",
        ),
        tokens,
    );
    table.add(
        line(
            "POST /api/v1/operator/tokens",
            accounts,
            "新建程序令牌",
            "Make a token for a program",
        )
        .takes("NewToken"),
        token_create,
    );
    table.add(
        line(
            "DELETE /api/v1/operator/tokens/{id}",
            accounts,
            "吊销程序令牌",
            "Revoke a token",
        ),
        token_revoke,
    );
}

async fn health_plain() -> Response {
    axum::Json(json!({"status": "ok"})).into_response()
}

/// Ready when the store answers, the last attempt to write found room, and we are not stopping.
async fn ready(State(app): State<Arc<App>>) -> Answer<Response> {
    if *app.stopping.borrow() {
        let mut fault = Fault::new(
            FaultKind::Overloaded,
            "system.stopping",
            "系统正在停止",
            "the program is stopping",
        );
        fault.retry_after_s = Some(5);
        return Err(fault.into());
    }
    if let Some(fault) = app.store.trouble() {
        return Err(fault.into());
    }
    app.store.cursors().floor().await?;
    Ok(axum::Json(json!({"status": "ready"})).into_response())
}

/// The share of the machine's memory this program holds, in bytes (Linux).
fn memory_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    pages * 4096
}

async fn cursors(app: &App) -> Answer<Vec<Value>> {
    let last = app.store.events().last_seq();
    let list = app.store.cursors().list().await?;
    Ok(list
        .into_iter()
        .map(|(name, seq)| json!({"name": name, "seq": seq, "lag": last - seq}))
        .collect())
}

async fn health(State(app): State<Arc<App>>) -> Answer<Response> {
    let counters = app.city.observations.counters();
    let gateways: Vec<Value> = app
        .hj212
        .get()
        .into_iter()
        .map(|g| {
            json!({"name": "hj212", "address": g.local_addr().to_string(),
                "connections": app.gateways().iter().map(|g| g.connections().len()).sum::<usize>(),
                "counters": g.counters()})
        })
        .collect();
    let body = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started_at": app.started_at,
        "now": app.city.clock.now(),
        "store": {
            "kind": match app.store.backend() {
                store::Backend::Sqlite => "sqlite",
                store::Backend::Postgres => "postgres",
            },
            "size_bytes": app.store.size_bytes().await?,
            "last_event": app.store.events().last_seq(),
        },
        "memory_bytes": memory_bytes(),
        "engine": counters,
        "gateways": gateways,
        "cursors": cursors(&app).await?,
        "requests_in_work": app.requests_in_work(),
        "door": {
            "open": app.door.open(),
            "addresses": app.door.addresses(),
            "accepted": app.door.accepted.load(Ordering::Relaxed),
            "refused_full": app.door.refused_full.load(Ordering::Relaxed),
            "refused_address": app.door.refused_address.load(Ordering::Relaxed),
            "tls_failed": app.door.tls_failed.load(Ordering::Relaxed),
            "broken": app.door.broken.load(Ordering::Relaxed),
        },
        "tls": app.tls.get().map(|t| t.served()),
        "metering": {
            "payers": app.metering.payers(),
            "quotas": app.metering.quotas().len(),
            "flushed_at": app.metering.flushed_at(),
            "callers": app.rates.callers(),
        },
        "backup": super::backups::brief(&app),
        "set_aside": {
            "cases": app.cases.count_aside().await?,
            "service_applications": app.applications.count_aside().await?,
        },
    });
    Ok(axum::Json(body).into_response())
}

async fn connections(State(app): State<Arc<App>>) -> Answer<Response> {
    let all: Vec<_> = app
        .gateways()
        .iter()
        .flat_map(|g| g.connections())
        .collect();
    let total = all.len() as u64;
    let items = all.into_iter().take(1000).collect();
    Ok(Listing {
        items,
        next: None,
        total,
    }
    .into_response())
}

async fn jobs(State(app): State<Arc<App>>) -> Answer<Response> {
    let jobs = match app.jobs.get() {
        Some(jobs) => jobs.list().await?,
        None => vec![],
    };
    Ok(Listing::whole(jobs).into_response())
}

async fn run_job(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Answer<Response> {
    let jobs = app
        .jobs
        .get()
        .ok_or_else(|| Refusal(Fault::missing(&name)))?;
    jobs.run_now(&name).await?;
    app.audit(
        caller.actor()?,
        Verb::Operate,
        "jobs",
        &name,
        json!({"run": "now"}),
    )
    .await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

async fn audit_list(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let limit = query.number("limit", 1, 1000, 100);
    let filter = AuditFilter {
        account: query.text("account"),
        verb: query.text("verb"),
        object: query.text("object"),
        subject: query.text("subject"),
        from: query.time("from"),
        to: query.time("to"),
        before: query.choice("after", "cursor", |t| t.parse().ok()),
        limit: limit as u64,
        ..AuditFilter::default()
    };
    query.finish()?;
    let rows = app.store.audit().list(&filter).await?;
    let next = if rows.len() == limit {
        rows.last().map(|r| r.seq.to_string())
    } else {
        None
    };
    let total = app.store.audit().head().await?.seq as u64;
    Ok(Listing {
        items: rows,
        next,
        total,
    }
    .into_response())
}

async fn account_list(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let (after, limit) = (
        query.text("after").unwrap_or_default(),
        query.number("limit", 1, 1000, 100),
    );
    query.finish()?;
    Ok(axum::Json(app.identity.accounts(&after, limit).await?).into_response())
}

async fn account_create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<identity::NewAccount>,
) -> Answer<Response> {
    let account = app.identity.create(caller.actor()?, new).await?;
    Ok((StatusCode::CREATED, with_version(account.version, &account)).into_response())
}

async fn account_change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(change): Json<identity::AccountChange>,
) -> Answer<Response> {
    let expected = if_match(&headers)?;
    let (actor, disables) = (caller.actor()?, change.disabled == Some(true));
    let account = app.identity.change(actor, &name, change, expected).await?;
    if disables {
        // What they lent ends; opening the account again does not lend it again.
        app.organisations.account_disabled(actor, &name).await?;
    }
    Ok(with_version(account.version, &account))
}

async fn tokens(State(app): State<Arc<App>>) -> Answer<Response> {
    Ok(Listing::whole(app.identity.tokens().await?).into_response())
}

/// The secret is in this one answer and nowhere else.
async fn token_create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<identity::NewToken>,
) -> Answer<Response> {
    let (token, secret) = app.identity.create_token(caller.actor()?, new).await?;
    Ok((
        StatusCode::CREATED,
        axum::Json(json!({"token": token, "secret": secret})),
    )
        .into_response())
}

async fn token_revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    app.identity.revoke_token(caller.actor()?, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Prometheus text. Other machines need the token of the configuration.
async fn metrics(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Answer<Response> {
    let token = app.config.text("metrics_token");
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok());
    let by_token =
        !token.is_empty() && given.and_then(|v| v.strip_prefix("Bearer ")) == Some(token);
    if !peer.ip().is_loopback() && !by_token {
        let (zh, en) = (
            "指标只对本机或持令牌者开放",
            "metrics are for loopback or with the token",
        );
        return Err(Refusal(Fault::new(
            FaultKind::Denied,
            "access.denied",
            zh,
            en,
        )));
    }
    let mut text = String::new();
    let mut put = |name: &str, kind: &str, labels: &str, value: f64| {
        let head = format!("# TYPE jicheng_{name} {kind}\n");
        if !text.contains(&head) {
            text.push_str(&head);
        }
        text.push_str(&format!("jicheng_{name}{labels} {value}\n"));
    };
    let counters = app.city.observations.counters();
    put("things", "gauge", "", counters.things as f64);
    put("series", "gauge", "", counters.series as f64);
    put("values_total", "counter", "", counters.values as f64);
    put("values_unflushed", "gauge", "", counters.unflushed as f64);
    put("rows_queued", "gauge", "", counters.queued_rows as f64);
    put("memory_bytes", "gauge", "", memory_bytes() as f64);
    put(
        "events_last",
        "gauge",
        "",
        app.store.events().last_seq() as f64,
    );
    put(
        "http_requests_in_work",
        "gauge",
        "",
        app.requests_in_work() as f64,
    );
    put(
        "http_requests_total",
        "counter",
        "",
        app.requests_total.load(Ordering::Relaxed) as f64,
    );
    let door = &app.door;
    put("http_connections", "gauge", "", door.open() as f64);
    for (reason, count) in [
        ("full", &door.refused_full),
        ("address", &door.refused_address),
        ("tls", &door.tls_failed),
        ("broken", &door.broken),
    ] {
        let labels = format!("{{reason=\"{reason}\"}}");
        let count = count.load(Ordering::Relaxed) as f64;
        put("http_connections_failed_total", "counter", &labels, count);
    }
    if let Some(tls) = app.tls.get() {
        let ends = tls.served().ends_at as f64 / 1e6;
        put("tls_certificate_ends_seconds", "gauge", "", ends);
    }
    for (meter, amount) in app.metering.totals() {
        let labels = format!("{{meter=\"{}\"}}", meter.word());
        put("used_total", "counter", &labels, amount as f64);
    }
    for gateway in app.gateways() {
        let labels = format!("{{gateway=\"{}\"}}", gateway.name());
        put(
            "connections",
            "gauge",
            &labels,
            gateway.connections().len() as f64,
        );
    }
    for (gateway, reason, count) in app.city.devices.rejected_counts() {
        put(
            "frames_rejected_total",
            "counter",
            &format!("{{gateway=\"{gateway}\",reason=\"{reason}\"}}"),
            count as f64,
        );
    }
    for cursor in cursors(&app).await? {
        let labels = format!("{{cursor={}}}", cursor["name"]);
        put(
            "cursor_lag",
            "gauge",
            &labels,
            cursor["lag"].as_f64().unwrap_or(0.0),
        );
    }
    for (name, kind, value) in super::backups::metrics(&app).await? {
        put(name, kind, "", value);
    }
    let [blue, yellow, orange, red] = app.city.alerts.open_counts().await?;
    for (level, count) in [
        ("blue", blue),
        ("yellow", yellow),
        ("orange", orange),
        ("red", red),
    ] {
        put(
            "alerts_open",
            "gauge",
            &format!("{{level=\"{level}\"}}"),
            count as f64,
        );
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
