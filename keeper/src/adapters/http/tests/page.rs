//! The page's files, as a browser gets them.

use super::*;

/// Most bytes that a first look at the market may take, compressed.
const FIRST_LOAD_MAX: usize = 150_000;

async fn fetched(served: &Served, path: &str) -> (Got, usize) {
    let got = got(client().get(format!("{}{path}", served.url)).header("accept-encoding", "gzip")).await;
    let length = got.headers["content-length"].to_str().unwrap().parse().unwrap();
    (got, length)
}

/// What the first file names: scripts and styles.
fn named(html: &str) -> Vec<String> {
    let paths = html.split('"').filter(|part| part.starts_with("/assets/"));
    paths.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_page_loads_everything_from_here_and_little_of_it() {
    let served = start(HttpLimits::default()).await;
    let plain = served.get("/").await;
    assert_eq!(plain.headers["content-type"], "text/html; charset=utf-8");
    assert!(!plain.text.contains("<script>") && !plain.text.contains("//"), "{}", plain.text);
    let mut bytes = fetched(&served, "/").await.1;
    let names = named(&plain.text);
    assert!(names.iter().any(|name| name.ends_with(".js")) && names.iter().any(|name| name.ends_with(".css")));
    for name in names {
        let (got, length) = fetched(&served, &name).await;
        assert_eq!(got.status, 200, "{name}");
        assert!(got.headers["cache-control"].to_str().unwrap().contains("immutable"));
        bytes += length;
    }
    assert!(bytes <= FIRST_LOAD_MAX, "{bytes} bytes");
}

#[tokio::test]
async fn the_page_runs_no_script_but_its_own_and_is_framed_by_nobody() {
    let served = start(HttpLimits::default()).await;
    let headers = served.get("/").await.headers;
    let policy = headers["content-security-policy"].to_str().unwrap();
    for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(rule), "{rule}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn files_that_are_none_are_not_found() {
    let served = start(HttpLimits::default()).await;
    for path in ["/assets/none.js", "/assets/..%2findex.html", "/index.html", "/assets/"] {
        assert_eq!(served.get(path).await.status, 404, "{path}");
    }
}
