//! How are several values looked up at once? In a set, which belongs to one rule.

use super::{NEW_SET, NEW_SET_ELEMENTS, Table, message};
use crate::netlink::Batch;

/// The name of a set that the kernel names.
pub(super) const NAMELESS: &str = "__set%d";
/// `NFTA_DATA_VALUE`.
pub(super) const VALUE: u16 = 1;

/// Values, for one rule only.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    /// Its number in this transaction.
    pub(super) number: u32,
    values: Vec<Vec<u8>>,
}

/// The sets of a transaction.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    count: u32,
    new: Vec<Set>,
}

impl Sets {
    pub(super) fn add(&mut self, values: &[Vec<u8>]) -> Set {
        self.count += 1;
        let set = Set { number: self.count, values: values.to_vec() };
        self.new.push(set.clone());
        set
    }

    /// Those that have come since this was last asked: they go before the rule that looks into them.
    pub(super) fn new_ones(&mut self) -> Vec<Set> {
        std::mem::take(&mut self.new)
    }
}

impl Set {
    /// Tells the kernel of it, and what is in it.
    pub(super) fn add(&self, batch: &mut Batch, table: &Table) {
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
