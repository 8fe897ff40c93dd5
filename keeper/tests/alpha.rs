//! `surety alpha` as a depositor meets it: the built program against the model of a Subtensor chain with a vault.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use surety_core::types::Hash32;
use surety_substrate::amount::Amount;
use surety_substrate::needed;
use surety_substrate::ss58::AccountId;
use surety_substrate::wallet::coldkey::Coldkey;
use surety_subtensor_native::{Chain, FEE_RAO, LEAST_TRANSFER_RAO, RECORD_DEPOSIT_RAO, Server, Trouble, Vault};
use tokio::task::{JoinHandle, spawn_blocking};

const VAULT: AccountId = AccountId([0x77; 32]);
const OPERATOR: AccountId = AccountId([0x66; 32]);
const HOTKEY: AccountId = AccountId([0x22; 32]);
const MACHINE: &str = "0x3333333333333333333333333333333333333333333333333333333333333333";
const ALPHA: u64 = 1_000_000_000;
const TAO: u64 = 1_000_000_000;
const NETUID: u16 = 51;

/// Seconds of the chain's time from an exit to when it is ready: fifty blocks.
const EXIT_DELAY_SECS: u64 = 600;

/// A chain on which blocks are made, with a vault, and a coldkey that has 100 alpha and a TAO.
struct World {
    chain: Arc<Chain>,
    server: Server,
    blocks: JoinHandle<()>,
    owner: AccountId,
}

impl Drop for World {
    fn drop(&mut self) {
        self.blocks.abort();
    }
}

impl World {
    async fn start() -> Self {
        let owner = Coldkey::dev("//Alice", true).unwrap().account();
        let chain = Arc::new(Chain::new());
        chain.set(&needed::EVM_CHAIN_ID, &[], 42u64);
        chain.set_balance(owner, TAO);
        let mut vault = Vault::new(VAULT, NETUID, OPERATOR);
        vault.config.exit_delay_secs = EXIT_DELAY_SECS;
        vault.stakes.insert((owner, HOTKEY), 100 * ALPHA);
        chain.set_vault(vault);
        chain.run(1);
        let server = Server::start(chain.clone()).await.unwrap();
        let own = chain.clone();
        let blocks = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(200));
            loop {
                ticks.tick().await;
                own.run(1);
            }
        });
        Self { chain, server, blocks, owner }
    }

    /// Runs `surety alpha` with these arguments, and where the vault is.
    async fn run(&self, arguments: &str) -> Output {
        self.run_with(arguments, &[]).await
    }

    async fn run_with(&self, arguments: &str, variables: &[(&'static str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_surety"));
        command.arg("alpha").args(arguments.split_whitespace()).stdin(Stdio::null());
        if !arguments.contains("--vault") {
            command.args(["--vault", &VAULT.to_string()]);
        }
        command.env_remove("SURETY_COLDKEY_PASSWORD").env("SURETY_SUBTENSOR_RPC", &self.server.url);
        command.envs(variables.iter().copied());
        spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// What it prints when it succeeds.
    async fn said(&self, arguments: &str) -> String {
        let output = self.run(arguments).await;
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    async fn json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.said(&format!("{arguments} --json")).await).unwrap()
    }

    /// Its one sentence when it refuses.
    async fn refused(&self, arguments: &str) -> String {
        refusal(&self.run(arguments).await, arguments)
    }
}

fn refusal(output: &Output, arguments: &str) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{arguments} went through: {}", String::from_utf8_lossy(&output.stdout));
    assert!(said.lines().count() == 1 || said.contains("error:"), "{arguments}: {said}");
    let last = said.trim_end().rsplit(": ").next().unwrap_or_default();
    assert!(last.len() < 20 || said.matches(last).count() == 1, "said twice: {said}");
    said
}

fn deposit(amount: &str) -> String {
    format!("deposit --machine {MACHINE} --hotkey {HOTKEY} --amount {amount} --dev //Alice")
}

