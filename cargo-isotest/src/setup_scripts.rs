//! Programs that run once before the tests that need them, and hand them variables. They run outside of any sandbox.
//!
//! As under nextest, a script that is to hand over variables writes `NAME=value` lines to the file that `ISOTEST_ENV` (or
//! `NEXTEST_ENV`, so that scripts carry over) names.

use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Instant;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::compile::Built;
use crate::config::{Profile, RelativeTo, Script};
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::list::Listed;
use crate::patience::{Due, Patience};
use crate::report::terminal::{self, BAD, GOOD, ODD, Styled};
use crate::{Problem, cli};

/// Runs those that the chosen tests need, in the order of the configuration.
pub(crate) fn run(
    listed: &mut Listed<'_>,
    profile: &Profile<'_>,
    built: &Built,
    interrupt: &Interrupt,
) -> Result<(), Problem> {
    for script in profile.scripts() {
        let binary_of = |binary: usize| &listed.binaries[binary].binary.facts;
        let needs = |profile: &Profile<'_>, binary: usize, name: &str| {
            profile.scripts_for(&binary_of(binary).test(name)).any(|needed| needed.name == script.name)
        };
        let needed: Vec<bool> = listed.tests.iter().map(|test| needs(profile, test.binary, &test.name)).collect();
        if !needed.contains(&true) {
            continue;
        }
        let variables = run_one(script, built, interrupt)?;
        for (test, _) in listed.tests.iter_mut().zip(needed).filter(|(_, needed)| *needed) {
            test.spec.env.extend(variables.iter().cloned());
        }
    }
    Ok(())
}

fn run_one(script: &Script, built: &Built, interrupt: &Interrupt) -> Result<Vec<(String, String)>, Problem> {
    let failed =
        |why: String| Problem { message: format!("setup script {}: {why}", script.name), code: Code::ScriptFailed };
    // It has no name, and so can't be left behind; scripts reach it by the descriptor that we hold.
    let mut handed_over = tempfile::tempfile().map_err(|error| failed(format!("a file to write to: {error}")))?;
    let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), handed_over.as_raw_fd()));
    say(GOOD, "SETUP", &script.name);
    let started = Instant::now();
    let mut running = Running::start(script, built, &path).map_err(failed)?;
    let ended = running.finish(script, interrupt)?;
    if !ended.success() {
        let said = running.output().map_err(|error| failed(format!("what it said: {error}")))?;
        return Err(failed(format!("it ended with {ended}{said}")));
    }
    say(GOOD, "SETUP PASS", &format!("{} after {:.3}s", script.name, started.elapsed().as_secs_f64()));
    let mut text = String::new();
    let read = handed_over.seek(SeekFrom::Start(0)).and_then(|_| handed_over.read_to_string(&mut text));
    read.map_err(|error| failed(format!("what it wrote: {error}")))?;
    variables(&text).map_err(failed)
}

fn say(style: anstyle::Style, word: &str, what: &str) {
    terminal::Terminal::new(cli::Color::Auto).write(format!("{:>12} {what}\n", Styled(style, word)).as_bytes());
}

/// A script in a process group of its own, which ends with it.
struct Running {
    group: Pid,
    /// Waits for the script, and then lets go of the writing end of `ended`.
    waiting: Option<JoinHandle<io::Result<ExitStatus>>>,
    ended: io::PipeReader,
    /// What it wrote, as far as it was to be kept.
    kept: std::fs::File,
}

impl Running {
    fn start(script: &Script, built: &Built, handed_over: &Path) -> Result<Running, String> {
        let program = match script.relative_to {
            RelativeTo::None if !script.program.contains('/') => PathBuf::from(&script.program),
            RelativeTo::None | RelativeTo::WorkspaceRoot => built.workspace.join(&script.program),
            RelativeTo::Target => built.target_directory.join(&script.program),
        };
        let start = || -> io::Result<Running> {
            let kept = tempfile::tempfile()?;
            let to =
                |capture: bool| Ok::<Stdio, io::Error>(if capture { kept.try_clone()?.into() } else { terminal()? });
            let mut command = Command::new(&program);
            command.args(&script.arguments).current_dir(&built.workspace).stdin(Stdio::null());
            command.envs(script.env.iter().cloned()).env("ISOTEST_ENV", handed_over).env("NEXTEST_ENV", handed_over);
            command.stdout(to(script.capture_stdout)?).stderr(to(script.capture_stderr)?).process_group(0);
            let child = command.spawn()?;
            let (ended, writer) = io::pipe()?;
            let group = Pid::from_raw(child.id().cast_signed());
            let wait = move |mut child: Child| {
                let status = child.wait();
                drop(writer);
                status
            };
            Ok(Running { group, waiting: Some(std::thread::spawn(move || wait(child))), ended, kept })
        };
        start().map_err(|error| format!("cannot run {}: {error}", program.display()))
    }

    /// Waits for its end as its slow-timeout says.
    fn finish(&mut self, script: &Script, interrupt: &Interrupt) -> Result<ExitStatus, Problem> {
        let doing = format!("running the setup script {}", script.name);
        let started = Instant::now();
        let mut patience = script.slow_timeout.map(Patience::new);
        loop {
            let next = patience.as_ref().and_then(Patience::next).map(|next| started + next);
            if interrupt.wait(self.ended.as_fd(), next, &doing)? {
                break;
            }
            match patience.as_mut().and_then(|patience| patience.due(started.elapsed())) {
                Some(Due::Slow) => say(ODD, "SETUP SLOW", &script.name),
                Some(Due::Terminate) => {
                    say(BAD, "TERMINATING", &script.name);
                    killpg(self.group, Signal::SIGTERM).ok(); // Ended meanwhile: as good.
                }
                Some(Due::Kill) => {
                    killpg(self.group, Signal::SIGKILL).ok();
                }
                None => {}
            }
        }
        let failed = |why: String| Problem { message: format!("{doing}: {why}"), code: Code::ScriptFailed };
        let ended = self.waiting.take().and_then(|waiting| waiting.join().ok());
        ended.ok_or_else(|| failed("nobody waited for it".to_owned()))?.map_err(|error| failed(error.to_string()))
    }

    /// The end of what it wrote, as far as it was kept, on lines of its own.
    fn output(&mut self) -> io::Result<String> {
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
    /// The script may have left something in its process group, or may still run when a signal stops everything.
    fn drop(&mut self) {
        killpg(self.group, Signal::SIGKILL).ok();
        if let Some(waiting) = self.waiting.take() {
            drop(waiting.join());
        }
    }
}

/// What a script shows is for people, and our standard output may be for programs.
fn terminal() -> io::Result<Stdio> {
    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

fn variables(text: &str) -> Result<Vec<(String, String)>, String> {
    let variable = |line: &str| match line.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("it wrote {line:?} to the file in ISOTEST_ENV, which is no NAME=value")),
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(variable).collect()
}

#[cfg(test)]
mod tests {
    use super::variables;

    #[test]
    fn a_line_is_a_variable_and_its_value_may_contain_anything() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(variables("A=1\n\nB=x=y z\nC=\n"), Ok(vec![pair("A", "1"), pair("B", "x=y z"), pair("C", "")]));
        assert!(variables("A=1\nhello\n").is_err_and(|problem| problem.contains("\"hello\"")));
        assert!(variables("=1").is_err());
    }
}
