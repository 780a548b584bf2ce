//! Capability sets of this process, `capabilities(7)`.

use nix::Result;

/// Keeps only the capabilities in `keep` (bit n is capability n) permitted and effective, none inheritable.
pub(crate) fn restrict(keep: u64) -> Result<()> {
    /// `_LINUX_CAPABILITY_VERSION_3` of linux/capability.h.
    const VERSION_3: u32 = 0x2008_0522;
    let header: [u32; 2] = [VERSION_3, 0];
    let mut sets = [[0_u32; 3]; 2];
    // SAFETY: capget fills two sets of three words, which `sets` has room for; the header names this process.
    super::check(unsafe { libc::syscall(libc::SYS_capget, header.as_ptr(), sets.as_mut_ptr()) })?;
    for (half, set) in sets.iter_mut().enumerate() {
        let kept = set[1] & (keep >> (32 * half)) as u32;
        *set = [kept, kept, 0];
    }
    // SAFETY: as above, and the kernel only reads.
    super::check(unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) })?;
    Ok(())
}
