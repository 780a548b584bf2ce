//! Where was a frame to go, and how is its sender told that it can't? (pure)
//!
//! As a router without a way tells it (RFC 792, RFC 4443), so that a connection fails at once; who asks for a name hears that the
//! server has failed (RFC 1035).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::egress::Destination;

/// What somebody tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) to: Destination,
    /// Who, and whom: for a name, the server that was asked.
    pub(super) from: IpAddr,
    pub(super) by: IpAddr,
    /// The frame to send back.
    pub(super) answer: Option<Vec<u8>>,
}

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;
const IGMP: u8 = 2;

/// Headers of IPv6 between the first one and what a packet carries (RFC 8200).
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;

/// A packet: its header, and what follows that.
struct Packet<'f> {
    from: IpAddr,
    to: IpAddr,
    protocol: u8,
    whole: &'f [u8],
    payload: &'f [u8],
}

/// What a frame is about. `None` for what the kernel sends by itself: whom it looks for as a neighbour, which groups it is in.
pub(super) fn to(frame: &[u8]) -> Option<Attempt> {
    let packet = match frame.get(12..14)? {
        [8, 0] => v4(&frame[14..])?,
        [0x86, 0xdd] => v6(&frame[14..])?,
        _ => return None,
    };
    let Packet { from, to: by, protocol, payload, .. } = packet;
    let by_itself = match protocol {
        IGMP => true,
        ICMP_V6 => matches!(payload.first()?, 130..=143),
        _ => false,
    };
    if by_itself {
        return None;
    }
    let port = |at: usize| payload.get(at..at + 2).map(|port| u16::from_be_bytes([port[0], port[1]]));
    if protocol == UDP
        && port(2) == Some(53)
        && let Some((name, answer)) = asked(payload.get(8..)?)
    {
        let datagram = datagram(&packet, &answer)?;
        let answer = Some(back(frame, &packet, UDP, &datagram));
        return Some(Attempt { to: Destination::Name(name), from, by, answer });
    }
    let port = if matches!(protocol, TCP | UDP) { port(2) } else { None };
    let protocol = match protocol {
        TCP => "tcp".to_owned(),
        UDP => "udp".to_owned(),
        ICMP | ICMP_V6 => "icmp".to_owned(),
        other => format!("protocol {other}"),
    };
    let to = Destination::Address { protocol, address: packet.to, port };
    Some(Attempt { to, from, by, answer: unreachable(frame, &packet) })
}

fn v4(packet: &[u8]) -> Option<Packet<'_>> {
    let header = usize::from(packet.first()? & 15) * 4;
    let address = |at: usize| Some(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(packet.get(at..at + 4)?).ok()?)));
    let later_fragment = u16::from_be_bytes([*packet.get(6)?, *packet.get(7)?]) & 0x1fff != 0;
    let length = usize::from(u16::from_be_bytes([packet[2], packet[3]])).min(packet.len());
    let (from, to, payload) = (address(12)?, address(16)?, packet.get(header..length)?);
    (!later_fragment).then_some(Packet { from, to, protocol: packet[9], whole: &packet[..length], payload })
}

fn v6(packet: &[u8]) -> Option<Packet<'_>> {
    let address = |at: usize| Some(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(packet.get(at..at + 16)?).ok()?)));
    let (from, to) = (address(8)?, address(24)?);
    let (mut protocol, mut payload) = (packet[6], packet.get(40..)?);
    while let Some((next, length)) = header_between(protocol, payload) {
        if protocol == FRAGMENT && is_later_fragment(payload) {
            return None;
        }
        (protocol, payload) = (next, &payload[length..]);
    }
    Some(Packet { from, to, protocol, whole: packet, payload })
}

/// What follows a header that is none of a payload, and how long it is; `None` too where it does not end.
fn header_between(protocol: u8, rest: &[u8]) -> Option<(u8, usize)> {
    let length = match protocol {
        HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS => 8 + usize::from(*rest.get(1)?) * 8,
        FRAGMENT => 8,
        _ => return None,
    };
    (rest.len() >= length).then(|| (rest[0], length))
}

/// Whether the packet began with another fragment, of which this header tells.
fn is_later_fragment(header: &[u8]) -> bool {
    u16::from_be_bytes([header[2], header[3]]) & 0xfff8 != 0
}

