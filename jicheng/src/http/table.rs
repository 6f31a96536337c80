//! The table of routes. A route can be added only together with what it demands of its caller,
//! so nothing is open by forgetting. The access matrix, the list of routes and the OpenAPI
//! document are all printed from this table.

use super::guard;
use crate::app::App;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use futures::future::BoxFuture;
use kernel::{Access, Words};
use std::sync::Arc;

/// A body from somebody who need not be signed in holds at most so many bytes.
const STRANGERS_BODY: usize = 256 * 1024;

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Route {
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    pub method: &'static str,
    /// Path with `{parameters}`.
    pub path: String,
    /// What it demands.
    pub access: Access,
    /// What it does.
    pub words: Words,
    /// Query parameters: name and what it is, such as `limit: number`.
    pub query: &'static [&'static str],
    /// Component of the OpenAPI document that the body follows; empty for none.
    pub takes: &'static str,
    /// Component that the answer follows, or `file: ` and its media types; empty for none.
    pub gives: &'static str,
    /// The body may be a batch or a file; others hold at most [`SMALL_BODY`] bytes, as do files of
    /// those who need not be signed in.
    pub large: bool,
    /// The caller must have proved who they are a short while ago.
    pub fresh: bool,
}

/// Bytes of a body that is one form or one record, unpacked, at most.
pub const SMALL_BODY: usize = 1 << 20;

/// A handler without its own type, so that what stands around handlers is compiled once and not
/// for every route.
type AnyHandler = Arc<dyn Fn(Request, Arc<App>) -> BoxFuture<'static, Response> + Send + Sync>;

/// The table and the router made of it.
pub struct Table {
    app: Arc<App>,
    /// Lines in the order they were added.
    pub routes: Vec<Route>,
    router: Router<Arc<App>>,
}

/// A line being added; see [`Table::add`].
pub struct Line {
    method: &'static str,
    path: String,
    access: Access,
    words: Words,
    query: &'static [&'static str],
    takes: &'static str,
    gives: &'static str,
    large: bool,
    fresh: bool,
    secret: bool,
}

/// Begins a line: `GET /path`, what it demands, what it does in Chinese and English.
pub fn line(route: &str, access: Access, zh: &str, en: &str) -> Line {
    let (method, path) = route.split_once(' ').unwrap_or(("GET", route));
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let method = methods.into_iter().find(|m| *m == method).unwrap_or("GET");
    Line {
        method,
        path: path.into(),
        access,
        words: Words::new(zh, en),
        query: &[],
        takes: "",
        gives: "",
        large: false,
        fresh: false,
        secret: false,
    }
}

impl Line {
    /// A dangerous act: the caller must have proved who they are a short while ago.
    pub fn fresh(mut self) -> Line {
        self.fresh = true;
        self
    }
    /// The answer holds a secret: it is not remembered for a repeated `Idempotency-Key`.
    pub fn secret(mut self) -> Line {
        self.secret = true;
        self
    }
    /// Query parameters.
    pub fn query(mut self, names: &'static [&'static str]) -> Line {
        self.query = names;
        self
    }
    /// Component of the body.
    pub fn takes(mut self, component: &'static str) -> Line {
        self.takes = component;
        self
    }
    /// The body may be a batch or a file.
    pub fn large(mut self) -> Line {
        self.large = true;
        self
    }
    /// Component of the answer.
    pub fn gives(mut self, component: &'static str) -> Line {
        self.gives = component;
        self
    }
}

impl Table {
    /// An empty table.
    pub fn new(app: Arc<App>) -> Table {
        Table {
            app,
            routes: vec![],
            router: Router::new(),
        }
    }

    /// Adds a line with its handler, guarded by what it demands.
    pub fn add<H, T>(&mut self, line: Line, handler: H)
    where
        H: Handler<T, Arc<App>> + Sync,
        T: 'static,
    {
        let handler: AnyHandler =
            Arc::new(move |request, app| Box::pin(handler.clone().call(request, app)));
        self.add_any(line, handler);
    }

    fn add_any(&mut self, line: Line, handler: AnyHandler) {
        let filter = match line.method {
            "POST" => MethodFilter::POST,
            "PUT" => MethodFilter::PUT,
            "PATCH" => MethodFilter::PATCH,
            "DELETE" => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        let run = move |State(app): State<Arc<App>>, request: Request| handler(request, app);
        let mut handler: MethodRouter<Arc<App>> = on(filter, run);
        if line.access == Access::Public {
            // Strangers send a name and a password; where they may show a file, a small one.
            let most = if line.large {
                SMALL_BODY
            } else {
                STRANGERS_BODY
            };
            handler = handler.layer(DefaultBodyLimit::max(most));
        } else if !line.large {
            handler = handler.layer(DefaultBodyLimit::max(SMALL_BODY));
        }
        let guarded = handler.layer(from_fn_with_state(
            (
                self.app.clone(),
                guard::Demand {
                    access: line.access,
                    fresh: line.fresh,
                    secret: line.secret,
                },
            ),
            guard::admit,
        ));
        let router = std::mem::take(&mut self.router);
        self.router = router.route(&line.path, guarded);
        self.routes.push(Route {
            method: line.method,
            path: line.path,
            access: line.access,
            words: line.words,
            query: line.query,
            takes: line.takes,
            gives: line.gives,
            large: line.large,
            fresh: line.fresh,
        });
    }

    /// The finished router and its lines.
    pub fn finish(self) -> (Router<Arc<App>>, Vec<Route>) {
        (self.router, self.routes)
    }
}
