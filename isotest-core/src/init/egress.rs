//! How often did the kernel find no route for an address that somebody in the sandbox wanted to reach?
//!
//! A fresh network has routes to itself only, so each attempt to leave it by TCP or UDP, v4 or v6, `connect(2)` or
//! `sendto(2)`, counts as `OutNoRoutes` (RFC 4293, `ipSystemStatsOutNoRoutes`). The counters begin at zero, and nothing
//! else moves them: not bringing `lo` up, not talking to oneself, not to a closed port.

use std::fs::File;
use std::io::Read;

/// How often. Init has to have entered its census.
pub(super) fn attempts() -> u64 {
    v4(&read("self/net/snmp")).unwrap_or(0) + v6(&read("self/net/snmp6")).unwrap_or(0)
}

/// Every test pays for this, so it is one read: the kernel gives such a table whole to a buffer that it fits into.
fn read(path: &str) -> String {
    let mut table = [0; 16 << 10];
    let length = File::open(path).and_then(|mut file| file.read(&mut table)).unwrap_or(0);
    String::from_utf8_lossy(&table[..length]).into_owned()
}

/// Two lines begin with `Ip:`, the first with names, the second with numbers.
fn v4(table: &str) -> Option<u64> {
    let mut lines = table.lines().filter_map(|line| line.strip_prefix("Ip: "));
    let at = lines.next()?.split(' ').position(|name| name == "OutNoRoutes")?;
    lines.next()?.split(' ').nth(at)?.parse().ok()
}

/// One counter a line.
fn v6(table: &str) -> Option<u64> {
    let (_, after) = table.split_once("Ip6OutNoRoutes")?;
    after.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{v4, v6};

    #[test]
    fn counters_are_found_by_name() {
        let snmp = "Ip: Forwarding InReceives OutNoRoutes ReasmTimeout\nIp: 2 17 3 0\nIcmp: InMsgs\nIcmp: 5\n";
        assert_eq!(v4(snmp), Some(3));
        assert_eq!(v4(""), None);
        let snmp6 = "Ip6OutDiscards                  \t0\nIp6OutNoRoutes                  \t12\nIp6ReasmTimeout \t0\n";
        assert_eq!(v6(snmp6), Some(12));
        assert_eq!(v6(""), None);
    }
}
