//! Says that a stack has overflowed, as std does for the threads of a program that it has started itself.
//!
//! std arms its own explanation in the `main` that it generates, which a test process that is run directly never
//! enters. Only the test's own thread is watched: other threads die of the same signal without a word.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::Result;
use nix::errno::Errno;

/// Room for the handler, which is small; a kernel that saves large registers asks for more (`getauxval(3)`).
const ROOM: usize = 64 * 1024;

static THREAD: OnceLock<&'static str> = OnceLock::new();
static GUARD_START: AtomicUsize = AtomicUsize::new(0);
static GUARD_END: AtomicUsize = AtomicUsize::new(0);

/// From here on an overflow of this thread's stack, of `size` bytes, is explained on standard error, and aborts.
pub(crate) fn explain_overflow(thread: &'static str, size: usize) -> Result<()> {
    let (start, end) = guard(size);
    GUARD_START.store(start, Ordering::Relaxed);
    GUARD_END.store(end, Ordering::Relaxed);
    THREAD.get_or_init(|| thread);
    give_the_handler_a_stack()?;
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        handle(signal)?;
    }
    Ok(())
}

/// Where the calling thread, which has hardly begun, ends up when it grows beyond `size`.
///
/// `pthread_getattr_np(3)` would know exactly, but allocates, and the first allocation of a thread makes it a heap of
/// its own: as many system calls as the rest of the thread's life. So the range is generous. It can be: addresses above
/// the guard page are the stack's own, and don't fault.
fn guard(size: usize) -> (usize, usize) {
    let here = 0_u8;
    let end = (&raw const here) as usize - size;
    (end.saturating_sub(64 * 1024), end + size / 2)
}

fn give_the_handler_a_stack() -> Result<()> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK;
    // SAFETY: a new anonymous mapping overlaps nothing; it lives as long as the process.
    let room = unsafe { libc::mmap(null_mut(), ROOM, protection, flags, -1, 0) };
    if room == libc::MAP_FAILED {
        return Err(Errno::last());
    }
    let stack = libc::stack_t { ss_sp: room, ss_flags: 0, ss_size: ROOM };
    // SAFETY: the mapping above is used for nothing else.
    super::check(libc::c_long::from(unsafe { libc::sigaltstack(&raw const stack, null_mut()) })).map(drop)
}

fn handle(signal: i32) -> Result<()> {
    // SAFETY: all zeros is a valid sigaction: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    action.sa_sigaction = on_fault as *const () as usize;
    // SAFETY: the handler only does what a signal handler may do, see below.
    super::check(libc::c_long::from(unsafe { libc::sigaction(signal, &raw const action, null_mut()) })).map(drop)
}

extern "C" fn on_fault(signal: i32, info: *const libc::siginfo_t, _context: *const c_void) {
    // SAFETY: the kernel hands a valid siginfo to a handler with SA_SIGINFO.
    let info = unsafe { &*info };
    // SAFETY: both signals carry an address.
    let address = unsafe { info.si_addr() } as usize;
    let overflow = (GUARD_START.load(Ordering::Relaxed)..GUARD_END.load(Ordering::Relaxed)).contains(&address);
    if overflow {
        // Nothing here may allocate: the heap's lock may be held by the code that was interrupted.
        let mut digits = [0; 10];
        let tid = decimal(nix::unistd::gettid().as_raw().unsigned_abs(), &mut digits);
        let thread = THREAD.get().copied().unwrap_or_default();
        for part in [
            "\nthread '",
            thread,
            "' (",
            tid,
            ") has overflowed its stack\nfatal runtime error: stack overflow, aborting\n",
        ] {
            // SAFETY: write is async-signal-safe, and reads only the text it is given.
            unsafe { libc::write(2, part.as_ptr().cast(), part.len()) };
        }
        // SAFETY: abort is async-signal-safe.
        unsafe { libc::abort() };
    }
    // Any other fault: returning repeats it, and then it kills.
    // SAFETY: the default action needs no handler that could be unsound.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// The number in decimal.
fn decimal(mut number: u32, digits: &mut [u8; 10]) -> &str {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return std::str::from_utf8(&digits[start..]).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn numbers_are_written_in_decimal() {
        assert_eq!(decimal(0, &mut [0; 10]), "0");
        assert_eq!(decimal(4_294_967_295, &mut [0; 10]), "4294967295");
    }
}
