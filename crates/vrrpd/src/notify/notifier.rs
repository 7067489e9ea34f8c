//! Runs what [`super::calls`] says, and writes to the pipes.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

use lvs_core::conf::model::{Command, Fifo, Global, Mail, Notify};
use lvs_core::queue::{PATIENCE, Queue};
use lvs_core::sys::children::{Children, End};
use lvs_core::sys::fifo::Pipe;
use lvs_core::sys::mail::Post;
use lvs_core::sys::poll::{Event as Ready, Interest, Poll};
use lvs_core::sys::script::{self, Job};
use lvs_core::time::Time;
use nix::sys::signal::Signal;

use super::mail::letter;
use super::{Event, Who, calls, line};

/// The scripts of a configuration, by whom they are about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scripts {
    /// Of every instance and group.
    pub notify: Vec<(Who, String, Notify)>,
    /// Whom scripts run as, how safe they must be, and the pipes.
    pub global: Global,
}

/// A pipe, and the script that reads it.
struct Reader {
    fifo: Fifo,
    pipe: Pipe,
    job: Option<Job>,
    run: Option<u64>,
}

#[derive(Default)]
struct Told {
    /// Shared by all that have none: 250 instances without scripts are the rule.
    notify: Rc<Notify>,
    /// What may be run; what may not is not here.
    jobs: Vec<(Command, Job)>,
    queue: Queue<Job>,
    /// The last state: the same one is not told again.
    last: Option<Event>,
}

/// Runs the notify scripts.
pub struct Notifier {
    poll: Poll,
    ready: Vec<Ready>,
    /// Made with the first script.
    children: Option<Children>,
    told: BTreeMap<(Who, String), Told>,
    readers: Vec<Reader>,
    mail: Mail,
    post: Post,
}

