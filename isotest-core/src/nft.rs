//! nftables: how are tables, chains and rules told to the kernel? `nft(8)`, linux/netfilter/nf_tables.h
//!
//! A table is always replaced as a whole, in one transaction: no packet meets half of it, and what is there need not be asked for.

mod cone;
mod counter;
mod expressions;
mod rule;
mod set;

pub(crate) use self::cone::Cone;
pub(crate) use self::counter::{Count, question, read};
pub(crate) use self::rule::{Action, Field, Rule, Verdict, bytes, state, status, v4, v6};
use self::set::Sets;
use crate::netlink::{Attributes, Batch};

/// A table, with all that is in it. One without chains is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) family: Family,
    pub(crate) name: &'static str,
    pub(crate) cones: Vec<Cone>,
    pub(crate) chains: Vec<Chain>,
}

impl Table {
    /// Whether the kernel would take one for the other.
    pub(crate) fn is_called_as(&self, other: &Table) -> bool {
        (self.family, self.name) == (other.family, other.name)
    }
}

/// What packets a table sees, by the kernel's numbers (`NFPROTO_…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// IPv4 and IPv6.
    Inet = 1,
    /// All frames of a device.
    Netdev = 5,
}

/// A list of rules, and where packets meet it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) name: String,
    pub(crate) hook: Hook,
    pub(crate) rules: Vec<Rule>,
    /// What becomes of a packet that no rule decides.
    pub(crate) otherwise: Verdict,
}

/// Where packets meet a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    /// At a device, before anything else sees what has arrived there but packet sockets.
    Arrival { device: String },
    /// Before it is decided where they go: only the first packet of each connection, whose destination may be changed.
    Destination,
    /// Where this host is where they go.
    Input,
    /// Where this host is where they come from.
    Output,
    /// Likewise, before connections are tracked.
    Departure,
    /// Where they go through it, with addresses as they are inside of its own translation.
    Forward,
    /// Where they leave: only the first packet of each connection, whose source may be changed.
    Source,
}

/// The subsystem in the upper half of a message's type.
const NFTABLES: u16 = 10;

const NEW_TABLE: u16 = 0;
const DELETE_TABLE: u16 = 2;
const NEW_CHAIN: u16 = 3;
const NEW_RULE: u16 = 6;
const NEW_SET: u16 = 9;
const NEW_SET_ELEMENTS: u16 = 12;

/// A transaction after which there are these tables, whatever was in those of their names before.
pub(crate) fn replace(tables: &[Table]) -> Batch {
    let mut sets = Sets::default();
    transaction(|batch| {
        for table in tables {
            // There has to be one to be deleted.
            add_table(batch, table, 0);
            message(batch, table, DELETE_TABLE, |named| {
                named.text(TABLE_NAME, table.name);
            });
            if !table.chains.is_empty() {
                add_table(batch, table, 0);
            }
            fill(batch, table, &mut sets);
        }
    })
}

/// A transaction that adds a table to a network that has none of its name. That is cheaper than to replace one: before the socket by
/// which a table was deleted is closed, the kernel waits until nobody uses it any more, 10 ms and more.
pub(crate) fn add(table: &Table) -> Batch {
    transaction(|batch| {
        add_table(batch, table, 0);
        fill(batch, table, &mut Sets::default());
    })
}

/// A transaction that adds a table, which vanishes with the socket that this is sent by, however that comes to its end. Linux 5.12.
pub(crate) fn add_owned(table: &Table) -> Batch {
    /// `NFT_TABLE_F_OWNER`.
    const OWNED: u32 = 2;
    transaction(|batch| {
        add_table(batch, table, OWNED);
        fill(batch, table, &mut Sets::default());
    })
}

fn transaction(write: impl FnOnce(&mut Batch)) -> Batch {
    /// `NFNL_MSG_BATCH_BEGIN` and `NFNL_MSG_BATCH_END` of linux/netfilter/nfnetlink.h.
    const BEGIN: u16 = 0x10;
    const END: u16 = 0x11;
    let mut batch = Batch::default();
    batch.add(BEGIN, 0, &header(0, NFTABLES), |_| {});
    write(&mut batch);
    batch.add(END, 0, &header(0, NFTABLES), |_| {});
    batch
}

fn fill(batch: &mut Batch, table: &Table, sets: &mut Sets) {
    for cone in &table.cones {
        cone.add(batch, table);
    }
    for chain in &table.chains {
        add_chain(batch, table, chain);
        for rule in &chain.rules {
            add_rule(batch, table, chain, rule, sets);
        }
    }
}

const TABLE_NAME: u16 = 1;

