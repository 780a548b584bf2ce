//! Which addresses does a lab give, and how are networks written?
//!
//! The k-th switch is `10.k.0.0/16` and `fd00:0:0:k::/64`; the n-th link between two hosts is the n-th /24 from `10.128.0.0` on and
//! `fd00:0:1:n::/64`. Hosts are numbered in the order in which they were attached.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address, and how many of its leading bits are the network's: `10.1.0.7/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// Puts the two together; `None` where the address has fewer bits.
    #[must_use]
    pub fn new(address: IpAddr, length: u8) -> Option<Prefix> {
        (length <= bits(address)).then_some(Prefix { address, length })
    }

    /// The address.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// How many bits are the network's.
    #[must_use]
    pub fn length(self) -> u8 {
        self.length
    }

    /// The network: the same with all bits of the host cleared.
    #[must_use]
    pub fn network(self) -> Prefix {
        Prefix { address: from_number(self.address, number(self.address) & self.mask()), length: self.length }
    }

    /// Whether the address is in this network.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        bits(address) == bits(self.address) && number(address) & self.mask() == number(self.address) & self.mask()
    }

    /// Whether some address is in both.
    #[must_use]
    pub fn overlaps(self, other: Prefix) -> bool {
        let (wide, narrow) = if self.length <= other.length { (self, other) } else { (other, self) };
        wide.contains(narrow.address)
    }

    /// Everything: the default route's destination.
    pub(crate) fn everything(like: IpAddr) -> Prefix {
        Prefix { address: from_number(like, 0), length: 0 }
    }

    /// The n-th host's address, where the network is large enough.
    pub(crate) fn host(self, n: usize) -> Option<Prefix> {
        let host_bits = u32::from(bits(self.address) - self.length);
        // A network of two addresses has neither one of its own nor one for broadcasts: RFC 3021, RFC 6164.
        let n = if host_bits == 1 { (n as u128).checked_sub(1)? } else { n as u128 };
        // The last of a v4 network is for broadcasts.
        let last = if host_bits >= 127 { u128::MAX } else { (1 << host_bits) - 1 };
        let fits = if self.address.is_ipv4() && host_bits > 1 { n < last } else { n <= last };
        let address = from_number(self.address, (number(self.address) & self.mask()) | n);
        fits.then_some(Prefix { address, length: self.length })
    }

    /// What keeps a host from having this address, if anything does.
    pub(crate) fn is_nobodys(self) -> Option<&'static str> {
        let host_bits = bits(self.address) - self.length;
        let own = number(self.address) & !self.mask();
        let ones = if self.address.is_ipv4() { !self.mask() & u128::from(u32::MAX) } else { !self.mask() };
        match (host_bits, own) {
            (0 | 1, _) => None,
            (_, 0) if self.address.is_ipv4() => Some("it is the address of the network itself"),
            (_, 0) => Some("it means any router of the network (RFC 4291, section 2.6.1)"),
            _ if own == ones && self.address.is_ipv4() => Some("it is for broadcasts in the network"),
            _ => None,
        }
    }

    fn mask(self) -> u128 {
        let host_bits = u32::from(bits(self.address) - self.length);
        u128::MAX.checked_shl(host_bits).unwrap_or(0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Prefix, String> {
        let form = "write an address, a slash and the number of the network's bits, such as 10.1.0.0/16 or fd00:7::/64";
        let (address, length) = text.split_once('/').ok_or_else(|| format!("{text:?} has no slash: {form}"))?;
        let address: IpAddr = address.parse().map_err(|_| format!("{address:?} is no IP address: {form}"))?;
        let read = length.parse().ok().and_then(|length| Prefix::new(address, length));
        read.ok_or_else(|| {
            format!("{address} has {} bits, and {length:?} is no number up to that: {form}", bits(address))
        })
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

fn from_number(like: IpAddr, number: u128) -> IpAddr {
    match like {
        IpAddr::V4(_) => Ipv4Addr::from(number as u32).into(),
        IpAddr::V6(_) => Ipv6Addr::from(number).into(),
    }
}

/// The networks of the k-th switch, from 1 on.
pub(crate) fn of_switch(k: usize) -> Option<[Prefix; 2]> {
    let v4 = (k < 128).then(|| Prefix { address: Ipv4Addr::new(10, k as u8, 0, 0).into(), length: 16 });
    Some([v4?, Prefix { address: Ipv6Addr::new(0xfd00, 0, 0, k as u16, 0, 0, 0, 0).into(), length: 64 }])
}

/// The networks of the n-th link between two hosts, from 0 on.
pub(crate) fn of_link(n: usize) -> Option<[Prefix; 2]> {
    let number = u16::try_from(n).ok().filter(|number| *number < 0x8000)?;
    let [high, low] = number.to_be_bytes();
    let v4 = Prefix { address: Ipv4Addr::new(10, 128 + high, low, 0).into(), length: 24 };
    Some([v4, Prefix { address: Ipv6Addr::new(0xfd00, 0, 1, number, 0, 0, 0, 0).into(), length: 64 }])
}

/// A hardware address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// That of the n-th interface of a lab: locally administered, and so nobody's.
    pub(crate) fn of_interface(n: usize) -> Mac {
        let [.., a, b, c] = (n as u32).to_be_bytes();
        Mac([0x02, 0, 0, a, b, c])
    }

    /// Another one for the same interface.
    pub(crate) fn instead(self) -> Mac {
        let [first, x, y, rest @ ..] = self.0;
        let [x, y] = (u16::from_be_bytes([x, y]).wrapping_add(1)).to_be_bytes();
        let [a, b, c] = rest;
        Mac([first, x, y, a, b, c])
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for Mac {
    type Err = String;

    fn from_str(text: &str) -> Result<Mac, String> {
        let bytes: Vec<u8> = text.split(':').map_while(|pair| u8::from_str_radix(pair, 16).ok()).collect();
        let count = text.split(':').count();
        let read = <[u8; 6]>::try_from(bytes).ok().filter(|bytes| count == 6 && bytes[0] & 1 == 0 && *bytes != [0; 6]);
        read.map(Mac).ok_or_else(|| {
            format!("{text:?} is no hardware address of one interface: write six hexadecimal bytes, the first one even, such as 02:00:00:00:00:07")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().expect("it is well-formed")
    }

    #[test]
    fn hosts_are_numbered_within_their_network() {
        assert_eq!(prefix("10.1.0.0/16").host(258), Some(prefix("10.1.1.2/16")));
        assert_eq!(prefix("192.168.7.0/30").host(2), Some(prefix("192.168.7.2/30")));
        assert_eq!(prefix("192.168.7.0/30").host(3), None, "for broadcasts");
        let pair = [1, 2, 3].map(|host| prefix("192.168.7.0/31").host(host));
        assert_eq!(pair, [Some(prefix("192.168.7.0/31")), Some(prefix("192.168.7.1/31")), None]);
        assert_eq!(prefix("fd00::/64").host(1), Some(prefix("fd00::1/64")));
        assert_eq!(prefix("fd00::/126").host(4), None);
    }

    #[test]
    fn networks_contain_and_overlap() {
        assert!(prefix("10.1.0.9/16").contains(prefix("10.1.255.1/32").address()));
        assert!(!prefix("10.1.0.0/16").contains(prefix("10.2.0.0/16").address()));
        assert!(prefix("0.0.0.0/0").contains(prefix("10.2.0.0/16").address()));
        assert!(!prefix("0.0.0.0/0").contains(prefix("::1/128").address()));
        assert!(prefix("10.0.0.0/8").overlaps(prefix("10.3.0.0/16")));
        assert!(!prefix("10.2.0.0/16").overlaps(prefix("10.3.0.0/16")));
        assert_eq!(prefix("10.1.2.3/16").network(), prefix("10.1.0.0/16"));
    }

    #[test]
    fn mistakes_are_named() {
        let mistake = |text: &str| text.parse::<Prefix>().expect_err("it is a mistake");
        assert!(mistake("10.1.0.0").contains("no slash"));
        assert!(mistake("10.1.0/16").contains("\"10.1.0\" is no IP address"));
        assert!(mistake("10.1.0.0/33").contains("has 32 bits"));
        assert!("03:00:00:00:00:01".parse::<Mac>().is_err(), "a group's");
        assert!("02:00:00:00:01".parse::<Mac>().is_err());
        assert_eq!("02:00:00:00:00:0a".parse(), Ok(Mac([2, 0, 0, 0, 0, 10])));
    }
}
