//! By which expressions is a rule said?
//!
//! The kernel runs a rule's expressions in order: each loads something into a register, compares it, or acts.

use std::net::SocketAddr;

use super::cone::Cone;
use super::rule::{Action, Condition, Field, Rule, Test, Verdict, bytes};
use super::set::{NAMELESS, Set, Sets, VALUE};
use crate::netlink::Attributes;

/// A rule's expressions.
#[derive(Debug, Default)]
pub(crate) struct Expressions(Vec<Expression>);

#[derive(Debug)]
enum Expression {
    Load { field: Field, register: u32 },
    Mask(Vec<u8>),
    Compare { equal: bool, value: Vec<u8> },
    IsIn(Set),
    Act(Action),
}

/// `NFT_REG_1`, of 16 bytes: for one value after the other.
const REGISTER: u32 = 1;

/// `NFT_REG32_00` and those after it, of 4 bytes, for values that belong together.
pub(super) const fn register(number: u32) -> u32 {
    8 + number
}

/// Says a rule.
pub(crate) fn of(rule: &Rule, sets: &mut Sets) -> Expressions {
    let mut said = Vec::new();
    for Condition { field, test } in &rule.conditions {
        said.push(Expression::Load { field: *field, register: REGISTER });
        match test {
            Test::OneOf(values) => said.push(match &values[..] {
                [value] => Expression::Compare { equal: true, value: value.clone() },
                values => Expression::IsIn(sets.add(values)),
            }),
            Test::Bits { mask, are } => {
                said.extend([Expression::Mask(mask.clone()), Expression::Compare { equal: true, value: are.clone() }]);
            }
            Test::OtherBits { mask, than } => {
                said.extend([
                    Expression::Mask(mask.clone()),
                    Expression::Compare { equal: false, value: than.clone() },
                ]);
            }
        }
    }
    said.push(Expression::Act(rule.action.clone()));
    Expressions(said)
}

impl Expressions {
    pub(crate) fn write(&self, list: &mut Attributes) {
        for expression in &self.0 {
            expression.write(list);
        }
    }
}

impl Expression {
    fn write(&self, list: &mut Attributes) {
        match self {
            Expression::Load { field, register } => load(list, *field, *register),
            Expression::Mask(mask) => self::mask(list, mask),
            Expression::Compare { equal, value } => compare(list, *equal, value),
            Expression::IsIn(set) => is_in(list, set),
            Expression::Act(action) => act(list, action),
        }
    }
}

fn act(list: &mut Attributes, action: &Action) {
    match action {
        Action::Decide(verdict) => decide(list, *verdict),
        Action::Lose => {
            expression(list, "counter", |_| {});
            decide(list, Verdict::Drop);
        }
        // `NFT_REJECT_TCP_RST`, and `NFT_REJECT_ICMPX_UNREACH` with `NFT_REJECT_ICMPX_PORT_UNREACH`.
        Action::Reset => reject(list, 1, 0),
        Action::Unreachable => reject(list, 2, 1),
        Action::Masquerade => masquerade(list, 0),
        Action::MasqueradeAtRandom => masquerade(list, AT_RANDOM),
        Action::SendTo(to) => send_to(list, *to),
        Action::SetPort { field, to, sum_at } => set_port(list, *field, *to, *sum_at),
        Action::Remember(cone) => remember(list, *cone),
        Action::SendToRemembered(cone) => send_to_remembered(list, *cone),
    }
}

/// One element of a list of expressions: its name, and what it needs.
fn expression(list: &mut Attributes, name: &str, data: impl FnOnce(&mut Attributes)) {
    // `NFTA_LIST_ELEM` and `NFTA_EXPR_…`.
    const ELEMENT: u16 = 1;
    const NAME: u16 = 1;
    const DATA: u16 = 2;
    list.nest(ELEMENT, |element| {
        element.text(NAME, name).nest(DATA, data);
    });
}

/// Where a field is.
enum Source {
    /// Bytes of a header: which (`NFT_PAYLOAD_…`), from where, how many.
    Header { which: u32, at: u32, length: u32 },
    /// What the kernel knows of the packet (`NFT_META_…`).
    Known(u32),
    /// What it knows of its connection (`NFT_CT_…`).
    Connection(u32),
}

