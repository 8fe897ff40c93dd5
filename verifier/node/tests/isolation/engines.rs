//! Container engines for tests: one of a script, and podman and docker where they are there and work. Those keep all
//! they have below the test's directory, and no registry is asked: the image is a static shell.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use surety_node::isolation::{Container, Driver, GpuWord, Gpus, Network};

/// A container of the fake engine's.
pub(crate) fn fake_container(state: &Path) -> Container {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/isolation/fake-engine.sh");
    Container {
        engine: "/bin/sh".into(),
        engine_args: vec![script.display().to_string(), state.display().to_string()],
        image: "surety-test:1".into(),
        memory_mib: 64,
        cpus: 1,
        pids: 64,
        open_files: 1024,
        shm_mib: 16,
        gpus: Gpus::Word(GpuWord::None),
        network: Network::None,
        ports: vec![],
        uid_base: 2_000_000,
        volume_dir: None,
        rootfs_gib: None,
        shell: "/bin/sh".into(),
        call_secs: 2,
        create_secs: 2,
    }
}

/// A real engine, and an image that is named by what is in it.
pub(crate) struct Real {
    pub(crate) driver: Driver,
    program: PathBuf,
    arguments: Vec<String>,
    /// What the agent's calls begin with.
    agents: Vec<String>,
    service: Option<Child>,
    pub(crate) image: String,
    /// Who root in a container is on the host.
    pub(crate) root: u32,
}

/// Which engine, and how the agent calls it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// Podman, which does all by itself.
    Podman,
    /// Podman's client and its service, as under systemd.
    PodmanService,
    /// Docker's client and its service.
    Docker,
}

impl Drop for Real {
    fn drop(&mut self) {
        // Whatever a failed test left.
        let ids = self.ids();
        ids.iter().for_each(|id| drop(self.call(&["rm", "--force", "--volumes", id])));
        if let Some(service) = &mut self.service {
            // Docker's has another service below it, which it ends when it is asked to end.
            Command::new("kill").arg(service.id().to_string()).status().ok();
            service.wait().ok();
        }
    }
}

impl Real {
    /// The engine, or what keeps it from running a container here.
    pub(crate) fn start(dir: &Path, way: Way) -> Result<Self, String> {
        let busybox = find(&["/bin/busybox", "/usr/bin/busybox"]);
        let busybox = busybox.ok_or("no busybox (Debian: busybox-static) to make an image of")?;
        if !nix::unistd::Uid::effective().is_root() {
            return Err("needs root".into());
        }
        // Root in a container is somebody else, who must come through to its files.
        std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        let mut real = match way {
            Way::Podman | Way::PodmanService => Self::podman(dir)?,
            Way::Docker => Self::docker(dir)?,
        };
        let image = image_of(dir, &busybox);
        let imported = real.call(&["import", &image.display().to_string(), "surety-test:1"]);
        if !imported.status.success() {
            return Err(format!("no image can be imported: {}", String::from_utf8_lossy(&imported.stderr)));
        }
        real.image = match real.driver {
            Driver::Podman => {
                let digest = real.said(&["image", "inspect", "--format", "{{.Digest}}", "surety-test:1"]);
                format!("localhost/surety-test@{digest}")
            }
            _ => real.said(&["image", "inspect", "--format", "{{.Id}}", "surety-test:1"]),
        };
        let bounds = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=64:64"];
        let map = format!("0:{}:65536", real.root);
        let map = if real.driver == Driver::Podman { vec!["--uidmap", map.as_str()] } else { vec![] };
        let tried = [&["run", "--rm", "--network", "none"][..], &bounds, &map, &[&real.image, "/bin/true"]].concat();
        let tried = real.call(&tried);
        if !tried.status.success() {
            return Err(format!("no container runs here: {}", String::from_utf8_lossy(&tried.stderr).trim()));
        }
        if let Way::PodmanService = way {
            let socket = dir.join("podman.sock");
            let url = format!("unix://{}", socket.display());
            let words =
                [real.arguments.clone(), ["system", "service", "--time", "0", &url].map(str::to_owned).to_vec()];
            real.serve(&real.program.clone(), &words.concat(), &socket)?;
            real.agents = vec!["--url".into(), url];
        }
        Ok(real)
    }

