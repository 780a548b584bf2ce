//! How do a host's processes stand still, and go on?

use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::fstat;
use nix::unistd::Pid;

use super::error::{Error, Result};
use super::host::Host;
use super::inhabitants;
use super::kill::processes;

/// How long processes may take to stand still.
const PATIENCE: Duration = Duration::from_secs(10);

impl Host {
    /// Stops all its processes where they are (SIGSTOP, `signal(7)`), as if it were overloaded without end: its kernel still takes
    /// connections and data, until its buffers are full, and nobody answers. Threads of the test that are in it run on, because a
    /// process stops as a whole: what is to stand still has to be a program, started by [`Host::command`].
    ///
    /// # Errors
    ///
    /// For the test body's own network, when no program runs in the host, when the lab can't be built, or a process does not stop
    /// within 10 seconds.
    pub fn freeze(&self) -> Result<()> {
        let attempt = || format!("freezing `{}`", self.name());
        let network = self.network(&attempt())?;
        let begun = Instant::now();
        let programs = || processes(|other| other == network);
        if programs().is_empty() {
            let cause = format!("{}, and only programs can be stopped", inhabitants::described(&*self.place()?));
            let remedy =
                "start what is to stand still by `host.command`, or cut the host's links, so that it is not heard";
            return Err(Error::new(attempt(), cause).remedy(remedy));
        }
        loop {
            // One that forks before it stops has a child that runs: look until none does.
            let running: Vec<Pid> = programs().into_iter().filter(|pid| runs(*pid)).collect();
            if running.is_empty() {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                let cause = format!("process {} does not stop", running[0]);
                return Err(Error::new(attempt(), cause).remedy("see what it waits for in /proc/PID/stack"));
            }
            signal(&running, Signal::SIGSTOP);
            std::thread::yield_now();
        }
    }

    /// Lets them go on.
    ///
    /// # Errors
    ///
    /// As [`Host::freeze`].
    pub fn thaw(&self) -> Result<()> {
        let network = self.network(&format!("thawing `{}`", self.name()))?;
        signal(&processes(|other| other == network), Signal::SIGCONT);
        Ok(())
    }

    /// The inode of its network, which is not the test's own.
    fn network(&self, attempt: &str) -> Result<u64> {
        let place = self.place()?;
        let network = fstat(place.network()).map_err(|errno| Error::kernel(attempt, errno))?.st_ino;
        let own = std::fs::metadata("/proc/self/ns/net").map(|own| own.ino());
        if own.is_ok_and(|own| own == network) {
            let remedy = "take a host of its own, by `lab.host`";
            return Err(Error::new(attempt, "the test itself runs there").remedy(remedy));
        }
        Ok(network)
    }
}

/// One that has ended meanwhile needs no signal.
fn signal(processes: &[Pid], signal: Signal) {
    for pid in processes {
        kill(*pid, signal).ok();
    }
}

/// Whether it is neither stopped nor ended, by its state in `proc_pid_stat(5)`.
fn runs(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !"TtZX".contains(state))
}
