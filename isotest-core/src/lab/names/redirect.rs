//! How does a host's port 53 stay free, though its names are answered there? Packets to 127.0.0.53:53 are led to another port of that
//! address, and the answers come from 53 again.
//!
//! A socket at 127.0.0.53:53 would keep everybody in the host from binding 0.0.0.0:53. Ports are rewritten packet by packet in the
//! output hook, through which all that goes over `lo` comes both ways; nothing is tracked.

use std::net::Ipv4Addr;

use nix::sys::socket::SockProtocol;

use crate::netlink::{Batch, Refusal, Socket};
use crate::nft::{self, Action, Chain, Family, Field, Hook, Rule, Table, Verdict};

/// Where the ports lead to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) udp: u16,
    pub(crate) tcp: u16,
}

/// What the calling thread's network may have from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing: it was made for this lab.
    Nothing,
    /// What an earlier lab left there. To take it away costs the time until the kernel is sure that nobody uses it, 10 ms and more.
    AnEarlierLab,
}

/// Leads port 53 of `address` to other ports of it, in the calling thread's network.
pub(crate) fn lead(address: Ipv4Addr, ports: Ports, before: Before) -> Result<(), Refusal> {
    let failed = |errno| Refusal { message: 0, errno, words: None };
    Socket::open(SockProtocol::NetlinkNetFilter).map_err(failed)?.transact(&transaction(address, ports, before))
}

fn transaction(address: Ipv4Addr, ports: Ports, before: Before) -> Batch {
    let table = table(address, ports);
    match before {
        Before::Nothing => nft::add(&table),
        Before::AnEarlierLab => nft::replace(&[table]),
    }
}

/// The table, without what is in it.
pub(crate) fn named(chains: Vec<Chain>) -> Table {
    Table { family: Family::Inet, name: "isotest-names", cones: Vec::new(), chains }
}

fn table(address: Ipv4Addr, ports: Ports) -> Table {
    // The sums of both protocols, and where they stand.
    let protocols = [(libc::IPPROTO_UDP, ports.udp, 6), (libc::IPPROTO_TCP, ports.tcp, 16)];
    let rules = protocols.into_iter().flat_map(|(protocol, port, sum_at)| {
        let there = (Field::Destination4, Field::DestinationPort, 53, port);
        let back = (Field::Source4, Field::SourcePort, port, 53);
        [there, back].map(|(side, of_side, from, to)| {
            let action = Action::SetPort { field: of_side, to, sum_at };
            Rule::always(action)
                .ipv4()
                .is(side, &address.octets())
                .is(Field::Transport, &[protocol as u8])
                .is(of_side, &u16::to_be_bytes(from))
        })
    });
    let chain =
        Chain { name: "output".to_owned(), hook: Hook::Departure, rules: rules.collect(), otherwise: Verdict::Accept };
    named(vec![chain])
}
