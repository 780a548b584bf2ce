//! What do cargo and rustc know that the build does not tell? Asked before the build, answered meanwhile.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use cargo_metadata::{MetadataCommand, Package};

use crate::cli::Cargo;
use crate::interrupt::Interrupt;
use crate::{Problem, exit_code::Code};

/// The answers.
pub(super) struct Toolchain {
    /// The packages of the workspace.
    pub(super) packages: Vec<Package>,
    /// The workspace's root.
    pub(super) workspace: PathBuf,
    /// Where cargo puts what it builds.
    pub(super) target_directory: PathBuf,
    /// Where the standard library lies.
    pub(super) libraries: PathBuf,
}

/// Two programs that are being asked.
pub(super) struct Questions {
    metadata: Asked,
    libraries: Asked,
}

impl Questions {
    pub(super) fn ask(options: &Cargo) -> Result<Questions, Problem> {
        let mut metadata = MetadataCommand::new();
        metadata.cargo_path(super::cargo()).no_deps().other_options(options.resolution_arguments());
        if let Some(path) = &options.manifest_path {
            metadata.manifest_path(path);
        }
        let mut libraries = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()));
        libraries.args(["--print", "target-libdir"]);
        libraries.args(options.target.iter().flat_map(|target| ["--target", target]));
        Ok(Questions {
            metadata: Asked::ask(metadata.cargo_command(), "reading the workspace")?,
            libraries: Asked::ask(libraries, "asking rustc for its libraries")?,
        })
    }

    pub(super) fn answers(self, interrupt: &Interrupt) -> Result<Toolchain, Problem> {
        let libraries = self.libraries.answer(interrupt)?;
        let metadata = MetadataCommand::parse(self.metadata.answer(interrupt)?).map_err(|error| Problem {
            message: format!("reading the workspace: {error}"),
            code: Code::MetadataFailed,
        })?;
        Ok(Toolchain {
            workspace: metadata.workspace_root.into(),
            target_directory: metadata.target_directory.into(),
            packages: metadata.packages,
            libraries: PathBuf::from(libraries.trim_end()),
        })
    }
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

    fn answer(mut self, interrupt: &Interrupt) -> Result<String, Problem> {
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
