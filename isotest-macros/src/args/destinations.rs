//! Is `10.0.0.0/8:443` something that a test may be allowed to go to? The library reads it in the same way, `Allowed::read`.

use std::net::IpAddr;

/// Says what is wrong with an entry: an address, a network or a name, the first two with a port or without.
pub(super) fn check(text: &str) -> Result<(), String> {
    let (host, has_port) = without_port(text)?;
    let (address, length) = match host.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (host, None),
    };
    match (address.parse::<IpAddr>(), length) {
        (Ok(_), None) => Ok(()),
        (Ok(address), Some(length)) => {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let fits = length.parse::<u8>().is_ok_and(|length| length <= most);
            if fits { Ok(()) } else { Err(format!("a network's length is a number from 0 to {most}")) }
        }
        (Err(_), None) if is_name(host) => {
            let without = "a name is asked for without a port: leave the port out";
            if has_port { Err(without.to_owned()) } else { Ok(()) }
        }
        (Err(_), _) => Err("write an address, a network or a name, as in `10.0.0.0/8:443` or `example.com`".to_owned()),
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
        for wrong in ["", "10.0.0.0/33", "::/129", "10.0.0.1:0", "10.0.0", "example.com:443", "a b", "[::1]x"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
