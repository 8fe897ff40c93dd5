//! `/healthz` and `/metrics`.

use super::*;
use std::sync::atomic::Ordering::Relaxed;

fn limits() -> HttpLimits {
    let (step_silence_max, head_silence_max) = (Duration::from_secs(60), Duration::from_secs(120));
    HttpLimits { step_silence_max, head_silence_max, ..HttpLimits::default() }
}

fn reasons(got: &Got) -> Vec<String> {
    serde_json::from_value(got.json()["reasons"].clone()).unwrap()
}

#[tokio::test]
async fn hole_32_health_is_progress_and_nothing_else() {
    let served = start(limits()).await;
    let at = |clock_ms: u64, step_ms: u64, moved_ms: u64| {
        served.clock_ms.store(clock_ms, Relaxed);
        served.progress.last_step_ms.store(step_ms, Relaxed);
        served.progress.best_moved_ms.store(moved_ms, Relaxed);
    };
    served.progress.best_block.store(77, Relaxed);
    at(500_000, 440_000, 380_000);
    let well = served.get("/healthz").await;
    assert_eq!((well.status, well.json()["healthy"].as_bool()), (200, Some(true)), "just within both limits");
    at(500_000, 439_999, 380_000);
    let stuck = served.get("/healthz").await;
    assert_eq!((stuck.status, reasons(&stuck).len()), (503, 1));
    assert!(reasons(&stuck)[0].contains("the loop took no step for 60001 ms"), "{}", stuck.text);
    at(500_000, 500_000, 379_999);
    let stale = served.get("/healthz").await;
    assert_eq!((stale.status, reasons(&stale).len()), (503, 1));
    assert!(reasons(&stale)[0].contains("block 77 is the newest for 120001 ms"), "{}", stale.text);
    at(500_000, 0, 0);
    assert_eq!(reasons(&served.get("/healthz").await).len(), 2, "all reasons are named");
}

#[tokio::test]
async fn a_keeper_that_never_read_a_block_becomes_unhealthy() {
    let served = start(limits()).await;
    assert_eq!(served.get("/healthz").await.status, 200, "just started");
    served.clock_ms.store(120_001, Relaxed);
    served.progress.last_step_ms.store(120_001, Relaxed);
    let got = served.get("/healthz").await;
    assert_eq!(got.status, 503);
    assert!(reasons(&got)[0].contains("no block was read"), "{}", got.text);
}

#[tokio::test]
async fn a_blind_keeper_is_healthy_and_says_that_it_is_blind() {
    let served = start(limits()).await;
    assert_eq!(served.get("/healthz").await.json()["seeing"], false);
    served.progress.seeing.store(1, Relaxed);
    assert_eq!(served.get("/healthz").await.json()["seeing"], true);
}

#[tokio::test]
async fn metrics_have_the_documented_names_and_values() {
    let served = start(limits()).await;
    let progress = &served.progress;
    served.clock_ms.store(10_500, Relaxed);
    for (field, value) in [
        (&progress.inputs, 11),
        (&progress.last_step_ms, 9_000),
        (&progress.best_block, 12),
        (&progress.finalized_block, 13),
        (&progress.best_moved_ms, 3_250),
        (&progress.seeing, 1),
        (&progress.effects_pending, 14),
        (&progress.signed, 15),
        (&progress.looks, 16),
        (&progress.settled, 17),
    ] {
        field.store(value, Relaxed);
    }
    served.get("/nowhere").await;
    let got = served.get("/metrics").await;
    assert_eq!(got.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        "surety_inputs_total 11",
        "surety_last_step_age_seconds 1.500",
        "surety_best_block 12",
        "surety_finalized_block 13",
        "surety_best_block_age_seconds 7.250",
        "surety_seeing 1",
        "surety_effects_pending 14",
        "surety_signed_total 15",
        "surety_looks_total 16",
        "surety_transactions_settled_total 17",
        "surety_http_answers_total{class=\"4xx\"} 1",
        "surety_http_shed_total 0",
        "surety_peer_requests_total 0",
        "surety_peer_failures_total 0",
        "surety_peer_attestations_total 0",
        "surety_peer_dropped_total 0",
    ] {
        assert!(got.text.lines().any(|have| have == line), "{line} is missing in\n{}", got.text);
    }
}

/// The names of the exposition, and whether each is typed exactly once.
async fn exposed() -> std::collections::BTreeSet<String> {
    let served = start(limits()).await;
    let text = served.get("/metrics").await.text;
    let typed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let names = typed.iter().map(|line| line.split(' ').next().unwrap().to_owned());
    let names: std::collections::BTreeSet<String> = names.collect();
    assert_eq!(names.len(), typed.len(), "a name is typed twice");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert!(names.contains(name), "{name} has no type");
    }
    names
}

