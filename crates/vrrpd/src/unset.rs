//! Addresses, and routes and rules, that a master could not set: nobody serves them, so that it tries again and `status` shows
//! them.

use std::fmt::Display;
use std::time::Duration;

use lvs_core::time::Time;

/// How long after a failure.
const AGAIN: Duration = Duration::from_secs(1);

/// Those of one virtual router.
#[derive(Clone, Debug)]
pub struct Unset<T> {
    failed: Vec<(T, String)>,
    again: Option<Time>,
}

impl<T> Default for Unset<T> {
    fn default() -> Self {
        Self { failed: Vec::new(), again: None }
    }
}

impl<T: Clone + PartialEq + Display> Unset<T> {
    /// How an attempt to set one ended; a line for the log, if that is news.
    pub fn enter(&mut self, it: &T, result: &Result<bool, String>, now: Time) -> Option<String> {
        let before = self.failed.iter().position(|(f, _)| f == it).map(|at| self.failed.remove(at).1);
        let line = match result {
            Ok(_) => before.map(|_| format!("{it} is set at last")),
            Err(why) => {
                let news = before.as_ref() != Some(why);
                self.failed.push((it.clone(), why.clone()));
                news.then(|| format!("cannot set {it}: {why}: trying again every second"))
            }
        };
        self.again = (!self.failed.is_empty()).then(|| now + AGAIN);
        line
    }

    /// Only these are wanted now.
    pub fn keep(&mut self, wanted: &[T]) {
        self.failed.retain(|(f, _)| wanted.contains(f));
        self.again = self.again.filter(|_| !self.failed.is_empty());
    }

    /// Not before then.
    pub fn put_off(&mut self, until: Time) {
        self.again = self.again.map(|again| again.max(until));
    }

    /// When to try again.
    pub fn deadline(&self) -> Option<Time> {
        self.again
    }

    /// Whether it is time to.
    pub fn is_due(&self, now: Time) -> bool {
        self.again.is_some_and(|again| again <= now)
    }

    /// Whether it is one of them.
    pub fn has(&self, it: &T) -> bool {
        self.failed.iter().any(|(f, _)| f == it)
    }

    /// Each with its reason, `10.0.0.100/32 on vrrp.51: there is no interface vrrp.51`.
    pub fn describe(&self) -> Vec<String> {
        self.failed.iter().map(|(f, why)| format!("{f}: {why}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Vip;

    #[test]
    fn each_reason_is_news_once_and_so_is_its_end() {
        let vip = Vip::plain("eth0", "10.0.0.100/32".parse().unwrap());
        let (mut unset, now) = (Unset::default(), Time::ZERO);
        let no = |why: &str| Err(why.to_owned());
        assert_eq!(unset.enter(&vip, &Ok(true), now), None);
        assert_eq!(unset.deadline(), None);
        assert!(
            unset
                .enter(&vip, &no("a"), now)
                .is_some_and(|l| l.starts_with("cannot set 10.0.0.100/32 on eth0: a"))
        );
        assert_eq!(unset.enter(&vip, &no("a"), now), None);
        assert!(unset.enter(&vip, &no("b"), now).is_some());
        assert_eq!((unset.deadline(), unset.has(&vip)), (Some(now + AGAIN), true));
        assert_eq!(unset.describe(), ["10.0.0.100/32 on eth0: b"]);
        assert_eq!(
            unset.enter(&vip, &Ok(true), now).as_deref(),
            Some("10.0.0.100/32 on eth0 is set at last")
        );
        assert_eq!((unset.deadline(), unset.describe()), (None, Vec::new()));
    }

    #[test]
    fn what_is_no_longer_wanted_is_not_tried_again() {
        let vip = Vip::plain("eth0", "10.0.0.100/32".parse().unwrap());
        let mut unset = Unset::default();
        unset.enter(&vip, &Err("a".to_owned()), Time::ZERO);
        unset.keep(&[]);
        assert_eq!(unset.deadline(), None);
    }
}
