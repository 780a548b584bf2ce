//! What do cargo and rustc know that the build does not tell? Asked before the build, answered meanwhile.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use cargo_metadata::{MetadataCommand, Package};

use crate::cli::Cargo;
use crate::interrupt::Interrupt;
use crate::{Problem, exit_code::Code};

/// The answers.
pub(super) struct Toolchain {
    /// The workspace.
    pub(super) workspace: Workspace,
    /// Where the standard library lies.
    pub(super) libraries: PathBuf,
}

/// What `cargo metadata` knows.
pub(crate) struct Workspace {
    /// Its root.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target_directory: PathBuf,
    /// The triple that is built for.
    pub(crate) triple: String,
    /// Its packages.
    pub(super) packages: Vec<Package>,
    /// All that cargo said.
    pub(crate) json: String,
}

/// Two programs that are being asked.
pub(super) struct Questions(Answers);

enum Answers {
    Awaited { metadata: Asked, libraries: Asked },
    There(Box<Toolchain>),
}

impl Questions {
    pub(super) fn ask(options: &Cargo) -> Result<Questions, Problem> {
        let mut libraries = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()));
        libraries.args(["--print", "target-libdir"]);
        libraries.args(options.target.iter().flat_map(|target| ["--target", target]));
        let mut metadata = metadata(options);
        metadata.no_deps();
        Ok(Questions(Answers::Awaited {
            metadata: Asked::ask(metadata.cargo_command(), "reading the workspace")?,
            libraries: Asked::ask(libraries, "asking rustc for its libraries")?,
        }))
    }

    /// The workspace, which is known long before the build has ended.
    pub(super) fn workspace(&mut self, interrupt: &Interrupt) -> Result<&Toolchain, Problem> {
        if let Answers::Awaited { metadata, libraries } = &mut self.0 {
            let json = metadata.answer(interrupt)?;
            let libraries = PathBuf::from(libraries.answer(interrupt)?.trim_end());
            let metadata = MetadataCommand::parse(&json).map_err(|error| Problem {
                message: format!("reading the workspace: {error}"),
                code: Code::MetadataFailed,
            })?;
            let workspace = Workspace {
                root: metadata.workspace_root.into(),
                target_directory: metadata.target_directory.into(),
                triple: triple(&libraries),
                packages: metadata.packages,
                json,
            };
            self.0 = Answers::There(Box::new(Toolchain { workspace, libraries }));
        }
        match &self.0 {
            Answers::There(toolchain) => Ok(toolchain),
            Answers::Awaited { metadata, .. } => Err(problem(metadata.doing, "no answer")),
        }
    }

    pub(super) fn answers(mut self, interrupt: &Interrupt) -> Result<Toolchain, Problem> {
        self.workspace(interrupt)?;
        match self.0 {
            Answers::There(toolchain) => Ok(*toolchain),
            Answers::Awaited { metadata, .. } => Err(problem(metadata.doing, "no answer")),
        }
    }
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
    metadata
}

/// A program that will answer on its standard output.
struct Asked {
    program: Child,
    doing: &'static str,
}

impl Asked {
    fn ask(mut command: Command, doing: &'static str) -> Result<Asked, Problem> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        match command.spawn() {
            Ok(program) => Ok(Asked { program, doing }),
            Err(error) => Err(problem(doing, &error.to_string())),
        }
    }

    fn answer(&mut self, interrupt: &Interrupt) -> Result<String, Problem> {
        let (stdout, stderr) = (self.program.stdout.take(), self.program.stderr.take());
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else { return Err(problem(self.doing, "no output")) };
        let answer = interrupt.read_to_end(stdout, self.doing)?;
        let complaint = interrupt.read_to_end(stderr, self.doing)?;
        let ended = self.program.wait().map_err(|error| problem(self.doing, &error.to_string()))?;
        if !ended.success() {
            return Err(problem(self.doing, String::from_utf8_lossy(&complaint).trim_end()));
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
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
