//! The built program as miners, renters and auditors meet it: on a real chain with the real contracts, and alone.
#![allow(clippy::unwrap_used)]

mod alone;
mod court;
mod faults;
mod parting;
mod world;

use serde_json::Value;
use surety_client::digest;
use surety_demo::params::WINDOWS;
use surety_demo::seed::SshKeyPair;
use surety_demo::standins;
use world::{BEGAN_WITH, World};

const BOND: u64 = 500_000_000;
const PRICE: u64 = 1_000_000;
const SSH_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ me@here";

fn rao(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no amount: {value}"))
}

/// Lets the stand-in for ed25519 know the host key's signature, as the chain's own precompile would by itself.
async fn witness(world: &World, host: &SshKeyPair) {
    use ed25519_dalek::Signer;
    let chain = &world.chain.deployment;
    let (machine, hotkey, miner) = (world.machine(), world.neuron.hotkey, world.miner.account());
    let digest = digest::registration(chain.chain_id, chain.vault.address, machine, hotkey, miner, 0);
    let signature = host.signing_key().sign(&digest.0).to_bytes();
    world.owner.send(standins::verified(digest, machine, signature).unwrap()).await.unwrap();
}

async fn registered(world: &World) {
    witness(world, &world.host).await;
    let (host_key, hotkey) = (world.path("host_key"), world.neuron.hotkey.to_string());
    let register = ["node", "register", "--host-key", &host_key, "--hotkey", &hotkey, "--uid", "0"];
    let done = world.does("miner", &[&register[..], &["--endpoint", "127.0.0.1:2222"]].concat());
    assert_eq!(done["result"]["registration"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_registered_bonded_offered_rented_extended_ended_and_everything_is_paid_out() {
    let world = World::start().await;
    let machine = world.machine().to_string();
    registered(&world).await;
    let done = world.does("miner", &["node", "deposit", "--machine", &machine, "--amount", "0.5"]);
    assert_eq!(rao(&done["result"]["free_rao"]), BOND);
    assert_eq!(rao(&done["transactions"][0]["value_rao"]), BOND);
    offered(&world, &machine);
    rented(&world, &machine).await;
    ended(&world).await;
    left(&world, &machine).await;
}

fn offered(world: &World, machine: &str) {
    let offer = ["node", "offer", "--machine", machine, "--class", "cpu-test", "--count", "1", "--price", "3.6/h"];
    let done = world.does("miner", &[&offer[..], &["--min", "2s", "--max", "10m"]].concat());
    assert_eq!(done["result"]["offered"], true);
    let status = world.surety("", &["node", "status", "--machine", machine, "--json"]).json();
    let node = &status["machines"][0];
    assert_eq!((rao(&node["offer"]["price_rao_per_sec"]), rao(&node["bond"]["free_rao"])), (PRICE, BOND));
    let words = world.surety("", &["node", "status", "--of", &world.miner.account().to_string()]);
    assert!(words.out.contains("3.6 TAO an hour") && words.out.contains("127.0.0.1:2222"), "{}", words.out);
}

async fn rented(world: &World, machine: &str) {
    let rent = ["rent", machine, "--for", "2m", "--ssh-key", SSH_KEY];
    world.certify(1, &[0, 2]).await;
    world.surety("renter", &[&rent[..], &["--yes"]].concat()).fails(3, &["not verified", "2 of 3 keepers"]);
    world.certify(1, &[0, 1]).await;
    let before = world.nonce(&world.renter).await;
    let shown = world.surety("renter", &[&rent[..], &["--dry-run", "--json"]].concat()).json();
    assert_eq!(shown["transactions"][0]["sent"], Value::Null);
    assert_eq!(rao(&shown["transactions"][0]["value_rao"]), 120 * PRICE);
    world.surety("renter", &rent).fails(4, &["nobody can be asked", "--yes"]);
    let dear = world.surety("renter", &[&rent[..], &["--yes", "--max-price", "3.5964/h"]].concat());
    dear.fails(3, &["3.6 TAO an hour", "3.5964 TAO an hour"]);
    assert_eq!(world.nonce(&world.renter).await, before, "nothing was sent so far");
    let done = world.does("renter", &rent);
    assert_eq!(done["result"]["rental"], 1);
    assert_eq!(world.nonce(&world.renter).await, before + 1);
    let rental = world.chain.rental(1).await.unwrap();
    assert_eq!(rental.end_secs - rental.start_secs, 120);
    world.surety("renter", &[&rent[..], &["--yes"]].concat()).fails(3, &["rented or resting", "can be rented from"]);
    let listed = world.surety("renter", &["rentals", "--json"]).json();
    assert_eq!(
        (&listed["rentals"][0]["state"], rao(&listed["rentals"][0]["paid_rao"])),
        (&"running".into(), 120 * PRICE)
    );
}

async fn ended(world: &World) {
    let done = world.does("renter", &["extend", "1", "--for", "1m"]);
    let rental = world.chain.rental(1).await.unwrap();
    assert_eq!(
        (rental.end_secs - rental.start_secs, done["result"]["end_secs"].as_u64()),
        (180, Some(rental.end_secs))
    );
    world.surety("miner", &["end", "1", "--yes"]).fails(3, &["and the key is that of"]);
    world.surety("renter", &["end", "9", "--yes"]).fails(3, &["no rental 9"]);
    let done = world.does("renter", &["end", "1"]);
    let back = rao(&done["result"]["refunded_rao"]);
    assert_eq!(back, world.chain.escrow_credit(world.renter.account()).await.unwrap());
    assert!((100 * PRICE..180 * PRICE).contains(&back), "{back}");
    world.surety("renter", &["extend", "1", "--for", "1m", "--yes"]).fails(3, &["was over at"]);
    let credit = world.surety("renter", &["credit", "--json"]).json();
    assert_eq!(rao(&credit["credit_rao"]), back);
    let paid = world.does("renter", &["credit", "withdraw"]);
    assert_eq!((rao(&paid["result"]["paid_rao"]), rao(&paid["result"]["credit_rao"])), (back, 0));
    world.surety("renter", &["credit", "withdraw", "--yes"]).fails(3, &["nothing to pay out"]);
}

async fn left(world: &World, machine: &str) {
    let end_secs = world.chain.rental(1).await.unwrap().end_secs;
    world.time_is(end_secs + u64::from(WINDOWS.settle_lag_secs) + 1).await;
    let shown = world.surety("miner", &["earnings", "--json"]).json();
    let earned = rao(&shown["rentals"][0]["earned_rao"]);
    assert_eq!((&shown["rentals"][0]["closable"], rao(&shown["claimable_rao"])), (&true.into(), earned));
    let claimed = world.does("miner", &["earnings", "--claim"]);
    assert_eq!(rao(&claimed["result"]["credit_rao"]), world.chain.escrow_credit(world.miner.account()).await.unwrap());
    world.does("miner", &["node", "offer", "--machine", machine, "--withdraw"]);
    let exit = world.does("miner", &["node", "exit", "--machine", machine, "--all"]);
    assert_eq!(rao(&exit["result"]["exiting_rao"]), BOND);
    world.surety("miner", &["node", "withdraw", "--machine", machine, "--yes"]).fails(3, &["too early"]);
    world.surety("miner", &["node", "migrate", "--machine", machine, "--retire", "--yes"]).fails(3, &["0.5 TAO"]);
    world.time_is(exit["result"]["ready_at_secs"].as_u64().unwrap() + 1).await;
    world.does("miner", &["node", "withdraw", "--machine", machine]);
    let paid = world.does("miner", &["earnings", "--withdraw"]);
    assert_eq!(rao(&paid["result"]["credit_rao"]), 0);
    let moved = world.does("miner", &["node", "migrate", "--machine", machine, "--endpoint", "127.0.0.2:22"]);
    assert_eq!(moved["result"]["endpoint"], "127.0.0.2:22");
    let retired = world.does("miner", &["node", "migrate", "--machine", machine, "--retire"]);
    assert_eq!(retired["result"]["retired"], true);
    world.surety("", &["node", "status", "--machine", machine]).fails(3, &["not registered"]);
    let wei = world.anvil.node.balance_wei(world.miner.account()).await.unwrap();
    let has = surety_client::units::rao_floor(wei).unwrap();
    let fees_rao = 100_000_000;
    assert!(has > BEGAN_WITH - fees_rao && has <= BEGAN_WITH + earned, "the bond came back: {has}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_is_posted_listed_filled_or_taken_back() {
    let world = World::start().await;
    let machine = world.machine().to_string();
    registered(&world).await;
    world.does("miner", &["node", "deposit", "--machine", &machine, "--amount", "0.5"]);
    offered(&world, &machine);
    let post = ["bid", "post", "--class", "CPU test", "--count", "1", "--for", "1m", "--ssh-key", SSH_KEY];
    let first = world.does("renter", &[&post[..], &["--max-price", "7.2/h"]].concat());
    let second = world.does("renter", &[&post[..], &["--max-price", "3.5964/h"]].concat());
    assert_eq!((&first["result"]["bid"], &second["result"]["bid"]), (&1.into(), &2.into()));
    let listed = world.surety("", &["bid", "list", "--json"]).json();
    assert_eq!(listed["bids"].as_array().map(Vec::len), Some(2));
    world.certify(1, &[0, 1, 2]).await;
    let fill = |bid: &'static str| ["bid", "fill", bid, "--machine", &machine, "--yes", "--json"].map(str::to_owned);
    let refused = fill("2");
    let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
    world.surety("miner", &refused).fails(3, &["RentalBids_DoesNotFit", "not what bid 2 asks for"]);
    let filled = world.does("miner", &["bid", "fill", "1", "--machine", &machine]);
    assert_eq!(filled["result"]["rental"], 1);
    world.does("renter", &["bid", "give-up", "2"]);
    world.surety("renter", &["bid", "give-up", "2", "--yes"]).fails(3, &["bid 2 is returned"]);
    assert_eq!(world.surety("", &["bid", "list", "--json"]).json()["bids"].as_array().map(Vec::len), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_chain_refuses_is_said_by_name_and_nothing_is_sent() {
    let world = World::start().await;
    let machine = world.machine().to_string();
    let (host_key, hotkey) = (world.path("host_key"), world.neuron.hotkey.to_string());
    let before = world.nonce(&world.miner).await;
    let register = |uid, hotkey| ["node", "register", "--host-key", &host_key, "--hotkey", hotkey, "--uid", uid];
    let rest = ["--endpoint", "127.0.0.1:2222", "--yes"];
    let unsigned = world.surety("miner", &[&register("0", &hotkey)[..], &rest].concat());
    unsigned.fails(3, &["CollateralVault_BadMachineSignature", "host key"]);
    witness(&world, &world.host).await;
    let elsewhere = world.surety("miner", &[&register("1", &hotkey)[..], &rest].concat());
    elsewhere.fails(3, &["CollateralVault_NotAssociated", "associate_evm_key"]);
    let deposit = ["node", "deposit", "--machine", &machine, "--amount", "1"];
    world.surety("miner", &[&deposit[..], &["--yes"]].concat()).fails(3, &["not registered"]);
    registered(&world).await;
    let registered = world.nonce(&world.miner).await;
    assert_eq!(registered, before + 1, "only what was registered was sent");
    world.surety("renter", &[&deposit[..], &["--yes"]].concat()).fails(3, &["sign with the miner's key"]);
    let rich = ["node", "deposit", "--machine", &machine, "--amount", "1000000", "--yes"];
    world.surety("miner", &rich).fails(3, &["has 99", "this takes up to 1000000"]);
    let tight = world.surety("miner", &[&deposit[..], &["--yes", "--max-fee", "0.000000001"]].concat());
    tight.fails(1, &["--max-fee", "want at most 0.000000001 TAO"]);
    assert_eq!(world.nonce(&world.miner).await, registered);
    world.surety("miner", &["case", "show", "1"]).fails(3, &["no case 1"]);
    world.surety("miner", &["case", "appeal", "1", "--yes"]).fails(3, &["no case 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ssh_runs_with_the_key_on_chain_pinned_and_only_while_the_rental_runs() {
    let world = World::start().await;
    let machine = world.machine().to_string();
    registered(&world).await;
    world.does("miner", &["node", "deposit", "--machine", &machine, "--amount", "0.5"]);
    offered(&world, &machine);
    world.certify(1, &[0, 1]).await;
    world.does("renter", &["rent", &machine, "--for", "2m", "--ssh-key", SSH_KEY]);
    let fake = world.path("fake-ssh");
    let script = "#!/bin/sh\nfor a in \"$@\"; do echo \"arg $a\"; case \"$a\" in UserKnownHostsFile=*) \
                  cat \"${a#*=}\";; esac; done\nexit 7\n";
    std::fs::write(&fake, script).unwrap();
    std::fs::set_permissions(&fake, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let told = world.surety("", &["ssh", "1", "--no-wait", "--ssh", &fake, "--", "echo", "$HOME; id"]);
    assert_eq!(told.status, 7, "ssh's own status: {}", told.err);
    let key = world.host.private().public_key().to_openssh().unwrap();
    let pinned = format!("surety-rental-1 {}\n", key.trim());
    assert!(told.out.contains(&pinned), "{} does not contain {pinned}", told.out);
    for arg in ["StrictHostKeyChecking=yes", "HostKeyAlgorithms=ssh-ed25519", "127.0.0.1", "$HOME; id"] {
        assert!(told.out.lines().any(|line| line == format!("arg {arg}")), "{arg}: {}", told.out);
    }
    let file = told.out.lines().find_map(|line| line.strip_prefix("arg UserKnownHostsFile=")).unwrap().to_owned();
    assert!(!std::path::Path::new(&file).exists(), "it is gone afterwards");
    let done = world.does("renter", &["end", "1"]);
    world.time_is(done["result"]["end_secs"].as_u64().unwrap()).await;
    world.surety("", &["ssh", "1", "--ssh", &fake]).fails(3, &["was over at", "lets nobody in"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn init_makes_what_a_machine_needs_and_says_what_the_chain_lacks() {
    let world = World::start().await;
    let dir = world.path("machine");
    let hotkey = world.neuron.hotkey.to_string();
    let init = ["node", "init", "--dir", &dir, "--endpoint", "203.0.113.7:2222", "--class", "cpu-test", "--count", "1"];
    let who = ["--hotkey", &hotkey, "--uid"];
    let ready = world.surety("miner", &[&init[..], &who, &["0", "--json"]].concat());
    assert_eq!(ready.status, 0, "{} {}", ready.out, ready.err);
    assert_eq!(ready.json()["ready"], true);
    let machine = ready.json()["machine"].clone();
    let config: toml::Table = std::fs::read_to_string(format!("{dir}/node.toml")).unwrap().parse().unwrap();
    assert_eq!(config["listen"].as_str(), Some("0.0.0.0:2222"));
    assert_eq!(config["device"]["class"].as_integer(), Some(65_535));
    let lacking = world.surety("renter", &[&init[..], &who, &["0", "--json"]].concat());
    assert_eq!((lacking.status, &lacking.json()["ready"]), (3, &false.into()), "one document, though it fails");
    let again = world.surety("renter", &[&init[..], &who, &["0"]].concat());
    again.fails(3, &["not everything is ready"]);
    assert!(again.out.contains("associate_evm_key(netuid 2, evm_key") && again.out.contains("signature 0x"));
    assert!(again.out.contains(machine.as_str().unwrap()), "the host key stays: {}", again.out);
    let nobody = world.surety("miner", &[&init[..], &who, &["9"]].concat());
    assert!(nobody.out.contains("nobody sits at uid 9"), "{}", nobody.out);
}
