//! The look against a real OpenSSH server, with each cipher that the witness reads.

use super::*;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{PrivateKey, PublicKey};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// A running sshd; dropping it kills it.
struct Sshd {
    child: Child,
    endpoint: Endpoint,
    machine: MachineId,
    _dir: tempfile::TempDir,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Sshd {
    fn start(binary: &Path, options: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let host = PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]));
        let machine = MachineId(host.public_key().key_data().ed25519().unwrap().0);
        write(&dir.path().join("host"), &host.to_openssh(LineEnding::LF).unwrap());
        let renter = PublicKey::from(russh::keys::ssh_key::public::Ed25519PublicKey(RENTER.0));
        write(&dir.path().join("keys"), &renter.to_openssh().unwrap());
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new(binary);
        command.args(["-D", "-e", "-f", "/dev/null", "-o", "ListenAddress=127.0.0.1", "-p", &port.to_string()]);
        command.args(["-o", "StrictModes=no", "-o", "PidFile=none", "-o", "UsePAM=no", "-h"]);
        command.arg(dir.path().join("host"));
        command.arg("-o").arg(format!("AuthorizedKeysFile={}", dir.path().join("keys").display()));
        command.args(options.iter().flat_map(|option| ["-o", option]));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let sshd = Self { child, endpoint: Endpoint { ip: Ipv4Addr::LOCALHOST.into(), port }, machine, _dir: dir };
        sshd.wait_until_it_listens();
        sshd
    }

    fn wait_until_it_listens(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((self.endpoint.ip, self.endpoint.port)).is_err() {
            assert!(Instant::now() < deadline, "sshd does not listen");
            std::thread::yield_now();
        }
    }

    fn target(&self) -> ProbeTarget {
        let me = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
        ProbeTarget { tenant_user: me.trim().into(), ..target(self.endpoint, self.machine) }
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn sshd() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.push("/usr/sbin".into());
    let found = places.into_iter().map(|dir| dir.join("sshd")).find(|file| file.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: no sshd in PATH or /usr/sbin; install the package openssh-server to run this test");
        return None;
    }
    // sshd refuses to start as root without its privilege separation directory, which only packages' boot scripts make.
    std::fs::create_dir_all("/run/sshd").ok();
    found
}

#[tokio::test]
async fn openssh_accepts_the_renter_and_refuses_another_with_every_cipher_we_read() {
    let Some(binary) = sshd() else { return };
    for cipher in ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com"] {
        let sshd = Sshd::start(&binary, &[&format!("Ciphers={cipher}")]);
        let renter = sshd.target();
        assert_eq!(probe(&renter, &limits()).await, Observation::Accepted, "{cipher}");
        let stranger = ProbeTarget { renter_key: SshKey([0x43; 32]), ..renter.clone() };
        assert_eq!(probe(&stranger, &limits()).await, Observation::Refused, "{cipher}");
        let nobody = ProbeTarget { tenant_user: "no-such-user".into(), ..renter };
        assert_eq!(probe(&nobody, &limits()).await, Observation::Refused, "{cipher}");
    }
}

#[tokio::test]
async fn openssh_with_another_host_key_or_none_of_ed25519_is_the_wrong_host_key() {
    let Some(binary) = sshd() else { return };
    let sshd = Sshd::start(&binary, &[]);
    let elsewhere = ProbeTarget { machine: MachineId([1; 32]), ..sshd.target() };
    let seen = probe(&elsewhere, &limits()).await;
    assert_eq!(seen, Observation::WrongHostKey { got: hex::encode(sshd.machine.0) });
    let without = Sshd::start(&binary, &["HostKeyAlgorithms=ssh-rsa"]);
    let seen = probe(&without.target(), &limits()).await;
    assert!(!matches!(seen, Observation::Accepted | Observation::Refused), "{seen:?}");
}
