//! How often did the kernel find no route for an address that somebody in a network wanted to reach?
//!
//! A fresh network has routes to itself only, so each attempt to leave it by TCP or UDP, v4 or v6, `connect(2)` or
//! `sendto(2)`, counts as `OutNoRoutes` (RFC 4293, `ipSystemStatsOutNoRoutes`). The counters begin at zero, and nothing
//! else moves them: not bringing `lo` up, not talking to oneself, not to a closed port.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use nix::Result;

use crate::sys::errno;

/// How often in the network whose tables are in this directory, `proc_pid_net(5)`.
pub(crate) fn sent(net: &Path) -> Result<u64> {
    let v4 = v4(&read(&net.join("snmp"))?, "Ip: ", "OutNoRoutes").unwrap_or(0);
    Ok(v4 + v6(&read(&net.join("snmp6"))?, "Ip6OutNoRoutes").unwrap_or(0))
}

/// How often for what was to pass through it (`ipSystemStatsInNoRoutes`), likewise. But while its interfaces come up, groups of IPv6 that
/// neighbours tell of count too, for which there is no route yet.
#[cfg(feature = "lab")]
pub(crate) fn passing(net: &Path) -> Result<u64> {
    let v4 = v4(&read(&net.join("netstat"))?, "IpExt: ", "InNoRoutes").unwrap_or(0);
    Ok(v4 + v6(&read(&net.join("snmp6"))?, "Ip6InNoRoutes").unwrap_or(0))
}

/// Every test pays for this, so it is one read: the kernel gives such a table whole to a buffer that it fits into.
fn read(path: &Path) -> Result<String> {
    let mut table = [0; 16 << 10];
    match File::open(path).and_then(|mut file| file.read(&mut table)) {
        Ok(length) => Ok(String::from_utf8_lossy(&table[..length]).into_owned()),
        // A kernel without IPv6 has no table of it.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(errno(error)),
    }
}

/// Two lines begin alike, such as with `Ip:`, the first with names, the second with numbers.
fn v4(table: &str, beginning: &str, counter: &str) -> Option<u64> {
    let mut lines = table.lines().filter_map(|line| line.strip_prefix(beginning));
    let at = lines.next()?.split(' ').position(|name| name == counter)?;
    lines.next()?.split(' ').nth(at)?.parse().ok()
}

/// One counter a line.
fn v6(table: &str, counter: &str) -> Option<u64> {
    let (_, after) = table.split_once(counter)?;
    after.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{v4, v6};

    #[test]
    fn counters_are_found_by_name() {
        let snmp = "Ip: Forwarding InReceives OutNoRoutes ReasmTimeout\nIp: 2 17 3 0\nIcmp: InMsgs\nIcmp: 5\n";
        assert_eq!(v4(snmp, "Ip: ", "OutNoRoutes"), Some(3));
        assert_eq!(v4("", "Ip: ", "OutNoRoutes"), None);
        assert_eq!(v4("IpExt: InNoRoutes\nIpExt: 4\n", "IpExt: ", "InNoRoutes"), Some(4));
        let snmp6 = "Ip6OutDiscards                  \t0\nIp6OutNoRoutes                  \t12\nIp6ReasmTimeout \t0\n";
        assert_eq!(v6(snmp6, "Ip6OutNoRoutes"), Some(12));
        assert_eq!(v6("", "Ip6OutNoRoutes"), None);
    }
}
