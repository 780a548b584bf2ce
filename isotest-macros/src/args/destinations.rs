//! Is `10.0.0.0/8:443` something that a test may be allowed to go to? The library reads it in the same way, `Allowed::read`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Says what is wrong with an entry: an address, a network or a name, the first two with a port or without.
pub(super) fn check(text: &str) -> Result<(), String> {
    if text.contains("://") {
        return Err("this is a URL: write its host alone".to_owned());
    }
    let (host, has_port) = without_port(text)?;
    let (address, length) = match host.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (host, None),
    };
    match (address.parse::<IpAddr>(), length) {
        (Ok(_), None) => Ok(()),
        (Ok(address), Some(length)) => {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let length = length.parse::<u8>().ok().filter(|length| *length <= most);
            let length = length.ok_or_else(|| format!("a network's length is a number from 0 to {most}"))?;
            let first = first_of(address, length);
            let begins = || format!("the network begins with {first}: write {first}/{length}, or leave the length out");
            if first == address { Ok(()) } else { Err(begins()) }
        }
        (Err(_), None) if is_name(host) => {
            let without = "a name is asked for without a port: leave the port out";
            if has_port { Err(without.to_owned()) } else { Ok(()) }
        }
        (Err(_), _) => Err("write an address, a network or a name, as in `10.0.0.0/8:443` or `example.com`".to_owned()),
    }
}

/// The first address of the network that this one is in.
fn first_of(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            Ipv4Addr::from(u32::from(v4) & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)).into()
        }
        IpAddr::V6(v6) => {
            Ipv6Addr::from(u128::from(v6) & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)).into()
        }
    }
}

fn without_port(text: &str) -> Result<(&str, bool), String> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, (!rest.is_empty()).then(|| rest.strip_prefix(':').unwrap_or(rest))),
        None => match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (text, None),
        },
    };
    if port.is_some_and(|port| !port.parse().is_ok_and(|port: u16| port > 0)) {
        return Err("a port is a number from 1 to 65535".to_owned());
    }
    Ok((host, port.is_some()))
}

fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    let name = text.strip_prefix("*.").unwrap_or(text);
    name.len() <= 253 && name.split('.').all(label) && name.chars().any(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn addresses_networks_and_names_are_well_formed_and_nothing_else() {
        for right in ["10.0.0.0/8", "10.0.0.1:443", "::1", "[2001:db8::/32]:53", "example.com", "*.example.com"] {
            assert_eq!(check(right), Ok(()), "{right}");
        }
        for wrong in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.1:0",
            "10.0.0",
            "example.com:443",
            "a b",
            "[::1]x",
            "10.0.0.1/8",
            "http://a.b",
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
