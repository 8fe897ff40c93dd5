//! Container engines for tests: one of a script, and podman where it is there and works.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use surety_node::isolation::{Container, GpuWord, Gpus, Network};

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

/// Podman with a storage of its own below a test's directory, and the image by digest.
pub(crate) struct Podman {
    program: PathBuf,
    arguments: Vec<String>,
    /// What the agent's calls begin with, where they go to podman's service.
    url: Option<[String; 2]>,
    service: Option<Child>,
    pub(crate) image: String,
}

/// How the agent calls podman.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// The program does all by itself.
    Itself,
    /// It asks podman's service, as under systemd.
    Service,
}

impl Drop for Podman {
    fn drop(&mut self) {
        // Whatever a failed test left.
        self.call(&["rm", "--all", "--force", "--time", "0"]);
        if let Some(child) = &mut self.service {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

impl Podman {
    pub(crate) fn call(&self, words: &[&str]) -> Output {
        Command::new(&self.program).args(&self.arguments).args(words).output().unwrap()
    }

    pub(crate) fn said(&self, words: &[&str]) -> String {
        String::from_utf8_lossy(&self.call(words).stdout).trim().to_owned()
    }

    pub(crate) fn container(&self) -> Container {
        Container {
            engine: self.program.clone(),
            engine_args: self.url.as_ref().map_or_else(|| self.arguments.clone(), |url| url.to_vec()),
            image: self.image.clone(),
            call_secs: 60,
            create_secs: 60,
            ..fake_container(Path::new("/nonexistent"))
        }
    }

    fn serve(&mut self, dir: &Path) {
        let socket = dir.join("podman.sock");
        let url = format!("unix://{}", socket.display());
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).args(["system", "service", "--time", "0", &url]).stderr(Stdio::null());
        self.service = Some(command.spawn().unwrap());
        self.url = Some(["--url".into(), url]);
        let deadline = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < deadline, "podman's service does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What keeps this test from running, or podman with an image.
pub(crate) fn podman(dir: &Path, way: Way) -> Result<Podman, String> {
    let program =
        ["/usr/bin/podman", "/usr/local/bin/podman"].map(PathBuf::from).into_iter().find(|file| file.exists());
    let program = program.ok_or("no podman in /usr/bin or /usr/local/bin")?;
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].map(PathBuf::from).into_iter().find(|file| file.exists());
    let busybox = busybox.ok_or("no busybox (Debian: busybox-static) to make an image of")?;
    if !nix::unistd::Uid::effective().is_root() {
        return Err("needs root".into());
    }
    let text = |path: &Path| path.display().to_string();
    let mut arguments =
        vec!["--root".to_owned(), text(&dir.join("storage")), "--runroot".into(), text(&dir.join("run"))];
    arguments.extend(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"].map(str::to_owned));
    if Path::new("/usr/sbin/runc").exists() {
        arguments.extend(["--runtime", "runc"].map(str::to_owned));
    }
    let mut podman = Podman { program, arguments, url: None, service: None, image: String::new() };
    let image = image_of(dir, &busybox);
    let imported = podman.call(&["import", &text(&image), "surety-test:1"]);
    if !imported.status.success() {
        return Err(format!("podman imports no image: {}", String::from_utf8_lossy(&imported.stderr)));
    }
    let digest = podman.said(&["image", "inspect", "--format", "{{.Digest}}", "surety-test:1"]);
    podman.image = format!("localhost/surety-test@{digest}");
    let bounds = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=64:64", "--uidmap", "0:2000000:65536"];
    let tried = [&["run", "--rm", "--network", "none"][..], &bounds, &["surety-test:1", "/bin/true"]].concat();
    let tried = podman.call(&tried);
    if !tried.status.success() {
        return Err(format!("podman runs no container here: {}", String::from_utf8_lossy(&tried.stderr).trim()));
    }
    if let Way::Service = way {
        podman.serve(dir);
    }
    Ok(podman)
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
