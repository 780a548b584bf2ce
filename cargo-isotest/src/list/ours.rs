//! What does a binary's own `main` answer? It is asked in a sandbox: a `main` that hears no arguments runs its tests instead.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::time::Duration;

use isotest::Spec;
use isotest::runner::{Client, End, Isolation, Leftovers, Program, Run, Target};

use super::answers;
use super::kept::Kept;
use crate::Problem;
use crate::binary::{self, pipe};
use crate::compile::Binary;
use crate::exit_code::Code;
use crate::interrupt::Interrupt;

/// How binaries are asked.
pub(crate) struct Manner<'i> {
    /// Stops everything.
    pub(crate) interrupt: &'i Interrupt,
    /// For how long an answer is waited for.
    pub(crate) patience: Duration,
    /// Whether their `main` gets a sandbox, if the machine allows any.
    pub(crate) isolation: Isolation,
    /// What they have answered before.
    pub(crate) kept: &'i Kept,
}

/// This program's own fork server, which executes binaries that have none; started when it is needed.
#[derive(Default)]
pub(super) struct Ours(OnceLock<Result<Client, String>>);

/// What a binary has answered.
pub(super) struct Answer {
    /// Its standard output.
    pub(super) text: String,
    /// Whether it ended with success.
    pub(super) success: bool,
}

impl Ours {
    /// Runs the binary with these arguments.
    pub(super) fn ask(&self, manner: &Manner<'_>, binary: &Binary, arguments: &[&str]) -> Result<Answer, Problem> {
        let mut isolation = manner.isolation;
        loop {
            let (text, complaint, end) = self.execute(manner, binary, arguments, isolation)?;
            let said = |why: String| super::heard::problem(binary, &format!("{why}{}", indented(&complaint)));
            return match end {
                End::Exited(127) => Err(said("it can't be started".to_owned())),
                End::Exited(status) => Ok(Answer { text, success: status == 0 }),
                // What it would do is unknown, but to list is little: the machine's refusal is told of its tests.
                End::SetupFailed(_) if isolation == Isolation::Required => {
                    isolation = Isolation::None;
                    continue;
                }
                End::SetupFailed(failure) => Err(said(format!("{}: errno {}", failure.step, failure.errno))),
                End::TimedOut => Err(too_late(binary, manner.patience)),
                End::Signalled(signal) => Err(said(format!("it was killed by signal {signal} when it was asked"))),
                End::Stopped => Err(said("it stopped itself when it was asked".to_owned())),
            };
        }
    }

    fn execute(
        &self,
        manner: &Manner<'_>,
        binary: &Binary,
        arguments: &[&str],
        isolation: Isolation,
    ) -> Result<(String, String, End), Problem> {
        let failed = |error: io::Error| super::heard::problem(binary, &error);
        let doing = format!("listing the tests of {}", binary.id);
        let (reader, writer) = pipe().map_err(failed)?;
        let (complaint, errors) = pipe().map_err(failed)?;
        let mut spec = Spec::default();
        spec.timeout = Some(manner.patience);
        let (program, arguments) = binary.command_line(arguments);
        let program = Program {
            program,
            arguments,
            environment: binary.environment.clone(),
            directory: binary.directory.clone(),
            wrapped: false,
        };
        let run = Run {
            test: binary.name.clone(),
            spec,
            keep: binary::kept(binary),
            target: Target::Exec(program),
            label: format!("{}-list", std::process::id()),
            environment: Vec::new(),
            isolation,
            leftovers: Leftovers::End,
        };
        let pending = self.server().map_err(failed)?.run(run, writer, errors, None).map_err(failed)?;
        let complaint = std::thread::spawn(move || end_of(File::from(complaint)));
        let text = manner.interrupt.read_until(File::from(reader), answers::KEPT, None, &doing)?.unwrap_or_default();
        manner.interrupt.wait(pending.as_fd(), None, &doing)?;
        let gone = || io::Error::other("whoever looked after it was killed");
        let report = pending.report().map_err(failed)?.ok_or_else(|| failed(gone()))?;
        let complaint = complaint.join().unwrap_or_default();
        Ok((String::from_utf8_lossy(&text).into_owned(), complaint, report.end))
    }

    fn server(&self) -> io::Result<&Client> {
        let server = self.0.get_or_init(|| binary::own_server().map_err(|error| error.to_string()));
        server.as_ref().map_err(|error| io::Error::other(error.clone()))
    }

    /// The server, for the tests, if it was started.
    pub(super) fn into_server(self) -> Option<Client> {
        self.0.into_inner()?.ok()
    }
}

/// It has not answered.
pub(super) fn too_late(binary: &Binary, patience: Duration) -> Problem {
    let message = format!(
        "{} ({}) does not answer `--list --format terse` within {}s\n  \
         a harness of your own lists its tests when it is asked to, see docs/custom-harnesses.md;\n  \
         leave the target out with `test = false` in Cargo.toml, or give it more time with list-timeout in \
         .config/isotest.toml",
        binary.id,
        binary.executable.display(),
        patience.as_secs_f64(),
    );
    Problem { message, code: Code::ListFailed }
}

/// The end of what is written there. It can't be read only afterwards: a pipe that nobody empties stops who writes.
fn end_of(mut stream: impl Read) -> String {
    const SHOWN: usize = 16 << 10;
    let (mut kept, mut buffer) = (Vec::new(), vec![0; SHOWN]);
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..length]);
        kept.drain(..kept.len().saturating_sub(SHOWN));
    }
    String::from_utf8_lossy(&kept).into_owned()
}

fn indented(complaint: &str) -> String {
    complaint.lines().map(|line| format!("\n  {line}")).collect()
}
