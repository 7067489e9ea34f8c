//! Memory that is free is given back.
#![allow(unsafe_code)]

/// Gives freed memory back to the system: reading a large configuration leaves much of it, and a daemon that then
/// runs for months would hold it all that time. Elsewhere than with glibc this does nothing.
pub fn trim() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes a number, touches only free memory of the allocator and may be called at any time.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}
