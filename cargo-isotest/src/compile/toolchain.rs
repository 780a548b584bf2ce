//! What do cargo and rustc know that the build does not tell? Cargo is asked before the build, and answers meanwhile.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use cargo_metadata::{MetadataCommand, Package};

use super::rustc;
use crate::cli::Cargo;
use crate::interrupt::Interrupt;
use crate::{Problem, exit_code::Code, nameless};

/// The answers.
pub(super) struct Toolchain {
    /// The workspace.
    pub(super) workspace: Workspace,
    /// Where the standard library lies.
    pub(super) libraries: PathBuf,
    /// The triple that is built for.
    pub(super) triple: String,
}

/// What `cargo metadata` knows.
pub(crate) struct Workspace {
    /// Its root.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target_directory: PathBuf,
    /// Where cargo puts what it needs meanwhile, and test binaries (`build.build-dir`).
    pub(crate) build_directory: PathBuf,
    /// Its packages.
    pub(crate) packages: Vec<Package>,
    /// All that cargo said.
    pub(crate) json: String,
    /// Whether that includes dependencies.
    pub(crate) has_dependencies: bool,
}

impl Workspace {
    /// The `rust-version` of the package with this id, as it is written: `1.88`, which a parsed version would have as `1.88.0`.
    pub(super) fn rust_version(&self, id: &str) -> Option<String> {
        let json: serde_json::Value = serde_json::from_str(&self.json).ok()?;
        let package = json["packages"].as_array()?.iter().find(|package| package["id"] == id)?;
        package["rust_version"].as_str().map(str::to_owned)
    }
}

/// What is being asked, or was.
pub(super) struct Questions {
    metadata: Metadata,
    target: Option<String>,
}

enum Metadata {
    Awaited(Asked),
    There(Box<Workspace>),
}

impl Questions {
    pub(super) fn ask(options: &Cargo) -> Result<Questions, Problem> {
        let mut metadata = metadata(options);
        metadata.no_deps();
        let asked = Asked::ask(metadata.cargo_command(), "reading the workspace")?;
        Ok(Questions { metadata: Metadata::Awaited(asked), target: options.target.clone() })
    }

    /// The workspace, which is known long before the build has ended.
    pub(super) fn workspace(&mut self, interrupt: &Interrupt) -> Result<&Workspace, Problem> {
        if let Metadata::Awaited(asked) = &mut self.metadata {
            let json = asked.answer(interrupt)?;
            let metadata = MetadataCommand::parse(&json).map_err(|error| Problem {
                message: format!("reading the workspace: {error}"),
                code: Code::MetadataFailed,
            })?;
            self.metadata = Metadata::There(Box::new(Workspace {
                root: metadata.workspace_root.into(),
                build_directory: metadata.build_directory.unwrap_or(metadata.target_directory.clone()).into(),
                target_directory: metadata.target_directory.into(),
                has_dependencies: false,
                packages: metadata.packages,
                json,
            }));
        }
        match &self.metadata {
            Metadata::There(workspace) => Ok(workspace),
            Metadata::Awaited(asked) => Err(problem(asked.doing, "no answer")),
        }
    }

    /// All answers. After a build rustc need not be asked: cargo has done so.
    pub(super) fn answers(mut self, interrupt: &Interrupt) -> Result<Toolchain, Problem> {
        let target = self.target.take();
        let target_directory = &self.workspace(interrupt)?.target_directory;
        let (libraries, triple) = match rustc::libraries(target_directory, target.as_deref()) {
            Some(known) => known,
            None => ask_rustc(target.as_deref(), interrupt)?,
        };
        match self.metadata {
            Metadata::There(workspace) => Ok(Toolchain { workspace: *workspace, libraries, triple }),
            Metadata::Awaited(asked) => Err(problem(asked.doing, "no answer")),
        }
    }
}

