//! What the end-to-end tests share: the fixture crates, built and run as a user would build and run them.

mod ended;
mod watchdog;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

pub use ended::Ended;
pub use watchdog::readable;

/// The root of this repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"))
}

/// A fixture crate under `tests/fixtures`, which is no member of the workspace.
#[derive(Clone, Copy, Debug)]
pub struct Fixture(pub &'static str);

impl Fixture {
    /// Its folder.
    #[must_use]
    pub fn directory(self) -> PathBuf {
        root().join("tests/fixtures").join(self.0)
    }

    /// `cargo ARGUMENTS` in it, in a target directory that all fixtures share.
    ///
    /// # Panics
    ///
    /// When the workspace's lock file can't be copied: fixtures build what the workspace builds.
    #[must_use]
    pub fn cargo(self, arguments: &[&str]) -> Command {
        // An existing lock file may have more in it than the workspace's, and another test may be reading it.
        if !self.directory().join("Cargo.lock").exists() {
            std::fs::copy(root().join("Cargo.lock"), self.directory().join("Cargo.lock")).expect("a lock file to copy");
        }
        let mut command = clean(Command::new(env!("CARGO")));
        command.args(arguments).current_dir(self.directory()).env("CARGO_TARGET_DIR", target().join("fixtures"));
        command
    }

    /// `cargo isotest ARGUMENTS` in it.
    #[must_use]
    pub fn cargo_isotest(self, arguments: &[&str]) -> Command {
        let cargo = self.cargo(&[]);
        let mut command = clean(Command::new(cargo_isotest()));
        command.arg("isotest").args(arguments).current_dir(self.directory());
        command.envs(cargo.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }
}

/// The runner, built once.
///
/// # Panics
///
/// When it does not build.
pub fn cargo_isotest() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut build = clean(Command::new(env!("CARGO")));
        build.args(["build", "--quiet", "--package", "cargo-isotest"]).current_dir(root());
        build.env("CARGO_TARGET_DIR", target());
        assert!(build.status().expect("cargo starts").success(), "cargo-isotest does not build");
        target().join("debug/cargo-isotest")
    })
}

/// This workspace's target directory.
fn target() -> PathBuf {
    let executable = std::env::current_exe().unwrap_or_default();
    let tagged = executable.ancestors().find(|ancestor| ancestor.join("CACHEDIR.TAG").exists());
    tagged.map_or_else(|| root().join("target"), Path::to_owned)
}

/// Without what the cargo that runs *us* has set, and with output that depends neither on the caller's taste nor on where we run.
#[must_use]
pub fn clean(mut command: Command) -> Command {
    watchdog::watch();
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_cargo = text.starts_with("CARGO_") && text != "CARGO_HOME";
        let of_a_runner = ["RUST_", "NEXTEST", "ISOTEST", "GITHUB_"].iter().any(|prefix| text.starts_with(prefix));
        if of_cargo || of_a_runner || text == "CARGO" || text == "CI" {
            command.env_remove(&name);
        }
    }
    command.env("NO_COLOR", "1").env("CARGO_TERM_COLOR", "never").env("RUST_BACKTRACE", "0");
    command
}

/// Both streams of a finished program as text, standard output first.
#[must_use]
pub fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}
