//! How does a host's port 53 stay free, though its names are answered there? Packets to 127.0.0.53:53 are led to another port of that
//! address, and the answers come from 53 again.
//!
//! A socket at 127.0.0.53:53 would keep everybody in the host from binding 0.0.0.0:53. Ports are rewritten packet by packet in the
//! output hook, through which all that goes over `lo` comes both ways; nothing is tracked.

use std::net::Ipv4Addr;

use nix::sys::socket::SockProtocol;

use crate::netlink::{Attributes, Batch, Refusal, Socket};

/// Messages of linux/netfilter/nfnetlink.h and nf_tables.h.
const NFTABLES: u16 = 10;
const BEGIN: u16 = 16;
const END: u16 = 17;
const NEW_TABLE: u16 = NFTABLES << 8;
const DELETE_TABLE: u16 = (NFTABLES << 8) | 2;
const NEW_CHAIN: u16 = (NFTABLES << 8) | 3;
const NEW_RULE: u16 = (NFTABLES << 8) | 6;

const TABLE: &str = "isotest-names";
const CHAIN: &str = "output";
/// The first register.
const REGISTER: u32 = 1;

/// Where a field is in a packet.
#[derive(Clone, Copy, Debug)]
struct Field {
    base: u32,
    offset: u32,
    length: u32,
}

const fn network(offset: u32, length: u32) -> Field {
    Field { base: 1, offset, length }
}

const fn transport(offset: u32) -> Field {
    Field { base: 2, offset, length: 2 }
}

const PROTOCOL: Field = network(9, 1);
const SOURCE: Field = network(12, 4);
const DESTINATION: Field = network(16, 4);
const SOURCE_PORT: Field = transport(0);
const DESTINATION_PORT: Field = transport(2);

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
    let mut batch = Batch::default();
    batch.add(BEGIN, 0, &header(libc::AF_UNSPEC, NFTABLES), |_| {});
    // There has to be one to be deleted.
    let all = [(NEW_TABLE, libc::NLM_F_CREATE), (DELETE_TABLE, 0), (NEW_TABLE, libc::NLM_F_CREATE)];
    for (kind, flags) in all.into_iter().skip(if before == Before::Nothing { 2 } else { 0 }) {
        batch.add(kind, flags, &ipv4(), |table| {
            table.text(1, TABLE);
        });
    }
    batch.add(NEW_CHAIN, libc::NLM_F_CREATE, &ipv4(), |chain| {
        chain.text(1, TABLE).text(3, CHAIN);
        chain.nest(4, |hook| {
            hook.number_be(1, libc::NF_INET_LOCAL_OUT as u32).number_be(2, libc::NF_IP_PRI_RAW.cast_unsigned());
        });
        chain.text(7, "filter");
    });
    // The sums of both protocols, and where they stand.
    for (protocol, port, sum) in [(libc::IPPROTO_UDP, ports.udp, 6), (libc::IPPROTO_TCP, ports.tcp, 16)] {
        for (side, of_side, from, to) in [(DESTINATION, DESTINATION_PORT, 53, port), (SOURCE, SOURCE_PORT, port, 53)] {
            rule(&mut batch, |rule| {
                require(rule, side, &address.octets());
                require(rule, PROTOCOL, &[protocol as u8]);
                require(rule, of_side, &from.to_be_bytes());
                replace(rule, of_side, to, sum);
            });
        }
    }
    batch.add(END, 0, &header(libc::AF_UNSPEC, NFTABLES), |_| {});
    batch
}

/// `struct nfgenmsg`.
fn header(family: i32, resource: u16) -> [u8; 4] {
    let [high, low] = resource.to_be_bytes();
    [family as u8, 0, high, low]
}

fn ipv4() -> [u8; 4] {
    header(libc::NFPROTO_IPV4, 0)
}

fn rule(batch: &mut Batch, expressions: impl FnOnce(&mut Attributes)) {
    batch.add(NEW_RULE, libc::NLM_F_CREATE | libc::NLM_F_APPEND, &ipv4(), |rule| {
        rule.text(1, TABLE).text(2, CHAIN).nest(4, expressions);
    });
}

fn expression(rule: &mut Attributes, name: &str, data: impl FnOnce(&mut Attributes)) {
    rule.nest(1, |element| {
        element.text(1, name).nest(2, data);
    });
}

/// The rule goes on where the field has this value.
fn require(rule: &mut Attributes, field: Field, value: &[u8]) {
    expression(rule, "payload", |load| {
        load.number_be(1, REGISTER);
        place(load, field);
    });
    expression(rule, "cmp", |compare| {
        compare.number_be(1, REGISTER).number_be(2, 0).nest(3, |data| {
            data.put(1, value);
        });
    });
}

/// Writes another value, and corrects the sum.
fn replace(rule: &mut Attributes, field: Field, value: u16, sum: u32) {
    expression(rule, "immediate", |set| {
        set.number_be(1, REGISTER).nest(2, |data| {
            data.put(1, &value.to_be_bytes());
        });
    });
    expression(rule, "payload", |store| {
        place(store, field);
        store.number_be(5, REGISTER).number_be(6, 1).number_be(7, sum);
    });
}

fn place(payload: &mut Attributes, field: Field) {
    payload.number_be(2, field.base).number_be(3, field.offset).number_be(4, field.length);
}
