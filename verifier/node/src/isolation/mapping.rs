//! Who root in a container is on this host, as the kernel says.

use std::io;

/// A process's root and its group, in the host's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Root {
    /// Of the user namespace that this process is in.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}"));
        let (uid, gid) = (outside(&read("uid_map")?), outside(&read("gid_map")?));
        let unmapped = || io::Error::other("root in the container is nobody on the host");
        Ok(Self { uid: uid.ok_or_else(unmapped)?, gid: gid.ok_or_else(unmapped)? })
    }

    /// Whether that is the host's own root.
    pub(crate) fn is_host_root(self) -> bool {
        self.uid == 0 || self.gid == 0
    }
}

/// What 0 is outside. Each line: first id inside, first id outside, how many.
fn outside(map: &str) -> Option<u32> {
    let mut lines = map.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    lines.find(|fields| fields.first() == Some(&"0")).and_then(|fields| fields.get(1)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_whom_the_kernel_says_it_is() {
        assert_eq!(outside("         0    2000000      65536\n"), Some(2_000_000));
        assert_eq!(outside("         0          0 4294967295\n"), Some(0));
        assert_eq!(outside("  1 100000 65536\n  0 1000 1\n"), Some(1000));
        assert_eq!(outside("  1 100000 65536\n"), None);
        assert_eq!(outside(""), None);
    }
}
