//! What does cargo build? Its messages for people go where ours go.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use cargo_metadata::{Artifact, BuildScript, CrateType, Message};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::cli::Cargo;
use crate::interrupt::Interrupt;
use crate::{Problem, exit_code::Code};

/// What cargo says it has built.
pub(crate) struct Products {
    pub(super) artifacts: Vec<Artifact>,
    pub(super) scripts: Vec<BuildScript>,
}

impl Products {
    /// Shared libraries, which test binaries may be linked with.
    pub(super) fn dynamic_libraries(&self) -> Vec<PathBuf> {
        let is_shared = |kind: &CrateType| matches!(kind, CrateType::DyLib | CrateType::CDyLib);
        let shared = self.artifacts.iter().filter(|artifact| artifact.target.crate_types.iter().any(is_shared));
        let files = shared.flat_map(|artifact| &artifact.filenames);
        files.filter(|file| file.extension() == Some("so")).map(PathBuf::from).collect()
    }
}

/// A cargo that builds, in a process group of its own, so that it can be stopped with its compilers and build scripts.
pub(super) struct Running {
    build: Child,
    ended: bool,
    is_silent: bool,
}

impl Running {
    pub(super) fn start(options: &Cargo) -> Result<Running, Problem> {
        let mut command = Command::new(super::cargo());
        command.args(["test", "--no-run", "--message-format", "json-render-diagnostics"]);
        command.args(options.arguments()).stdin(Stdio::null()).stdout(Stdio::piped());
        if options.is_silent() {
            command.stderr(Stdio::null());
        }
        let build = command.process_group(0).spawn();
        let build = build.map_err(|error| failed(super::cannot_run(&command, &error)))?;
        Ok(Running { build, ended: false, is_silent: options.is_silent() })
    }

    pub(super) fn finish(mut self, interrupt: &Interrupt) -> Result<Products, Problem> {
        let (messages, ended) = self.end(interrupt)?;
        if !ended.success() {
            let why = if self.is_silent { "one --cargo-quiet less tells why" } else { "see cargo's messages above" };
            return Err(failed(format!("the tests could not be built, {why}")));
        }
        let mut products = Products { artifacts: Vec::new(), scripts: Vec::new() };
        for message in Message::parse_stream(&messages[..]) {
            match message.map_err(|error| failed(format!("cannot read cargo's messages: {error}")))? {
                Message::CompilerArtifact(artifact) => products.artifacts.push(artifact),
                Message::BuildScriptExecuted(script) => products.scripts.push(script),
                _ => {}
            }
        }
        Ok(products)
    }

    /// Whether it ends badly and has told everybody why.
    pub(super) fn has_complained(&mut self, interrupt: &Interrupt) -> Result<bool, Problem> {
        Ok(!self.end(interrupt)?.1.success() && !self.is_silent)
    }

    /// Waits for its end. Its messages for programs, and how it ended.
    fn end(&mut self, interrupt: &Interrupt) -> Result<(Vec<u8>, ExitStatus), Problem> {
        let output = self.build.stdout.take().ok_or_else(|| failed("cargo has no output".to_owned()))?;
        let messages = interrupt.read_to_end(output, "building the tests")?;
        let ended = self.build.wait().map_err(|error| failed(format!("cannot wait for cargo: {error}")))?;
        self.ended = true;
        Ok((messages, ended))
    }
}

impl Drop for Running {
    /// Nobody wants the build any more, or it has ended.
    fn drop(&mut self) {
        if !self.ended {
            killpg(Pid::from_raw(self.build.id().cast_signed()), Signal::SIGKILL).ok(); // Ended meanwhile: as good.
            drop(self.build.wait());
        }
    }
}

fn failed(message: String) -> Problem {
    Problem { message, code: Code::BuildFailed }
}
