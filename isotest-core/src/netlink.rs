//! Netlink: how are messages to the kernel put together, sent and answered? `netlink(7)`
//!
//! A [`Batch`] is written first and sent then, so that what is said can be tested without a kernel. What the messages mean is
//! their writers' business.

mod socket;

pub(crate) use self::socket::{Refusal, Socket};

/// Messages that are sent together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    /// Where each message begins.
    starts: Vec<usize>,
}

/// The length of `struct nlmsghdr`.
const HEADER: usize = 16;

impl Batch {
    /// Appends one message: its type, its flags beside `NLM_F_REQUEST`, the fixed part that its family has, its attributes.
    pub(crate) fn add(
        &mut self,
        kind: u16,
        flags: i32,
        family_header: &[u8],
        attributes: impl FnOnce(&mut Attributes),
    ) {
        let start = self.bytes.len();
        self.starts.push(start);
        let flags = (flags | libc::NLM_F_REQUEST) as u16;
        self.bytes.extend([0; 4]); // The length, when it is known.
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend([0; 8]); // The sequence number, which the socket gives, and the sender, which the kernel knows.
        self.bytes.extend(family_header);
        pad(&mut self.bytes);
        let mut writer = Attributes { bytes: std::mem::take(&mut self.bytes) };
        attributes(&mut writer);
        self.bytes = writer.bytes;
        let length = (self.bytes.len() - start) as u32;
        self.bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
        pad(&mut self.bytes);
    }

    /// What will be sent, without the numbers that the socket gives.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many messages there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Some of the messages, numbered from `sequence` on; one of them asks to be answered.
    fn part(&self, range: std::ops::Range<usize>, sequence: u32, answered: usize) -> Vec<u8> {
        let end = |at: usize| self.starts.get(at).copied().unwrap_or(self.bytes.len());
        let base = end(range.start);
        let mut bytes = self.bytes[base..end(range.end)].to_vec();
        for (number, at) in (sequence..).zip(range) {
            let start = self.starts[at] - base;
            bytes[start + 8..start + 12].copy_from_slice(&number.to_ne_bytes());
            if at == answered {
                bytes[start + 6] |= libc::NLM_F_ACK as u8;
            }
        }
        bytes
    }
}

/// The attributes of a message that is being written: type, length and value, each padded to four bytes.
#[derive(Debug)]
pub(crate) struct Attributes {
    bytes: Vec<u8>,
}

impl Attributes {
    /// A value as it is.
    pub(crate) fn put(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        self.bytes.extend((4 + value.len() as u16).to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        pad(&mut self.bytes);
        self
    }

    /// A number in the machine's byte order, as rtnetlink has them.
    pub(crate) fn number(&mut self, kind: u16, value: u32) -> &mut Self {
        self.put(kind, &value.to_ne_bytes())
    }

    /// A number in network byte order, as nftables has them.
    pub(crate) fn number_be(&mut self, kind: u16, value: u32) -> &mut Self {
        self.put(kind, &value.to_be_bytes())
    }

    /// A name, ended by NUL.
    pub(crate) fn text(&mut self, kind: u16, value: &str) -> &mut Self {
        self.put(kind, format!("{value}\0").as_bytes())
    }

    /// Attributes inside an attribute, marked as such (`NLA_F_NESTED`).
    pub(crate) fn nest(&mut self, kind: u16, inner: impl FnOnce(&mut Attributes)) -> &mut Self {
        self.nest_after(kind | libc::NLA_F_NESTED as u16, &[], inner)
    }

    /// Attributes inside an attribute, after a fixed part, as `VETH_INFO_PEER` has them.
    pub(crate) fn nest_after(&mut self, kind: u16, fixed: &[u8], inner: impl FnOnce(&mut Attributes)) -> &mut Self {
        let start = self.bytes.len();
        self.put(kind, fixed);
        inner(self);
        let length = (self.bytes.len() - start) as u16;
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self
    }
}

/// The attributes in what the kernel answered. Ends at the first that is cut off.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes([*bytes.first()?, *bytes.get(1)?]));
        let kind = u16::from_ne_bytes([*bytes.get(2)?, *bytes.get(3)?]) & !(libc::NLA_F_NESTED as u16);
        let value = bytes.get(4..length)?;
        bytes = bytes.get(padded(length)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The next multiple of four.
fn padded(length: usize) -> usize {
    length.next_multiple_of(4)
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(padded(bytes.len()), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let mut batch = Batch::default();
        batch.add(16, libc::NLM_F_CREATE, &[7; 16], |attributes| {
            attributes.text(3, "veth0").number(4, 1500).nest(18, |inner| {
                inner.text(1, "veth").put(2, &[1, 2, 3]);
            });
        });
        assert_eq!(batch.len(), 1);
        let bytes = batch.part(0..1, 9, 0);
        assert_eq!(u32::from_ne_bytes(bytes[..4].try_into().expect("four")) as usize, bytes.len());
        let read: Vec<_> = attributes(&bytes[HEADER + 16..]).collect();
        assert_eq!(read[0], (3, &b"veth0\0"[..]));
        assert_eq!(read[1], (4, &1500_u32.to_ne_bytes()[..]));
        let nested: Vec<_> = attributes(read[2].1).collect();
        assert_eq!((read[2].0, nested), (18, vec![(1, &b"veth\0"[..]), (2, &[1, 2, 3][..])]));
    }

    #[test]
    fn attributes_that_lie_about_their_length_end_the_list() {
        assert_eq!(attributes(&[200, 0, 1, 0, 5, 5]).count(), 0);
        assert_eq!(attributes(&[0, 0, 1, 0]).count(), 0);
        assert_eq!(attributes(&[5, 0, 1]).count(), 0);
    }
}
