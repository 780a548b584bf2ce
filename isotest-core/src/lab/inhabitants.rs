//! Who is in a host? Every process and thread whose network is the host's, however it came there.
//!
//! Told by `/proc`, so who unmounts it sees nobody. `network_namespaces(7)`

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::sys::stat::fstat;

use super::kill::processes;
use super::place::Place;
use crate::report::cut;

/// In words, for who wonders why nothing answers there.
pub(super) fn described(place: &Place) -> String {
    fstat(place.network()).map_or_else(|_| String::new(), |network| in_network(network.st_ino))
}

fn in_network(network: u64) -> String {
    let own = std::process::id().cast_signed();
    // The test's own process is in many hosts at once, by its threads.
    let mut programs = processes(|other| other == network);
    programs.retain(|pid| pid.as_raw() != own);
    programs.sort_unstable();
    let mut described: Vec<_> = programs.iter().map(|pid| format!("pid {pid} ({})", command(pid.as_raw()))).collect();
    let threads = threads(network);
    match threads.len() {
        0 => {}
        1 => described.push(format!("the test's thread {:?}", threads[0])),
        count => described.push(format!("{count} threads of the test")),
    }
    match described.pop() {
        None => "nothing runs there".to_owned(),
        Some(last) if described.is_empty() => format!("what runs there is {last}"),
        Some(last) => format!("what runs there is {} and {last}", described.join(", ")),
    }
}

/// The names of the test's own threads that are there.
fn threads(network: u64) -> Vec<String> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten().map(|thread| thread.path());
    let there = threads.filter(|thread| fs::metadata(thread.join("ns/net")).is_ok_and(|its| its.ino() == network));
    there.map(|thread| cut(fs::read(thread.join("comm")).unwrap_or_default().trim_ascii_end())).collect()
}

fn command(process: i32) -> String {
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let arguments: Vec<_> = line.split(|byte| *byte == 0).filter(|argument| !argument.is_empty()).map(cut).collect();
    if arguments.is_empty() { "a process without a name".to_owned() } else { cut(arguments.join(" ").as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_and_this_thread_are_where_this_process_is() {
        let own = fs::metadata("/proc/thread-self/ns/net").expect("every thread has a network").ino();
        let mut sleeps = std::process::Command::new("sleep").arg("1000").spawn().expect("coreutils");
        let described = in_network(own);
        sleeps.kill().expect("it is ours");
        sleeps.wait().expect("it is ours");
        assert!(described.contains(&format!("pid {} (", sleeps.id())), "{described}");
        assert!(described.contains(" of the test"), "{described}");
    }

    #[test]
    fn nobody_is_in_a_network_that_does_not_exist() {
        assert_eq!(in_network(0), "nothing runs there");
    }
}
