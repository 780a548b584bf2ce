//! One setup script: how is it run, and what has become of it?

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use isotest::Spec;
use isotest::runner::{Client, End, Isolation, Leftovers, Order, Pending, Program, Run, Target};
use nix::sys::signal::Signal;

use super::{failed, say};
use crate::compile::{Built, on_the_path};
use crate::config::{RelativeTo, Script};
use crate::interrupt::Interrupt;
use crate::patience::{Due, Patience};
use crate::report::terminal::{BAD, ODD};
use crate::{Problem, nameless};

/// A script, or what it has left running. Ends with this.
pub(super) struct Running {
    pending: Pending,
    /// What it wrote, as far as it was to be kept.
    kept: File,
}

impl Running {
    /// Starts it under an init of its own, without a sandbox.
    pub(super) fn start(
        script: &Script,
        built: &Built,
        handed_over: &Path,
        server: &Client,
    ) -> Result<Running, String> {
        let program = program(script, built)?;
        let handed_over = handed_over.to_string_lossy().into_owned();
        let names = ["ISOTEST_ENV", "NEXTEST_ENV"].map(|name| (name.to_owned(), handed_over.clone()));
        let run = Run {
            test: script.name.clone(),
            spec: Spec::default(),
            keep: Vec::new(),
            target: Target::Exec(Program {
                program: program.clone(),
                arguments: script.arguments.clone(),
                environment: script.env.iter().cloned().chain(names).collect(),
                directory: built.workspace.clone(),
                wrapped: false,
            }),
            label: format!("{}-setup-{}", std::process::id(), script.name),
            environment: Vec::new(),
            isolation: Isolation::None,
            leftovers: Leftovers::Stay,
        };
        let start = || -> io::Result<Running> {
            let kept = nameless::file()?;
            let to = |capture: bool| if capture { Ok(OwnedFd::from(kept.try_clone()?)) } else { terminal() };
            let (out, err) = (to(script.capture_stdout)?, to(script.capture_stderr)?);
            Ok(Running { pending: server.run(run, out, err, None)?, kept })
        };
        start().map_err(|error| format!("cannot run {}: {error}", program.display()))
    }

    /// Waits for its end as its slow-timeout says. Tells how it ended, unless it was well.
    pub(super) fn finish(&mut self, script: &Script, interrupt: &Interrupt) -> Result<Option<String>, Problem> {
        let doing = format!("running the setup script {}", script.name);
        let started = Instant::now();
        let mut patience = script.slow_timeout.map(Patience::new);
        loop {
            let next = patience.as_ref().and_then(Patience::next).map(|next| started + next);
            if interrupt.wait(self.pending.as_fd(), next, &doing)? {
                break;
            }
            match patience.as_mut().and_then(|patience| patience.due(started.elapsed())) {
                Some(Due::Slow) => say(ODD, "SETUP SLOW", &script.name),
                Some(Due::Terminate) => {
                    say(BAD, "TERMINATING", &script.name);
                    self.pending.order(Order::Terminate);
                }
                Some(Due::Kill) => self.pending.order(Order::Kill),
                None => {}
            }
        }
        let report = self.pending.report().map_err(|error| failed(script, &error.to_string()))?;
        let end = report.ok_or_else(|| failed(script, "whoever looked after it was killed"))?.end;
        Ok(Some(match end {
            End::Exited(0) => return Ok(None),
            End::Exited(code) => format!("it ended with exit code {code}"),
            End::Signalled(number) => match Signal::try_from(number) {
                Ok(signal) => format!("it was ended by {signal}"),
                Err(_) => format!("it was ended by signal {number}"),
            },
            End::TimedOut => "it did not end in the time that its slow-timeout gives it, and was killed".to_owned(),
            End::Stopped => "it stopped itself".to_owned(),
            End::SetupFailed(failure) => format!("{}: errno {}", failure.step, failure.errno),
        }))
    }

    /// The end of what it wrote, as far as it was kept, on lines of its own.
    pub(super) fn output(&mut self) -> io::Result<String> {
        const SHOWN: u64 = 64 << 10;
        let length = self.kept.seek(SeekFrom::End(0))?;
        self.kept.seek(SeekFrom::Start(length.saturating_sub(SHOWN)))?;
        let mut bytes = Vec::new();
        self.kept.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(if text.trim().is_empty() { String::new() } else { format!("\n{}", text.trim_end()) })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        /// More than it takes to kill anything that can be killed.
        const PATIENCE: Duration = Duration::from_secs(10);
        self.pending.end(PATIENCE);
    }
}

/// The file to execute.
fn program(script: &Script, built: &Built) -> Result<PathBuf, String> {
    match script.relative_to {
        RelativeTo::None if !script.program.contains('/') => {
            let own_path = script.env.iter().rev().find(|(name, _)| name == "PATH");
            let path = own_path.map(|(_, path)| OsString::from(path)).or_else(|| std::env::var_os("PATH"));
            let found = on_the_path(&script.program, &path.unwrap_or_default());
            found.ok_or_else(|| format!("cannot run {}: it is not found in PATH", script.program))
        }
        RelativeTo::None | RelativeTo::WorkspaceRoot => Ok(built.workspace.join(&script.program)),
        RelativeTo::Target => Ok(built.target_directory.join(&script.program)),
    }
}

/// What a script shows is for people, and our standard output may be for programs.
fn terminal() -> io::Result<OwnedFd> {
    io::stderr().as_fd().try_clone_to_owned()
}
