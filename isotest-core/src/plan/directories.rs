//! What becomes private, and what of it stays reachable? Pure.

use std::path::{Path, PathBuf};

use super::Step;
use crate::Spec;
use crate::host::Facts;

/// Lays a tmpfs over each private directory, and what is to stay reachable over that. `on_one` needs a directory for itself.
pub(super) fn layer(spec: &Spec, facts: &Facts, keep: &[PathBuf], on_one: Option<Step>, steps: &mut Vec<Step>) {
    let kept = hidden(keep, &facts.private);
    // Copies are taken before the first tmpfs hides anything.
    steps.extend(kept.iter().cloned().map(Step::Detach));
    steps.extend(on_one);
    // From the outside in: what is kept may contain a private directory (a checkout in /tmp with $TMPDIR in it).
    let mut layers: Vec<&PathBuf> = facts.private.iter().chain(&kept).collect();
    layers.sort();
    for at in layers {
        if kept.contains(at) {
            steps.push(Step::Attach(at.clone()));
            continue;
        }
        if facts.private.iter().any(|outer| outer != at && at.starts_with(outer)) {
            steps.push(Step::MakeDirectory(at.clone()));
        }
        let mode = if at == Path::new("/run") { 0o755 } else { 0o1777 };
        let options = format!("size={},mode={mode:o}", spec.tmp);
        steps.push(Step::Tmpfs { at: at.clone(), bytes: spec.tmp, options });
    }
    let visible = |path: &PathBuf| facts.private.contains(path) || kept.iter().any(|kept| path.starts_with(kept));
    steps.extend(facts.directory.iter().filter(|path| visible(path)).cloned().map(Step::Enter));
}

/// The kept paths that a private directory would hide, without those that come back with another. The private directory
/// itself is never kept.
fn hidden(keep: &[PathBuf], private: &[PathBuf]) -> Vec<PathBuf> {
    let hides = |path: &Path| private.iter().filter(|outer| path.starts_with(outer)).max();
    let mut kept: Vec<&PathBuf> = keep.iter().filter(|path| hides(path).is_some() && !private.contains(path)).collect();
    kept.sort();
    kept.dedup();
    let comes_with =
        |path: &PathBuf, outer: &PathBuf| outer != path && path.starts_with(outer) && hides(outer) == hides(path);
    kept.iter().filter(|path| !kept.iter().any(|outer| comes_with(path, outer))).map(|path| (*path).clone()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn facts(private: &[&str], directory: &str) -> Facts {
        Facts {
            uid: 1000,
            gid: 1000,
            uid_ranges: Vec::new(),
            gid_ranges: Vec::new(),
            name: std::ffi::CString::default(),
            private: private.iter().map(PathBuf::from).collect(),
            private_devices: Vec::new(),
            cgroups: false,
            sys_read_only: false,
            mqueue: false,
            own_pid_max: true,
            hosts: None,
            directory: Some(directory.into()),
        }
    }

    /// What is said of the private directories, in order.
    fn layers(private: &[&str], keep: &[&str], directory: &str) -> Vec<String> {
        let keep: Vec<PathBuf> = keep.iter().map(PathBuf::from).collect();
        let mut steps = Vec::new();
        layer(&Spec::default().tmp(1), &facts(private, directory), &keep, None, &mut steps);
        steps.iter().map(Step::to_string).collect()
    }

    #[test]
    fn a_checkout_in_a_private_directory_is_carried_across() {
        let expected = [
            "taking a copy of the mount /tmp/checkout",
            "mounting tmpfs of 1 bytes on /run",
            "mounting tmpfs of 1 bytes on /tmp",
            "putting /tmp/checkout back",
            "entering /tmp/checkout/member",
        ];
        assert_eq!(layers(&["/run", "/tmp"], &["/tmp/checkout", "/home/me"], "/tmp/checkout/member"), expected);
    }

    #[test]
    fn a_private_directory_in_a_checkout_is_private_still() {
        let expected = [
            "taking a copy of the mount /tmp/checkout",
            "taking a copy of the mount /tmp/checkout/tmp/target",
            "mounting tmpfs of 1 bytes on /tmp",
            "putting /tmp/checkout back",
            "making the directory /tmp/checkout/tmp",
            "mounting tmpfs of 1 bytes on /tmp/checkout/tmp",
            "putting /tmp/checkout/tmp/target back",
            "entering /tmp/checkout",
        ];
        let keep =
            ["/tmp/checkout", "/tmp/checkout/tests", "/tmp/checkout/tmp/target", "/tmp/checkout/tmp/target/debug"];
        assert_eq!(layers(&["/tmp", "/tmp/checkout/tmp"], &keep, "/tmp/checkout"), expected);
    }

    #[test]
    fn a_private_directory_is_not_kept_but_what_is_below_it() {
        let expected = [
            "taking a copy of the mount /dev/shm/debug",
            "mounting tmpfs of 1 bytes on /dev/shm",
            "putting /dev/shm/debug back",
            "entering /dev/shm",
        ];
        assert_eq!(layers(&["/dev/shm"], &["/dev/shm", "/dev/shm/debug", "/dev/shm/debug/deps"], "/dev/shm"), expected);
    }

    #[test]
    fn outside_of_private_directories_nothing_is_carried() {
        assert_eq!(layers(&["/tmp"], &["/home/me", "/tmpfiles"], "/home/me"), ["mounting tmpfs of 1 bytes on /tmp"]);
    }
}
