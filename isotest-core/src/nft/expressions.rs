//! By which expressions is a rule said, and by which sets?
//!
//! The kernel runs a rule's expressions in order: each loads something into a register, compares it, or decides.

use super::rule::{Condition, Field, Rule, Verdict};
use super::{NEW_SET, NEW_SET_ELEMENTS, Table, message};
use crate::netlink::{Attributes, Batch};

/// A rule's expressions.
#[derive(Debug, Default)]
pub(crate) struct Expressions(Vec<Expression>);

#[derive(Debug)]
enum Expression {
    Load(Field),
    IsEqual(Vec<u8>),
    IsIn(Set),
    Decide(Verdict),
}

/// Values that are looked up at once, for one rule only.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    /// Its number in this transaction.
    number: u32,
    values: Vec<Vec<u8>>,
}

/// The sets of a transaction.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    count: u32,
    new: Vec<Set>,
}

/// The name of a set that the kernel names.
const NAMELESS: &str = "__set%d";
/// `NFT_REG_1`.
const REGISTER: u32 = 1;

/// Says a rule.
pub(crate) fn of(rule: &Rule, sets: &mut Sets) -> Expressions {
    let mut expressions = Vec::new();
    for Condition { field, one_of } in &rule.conditions {
        expressions.push(Expression::Load(*field));
        expressions.push(match &one_of[..] {
            [value] => Expression::IsEqual(value.clone()),
            values => Expression::IsIn(sets.add(values)),
        });
    }
    expressions.push(Expression::Decide(rule.verdict));
    Expressions(expressions)
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
            Expression::Load(field) => load(list, *field),
            Expression::IsEqual(value) => is_equal(list, value),
            Expression::IsIn(set) => is_in(list, set),
            Expression::Decide(verdict) => decide(list, *verdict),
        }
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
}

impl Field {
    fn source(self) -> Source {
        const LINK: u32 = 0;
        const NETWORK: u32 = 1;
        const PROTOCOL: u32 = 1;
        match self {
            Field::HardwareSource => Source::Header { which: LINK, at: 6, length: 6 },
            Field::EtherType => Source::Known(PROTOCOL),
            Field::Source4 => Source::Header { which: NETWORK, at: 12, length: 4 },
            Field::Destination4 => Source::Header { which: NETWORK, at: 16, length: 4 },
            Field::Source6 => Source::Header { which: NETWORK, at: 8, length: 16 },
            Field::Destination6 => Source::Header { which: NETWORK, at: 24, length: 16 },
        }
    }
}

fn load(list: &mut Attributes, field: Field) {
    match field.source() {
        Source::Header { which, at, length } => expression(list, "payload", |payload| {
            // `NFTA_PAYLOAD_…`: the register, the header, the offset, the length.
            payload.number_be(1, REGISTER).number_be(2, which).number_be(3, at).number_be(4, length);
        }),
        Source::Known(key) => expression(list, "meta", |meta| {
            // `NFTA_META_DREG` and `NFTA_META_KEY`.
            meta.number_be(1, REGISTER).number_be(2, key);
        }),
    }
}

/// `NFTA_DATA_VALUE`, and `NFTA_DATA_VERDICT`.
const VALUE: u16 = 1;
const VERDICT: u16 = 2;

fn is_equal(list: &mut Attributes, value: &[u8]) {
    const EQUAL: u32 = 0;
    expression(list, "cmp", |compare| {
        // `NFTA_CMP_SREG`, `NFTA_CMP_OP` and `NFTA_CMP_DATA`.
        compare.number_be(1, REGISTER).number_be(2, EQUAL).nest(3, |data| {
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
    expression(list, "immediate", |immediate| {
        // `NFTA_IMMEDIATE_DREG` and `NFTA_IMMEDIATE_DATA`, in it `NFTA_VERDICT_CODE`.
        immediate.number_be(1, DECISION).nest(2, |data| {
            data.nest(VERDICT, |code| {
                code.number_be(1, verdict.number());
            });
        });
    });
}

impl Sets {
    fn add(&mut self, values: &[Vec<u8>]) -> Set {
        self.count += 1;
        let set = Set { number: self.count, values: values.to_vec() };
        self.new.push(set.clone());
        set
    }

    /// Those that have come since this was last asked: they go before the rule that looks into them.
    pub(crate) fn new_ones(&mut self) -> Vec<Set> {
        std::mem::take(&mut self.new)
    }
}

impl Set {
    /// Tells the kernel of it, and what is in it.
    pub(crate) fn add(&self, batch: &mut Batch, table: &Table) {
        // `NFTA_SET_…`, and the flags for a set that is nobody else's and doesn't change.
        const ANONYMOUS_AND_CONSTANT: u32 = 1 | 2;
        let length = self.values.first().map_or(1, Vec::len) as u32;
        message(batch, table, NEW_SET, |set| {
            set.text(1, table.name).text(2, NAMELESS).number_be(3, ANONYMOUS_AND_CONSTANT);
            // The type of the key is for whoever prints the table; its length is the kernel's.
            set.number_be(4, 0).number_be(5, length).number_be(10, self.number);
        });
        // The length of an attribute is a number of 16 bits.
        for part in self.values.chunks(1000) {
            message(batch, table, NEW_SET_ELEMENTS, |elements| {
                // `NFTA_SET_ELEM_LIST_…`, in it `NFTA_LIST_ELEM` with `NFTA_SET_ELEM_KEY`.
                elements.text(1, table.name).text(2, NAMELESS).number_be(4, self.number).nest(3, |list| {
                    for value in part {
                        list.nest(1, |element| {
                            element.nest(1, |key| {
                                key.put(VALUE, value);
                            });
                        });
                    }
                });
            });
        }
    }
}
