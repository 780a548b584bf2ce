//! Frames in memory that the kernel and this process share: `packet(7)` with `PACKET_RX_RING`, and
//! Documentation/networking/packet_mmap.rst in the kernel's sources.

use std::mem::size_of;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::Result;
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::frames::{Arrived, TAG, set_value, tag_of, whole};

/// How many bytes it has, at least; more where frames are long, so that there are slots for some thousand of them.
const BYTES: usize = 16 << 20;
const MOST_BYTES: usize = 64 << 20;
const SLOTS: usize = 4096;
/// Of how many bytes that belong together it consists, at least.
const BLOCK: usize = 64 << 10;
/// What the kernel puts before a frame, with room: `struct tpacket2_hdr`, `struct sockaddr_ll`, and up to where the packet begins.
const BEFORE: usize = 112;
/// Bytes that are left free before a frame, for its tag.
const RESERVE: libc::c_int = 16;
/// What is before `struct sockaddr_ll` in a slot.
const HEADER: usize = size_of::<libc::tpacket2_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);
/// The group of sockets of which each frame goes to one. Its number is known to its network alone.
const GROUP: u32 = 1;

/// A socket with such memory, in slots that kernel and process use one after the other. The kernel writes into those which are its own, and hands
/// them over by their first word; only then the process reads them, until it hands them back.
pub(crate) struct Ring {
    socket: OwnedFd,
    memory: NonNull<libc::c_void>,
    length: NonZeroUsize,
    slot: usize,
    slots_in_block: usize,
    block: usize,
    count: usize,
    /// The first slot that is not yet handed back.
    first: usize,
    /// How many after it the process has.
    taken: usize,
}

// SAFETY: the memory belongs to the ring alone, which hands out what is in it by `&mut self` only.
unsafe impl Send for Ring {}

/// Makes a socket the first of its network's group, to which all frames go until [`Ring::take_over`].
pub(crate) fn lead(socket: &OwnedFd) -> Result<()> {
    set_value(socket, libc::SOL_PACKET, libc::PACKET_FANOUT, &group())
}

fn group() -> u32 {
    GROUP | (libc::PACKET_FANOUT_CBPF | libc::PACKET_FANOUT_FLAG_IGNORE_OUTGOING) << 16
}

/// A program of `bpf(4)` that answers every frame with this number.
fn answer(socket: &OwnedFd, level: libc::c_int, option: libc::c_int, number: u32) -> Result<()> {
    const RETURN: u16 = 6;
    let mut instruction = libc::sock_filter { code: RETURN, jt: 0, jf: 0, k: number };
    set_value(socket, level, option, &libc::sock_fprog { len: 1, filter: &raw mut instruction })
}

/// How large the blocks are in which slots of this size lie: a power of two, of which little is left over.
fn block_of(slot: usize) -> usize {
    const LARGEST: usize = 1 << 20;
    let mut block = BLOCK.max(slot.next_power_of_two());
    while block < LARGEST && block % slot > block / 8 {
        block *= 2;
    }
    block
}

