//! Metering at the guard: how fast callers come, what their organisation and application may
//! still do, and the bytes that go in and out. Every answer tells what is left
//! (draft-ietf-httpapi-ratelimit-headers).

use super::problem::Refusal;
use crate::app::App;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use kernel::fault::{Fault, FaultKind};
use kernel::metering::{Left, Meter, Meters, Payer};
use kernel::{Access, Actor, Verb};
use metering::Rate;
use std::fmt::Write;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Requests that may come at once are so many seconds' worth.
const BURST_S: u32 = 5;

fn rate(app: &App, setting: &str) -> Option<Rate> {
    let per_second = app.config.number(setting);
    (per_second > 0).then_some(Rate {
        per_second,
        burst: per_second.saturating_mul(BURST_S),
    })
}

fn too_fast(seconds: u32) -> Fault {
    let mut fault = Fault::new(
        FaultKind::TooMany,
        "metering.rate",
        format!("请求过快，请 {seconds} 秒后再试"),
        format!("too many requests; come again in {seconds} s"),
    );
    fault.retry_after_s = Some(seconds);
    fault
}

/// Callers without a session share the rate of their address; whoever names a session or token
/// that is none is one of them. This machine itself is free.
pub fn within_rate_of_address(app: &App, parts: &Parts) -> Result<(), Refusal> {
    let named = parts.headers.contains_key(header::AUTHORIZATION)
        || parts.headers.contains_key(header::COOKIE);
    if named {
        return Ok(());
    }
    address_rate(app, parts)
}

fn address_rate(app: &App, parts: &Parts) -> Result<(), Refusal> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let Some(address) = peer.map(|p| p.0.ip()).filter(|ip| !ip.is_loopback()) else {
        return Ok(());
    };
    let Some(rate) = rate(app, "rate_address_per_s") else {
        return Ok(());
    };
    let now = app.city.clock.now();
    match app.rates.take(&address, rate, now) {
        Ok(_) => Ok(()),
        Err(seconds) => Err(Refusal(too_fast(seconds))),
    }
}

/// A request that was admitted, and on whose account it runs.
pub struct Pass {
    app: Arc<App>,
    organisation: Arc<str>,
    application: Arc<str>,
    policy: String,
    limit: String,
    stores: bool,
}

/// Counts a request, or says why not.
pub fn admit(
    app: &Arc<App>,
    actor: Option<&Actor>,
    access: Access,
    parts: &Parts,
) -> Result<Pass, Box<Response>> {
    let payer = Payer::of(actor);
    let (mut policy, mut limit) = (String::new(), String::new());
    let refuse = |fault: Fault, policy: &str, limit: &str| {
        let mut response = Refusal(fault).into_response();
        say(response.headers_mut(), policy, limit);
        Box::new(response)
    };
    match actor {
        None => address_rate_of_the_unknown(app, parts)?,
        Some(actor) => {
            if let Some(rate) = rate(app, "rate_caller_per_s") {
                let _ = write!(policy, "\"rate\";q={};w={BURST_S}", rate.burst);
                match app.rates.take(&actor.account, rate, app.city.clock.now()) {
                    Ok(room) => {
                        let _ = write!(limit, "\"rate\";r={};t={}", room.left, room.full_in_s);
                    }
                    Err(seconds) => {
                        let _ = write!(limit, "\"rate\";r=0;t={seconds}");
                        return Err(refuse(too_fast(seconds), &policy, &limit));
                    }
                }
            }
        }
    }
    let stores = matches!(access, Access::May(Verb::Write, _));
    let mut admitted = app.metering.admit(payer, Meter::Requests, 1);
    for meter in [Meter::BytesIn, Meter::BytesOut] {
        admitted = admitted.and_then(|()| app.metering.admit(payer, meter, 0));
    }
    if stores {
        for meter in [Meter::StorageBytes, Meter::Observations] {
            admitted = admitted.and_then(|()| app.metering.admit(payer, meter, 0));
        }
    }
    describe(app, &app.metering.left(payer), &mut policy, &mut limit);
    match admitted {
        Err(fault) => Err(refuse(fault, &policy, &limit)),
        Ok(()) => Ok(Pass {
            app: app.clone(),
            organisation: payer.organisation.into(),
            application: payer.application.into(),
            policy,
            limit,
            stores,
        }),
    }
}

/// Who shows a session or token that is none.
fn address_rate_of_the_unknown(app: &App, parts: &Parts) -> Result<(), Box<Response>> {
    let named = parts.headers.contains_key(header::AUTHORIZATION)
        || parts.headers.contains_key(header::COOKIE);
    match named {
        true => address_rate(app, parts).map_err(|refusal| Box::new(refusal.into_response())),
        // Asked before already.
        false => Ok(()),
    }
}

/// The limits as header fields: policies with their windows, and what is left of each.
fn describe(app: &App, all: &[Left], policy: &mut String, limit: &mut String) {
    let now = app.city.clock.now();
    for one in all {
        let separator = if policy.is_empty() { "" } else { ", " };
        let _ = write!(policy, "{separator}\"{}\";q={}", one.quota, one.limit);
        let separator = if limit.is_empty() { "" } else { ", " };
        let _ = write!(limit, "{separator}\"{}\";r={}", one.quota, one.left());
        if let Some(end) = one.resets_at {
            let start = one.window.start(now);
            let _ = write!(policy, ";w={}", end.since(start).0 / 1_000_000);
            let _ = write!(limit, ";t={}", end.since(now).0.max(0) / 1_000_000 + 1);
        }
    }
}

fn say(headers: &mut HeaderMap, policy: &str, limit: &str) {
    for (name, text) in [(POLICY, policy), (LIMIT, limit)] {
        if let Ok(value) = HeaderValue::from_str(text)
            && !text.is_empty()
        {
            headers.insert(name, value);
        }
    }
}

impl Pass {
    fn counter(&self, meters: &'static [Meter]) -> Counter {
        Counter {
            app: self.app.clone(),
            organisation: self.organisation.clone(),
            application: self.application.clone(),
            meters,
            bytes: 0,
        }
    }

    /// The body of the request, counted as it is read.
    pub fn count_in(&self, body: Body) -> Body {
        if body.is_end_stream() {
            return body;
        }
        let meters: &[Meter] = match self.stores {
            true => &[Meter::BytesIn, Meter::StorageBytes],
            false => &[Meter::BytesIn],
        };
        Body::new(Counted {
            body,
            counter: self.counter(meters),
        })
    }

    /// The answer, counted as it is sent, with what is left.
    pub fn dress(self, mut response: Response) -> Response {
        say(response.headers_mut(), &self.policy, &self.limit);
        let counter = self.counter(&[Meter::BytesOut]);
        response.map(|body| match body.size_hint().exact() {
            // Most answers are one piece: counted at once, without a wrapper.
            Some(bytes) => {
                let mut counter = counter;
                counter.bytes = bytes;
                body
            }
            None => Body::new(Counted { body, counter }),
        })
    }
}

/// Counts when it is dropped, whether the body came to its end or not.
struct Counter {
    app: Arc<App>,
    organisation: Arc<str>,
    application: Arc<str>,
    meters: &'static [Meter],
    bytes: u64,
}

impl Drop for Counter {
    fn drop(&mut self) {
        let payer = Payer {
            organisation: &self.organisation,
            application: &self.application,
        };
        for meter in self.meters {
            self.app.metering.count(payer, *meter, self.bytes);
        }
    }
}

/// A body that is counted.
struct Counted {
    body: Body,
    counter: Counter,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.counter.bytes += data.len() as u64;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
