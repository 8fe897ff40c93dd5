//! What `surety-node doctor` wants to know about the container engine. Only the last look makes anything: a container
//! as a tenant would get it, which is removed again.

use super::argv::{self, Owner};
use super::engine::{Engine, EngineError};
use super::mapping::Root;
use super::settings::{Container, EngineKind, GpuWord, Gpus, UIDS, image_digest, is_by_digest};
use crate::config::Config;
use crate::reconcile::error_chain;
use crate::tenancy::set_mode;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use surety_core::types::MachineId;

/// An item, and what is well, or what is wrong and what to do.
pub(crate) type Verdict = (&'static str, Result<String, String>);

/// Docker's or Podman's `info`: what is asked of it here.
#[derive(Deserialize)]
struct Info {
    #[serde(rename = "SecurityOptions", default)]
    security: Vec<String>,
    #[serde(rename = "Runtimes", default)]
    runtimes: BTreeMap<String, serde::de::IgnoredAny>,
    #[serde(rename = "MemTotal")]
    memory_bytes: Option<u64>,
    #[serde(rename = "NCPU")]
    cpus: Option<u32>,
    #[serde(rename = "MemoryLimit")]
    limits_memory: Option<bool>,
    #[serde(rename = "PidsLimit")]
    limits_pids: Option<bool>,
    #[serde(rename = "CpuCfsQuota")]
    limits_cpus: Option<bool>,
    #[serde(rename = "ServerVersion")]
    version: Option<String>,
    host: Option<PodmanHost>,
    #[serde(rename = "version")]
    podman: Option<PodmanVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodmanHost {
    cgroup_controllers: Vec<String>,
    cpus: u32,
    mem_total: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PodmanVersion {
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    id: String,
    #[serde(default)]
    repo_digests: Option<Vec<String>>,
}

/// Looks at the engine, the image, the user namespace, the limits, the cards, and tries a container.
pub(crate) async fn inspect(config: &Config) -> Vec<Verdict> {
    let (Some(kind), Some(container)) = (config.isolation.engine(), config.container.clone()) else {
        return Vec::new();
    };
    // A label of its own: the running agent neither sees nor removes the container that is tried.
    let owner = Owner::new(0, &MachineId::default());
    let engine = Engine { kind, container, owner, mark: "doctor".into() };
    let info = match engine.ask::<Info>(argv::about("info")).await.and_then(|info| answers(&info).map(|_| info)) {
        Ok(info) => info,
        Err(error) => return vec![("container engine", Err(error_chain(&error)))],
    };
    let mut verdicts = vec![
        ("container engine", answers(&info).map_err(|error| error_chain(&error))),
        ("container image", image(&engine).await),
        ("user namespace", user_namespace(config, kind, &engine.container, &info)),
        ("container limits", limits(&engine.container, &info)),
        ("container cards", cards(kind, &engine.container.gpus, &info, &CDI_DIRS.map(Path::new))),
    ];
    if verdicts.iter().all(|(_, state)| state.is_ok()) {
        verdicts.push(("trial container", trial(config, &engine).await));
    }
    verdicts
}

/// A client whose service is away answers `info` too, without what only the service knows.
fn answers(info: &Info) -> Result<String, EngineError> {
    let podman = info.podman.as_ref().map(|podman| format!("podman {}", podman.version));
    let docker = info.version.as_ref().filter(|version| !version.is_empty()).map(|version| format!("docker {version}"));
    podman.or(docker).ok_or_else(|| EngineError::Nonsense {
        what: "info".into(),
        why: "its service does not answer: start it (docker: `systemctl start docker`)".into(),
    })
}

async fn image(engine: &Engine) -> Result<String, String> {
    let name = &engine.container.image;
    let program = engine.container.engine.display();
    let missing =
        |error: EngineError| format!("{}; if it is not there, run `{program} pull {name}`", error_chain(&error));
    let images: Vec<Image> = engine.ask(argv::image(&engine.container)).await.map_err(missing)?;
    let digests = images.into_iter().flat_map(|image| {
        let id = format!("sha256:{}", image.id.trim_start_matches("sha256:"));
        image.repo_digests.unwrap_or_default().into_iter().chain([id])
    });
    let digests: Vec<String> = digests.collect();
    match image_digest(name) {
        Some(digest) if digests.iter().any(|known| image_digest(known) == Some(digest)) => {
            Ok(format!("{name} is there"))
        }
        Some(_) => Err(format!("{name} is there under another digest: run `{program} pull {name}`")),
        None => Ok(format!("{name} is there, by a tag, which development allows")),
    }
}

fn user_namespace(config: &Config, kind: EngineKind, container: &Container, info: &Info) -> Result<String, String> {
    if kind == EngineKind::Podman {
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let subuid = std::fs::read_to_string("/etc/subuid").unwrap_or_default();
        let clash = claimed(container.uid_base, &passwd, &subuid);
        let (first, last) = (container.uid_base, container.uid_base + (UIDS - 1));
        return clash.map_or_else(
            || Ok(format!("root in the container is user {first} on the host")),
            |who| Err(format!("ids {first} to {last} are also {who}'s: set container.uid_base to ids nobody has")),
        );
    }
    let has = |name: &str| info.security.iter().any(|option| option.split(',').any(|part| part == name));
    match has("name=userns") || has("name=rootless") {
        true => Ok("the engine maps root in the container to another user of the host".into()),
        false if config.dev => Ok("none: root in the container is root on the host, which development allows".into()),
        false => Err("root in the container would be root on the host: write {\"userns-remap\": \"default\"} into \
                      /etc/docker/daemon.json and run `systemctl restart docker`"
            .into()),
    }
}

/// Whose some of these ids are already: an account of the host, or somebody's subordinate ids.
fn claimed(base: u32, passwd: &str, subuid: &str) -> Option<String> {
    let is_inside = |id: u32| id >= base && id - base < UIDS;
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let account =
        passwd.lines().map(fields).find(|fields| fields.get(2).and_then(|id| id.parse().ok()).is_some_and(is_inside));
    let overlaps = |fields: &Vec<String>| {
        let number = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok());
        let (first, count) = (number(1).unwrap_or_default(), number(2).unwrap_or_default());
        first < u64::from(base) + u64::from(UIDS) && first.saturating_add(count) > u64::from(base)
    };
    let range = || subuid.lines().map(fields).find(overlaps);
    account.or_else(range).and_then(|fields| fields.into_iter().next())
}

fn limits(container: &Container, info: &Info) -> Result<String, String> {
    let podman = info.host.as_ref();
    let controls = |docker: Option<bool>, name: &str| {
        podman.map_or(docker.unwrap_or(true), |host| host.cgroup_controllers.iter().any(|one| one == name))
    };
    let missing: Vec<&str> = [
        (controls(info.limits_memory, "memory"), "memory"),
        (controls(info.limits_pids, "pids"), "pids"),
        (controls(info.limits_cpus, "cpu"), "cpu"),
    ]
    .into_iter()
    .filter_map(|(has, name)| (!has).then_some(name))
    .collect();
    if !missing.is_empty() {
        return Err(format!(
            "the engine cannot bound {}: enable these cgroup controllers (systemd: Delegate=yes)",
            missing.join(", ")
        ));
    }
    let memory_mib = podman.map(|host| host.mem_total).or(info.memory_bytes).map(|bytes| bytes >> 20);
    if let Some(has) = memory_mib.filter(|has| *has < container.memory_mib) {
        return Err(format!("container.memory_mib is {}, the host has {has}", container.memory_mib));
    }
    let cpus = podman.map(|host| host.cpus).or(info.cpus);
    if let Some(has) = cpus.filter(|has| *has < u32::from(container.cpus)) {
        return Err(format!("container.cpus is {}, the host has {has}", container.cpus));
    }
    let Container { memory_mib, cpus, pids, .. } = container;
    Ok(format!("{memory_mib} MiB, {cpus} processors, {pids} processes"))
}

/// Where descriptions of devices for containers are kept.
const CDI_DIRS: [&str; 2] = ["/etc/cdi", "/var/run/cdi"];

fn cards(kind: EngineKind, gpus: &Gpus, info: &Info, cdi_dirs: &[&Path]) -> Result<String, String> {
    if *gpus == Gpus::Word(GpuWord::None) {
        return Ok("none are given".into());
    }
    let hook = "/usr/bin/nvidia-container-runtime-hook";
    if kind == EngineKind::Docker {
        return match info.runtimes.contains_key("nvidia") || Path::new(hook).exists() {
            true => Ok("the engine can give NVIDIA cards".into()),
            false => Err("the engine cannot give cards: install nvidia-container-toolkit, run `nvidia-ctk runtime \
                          configure --runtime=docker` and restart docker"
                .into()),
        };
    }
    let described = cdi_dirs.iter().filter_map(|dir| std::fs::read_dir(dir).ok()).flatten().flatten();
    let has_nvidia = |path: &Path| std::fs::read_to_string(path).unwrap_or_default().contains("nvidia.com/gpu");
    match described.map(|entry| entry.path()).any(|path| has_nvidia(&path)) {
        true => Ok("the cards are described for podman".into()),
        false => Err("no description of the cards in /etc/cdi: install nvidia-container-toolkit and run `nvidia-ctk \
                      cdi generate --output=/etc/cdi/nvidia.yaml`"
            .into()),
    }
}

/// Makes a container as a tenant would get it, runs one command in it, removes it.
async fn trial(config: &Config, engine: &Engine) -> Result<String, String> {
    let dir = config.state_dir.join("trial");
    let made = std::fs::create_dir_all(&dir).and_then(|()| set_mode(&dir, 0o700));
    made.map_err(|error| format!("cannot make {}: {error}", dir.display()))?;
    let tried = try_out(config, engine, &dir).await;
    let left = engine.list().await.unwrap_or_default();
    for container in &left {
        engine.remove(&container.id).await.ok();
    }
    std::fs::remove_dir_all(&dir).ok();
    tried
}

async fn try_out(config: &Config, engine: &Engine, dir: &Path) -> Result<String, String> {
    let told = |error: EngineError| format!("a container as tenants get it does not run: {}", error_chain(&error));
    let published = Container { ports: Vec::new(), ..engine.container.clone() };
    // The tenant's own container may have the ports.
    let engine = Engine { container: published, ..engine.clone() };
    let id = engine.create(0, dir).await.map_err(told)?;
    engine.start(&id).await.map_err(told)?;
    let pid = engine.list().await.map_err(told)?.into_iter().find_map(|one| one.pid);
    let pid = pid.ok_or("a container as tenants get it ends at once: has the image /bin/sleep?")?;
    let root = Root::of(pid).map_err(|error| format!("cannot tell who its root is: {error}"))?;
    if root.is_host_root() && !config.dev {
        return Err("its root is the host's root: give the engine a user namespace".into());
    }
    super::give(dir, root).map_err(|error| format!("cannot give {} to its root: {error}", dir.display()))?;
    let name = engine.owner.name(0);
    let session = argv::Session { name: &name, mark: "doctor", term: None };
    let mut words = argv::exec(&engine.container, &session);
    // In the workspace: a mount that may not be written (SELinux) is found here and not by a tenant.
    words.extend(["-c".to_owned(), ": > .trial".to_owned()]);
    engine.call(words, engine.container.call_max()).await.map_err(told)?;
    let by = if is_by_digest(&engine.container.image) { "by digest" } else { "by tag" };
    Ok(format!("runs ({by}), its root is user {} on the host", root.uid))
}

#[cfg(test)]
mod tests;
