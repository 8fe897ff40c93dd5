//! Container engines for tests: one of a script, and podman where it is there and works.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
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

/// Podman with a storage of its own below `dir`, and the image by digest.
pub(crate) struct Podman {
    program: PathBuf,
    arguments: Vec<String>,
    pub(crate) image: String,
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
            engine_args: self.arguments.clone(),
            image: self.image.clone(),
            call_secs: 60,
            create_secs: 60,
            ..fake_container(Path::new("/nonexistent"))
        }
    }
}

/// What keeps this test from running, or podman with an image.
pub(crate) fn podman(dir: &Path) -> Result<Podman, String> {
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
    let mut podman = Podman { program, arguments, image: String::new() };
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
    match tried.status.success() {
        true => Ok(podman),
        false => Err(format!("podman runs no container here: {}", String::from_utf8_lossy(&tried.stderr).trim())),
    }
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
