//! Where can a process be reached? The sockets among its descriptors, looked up in the tables of its network.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::report::{Port, Process, Protocol, cut};

/// At most so many descriptors are looked at.
const DESCRIPTORS: usize = 4096;

/// What it listens at, at most [`Process::PORTS`].
pub(super) fn of(process: u32) -> Vec<Port> {
    let sockets = sockets(process);
    if sockets.is_empty() {
        return Vec::new(); // The usual case; the tables may be long.
    }
    let tables: [(&str, Read); 5] = [
        ("tcp", |line| inet(line, LISTENS, Protocol::Tcp)),
        ("tcp6", |line| inet(line, LISTENS, Protocol::Tcp)),
        ("udp", |line| inet(line, UNCONNECTED, Protocol::Udp)),
        ("udp6", |line| inet(line, UNCONNECTED, Protocol::Udp)),
        ("unix", unix),
    ];
    let mut ports = Vec::new();
    for (name, read) in tables {
        let table = std::fs::read(format!("{process}/net/{name}")).unwrap_or_default();
        let table = String::from_utf8_lossy(&table);
        let entries = table.lines().skip(1).filter_map(read);
        ports.extend(entries.filter(|entry| sockets.contains(&entry.inode)).map(|entry| entry.port));
    }
    ports.truncate(Process::PORTS);
    ports
}

/// The inodes of its sockets.
fn sockets(process: u32) -> Vec<u64> {
    let descriptors = std::fs::read_dir(format!("{process}/fd")).into_iter().flatten().flatten().take(DESCRIPTORS);
    let links = descriptors.filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok());
    links.filter_map(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()).collect()
}

/// Reads one line of a table, if it is of interest.
type Read = fn(&str) -> Option<Entry>;

/// One line of a table.
struct Entry {
    inode: u64,
    port: Port,
}

/// States of include/net/tcp_states.h, which the tables show as two hexadecimal digits.
const LISTENS: &str = "0A";
const UNCONNECTED: &str = "07";

/// `proc_pid_net(5)`: `sl local_address rem_address st tx_queue:rx_queue tr:when retrnsmt uid timeout inode …`
fn inet(line: &str, state: &str, protocol: Protocol) -> Option<Entry> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    if fields.get(3) != Some(&state) {
        return None;
    }
    let address = address(fields.get(1)?)?.to_string();
    Some(Entry { inode: fields.get(9)?.parse().ok()?, port: Port { protocol, address } })
}

/// The address in words of the machine's own byte order, the port as a number.
fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| Some(u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes());
    match address.len() {
        8 => Some((Ipv4Addr::from(word(0)?), port).into()),
        32 => {
            let bytes = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
            Some((Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?), port).into())
        }
        _ => None,
    }
}

/// `proc_pid_net(5)`: `Num RefCount Protocol Flags Type St Inode Path`. What has no name can't be reached by one.
fn unix(line: &str) -> Option<Entry> {
    /// `__SO_ACCEPTCON` of linux/net.h: somebody listens.
    const ACCEPTS: u32 = 1 << 16;
    let fields: Vec<&str> = line.splitn(7, ' ').collect();
    if u32::from_str_radix(fields.get(3)?, 16).ok()? & ACCEPTS == 0 {
        return None;
    }
    // The inode is padded to the left, and the path may have blanks in it.
    let (inode, path) = fields.get(6)?.trim_start().split_once(' ')?;
    Some(Entry { inode: inode.parse().ok()?, port: Port { protocol: Protocol::Unix, address: cut(path.as_bytes()) } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_the_kernel_writes_them() {
        let loopback = format!("{:08X}:0050", u32::from_ne_bytes([127, 0, 0, 1]));
        assert_eq!(address(&loopback), "127.0.0.1:80".parse().ok());
        let last = format!("{:024X}{:08X}:1F90", 0, u32::from_ne_bytes([0, 0, 0, 1]));
        assert_eq!(address(&last), "[::1]:8080".parse().ok());
        assert_eq!(address("nonsense"), None);
    }

    #[test]
    fn only_who_listens_is_named() {
        let line = |state: &str| {
            format!(
                "   0: 00000000:0016 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 42 1 0"
            )
        };
        let listens = inet(&line("0A"), LISTENS, Protocol::Tcp).expect("it listens");
        assert_eq!((listens.inode, listens.port.to_string().as_str()), (42, "tcp 0.0.0.0:22"));
        assert!(inet(&line("01"), LISTENS, Protocol::Tcp).is_none(), "a connection");
    }

    #[test]
    fn unix_sockets_go_by_their_paths() {
        let listens =
            unix("0000000000000000: 00000002 00000000 00010000 0001 01   777 /run/my socket").expect("it listens");
        assert_eq!((listens.inode, listens.port.address.as_str()), (777, "/run/my socket"));
        assert!(unix("0000000000000000: 00000003 00000000 00000000 0001 03 12345").is_none());
        assert!(unix("0000000000000000: 00000002 00000000 00010000 0001 01 12345").is_none(), "it has no name");
    }
}
