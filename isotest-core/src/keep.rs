//! Which paths must stay reachable inside, even where a private directory is laid over them: a checkout in /tmp, a
//! target directory in /dev/shm.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::host::private_directories;

/// What a test of this process needs: its sources, its binary, its build products, its tools.
pub(crate) fn paths() -> &'static [PathBuf] {
    // Read once: the fork server, and so each test, starts where this process was then.
    static PATHS: OnceLock<Vec<PathBuf>> = OnceLock::new();
    PATHS.get_or_init(|| {
        let executable = std::env::current_exe().ok();
        let directory = std::env::current_dir().ok();
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        of_a_test(executable.as_deref(), directory.as_deref(), manifest.as_deref())
    })
}

/// The same for a test binary that somebody else runs. Only what a private directory would hide is named.
pub fn of_a_test(executable: Option<&Path>, directory: Option<&Path>, manifest: Option<&Path>) -> Vec<PathBuf> {
    let mut paths = tools();
    paths.extend(executable.into_iter().flat_map(|path| down_to(path, "CACHEDIR.TAG")));
    paths.extend([directory, manifest].into_iter().flatten().flat_map(|path| down_to(path, "Cargo.toml")));
    let private = private_directories();
    let hidden = |path: &PathBuf| private.iter().any(|outer| path.starts_with(outer));
    paths.into_iter().filter_map(|path| path.canonicalize().ok()).filter(hidden).collect()
}

/// Directories that programs are found in, and where a coverage profile goes.
fn tools() -> Vec<PathBuf> {
    let lists = ["PATH", "LD_LIBRARY_PATH"].into_iter().filter_map(std::env::var_os);
    let listed = lists.flat_map(|list| std::env::split_paths(&list).collect::<Vec<_>>());
    let homes = ["HOME", "CARGO_HOME", "RUSTUP_HOME"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    listed.chain(homes).chain(crate::coverage::directory()).filter(|path| path.is_absolute()).collect()
}

/// From the highest ancestor that contains `marker` (a workspace, a target directory) down to `path` itself: if the
/// highest is a private directory, what is below it has to be kept.
fn down_to<'a>(path: &'a Path, marker: &str) -> impl Iterator<Item = PathBuf> + use<'a> {
    let highest = path.ancestors().filter(|ancestor| ancestor.join(marker).exists()).last().unwrap_or(path);
    path.ancestors().take_while(move |ancestor| ancestor.starts_with(highest)).map(Path::to_owned)
}
