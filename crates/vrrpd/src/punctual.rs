//! Being on time: real-time priority and locked memory, as the configuration wants them.

use std::time::Duration;

use lvs_core::sys::realtime;

/// What the configuration says about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Punctuality {
    /// `vrrp_rt_priority`: the scheduler's real-time priority; none: as everyone.
    pub priority: Option<u32>,
    /// `max_auto_priority`: as far as it is raised when timers run late; 0: not at all.
    pub most: u32,
    /// `min_auto_priority_delay`: how late.
    pub tolerated: Duration,
    /// `vrrp_no_swap`: whether memory is locked.
    pub no_swap: bool,
}

/// The priority in force.
#[derive(Debug, Default)]
pub struct Punctual {
    now: u32,
}

impl Punctual {
    /// As far as the rights go; without it an election works all the same.
    pub fn begin(&mut self, wish: &Punctuality) {
        if let Some(priority) = wish.priority {
            self.schedule(priority, "vrrp_rt_priority");
        }
        if wish.no_swap {
            if let Err(e) = realtime::lock_memory() {
                log::warn!("vrrp_no_swap: {e}: it needs CAP_IPC_LOCK");
            }
        }
    }

    /// The configuration has another wish. What it no longer wishes is the process's until that ends.
    pub fn change(&mut self, old: &Punctuality, new: &Punctuality) {
        let added = Punctuality {
            priority: new.priority.filter(|_| new.priority != old.priority),
            no_swap: new.no_swap && !old.no_swap,
            ..*new
        };
        self.begin(&added);
        let gone = [
            ("vrrp_rt_priority", old.priority.is_some() && new.priority.is_none()),
            ("vrrp_no_swap", old.no_swap && !new.no_swap),
        ];
        for (keyword, _) in gone.iter().filter(|(_, gone)| *gone) {
            log::warn!("{keyword} is gone from the configuration: it stays in force until a restart");
        }
    }

    /// A timer was served this late.
    pub fn was_late(&mut self, wish: &Punctuality, late: Duration) {
        if let Some(priority) = raised(wish, self.now, late) {
            log::warn!("a timer was served {:.3} s late: real-time priority {priority}", late.as_secs_f64());
            self.schedule(priority, "max_auto_priority");
            // Also when it was refused: once is enough to say so.
            self.now = priority;
        }
    }

    fn schedule(&mut self, priority: u32, keyword: &str) {
        match realtime::schedule(priority) {
            Ok(()) => self.now = priority,
            Err(e) => log::warn!("{keyword}: {e}: it needs CAP_SYS_NICE"),
        }
    }
}

/// The next higher priority, if being so late asks for one.
fn raised(wish: &Punctuality, now: u32, late: Duration) -> Option<u32> {
    (late >= wish.tolerated && now < wish.most).then_some(now + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_raises_the_priority_step_by_step_and_no_further_than_wished() {
        let second = Duration::from_secs(1);
        let wish = Punctuality { most: 2, tolerated: second, ..Punctuality::default() };
        assert_eq!(raised(&wish, 0, second / 2), None);
        assert_eq!(raised(&wish, 0, second), Some(1));
        assert_eq!(raised(&wish, 1, second * 3), Some(2));
        assert_eq!(raised(&wish, 2, second * 3), None);
        assert_eq!(raised(&Punctuality::default(), 0, second * 3), None, "the default leaves it alone");
    }
}
