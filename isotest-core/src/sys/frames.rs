//! Frames as they are on a network interface: packet sockets, `packet(7)`, many frames per call.

use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::Result;
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};

/// How many frames are received or sent by one call.
pub(crate) const AT_ONCE: usize = 64;
/// Room before each frame for a VLAN tag, which the kernel takes out and tells of beside.
pub(super) const TAG: usize = 4;
/// Two hardware addresses, after which a tag stands.
const ADDRESSES: usize = 12;
/// Eight-byte words for what is told beside a frame: a `cmsghdr` and a `tpacket_auxdata`.
const WORDS: usize = 8;

/// A socket that gets all frames of all interfaces of the thread's network, and does not wait.
pub(crate) fn open() -> Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll)?;
    set(&socket, libc::PACKET_AUXDATA)?;
    // Linux 4.20; before, such frames are told apart one by one.
    set(&socket, libc::PACKET_IGNORE_OUTGOING).or_else(|errno| match errno {
        nix::errno::Errno::ENOPROTOOPT => Ok(()),
        other => Err(other),
    })?;
    Ok(socket)
}

fn set(socket: &OwnedFd, option: libc::c_int) -> Result<()> {
    let on: libc::c_int = 1;
    set_value(socket, libc::SOL_PACKET, option, &on)
}

pub(super) fn set_value<T: Copy>(socket: &OwnedFd, level: libc::c_int, option: libc::c_int, value: &T) -> Result<()> {
    let (value, length) = (std::ptr::from_ref(value).cast(), size_of::<T>() as libc::socklen_t);
    // SAFETY: the option's value is as long as is said, and lives until the call returns, as does what it leads to.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, value, length) };
    super::check(libc::c_long::from(result)).map(drop)
}

/// Room for what one call receives.
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    /// The longest frame.
    longest: usize,
    beside: Box<[[u64; WORDS]; AT_ONCE]>,
    senders: Box<[libc::sockaddr_ll; AT_ONCE]>,
    lengths: Vec<usize>,
    tags: Vec<Option<[u8; TAG]>>,
}

/// One frame.
pub(crate) struct Arrived<'a> {
    /// The number of the interface.
    pub(crate) interface: u32,
    pub(crate) frame: &'a mut [u8],
}

impl Inbox {
    pub(crate) fn new(longest: usize) -> Inbox {
        // SAFETY: a sockaddr_ll is made of integers.
        let sender: libc::sockaddr_ll = unsafe { zeroed() };
        Inbox {
            bytes: vec![0; (longest + TAG) * AT_ONCE],
            longest,
            beside: Box::new([[0; WORDS]; AT_ONCE]),
            senders: Box::new([sender; AT_ONCE]),
            lengths: Vec::with_capacity(AT_ONCE),
            tags: Vec::with_capacity(AT_ONCE),
        }
    }

    /// Receives what is there; `EAGAIN` where nothing is.
    pub(crate) fn receive(&mut self, socket: &OwnedFd) -> Result<usize> {
        self.lengths.clear();
        self.tags.clear();
        // SAFETY: an iovec, and a mmsghdr, are made of integers and pointers that may be null.
        let (mut parts, mut headers): ([libc::iovec; AT_ONCE], [libc::mmsghdr; AT_ONCE]) = unsafe { zeroed() };
        let slots = self.bytes.chunks_exact_mut(self.longest + TAG);
        let rooms = slots.zip(self.beside.iter_mut()).zip(self.senders.iter_mut());
        for (((slot, beside), sender), (part, header)) in rooms.zip(parts.iter_mut().zip(headers.iter_mut())) {
            let room = &mut slot[TAG..];
            *part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
            header.msg_hdr.msg_name = (&raw mut *sender).cast();
            header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
            header.msg_hdr.msg_iov = part;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = beside.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = size_of_val(beside) as _;
        }
        let (first, flags) = (headers.as_mut_ptr(), libc::MSG_DONTWAIT as _);
        let none = std::ptr::null_mut();
        // SAFETY: each header leads to parts of `self` and of `parts` with their lengths; both live until the call returns.
        let result = unsafe { libc::recvmmsg(socket.as_raw_fd(), first, AT_ONCE as _, flags, none) };
        let count = super::check(libc::c_long::from(result))? as usize;
        for header in &headers[..count] {
            self.lengths.push((header.msg_len as usize).min(self.longest));
            self.tags.push(tag(&header.msg_hdr));
        }
        Ok(count)
    }

    /// How many bytes the frames have together.
    pub(crate) fn bytes(&self) -> usize {
        self.lengths.iter().sum()
    }

    /// The frames that came in, without those that went out.
    pub(crate) fn arrived(&mut self) -> impl Iterator<Item = Arrived<'_>> {
        let slots = self.bytes.chunks_exact_mut(self.longest + TAG);
        let told = self.lengths.iter().zip(&self.tags).zip(self.senders.iter());
        slots.zip(told).filter_map(|(slot, ((length, tag), sender))| {
            let came_in = sender.sll_pkttype != libc::PACKET_OUTGOING;
            came_in
                .then(|| Arrived { interface: sender.sll_ifindex.cast_unsigned(), frame: whole(slot, *length, *tag) })
        })
    }
}

