//! Keeps coverage profiles apart and whole: process ids repeat across PID namespaces, and with them the `%p` of file
//! names; and what is written to a private directory would end with the sandbox.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::host::private_directories;
use crate::sys;
use crate::sys::process::SingleThreaded;

/// Where the profile runtime is told to write, as `-C instrument-coverage` documents.
const PATTERN: &str = "LLVM_PROFILE_FILE";

/// The directory that profiles are written to, made if need be: the runtime would make it, but inside, where a directory
/// that is not there yet can't be kept.
pub(crate) fn directory() -> Option<PathBuf> {
    let pattern = PathBuf::from(std::env::var_os(PATTERN)?);
    let directory = pattern.parent()?;
    let directory = directory.ancestors().find(|path| !path.as_os_str().as_bytes().contains(&b'%'))?;
    // If it can't be made, the runtime says so when it has something to write.
    std::fs::create_dir_all(directory).ok();
    Some(directory.to_owned())
}

/// Profiles that are written to a private directory itself, as with `/tmp/%p.profraw`. They end with the sandbox unless
/// somebody who knows the directory from before carries them out.
#[derive(Debug)]
pub(crate) struct Stranded {
    outside: File,
    inside: PathBuf,
    part: String,
}

impl Stranded {
    /// Asked before anything is private.
    pub(crate) fn expected(label: &str) -> Option<Stranded> {
        let inside = stranding(Path::new(&std::env::var_os(PATTERN)?))?;
        Some(Stranded { outside: File::open(&inside).ok()?, inside, part: unique_part(label) })
    }

    /// Moves them, when the test has ended. Goes to the directory outside to do so.
    pub(crate) fn carry_out(&self) -> io::Result<()> {
        let names = std::fs::read_dir(&self.inside)?.flatten().map(|entry| entry.file_name());
        let profiles = names.filter(|name| name.to_string_lossy().contains(&self.part));
        nix::unistd::fchdir(&self.outside)?;
        profiles.into_iter().try_for_each(|name| {
            let inside = self.inside.join(&name);
            std::fs::copy(&inside, name)?;
            std::fs::remove_file(inside)
        })
    }
}

/// The private directory that this pattern names a file in.
fn stranding(pattern: &Path) -> Option<PathBuf> {
    let directory = pattern.parent()?.canonicalize().ok()?;
    private_directories().contains(&directory).then_some(directory)
}

/// Gives this test process, and whatever it starts, profile names of their own.
pub(crate) fn separate_profiles(proof: &SingleThreaded, label: &str) {
    let Ok(pattern) = std::env::var(PATTERN) else { return };
    // Files into which processes merge may be shared, where they can be.
    if !merges(&pattern) || stranding(Path::new(&pattern)).is_some() {
        sys::env::set(proof, PATTERN, &unique(&pattern, label));
    }
}

/// What tells one test's profiles from another's.
fn unique_part(label: &str) -> String {
    format!("{label}-")
}

/// A pattern that no other test's processes share.
fn unique(pattern: &str, label: &str) -> String {
    let part = unique_part(label);
    if pattern.contains("%p") {
        return pattern.replace("%p", &format!("{part}%p"));
    }
    match pattern.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') => format!("{stem}-{part}%p.{extension}"),
        _ => format!("{pattern}-{part}%p"),
    }
}

/// Whether processes merge what they count under a lock, for which `%m` or `%Nm` stands. Those that `%p` tells apart
/// outside are to be told apart inside too: one that is killed while it merges spoils the file.
fn merges(pattern: &str) -> bool {
    let mut specifiers = pattern.split('%').skip(1);
    !pattern.contains("%p")
        && specifiers.any(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('m'))
}

#[cfg(test)]
mod tests {
    use super::{merges, unique};

    #[test]
    fn a_process_id_is_made_unique_across_namespaces() {
        assert!(!merges("a-%p-%16m.profraw"));
        assert_eq!(unique("a-%p-%16m.profraw", "7-1"), "a-7-1-%p-%16m.profraw");
    }

    #[test]
    fn what_merges_may_be_shared() {
        assert!(merges("a-%16m.profraw") && merges("a-%m") && !merges("16m.profraw"));
    }

    #[test]
    fn a_fixed_name_is_made_unique() {
        assert_eq!(unique("d.x/cov", "7-1"), "d.x/cov-7-1-%p");
        assert_eq!(unique("d/cov.profraw", "7-1"), "d/cov-7-1-%p.profraw");
        assert_eq!(unique("/tmp/%m.profraw", "7-1"), "/tmp/%m-7-1-%p.profraw");
    }
}