impl Field {
    fn source(self) -> Source {
        const LINK: u32 = 0;
        const NETWORK: u32 = 1;
        const TRANSPORT: u32 = 2;
        match self {
            Field::HardwareSource => Source::Header { which: LINK, at: 6, length: 6 },
            Field::EtherType => Source::Known(1),
            Field::Input => Source::Known(4),
            Field::Output => Source::Known(5),
            Field::Transport => Source::Known(16),
            Field::Source4 => Source::Header { which: NETWORK, at: 12, length: 4 },
            Field::Destination4 => Source::Header { which: NETWORK, at: 16, length: 4 },
            Field::Source6 => Source::Header { which: NETWORK, at: 8, length: 16 },
            Field::Destination6 => Source::Header { which: NETWORK, at: 24, length: 16 },
            Field::IcmpType => Source::Header { which: TRANSPORT, at: 0, length: 1 },
            Field::TcpFlags => Source::Header { which: TRANSPORT, at: 13, length: 1 },
            Field::SourcePort => Source::Header { which: TRANSPORT, at: 0, length: 2 },
            Field::DestinationPort => Source::Header { which: TRANSPORT, at: 2, length: 2 },
            Field::ConnectionState => Source::Connection(0),
            Field::ConnectionStatus => Source::Connection(2),
        }
    }
}

fn load(list: &mut Attributes, field: Field, register: u32) {
    match field.source() {
        Source::Header { which, at, length } => expression(list, "payload", |payload| {
            // `NFTA_PAYLOAD_…`: the register, the header, the offset, the length.
            payload.number_be(1, register).number_be(2, which).number_be(3, at).number_be(4, length);
        }),
        Source::Known(key) => expression(list, "meta", |meta| {
            // `NFTA_META_DREG` and `NFTA_META_KEY`.
            meta.number_be(1, register).number_be(2, key);
        }),
        Source::Connection(key) => expression(list, "ct", |connection| {
            // `NFTA_CT_DREG` and `NFTA_CT_KEY`.
            connection.number_be(1, register).number_be(2, key);
        }),
    }
}

fn mask(list: &mut Attributes, mask: &[u8]) {
    expression(list, "bitwise", |bitwise| {
        // `NFTA_BITWISE_…`: from where, to where, how many bytes, the mask, and what is flipped afterwards.
        bitwise.number_be(1, REGISTER).number_be(2, REGISTER).number_be(3, mask.len() as u32);
        bitwise.nest(4, |data| {
            data.put(VALUE, mask);
        });
        bitwise.nest(5, |data| {
            data.put(VALUE, &vec![0; mask.len()]);
        });
    });
}

fn compare(list: &mut Attributes, equal: bool, value: &[u8]) {
    expression(list, "cmp", |compare| {
        // `NFTA_CMP_SREG`, `NFTA_CMP_OP` (`NFT_CMP_EQ` or `NFT_CMP_NEQ`) and `NFTA_CMP_DATA`.
        compare.number_be(1, REGISTER).number_be(2, u32::from(!equal)).nest(3, |data| {
            data.put(VALUE, value);
        });
    });
}

fn is_in(list: &mut Attributes, set: &Set) {
    expression(list, "lookup", |lookup| {
        // `NFTA_LOOKUP_SET`, `NFTA_LOOKUP_SREG` and `NFTA_LOOKUP_SET_ID`.
        lookup.text(1, NAMELESS).number_be(2, REGISTER).number_be(4, set.number);
    });
}

fn decide(list: &mut Attributes, verdict: Verdict) {
    /// `NFT_REG_VERDICT`.
    const DECISION: u32 = 0;
    /// `NFTA_DATA_VERDICT`.
    const VERDICT: u16 = 2;
    expression(list, "immediate", |immediate| {
        // `NFTA_IMMEDIATE_DREG` and `NFTA_IMMEDIATE_DATA`, in it `NFTA_VERDICT_CODE`.
        immediate.number_be(1, DECISION).nest(2, |data| {
            data.nest(VERDICT, |code| {
                code.number_be(1, verdict.number());
            });
        });
    });
}

