//! `surety ssh`: the system's own ssh, made to take exactly the host key that the chain names, and no other.

use super::letin;
use crate::adapters::ssh::ProbeTarget;
use crate::cli::kit::exit::Stop;
use crate::cli::kit::place::{Place, Where};
use crate::cli::kit::sshkey::known_host;
use crate::cli::kit::words::date;
use crate::cli::node::NodeState;
use anyhow::{Context, Result};
use clap::Args;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;
use surety_client::bindings::RentalEscrow;
use surety_core::types::{Endpoint, MachineId, RentalId, SshKey};

/// What `surety ssh` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct SshArguments {
    /// The rental.
    rental: RentalId,
    /// What ssh is given beside: its options, or a command to run there.
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<OsString>,
    /// The account to log in to, as the miner's node.toml names it.
    #[arg(long, default_value = "tenant", value_parser = user)]
    user: String,
    /// Your private SSH key, when it is not ssh's own choice.
    #[arg(long, short = 'i', value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Start ssh at once, although a new rental's machine may not let you in yet.
    #[arg(long)]
    no_wait: bool,
    /// The ssh program.
    #[arg(long, value_name = "PROGRAM", default_value = "ssh")]
    ssh: PathBuf,
    #[command(flatten)]
    at: Where,
}

fn user(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let sound = (1..=32).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('-');
    if sound { Ok(text.to_owned()) } else { Err("want letters, digits, - and _, at most 32".into()) }
}

/// Where a rental is reached.
struct Target {
    machine: MachineId,
    endpoint: Endpoint,
    renter_key: SshKey,
    /// How long the machine may still take to let its renter in.
    left: Duration,
}

impl Target {
    /// What is looked at until it lets the renter in.
    fn door(&self, tenant_user: String) -> ProbeTarget {
        ProbeTarget { endpoint: self.endpoint, machine: self.machine, renter_key: self.renter_key, tenant_user }
    }
}

pub(in crate::cli) async fn run(arguments: &SshArguments) -> Result<ExitCode> {
    let target = target(arguments).await?;
    if !arguments.no_wait {
        letin::wait(&target.door(arguments.user.clone()), target.left).await;
    }
    let dir = TempDir::new()?;
    let known_hosts = dir.0.join("known_hosts");
    let alias = alias(arguments.rental);
    let line = known_host(&alias, target.machine).context("the machine's key is no ed25519 key")?;
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&known_hosts);
    file.and_then(|mut file| file.write_all(line.as_bytes())).context("the host key was not written")?;
    let mut command = Command::new(&arguments.ssh);
    command.args(argv(arguments, &target, &known_hosts));
    // ssh stands in the foreground: what is typed, ctrl-C included, is its own.
    let status = tokio::task::spawn_blocking(move || command.status()).await?;
    let status =
        status.with_context(|| format!("{} was not started: is OpenSSH installed?", arguments.ssh.display()))?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

async fn target(arguments: &SshArguments) -> Result<Target> {
    let place = Place::find(&arguments.at).await?;
    let id = arguments.rental;
    let call = RentalEscrow::rentalAtCall { rental: id };
    let found = place.view().call(place.deployment.escrow.address, &call).await.context("the rental was not read")?;
    let (rental, renter_key) = (found.r, SshKey(found.renterKey.0));
    if u64::from(rental.start) == 0 {
        return Err(Stop::refused(format!("there is no rental {id}: check the id (surety rentals)")));
    }
    if u64::from(rental.end) <= place.now_secs() {
        return Err(Stop::refused(format!(
            "rental {id} was over at {}: the machine lets nobody in",
            date(rental.end.into())
        )));
    }
    let state = NodeState::of(&place, rental.registration).await?;
    let nowhere = || Stop::refused("the machine has no address on chain: tell the keepers (surety complain)");
    let left = letin::time_left(rental.start.into(), place.now_secs(), &place.deployment.times);
    Ok(Target { machine: state.machine(), endpoint: state.endpoint().ok_or_else(nowhere)?, renter_key, left })
}

/// The name under which ssh looks the host key up, whatever the address.
fn alias(rental: RentalId) -> String {
    format!("surety-rental-{rental}")
}

/// ssh's arguments, one by one: no shell reads them. Options on the command line come before all configuration files.
fn argv(arguments: &SshArguments, target: &Target, known_hosts: &Path) -> Vec<OsString> {
    let mut argv: Vec<OsString> = Vec::new();
    let options = [
        "GlobalKnownHostsFile=/dev/null".to_owned(),
        "StrictHostKeyChecking=yes".into(),
        "HostKeyAlgorithms=ssh-ed25519".into(),
        format!("HostKeyAlias={}", alias(arguments.rental)),
        "CheckHostIP=no".into(),
        "UpdateHostKeys=no".into(),
        "VerifyHostKeyDNS=no".into(),
        "KnownHostsCommand=none".into(),
        "ForwardAgent=no".into(),
        "ForwardX11=no".into(),
        "PermitLocalCommand=no".into(),
    ];
    let mut file = OsString::from("UserKnownHostsFile=");
    file.push(known_hosts);
    argv.extend(["-o".into(), file]);
    options.into_iter().for_each(|option| argv.extend(["-o".into(), option.into()]));
    if let Some(identity) = &arguments.identity {
        argv.extend(["-i".into(), identity.into(), "-o".into(), "IdentitiesOnly=yes".into()]);
    }
    argv.extend(["-p".into(), target.endpoint.port.to_string().into()]);
    argv.extend(["-l".into(), arguments.user.clone().into()]);
    argv.push(target.endpoint.ip.to_string().into());
    argv.extend(arguments.args.iter().cloned());
    argv
}

/// A directory of our own, gone with us.
struct TempDir(PathBuf);

impl TempDir {
    fn new() -> Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        let path = std::env::temp_dir().join(format!("surety-ssh-{}", hex::encode(random)));
        std::fs::DirBuilder::new().mode(0o700).create(&path).context("a temporary directory was not made")?;
        Ok(Self(path))
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: SshArguments,
    }

    #[test]
    fn ssh_is_bound_to_the_pinned_key_and_gets_its_arguments_one_by_one() {
        let line = Line::parse_from(["ssh", "7", "-i", "my key", "--", "nvidia-smi", "; rm -rf $HOME"]);
        let endpoint = Endpoint { ip: [10, 0, 0, 7].into(), port: 2_222 };
        let (machine, renter_key, left) = (MachineId([1; 32]), SshKey([2; 32]), Duration::ZERO);
        let target = Target { machine, endpoint, renter_key, left };
        let argv = argv(&line.arguments, &target, Path::new("/tmp/with space/known_hosts"));
        let argv: Vec<&str> = argv.iter().map(|one| one.to_str().unwrap()).collect();
        for option in [
            "UserKnownHostsFile=/tmp/with space/known_hosts",
            "GlobalKnownHostsFile=/dev/null",
            "StrictHostKeyChecking=yes",
            "HostKeyAlgorithms=ssh-ed25519",
            "HostKeyAlias=surety-rental-7",
        ] {
            let at = argv.iter().position(|one| *one == option).unwrap();
            assert_eq!(argv[at - 1], "-o");
        }
        assert_eq!(argv[argv.len() - 7..], ["-p", "2222", "-l", "tenant", "10.0.0.7", "nvidia-smi", "; rm -rf $HOME"]);
    }

    #[test]
    fn a_user_name_that_ssh_would_take_for_an_option_is_refused() {
        assert!(user("tenant").is_ok());
        for name in ["-oProxyCommand=x", "", "a b", "root;"] {
            assert!(user(name).is_err(), "{name}");
        }
    }
}
