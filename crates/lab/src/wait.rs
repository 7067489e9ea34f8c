//! Waiting for what must come: never a fixed sleep, always a deadline.

use std::time::Duration;

use lvs_core::sys::clock;

/// One second, so that a deadline reads as `10 * SECONDS`. Nothing depends on how long a deadline is, save how late
/// a failing test says so.
pub const SECONDS: Duration = Duration::from_secs(1);

/// Waits until `condition` holds; panics with `what` when `deadline` has passed.
#[track_caller]
pub fn wait(deadline: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let end = clock::now() + deadline;
    while !condition() {
        assert!(clock::now() < end, "waited {deadline:?} in vain for {what}");
        pause(Duration::from_millis(5));
    }
}

/// Lets time pass, where a test asserts that nothing happens meanwhile.
pub fn pause(time: Duration) {
    // The one place that sleeps: tests and the demo have no event loop to wait in.
    #[allow(clippy::disallowed_methods)]
    std::thread::sleep(time);
}

/// Ends the test: the lab itself or what it waits for did not work.
#[track_caller]
pub(crate) fn fail(why: &str) -> ! {
    // The lab has no caller that could go on; a panic is how a test ends.
    #[allow(clippy::panic)]
    {
        panic!("{why}")
    }
}
