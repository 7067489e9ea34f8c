//! How many descriptors this process may have.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft limit of descriptors to the hard one, but never above `want`, and returns what holds now.
///
/// # Errors
/// The kernel refuses; the old limit holds.
pub fn raise_descriptors(want: u64) -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let goal = hard.min(want);
    if goal <= soft {
        return Ok(soft);
    }
    setrlimit(Resource::RLIMIT_NOFILE, goal, hard)?;
    Ok(goal)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_never_lowered() {
        let before = super::raise_descriptors(0).unwrap();
        assert_eq!(super::raise_descriptors(1).unwrap(), before);
        assert!(super::raise_descriptors(u64::MAX).unwrap() >= before);
    }
}
