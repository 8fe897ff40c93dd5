//! What a whole measurement costs a keeper: logging in over SSH, the session, 256 rows of 16 KiB with their paths.
//!
//! `cargo bench -p surety --bench checks -- [--checks N]`
//!
//! N (40) measurements, one after another, of a machine behind a real OpenSSH on loopback whose forced command is this
//! program: the prover on a CPU device. Rows are as long and as many as those of a real card (N = 8192, k = 256), the
//! product behind them is small (K = 64), so what it costs to check a row against a K of 32768 is not in it: that is
//! what `cargo bench -p surety-verifier` measures. Printed: CPU time of this process for each (sshd and prover are
//! others), how many a minute that makes on one core, and bytes that came. Linux only: reads /proc.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::ssh_key::public::Ed25519PublicKey;
use russh::keys::{PrivateKey, PublicKey};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use surety::adapters::ssh::{KeeperKey, MeasureTarget, SshLimits, measure};
use surety_core::input::MeasureOutcome;
use surety_core::types::Endpoint;
use surety_verifier::classes::ClassId;
use surety_verifier::device::CpuDevice;
use surety_verifier::frame::{Decoder, Side, encode};
use surety_verifier::freivalds::EpochSecrets;
use surety_verifier::params::Params;
use surety_verifier::session::{Caps, Challenge, Claims, Limits, ProverSession};

const HOST_SEED: [u8; 32] = [7; 32];
const KEEPER_SEED: [u8; 32] = [8; 32];
const PARAMS: Params = Params {
    inner: 64,
    cols: 8_192,
    rows: 64,
    rounds: 8,
    vectors: 4,
    openings: 256,
    walkers: 1 << 10,
    hops: 512,
    legs: 64,
};

fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args();
    arguments.find(|argument| argument == name)?;
    arguments.next()
}

/// The machine's side of one session, on standard input and output.
fn prove() {
    let key = ed25519_dalek::SigningKey::from_bytes(&HOST_SEED);
    let (class, caps) = (ClassId::CPU_TEST, Caps::cpu());
    let claims = Claims { chain_id: 31_337, registration: 1, class, keeper: None, caps };
    let mut session = ProverSession::new(vec![Box::new(CpuDevice::new())], key, claims).unwrap();
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let (mut decoder, mut chunk) = (Decoder::new(Side::FromKeeper), vec![0; 65_536]);
    while !session.is_done() {
        let read = input.read(&mut chunk).unwrap();
        let mut bytes = &chunk[..read];
        if bytes.is_empty() {
            return;
        }
        while !bytes.is_empty() {
            for answer in
                decoder.take(&mut bytes).unwrap().into_iter().flat_map(|frame| session.on_frame(frame).unwrap())
            {
                output.write_all(&encode(&answer)).unwrap();
            }
        }
        output.flush().unwrap();
    }
}

/// A running sshd; dropping it kills it.
struct Sshd(Child);

impl Drop for Sshd {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn public(seed: [u8; 32]) -> [u8; 32] {
    ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes()
}

fn secret(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn start(dir: &Path) -> (Sshd, Endpoint) {
    let host = PrivateKey::from(Ed25519Keypair::from_seed(&HOST_SEED));
    secret(&dir.join("host"), &host.to_openssh(LineEnding::LF).unwrap());
    let keeper = PublicKey::from(Ed25519PublicKey(public(KEEPER_SEED))).to_openssh().unwrap();
    let prover = std::env::current_exe().unwrap();
    secret(&dir.join("keys"), &format!("restrict,command=\"{} --prove\" {keeper}\n", prover.display()));
    // sshd refuses to start as root without its privilege separation directory.
    std::fs::create_dir_all("/run/sshd").ok();
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let mut command = Command::new("/usr/sbin/sshd");
    command.args(["-D", "-e", "-f", "/dev/null", "-o", "ListenAddress=127.0.0.1", "-p", &port.to_string()]);
    command.args(["-o", "StrictModes=no", "-o", "PidFile=none", "-o", "UsePAM=no", "-h"]).arg(dir.join("host"));
    command.arg("-o").arg(format!("AuthorizedKeysFile={}", dir.join("keys").display()));
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let sshd = Sshd(child.expect("install the package openssh-server: this measures against /usr/sbin/sshd"));
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(Instant::now() < deadline, "sshd does not listen");
        std::thread::yield_now();
    }
    (sshd, Endpoint { ip: Ipv4Addr::LOCALHOST.into(), port })
}

/// CPU time of this process: user and system, of all its threads.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn target(endpoint: Endpoint, user: &str, secrets: &Arc<EpochSecrets>, number: u8) -> MeasureTarget {
    let machine = public(HOST_SEED);
    let challenge = Challenge {
        chain_id: 31_337,
        keeper: [4; 20],
        machine,
        registration: 1,
        class: ClassId::CPU_TEST,
        count: 1,
        params: PARAMS,
        epoch: *secrets.epoch(),
        session_random: [number; 32],
        limits: Limits::cpu_test(),
    };
    MeasureTarget { endpoint, keeper_user: user.to_owned(), challenge, secrets: secrets.clone() }
}

async fn run() {
    let checks: u8 = argument("--checks").map_or(40, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let (_sshd, endpoint) = start(dir.path());
    let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let key = KeeperKey::from_seed(&secrecy::SecretBox::new(Box::new(KEEPER_SEED)));
    let limits = SshLimits { allow_private: true, ..SshLimits::default() };
    let secrets = Arc::new(EpochSecrets::new([1; 32], &[2; 32], &[3; 32], &PARAMS));
    let before = cpu();
    let mut bytes = 0;
    for number in 0..checks {
        let outcome = measure(&target(endpoint, user.trim(), &secrets, number), None, &key, &limits).await;
        let MeasureOutcome::Proven { transcript, .. } = outcome else { panic!("{outcome:?}") };
        let events = transcript["events"].as_array().unwrap().iter();
        bytes += events.filter_map(|event| event["frame"].as_str()).map(|hex| hex.len() / 2).sum::<usize>();
    }
    let each = (cpu() - before) / u32::from(checks);
    println!("{checks} measurements: {:.1} ms of CPU each", each.as_secs_f64() * 1e3);
    println!("a minute on one core: {:.0}", 60.0 / each.as_secs_f64());
    println!("frames of a session: {:.2} MiB", bytes as f64 / f64::from(checks) / 1_048_576.0);
}

fn main() {
    if std::env::args().any(|word| word == "--prove") {
        return prove();
    }
    // `cargo test` builds and runs benches too: only `cargo bench` says --bench.
    if std::env::args().any(|word| word == "--bench") {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run());
    }
}