fn add_table(batch: &mut Batch, table: &Table, flags: u32) {
    const FLAGS: u16 = 2;
    message(batch, table, NEW_TABLE, |named| {
        named.text(TABLE_NAME, table.name);
        if flags != 0 {
            named.number_be(FLAGS, flags);
        }
    });
}

fn add_chain(batch: &mut Batch, table: &Table, chain: &Chain) {
    // `NFTA_CHAIN_…` and `NFTA_HOOK_…`.
    const TABLE: u16 = 1;
    const NAME: u16 = 3;
    const HOOK: u16 = 4;
    const POLICY: u16 = 5;
    const TYPE: u16 = 7;
    const NUMBER: u16 = 1;
    const PRIORITY: u16 = 2;
    const DEVICE: u16 = 3;
    message(batch, table, NEW_CHAIN, |told| {
        told.text(TABLE, table.name).text(NAME, &chain.name).text(TYPE, chain.hook.kind());
        told.number_be(POLICY, chain.otherwise.number());
        told.nest(HOOK, |hook| {
            let (number, priority) = chain.hook.place();
            hook.number_be(NUMBER, number).number_be(PRIORITY, priority.cast_unsigned());
            if let Hook::Arrival { device } = &chain.hook {
                hook.text(DEVICE, device);
            }
        });
    });
}

impl Hook {
    /// What its chains may do.
    fn kind(&self) -> &'static str {
        match self {
            Hook::Destination | Hook::Source => "nat",
            Hook::Arrival { .. } | Hook::Input | Hook::Output | Hook::Departure | Hook::Forward => "filter",
        }
    }

    /// Its number in its family (`NF_INET_…`, `NF_NETDEV_…`), and its place among others there, the lowest first.
    fn place(&self) -> (u32, i32) {
        match self {
            Hook::Arrival { .. } => (0, 0),
            Hook::Destination => (0, -100),
            Hook::Input => (1, 0),
            Hook::Forward => (2, 0),
            Hook::Output => (3, 0),
            Hook::Departure => (3, libc::NF_IP_PRI_RAW),
            Hook::Source => (4, 100),
        }
    }
}

fn add_rule(batch: &mut Batch, table: &Table, chain: &Chain, rule: &Rule, sets: &mut Sets) {
    // `NFTA_RULE_…`.
    const TABLE: u16 = 1;
    const CHAIN: u16 = 2;
    const EXPRESSIONS: u16 = 4;
    let expressions = expressions::of(rule, sets);
    for set in sets.new_ones() {
        set.add(batch, table);
    }
    message(batch, table, NEW_RULE, |told| {
        told.text(TABLE, table.name).text(CHAIN, &chain.name);
        told.nest(EXPRESSIONS, |list| expressions.write(list));
    });
}

fn message(batch: &mut Batch, table: &Table, kind: u16, attributes: impl FnOnce(&mut Attributes)) {
    let flags = match kind {
        DELETE_TABLE => 0,
        NEW_RULE => libc::NLM_F_CREATE | libc::NLM_F_APPEND,
        _ => libc::NLM_F_CREATE,
    };
    batch.add(NFTABLES << 8 | kind, flags, &header(table.family as u8, 0), attributes);
}

/// `struct nfgenmsg`: the family, the version, and a number.
fn header(family: u8, number: u16) -> [u8; 4] {
    let [high, low] = number.to_be_bytes();
    [family, 0, high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rules: Vec<Rule>) -> Table {
        let chain = Chain { name: "all".to_owned(), hook: Hook::Forward, rules, otherwise: Verdict::Accept };
        Table { family: Family::Inet, name: "test", cones: Vec::new(), chains: vec![chain] }
    }

    #[test]
    fn a_table_is_made_anew_between_the_two_ends_of_a_transaction() {
        let from_one = Rule::drop().among(Field::Source4, [vec![10, 0, 0, 1]]);
        let batch = replace(&[table(vec![from_one])]);
        assert_eq!(batch.len(), 7, "begin, add, delete, add, chain, rule, end");
    }

    #[test]
    fn several_values_are_looked_up_in_a_set() {
        let from_two = Rule::drop().among(Field::Source4, [1, 2].map(|last| vec![10, 0, 0, last]));
        assert_eq!(replace(&[table(vec![from_two])]).len(), 7 + 2, "the set, and what is in it");
    }

    #[test]
    fn a_table_without_chains_is_deleted() {
        assert_eq!(replace(&[Table { chains: Vec::new(), ..table(Vec::new()) }]).len(), 4, "begin, add, delete, end");
    }

    #[test]
    fn a_rule_that_nothing_can_fulfil_is_known() {
        assert!(!Rule::drop().among(Field::Source6, []).can_hold());
        assert!(Rule::drop().can_hold());
    }
}
