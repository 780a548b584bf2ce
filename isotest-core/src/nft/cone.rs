//! How does a translator remember for whom each of its ports is open to all? In a map that packets themselves fill.
//!
//! The key is the protocol and the port; what is remembered is the address inside and the port there, which is the same.

use super::rule::Field;
use super::{NEW_SET, Table, message};
use crate::netlink::Batch;

/// The map of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cone {
    V4,
    V6,
}

impl Cone {
    pub(super) fn name(self) -> &'static str {
        match self {
            Cone::V4 => "cone-v4",
            Cone::V6 => "cone-v6",
        }
    }

    /// Where packets have the address inside.
    pub(super) fn source(self) -> Field {
        match self {
            Cone::V4 => Field::Source4,
            Cone::V6 => Field::Source6,
        }
    }

    /// In bytes.
    pub(super) fn address_length(self) -> u32 {
        match self {
            Cone::V4 => 4,
            Cone::V6 => 16,
        }
    }

    /// Tells the kernel of it.
    pub(super) fn add(self, batch: &mut Batch, table: &Table) {
        // `NFTA_SET_…`; the flags `NFT_SET_MAP` and `NFT_SET_EVAL`; what is in it is padded to four bytes each.
        const FILLED_BY_PACKETS: u32 = 1 << 3 | 1 << 5;
        message(batch, table, NEW_SET, |set| {
            set.text(1, table.name).text(2, self.name()).number_be(3, FILLED_BY_PACKETS);
            set.number_be(4, 0).number_be(5, 8).number_be(6, 0).number_be(7, self.address_length() + 4);
            // A number of its own, because the kernel wants one; no rule asks for it.
            set.number_be(10, u32::MAX - self.address_length());
        });
    }
}
