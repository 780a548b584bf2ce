//! Which processes run for a test? They are found by the pipe that they write to.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// All that descends from this program.
pub(crate) struct Family(Vec<Process>);

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its number outside of the sandbox.
    pub(crate) pid: u32,
    /// Its arguments, or its name where it has none.
    pub(crate) command: String,
    /// The first of its arguments.
    program: String,
    name: String,
    parent: u32,
    state: char,
}

impl Family {
    /// Who is there now.
    pub(crate) fn read() -> io::Result<Family> {
        let numbers = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        // Who has ended meanwhile is not there.
        let all: Vec<Process> = numbers.filter_map(Process::read).collect();
        Ok(Family(descendants(&all, std::process::id())))
    }

    /// Those of the test that writes to these pipes: with who wrote to them first, all that its init looks after.
    pub(crate) fn of(&self, pipes: &[&File]) -> io::Result<Vec<Process>> {
        let links = pipes.iter().map(|pipe| Ok(format!("pipe:[{}]", pipe.metadata()?.ino())));
        let links = links.collect::<io::Result<Vec<_>>>()?;
        let writes = |process: &Process| {
            let reached = [1, 2]
                .into_iter()
                .filter_map(|number| fs::read_link(format!("/proc/{}/fd/{number}", process.pid)).ok());
            reached.into_iter().any(|link| links.iter().any(|pipe| link.as_os_str() == pipe.as_str()))
        };
        let writers: Vec<_> = self.0.iter().filter(|process| writes(process)).collect();
        let first = writers.iter().find(|writer| !writers.iter().any(|other| other.pid == writer.parent));
        Ok(first.map_or_else(Vec::new, |test| self.under(test.parent)))
    }
}

impl Family {
    /// All that an init looks after. A copy of the test that has become no other program has the arguments of init, which are no news to
    /// anybody.
    fn under(&self, init: u32) -> Vec<Process> {
        let arguments = self.0.iter().find(|process| process.pid == init).map(|init| init.command.clone());
        let mut found = descendants(&self.0, init);
        for copy in found.iter_mut().filter(|process| Some(&process.command) == arguments.as_ref()) {
            copy.command.clone_from(&copy.program);
        }
        found
    }

    /// Ctrl-C for what each init has started.
    pub(crate) fn interrupt_tests(&self) {
        let is_init = |pid: u32| self.0.iter().any(|process| process.pid == pid && process.name == INIT);
        for process in self.0.iter().filter(|process| is_init(process.parent)) {
            kill(Pid::from_raw(process.pid.cast_signed()), Signal::SIGINT).ok(); // Ended meanwhile: as good.
        }
    }
}

/// How every init calls itself.
const INIT: &str = "isotest-init";

fn descendants(all: &[Process], of: u32) -> Vec<Process> {
    let mut found = Vec::new();
    let (mut parent, mut next) = (of, 0);
    loop {
        found.extend(all.iter().filter(|process| process.parent == parent).cloned());
        match found.get(next) {
            Some(process) => parent = process.pid,
            None => return found,
        }
        next += 1;
    }
}

impl Process {
    fn read(pid: u32) -> Option<Process> {
        // `PID (NAME) STATE PARENT …`, proc_pid_stat(5). The name may have anything in it.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, rest) = stat.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let mut rest = rest.split(' ');
        let (state, parent) = (rest.next()?.chars().next()?, rest.next()?.parse().ok()?);
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments);
        let program = arguments.split('\0').next().unwrap_or_default().to_owned();
        let arguments = arguments.trim_end_matches('\0').replace('\0', " ");
        let command = if arguments.is_empty() { name.to_owned() } else { arguments };
        Some(Process { pid, command, program, name: name.to_owned(), parent, state })
    }

    /// What it does, in a word.
    pub(crate) fn state(&self) -> &'static str {
        match self.state {
            'R' => "runs",
            'D' => "waits for a device",
            'T' | 't' => "is stopped",
            'Z' | 'X' => "has ended",
            _ => "waits",
        }
    }
}