impl Ring {
    /// Makes one, which takes the kernel a grace period or two, for the group of which [`lead`] made the first member. It gets nothing yet.
    pub(crate) fn make(longest: usize) -> Result<Ring> {
        let slot = (longest + BEFORE + RESERVE as usize).next_multiple_of(libc::TPACKET_ALIGNMENT);
        let block = block_of(slot);
        let bytes = (SLOTS * slot).clamp(BYTES, MOST_BYTES);
        let (blocks, slots_in_block) = (bytes.div_ceil(block), block / slot);
        let count = blocks * slots_in_block;

        let socket =
            socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)?;
        // Until it is a member of the group, frames would come to it beside. That it was none is forgotten in the grace period.
        answer(&socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, 0)?;
        bind(&socket)?;
        set_value(&socket, libc::SOL_PACKET, libc::PACKET_FANOUT, &group())?;
        let version = libc::tpacket_versions::TPACKET_V2 as libc::c_int;
        set_value(&socket, libc::SOL_PACKET, libc::PACKET_VERSION, &version)?;
        set_value(&socket, libc::SOL_PACKET, libc::PACKET_RESERVE, &RESERVE)?;
        let request = libc::tpacket_req {
            tp_block_size: block as _,
            tp_block_nr: blocks as _,
            tp_frame_size: slot as _,
            tp_frame_nr: count as _,
        };
        set_value(&socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        let length = NonZeroUsize::new(block * blocks).ok_or(Errno::EINVAL)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the kernel chooses a place that nothing else has.
        let memory = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, &socket, 0) }?;
        let ring = Ring { socket, memory, length, slot, slots_in_block, block, count, first: 0, taken: 0 };
        set_value(&ring.socket, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, &0)?;
        Ok(ring)
    }

    /// Has each frame from now on come here, instead of to the first of the group.
    pub(crate) fn take_over(&self) -> Result<()> {
        answer(&self.socket, libc::SOL_PACKET, libc::PACKET_FANOUT_DATA, 1)
    }

    pub(crate) fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    /// How many frames have room.
    pub(crate) fn slots(&self) -> usize {
        self.count
    }

    /// Takes up to so many frames that are there, in place of those before; gives how many.
    pub(crate) fn receive(&mut self, most: usize) -> usize {
        self.hand_back();
        self.taken = (0..most.min(self.count)).take_while(|number| self.is_there(*number)).count();
        self.taken
    }

    /// Whether the next of so many parts of it has frames too, up to its end.
    pub(crate) fn is_filled(&self, parts: usize) -> bool {
        self.is_there(self.count / parts)
    }

    fn is_there(&self, number: usize) -> bool {
        self.status((self.first + number) % self.count).load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    /// The frames that were taken.
    pub(crate) fn arrived(&mut self) -> impl Iterator<Item = Arrived<'_>> {
        let ring = &*self;
        (0..ring.taken).filter_map(move |number| ring.frame((ring.first + number) % ring.count))
    }

    /// Lets the kernel write there again.
    pub(crate) fn hand_back(&mut self) {
        for number in 0..self.taken {
            self.status((self.first + number) % self.count).store(libc::TP_STATUS_KERNEL, Ordering::Release);
        }
        self.first = (self.first + self.taken) % self.count;
        self.taken = 0;
    }

    fn start(&self, slot: usize) -> *mut u8 {
        let offset = slot / self.slots_in_block * self.block + slot % self.slots_in_block * self.slot;
        self.memory.as_ptr().cast::<u8>().wrapping_add(offset)
    }

    fn status(&self, slot: usize) -> &AtomicU32 {
        // SAFETY: a slot begins with a word that kernel and process change as one, and lies at a multiple of sixteen bytes.
        unsafe { &*self.start(slot).cast::<AtomicU32>() }
    }

    /// What is in a slot that was taken; none where it went out.
    fn frame(&self, slot: usize) -> Option<Arrived<'_>> {
        let start = self.start(slot);
        // SAFETY: a slot that the kernel has handed over begins with this header, which has no invalid values.
        let header = unsafe { start.cast::<libc::tpacket2_hdr>().read() };
        let after = start.wrapping_add(HEADER).cast::<libc::sockaddr_ll>();
        // SAFETY: as before, for what follows the header.
        let sender = unsafe { after.read() };
        let (before, length) = (usize::from(header.tp_mac), header.tp_snaplen as usize);
        if sender.sll_pkttype == libc::PACKET_OUTGOING || before < TAG || before + length > self.slot {
            return None;
        }
        let begin = start.wrapping_add(before - TAG);
        // SAFETY: the frame, and the reserve before it, lie within the slot, which is this process's until it is handed back, and which nobody
        // else is given: `arrived` goes over each slot once.
        let bytes = unsafe { std::slice::from_raw_parts_mut(begin, TAG + length) };
        let tag = tag_of(header.tp_status, header.tp_vlan_tci, header.tp_vlan_tpid);
        Some(Arrived { interface: sender.sll_ifindex.cast_unsigned(), frame: whole(bytes, length, tag) })
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and nothing points there any more.
        let unmapped = unsafe { munmap(self.memory, self.length.get()) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}

/// Begins to receive frames of all kinds, from all interfaces.
fn bind(socket: &OwnedFd) -> Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as libc::sa_family_t,
        sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
        sll_ifindex: 0,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let length = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the address is as long as is said, and lives until the call returns.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    super::check(libc::c_long::from(result)).map(drop)
}
