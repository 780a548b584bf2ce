//! Which processes are in a host, and how are they ended?

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::fstat;
use nix::unistd::Pid;

use super::failure;
use super::place::Place;

/// How long processes may take to end. One that waits for a device may take for ever (`D` in `ps(1)`); it ends with the sandbox.
const PATIENCE: Duration = Duration::from_secs(10);

/// Kills every process in these hosts, and what they start meanwhile. The test process itself is in none, whatever its threads are.
pub(crate) fn all_in(places: &[Arc<Place>]) {
    let here = fs::metadata("/proc/self/ns/net").map(|network| network.ino()).unwrap_or(0);
    let networks: Vec<u64> = places.iter().filter_map(|place| Some(fstat(place.network()).ok()?.st_ino)).collect();
    let doomed = |network: u64| network != here && networks.contains(&network);
    // A process that forks while the list is read may leave a child that is not in it: look until there is none.
    let begun = Instant::now();
    while processes(doomed).into_iter().filter(|pid| kill(*pid, Signal::SIGKILL).is_ok()).count() > 0 {
        if begun.elapsed() > PATIENCE {
            return failure::note(format!(
                "processes in the hosts of a lab did not end within {PATIENCE:?} of SIGKILL"
            ));
        }
        std::thread::yield_now();
    }
}

/// The processes whose network's inode is as asked. Those that have ended have no namespaces any more.
pub(crate) fn processes(asked: impl Fn(u64) -> bool) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw);
    let all = entries.flatten().filter_map(number);
    all.filter(|pid| fs::metadata(format!("/proc/{pid}/ns/net")).is_ok_and(|network| asked(network.ino()))).collect()
}
