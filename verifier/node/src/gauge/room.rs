//! How much of everything there is at present.

use std::path::PathBuf;
use surety_verifier::gauge::{Claims, THREADS_MAX};
use sysinfo::{Process, ProcessRefreshKind, ProcessesToUpdate};

/// Where a machine is measured.
#[derive(Clone, Debug)]
pub struct Room {
    /// A directory on the disk that is measured.
    pub dir: PathBuf,
}

impl Room {
    /// What is free now: threads this process may use, memory that can be had without swapping and within the limits of
    /// its control groups (where the kernel names any), disk that it may write to. What cannot be found out is 0.
    #[must_use]
    pub fn free(&self) -> Claims {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Claims {
            threads: u16::try_from(threads).unwrap_or(THREADS_MAX).min(THREADS_MAX),
            memory_bytes: memory_bytes(),
            disk_bytes: nix::sys::statvfs::statvfs(&self.dir)
                .map_or(0, |disk| disk.blocks_available().saturating_mul(disk.fragment_size())),
        }
    }
}

fn memory_bytes() -> u64 {
    let (Ok(mut system), Ok(me)) = (sysinfo::System::new(), sysinfo::get_current_pid()) else { return 0 };
    system.refresh_memory();
    let (only_me, nothing_else) = (ProcessesToUpdate::Some(&[me]), ProcessRefreshKind::nothing());
    system.refresh_processes_specifics(only_me, false, nothing_else);
    // Of this process, not of the root: a service has a group of its own.
    let group = system.process(me).and_then(Process::cgroup_limits);
    system.available_memory().min(group.map_or(u64::MAX, |limits| limits.free_memory))
}