#[tokio::test(flavor = "multi_thread")]
async fn alpha_is_bonded_asked_for_and_taken_out_by_the_command_line() {
    let world = World::start().await;
    let said = world.said(&format!("{} --yes", deposit("12.5"))).await;
    assert!(said.contains("Credited 12.5 alpha to bond 1, as asked."), "{said}");
    assert!(said.contains("10 minutes after surety alpha exit") && said.contains("fee"), "{said}");
    assert_eq!(world.chain.balance(world.owner), TAO - FEE_RAO - RECORD_DEPOSIT_RAO);

    let status = world.json(&format!("status --owner {}", world.owner)).await;
    assert_eq!(status["owner"]["bonds"][0]["free_rao"], 12_500_000_000u64);
    assert_eq!((&status["owner"]["available_rao"], &status["netuid"]), (&87_500_000_000u64.into(), &NETUID.into()));

    let exit = world.json(&format!("exit --machine {MACHINE} --amount 2.5 --dev //Alice --yes")).await;
    let ready_at = exit["sent"]["happened"]["ready_at"].as_u64().unwrap();
    let early = world.refused(&format!("withdraw --machine {MACHINE} --dev //Alice --yes")).await;
    assert!(early.contains("too early: it can be withdrawn in"), "{early}");

    let cancelled = world.said(&format!("cancel --machine {MACHINE} --dev //Alice --yes")).await;
    assert!(cancelled.contains("it is free bond again"), "{cancelled}");
    let again = world.json(&format!("exit --machine {MACHINE} --all --dev //Alice --yes")).await;
    assert!(again["sent"]["happened"]["ready_at"].as_u64().unwrap() > ready_at);

    world.chain.run(EXIT_DELAY_SECS / 12 + 1);
    let out = world.json(&format!("withdraw --machine {MACHINE} --dev //Alice --yes")).await;
    assert_eq!(out["sent"]["happened"]["paid_rao"], 12_500_000_000u64);
    assert_eq!(world.chain.vault().stakes[&(world.owner, OPERATOR)], 12_500_000_000);
    assert_eq!(world.chain.failures(), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_short_of_what_was_asked_is_said() {
    let world = World::start().await;
    world.chain.with_vault(|vault| vault.trouble = Some(Trouble::Rounds));
    world.chain.run(1);
    let said = world.said(&format!("{} --yes", deposit("1"))).await;
    assert!(said.contains("Credited 0.999999997 alpha to bond 1: 0.000000003 less than asked"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_everything_and_sends_nothing_and_needs_no_key() {
    let world = World::start().await;
    let keyless = format!("{} --dry-run", deposit("3").replace("--dev //Alice", &format!("--owner {}", world.owner)));
    let said = world.said(&keyless).await;
    assert!(said.contains("Deposit 3 alpha") && said.contains("Nothing was signed"), "{said}");
    let json = world.json(&keyless).await;
    assert_eq!((&json["would_rao"], &json["sent"]), (&(3 * ALPHA).into(), &Value::Null));
    assert_eq!((world.chain.balance(world.owner), world.chain.vault().bonds.len()), (TAO, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_a_deposit_is_named_before_anything_is_signed() {
    let world = World::start().await;
    let bob = Coldkey::dev("//Bob", true).unwrap().account();
    world.chain.with_vault(|vault| {
        vault.locked.insert(world.owner, 95 * ALPHA);
        vault.stakes.insert((bob, HOTKEY), ALPHA);
    });
    world.chain.run(1);
    let dust = Amount(LEAST_TRANSFER_RAO - 1).to_string();
    let one = deposit("1");
    for (arguments, want) in [
        (deposit("0"), "zero: want more than 0 alpha"),
        (deposit(&dust), "AmountTooLow from the chain"),
        (deposit("6"), "locked alpha: 6 was asked for, 5 of the coldkey's can be moved and 95 is locked"),
        (deposit("101"), "101 alpha was asked for, 100 is under hotkey"),
        (one.replace(&HOTKEY.to_string(), &OPERATOR.to_string()), "it has 100 under"),
        (format!("{one} --netuid 7"), "wrong netuid: the vault takes alpha of subnet 51, want 7"),
        (format!("{one} --network mainnet"), "the chain has EVM id 42, want 964 for mainnet"),
        (format!("{one} --vault {HOTKEY}"), "there is no contract at"),
        (format!("{one} --owner {HOTKEY}"), "of --owner: it is another wallet's"),
        (one.replace("--dev //Alice", ""), "no signature is possible"),
        (one.replace("//Alice", "//Bob"), "has 0 TAO to spend"),
        (one.replace("//Alice", "Alice"), "not a development key"),
    ] {
        let said = world.refused(&format!("{arguments} --yes")).await;
        assert!(said.contains(want), "{arguments}: {said}");
    }
    assert!(world.refused(&one).await.contains("nobody can be asked for a confirmation"));
    assert_eq!((world.chain.balance(world.owner), world.chain.vault().bonds.len()), (TAO, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_the_vault_is_named_before_anything_is_signed() {
    let world = World::start().await;
    let one = format!("{} --yes", deposit("1"));
    for (trouble, want) in [
        (Trouble::Traps, "the contract broke off (panicked"),
        (Trouble::Loops, "the message ran out of gas"),
        (Trouble::Babbles, "makes no sense"),
        (Trouble::Greedy, "no message of the vault does. Nothing is signed"),
        (Trouble::Hoards, "the chain would hold 5 TAO for storage"),
    ] {
        world.chain.with_vault(|vault| vault.trouble = Some(trouble));
        world.chain.run(1);
        let said = world.refused(&one).await;
        assert!(said.contains(want), "{trouble:?}: {said}");
    }
    world.chain.with_vault(|vault| (vault.trouble, vault.config.chain_id) = (None, 964));
    world.chain.run(1);
    assert!(world.refused(&one).await.contains("was made for the chain with EVM id 964, this one has 42"));
    // The same chain id as the vault's, of a chain where money is worth something.
    world.chain.set(&needed::EVM_CHAIN_ID, &[], 964u64);
    world.chain.run(1);
    assert!(world.refused(&one).await.contains("//Alice is a development key"));
    world.chain.with_vault(|vault| vault.code_hash = Hash32([5; 32]));
    world.chain.run(1);
    assert!(world.refused(&one).await.contains("contract code hash not as deployed"));
    assert_eq!(world.chain.balance(world.owner), TAO);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_an_exit_is_named() {
    let world = World::start().await;
    let exit = |more: &str| format!("exit --machine {MACHINE} {more} --dev //Alice --yes");
    assert!(world.refused(&exit("--all")).await.contains("has no bond for machine 0x3333"));
    world.said(&format!("{} --yes", deposit("5"))).await;
    assert!(world.refused(&exit("--amount 5.000000001")).await.contains("5 is free or on its way out"));
    assert!(world.refused(&exit("--amount 0")).await.contains("zero: want more"));
    let rest = format!("--machine {MACHINE} --dev //Alice --yes");
    assert!(world.refused(&format!("cancel {rest}")).await.contains("nothing of this bond is on its way out"));
    assert!(world.refused(&format!("withdraw {rest}")).await.contains("nothing of this bond is on its way out"));
    // Ready, and its window over: it is free bond again.
    world.said(&exit("--all")).await;
    world.chain.run(EXIT_DELAY_SECS / 12 + 1);
    let least = world.refused(&format!("withdraw --at-least 6 {rest}")).await;
    assert!(least.contains("it is worth 5 now, less than the 6 of --at-least"), "{least}");
    world.chain.with_vault(|vault| vault.config.exit_window_secs = 1);
    world.chain.run(1);
    assert!(world.refused(&format!("withdraw {rest}")).await.contains("lapses"));
}

/// A wallet file in a folder of its own, with this mode.
fn wallet(name: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/subtensor-native/wallets").join(name);
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("coldkey");
    std::fs::copy(from, &to).unwrap();
    std::fs::set_permissions(&to, std::fs::Permissions::from_mode(mode)).unwrap();
    (dir, to)
}

#[tokio::test(flavor = "multi_thread")]
async fn coldkey_files_are_opened_with_their_password_and_others_are_named() {
    let world = World::start().await;
    let with = |path: &Path| deposit("1").replace("--dev //Alice", &format!("--coldkey-file {} --yes", path.display()));
    let (_own, encrypted) = wallet("encrypted", 0o600);
    let opened = world.run_with(&with(&encrypted), &[("SURETY_COLDKEY_PASSWORD", "Throwaway-Passw0rd")]).await;
    // It opened: what is missing is stake.
    assert!(refusal(&opened, "encrypted").contains("has no stake under hotkey"));
    let wrong = world.run_with(&with(&encrypted), &[("SURETY_COLDKEY_PASSWORD", "guess")]).await;
    let wrong = refusal(&wrong, "wrong password");
    assert!(wrong.contains("the password does not open the coldkey file") && !wrong.contains("guess"), "{wrong}");
    let (_own, open_to_all) = wallet("twelve-words", 0o644);
    assert!(world.refused(&with(&open_to_all)).await.contains("run: chmod 600"));
    let (_own, public) = wallet("coldkeypub.txt", 0o600);
    assert!(world.refused(&with(&public)).await.contains("holds only the public key of 5"));
    let (_own, plain) = wallet("twelve-words", 0o600);
    assert!(world.refused(&with(&plain)).await.contains("has no stake under hotkey"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_none_and_one_that_is_down_are_named() {
    let world = World::start().await;
    let status = |url: &str| format!("status --rpc {url}");
    assert!(world.refused(&status("ftp://n")).await.contains("want http:// or https://"));
    let down = world.refused(&status("http://127.0.0.1:1")).await;
    assert!(down.contains("no 1 Substrate endpoints agree on the first block"), "{down}");
    world.server.knobs.foreign.store(true, Relaxed);
    let foreign = world.refused(&status(&world.server.url)).await;
    assert!(foreign.contains("the node is not Subtensor") && foreign.contains("SubtensorModule"), "{foreign}");
    world.server.knobs.foreign.store(false, Relaxed);
    let said = world.said(&status(&world.server.url)).await;
    assert!(said.contains("AlphaVault 5") && said.contains("as committed"), "{said}");
}
