//! The terminal: its size, and keys one by one.
#![allow(unsafe_code)]

use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::libc;
use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};

/// Columns and rows of the terminal at `fd`; none if it is no terminal or does not know.
pub fn size(fd: impl AsFd) -> Option<(u16, u16)> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the descriptor is open, and the kernel writes one winsize to where the pointer says. nix has no
    // function for this request.
    let answer = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (answer == 0 && size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// The whole screen of a terminal, with keys that come one by one and are not shown.
///
/// Whatever ends the value gives the terminal back as it was: a return, an error, a panic. Signals are the
/// owner's: it takes them with [`super::poll::Signals`] and returns.
pub struct Screen {
    keys: OwnedFd,
    before: Termios,
}

/// The other screen, and no cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l";
/// The cursor, plain letters, and the screen that was there before.
const LEAVE: &[u8] = b"\x1b[0m\x1b[?25h\x1b[?1049l";

impl Screen {
    /// Takes over the terminal of standard input and output.
    ///
    /// # Errors
    /// They are no terminal.
    pub fn enter() -> io::Result<Self> {
        let keys = io::stdin().as_fd().try_clone_to_owned()?;
        let before = tcgetattr(&keys)?;
        let screen = Self { keys, before };
        screen.resume()?;
        Ok(screen)
    }

    /// Takes the terminal again after [`Screen::suspend`].
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn resume(&self) -> io::Result<()> {
        let mut raw = self.before.clone();
        // Ctrl-C and Ctrl-Z stay signals.
        raw.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        // A read takes what is there, at once.
        raw.control_chars[SpecialCharacterIndices::VMIN as usize] = 0;
        raw.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        tcsetattr(&self.keys, SetArg::TCSADRAIN, &raw)?;
        Self::write(ENTER)
    }

    /// Gives the terminal back for a while.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn suspend(&self) -> io::Result<()> {
        let given = Self::write(LEAVE);
        tcsetattr(&self.keys, SetArg::TCSADRAIN, &self.before)?;
        given
    }

    /// The keys that were pressed, as bytes; nothing when none is waiting.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn keys<'a>(&self, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let count = nix::unistd::read(&self.keys, buffer)?;
        Ok(&buffer[..count])
    }

    /// Writes to the screen at once.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn write(bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }
}

impl AsFd for Screen {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.keys.as_fd()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = self.suspend();
    }
}
