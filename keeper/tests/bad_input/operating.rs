//! What an operator does with a keeper beside running it: check, status, export, replay, dry runs; and what a running
//! keeper does when its account runs dry, or its chain is not its chain any more.

use super::*;

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Exit status 0; what it printed.
pub(super) fn said(output: Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

impl Home {
    pub(super) fn asked(&self, name: &str) -> Output {
        finish(self.command(name, &[]), REFUSED_WITHIN)
    }

    /// Asks the running keeper until `holds`.
    pub(super) async fn until(&self, path: &str, holds: impl Fn(&str) -> bool) -> String {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let end = Instant::now() + STARTED_WITHIN;
        loop {
            let got = match reqwest::get(&url).await {
                Ok(answer) => answer.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            if holds(&got) {
                return got;
            }
            assert!(Instant::now() < end, "never: {got}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn a_running_keeper_is_checked_asked_exported_and_replayed_from_beside_it() {
    let chain = LocalChain::start().await;
    let home = Home::new(&chain.deployment, &chain.anvil.url());
    home.hurry();
    let account = Key::from_bytes([7; 32]).unwrap().account();
    let poor = refusal_of(home.asked("check"));
    assert!(poor.contains("has 0 rao for gas, less than alerts.gas_min_rao = 100000000: send TAO"), "{poor}");
    chain.anvil.set_balance(account, 200_000_000).await.unwrap();
    let told = said(home.asked("check"));
    assert!(told.contains("is not there yet: a run makes it") && told.contains("has 200000000 rao for gas"), "{told}");
    assert_eq!(home.stored(), Vec::<String>::new(), "a check stores nothing");

    let keeper = home.run().await;
    let told = said(home.asked("check"));
    assert!(told.contains("is whole, "), "{told}");
    let told = said(home.asked("status"));
    assert!(
        told.contains("run 1\n") && told.contains("chain         best ") && told.contains("on their way"),
        "{told}"
    );
    let export = said(home.asked("export"));
    assert!(export.starts_with("{\"head\":{\"format\":1,") && export.trim_end().ends_with("}}"), "{export:.300}");
    let output = stop(keeper, "TERM");
    assert_eq!(output.status.code(), Some(0));

    // On another machine, without any key: the copied store, and the export.
    let laptop = tempfile::tempdir().unwrap();
    let (copy, log) = (laptop.path().join("copy.db"), laptop.path().join("log.jsonl"));
    std::fs::copy(home.path("store/keeper.db"), &copy).unwrap();
    std::fs::write(&log, export).unwrap();
    for (option, file) in [("--store", &copy), ("--log", &log)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_surety"));
        command.args(["keeper", "replay", option]).arg(file).env_remove("SURETY_KEEPER_CONFIG");
        let told = said(command.output().unwrap());
        assert!(told.contains("of the keeper's, all the same") && told.contains("1 starts"), "{told}");
    }
}

fn refusal_of(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    text(&output.stderr)
}

#[tokio::test]
async fn a_dry_run_leaves_nothing_behind_for_a_keeper_that_means_it() {
    let chain = LocalChain::start().await;
    let home = Home::new(&chain.deployment, &chain.anvil.url());
    home.hurry();
    let keeper = home.run_with(&["--dry-run"]).await;
    let output = stop(keeper, "TERM");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let mut stored = home.stored();
    stored.sort();
    assert_eq!(stored, ["keeper.db.dry-run", "keeper.db.dry-run.lock"], "the keeper's own store is not touched");
    std::fs::rename(home.path("store/keeper.db.dry-run"), home.path("store/keeper.db")).unwrap();
    let refused = refusal_of(finish(home.keeper(&[]), REFUSED_WITHIN));
    assert!(refused.contains("was made for another purpose: a dry run; use another store path"), "{refused}");
}

#[tokio::test]
async fn an_account_that_runs_dry_is_an_alert_and_a_metric() {
    let chain = LocalChain::start().await;
    let home = Home::new(&chain.deployment, &chain.anvil.url());
    home.hurry();
    let keeper = home.run().await;
    home.until("/metrics", |page| page.contains("\nsurety_gas_low 1\n")).await;
    let account = Key::from_bytes([7; 32]).unwrap().account();
    chain.anvil.set_balance(account, 200_000_000).await.unwrap();
    home.until("/metrics", |page| page.contains("\nsurety_gas_low 0\n")).await;
    let log = text(&stop(keeper, "TERM").stderr);
    let line = log.lines().find(|line| line.contains("less than alerts.gas_min_rao = 100000000: send TAO"));
    let line: serde_json::Value = serde_json::from_str(line.expect(&log)).unwrap();
    assert_eq!(line["fields"]["alert"], true);
}

#[tokio::test]
async fn a_keeper_whose_contracts_are_replaced_stops_and_says_why() {
    let chain = LocalChain::start().await;
    let home = Home::new(&chain.deployment, &chain.anvil.url());
    home.hurry();
    let keeper = home.run().await;
    let arbiter = chain.deployment.arbiter.address;
    chain.anvil.set_code(arbiter.0.into(), &vec![0x60, 0x01].into()).await.unwrap();
    let refused = refusal_of(finish(keeper, STARTED_WITHIN));
    let want = format!("surety: the code at {arbiter} is not the Arbiter of the deployment file");
    assert!(refused.lines().last().unwrap().starts_with(&want), "{refused}");
    assert!(refused.contains("the log is closed"), "{refused}");
}

#[tokio::test]
async fn a_clock_off_chain_time_is_unhealthy_and_says_by_how_much() {
    let chain = LocalChain::start().await;
    let home = Home::new(&chain.deployment, &chain.anvil.url());
    home.hurry();
    home.configure("rules", "clock_skew_max_secs", 60);
    let keeper = home.run().await;
    for (method, params) in [("evm_increaseTime", "[7200]"), ("evm_mine", "[]")] {
        let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}");
        let request = reqwest::Client::new().post(chain.anvil.url()).header("content-type", "application/json");
        assert!(request.body(body).send().await.unwrap().status().is_success());
    }
    let got = home.until("/healthz", |health| health.contains("\"blind\":\"clock\"")).await;
    assert!(
        got.contains("\"healthy\":false") && got.contains("s apart, nothing is judged or signed: check NTP"),
        "{got}"
    );
    let log = text(&stop(keeper, "TERM").stderr);
    assert!(log.contains("clock and newest block are too far apart"), "{log}");
}

#[tokio::test]
async fn a_damaged_store_is_refused_with_what_to_do() {
    let chain = LocalChain::start().await;
    let home = Home::new(&chain.deployment, &chain.anvil.url());
    home.hurry();
    let keeper = home.run().await;
    assert_eq!(stop(keeper, "TERM").status.code(), Some(0));
    let path = home.path("store/keeper.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(10).rposition(|part| part == b"\"now_ms\":1").unwrap_or(bytes.len() / 2);
    bytes[at + 9] = b'7';
    std::fs::write(&path, bytes).unwrap();
    let status = refusal_of(finish(home.command("replay", &[]), REFUSED_WITHIN));
    assert!(status.contains("unreadable") || status.contains("not the keeper's"), "{status}");
    let whole = std::fs::metadata(&path).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(whole - 9_000).unwrap();
    let refused = refusal_of(finish(home.keeper(&[]), REFUSED_WITHIN));
    assert!(refused.contains("restore a copy of it"), "{refused}");
}
