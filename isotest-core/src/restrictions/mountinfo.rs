//! What is mounted where, for a process: `proc_pid_mountinfo(5)`.

/// One mount, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Unique on the machine while the mount exists.
    pub(crate) id: u32,
    /// Where it is, seen from the process's root directory.
    pub(crate) point: String,
    /// The options of the mount, then those of the file system.
    pub(crate) options: String,
}

/// The mounts that a process (its id, or `self`) sees, a later one over an earlier; none where they can't be read.
pub(crate) fn mounts(process: &str) -> Vec<Mount> {
    parse(&std::fs::read_to_string(format!("/proc/{process}/mountinfo")).unwrap_or_default())
}

/// Reads the file's text. Lines that don't follow the manual are left out.
pub(crate) fn parse(mountinfo: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut fields = mount.split(' ');
        let id = fields.next()?.parse().ok()?;
        let point = fields.nth(3)?.to_owned();
        let options = format!("{},{}", fields.next()?, file_system.split(' ').nth(2)?);
        Some(Mount { id, point, options })
    };
    mountinfo.lines().filter_map(mount).collect()
}
