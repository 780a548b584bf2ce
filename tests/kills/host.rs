//! What of the tests can be seen on the host, and when to strike.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// The temporary directory of every trial.
pub(crate) const TEMPORARY: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/kills");

/// The crowd's processes can't be told apart by trial, so trials take turns.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process as `/proc` shows it.
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) parent: u32,
    pub(crate) name: String,
    arguments: String,
}

impl Process {
    /// Whether it runs the crowd's test binary, as server, init, test or harness, or is what a test has left behind.
    pub(crate) fn is_ours(&self) -> bool {
        self.arguments.contains("/deps/crowd-") || self.arguments.contains("86399.97")
    }
}

/// All processes that can be seen; zombies have no arguments and so are nobody's.
fn processes() -> Vec<Process> {
    let numbers = fs::read_dir("/proc").expect("/proc can be read").flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter_map(process).collect()
}

fn process(pid: i32) -> Option<Process> {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (start, rest) = stat.rsplit_once(')')?;
    Some(Process {
        pid,
        parent: rest.split_whitespace().nth(1)?.parse().ok()?,
        name: start.split_once('(')?.1.to_owned(),
        arguments: String::from_utf8_lossy(&arguments).replace('\0', " "),
    })
}

/// A process that is wanted, if there is one.
pub(crate) fn one_of(wanted: impl Fn(&Process) -> bool) -> Option<Process> {
    processes().into_iter().find(|process| wanted(process))
}

pub(crate) fn kill(process: Process) {
    // It may have ended meanwhile, which is as good a moment as any.
    nix::sys::signal::kill(Pid::from_raw(process.pid), Signal::SIGKILL).ok();
}

/// When to strike: so long after the first of the crowd's processes has been seen.
pub(crate) struct Moment {
    trial: u32,
    delay: Duration,
    started: Instant,
}

impl Moment {
    pub(crate) fn random(trial: u32, most: Duration) -> Moment {
        let random = RandomState::new().hash_one(trial);
        let delay = most.mul_f64((random % 10_000) as f64 / 10_000.0);
        Moment { trial, delay, started: Instant::now() }
    }

    /// Waits for it, or for the end of the run.
    pub(crate) fn wait(&self, run: &mut Child) {
        let over = |run: &mut Child| run.try_wait().expect("the run can be asked").is_some();
        while one_of(Process::is_ours).is_none() && !over(run) {
            assert!(self.started.elapsed() < Duration::from_secs(60), "{self}: no test has started");
            std::thread::yield_now();
        }
        std::thread::sleep(self.delay); // The one thing that is waited for here is time itself.
    }

    /// Whether the run may have been over by then.
    pub(crate) fn too_late(&self) -> bool {
        self.delay > Duration::from_millis(100)
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "trial {}, {:?} after the first process", self.trial, self.delay)
    }
}

/// Everything on the host that a sandbox could leave a trace in.
pub(crate) struct Host {
    mounts: Vec<String>,
    interfaces: Vec<String>,
    shared_memory: String,
    files: Vec<String>,
}

impl Host {
    pub(crate) fn read() -> Host {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let traces = ["/tmp", "/var/tmp", "/dev/shm", "/run"].into_iter().flat_map(names_in);
        Host {
            mounts: text("/proc/self/mountinfo").lines().map(str::to_owned).collect(),
            interfaces: names_in("/sys/class/net"),
            shared_memory: text("/proc/sysvipc/shm"),
            files: traces.filter(|name| name.contains("crowd")).chain(names_in(TEMPORARY)).collect(),
        }
    }

    /// Waits until no process of the crowd is left; then all else must be as it was.
    pub(crate) fn must_be_back(&self, moment: &Moment) {
        let since = Instant::now();
        while let Some(process) = one_of(Process::is_ours) {
            let Process { pid, name, arguments, .. } = process;
            assert!(since.elapsed() < Duration::from_secs(20), "{moment}: left are {pid} ({name}): {arguments}");
            std::thread::sleep(Duration::from_millis(1));
        }
        let now = Host::read();
        assert_eq!(self.mounts, now.mounts, "{moment}: mounts");
        assert_eq!(self.interfaces, now.interfaces, "{moment}: network interfaces");
        assert_eq!(self.shared_memory, now.shared_memory, "{moment}: System V shared memory");
        assert_eq!(self.files, now.files, "{moment}: files");
    }
}

fn names_in(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.path().display().to_string()).collect();
    names.sort();
    names
}
