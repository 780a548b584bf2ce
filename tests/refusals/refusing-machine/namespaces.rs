//! Refusals that namespaces and mounts of our own can make.

use std::io;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chroot, getegid, geteuid};

const NONE: Option<&str> = None;

/// Until the command is executed this process has every capability in the new namespace, whatever its user id.
pub(crate) fn become_user(uid: u32) -> io::Result<()> {
    let (outer_uid, outer_gid) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER)?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{uid} {outer_uid} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("{uid} {outer_gid} 1"))?;
    separate_mounts()
}

pub(crate) fn become_stranger() -> io::Result<()> {
    Ok(unshare(CloneFlags::CLONE_NEWUSER)?)
}

pub(crate) fn separate_mounts() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    Ok(mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?)
}

/// The files show the user namespace of whoever opens them, `namespaces(7)`.
pub(crate) fn limit(kind: &str, number: &str) -> io::Result<()> {
    std::fs::write(format!("/proc/sys/user/max_{kind}_namespaces"), number)
}

pub(crate) fn cover(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(mount(Some("none"), path, Some("tmpfs"), MsFlags::empty(), NONE)?);
    }
    Ok(mount(Some("/dev/null"), path, NONE, MsFlags::MS_BIND, NONE)?)
}

pub(crate) fn make_read_only(path: &Path) -> io::Result<()> {
    mount(Some(path), path, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
    Ok(mount(NONE, path, NONE, MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, NONE)?)
}

pub(crate) fn pretend_sysctl(name: &str, value: &str) -> io::Result<()> {
    cover(Path::new("/proc/sys/kernel"))?;
    std::fs::write(Path::new("/proc/sys/kernel").join(name), value)
}

pub(crate) fn chroot_to_directory(directory: &Path) -> io::Result<()> {
    mount(Some("none"), directory, Some("tmpfs"), MsFlags::empty(), NONE)?;
    let root = directory.join("root");
    std::fs::create_dir(&root)?;
    for entry in std::fs::read_dir("/")? {
        let (entry, place) = entry.map(|entry| (entry.path(), root.join(entry.file_name())))?;
        if entry.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&entry)?, &place)?;
        } else if entry.is_dir() {
            std::fs::create_dir(&place)?;
            mount(Some(&entry), &place, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
        }
    }
    enter(&root)
}

pub(crate) fn chroot_to_mount(directory: &Path) -> io::Result<()> {
    mount(Some("/"), directory, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
    enter(directory)
}

/// The same tree at another root: the working directory keeps its name.
fn enter(root: &Path) -> io::Result<()> {
    let here = std::env::current_dir()?;
    chroot(root)?;
    std::env::set_current_dir(here)
}
