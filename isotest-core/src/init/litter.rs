//! What is left in the private directories?
//!
//! Each is a tmpfs, which knows how many inodes it has: as long as there are no more than before the test, nobody has to
//! look. Otherwise what is found counts, because an inode may have no name any more.

use std::collections::VecDeque;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::statfs::{TMPFS_MAGIC, statfs};

use crate::plan::{Plan, Private};
use crate::report::{LeftFiles, cut};

/// How many inodes each private directory has before the test.
#[derive(Debug, Default)]
pub(super) struct Clean(Vec<u64>);

impl Clean {
    /// To be taken when the sandbox is ready.
    pub(super) fn look(plan: &Plan) -> Clean {
        // A fresh tmpfs has its root. What init itself has made there, for paths that stay reachable, is counted.
        let inodes = |private: &Private| if private.made.is_empty() { 1 } else { inodes(&private.at).unwrap_or(0) };
        Clean(plan.private.iter().map(inodes).collect())
    }

    /// What has been added since.
    pub(super) fn compare(&self, plan: &Plan) -> LeftFiles {
        let mut left = LeftFiles::default();
        for (private, before) in plan.private.iter().zip(&self.0) {
            if inodes(&private.at).is_some_and(|now| now > *before) {
                search(private, &plan.host_devices, &mut left);
            }
        }
        left
    }
}

/// How many inodes there are; `None` if it is no tmpfs.
fn inodes(directory: &Path) -> Option<u64> {
    let stat = statfs(directory).ok()?;
    (stat.filesystem_type() == TMPFS_MAGIC).then(|| stat.files().saturating_sub(stat.files_free()))
}

fn search(private: &Private, host_devices: &[u64], left: &mut LeftFiles) {
    let Some(device) = device(&private.at) else { return };
    // The test may have unmounted what was private: then this is the host's, and not its business.
    if host_devices.contains(&device) {
        return;
    }
    let mut directories = VecDeque::from([private.at.clone()]);
    while let Some(directory) = directories.pop_front() {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.sort_unstable();
        for path in paths {
            let is_mount = std::fs::symlink_metadata(&path).map_or(true, |found| found.dev() != device);
            if is_mount {
                continue;
            }
            if !private.made.iter().any(|made| made.starts_with(&path)) {
                if left.count == LeftFiles::COUNTED {
                    return;
                }
                left.count += 1;
                if left.paths.len() < LeftFiles::NAMED {
                    left.paths.push(cut(path.as_os_str().as_bytes()));
                }
            }
            // Not through a symbolic link: it may lead out.
            if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                directories.push_back(path);
            }
        }
    }
}

fn device(directory: &Path) -> Option<u64> {
    Some(directory.symlink_metadata().ok()?.dev())
}