fn ask_rustc(target: Option<&str>, interrupt: &Interrupt) -> Result<(PathBuf, String), Problem> {
    let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()));
    rustc.args(["--print", "target-libdir"]).args(target.iter().flat_map(|target| ["--target", target]));
    let answer = Asked::ask(rustc, "asking rustc for its libraries")?.answer(interrupt)?;
    let libraries = PathBuf::from(answer.trim_end());
    let triple = triple(&libraries);
    Ok((libraries, triple))
}

/// rustc keeps the libraries of each target in `rustlib/TRIPLE/lib`.
fn triple(libraries: &Path) -> String {
    let triple = libraries.parent().and_then(Path::file_name);
    triple.map(|triple| triple.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What `cargo metadata` says with all dependencies, which takes longer.
pub(crate) fn with_dependencies(options: &Cargo, interrupt: &Interrupt) -> Result<String, Problem> {
    Asked::ask(metadata(options).cargo_command(), "reading the workspace's dependencies")?.answer(interrupt)
}

fn metadata(options: &Cargo) -> MetadataCommand {
    let mut metadata = MetadataCommand::new();
    metadata.cargo_path(super::cargo()).other_options(options.resolution_arguments());
    if let Some(path) = &options.manifest_path {
        metadata.manifest_path(path);
    }
    // There is no such option of `cargo metadata`, and the variable stands above all configuration.
    if let Some(directory) = &options.target_dir {
        metadata.env("CARGO_TARGET_DIR", directory);
    }
    metadata
}

/// A program that will answer on its standard output.
struct Asked {
    program: Child,
    /// What it says to people. A file, so that only one stream has to be read as it comes.
    complaint: File,
    doing: &'static str,
}

impl Asked {
    fn ask(mut command: Command, doing: &'static str) -> Result<Asked, Problem> {
        let failed = |error: io::Error| problem(doing, &error.to_string());
        let complaint = nameless::file().map_err(failed)?;
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let started = command.stderr(complaint.try_clone().map_err(failed)?).spawn();
        let program = started.map_err(|error| problem(doing, &super::cannot_run(command, &error)))?;
        Ok(Asked { program, complaint, doing })
    }

    fn answer(&mut self, interrupt: &Interrupt) -> Result<String, Problem> {
        let failed = |error: io::Error| problem(self.doing, &error.to_string());
        let stdout = self.program.stdout.take().ok_or_else(|| problem(self.doing, "no output"))?;
        let answer = interrupt.read_to_end(stdout, self.doing)?;
        if !self.program.wait().map_err(failed)?.success() {
            let mut complaint = Vec::new();
            self.complaint.seek(SeekFrom::Start(0)).map_err(failed)?;
            self.complaint.read_to_end(&mut complaint).map_err(failed)?;
            return Err(problem(self.doing, why(&String::from_utf8_lossy(&complaint))));
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

/// Why it ended: what it says after its warnings, and without a word that we say ourselves.
fn why(complaint: &str) -> &str {
    let at_once = || complaint.strip_prefix("error: ");
    let after_warnings = || complaint.split_once("\nerror: ").map(|(_, why)| why);
    at_once().or_else(after_warnings).unwrap_or(complaint).trim_end()
}

impl Drop for Asked {
    /// Nobody wants the answer any more, or it has been given.
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(self.program.wait());
    }
}

fn problem(doing: &str, why: &str) -> Problem {
    Problem { message: format!("{doing}: {why}"), code: Code::MetadataFailed }
}

#[cfg(test)]
mod tests {
    use super::why;

    #[test]
    fn only_the_reason_is_taken_from_what_cargo_says() {
        assert_eq!(why("error: no Cargo.toml\n"), "no Cargo.toml");
        assert_eq!(why("warning: old\nerror: broken\n\nCaused by:\n  x\n"), "broken\n\nCaused by:\n  x");
        assert_eq!(why("rustup: no toolchain\n"), "rustup: no toolchain");
    }
}