/// The name that a message asks for, and the answer that there is none to be had now.
fn asked(message: &[u8]) -> Option<(String, Vec<u8>)> {
    let is_question = message.get(2)? & 0xf8 == 0 && message.get(4..6)? == [0, 1];
    let (mut labels, mut at) = (Vec::new(), 12);
    while *message.get(at)? != 0 {
        let length = usize::from(message[at]);
        let label = message.get(at + 1..at + 1 + length).filter(|_| length < 64)?;
        labels.push(crate::report::cut(label).to_ascii_lowercase());
        at += 1 + length;
    }
    if !is_question || labels.is_empty() {
        return None;
    }
    let question = message.get(12..at + 5)?;
    // The same id; an answer, with recursion as asked for and there; SERVFAIL; one question and nothing else.
    let header = [message[0], message[1], 0x80 | message[2] & 1, 0x82, 0, 1, 0, 0, 0, 0, 0, 0];
    Some((labels.join("."), [&header[..], question].concat()))
}

/// A UDP datagram back to who sent one.
fn datagram(packet: &Packet<'_>, data: &[u8]) -> Option<Vec<u8>> {
    let ports = packet.payload.get(..4)?;
    let length = (8 + data.len()) as u16;
    let mut datagram = [&ports[2..4], &ports[..2], &length.to_be_bytes(), &[0, 0], data].concat();
    let sum = checksum(&[&pseudo_header(packet, UDP, datagram.len()), &datagram]);
    // Zero would mean that there is none.
    datagram[6..8].copy_from_slice(&(if sum == 0 { 0xffff } else { sum }).to_be_bytes());
    Some(datagram)
}

/// That there is no way there; to a group or to all nobody says so.
fn unreachable(frame: &[u8], packet: &Packet<'_>) -> Option<Vec<u8>> {
    let to_many = match packet.to {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_multicast(),
    };
    if to_many {
        return None;
    }
    // Who has sent a datagram hears of nothing but that there is no such port.
    let (protocol, kind, code, kept) = match (packet.to, packet.protocol == UDP) {
        (IpAddr::V4(_), udp) => (ICMP, 3, if udp { 3 } else { 0 }, 548),
        (IpAddr::V6(_), udp) => (ICMP_V6, 1, if udp { 4 } else { 0 }, 1200),
    };
    let about = &packet.whole[..packet.whole.len().min(kept)];
    let mut message = [&[kind, code, 0, 0, 0, 0, 0, 0], about].concat();
    let sum = match protocol {
        ICMP => checksum(&[&message]),
        _ => checksum(&[&pseudo_header(packet, protocol, message.len()), &message]),
    };
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    Some(back(frame, packet, protocol, &message))
}

/// A frame from where the packet was to go to whence it came.
fn back(frame: &[u8], packet: &Packet<'_>, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let ethernet = [&frame[6..12], &frame[..6], &frame[12..14]].concat();
    let header = match (packet.to, packet.from) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let length = (20 + payload.len()) as u16;
            let [high, low] = length.to_be_bytes();
            let mut header = vec![0x45, 0, high, low, 0, 0, 0, 0, 64, protocol, 0, 0];
            header.extend(from.octets().into_iter().chain(to.octets()));
            let sum = checksum(&[&header]);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
            header
        }
        (from, to) => {
            let [high, low] = (payload.len() as u16).to_be_bytes();
            [&[0x60, 0, 0, 0, high, low, protocol, 64], &*bytes(from), &*bytes(to)].concat()
        }
    };
    [&ethernet[..], &header, payload].concat()
}

/// What checksums of the answer cover beside it.
fn pseudo_header(packet: &Packet<'_>, protocol: u8, length: usize) -> Vec<u8> {
    [&*bytes(packet.to), &*bytes(packet.from), &(length as u32).to_be_bytes(), &[0, 0, 0, protocol]].concat()
}

