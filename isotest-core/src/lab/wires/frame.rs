//! What is in a frame, as far as a wire wants to know? Pure.

/// The length of an Ethernet header without tags.
const ETHERNET: usize = 14;
/// The length of a VLAN tag, and the protocols that announce one (IEEE 802.1Q).
const TAG: usize = 4;
const TAGS: [u16; 2] = [0x8100, 0x88a8];

const ARP: u16 = 0x0806;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const IGMP: u8 = 2;
const ICMPV6: u8 = 58;
const HOP_BY_HOP: u8 = 0;

/// Where what the Ethernet header announces begins, and what that is; `None` where the frame is too short to be one.
fn opened(frame: &[u8]) -> Option<(u16, usize)> {
    let mut start = ETHERNET;
    loop {
        let kind = u16::from_be_bytes(frame.get(start - 2..start)?.try_into().ok()?);
        if !TAGS.contains(&kind) {
            return Some((kind, start));
        }
        start += TAG;
    }
}

/// How many bytes stand before the packet.
pub(super) fn header(frame: &[u8]) -> usize {
    opened(frame).map_or(frame.len(), |(_, start)| start.min(frame.len()))
}

/// Whether kernels send this by themselves, to find neighbours, routers and who belongs to which group: ARP, IGMP, and in ICMPv6
/// neighbour discovery (RFC 4861) and multicast listener discovery (RFC 2710, RFC 3810).
pub(super) fn is_between_kernels(frame: &[u8]) -> bool {
    let Some((kind, start)) = opened(frame) else { return false };
    let byte = |at: usize| frame.get(start + at).copied();
    match kind {
        ARP => true,
        IPV4 => byte(9) == Some(IGMP),
        IPV6 => {
            let (next, at) = match byte(6) {
                // Eight bytes, or more in steps of eight (RFC 8200, section 4.3).
                Some(HOP_BY_HOP) => (byte(40), 48 + 8 * usize::from(byte(41).unwrap_or(0))),
                other => (other, 40),
            };
            next == Some(ICMPV6) && matches!(byte(at), Some(130..=137 | 143))
        }
        _ => false,
    }
}

/// Turns one bit of the packet, which one as `any` says.
pub(super) fn damage(frame: &mut [u8], any: u64) {
    let packet = header(frame)..frame.len();
    let bits = packet.len() as u64 * 8;
    if bits > 0 {
        let bit = any % bits;
        frame[packet][(bit / 8) as usize] ^= 1 << (bit % 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u16, packet: &[u8]) -> Vec<u8> {
        [&[0; 12], &kind.to_be_bytes()[..], packet].concat()
    }

    fn v6(next: u8, rest: &[u8]) -> Vec<u8> {
        let mut packet = [0; 40];
        packet[6] = next;
        frame(IPV6, &[&packet, rest].concat())
    }

    #[test]
    fn what_kernels_say_to_one_another_is_told_apart() {
        assert!(is_between_kernels(&frame(ARP, &[0; 28])));
        let mut igmp = [0; 20];
        igmp[9] = IGMP;
        assert!(is_between_kernels(&frame(IPV4, &igmp)));
        assert!(is_between_kernels(&v6(ICMPV6, &[135, 0, 0, 0])), "a neighbour solicitation");
        assert!(is_between_kernels(&v6(HOP_BY_HOP, &[ICMPV6, 0, 5, 2, 0, 0, 0, 0, 143])), "a listener report");
        let ping = 128;
        assert!(!is_between_kernels(&v6(ICMPV6, &[ping, 0, 0, 0])));
        let udp = 17;
        assert!(!is_between_kernels(&v6(udp, &[135; 8])));
        assert!(!is_between_kernels(&frame(IPV4, &[0; 20])));
        assert!(!is_between_kernels(&[0; 13]), "no frame at all");
    }

    #[test]
    fn tags_are_looked_behind() {
        let tagged = frame(TAGS[0], &[&[0, 7], &ARP.to_be_bytes()[..], &[0; 28]].concat());
        assert!(is_between_kernels(&tagged));
        assert_eq!(header(&tagged), ETHERNET + TAG);
    }

    #[test]
    fn one_bit_behind_the_header_is_turned() {
        for any in [0, 1, 77, 8 * 20 - 1, u64::MAX] {
            let before = frame(IPV4, &[0; 20]);
            let mut after = before.clone();
            damage(&mut after, any);
            assert_eq!(after[..ETHERNET], before[..ETHERNET]);
            let turned: u32 = after.iter().zip(&before).map(|(after, before)| (after ^ before).count_ones()).sum();
            assert_eq!(turned, 1);
        }
        damage(&mut frame(IPV4, &[]), 5);
    }
}
