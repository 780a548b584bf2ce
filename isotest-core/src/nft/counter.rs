//! How is it asked what rules have counted?

use super::{NFTABLES, Table, header};
use crate::netlink::{Batch, attributes};

/// What rules have counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) packets: u64,
    /// Without Ethernet headers.
    pub(crate) bytes: u64,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, more: Count) {
        self.packets += more.packets;
        self.bytes += more.bytes;
    }
}

/// `NFTA_RULE_…`.
const TABLE: u16 = 1;
const CHAIN: u16 = 2;
const EXPRESSIONS: u16 = 4;

/// Asks for all rules of a chain. There need be none.
pub(crate) fn question(table: &Table, chain: &str) -> Batch {
    const GET_RULE: u16 = 7;
    let mut question = Batch::default();
    question.add(NFTABLES << 8 | GET_RULE, libc::NLM_F_DUMP, &header(table.family as u8, 0), |asked| {
        asked.text(TABLE, table.name).text(CHAIN, chain);
    });
    question
}

/// What the rule has counted that is told in an item of the answer.
pub(crate) fn read(item: &[u8]) -> Count {
    // Of the list, `NFTA_LIST_ELEM`, each with `NFTA_EXPR_NAME` and `NFTA_EXPR_DATA`.
    let told = attributes(item.get(4..).unwrap_or_default());
    let expressions = told.filter(|(kind, _)| *kind == EXPRESSIONS).flat_map(|(_, list)| attributes(list));
    let mut count = Count::default();
    for (_, expression) in expressions {
        let value =
            |wanted| attributes(expression).find(|(kind, _)| *kind == wanted).map_or(&[][..], |(_, value)| value);
        if value(1) == b"counter\0" {
            count += counter(value(2));
        }
    }
    count
}

/// `NFTA_COUNTER_BYTES` and `NFTA_COUNTER_PACKETS`.
fn counter(data: &[u8]) -> Count {
    let number = |wanted| {
        let found = attributes(data).find(|(kind, _)| *kind == wanted);
        found.and_then(|(_, value)| value.try_into().ok()).map_or(0, u64::from_be_bytes)
    };
    Count { packets: number(2), bytes: number(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_among_other_expressions() {
        let mut batch = Batch::default();
        batch.add(0, 0, &[], |rule| {
            rule.text(CHAIN, "eth0").nest(EXPRESSIONS, |list| {
                list.nest(1, |other| {
                    other.text(1, "meta");
                });
                list.nest(1, |counter| {
                    counter.text(1, "counter").nest(2, |data| {
                        data.put(1, &700_u64.to_be_bytes()).put(2, &7_u64.to_be_bytes());
                    });
                });
            });
        });
        // Before the attributes of an answer there are four bytes, as there are behind the length in the request's own header.
        assert_eq!(read(&batch.bytes()[12..]), Count { packets: 7, bytes: 700 });
        assert_eq!(read(&[]), Count::default());
    }
}