fn bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The Internet checksum (RFC 1071) of parts that all but the last have an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum: u64 = words.map(|word| u64::from(word[0]) << 8 | u64::from(word.get(1).copied().unwrap_or(0))).sum();
    let folded = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    !((folded & 0xffff) + (folded >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame with a packet of IPv4 to 1.2.3.4.
    fn frame(protocol: u8, payload: &[u8]) -> Vec<u8> {
        let length = (20 + payload.len()) as u16;
        let mut header = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 1, 2, 3, 4];
        header[2..4].copy_from_slice(&length.to_be_bytes());
        [&[1; 6][..], &[2; 6], &[8, 0], &header, payload].concat()
    }

    /// A frame with a packet of IPv6 to 2001:db8::2, whose first header announces this.
    fn frame_v6(next: u8, payload: &[u8]) -> Vec<u8> {
        let [high, low] = (payload.len() as u16).to_be_bytes();
        let address = |last: u8| [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[last]].concat();
        let header = [&[0x60, 0, 0, 0, high, low, next, 64][..], &address(1), &address(2)].concat();
        [&[1; 6][..], &[2; 6], &[0x86, 0xdd], &header, payload].concat()
    }

    fn told(frame: &[u8]) -> Option<String> {
        to(frame).map(|attempt| attempt.to.to_string())
    }

    #[test]
    fn what_stands_between_the_first_header_and_the_payload_hides_nothing() {
        let datagram = [0x80, 0, 1, 187, 0, 8, 0, 0];
        let expected = Some("udp [2001:db8::2]:443".to_owned());
        assert_eq!(told(&frame_v6(UDP, &datagram)), expected);
        for between in [HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS] {
            let options = [&[UDP, 1][..], &[0; 14], &datagram].concat();
            assert_eq!(told(&frame_v6(between, &options)), expected, "{between}");
        }
        let two = [&[FRAGMENT, 0][..], &[0; 6], &[UDP, 0, 0, 1, 0, 0, 0, 9], &datagram].concat();
        assert_eq!(told(&frame_v6(HOP_BY_HOP, &two)), expected, "the first fragment");
        let too_long = [&[UDP, 200][..], &[0; 6], &datagram].concat();
        assert_eq!(
            told(&frame_v6(HOP_BY_HOP, &too_long)),
            Some("protocol 0 2001:db8::2".to_owned()),
            "it does not end"
        );
    }

    #[test]
    fn a_packet_in_fragments_is_one_attempt() {
        let later = [&[UDP, 0, 0x05, 0xa8, 0, 0, 0, 9][..], &[0x80, 0, 1, 187, 0, 8, 0, 0]].concat();
        assert_eq!(told(&frame_v6(FRAGMENT, &later)), None);
    }

    #[test]
    fn who_belongs_to_a_group_the_kernel_tells_by_itself() {
        let report = [&[ICMP_V6, 0, 5, 2, 0, 0, 1, 0][..], &[143, 0, 0, 0, 0, 0, 0, 1]].concat();
        assert_eq!(told(&frame_v6(HOP_BY_HOP, &report)), None);
        let echo = [&[ICMP_V6, 0, 5, 2, 0, 0, 1, 0][..], &[128, 0, 0, 0, 0, 0, 0, 1]].concat();
        assert_eq!(told(&frame_v6(HOP_BY_HOP, &echo)), Some("icmp 2001:db8::2".to_owned()));
    }

    #[test]
    fn a_connection_is_told_that_there_is_no_way() {
        let segment = [&[0x80, 0, 1, 187][..], &[0; 16]].concat();
        let attempt = to(&frame(TCP, &segment)).expect("it is an attempt");
        assert_eq!(attempt.to.to_string(), "tcp 1.2.3.4:443");
        let answer = attempt.answer.expect("it is refused");
        assert_eq!(answer[..14], [&[2; 6][..], &[1; 6], &[8, 0]].concat());
        assert_eq!(answer[26..34], [1, 2, 3, 4, 192, 0, 2, 1], "back to where it came from");
        assert_eq!(answer[34..36], [3, 0], "network unreachable");
        assert_eq!((checksum(&[&answer[14..34]]), checksum(&[&answer[34..]])), (0, 0), "sums are right");
    }

    #[test]
    fn a_name_that_is_asked_for_is_told_and_refused() {
        let question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03wWw\x07example\x00\x00\x01\x00\x01";
        let datagram = [&[0x80, 0, 0, 53, 0, 0, 0, 0][..], question].concat();
        let attempt = to(&frame(UDP, &datagram)).expect("it is an attempt");
        assert_eq!(attempt.to, Destination::Name("www.example".to_owned()));
        let answer = attempt.answer.expect("it is answered");
        assert_eq!(answer[34..38], [0, 53, 0x80, 0], "from port to port");
        assert_eq!(answer[42..46], [0x12, 0x34, 0x81, 0x82], "the same id, SERVFAIL");
        let not_dns = [&[0x80, 0, 0, 53, 0, 0, 0, 0][..], b"hello"].concat();
        assert_eq!(to(&frame(UDP, &not_dns)).expect("it is an attempt").to.to_string(), "udp 1.2.3.4:53");
    }

    #[test]
    fn groups_and_what_the_kernel_says_by_itself_get_no_answer() {
        let mut to_a_group = frame(UDP, &[0, 9, 0, 9, 0, 0, 0, 0]);
        to_a_group[30..34].copy_from_slice(&[224, 0, 0, 251]);
        let attempt = to(&to_a_group).expect("it is an attempt");
        assert_eq!((attempt.to.to_string(), attempt.answer), ("udp 224.0.0.251:9".to_owned(), None));
        assert_eq!(to(&frame(IGMP, &[0; 8])), None);
        assert_eq!(to(&[0; 10]), None, "too short for a frame");
    }
}
