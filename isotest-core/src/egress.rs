//! Where may a test go, and what is it called where it tried to go? Plain data, and how it is written.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::Policy;

/// What becomes of a test that tries to reach something outside of its network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Egress {
    /// Nobody looks at it.
    Ignore,
    /// It passes, and a note says how often it did.
    Warn,
    /// It fails.
    Fail,
    /// It passes, and a note says where it wanted to go: each name, and each address with protocol and port.
    Record,
    /// The same, and it fails if it wanted to go anywhere but here; each as [`Allowed`] is written. Nothing leaves all the same.
    Allow(Vec<String>),
}

impl From<Policy> for Egress {
    fn from(policy: Policy) -> Egress {
        match policy {
            Policy::Ignore => Egress::Ignore,
            Policy::Warn => Egress::Warn,
            Policy::Fail => Egress::Fail,
        }
    }
}

impl Egress {
    /// What becomes of a test that went where it may not.
    pub(crate) fn policy(&self) -> Policy {
        match self {
            Egress::Ignore => Policy::Ignore,
            Egress::Warn | Egress::Record => Policy::Warn,
            Egress::Fail | Egress::Allow(_) => Policy::Fail,
        }
    }

    /// Whether it has to be known where it wanted to go.
    pub(crate) fn is_recorded(&self) -> bool {
        matches!(self, Egress::Record | Egress::Allow(_))
    }

    /// Whether a destination is on the list.
    #[must_use]
    pub fn allows(&self, destination: &Destination) -> bool {
        let Egress::Allow(list) = self else { return false };
        list.iter().filter_map(|text| Allowed::read(text).ok()).any(|allowed| allowed.covers(destination))
    }
}

/// Where somebody wanted to go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Destination {
    /// A name whose address was asked for.
    Name(String),
    /// An address to which something was sent.
    Address {
        /// `tcp`, `udp`, or another by its name or number.
        protocol: String,
        /// Whose.
        address: IpAddr,
        /// Where TCP and UDP have one.
        port: Option<u16>,
    },
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Name(name) => write!(f, "the name {name}"),
            Destination::Address { protocol, address, port: Some(port) } => {
                write!(f, "{protocol} {}", std::net::SocketAddr::new(*address, *port))
            }
            Destination::Address { protocol, address, port: None } => write!(f, "{protocol} {address}"),
        }
    }
}

/// One entry of a list of what is allowed: `10.0.0.0/8`, `10.0.0.0/8:443`, `192.0.2.1:53`, `[2001:db8::/32]:443`, `example.com`, or
/// `*.example.com` for all names below that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// A network, and a port or all.
    Network {
        /// Its first address.
        address: IpAddr,
        /// How many bits of that count.
        length: u8,
        /// All where there is none.
        port: Option<u16>,
    },
    /// A name, or all that end with what follows the asterisk.
    Name(String),
}

impl Allowed {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Allowed, String> {
        if text.contains("://") {
            return Err("this is a URL: write its host alone".to_owned());
        }
        let (host, port) = split(text)?;
        let (address, length) = match host.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (host, None),
        };
        match (address.parse::<IpAddr>(), length) {
            (Ok(address), length) => {
                let most = if address.is_ipv4() { 32 } else { 128 };
                let length = length.map_or(Some(most), |length| length.parse().ok().filter(|length| *length <= most));
                let length = length.ok_or_else(|| format!("a network's length is a number from 0 to {most}"))?;
                if let Some(first) = not_the_first(address, length) {
                    return Err(format!(
                        "the network begins with {first}: write {first}/{length}, or leave the length out"
                    ));
                }
                Ok(Allowed::Network { address, length, port })
            }
            (Err(_), None) if is_name(host) && port.is_none() => Ok(Allowed::Name(host.to_ascii_lowercase())),
            (Err(_), None) if is_name(host) => Err("a name is asked for without a port: leave the port out".to_owned()),
            _ => Err("this is neither an address, nor a network, nor a name".to_owned()),
        }
    }

    fn covers(&self, destination: &Destination) -> bool {
        match (self, destination) {
            (Allowed::Name(allowed), Destination::Name(name)) => match allowed.strip_prefix('*') {
                Some(end) => name.ends_with(end) && name.len() > end.len(),
                None => allowed == name,
            },
            (Allowed::Network { address, length, port }, Destination::Address { address: to, port: its, .. }) => {
                is_in(*to, *address, *length) && port.is_none_or(|port| *its == Some(port))
            }
            _ => false,
        }
    }
}

