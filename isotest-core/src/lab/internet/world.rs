//! Who in the pretend internet is served by whom, and which addresses do names have there? Plain data.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::lab::names::{Found, reverse};
use crate::lab::sockets::Protocol;

/// Who is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Address(IpAddr),
    /// In lower case, without a dot at its end.
    Name(String),
    /// All names below this one.
    Below(String),
    /// Every name and every address.
    Anybody,
}

/// All that is served, by handlers of type `H`, and the addresses that names have been given.
#[derive(Debug)]
pub(crate) struct World<H> {
    served: BTreeMap<(Protocol, u16), BTreeMap<Who, H>>,
    /// Each has its number.
    names: BTreeMap<String, u16>,
    by_number: Vec<String>,
}

impl<H> Default for World<H> {
    fn default() -> World<H> {
        World { served: BTreeMap::new(), names: BTreeMap::new(), by_number: Vec::new() }
    }
}

impl Who {
    /// Reads an address, a name, `*.` before a name, or `*`; or says what is wrong.
    pub(crate) fn read(text: &str) -> Result<Who, &'static str> {
        if let Ok(address) = text.parse::<IpAddr>() {
            let stays = address.is_loopback() || address.is_unspecified() || address.is_multicast();
            return if stays {
                Err("packets to this address do not go out into the internet")
            } else {
                Ok(Who::Address(address))
            };
        }
        if text == "*" {
            return Ok(Who::Anybody);
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let below = name.strip_prefix("*.");
        if ["localhost", "ip6-localhost", "ip6-loopback"].contains(&name.as_str()) || name.ends_with(".localhost") {
            return Err("every host is that to itself");
        }
        if !is_name(below.unwrap_or(&name)) {
            return Err("this is neither an address nor a name of letters, digits, hyphens and dots");
        }
        Ok(below.map(|below| Who::Below(below.to_owned())).unwrap_or(Who::Name(name)))
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Who::Address(_) => false,
            Who::Name(own) => own == name,
            Who::Below(own) => name.strip_suffix(own.as_str()).is_some_and(|rest| rest.ends_with('.')),
            Who::Anybody => true,
        }
    }
}

/// As RFC 1035 has them, underscores too, which services' names have.
fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.chars().all(letter);
    name.len() <= 253 && name.split('.').all(label)
}

/// The addresses of the n-th name: of the networks kept for benchmarks (RFC 2544), and a private one (RFC 4193).
fn addresses(number: u16) -> [IpAddr; 2] {
    let n = u32::from(number) + 1;
    let v4 = u32::from(Ipv4Addr::new(198, 18, 0, 0)) + n;
    let v6 = Ipv6Addr::new(0xfd00, 0, 2, 0, 0, 0, (n >> 16) as u16, n as u16);
    [Ipv4Addr::from(v4).into(), v6.into()]
}

impl<H: Clone> World<H> {
    /// Has `handler` serve, in place of an earlier one; gives the addresses to listen at.
    pub(crate) fn serve(&mut self, who: Who, protocol: Protocol, port: u16, handler: H) -> Vec<IpAddr> {
        let at = match &who {
            Who::Address(address) => vec![*address],
            Who::Name(name) => self.give(name).map(Vec::from).unwrap_or_default(),
            Who::Below(_) | Who::Anybody => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
        };
        self.served.entry((protocol, port)).or_default().insert(who, handler);
        at
    }

    /// What is known of a name in lower case, without a dot at its end. One that somebody serves has addresses from its
    /// first mention on.
    pub(crate) fn find(&mut self, name: &str) -> Found {
        let mut all = self.served.values().flat_map(BTreeMap::keys);
        if let Some(owner) = self.by_number.iter().find(|owner| self.is_reverse_of(name, owner)) {
            return Found::Pointer(owner.clone());
        }
        if !name.is_empty() && !name.ends_with(".arpa") && all.any(|who| who.has(name)) {
            return self.give(name).map_or(Found::Nobody, |addresses| Found::Addresses(addresses.to_vec()));
        }
        let above = |known: &String| known.strip_suffix(name).is_some_and(|below| below.ends_with('.'));
        let is_above = !name.is_empty() && self.names.keys().any(above);
        if is_above { Found::Addresses(Vec::new()) } else { Found::Nobody }
    }

    fn is_reverse_of(&self, name: &str, owner: &str) -> bool {
        name.ends_with(".arpa")
            && self.names.get(owner).is_some_and(|number| addresses(*number).map(reverse).iter().any(|own| own == name))
    }

    fn give(&mut self, name: &str) -> Option<[IpAddr; 2]> {
        let number = match self.names.get(name) {
            Some(number) => *number,
            None => {
                let number = u16::try_from(self.by_number.len()).ok()?;
                self.by_number.push(name.to_owned());
                self.names.insert(name.to_owned(), number);
                number
            }
        };
        Some(addresses(number))
    }

