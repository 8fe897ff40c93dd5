//! The words that a container engine is called with. Pure; never a line for a shell of the host.

use super::settings::{Container, EngineKind, GpuWord, Gpus, Network, UIDS};
use std::path::Path;
use surety_core::types::{MachineId, RentalId};

/// Where the tenant's directory is in the container.
pub(crate) const WORKSPACE: &str = "/workspace";
/// Says which agent made a container.
pub(crate) const LABEL_AGENT: &str = "org.surety.agent";
/// Says which rental a container is for.
pub(crate) const LABEL_RENTAL: &str = "org.surety.rental";
/// In the environment of everything that one session started.
pub(crate) const SESSION: &str = "SURETY_SESSION";
/// The command that asks for files to be carried, as sshd hands it over for the subsystem `sftp`.
pub(crate) const SFTP: &str = "surety-sftp";

/// Enough to install packages and to be somebody else inside; each counts in the container's user namespace only. No
/// raw sockets, no device nodes, no mounts, no tracing of others.
const CAPABILITIES: [&str; 9] =
    ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID", "SYS_CHROOT"];

/// Keys that detach from a session. There is no way to say "none" that both engines take, so they are some that nobody
/// types in a row; Docker's own begin with ctrl-p, which shells need.
const DETACH_KEYS: &str = "ctrl-@,ctrl-],ctrl-^,ctrl-_,ctrl-@";

/// Looks for the program that carries files where distributions put it.
const SFTP_SERVER: &str = "for file in /usr/lib/openssh/sftp-server /usr/lib/ssh/sftp-server \
                           /usr/libexec/openssh/sftp-server /usr/libexec/sftp-server; do \
                           [ -x \"$file\" ] && exec \"$file\"; done; \
                           echo 'this image has no sftp-server: install openssh-sftp-server in it' >&2; exit 127";

/// Whose containers these are: one machine on one chain. Rental ids of another chain are other rentals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Value of [`LABEL_AGENT`].
    pub(crate) agent: String,
    prefix: String,
}

impl Owner {
    pub(crate) fn new(chain_id: u64, machine: &MachineId) -> Self {
        let machine = machine.to_string();
        let machine = machine.trim_start_matches("0x");
        Self { agent: format!("{chain_id}-{machine}"), prefix: machine.chars().take(16).collect() }
    }

    /// The name of a rental's container.
    pub(crate) fn name(&self, rental: RentalId) -> String {
        format!("surety-{}-{rental}", self.prefix)
    }
}

/// `create`, for one rental. Its program only waits: the tenant's come in through [`exec`].
pub(crate) fn create(
    kind: EngineKind,
    container: &Container,
    owner: &Owner,
    rental: RentalId,
    data_dir: &Path,
) -> Vec<String> {
    let mut argv = vec!["create".to_owned()];
    let mut push = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    push(&["--pull", "never", "--name", &owner.name(rental), "--hostname", &format!("rental-{rental}")]);
    push(&["--label", &format!("{LABEL_AGENT}={}", owner.agent), "--label", &format!("{LABEL_RENTAL}={rental}")]);
    push(&["--cap-drop", "ALL"]);
    CAPABILITIES.iter().for_each(|capability| push(&["--cap-add", capability]));
    push(&["--security-opt", "no-new-privileges", "--ipc", "private", "--cgroupns", "private"]);
    let (pids, files) = (container.pids, container.open_files);
    push(&["--pids-limit", &pids.to_string()]);
    push(&["--ulimit", &format!("nproc={pids}:{pids}"), "--ulimit", &format!("nofile={files}:{files}")]);
    let memory = format!("{}m", container.memory_mib);
    push(&["--memory", &memory, "--memory-swap", &memory, "--cpus", &container.cpus.to_string()]);
    push(&["--shm-size", &format!("{}m", container.shm_mib)]);
    if let Some(gib) = container.rootfs_gib {
        push(&["--storage-opt", &format!("size={gib}G")]);
    }
    if kind == EngineKind::Podman {
        let map = format!("0:{}:{UIDS}", container.uid_base);
        push(&["--uidmap", &map, "--gidmap", &map]);
    }
    gpus(kind, &container.gpus).iter().for_each(|word| push(&[word]));
    push(&["--network", network(container.network)]);
    container.ports.iter().for_each(|port| push(&["--publish", &format!("{port}:{port}/tcp")]));
    push(&["--mount", &format!("type=bind,src={},dst={WORKSPACE}", data_dir.display())]);
    // Whose the workspace is to be is known when the container runs.
    push(&["--workdir", "/", "--user", "0:0", "--log-driver", "none", "--no-healthcheck", "--restart", "no"]);
    push(&["--init", "--entrypoint", "sleep", &container.image, "2147483647"]);
    argv
}

