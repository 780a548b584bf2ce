//! Where is here what was there when the tests were built?

use std::env;
use std::path::{Path, PathBuf};

use target_spec::Platform;

use super::contents::Contents;

/// Places of the machine that built, and those that stand for them here.
#[derive(Debug)]
pub(super) struct Places {
    /// Of nested ones the inner first.
    places: Vec<(PathBuf, PathBuf)>,
}

impl Places {
    /// With what was packed below this target directory, and this workspace.
    pub(super) fn new(contents: &Contents, target: &Path, workspace: &Path) -> Places {
        let packed = contents.roots().into_iter().map(|(there, name)| {
            let below = Path::new(name).strip_prefix("target").unwrap_or(Path::new(""));
            (there.to_owned(), target.join(below).components().collect())
        });
        let workspace = (contents.workspace.clone(), workspace.to_owned());
        let mut places: Vec<(PathBuf, PathBuf)> = packed.chain([workspace]).collect();
        places.sort_by_key(|(there, _)| std::cmp::Reverse(there.components().count()));
        Places { places }
    }

    /// Where a path is here; unchanged where it has nothing to do with the build.
    pub(super) fn here(&self, path: &Path) -> PathBuf {
        let moved = self.places.iter().find_map(|(there, here)| {
            let below = path.strip_prefix(there).ok()?;
            Some(if below.as_os_str().is_empty() { here.clone() } else { here.join(below) })
        });
        moved.unwrap_or_else(|| path.to_owned())
    }

    /// What a test is told here. Where the standard library and others lie is said by who runs it, too.
    pub(super) fn environment(&self, told: &[(String, String)]) -> Vec<(String, String)> {
        let cargo = env::var("CARGO").ok();
        let told = told.iter().filter_map(|(name, value)| {
            let value = match name.as_str() {
                "CARGO" => cargo.clone()?,
                "LD_LIBRARY_PATH" => self.libraries(value),
                _ if Path::new(value).is_absolute() => self.here(Path::new(value)).to_string_lossy().into_owned(),
                _ => value.clone(),
            };
            Some((name.clone(), value))
        });
        told.collect()
    }

    fn libraries(&self, told: &str) -> String {
        let packed = env::split_paths(told).filter(|path| self.places.iter().any(|(there, _)| path.starts_with(there)));
        let mut all: Vec<PathBuf> = packed.map(|path| self.here(&path)).collect();
        all.extend(env::var_os("LD_LIBRARY_PATH").iter().flat_map(env::split_paths));
        env::join_paths(all).map(|paths| paths.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// The triple of this machine.
pub(super) fn this_machine() -> String {
    Platform::build_target().map(|host| host.triple_str().to_owned()).unwrap_or_default()
}

/// Whether a machine of the triple `here` runs what was built for `there`: the C library's flavour is no obstacle.
pub(super) fn runs(here: &str, there: &str) -> bool {
    let architecture = |triple: &str| triple.split('-').next().unwrap_or_default().to_owned();
    let is_linux = |triple: &str| triple.split('-').any(|part| part == "linux");
    let (own, other) = (architecture(here), architecture(there));
    let is_its_smaller_kin = own == "x86_64" && matches!(other.as_str(), "i686" | "i586");
    is_linux(there) && (own == other || is_its_smaller_kin)
}

#[cfg(test)]
mod tests {
    use super::{Path, PathBuf, Places, runs};

    #[test]
    fn a_machine_runs_what_was_built_for_its_kind() {
        let here = "x86_64-unknown-linux-gnu";
        for there in [here, "x86_64-unknown-linux-musl", "i686-unknown-linux-gnu"] {
            assert!(runs(here, there), "{there}");
        }
        for there in ["aarch64-unknown-linux-gnu", "x86_64-apple-darwin", "x86_64-pc-windows-msvc", ""] {
            assert!(!runs(here, there), "{there}");
        }
    }

    #[test]
    fn of_nested_places_the_inner_counts() {
        let pair = |there: &str, here: &str| (PathBuf::from(there), PathBuf::from(here));
        let places = Places { places: vec![pair("/ws/target", "/x/target"), pair("/ws", "/y")] };
        let here = |path: &str| places.here(Path::new(path)).to_string_lossy().into_owned();
        assert_eq!(here("/ws/target/debug/a"), "/x/target/debug/a");
        assert_eq!(here("/ws/a/Cargo.toml"), "/y/a/Cargo.toml");
        assert_eq!(here("/ws"), "/y");
        assert_eq!(here("/wsx/a"), "/wsx/a");
    }
}