/// The port behind an address, a network or a name; one of IPv6 stands in brackets then.
fn split(text: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':').unwrap_or(rest))),
        None => match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (text, None),
        },
    };
    let read = |port: &str| port.parse().ok().filter(|port| *port > 0).ok_or("a port is a number from 1 to 65535");
    Ok((host, port.map(read).transpose()?))
}

fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    let name = text.strip_prefix("*.").unwrap_or(text);
    // What is all digits and points was to be an address.
    name.len() <= 253 && name.split('.').all(label) && name.chars().any(|c| c.is_ascii_alphabetic())
}

/// The first address of the network, if this is another.
fn not_the_first(address: IpAddr, length: u8) -> Option<IpAddr> {
    let first = match address {
        IpAddr::V4(v4) => {
            Ipv4Addr::from(u32::from(v4) & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)).into()
        }
        IpAddr::V6(v6) => {
            Ipv6Addr::from(u128::from(v6) & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)).into()
        }
    };
    (first != address).then_some(first)
}

pub(crate) fn is_in(address: IpAddr, network: IpAddr, length: u8) -> bool {
    // IPv4's 32 bits stand first among the 128.
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    };
    let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
    address.is_ipv4() == network.is_ipv4() && (bits(address) ^ bits(network)) & mask == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(list: &[&str], destination: &Destination) -> bool {
        Egress::Allow(list.iter().map(|text| (*text).to_owned()).collect()).allows(destination)
    }

    fn tcp(address: &str, port: u16) -> Destination {
        Destination::Address {
            protocol: "tcp".to_owned(),
            address: address.parse().expect("an address"),
            port: Some(port),
        }
    }

    #[test]
    fn networks_cover_their_addresses_and_ports() {
        for (entry, inside, outside) in [
            ("10.0.0.0/8", tcp("10.255.0.1", 1), tcp("11.0.0.1", 1)),
            ("10.0.0.0/8:443", tcp("10.1.2.3", 443), tcp("10.1.2.3", 80)),
            ("192.0.2.7", tcp("192.0.2.7", 9), tcp("192.0.2.6", 9)),
            ("0.0.0.0/0", tcp("8.8.8.8", 53), tcp("2001:db8::1", 53)),
            ("2001:db8::/32", tcp("2001:db8:1::1", 53), tcp("2001:db9::1", 53)),
            ("[2001:db8::1]:443", tcp("2001:db8::1", 443), tcp("2001:db8::1", 444)),
        ] {
            assert!(allows(&[entry], &inside) && !allows(&[entry], &outside), "{entry}");
        }
        assert!(!allows(&[], &tcp("10.0.0.1", 1)));
    }

    #[test]
    fn names_are_covered_as_they_are_or_below_an_asterisk() {
        let name = |text: &str| Destination::Name(text.to_owned());
        assert!(allows(&["Example.com"], &name("example.com")) && !allows(&["example.com"], &name("a.example.com")));
        assert!(allows(&["*.example.com"], &name("a.b.example.com")));
        assert!(
            !allows(&["*.example.com"], &name("example.com")) && !allows(&["*.example.com"], &name("badexample.com"))
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, expected) in [
            ("10.0.0.0/33", "a network's length is a number from 0 to 32"),
            ("2001:db8::/129", "a network's length is a number from 0 to 128"),
            ("10.0.0.1:0", "a port is a number from 1 to 65535"),
            ("10.0.0.1:http", "a port is a number from 1 to 65535"),
            ("10.0.0", "this is neither an address, nor a network, nor a name"),
            ("", "this is neither an address, nor a network, nor a name"),
            ("example.com:443", "a name is asked for without a port: leave the port out"),
            ("https://example.com/", "this is a URL: write its host alone"),
            ("10.0.0.1/8", "the network begins with 10.0.0.0: write 10.0.0.0/8, or leave the length out"),
            ("2001:db8::1/32", "the network begins with 2001:db8::: write 2001:db8::/32, or leave the length out"),
        ] {
            assert_eq!(Allowed::read(text), Err(expected.to_owned()), "{text}");
        }
    }
}
