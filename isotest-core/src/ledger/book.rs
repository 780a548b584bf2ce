//! What has to be known of a lab to tell where its hosts try to go? (pure)

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::egress::is_in;

/// What is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Book {
    /// Its networks: who wants to go there wants to go nowhere else, whether there is a way or not.
    pub(crate) networks: Vec<(IpAddr, u8)>,
    /// From whose network a link comes, by the number of the interface at which it ends.
    pub(crate) ends: BTreeMap<usize, String>,
    /// Whose addresses are.
    pub(crate) owners: Vec<Owner>,
}

/// Who has an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) address: IpAddr,
    /// As seen from the link that ends at this interface; otherwise from all.
    pub(crate) seen_at: Option<usize>,
    /// `None` for the test's own network.
    pub(crate) host: Option<String>,
}

impl Book {
    /// Adds what more there is to know.
    pub(crate) fn extend(&mut self, more: Book) {
        self.networks.extend(more.networks);
        self.ends.extend(more.ends);
        self.owners.extend(more.owners);
    }

    /// Whether an address is in a network of the lab.
    pub(crate) fn is_inside(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|(network, length)| is_in(address, *network, *length))
    }

    /// Who has sent what arrives at this interface from this address: a router passes on what others send.
    pub(crate) fn sender(&self, interface: usize, from: IpAddr) -> Option<String> {
        let owner = |seen_at| self.owners.iter().find(|it| it.address == from && it.seen_at == seen_at);
        match owner(Some(interface)).or_else(|| owner(None)) {
            Some(owner) => owner.host.clone(),
            None => self.ends.get(&interface).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn what_a_router_passes_on_is_from_whom_it_is_from() {
        let owner = |seen_at, host: &str| Owner { address: address("10.0.0.1"), seen_at, host: Some(host.to_owned()) };
        let mut book = Book { owners: vec![owner(None, "alice"), owner(Some(4), "bob")], ..Book::default() };
        book.extend(Book { ends: [(4, "gw".to_owned())].into(), ..Book::default() });
        assert_eq!(book.sender(3, address("10.0.0.1")).as_deref(), Some("alice"));
        assert_eq!(book.sender(4, address("10.0.0.1")).as_deref(), Some("bob"), "one of two with this address");
        assert_eq!(book.sender(4, address("192.0.2.1")).as_deref(), Some("gw"), "nobody else has that address");
        assert_eq!(book.sender(5, address("192.0.2.1")), None);
    }

    #[test]
    fn the_networks_of_a_lab_are_inside() {
        let book = Book { networks: vec![(address("10.1.0.0"), 16)], ..Book::default() };
        assert!(book.is_inside(address("10.1.255.255")) && !book.is_inside(address("10.2.0.0")));
    }
}
