//! What does a rule say? What a packet has to be like, and what becomes of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Conditions, all of which must hold, and a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) verdict: Verdict,
}

/// What a packet says somewhere is one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) field: Field,
    pub(crate) one_of: Vec<Vec<u8>>,
}

/// A place in a packet, or something the kernel knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Who sent the frame: 6 bytes.
    HardwareSource,
    /// Of which protocol it is, by its number in an Ethernet header.
    EtherType,
    Source4,
    Destination4,
    Source6,
    Destination6,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It vanishes.
    Drop,
    /// It goes on.
    Accept,
}

impl Verdict {
    /// The kernel's number (`NF_DROP`, `NF_ACCEPT`).
    pub(crate) fn number(self) -> u32 {
        match self {
            Verdict::Drop => 0,
            Verdict::Accept => 1,
        }
    }
}

impl Rule {
    /// One that holds for every packet.
    pub(crate) fn always(verdict: Verdict) -> Rule {
        Rule { conditions: Vec::new(), verdict }
    }

    /// Only where the field has one of these values.
    #[must_use]
    pub(crate) fn where_in(mut self, field: Field, values: impl IntoIterator<Item = Vec<u8>>) -> Rule {
        let mut one_of: Vec<_> = values.into_iter().collect();
        one_of.sort_unstable();
        one_of.dedup();
        self.conditions.push(Condition { field, one_of });
        self
    }

    /// Only IPv4 packets.
    #[must_use]
    pub(crate) fn where_ipv4(self) -> Rule {
        self.where_in(Field::EtherType, [libc::ETH_P_IP.to_be_bytes()[2..].to_vec()])
    }

    /// Only IPv6 packets.
    #[must_use]
    pub(crate) fn where_ipv6(self) -> Rule {
        self.where_in(Field::EtherType, [libc::ETH_P_IPV6.to_be_bytes()[2..].to_vec()])
    }

    /// Whether some packet can fulfil it.
    pub(crate) fn can_hold(&self) -> bool {
        self.conditions.iter().all(|condition| !condition.one_of.is_empty())
    }
}

/// The IPv4 addresses among these, as packets have them.
pub(crate) fn v4(addresses: &[IpAddr]) -> Vec<Vec<u8>> {
    let v4 = |address: &IpAddr| if let IpAddr::V4(address) = address { Some(*address) } else { None };
    addresses.iter().filter_map(v4).map(|address: Ipv4Addr| address.octets().to_vec()).collect()
}

/// The IPv6 addresses among these, as packets have them.
pub(crate) fn v6(addresses: &[IpAddr]) -> Vec<Vec<u8>> {
    let v6 = |address: &IpAddr| if let IpAddr::V6(address) = address { Some(*address) } else { None };
    addresses.iter().filter_map(v6).map(|address: Ipv6Addr| address.octets().to_vec()).collect()
}
