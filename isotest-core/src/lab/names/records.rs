//! Which names are there in a lab, and whose are its addresses? Pure.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::message::Found;
use crate::lab::topology::{LOOPBACK, Topology};
use crate::lab::whereabouts::Whereabouts;

/// All that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Records {
    names: BTreeMap<String, Found>,
}

impl Records {
    /// The hosts of a lab, as one of them knows them.
    pub(crate) fn known_to(viewer: usize, topology: &Topology, whereabouts: &Whereabouts) -> Records {
        let mut records = Records::default();
        records.add("localhost", &LOOPBACK);
        for (number, node) in topology.nodes.iter().enumerate() {
            records.add(&node.name, &whereabouts.known_to(viewer, number));
        }
        records
    }

    fn add(&mut self, name: &str, addresses: &[IpAddr]) {
        self.names.insert(name.to_owned(), Found::Addresses(addresses.to_vec()));
        for address in addresses {
            // Behind two masquerading routers the same address may be there twice.
            self.names.entry(reverse(*address)).or_insert_with(|| Found::Pointer(name.to_owned()));
        }
    }

    /// What is known of a name in lower case, without a dot at its end.
    pub(crate) fn find(&self, name: &str) -> Found {
        // All below `localhost` is that as well, RFC 6761, section 6.3.
        let name = if name.ends_with(".localhost") { "localhost" } else { name };
        self.names.get(name).cloned().unwrap_or_else(|| {
            let above = |known: &String| known.strip_suffix(name).is_some_and(|below| below.ends_with('.'));
            let between = !name.is_empty() && self.names.keys().any(above);
            if between { Found::Addresses(Vec::new()) } else { Found::Nobody }
        })
    }
}

/// The name under which an address's owner is asked for, RFC 1035, section 3.5, and RFC 3596, section 2.5.
pub(crate) fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().rev().map(|byte| format!("{:x}.{:x}.", byte & 0xf, byte >> 4));
            nibbles.collect::<String>() + "ip6.arpa"
        }
    }
}

/// The address whose owner is asked for under a name of [`reverse`]'s.
pub(crate) fn reversed(name: &str) -> Option<IpAddr> {
    if let Some(parts) = name.strip_suffix(".in-addr.arpa") {
        let mut parts: Vec<&str> = parts.split('.').collect();
        parts.reverse();
        return parts.join(".").parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let digits: String = name.strip_suffix(".ip6.arpa")?.rsplit('.').collect();
    let whole = digits.len() == 32;
    whole.then(|| u128::from_str_radix(&digits, 16).ok()).flatten().map(|number| IpAddr::V6(number.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::topology::Role;

    #[test]
    fn whose_an_address_is_can_be_asked_and_read() {
        for text in ["10.128.0.2", "fd00:0:1::2"] {
            let address: IpAddr = text.parse().expect("an address");
            assert_eq!(reversed(&reverse(address)), Some(address));
        }
        for name in ["128.10.in-addr.arpa", "bob", "1.ip6.arpa", "x.0.0.1.in-addr.arpa"] {
            assert_eq!(reversed(name), None, "{name}");
        }
    }

    fn pair() -> Records {
        let mut topology = Topology::default();
        let pair = ["alice", "bob"].map(|name| topology.add_node(name, Role::Host).expect("it is new"));
        topology.add_link(pair).expect("they are two");
        topology.add_node("lonely", Role::Host).expect("it is new");
        Records::known_to(0, &topology, &Whereabouts::of(&topology))
    }

    fn addresses(texts: &[&str]) -> Found {
        Found::Addresses(texts.iter().map(|text| text.parse().expect("an address")).collect())
    }

    #[test]
    fn hosts_have_their_addresses_and_addresses_their_hosts() {
        let records = pair();
        assert_eq!(records.find("bob"), addresses(&["10.128.0.2", "fd00:0:1::2"]));
        assert_eq!(records.find("2.0.128.10.in-addr.arpa"), Found::Pointer("bob".to_owned()));
        let v6 = "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa";
        assert_eq!(records.find(v6), Found::Pointer("bob".to_owned()));
        assert_eq!(records.find("lonely"), addresses(&[]), "it is there, without an address");
        assert_eq!(records.find("eve"), Found::Nobody);
    }

    #[test]
    fn every_host_is_localhost_to_itself() {
        let own = addresses(&["127.0.0.1", "::1"]);
        assert_eq!((pair().find("localhost"), pair().find("app.localhost")), (own.clone(), own));
    }

    #[test]
    fn what_has_names_below_it_is_there() {
        assert_eq!(pair().find("128.10.in-addr.arpa"), addresses(&[]));
        assert_eq!(pair().find("28.10.in-addr.arpa"), Found::Nobody);
        assert_eq!(pair().find(""), Found::Nobody);
    }
}
