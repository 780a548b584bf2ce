//! Carries out a plan, step by step, inside the sandbox. It decides nothing.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::Result;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};

use crate::outcome::Failure;
use crate::plan::Step;
use crate::sys::{self, errno};

/// Mount trees taken by [`Step::Detach`] and not yet put back.
#[derive(Debug, Default)]
pub(crate) struct Detached(Vec<(PathBuf, OwnedFd)>);

/// Carries out `steps` in order, up to the first that the kernel refuses.
pub(crate) fn carry_out(steps: &[Step], detached: &mut Detached) -> std::result::Result<(), Failure> {
    for step in steps {
        carry_out_one(step, detached).map_err(|errno| Failure {
            step: step.to_string(),
            stage: step.stage(),
            errno: errno as i32,
        })?;
    }
    Ok(())
}

fn carry_out_one(step: &Step, detached: &mut Detached) -> Result<()> {
    match step {
        Step::Write { path, contents } => write(path, contents),
        Step::Unshare(flags) => nix::sched::unshare(*flags),
        Step::MakePrivate => mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE),
        Step::Detach(path) => detach(path, detached),
        // No MS_NOEXEC: tests build and run programs in temporary directories.
        Step::Tmpfs { at, options, .. } => mount(Some("tmpfs"), at, Some("tmpfs"), NO_DEVICES, Some(options.as_str())),
        Step::MakeDirectory(path) => make_directory(path),
        Step::Attach(path) => attach(path, detached),
        Step::Enter(path) => nix::unistd::chdir(path),
        Step::Mount { kind, at, read_only } => {
            let flags = if *read_only { NO_PRIVILEGE | MsFlags::MS_RDONLY } else { NO_PRIVILEGE };
            mount(Some(*kind), at, Some(*kind), flags, NONE)
        }
        Step::RaiseLoopback => sys::network::raise_loopback(),
        Step::Hostname(name) => nix::unistd::sethostname(name),
        Step::Lay { over, contents, shelf } => lay(over, contents, shelf),
    }
}

const NONE: Option<&str> = None;
const NO_DEVICES: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV);
const NO_PRIVILEGE: MsFlags = NO_DEVICES.union(MsFlags::MS_NOEXEC);

fn write(path: &Path, contents: &str) -> Result<()> {
    std::fs::write(path, contents).map_err(errno)
}

fn detach(path: &Path, detached: &mut Detached) -> Result<()> {
    let tree = sys::mount::open_tree(&c_path(path)?)?;
    detached.0.push((path.to_owned(), tree));
    Ok(())
}

fn attach(path: &Path, detached: &mut Detached) -> Result<()> {
    let index = detached.0.iter().position(|(taken, _)| taken == path).ok_or(Errno::ENOENT)?;
    let (_, tree) = detached.0.swap_remove(index);
    make_place_for(&tree, path)?;
    sys::mount::move_mount(&tree, &c_path(path)?)
}

fn lay(over: &Path, contents: &str, shelf: &Path) -> Result<()> {
    // Not in what the test finds there, which is empty. A file without a name won't do: nothing can be mounted over it again.
    mount(Some("tmpfs"), shelf, Some("tmpfs"), NO_PRIVILEGE, Some("size=1M,mode=755"))?;
    let file = shelf.join("file");
    std::fs::write(&file, contents).map_err(errno)?;
    let tree = sys::mount::open_tree(&c_path(&file)?)?;
    sys::mount::move_mount(&tree, &c_path(over)?)
}

/// A mount needs something of its own kind to be attached to.
fn make_place_for(tree: &OwnedFd, path: &Path) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mode = nix::sys::stat::fstat(tree)?.st_mode;
    if nix::sys::stat::SFlag::from_bits_truncate(mode).contains(nix::sys::stat::SFlag::S_IFDIR) {
        return make_directory(path);
    }
    path.parent().map_or(Ok(()), make_directory)?;
    std::fs::write(path, "").map_err(errno)
}

fn make_directory(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(errno)
}

fn c_path(path: &Path) -> Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)
}