impl Notifier {
    /// Has nothing to run yet.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            ready: Vec::new(),
            children: None,
            told: BTreeMap::new(),
            readers: Vec::new(),
            mail: Mail::default(),
            post: Post::default(),
        })
    }

    /// Takes the scripts of a configuration, or others after a reload; what waits in a queue stays there. What may not be run
    /// is logged.
    pub fn configure(&mut self, scripts: &Scripts) {
        let wanted = |key: &(Who, String)| scripts.notify.iter().any(|(w, n, _)| (*w, n) == (key.0, &key.1));
        // A removed instance is told that it is, once it has handed over.
        self.told.retain(|key, told| wanted(key) || told.is_expected() || !told.queue.is_idle());
        let none = Rc::new(Notify::default());
        for (who, name, notify) in &scripts.notify {
            let jobs = allowed(name, notify, &scripts.global);
            let told = self.told.entry((*who, name.clone())).or_default();
            let notify = if *notify == *none { Rc::clone(&none) } else { Rc::new(notify.clone()) };
            (told.notify, told.jobs) = (notify, jobs);
        }
        self.mail = scripts.global.mail.clone();
        self.post.configure(&scripts.global);
        self.open_pipes(&scripts.global);
        self.start_readers();
    }

    fn open_pipes(&mut self, global: &Global) {
        let wanted: Vec<&Fifo> = [&global.notify_fifo, &global.vrrp_fifo].into_iter().flatten().collect();
        let mut old = std::mem::take(&mut self.readers);
        for fifo in wanted {
            match old.iter().position(|r| r.fifo == *fifo) {
                Some(at) => self.readers.push(old.swap_remove(at)),
                None => self.open_pipe(fifo, global),
            }
        }
        old.into_iter().for_each(|reader| self.stop_reader(&reader));
    }

    fn open_pipe(&mut self, fifo: &Fifo, global: &Global) {
        let pipe = match Pipe::open(fifo) {
            Ok(pipe) => pipe,
            Err(why) => return log::error!("no states are written: {why}"),
        };
        let prepared = fifo.script.as_ref().map(|c| script::Scripts::new(global).prepare(c));
        let job = match prepared {
            Some(Ok((job, _))) => Some(job.with([fifo.path.value.clone()])),
            Some(Err(why)) => {
                log::error!("{}: its script will not be run: {why}", pipe.path());
                None
            }
            None => None,
        };
        self.readers.push(Reader { fifo: fifo.clone(), pipe, job, run: None });
    }

    /// Starts the scripts that read the pipes and do not run.
    fn start_readers(&mut self) {
        for at in 0..self.readers.len() {
            let Some(job) = self.readers[at].job.clone().filter(|_| self.readers[at].run.is_none()) else {
                continue;
            };
            self.readers[at].run = self.start(job);
        }
    }

    fn stop_reader(&mut self, reader: &Reader) {
        if let (Some(run), Some(children)) = (reader.run, &mut self.children) {
            children.signal(run, Signal::SIGTERM);
        }
    }

    fn start(&mut self, job: Job) -> Option<u64> {
        if self.children.is_none() {
            let children = Children::new().and_then(|c| self.poll.add(&c, 0, Interest::Read).map(|()| c));
            self.children = children.map_err(|e| log::error!("no script can be run: {e}")).ok();
        }
        let started = self.children.as_mut()?.start(job);
        started.map_err(|e| log::error!("no script can be run: {e}")).ok()
    }

    /// Tells a change. A state that was told last is not told again.
    pub fn tell(&mut self, who: Who, name: &str, event: Event, priority: u8, now: Time) {
        let Some(told) = self.told.get_mut(&(who, name.to_owned())) else { return };
        let event = match event {
            Event::Deleted if !*told.notify.says_deleted => Event::Removed,
            event => event,
        };
        let state = !matches!(event, Event::LowerPriority | Event::Priority(_));
        if state && told.last == Some(event) {
            return;
        }
        if state {
            told.last = Some(event);
        }
        if matches!(event, Event::Priority(_)) && !*told.notify.priority_changes {
            return;
        }
        for (command, more) in calls(&told.notify, who, name, event, priority) {
            if let Some((_, job)) = told.jobs.iter().find(|(known, _)| known == command) {
                told.queue.push(job.with(more));
            }
        }
        let mails =
            self.mail.is_of_vrrp(told.notify.mail) && !(event == Event::Fault && *self.mail.no_faults);
        if let Some(letter) = letter(who, name, event).filter(|_| mails) {
            self.post.send(letter);
        }
        self.write(&line(who, name, event, priority));
        self.start_waiting(now);
    }

    fn write(&mut self, line: &str) {
        for reader in &mut self.readers {
            if reader.pipe.write(line) {
                log::warn!("{}: nobody reads it and it is full: lines are lost", reader.pipe.path());
            }
        }
        // A reader that has ended is started again with the next line.
        self.start_readers();
    }

    fn start_waiting(&mut self, now: Time) {
        let keys: Vec<_> =
            self.told.iter().filter(|(_, t)| !t.queue.is_idle()).map(|(k, _)| k.clone()).collect();
        for key in keys {
            let Some(job) = self.told.get_mut(&key).and_then(|t| t.queue.take()) else { continue };
            log::debug!("{}: {}", key.1, job.line());
            let number = self.start(job);
            if let (Some(told), Some(number)) = (self.told.get_mut(&key), number) {
                told.queue.started(number, now);
            }
        }
    }

    /// When it wants [`Notifier::turn`], at the latest.
    pub fn deadline(&self) -> Option<Time> {
        self.told.values().filter_map(|t| t.queue.deadline()).min()
    }

    /// Starts what waited for what has ended.
    pub fn turn(&mut self, now: Time) {
        let _ = self.poll.ready(&mut self.ready);
        for (number, end) in self.children.as_mut().map(Children::ended).unwrap_or_default() {
            self.ended(number, end);
        }
        for ((_, name), told) in &mut self.told {
            if told.queue.out_of_patience(now) {
                log::warn!(
                    "{name}: a notify script still runs after {PATIENCE:?}: the next one does not wait for it"
                );
            }
            match told.queue.take_lost() {
                0 => (),
                n => log::error!("{name}: {n} notify scripts were left out, too many were waiting"),
            }
        }
        self.start_waiting(now);
    }

    fn ended(&mut self, number: u64, end: End) {
        for ((_, name), told) in &mut self.told {
            if told.queue.ended(number) && end != End::Status(0) {
                log::warn!("{name}: a notify script failed: {end}");
            }
        }
        for reader in self.readers.iter_mut().filter(|r| r.run == Some(number)) {
            log::warn!("{}: its script has ended ({end}); the next line starts it again", reader.pipe.path());
            reader.run = None;
        }
    }

    /// Whether everything that was told has been run to its end. At the daemon's end that is waited for, a little.
    pub fn is_idle(&self) -> bool {
        self.told.values().all(|t| t.queue.is_idle())
    }
}

/// Readable when [`Notifier::turn`] has something to do.
impl AsFd for Notifier {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poll.as_fd()
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        for reader in std::mem::take(&mut self.readers) {
            self.stop_reader(&reader);
        }
    }
}

impl Told {
    /// Whether its end is still to come.
    fn is_expected(&self) -> bool {
        !matches!(self.last, None | Some(Event::Stop | Event::Deleted | Event::Removed))
    }
}

/// The scripts that may be run; what may not is logged.
fn allowed(name: &str, notify: &Notify, global: &Global) -> Vec<(Command, Job)> {
    let (scripts, mut jobs) = (script::Scripts::new(global), Vec::new());
    for command in commands(notify) {
        match scripts.prepare(command) {
            Ok((job, warning)) => {
                if let Some(hole) = warning {
                    log::warn!("{name}: {hole} (enable_script_security would refuse it)");
                }
                jobs.push((command.clone(), job));
            }
            Err(why) => log::error!("{name}: a notify script will not be run: {why}"),
        }
    }
    jobs
}

fn commands(n: &Notify) -> impl Iterator<Item = &Command> {
    let all = [&n.master, &n.backup, &n.fault, &n.stop, &n.deleted, &n.master_rx_lower_pri, &n.any];
    all.into_iter().flatten()
}

#[cfg(test)]
mod tests;
