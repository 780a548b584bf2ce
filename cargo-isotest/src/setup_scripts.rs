//! Programs that run once before the tests that need them, and hand them variables. They run outside of any sandbox, and what they
//! leave running goes on until the tests have ended.
//!
//! As under nextest, a script that is to hand over variables writes `NAME=value` lines to the file that `ISOTEST_ENV` (or
//! `NEXTEST_ENV`, so that scripts carry over) names.

mod script;

use std::io::{Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use isotest::runner::Client;

use crate::compile::Built;
use crate::config::{Profile, Script};
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::list::Listed;
use crate::report::terminal::{self, GOOD, Styled};
use crate::{Problem, binary, cli, nameless};
use script::Running;

/// What scripts have left running. It ends with this.
#[derive(Default)]
pub(crate) struct Services {
    /// Those before the server: it is they who end what is left.
    running: Vec<Running>,
    server: Option<Client>,
}

/// Runs those that the chosen tests need, in the order of the configuration.
pub(crate) fn run(
    listed: &mut Listed<'_>,
    profile: &Profile<'_>,
    built: &Built,
    interrupt: &Interrupt,
) -> Result<Services, Problem> {
    let mut services = Services::default();
    for script in profile.scripts() {
        let binary_of = |binary: usize| &listed.binaries[binary].binary.facts;
        let needs = |profile: &Profile<'_>, binary: usize, name: &str| {
            profile.scripts_for(&binary_of(binary).test(name)).any(|needed| needed.name == script.name)
        };
        let needed: Vec<bool> = listed.tests.iter().map(|test| needs(profile, test.binary, &test.name)).collect();
        if !needed.contains(&true) {
            continue;
        }
        let variables = services.run_one(script, built, interrupt)?;
        for (test, _) in listed.tests.iter_mut().zip(needed).filter(|(_, needed)| *needed) {
            Rc::make_mut(&mut test.spec).env.extend(variables.iter().cloned());
        }
    }
    Ok(services)
}

impl Services {
    fn run_one(
        &mut self,
        script: &Script,
        built: &Built,
        interrupt: &Interrupt,
    ) -> Result<Vec<(String, String)>, Problem> {
        let failed = |why: String| failed(script, &why);
        // It has no name, and so can't be left behind; scripts reach it by the descriptor that we hold.
        let mut handed_over = nameless::file().map_err(|error| failed(format!("a file to write to: {error}")))?;
        let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), handed_over.as_raw_fd()));
        say(GOOD, "SETUP", &script.name);
        let started = Instant::now();
        let mut running = Running::start(script, built, &path, self.server(script)?).map_err(failed)?;
        if let Some(how) = running.finish(script, interrupt)? {
            let said = running.output().map_err(|error| failed(format!("what it said: {error}")))?;
            return Err(failed(format!("{how}{said}")));
        }
        self.running.push(running);
        say(GOOD, "SETUP PASS", &format!("{} after {:.3}s", script.name, started.elapsed().as_secs_f64()));
        let mut text = String::new();
        let read = handed_over.seek(SeekFrom::Start(0)).and_then(|_| handed_over.read_to_string(&mut text));
        read.map_err(|error| failed(format!("what it wrote: {error}")))?;
        variables(&text).map_err(failed)
    }

    /// A fork server of ours, whose inits end with us whoever kills us, and end with them what scripts have left.
    fn server(&mut self, script: &Script) -> Result<&Client, Problem> {
        if self.server.is_none() {
            let started =
                binary::own_server().map_err(|error| failed(script, &format!("who is to run it: {error}")))?;
            self.server = Some(started);
        }
        self.server.as_ref().ok_or_else(|| failed(script, "nobody is there to run it"))
    }
}

fn failed(script: &Script, why: &str) -> Problem {
    Problem { message: format!("setup script {}: {why}", script.name), code: Code::ScriptFailed }
}

fn say(style: anstyle::Style, word: &str, what: &str) {
    terminal::Terminal::new(cli::Color::Auto).write(format!("{:>12} {what}\n", Styled(style, word)).as_bytes());
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