    /// The name that was given this address.
    fn name_of(&self, address: IpAddr) -> Option<&String> {
        let number = match address {
            IpAddr::V4(address) => u32::from(address).checked_sub(u32::from(Ipv4Addr::new(198, 18, 0, 1)))?,
            IpAddr::V6(address) => (u128::from(address) as u32).checked_sub(1)?,
        };
        let name = self.by_number.get(usize::try_from(number).ok()?)?;
        addresses(u16::try_from(number).ok()?).contains(&address).then_some(name)
    }

    /// Who is meant by an address, and the handler: that of the address or the name itself, or else of the nearest above it.
    pub(crate) fn handler(&self, protocol: Protocol, asked: SocketAddr) -> Option<(Option<&str>, H)> {
        let served = self.served.get(&(protocol, asked.port()))?;
        let name = self.name_of(asked.ip()).map(String::as_str);
        let depth = |who: &Who| match who {
            Who::Address(_) | Who::Name(_) => usize::MAX,
            Who::Below(own) => own.len() + 1,
            Who::Anybody => 0,
        };
        let is_meant = |who: &Who| match who {
            Who::Address(address) => *address == asked.ip(),
            Who::Anybody => true,
            other => name.is_some_and(|name| other.has(name)),
        };
        let meant = served.iter().filter(|(who, _)| is_meant(who)).max_by_key(|(who, _)| depth(who));
        meant.map(|(_, handler)| (name, handler.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(served: &[&'static str]) -> World<&'static str> {
        let mut world = World::default();
        for &who in served {
            world.serve(Who::read(who).expect("it is well-formed"), Protocol::Tcp, 443, who);
        }
        world
    }

    fn answer(world: &mut World<&'static str>, name: &str) -> Option<&'static str> {
        let Found::Addresses(addresses) = world.find(name) else { return None };
        let handlers: Vec<_> = addresses
            .iter()
            .map(|ip| world.handler(Protocol::Tcp, (*ip, 443).into()).map(|(_, handler)| handler))
            .collect();
        assert_eq!(handlers[0], handlers[1], "IPv4 and IPv6 of {name}");
        handlers[0]
    }

    #[test]
    fn the_nearest_answers() {
        let mut world = world(&["*", "*.example.com", "*.api.example.com", "api.example.com"]);
        assert_eq!(answer(&mut world, "api.example.com"), Some("api.example.com"));
        assert_eq!(answer(&mut world, "v2.api.example.com"), Some("*.api.example.com"));
        assert_eq!(answer(&mut world, "www.example.com"), Some("*.example.com"));
        assert_eq!(answer(&mut world, "example.com"), Some("*"));
        assert_eq!(answer(&mut world, "example.org"), Some("*"));
    }

    #[test]
    fn what_nobody_serves_is_nobody() {
        let mut world = world(&["api.example.com", "*.example.org"]);
        assert_eq!(world.find("www.example.com"), Found::Nobody);
        assert_eq!(world.find("example.org"), Found::Nobody);
        assert_eq!(world.find("example.com"), Found::Addresses(Vec::new()), "there is a name below it");
        assert_eq!(world.find("7.7.18.198.in-addr.arpa"), Found::Nobody);
    }

    #[test]
    fn names_keep_their_addresses_and_addresses_their_names() {
        let mut world = world(&["*.example.com"]);
        let first = world.find("a.example.com");
        let addresses = ["198.18.0.1", "fd00:0:2::1"].map(|text| text.parse::<IpAddr>().expect("an address"));
        assert_eq!(first, Found::Addresses(addresses.to_vec()));
        assert_ne!(world.find("b.example.com"), first);
        assert_eq!(world.find("a.example.com"), first);
        assert_eq!(world.find("1.0.18.198.in-addr.arpa"), Found::Pointer("a.example.com".to_owned()));
        for address in addresses {
            assert_eq!(world.name_of(address).map(String::as_str), Some("a.example.com"));
        }
        assert_eq!(world.name_of("fd00::1".parse().expect("an address")), None);
        assert_eq!(world.name_of("198.18.0.9".parse().expect("an address")), None);
    }

    #[test]
    fn an_address_is_served_at_its_port_alone() {
        let world = world(&["93.184.216.34"]);
        let handler =
            |at: &str| world.handler(Protocol::Tcp, at.parse().expect("an address")).map(|(_, handler)| handler);
        assert_eq!(handler("93.184.216.34:443"), Some("93.184.216.34"));
        assert_eq!(handler("93.184.216.34:80"), None);
        assert_eq!(handler("93.184.216.35:443"), None);
    }

    #[test]
    fn mistakes_are_named() {
        for wrong in
            ["", "a b", "http://example.com", "example.com:443", "*example.com", "a..b", "127.0.0.1", "::", "224.0.0.1"]
        {
            assert!(Who::read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Who::read("API.Example.com."), Ok(Who::Name("api.example.com".to_owned())));
    }
}