fn reject(list: &mut Attributes, kind: u32, code: u8) {
    expression(list, "reject", |reject| {
        // `NFTA_REJECT_TYPE` and `NFTA_REJECT_ICMP_CODE`.
        reject.number_be(1, kind).put(2, &[code]);
    });
}

/// `NF_NAT_RANGE_PROTO_RANDOM` and `NF_NAT_RANGE_PROTO_RANDOM_FULLY` of linux/netfilter/nf_nat.h.
const AT_RANDOM: u32 = 1 << 2 | 1 << 4;

fn masquerade(list: &mut Attributes, flags: u32) {
    expression(list, "masq", |masquerade| {
        if flags != 0 {
            masquerade.number_be(1, flags);
        }
    });
}

fn send_to(list: &mut Attributes, to: SocketAddr) {
    let address = bytes(to.ip());
    let port = register(address.len() as u32 / 4);
    immediate(list, register(0), &address);
    immediate(list, port, &to.port().to_be_bytes());
    redirect(list, to.is_ipv6(), register(0), port);
}

/// Puts a value into a register.
fn immediate(list: &mut Attributes, register: u32, value: &[u8]) {
    expression(list, "immediate", |immediate| {
        immediate.number_be(1, register).nest(2, |data| {
            data.put(VALUE, value);
        });
    });
}

/// Writes another port, and corrects the sum.
fn set_port(list: &mut Attributes, field: Field, to: u16, sum_at: u32) {
    /// `NFT_PAYLOAD_CSUM_INET`.
    const INTERNET_SUM: u32 = 1;
    let Source::Header { which, at, length } = field.source() else { return };
    immediate(list, REGISTER, &to.to_be_bytes());
    expression(list, "payload", |payload| {
        // `NFTA_PAYLOAD_…`: the header, the offset, the length, the register, and which sum stands where.
        payload.number_be(2, which).number_be(3, at).number_be(4, length);
        payload.number_be(5, REGISTER).number_be(6, INTERNET_SUM).number_be(7, sum_at);
    });
}

/// Sends a connection to the address and port in these registers.
fn redirect(list: &mut Attributes, ipv6: bool, address: u32, port: u32) {
    const DESTINATION: u32 = 1;
    let family = if ipv6 { libc::NFPROTO_IPV6 } else { libc::NFPROTO_IPV4 };
    expression(list, "nat", |nat| {
        // `NFTA_NAT_…`: which end, the family, the least address and the least port; the greatest are the same.
        nat.number_be(1, DESTINATION).number_be(2, family.cast_unsigned()).number_be(3, address).number_be(5, port);
    });
}

/// The registers of a cone's key and of what is remembered for it.
const KEY: u32 = register(0);
const KEY_PORT: u32 = register(1);
const ADDRESS: u32 = register(2);

fn port_after_address(cone: Cone) -> u32 {
    ADDRESS + cone.address_length() / 4
}

fn remember(list: &mut Attributes, cone: Cone) {
    load(list, Field::Transport, KEY);
    load(list, Field::SourcePort, KEY_PORT);
    load(list, cone.source(), ADDRESS);
    load(list, Field::SourcePort, port_after_address(cone));
    expression(list, "dynset", |set| {
        // `NFTA_DYNSET_…`: the set, the operation (add), the registers of the key and of the value.
        set.text(1, cone.name()).number_be(3, 0).number_be(4, KEY).number_be(5, ADDRESS);
    });
}

fn send_to_remembered(list: &mut Attributes, cone: Cone) {
    load(list, Field::Transport, KEY);
    load(list, Field::DestinationPort, KEY_PORT);
    expression(list, "lookup", |lookup| {
        // `NFTA_LOOKUP_…`: the set, the registers of the key and of the value.
        lookup.text(1, cone.name()).number_be(2, KEY).number_be(3, ADDRESS);
    });
    redirect(list, cone == Cone::V6, ADDRESS, port_after_address(cone));
}
