//! A run that is under way: signals to it, and who runs for it.

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use isotest_tests::{Ended, readable};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Nothing here takes so long, on any machine.
const TOO_LONG: Duration = Duration::from_secs(120);

pub(crate) struct Started {
    runner: Child,
    /// What it has said by now, as far as anybody has listened.
    heard: Vec<u8>,
}

impl Started {
    pub(crate) fn of(command: &mut Command) -> Started {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Started { runner: command.spawn().expect("the runner starts"), heard: Vec::new() }
    }

    /// Waits until this has happened.
    #[track_caller]
    pub(crate) fn when(&self, happened: impl Fn() -> bool) -> &Started {
        until(happened, "what is waited for does not happen");
        self
    }

    /// Sends it a signal.
    pub(crate) fn gets(&self, signal: Signal) -> &Started {
        kill(self.pid(), signal).expect("the runner is there");
        self
    }

    /// Listens until it says these words.
    #[track_caller]
    pub(crate) fn hear(&mut self, words: &str) {
        let stderr = self.runner.stderr.as_mut().expect("a pipe");
        let mut piece = [0; 4096];
        while !String::from_utf8_lossy(&self.heard).contains(words) {
            readable(stderr, &self.heard);
            let length = stderr.read(&mut piece).expect("a pipe can be read");
            let heard = || String::from_utf8_lossy(&self.heard);
            assert!(length > 0, "it ended before it said {words:?}: {}", heard());
            self.heard.extend_from_slice(&piece[..length]);
        }
    }

    /// Waits for its end. Its output ends with the last of those that it has started.
    pub(crate) fn end(mut self) -> Ended {
        let mut err = std::mem::take(&mut self.heard);
        let (mut stderr, mut piece) = (self.runner.stderr.take().expect("a pipe"), [0; 4096]);
        loop {
            readable(&stderr, &err);
            match stderr.read(&mut piece).expect("a pipe can be read") {
                0 => break,
                length => err.extend_from_slice(&piece[..length]),
            }
        }
        let code = self.runner.wait().expect("the runner ends").code();
        Ended { code, out: String::new(), err: String::from_utf8_lossy(&err).into_owned() }
    }

    /// The same, without listening to what it says.
    pub(crate) fn end_unheard(mut self) -> Ended {
        let code = self.runner.wait().expect("the runner ends").code();
        Ended { code, out: String::new(), err: String::new() }
    }

    /// The runner and all that descend from it: name and state of each, as in `/proc/PID/stat`.
    pub(crate) fn family(&self) -> Vec<(String, char)> {
        let everybody: Vec<_> = fs::read_dir("/proc").expect("/proc can be read").flatten().collect();
        let everybody: Vec<Process> = everybody.iter().filter_map(|entry| Process::read(&entry.path())).collect();
        let mut family = vec![self.pid().as_raw()];
        // Each generation finds the next one.
        let mut known = 0;
        while known < family.len() {
            let parent = family[known];
            family.extend(everybody.iter().filter(|process| process.parent == parent).map(|process| process.pid));
            known += 1;
        }
        let of_it = everybody.into_iter().filter(|process| family.contains(&process.pid));
        of_it.map(|process| (process.name, process.state)).collect()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.runner.id().cast_signed())
    }
}

struct Process {
    pid: i32,
    parent: i32,
    name: String,
    state: char,
}

impl Process {
    /// `PID (NAME) STATE PARENT …`, `proc_pid_stat(5)`.
    fn read(directory: &std::path::Path) -> Option<Process> {
        let text = fs::read_to_string(directory.join("stat")).ok()?;
        let (pid, rest) = text.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let mut rest = rest.split(' ');
        let (state, parent) = (rest.next()?.chars().next()?, rest.next()?.parse().ok()?);
        Some(Process { pid: pid.parse().ok()?, parent, name: name.to_owned(), state })
    }
}

/// Waits until no process sleeps for exactly so long.
#[track_caller]
pub(crate) fn nobody_sleeps_for(seconds: &str) {
    let wanted = format!("sleep\0{seconds}\0");
    let sleeps =
        |process: fs::DirEntry| fs::read(process.path().join("cmdline")).is_ok_and(|text| text == wanted.as_bytes());
    until(|| !fs::read_dir("/proc").expect("/proc can be read").flatten().any(sleeps), "a process is left");
}

#[track_caller]
pub(crate) fn until(happened: impl Fn() -> bool, otherwise: &str) {
    let since = Instant::now();
    while !happened() {
        assert!(since.elapsed() < TOO_LONG, "{otherwise}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