/// The frame in a slot, with the tag where it was.
pub(super) fn whole(slot: &mut [u8], length: usize, tag: Option<[u8; TAG]>) -> &mut [u8] {
    match tag {
        Some(tag) if length >= ADDRESSES => {
            slot.copy_within(TAG..TAG + ADDRESSES, 0);
            slot[ADDRESSES..ADDRESSES + TAG].copy_from_slice(&tag);
            &mut slot[..TAG + length]
        }
        _ => &mut slot[TAG..TAG + length],
    }
}

/// The VLAN tag that the kernel tells of, as it stood in the frame.
fn tag(header: &libc::msghdr) -> Option<[u8; TAG]> {
    // SAFETY: the header was filled by the kernel, and its control buffer lives as long as the inbox.
    let first = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: as before; it is null or leads to a whole header in that buffer.
    let told = unsafe { first.as_ref() }?;
    if (told.cmsg_level, told.cmsg_type) != (libc::SOL_PACKET, libc::PACKET_AUXDATA) {
        return None;
    }
    // SAFETY: this is the data of the header found above.
    let data = unsafe { libc::CMSG_DATA(first) };
    // SAFETY: the kernel put a tpacket_auxdata there, which has no invalid values; the read does not need alignment.
    let auxiliary = unsafe { data.cast::<libc::tpacket_auxdata>().read_unaligned() };
    tag_of(auxiliary.tp_status, auxiliary.tp_vlan_tci, auxiliary.tp_vlan_tpid)
}

/// The tag, if a frame's status says that it had one.
pub(super) fn tag_of(status: u32, control: u16, protocol: u16) -> Option<[u8; TAG]> {
    /// `TP_STATUS_VLAN_VALID` and `TP_STATUS_VLAN_TPID_VALID` of linux/if_packet.h.
    const THERE: u32 = 1 << 4;
    const KIND_TOLD: u32 = 1 << 6;
    if status & THERE == 0 {
        return None;
    }
    let kind = if status & KIND_TOLD == 0 { libc::ETH_P_8021Q as u16 } else { protocol };
    let ([a, b], [c, d]) = (kind.to_be_bytes(), control.to_be_bytes());
    Some([a, b, c, d])
}

/// Sends up to [`AT_ONCE`] frames, each by the interface of this number; gives how many were sent before one was refused, or why
/// the first was.
pub(crate) fn send<'a>(socket: &OwnedFd, frames: impl IntoIterator<Item = (u32, &'a [u8])>) -> Result<usize> {
    // SAFETY: all three are made of integers and pointers that may be null.
    let (mut parts, mut headers): ([libc::iovec; AT_ONCE], [libc::mmsghdr; AT_ONCE]) = unsafe { zeroed() };
    // SAFETY: as before.
    let mut receivers: [libc::sockaddr_ll; AT_ONCE] = unsafe { zeroed() };
    let mut count = 0;
    let rooms = parts.iter_mut().zip(headers.iter_mut()).zip(receivers.iter_mut());
    for ((interface, frame), ((part, header), receiver)) in frames.into_iter().zip(rooms) {
        receiver.sll_family = libc::AF_PACKET as u16;
        receiver.sll_ifindex = interface.cast_signed();
        receiver.sll_protocol = u16::from_ne_bytes([frame[ADDRESSES], frame[ADDRESSES + 1]]);
        receiver.sll_halen = 6;
        receiver.sll_addr[..6].copy_from_slice(&frame[..6]);
        *part = libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() };
        header.msg_hdr.msg_name = (&raw mut *receiver).cast();
        header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        header.msg_hdr.msg_iov = part;
        header.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    if count == 0 {
        return Ok(0);
    }
    let (first, flags) = (headers.as_mut_ptr(), libc::MSG_DONTWAIT as _);
    // SAFETY: each of the headers leads to a frame and an address that live until the call returns, and are only read.
    let result = unsafe { libc::sendmmsg(socket.as_raw_fd(), first, count, flags) };
    super::check(libc::c_long::from(result)).map(|sent| sent as usize)
}

/// Makes the kernel finish checksums before frames reach the interface of this name, `ETHTOOL_STXCSUM` of linux/ethtool.h. The
/// socket, of any kind, tells which network is meant.
pub(crate) fn finish_checksums(socket: &impl AsRawFd, name: &str) -> Result<()> {
    /// `struct ethtool_value`.
    #[repr(C)]
    struct Value {
        command: u32,
        data: u32,
    }
    const SET_TRANSMIT_CHECKSUMS: u32 = 0x17;
    const SIOCETHTOOL: libc::Ioctl = 0x8946;
    let mut off = Value { command: SET_TRANSMIT_CHECKSUMS, data: 0 };
    let mut ifr_name = [0 as libc::c_char; libc::IFNAMSIZ];
    for (to, from) in ifr_name[..libc::IFNAMSIZ - 1].iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    let ifr_ifru = libc::__c_anonymous_ifr_ifru { ifru_data: (&raw mut off).cast() };
    let request = libc::ifreq { ifr_name, ifr_ifru };
    // SAFETY: the request holds a name that ends with NUL and leads to a command of the kind it says; both live until the call returns.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL, &raw const request) };
    super::check(libc::c_long::from(result)).map(drop)
}
