//! A program's first and last steps, without what std does for programs that run long.
//!
//! Before `main`, std reads /proc/self/maps and sets up a signal stack, to say "stack overflow" when a thread has one;
//! a listing of a small table is over in that time. What matters of std's start is done here: standard streams that
//! are open, SIGPIPE as an error rather than the end, a panic as status 101.
#![allow(unsafe_code)]

use std::env::ArgsOs;
use std::ffi::c_int;
use std::io::{self, Write};
use std::panic::catch_unwind;

use nix::libc;

/// The status of a program that panicked, as std gives it.
const PANICKED: c_int = 101;

/// Makes `fn(ArgsOs) -> u8` the program's C `main`; the crate says `#![no_main]`.
#[macro_export]
macro_rules! start {
    ($main:path) => {
        #[allow(missing_docs)]
        // SAFETY: the C library calls `main` with these types, once, before any other thread is.
        #[unsafe(no_mangle)]
        pub extern "C" fn main(
            _count: ::std::ffi::c_int,
            _words: *const *const ::std::ffi::c_char,
        ) -> ::std::ffi::c_int {
            $crate::sys::start::run($main)
        }
    };
}

/// Runs a program; see [`start!`](crate::start).
pub fn run(main: fn(ArgsOs) -> u8) -> c_int {
    open_streams();
    // SAFETY: no handler is installed: the signal is ignored.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let status = catch_unwind(|| c_int::from(main(std::env::args_os()))).unwrap_or(PANICKED);
    // Whoever wants to know of an error has flushed before.
    let _ = io::stdout().flush();
    status
}

/// A closed standard stream becomes /dev/null: the next socket would take its number, and get what is printed.
fn open_streams() {
    let mut streams = [0, 1, 2].map(|fd| libc::pollfd { fd, events: 0, revents: 0 });
    // SAFETY: the three entries are live; a timeout of 0 returns at once.
    unsafe { libc::poll(streams.as_mut_ptr(), 3, 0) };
    for _ in streams.iter().filter(|s| s.revents & libc::POLLNVAL != 0) {
        // SAFETY: the path ends with a NUL. The lowest free number is that of the first closed stream.
        unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
    }
}
