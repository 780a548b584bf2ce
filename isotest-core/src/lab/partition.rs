//! How are hosts parted, and brought together again?

use std::collections::BTreeSet;

use super::Lab;
use super::error::{Error, Result};
use super::host::Host;

impl Lab {
    /// Parts hosts: from now on nothing passes between one group and the other, whichever way it would go, through routers and
    /// address translation included. It vanishes without a word, as at [`Link::cut`](super::Link::cut). Within a group all is as before,
    /// and so is it for whoever is in neither: they talk with both. A router in a group takes nothing from the other, not even
    /// to forward it. Only where two translating routers hide both from one another, all who share such a router with a member are
    /// parted from the hidden members on the other side, because nobody there can tell them apart.
    ///
    /// Several partitions add up: parting `a` from `b`, then `a` from `c`, leaves `b` and `c` together. Before the lab is up, it will be
    /// built that way.
    ///
    /// # Errors
    ///
    /// When a group is empty, a host is in both or belongs to another lab; when the lab could not be built or is gone, or the
    /// kernel has no nftables.
    pub fn partition(&self, some: &[&Host], others: &[&Host]) -> Result<()> {
        let attempt = format!("parting {} from {}", names(some), names(others));
        let sides = [self.group(&attempt, some)?, self.group(&attempt, others)?];
        if let Some(host) = some.iter().find(|host| sides[1].contains(&host.node())) {
            let cause = format!("`{}` is in both groups", host.name());
            return Err(Error::new(attempt, cause).remedy("name each host once"));
        }
        self.shared.bar(&attempt, |barriers| barriers.partitions.push(sides))
    }

    /// Ends all partitions. Links that are cut stay so.
    ///
    /// # Errors
    ///
    /// When the lab could not be built or is gone, or the kernel refuses.
    pub fn heal(&self) -> Result<()> {
        self.shared.bar("healing all partitions", |barriers| barriers.partitions.clear())
    }

    /// The hosts of a group.
    fn group(&self, attempt: &str, hosts: &[&Host]) -> Result<BTreeSet<usize>> {
        if hosts.is_empty() {
            return Err(Error::new(attempt, "one group has no hosts").remedy("name at least one host on each side"));
        }
        if let Some(stranger) = hosts.iter().find(|host| !std::ptr::eq(&*self.shared, host.lab())) {
            let cause = format!("`{}` belongs to another lab", stranger.name());
            return Err(Error::new(attempt, cause).remedy("name hosts of this lab"));
        }
        Ok(hosts.iter().map(|host| host.node()).collect())
    }
}

fn names(hosts: &[&Host]) -> String {
    if hosts.is_empty() {
        return "nobody".to_owned();
    }
    hosts.iter().map(|host| format!("`{}`", host.name())).collect::<Vec<_>>().join(", ")
}
