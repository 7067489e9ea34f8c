//! The `vrrp_script`s that run.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use lvs_core::conf::model::{Global, Script};
use lvs_core::sys::children::Children;
use lvs_core::sys::script::{Job, Scripts as Judge};
use lvs_core::time::Time;
use nix::sys::signal::Signal;

use super::News;
use crate::track::check::{Act, Check, Outcome, Rules};
use crate::track::{Kind, Standing};

/// One script; without a job it may not run.
struct Entry {
    script: Script,
    job: Option<Job>,
    check: Check,
    /// The number of the run under way.
    run: Option<u64>,
}

#[derive(Default)]
pub(super) struct Scripts {
    entries: Vec<Entry>,
    /// Made with the first script.
    children: Option<Children>,
    acts: Vec<Act>,
}

impl Scripts {
    pub(super) fn configure(
        &mut self,
        scripts: &[Script],
        global: &Global,
        now: Time,
        watch: impl Fn(BorrowedFd<'_>) -> io::Result<()>,
    ) {
        let mut old = std::mem::take(&mut self.entries);
        if !scripts.is_empty() && self.children.is_none() {
            let children = Children::new().and_then(|c| watch(c.as_fd()).map(|()| c));
            self.children = children.map_err(|e| log::error!("no script can be run: {e}")).ok();
        }
        for script in scripts {
            let at =
                old.iter().position(|e| e.script.name == script.name && e.script.command == script.command);
            let entry = at.map(|i| old.swap_remove(i));
            self.entries.push(renewed(entry, script, global, now));
        }
        for run in old.iter().filter_map(|e| e.run) {
            self.signal(run, Signal::SIGKILL);
        }
    }

    fn signal(&mut self, run: u64, signal: Signal) {
        if let Some(children) = &mut self.children {
            children.signal(run, signal);
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.entries.iter().filter(|e| e.job.is_some()).map(|e| e.check.deadline()).min()
    }

    pub(super) fn turn(&mut self, now: Time, news: &mut Vec<News>) {
        let Some(children) = &mut self.children else { return };
        for (run, end) in children.ended() {
            if let Some(entry) = self.entries.iter_mut().find(|e| e.run == Some(run)) {
                entry.run = None;
                entry.check.ended(end.into(), &mut self.acts);
                entry.act(&mut self.acts, children, news);
            }
        }
        for entry in self.entries.iter_mut().filter(|e| e.job.is_some()) {
            entry.check.tick(now, &mut self.acts);
            entry.act(&mut self.acts, children, news);
        }
    }

    pub(super) fn all(&self) -> Vec<News> {
        self.entries.iter().map(Entry::news).collect()
    }

    pub(super) fn last_result(&self, name: &str) -> Option<String> {
        let entry = self.entries.iter().find(|e| *e.script.name == name)?;
        entry.check.last().map(Outcome::to_string)
    }
}

/// Nothing of the checks outlives the daemon.
impl Drop for Scripts {
    fn drop(&mut self) {
        let runs: Vec<u64> = self.entries.iter().filter_map(|e| e.run).collect();
        for run in runs {
            self.signal(run, Signal::SIGKILL);
        }
    }
}

/// The entry of a script: as it stands if there is one, new if not.
fn renewed(entry: Option<Entry>, script: &Script, global: &Global, now: Time) -> Entry {
    let rules = Rules::from(script);
    let job = prepare(script, global);
    match entry {
        Some(mut entry) => {
            entry.check.reload(rules, now);
            Entry { script: script.clone(), job, ..entry }
        }
        None => Entry { script: script.clone(), job, check: Check::new(rules, now), run: None },
    }
}

fn prepare(script: &Script, global: &Global) -> Option<Job> {
    let name = &*script.name;
    match Judge::new(global).prepare(&script.command) {
        Ok((job, warning)) => {
            if let Some(hole) = warning {
                log::warn!("vrrp_script {name}: {hole} (enable_script_security would refuse it)");
            }
            Some(job)
        }
        Err(why) => {
            log::error!("vrrp_script {name} is switched off, the instances that track it ignore it: {why}");
            None
        }
    }
}

impl Entry {
    fn standing(&self) -> Standing {
        if self.job.is_some() { self.check.standing() } else { Standing::Off }
    }

    fn news(&self) -> News {
        News { kind: Kind::Script, name: self.script.name.value.clone(), standing: self.standing() }
    }

    fn act(&mut self, acts: &mut Vec<Act>, children: &mut Children, news: &mut Vec<News>) {
        for act in acts.drain(..) {
            match (act, self.run, &self.job) {
                (Act::Start, _, Some(job)) => self.start(job.clone(), children),
                (Act::Terminate, Some(run), _) => children.signal(run, Signal::SIGTERM),
                (Act::Kill, Some(run), _) => children.signal(run, Signal::SIGKILL),
                (Act::Changed(standing), ..) => {
                    self.tell(standing);
                    news.push(self.news());
                }
                _ => (),
            }
        }
    }

    /// One that cannot be given to the thread that starts programs has not ended in time.
    fn start(&mut self, job: Job, children: &mut Children) {
        let run = children.start(job);
        self.run = run.map_err(|e| log::error!("vrrp_script {}: {e}", *self.script.name)).ok();
    }

    fn tell(&self, standing: Standing) {
        let name = &*self.script.name;
        let last = self.check.last().map(ToString::to_string).unwrap_or_default();
        match standing {
            Standing::Up => log::info!("vrrp_script {name} succeeds"),
            _ => log::warn!("vrrp_script {name} fails: {last}"),
        }
    }
}
