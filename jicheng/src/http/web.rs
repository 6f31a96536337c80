//! The web application's files, compressed ones where the browser takes them. Any path that is
//! not a file is the application's own business: it gets the start page.

use super::guard::nothing_here;
use crate::embed::Web;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// What the page may load: nothing from anywhere else.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; \
                      worker-src 'self' blob:; connect-src 'self'; object-src 'none'; frame-src 'none'; \
                      frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

const UNKNOWN: &str = "application/octet-stream";

/// Answers with a file of the application, or its start page.
pub async fn serve(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if path.starts_with("api/")
        || path.starts_with("sta/")
        || path.starts_with("docs/")
        || path.starts_with("oauth2/")
        || path.starts_with(".well-known/")
    {
        return nothing_here(request.uri().path());
    }
    let name = if path.is_empty() { "index.html" } else { path };
    // A record's key may hold a dot; only endings the application really has make a file.
    let looks_like_file = kind(name) != UNKNOWN;
    let found = Web::get(name).map(|f| (name, f));
    let found = match found {
        None if !looks_like_file => Web::get("index.html").map(|f| ("index.html", f)),
        other => other,
    };
    let Some((name, file)) = found else {
        if name == "index.html" || !looks_like_file {
            let text = "网页尚未构建：请运行 bin/demo，或在 web/ 下运行 npm ci && npm run build。\n\
                        The web pages are not built: run bin/demo, or npm ci && npm run build in web/.\n";
            return (StatusCode::NOT_FOUND, text).into_response();
        }
        return nothing_here(request.uri().path());
    };
    let lasting = name.starts_with("assets/");
    let cache = if lasting {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = file.data.into_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    response
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "geojson" => "application/geo+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        _ => UNKNOWN,
    }
}