    fn podman(dir: &Path) -> Result<Self, String> {
        let program = find(&["/usr/bin/podman", "/usr/local/bin/podman"]);
        let program = program.ok_or("no podman in /usr/bin or /usr/local/bin")?;
        let text = |name: &str| dir.join(name).display().to_string();
        let mut arguments = vec!["--root".to_owned(), text("storage"), "--runroot".into(), text("run")];
        arguments.extend(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"].map(str::to_owned));
        if Path::new("/usr/sbin/runc").exists() {
            arguments.extend(["--runtime", "runc"].map(str::to_owned));
        }
        let (driver, image, root) = (Driver::Podman, String::new(), 2_000_000);
        Ok(Self { driver, program, agents: arguments.clone(), arguments, service: None, image, root })
    }

    fn docker(dir: &Path) -> Result<Self, String> {
        let program = find(&["/usr/bin/docker", "/usr/local/bin/docker"]);
        let program = program.ok_or("no docker in /usr/bin or /usr/local/bin")?;
        let service = find(&["/usr/sbin/dockerd", "/usr/bin/dockerd"]).ok_or("no dockerd in /usr/sbin or /usr/bin")?;
        let (somebody, root) = somebody_with_ids().ok_or("nobody has ids in both /etc/subuid and /etc/subgid")?;
        let socket = dir.join("docker.sock");
        let mut words = Vec::new();
        for (option, name) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
            words.extend([option.to_owned(), dir.join(name).display().to_string()]);
        }
        let url = format!("unix://{}", socket.display());
        words.extend(["--host", &url, "--userns-remap", &somebody, "--storage-driver", "vfs"].map(str::to_owned));
        // Nothing of the host's network is touched.
        let network =
            ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"];
        words.extend(network.map(str::to_owned));
        let arguments = vec!["--host".to_owned(), url];
        let (driver, agents, image) = (Driver::Docker, arguments.clone(), String::new());
        let mut docker = Self { driver, program, arguments, agents, service: None, image, root };
        docker.serve(&service, &words, &socket)?;
        Ok(docker)
    }

    fn serve(&mut self, program: &Path, words: &[String], socket: &Path) -> Result<(), String> {
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let service = self.service.insert(command.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(60);
        while UnixStream::connect(socket).is_err() {
            if Instant::now() > deadline || service.try_wait().unwrap().is_some() {
                return Err(format!("{} does not serve here", program.display()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub(crate) fn call(&self, words: &[&str]) -> Output {
        Command::new(&self.program).args(&self.arguments).args(words).output().unwrap()
    }

    pub(crate) fn said(&self, words: &[&str]) -> String {
        String::from_utf8_lossy(&self.call(words).stdout).trim().to_owned()
    }

    /// All containers there are.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.said(&["ps", "--all", "--quiet", "--no-trunc"]).lines().map(str::to_owned).collect()
    }

    pub(crate) fn container(&self) -> Container {
        Container {
            engine: self.program.clone(),
            engine_args: self.agents.clone(),
            image: self.image.clone(),
            uid_base: self.root,
            call_secs: 60,
            create_secs: 60,
            ..fake_container(Path::new("/nonexistent"))
        }
    }
}

fn find(places: &[&str]) -> Option<PathBuf> {
    places.iter().map(PathBuf::from).find(|place| place.exists())
}

/// An account that has subordinate ids, and the first of them.
fn somebody_with_ids() -> Option<(String, u32)> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let (users, groups, accounts) = (read("/etc/subuid"), read("/etc/subgid"), read("/etc/passwd"));
    let has = |text: &str, name: &str| text.lines().any(|line| line.starts_with(&format!("{name}:")));
    let mut lines = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let fields = lines.find(|fields| has(&groups, fields[0]) && has(&accounts, fields[0]))?;
    Some((fields[0].to_owned(), fields.get(1)?.parse().ok()?))
}

fn image_of(dir: &Path, busybox: &Path) -> PathBuf {
    let root = dir.join("image");
    for name in ["bin", "etc", "proc", "sys", "dev", "tmp", "root"] {
        std::fs::create_dir_all(root.join(name)).unwrap();
    }
    std::fs::copy(busybox, root.join("bin/busybox")).unwrap();
    for name in ["sh", "sleep", "true", "cat", "id", "grep", "touch", "ls", "stat", "stty", "echo"] {
        std::os::unix::fs::symlink("busybox", root.join("bin").join(name)).unwrap();
    }
    std::fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    let archive = dir.join("image.tar");
    let made = Command::new("tar").arg("-cf").arg(&archive).arg("-C").arg(&root).arg(".").status().unwrap();
    assert!(made.success());
    archive
}
