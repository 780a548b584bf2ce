//! What does a rule say? What a packet has to be like, and what is done with it.

use std::net::{IpAddr, SocketAddr};

use super::cone::Cone;

/// Conditions, all of which must hold, and what is done then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) action: Action,
}

/// What a packet has to say somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) field: Field,
    pub(crate) test: Test,
}

/// What a field is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// It has one of these values.
    OneOf(Vec<Vec<u8>>),
    /// The bits of the mask are these.
    Bits { mask: Vec<u8>, are: Vec<u8> },
    /// They are not these.
    OtherBits { mask: Vec<u8>, than: Vec<u8> },
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
    /// TCP, UDP, or another, by its number in an IP header: 1 byte.
    Transport,
    /// Of ICMP: 1 byte.
    IcmpType,
    /// FIN, SYN and so on: 1 byte.
    TcpFlags,
    SourcePort,
    DestinationPort,
    /// By which interface it came, by number.
    Input,
    /// By which it leaves.
    Output,
    /// What its connection is to it: bits, see [`state`].
    ConnectionState,
    /// What has happened to its connection: bits, see [`status`].
    ConnectionStatus,
}

/// Bits of [`Field::ConnectionState`].
pub(crate) mod state {
    pub(crate) const INVALID: u32 = 1;
    pub(crate) const ESTABLISHED: u32 = 2;
    pub(crate) const RELATED: u32 = 4;
    pub(crate) const NEW: u32 = 8;
}

/// Bits of [`Field::ConnectionStatus`], `IPS_…` of linux/netfilter/nf_conntrack_common.h.
pub(crate) mod status {
    /// It goes elsewhere than was asked for.
    pub(crate) const REDIRECTED: u32 = 1 << 5;
}

/// What is done with a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Decide(Verdict),
    /// It vanishes, and is counted.
    Lose,
    /// It vanishes, and TCP hears of it by a reset.
    Reset,
    /// It vanishes, and its sender hears by ICMP that the port is unreachable.
    Unreachable,
    /// Its connection gets the address of the interface by which it leaves, and where that is free its own port.
    Masquerade,
    /// Likewise, with a port by chance.
    MasqueradeAtRandom,
    /// Its connection goes there instead.
    SendTo(SocketAddr),
    /// Another port is written into it; `sum_at` is where the sum to be corrected stands in TCP's or UDP's header.
    SetPort {
        field: Field,
        to: u16,
        sum_at: u32,
    },
    /// Who has sent it from which port is written down.
    Remember(Cone),
    /// Its connection goes to who is written down for the port it goes to.
    SendToRemembered(Cone),
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
    pub(crate) fn always(action: Action) -> Rule {
        Rule { conditions: Vec::new(), action }
    }

    /// One by which packets vanish.
    pub(crate) fn drop() -> Rule {
        Rule::always(Action::Decide(Verdict::Drop))
    }

    /// Likewise; they are counted.
    pub(crate) fn lose() -> Rule {
        Rule::always(Action::Lose)
    }

    /// One by which packets go on.
    pub(crate) fn accept() -> Rule {
        Rule::always(Action::Decide(Verdict::Accept))
    }

    fn and(mut self, field: Field, test: Test) -> Rule {
        self.conditions.push(Condition { field, test });
        self
    }

    /// Only where the field has one of these values.
    #[must_use]
    pub(crate) fn among(self, field: Field, values: impl IntoIterator<Item = Vec<u8>>) -> Rule {
        let mut one_of: Vec<_> = values.into_iter().collect();
        one_of.sort_unstable();
        one_of.dedup();
        self.and(field, Test::OneOf(one_of))
    }

    /// Only where the field has this value.
    #[must_use]
    pub(crate) fn is(self, field: Field, value: &[u8]) -> Rule {
        self.among(field, [value.to_vec()])
    }

    /// Only where the interface is this one.
    #[must_use]
    pub(crate) fn by(self, field: Field, index: u32) -> Rule {
        self.is(field, &index.to_ne_bytes())
    }

    /// Only where some of these bits are set.
    #[must_use]
    pub(crate) fn some_bit(self, field: Field, bits: u32) -> Rule {
        self.and(field, Test::OtherBits { mask: bits.to_ne_bytes().to_vec(), than: vec![0; 4] })
    }

    /// Only where the bits of the mask are not these.
    #[must_use]
    pub(crate) fn unlike(self, field: Field, mask: u8, than: u8) -> Rule {
        self.and(field, Test::OtherBits { mask: vec![mask], than: vec![than] })
    }

    /// Only where none of them is.
    #[must_use]
    pub(crate) fn no_bit(self, field: Field, bits: u32) -> Rule {
        self.and(field, Test::Bits { mask: bits.to_ne_bytes().to_vec(), are: vec![0; 4] })
    }

    /// Only where the address is in the network, of as many bits as are said.
    #[must_use]
    pub(crate) fn within(self, field: Field, network: &[u8], length: u8) -> Rule {
        let bit = |at: usize| if at < usize::from(length) { 0x80_u8 >> (at % 8) } else { 0 };
        let mask: Vec<u8> = (0..network.len()).map(|byte| (8 * byte..8 * byte + 8).map(bit).sum()).collect();
        let are = network.iter().zip(&mask).map(|(byte, mask)| byte & mask).collect();
        self.and(field, Test::Bits { mask, are })
    }

    /// Only IPv4 packets.
    #[must_use]
    pub(crate) fn ipv4(self) -> Rule {
        self.is(Field::EtherType, &libc::ETH_P_IP.to_be_bytes()[2..])
    }

    /// Only IPv6 packets.
    #[must_use]
    pub(crate) fn ipv6(self) -> Rule {
        self.is(Field::EtherType, &libc::ETH_P_IPV6.to_be_bytes()[2..])
    }

    /// Whether some packet can fulfil it.
    pub(crate) fn can_hold(&self) -> bool {
        self.conditions.iter().all(|condition| condition.test != Test::OneOf(Vec::new()))
    }
}

/// An address as packets have it.
pub(crate) fn bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The IPv4 addresses among these, as packets have them.
pub(crate) fn v4(addresses: &[IpAddr]) -> Vec<Vec<u8>> {
    addresses.iter().filter(|address| address.is_ipv4()).map(|address| bytes(*address)).collect()
}

/// The IPv6 addresses among these, as packets have them.
pub(crate) fn v6(addresses: &[IpAddr]) -> Vec<Vec<u8>> {
    addresses.iter().filter(|address| address.is_ipv6()).map(|address| bytes(*address)).collect()
}
