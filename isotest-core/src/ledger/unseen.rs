//! How many packets came to a network where all of them should have been looked at, and were not? Some find no room in the socket, some none
//! in the queue before it, which the kernel counts with the interface (`rx_dropped`).

use std::fs::{self, File};
use std::os::fd::BorrowedFd;

use nix::Result;
use nix::sched::{CloneFlags, setns};

use crate::sys::{errno, packet};

/// So far, in the network of this packet socket, of whose packets so many were looked at; to be asked once. The calling thread goes there
/// and comes back; its directory is a `proc(5)`.
pub(super) fn at(socket: BorrowedFd<'_>, looked_at: u64) -> Result<u64> {
    // Those that had no room, and those that wait in it still.
    let in_socket = u64::from(packet::counters(socket)?.came).saturating_sub(looked_at);
    let own = File::open("self/ns/net").map_err(errno)?;
    setns(packet::network(socket)?, CloneFlags::CLONE_NEWNET)?;
    let table = fs::read_to_string("self/net/dev").map_err(errno);
    setns(&own, CloneFlags::CLONE_NEWNET)?;
    Ok(in_socket + before(&table?))
}

/// Of all interfaces: two lines of headings, then one for each with its name, bytes, packets, errors, dropped ones, and more.
fn before(table: &str) -> u64 {
    let counters = table.lines().skip(2).filter_map(|line| line.split_once(':'));
    counters.filter_map(|(_, numbers)| numbers.split_ascii_whitespace().nth(3)?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::before;

    #[test]
    fn what_interfaces_have_dropped_is_added_up() {
        let table = "Inter-|   Receive  |  Transmit\n face |bytes    packets errs drop fifo frame|bytes\n\
                        lo:       0       0    0    0    0     0          0         0        0\n\
                    inside: 1234567    8910    0   17    0     0          0         0        0\n\
                      far2: 1234567    8910    0    4    0     0          0         0        0\n";
        assert_eq!(before(table), 21);
        assert_eq!(before(""), 0);
    }
}
