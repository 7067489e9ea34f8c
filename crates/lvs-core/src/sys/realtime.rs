//! Being on time on a busy machine: real-time scheduling and locked memory.
#![allow(unsafe_code)]

use std::io;

use nix::libc;

/// Puts the calling thread before all ordinary ones (SCHED_RR, 1 to 99); threads that it starts later are ordinary.
///
/// # Errors
/// `EPERM` without CAP_SYS_NICE.
pub fn schedule(priority: u32) -> io::Result<()> {
    let param =
        libc::sched_param { sched_priority: i32::try_from(priority).unwrap_or(i32::MAX).clamp(1, 99) };
    // SAFETY: the kernel reads one sched_param at the address of a live one.
    let done =
        unsafe { libc::sched_setscheduler(0, libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, &raw const param) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Keeps the memory of the process from being swapped out, what it will get too.
///
/// # Errors
/// `EPERM` or `ENOMEM` without CAP_IPC_LOCK.
pub fn lock_memory() -> io::Result<()> {
    // SAFETY: the call takes flags and touches no memory of ours.
    let done = unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