fn network(network: Network) -> &'static str {
    match network {
        Network::None => "none",
        Network::Bridge => "bridge",
        Network::Slirp4netns => "slirp4netns",
    }
}

/// Docker's list is a field of a CSV record, so that it keeps its commas between quotation marks.
fn gpus(kind: EngineKind, gpus: &Gpus) -> Vec<String> {
    let names = match gpus {
        Gpus::Word(GpuWord::None) => return Vec::new(),
        Gpus::Word(GpuWord::All) if kind == EngineKind::Docker => return vec!["--gpus".into(), "all".into()],
        Gpus::Word(GpuWord::All) => vec!["all".to_owned()],
        Gpus::List(names) => names.clone(),
    };
    match kind {
        EngineKind::Docker => vec!["--gpus".into(), format!("\"device={}\"", names.join(","))],
        EngineKind::Podman => {
            names.iter().flat_map(|name| ["--device".to_owned(), format!("nvidia.com/gpu={name}")]).collect()
        }
    }
}

/// `start`.
pub(crate) fn start(id: &str) -> Vec<String> {
    words(&["start", id])
}

/// `rm`, running or not, with the volumes that came with the image. Nothing is asked to end: the rental has.
pub(crate) fn remove(kind: EngineKind, id: &str) -> Vec<String> {
    match kind {
        EngineKind::Docker => words(&["rm", "--force", "--volumes", id]),
        EngineKind::Podman => words(&["rm", "--force", "--volumes", "--time", "0", id]),
    }
}

/// `ps`: the ids of an agent's containers, one a line.
pub(crate) fn list(owner: &Owner) -> Vec<String> {
    words(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &format!("label={LABEL_AGENT}={}", owner.agent)])
}

/// `container inspect` of all of these: one JSON array.
pub(crate) fn inspect(ids: &[String]) -> Vec<String> {
    let mut argv = words(&["container", "inspect"]);
    argv.extend(ids.iter().cloned());
    argv
}

/// `image inspect`: a JSON array.
pub(crate) fn image(container: &Container) -> Vec<String> {
    words(&["image", "inspect", &container.image])
}

/// `info` and `version` as JSON.
pub(crate) fn about(what: &str) -> Vec<String> {
    words(&[what, "--format", "{{json .}}"])
}

/// What a session asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session<'a> {
    /// The container.
    pub(crate) name: &'a str,
    /// Value of [`SESSION`].
    pub(crate) mark: &'a str,
    /// The terminal's kind, if there is a terminal.
    pub(crate) term: Option<&'a str>,
}

/// `exec`, up to the shell's own words.
pub(crate) fn exec(container: &Container, session: &Session<'_>) -> Vec<String> {
    let mut argv = words(&["exec", "--interactive", "--detach-keys", DETACH_KEYS]);
    if let Some(term) = session.term {
        argv.extend(words(&["--tty", "--env", &format!("TERM={term}")]));
    }
    argv.extend(words(&["--env", &format!("{SESSION}={}", session.mark), "--user", "0:0", "--workdir", WORKSPACE]));
    argv.push(session.name.to_owned());
    argv.push(container.shell.display().to_string());
    argv
}

/// The shell's words: a login shell, or one that is given the renter's line as one word, whatever is in it.
pub(crate) fn shell(command: &[u8]) -> Vec<&[u8]> {
    match command {
        b"" => vec![b"-l"],
        command if command == SFTP.as_bytes() => vec![b"-c", SFTP_SERVER.as_bytes()],
        command => vec![b"-lc", command],
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests;
