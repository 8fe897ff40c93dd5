//! The page: files of `keeper/page/dist`, part of this program. `scripts/page` makes them.

use super::cached::{compressed, takes_gzip};
use super::error::ApiError;
use super::routes::{Part, Shared};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use flate2::Compression;
use include_dir::{Dir, include_dir};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

static BUILT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/page/dist");

/// Scripts and styles come from here alone; nothing is framed, and no form goes anywhere. Requests go to this keeper,
/// to the others for their certificates, and to whatever node a wallet's owner has chosen.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' http: https:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// One file.
struct File {
    kind: &'static str,
    plain: Bytes,
    gzip: Option<Bytes>,
}

/// All of them, by their path below the page's folder; compressed once, as well as gzip can.
static FILES: LazyLock<BTreeMap<String, File>> = LazyLock::new(|| {
    let files = BUILT.files().chain(BUILT.dirs().flat_map(Dir::files));
    let file = |file: &'static include_dir::File<'static>| {
        let (path, plain) = (file.path().to_str()?.replace('\\', "/"), file.contents());
        let gzip = compressed(plain, Compression::best()).filter(|gzip| gzip.len() < plain.len());
        let kind = kind(&path);
        Some((path, File { kind, plain: Bytes::from_static(plain), gzip }))
    };
    files.filter_map(file).collect()
});

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/", get(index)).route("/assets/{file}", get(asset))
}

async fn index(headers: HeaderMap) -> Result<Response, ApiError> {
    // It names the other files by what is in them: it alone is asked for again.
    file("index.html", &headers, HeaderValue::from_static("no-cache"))
}

async fn asset(name: Part, headers: HeaderMap) -> Result<Response, ApiError> {
    let Ok(Path(name)) = name else { return Err(ApiError::NoRoute) };
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    file(&format!("assets/{name}"), &headers, forever)
}

fn file(path: &str, asked: &HeaderMap, keep: HeaderValue) -> Result<Response, ApiError> {
    let file = FILES.get(path).ok_or(ApiError::NoRoute)?;
    let mut response = match &file.gzip {
        Some(gzip) if takes_gzip(asked) => {
            let mut response = Response::new(Body::from(gzip.clone()));
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        _ => Response::new(Body::from(file.plain.clone())),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    headers.insert(header::CACHE_CONTROL, keep);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}
