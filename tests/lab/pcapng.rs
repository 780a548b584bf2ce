//! What is in a capture? Read as the format's description has it, and not as our writer does.

use std::path::Path;

/// A packet in a file.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The name of its interface.
    pub(crate) interface: String,
    /// Whether it left by it.
    pub(crate) out: bool,
    /// Nanoseconds since 1970.
    pub(crate) time: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Seen {
    /// The flags of its TCP header, if it is IPv4's first.
    fn tcp_flags(&self) -> Option<u8> {
        let is_tcp = self.bytes.get(12..14)? == [8, 0] && self.bytes[14] == 0x45 && self.bytes[14 + 9] == 6;
        is_tcp.then(|| self.bytes[14 + 20 + 13])
    }
}

/// Those to this port, among TCP segments over IPv4.
pub(crate) fn to_port(packets: &[Seen], port: u16) -> Vec<&Seen> {
    let is_to = |packet: &&Seen| packet.tcp_flags().is_some() && packet.bytes[36..38] == port.to_be_bytes();
    packets.iter().filter(is_to).collect()
}

/// All packets of a file that is whole.
pub(crate) fn read(path: &Path) -> Vec<Seen> {
    let file = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut rest, mut names, mut seen, mut ended) = (&file[..], Vec::new(), Vec::new(), 0);
    while !rest.is_empty() {
        let length = word(rest, 4) as usize;
        let body = &rest[8..length - 4];
        match word(rest, 0) {
            0x0a0d_0d0a => assert_eq!(word(body, 0), 0x1a2b_3c4d, "in this machine's byte order"),
            1 => names.push(String::from_utf8(option(&body[8..], 2).expect("a name")).expect("a name of text")),
            6 => {
                let kept = word(body, 12) as usize;
                let flags = option(&body[20 + kept.next_multiple_of(4)..], 2).expect("flags");
                seen.push(Seen {
                    interface: names[word(body, 0) as usize].clone(),
                    out: flags[0] & 3 == 2,
                    time: u64::from(word(body, 4)) << 32 | u64::from(word(body, 8)),
                    bytes: body[20..20 + kept].to_vec(),
                });
            }
            5 => ended += 1,
            other => panic!("a block of kind {other}"),
        }
        rest = &rest[length..];
    }
    assert_eq!(ended, names.len(), "statistics of each interface stand at the end");
    assert!(seen.is_sorted_by_key(|packet| packet.time), "packets stand in the order of their times");
    seen
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// The value of the first option of this code.
fn option(mut bytes: &[u8], wanted: u16) -> Option<Vec<u8>> {
    loop {
        let (code, length) = (word(bytes, 0) as u16, (word(bytes, 0) >> 16) as usize);
        match code {
            0 => return None,
            code if code == wanted => return Some(bytes[4..4 + length].to_vec()),
            _ => bytes = &bytes[4 + length.next_multiple_of(4)..],
        }
    }
}

/// How many packets carry these words.
pub(crate) fn saying(packets: &[Seen], words: &str) -> usize {
    packets.iter().filter(|it| it.bytes.windows(words.len()).any(|bytes| bytes == words.as_bytes())).count()
}

/// Those at an interface that went this way.
pub(crate) fn at<'s>(packets: &'s [Seen], interface: &str, out: bool) -> Vec<&'s Seen> {
    packets.iter().filter(|packet| packet.interface == interface && packet.out == out).collect()
}

/// How many TCP segments over IPv4 have all of these flags.
pub(crate) fn with_flags(packets: &[&Seen], flags: u8) -> usize {
    packets.iter().filter(|packet| packet.tcp_flags().is_some_and(|its| its & flags == flags)).count()
}

/// `FIN`, `SYN` and `ACK` of TCP.
pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const ACK: u8 = 16;

/// The interfaces that have packets.
pub(crate) fn interfaces(packets: &[Seen]) -> Vec<&str> {
    let mut names: Vec<_> = packets.iter().map(|packet| &*packet.interface).collect();
    names.sort_unstable();
    names.dedup();
    names
}
