//! How are captured packets written down? As pcapng (draft-ietf-opsawg-pcapng), in blocks appended to a buffer; times are
//! nanoseconds since 1970.

/// What stands at the beginning of each packet of an interface (the link-layer header types of tcpdump.org).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkType {
    /// A header of Ethernet's, which `lo` has too.
    Ethernet,
    /// An IP header.
    Raw,
}

/// Which way a packet went, as seen from the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    In,
    Out,
}

/// To whom it was sent on its wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Unspecified,
    One,
    Several,
    All,
}

/// One packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    /// When it was seen.
    pub(crate) time: u64,
    /// The number of its interface: how many were written before that.
    pub(crate) interface: u32,
    pub(crate) way: Way,
    pub(crate) to: To,
    /// How long it was.
    pub(crate) length: u32,
    /// As much of it as is kept.
    pub(crate) bytes: Vec<u8>,
}

/// As many bytes of a packet are kept; no packet of Linux is longer.
pub(crate) const LONGEST: u32 = 256 << 10;

/// The file's beginning: who writes it, and about what.
pub(crate) fn section(out: &mut Vec<u8>, about: &str) {
    block(out, 0x0a0d_0d0a, |out| {
        out.extend(0x1a2b_3c4d_u32.to_le_bytes());
        out.extend(1_u16.to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        out.extend(u64::MAX.to_le_bytes()); // The section's length, which nobody knows yet.
        option(out, COMMENT, about.as_bytes());
        option(out, 4, concat!("isotest ", env!("CARGO_PKG_VERSION")).as_bytes());
        end_of_options(out);
    });
}

/// An interface, before its first packet.
pub(crate) fn interface(out: &mut Vec<u8>, name: &str, link_type: LinkType) {
    block(out, 1, |out| {
        let link_type: u16 = match link_type {
            LinkType::Ethernet => 1,
            LinkType::Raw => 101,
        };
        out.extend(link_type.to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        out.extend(LONGEST.to_le_bytes());
        option(out, 2, name.as_bytes());
        option(out, 9, &[9]); // Times are in units of 10⁻⁹ seconds.
        end_of_options(out);
    });
}

/// A packet.
pub(crate) fn packet(out: &mut Vec<u8>, packet: &Packet) {
    block(out, 6, |out| {
        out.extend(packet.interface.to_le_bytes());
        time(out, packet.time);
        out.extend((packet.bytes.len() as u32).to_le_bytes());
        out.extend(packet.length.to_le_bytes());
        out.extend(&packet.bytes);
        pad(out);
        let way: u32 = if packet.way == Way::In { 1 } else { 2 };
        let to: u32 = match packet.to {
            To::Unspecified => 0,
            To::One => 1,
            To::Several => 2,
            To::All => 3,
        };
        option(out, 2, &(way | to << 2).to_le_bytes());
        end_of_options(out);
    });
}

/// What an interface comes to, at the end: packets in the file, and packets that were seen but are not in it.
pub(crate) fn statistics(out: &mut Vec<u8>, interface: u32, now: u64, received: u64, missed: u64) {
    block(out, 5, |out| {
        out.extend(interface.to_le_bytes());
        time(out, now);
        option(out, 4, &received.to_le_bytes());
        option(out, 7, &missed.to_le_bytes());
        end_of_options(out);
    });
}

const COMMENT: u16 = 1;

/// A block: its kind and its length, what is in it, and its length again.
fn block(out: &mut Vec<u8>, kind: u32, inner: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(kind.to_le_bytes());
    out.extend([0; 4]);
    inner(out);
    let length = (out.len() - start + 4) as u32;
    out[start + 4..start + 8].copy_from_slice(&length.to_le_bytes());
    out.extend(length.to_le_bytes());
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    out.extend(code.to_le_bytes());
    out.extend((value.len() as u16).to_le_bytes());
    out.extend(value);
    pad(out);
}

fn end_of_options(out: &mut Vec<u8>) {
    out.extend([0; 4]);
}

/// The high half stands first, whatever the byte order.
fn time(out: &mut Vec<u8>, time: u64) {
    out.extend(((time >> 32) as u32).to_le_bytes());
    out.extend((time as u32).to_le_bytes());
}

/// Fills up to a multiple of four. All that is written is one, so the buffer's own length tells.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind and body of each block.
    fn blocks(mut bytes: &[u8]) -> Vec<(u32, &[u8])> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
            let length = word(4) as usize;
            assert_eq!(length % 4, 0);
            assert_eq!(word(length - 4) as usize, length, "a block can be read from its end");
            found.push((word(0), &bytes[8..length - 4]));
            bytes = &bytes[length..];
        }
        found
    }

    #[test]
    fn blocks_of_any_content_are_padded_and_framed() {
        let mut out = Vec::new();
        section(&mut out, "a::test");
        interface(&mut out, "alice eth0", LinkType::Ethernet);
        for length in 0..9 {
            let bytes = vec![7; length];
            packet(&mut out, &Packet { time: 1, interface: 0, way: Way::Out, to: To::One, length: 99, bytes });
        }
        statistics(&mut out, 0, 5, 9, 2);
        let kinds: Vec<_> = blocks(&out).iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [&[0x0a0d_0d0a, 1][..], &[6; 9], &[5]].concat());
    }

    #[test]
    fn a_packet_s_time_is_split_and_its_way_is_told() {
        let mut out = Vec::new();
        let bytes = vec![1, 2, 3];
        packet(&mut out, &Packet { time: 3 << 32 | 4, interface: 2, way: Way::In, to: To::All, length: 77, bytes });
        let [(6, body)] = blocks(&out)[..] else { panic!("one packet") };
        let words: Vec<_> =
            body.chunks(4).map(|word| u32::from_le_bytes(word.try_into().expect("four bytes"))).collect();
        assert_eq!(words[..5], [2, 3, 4, 3, 77]);
        assert_eq!(&body[20..24], [1, 2, 3, 0], "padded");
        assert_eq!(words[6..9], [2 | 4 << 16, 1 | 3 << 2, 0], "inbound, broadcast, no more options");
    }
}
