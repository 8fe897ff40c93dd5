//! What a liveness look costs: this keeper's, against SSH servers in another process, beside the same look made with
//! Python's asyncssh.
//!
//! `cargo bench -p surety --bench liveness -- [--machines N] [--python PROGRAM]`
//!
//! N machines (10,000) at as many addresses of 127.0.0.0/8 are looked at once within 30 s, as a keeper does with rented
//! machines. Printed: looks that were accepted, CPU time and memory of this process (the servers are another), and its
//! memory after as many looks that hang as a keeper has at once. Then the same look as fast as it goes, 32 at once, and
//! with `--python`, an interpreter that has asyncssh, its look in the same way, in turn, and the ratio of the medians.
//! CPU time is what the kernel charges the looking process alone, user and system, so that other load on the machine
//! decides little. scripts/bench-liveness sets that up. Linux only: reads /proc.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use russh::keys::{PrivateKey, ssh_key::private::Ed25519Keypair};
use russh::server::{Auth, Handler, PublicKeyOffer, VerifiedPublicKey};
use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use surety::adapters::ssh::{Gate, ProbeTarget, SshLimits, probe};
use surety_core::input::Observation;
use surety_core::types::{Endpoint, MachineId, SshKey};
use tokio::task::JoinSet;

const ROUND: Duration = Duration::from_secs(30);
const BATCH_LOOKS: u32 = 1_000;
const BATCH_AT_ONCE: usize = 32;
const ROUNDS: usize = 5;
const HOST_SEED: [u8; 32] = [7; 32];

fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args();
    arguments.find(|argument| argument == name)?;
    arguments.next()
}

/// A server that lets any key in, as far as anybody asks.
struct LetsIn;

impl Handler for LetsIn {
    type Error = russh::Error;

    async fn auth_publickey_offered(&mut self, _: &str, _: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }
}

/// Takes connections and says nothing.
async fn hang(listener: tokio::net::TcpListener) {
    let mut held = Vec::new();
    while let Ok((stream, _)) = listener.accept().await {
        held.push(stream);
    }
}

/// The other process: all addresses of 127.0.0.0/8 at one port, and at another one servers that hang. Says which on its
/// first line.
async fn serve() {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&HOST_SEED));
    let config = Arc::new(russh::server::Config { keys: vec![key], ..Default::default() });
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let silent = tokio::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    println!("{} {}", listener.local_addr().unwrap().port(), silent.local_addr().unwrap().port());
    tokio::spawn(hang(silent));
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).ok();
        let config = config.clone();
        tokio::spawn(async move {
            if let Ok(session) = russh::server::run_stream(config, stream, LetsIn).await {
                session.await.ok();
            }
        });
    }
}

/// User and system time of this process so far.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10) // USER_HZ is 100 on Linux
}

fn peak_memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
}

fn target(n: u32, port: u16) -> ProbeTarget {
    let [_, b, c, d] = n.to_be_bytes();
    let machine = MachineId(Ed25519Keypair::from_seed(&HOST_SEED).public.0);
    let endpoint = Endpoint { ip: [127, 1 + b, c, d].into(), port };
    ProbeTarget { endpoint, machine, renter_key: SshKey([5; 32]), tenant_user: "tenant".into() }
}

/// As many looks as a keeper has at once, at servers that say nothing.
async fn look_at_hanging(port: u16) -> usize {
    let limits = SshLimits { allow_private: true, probe_deadline: Duration::from_secs(3), ..SshLimits::default() };
    let mut looks = JoinSet::new();
    for n in 0..u32::try_from(limits.looks_max).unwrap() {
        let limits = limits.clone();
        looks.spawn(async move { probe(&target(n, port), &limits).await });
    }
    let mut hung = 0;
    while let Some(seen) = looks.join_next().await {
        hung += usize::from(matches!(seen.unwrap(), Observation::NoHandshake { .. }));
    }
    hung
}

