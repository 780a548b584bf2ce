//! What does cargo build? Its messages for people go where ours go.

use std::io::Read;
use std::os::fd::AsFd;
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
#[derive(Debug)]
pub(super) struct Running {
    build: Child,
    messages: Vec<u8>,
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
        Ok(Running { build, messages: Vec::new(), ended: false, is_silent: options.is_silent() })
    }

    /// Waits until all is built; it may still have to say so.
    pub(super) fn finish(&mut self, interrupt: &Interrupt) -> Result<Products, Problem> {
        self.listen(interrupt)?;
        if !self.messages.ends_with(FINISHED) && !self.end(interrupt)?.success() {
            let why = if self.is_silent { "one --cargo-quiet less tells why" } else { "see cargo's messages above" };
            return Err(failed(format!("the tests could not be built, {why}")));
        }
        let mut products = Products { artifacts: Vec::new(), scripts: Vec::new() };
        for message in Message::parse_stream(&self.messages[..]) {
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
        Ok(!self.end(interrupt)?.success() && !self.is_silent)
    }

    /// Takes its messages for programs, up to the one that all is built, or to the last.
    fn listen(&mut self, interrupt: &Interrupt) -> Result<(), Problem> {
        const DOING: &str = "building the tests";
        let output = self.build.stdout.as_mut().ok_or_else(|| failed("cargo has no output".to_owned()))?;
        let mut buffer = vec![0; 64 << 10];
        while !self.messages.ends_with(FINISHED) {
            interrupt.wait(output.as_fd(), None, DOING)?;
            match output.read(&mut buffer).map_err(|error| failed(format!("{DOING}: {error}")))? {
                0 => break,
                length => self.messages.extend_from_slice(&buffer[..length]),
            }
        }
        Ok(())
    }

    /// Waits for its end; tells how it ended.
    pub(super) fn end(&mut self, interrupt: &Interrupt) -> Result<ExitStatus, Problem> {
        self.listen(interrupt)?;
        if let Some(output) = self.build.stdout.take() {
            interrupt.read_to_end(output, "building the tests")?;
        }
        let ended = self.build.wait().map_err(|error| failed(format!("cannot wait for cargo: {error}")))?;
        self.ended = true;
        Ok(ended)
    }
}

/// What it says when all is built; what follows is for people.
const FINISHED: &[u8] = b"{\"reason\":\"build-finished\",\"success\":true}\n";

impl Drop for Running {
    /// Nobody wants the build any more, or it has ended.
    fn drop(&mut self) {
        if !self.ended {
            if !self.messages.ends_with(FINISHED) {
                killpg(Pid::from_raw(self.build.id().cast_signed()), Signal::SIGKILL).ok(); // Ended meanwhile: as good.
            }
            drop(self.build.wait());
        }
    }
}

fn failed(message: String) -> Problem {
    Problem { message, code: Code::BuildFailed }
}