/// Every `surety_...` word in a text.
fn named_in(text: &str) -> std::collections::BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !word(c)).filter(|name| name.starts_with("surety_")).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_documented_metrics_are_the_exposed_ones() {
    let documented = include_str!("../../../../METRICS.md");
    assert_eq!(named_in(documented), exposed().await);
}

/// The lines of one metric that are not 0.
async fn lines_of(served: &Served, name: &str) -> Vec<String> {
    let text = served.get("/metrics").await.text;
    text.lines().filter(|line| line.starts_with(name) && !line.ends_with(" 0")).map(str::to_owned).collect()
}

#[tokio::test]
async fn endpoints_are_shown_by_their_place_and_never_by_their_url() {
    use crate::ports::EndpointStanding::{Agreeing, Behind, Outvoted, Unknown, Unreachable};
    let served = start(limits()).await;
    assert_eq!(lines_of(&served, "surety_rpc_").await, Vec::<String>::new());
    *served.progress.endpoints.lock().unwrap() = vec![Agreeing, Behind, Agreeing, Agreeing, Agreeing];
    let line = |place: u8, word: &str| format!("surety_rpc_endpoint{{endpoint=\"{place}\",standing=\"{word}\"}} 1");
    let spare = "surety_rpc_endpoints_to_spare 1".to_owned();
    let well = [line(0, "agreeing"), line(1, "behind"), line(2, "agreeing"), line(3, "agreeing"), line(4, "agreeing")];
    assert_eq!(lines_of(&served, "surety_rpc_").await, well.into_iter().chain([spare]).collect::<Vec<_>>());
    *served.progress.endpoints.lock().unwrap() = vec![Unknown, Unreachable, Outvoted];
    let odd = [line(0, "unknown"), line(1, "unreachable"), line(2, "outvoted")];
    assert_eq!(lines_of(&served, "surety_rpc_").await, odd, "none to spare");
}

#[tokio::test]
async fn a_seat_is_shown_where_there_are_seats() {
    use surety_core::seat::Standing;
    let served = start(limits()).await;
    assert_eq!(lines_of(&served, "surety_seat").await, Vec::<String>::new());
    let place = Standing::ALL.iter().position(|one| *one == Standing::Silent).unwrap() + 1;
    served.progress.seat.store(place as u64, Relaxed);
    served.progress.seat_in_danger.store(1, Relaxed);
    let want = ["surety_seat{standing=\"silent\"} 1", "surety_seat_in_danger 1"];
    assert_eq!(lines_of(&served, "surety_seat").await, want);
}

#[tokio::test]
async fn the_dashboard_shows_only_metrics_that_exist() {
    let text = include_str!("../../../../../scripts/grafana/surety-keeper.json");
    let board: serde_json::Value = serde_json::from_str(text).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    let used: std::collections::BTreeSet<String> =
        targets.flat_map(|target| named_in(target["expr"].as_str().unwrap())).collect();
    let exposed = exposed().await;
    assert!(used.len() >= 15, "{used:?}");
    assert_eq!(used.difference(&exposed).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[tokio::test]
async fn a_full_store_and_a_wrong_clock_are_unhealthy_and_named() {
    let served = start(limits()).await;
    served.progress.store_full.store(1, Relaxed);
    let got = served.get("/healthz").await;
    assert_eq!((got.status, got.json()["store_full"].as_bool()), (503, Some(true)));
    assert!(reasons(&got)[0].contains("no room"), "{}", got.text);
    served.progress.store_full.store(0, Relaxed);
    served.progress.blind.store(crate::ports::Blindness::Clock as u64, Relaxed);
    served.progress.clock_off_secs.store(3_600, Relaxed);
    let got = served.get("/healthz").await;
    assert_eq!((got.status, got.json()["blind"].as_str().map(str::to_owned)), (503, Some("clock".into())));
    assert!(reasons(&got)[0].contains("3600 s apart"), "{}", got.text);
    served.progress.blind.store(crate::ports::Blindness::Rpc as u64, Relaxed);
    let got = served.get("/healthz").await;
    assert_eq!((got.status, got.json()["blind"].as_str().map(str::to_owned)), (200, Some("rpc".into())));
    let metrics = served.get("/metrics").await.text;
    assert!(metrics.contains("surety_blind{why=\"rpc\"} 1\n") && metrics.contains("surety_blind{why=\"clock\"} 0\n"));
}