/// So many looks, one after another at [`BATCH_AT_ONCE`] places.
async fn look_in_batch(looks: u32, port: u16) {
    let limits = SshLimits { allow_private: true, ..SshLimits::default() };
    let next = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let mut places = JoinSet::new();
    for _ in 0..BATCH_AT_ONCE {
        let (next, limits) = (next.clone(), limits.clone());
        places.spawn(async move {
            loop {
                let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if n >= looks {
                    return;
                }
                assert_eq!(probe(&target(n, port), &limits).await, Observation::Accepted);
            }
        });
    }
    while let Some(done) = places.join_next().await {
        done.unwrap();
    }
}

/// Every machine once, spread over the round; how many were seen accepting.
async fn look_at_all(machines: u32, port: u16) -> usize {
    let limits = SshLimits { allow_private: true, ..SshLimits::default() };
    let gate = Gate::new(limits.looks_max, limits.looks_per_ip_max);
    let begun = tokio::time::Instant::now();
    let mut looks = JoinSet::new();
    for n in 0..machines {
        tokio::time::sleep_until(begun + ROUND * n / machines).await;
        let (target, limits, gate) = (target(n, port), limits.clone(), gate.clone());
        looks.spawn(async move {
            let Ok(_pass) = gate.enter(target.endpoint, limits.wait_max).await else { return false };
            matches!(probe(&target, &limits).await, Observation::Accepted)
        });
    }
    let mut accepted = 0;
    while let Some(done) = looks.join_next().await {
        accepted += usize::from(done.unwrap());
    }
    accepted
}

/// CPU time of one look with asyncssh, as `asyncssh_look.py` prints it.
fn with_asyncssh(python: &str, port: u16) -> Duration {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/asyncssh_look.py");
    let output = Command::new(python).args([script, &port.to_string(), &BATCH_LOOKS.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let micros: f64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    Duration::from_secs_f64(micros / 1e6)
}

/// The same look here and with asyncssh in turn, so that whatever else runs on the machine meets both; medians.
fn compare(runtime: &tokio::runtime::Runtime, port: u16) {
    let python = argument("--python");
    runtime.block_on(look_in_batch(100, port)); // as the other warms up too
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = cpu_time();
        runtime.block_on(look_in_batch(BATCH_LOOKS, port));
        ours.push((cpu_time() - before) / BATCH_LOOKS);
        theirs.extend(python.as_deref().map(|python| with_asyncssh(python, port)));
    }
    let median = |mut all: Vec<Duration>| {
        all.sort_unstable();
        all.get(all.len() / 2).map_or(0.0, Duration::as_secs_f64)
    };
    let (ours, theirs) = (median(ours), median(theirs));
    println!("{BATCH_AT_ONCE} at once: {:.0} us of CPU a look", ours * 1e6);
    if python.is_some() {
        println!("asyncssh: {:.0} us of CPU a look", theirs * 1e6);
        println!("ratio: {:.1}", theirs / ours);
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if std::env::args().any(|argument| argument == "--serve") {
        return runtime.block_on(serve());
    }
    let machines = argument("--machines").map_or(10_000, |n| n.parse().unwrap());
    let mut servers =
        Command::new(std::env::current_exe().unwrap()).arg("--serve").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(servers.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut ports = line.split_whitespace().map(|port| port.parse::<u16>().unwrap());
    let (port, silent) = (ports.next().unwrap(), ports.next().unwrap());

    let (before, begun) = (cpu_time(), Instant::now());
    let accepted = runtime.block_on(look_at_all(machines, port));
    let (cpu, took) = (cpu_time() - before, begun.elapsed());
    let each = cpu / machines;
    println!("{accepted} of {machines} accepted, in {:.1} s", took.as_secs_f64());
    println!(
        "CPU: {:.2} s of the round's {} s, {:.0} us a look",
        cpu.as_secs_f64(),
        ROUND.as_secs(),
        each.as_secs_f64() * 1e6
    );
    println!("memory at its most: {} MiB", peak_memory_mib());
    let hanging = runtime.block_on(look_at_hanging(silent));
    println!("after {hanging} looks that hang at once: {} MiB", peak_memory_mib());
    compare(&runtime, port);
    servers.kill().unwrap();
    servers.wait().unwrap();
}
