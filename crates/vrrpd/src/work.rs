//! Work that may have to wait, for a disk or for another process: a thread does it while the loop goes on, and hands a value
//! back.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread::Builder;

use nix::sys::signal::SigSet;

/// Work that is being done. Once nobody wants its value any more it is dropped; the work itself goes on to its end.
pub struct Work<T> {
    value: Receiver<T>,
    end: UnixStream,
}

impl<T: Send + 'static> Work<T> {
    /// Begins; `mlockall` locks all of the stack.
    ///
    /// # Errors
    /// Out of descriptors or threads.
    pub fn begin(name: &str, stack: usize, work: impl FnOnce() -> T + Send + 'static) -> io::Result<Self> {
        let (end, bell) = UnixStream::pair()?;
        let (done, value) = channel();
        let thread = Builder::new().name(name.to_owned()).stack_size(stack);
        thread.spawn(move || {
            // The daemon reads its signals from a descriptor; none may be delivered here instead.
            let _ = SigSet::all().thread_block();
            // An error: nobody wants it any more.
            let _ = done.send(work());
            // Its end is what makes the other end readable, also when the work has panicked.
            drop(bell);
        })?;
        Ok(Self { value, end })
    }

    /// The value.
    ///
    /// # Errors
    /// It is not done yet, or will never be.
    pub fn value(&self) -> Result<T, TryRecvError> {
        self.value.try_recv()
    }
}

/// Readable when the work is done.
impl<T> AsFd for Work<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.end.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use lvs_core::sys::poll::{Interest, Poll, readable};

    use super::*;

    const STACK: usize = 128 * 1024;

    fn wait<T>(work: &Work<T>) {
        let mut poll = Poll::new().unwrap();
        poll.add(work, 0, Interest::Read).unwrap();
        poll.wait(None, &mut Vec::new()).unwrap();
    }

    #[test]
    fn it_is_readable_with_its_value_and_not_before() {
        let (go, wanted) = channel();
        let work = Work::begin("test", STACK, move || wanted.recv().unwrap()).unwrap();
        assert!(!readable(&work));
        assert_eq!(work.value(), Err(TryRecvError::Empty));
        go.send(7).unwrap();
        wait(&work);
        assert_eq!(work.value(), Ok(7));
    }

    #[test]
    fn work_that_fails_ends_without_a_value() {
        let work = Work::begin("test", STACK, || -> u8 { std::panic::resume_unwind(Box::new(())) }).unwrap();
        wait(&work);
        while work.value() == Err(TryRecvError::Empty) {}
        assert_eq!(work.value(), Err(TryRecvError::Disconnected));
    }
}
