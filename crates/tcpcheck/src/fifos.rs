//! Named pipes that get a line for every change (`lvs_notify_fifo`, `notify_fifo`), and the scripts that read them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use lvs_core::conf::Config;
use lvs_core::conf::model::Fifo;
use lvs_core::sys::children::Children;
use lvs_core::sys::fifo::Pipe;
use lvs_core::sys::script::Job;
use nix::sys::signal::Signal;

use crate::change::{Change, What};
use crate::programs::Programs;
use crate::title;

/// The pipes of a configuration.
pub struct Fifos {
    programs: Arc<Programs>,
    children: Children,
    readers: Vec<Reader>,
}

/// A pipe, and the script that reads it.
struct Reader {
    fifo: Fifo,
    pipe: Pipe,
    /// None without a script, or with one that may not be run.
    job: Option<Job>,
    /// The script's number while it runs.
    run: Option<u64>,
}

/// The pipes of a configuration, each with the script that reads it if that is ours to start.
pub fn pipes(config: &Config) -> impl Iterator<Item = Fifo> {
    let global = &config.global;
    let both = global.notify_fifo.clone().map(|fifo| {
        // vrrpd writes there too where it has something to do, and starts the one reader.
        let script = fifo.script.filter(|_| config.instances.is_empty());
        Fifo { script, ..fifo }
    });
    both.into_iter().chain(global.lvs_fifo.clone())
}

impl Fifos {
    /// Has no pipe yet.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn new() -> io::Result<Self> {
        Ok(Self { programs: Arc::default(), children: Children::new()?, readers: Vec::new() })
    }

    /// Takes the programs that readers may be; the next [`Fifos::configure`] uses them.
    pub fn run(&mut self, programs: Arc<Programs>) {
        self.programs = programs;
    }

    /// Opens the pipes of a configuration and closes those that it no longer has. What hinders it is logged.
    pub fn configure(&mut self, config: &Config) {
        let mut old = std::mem::take(&mut self.readers);
        for fifo in pipes(config) {
            let job = fifo.script.as_ref().and_then(|command| self.programs.job(command));
            let job = job.map(|job| job.with([fifo.path.value.clone()]));
            if let Some(at) = old.iter().position(|r| r.fifo == fifo) {
                let mut reader = old.swap_remove(at);
                reader.job = job;
                self.readers.push(reader);
                continue;
            }
            match Pipe::open(&fifo) {
                Ok(pipe) => self.readers.push(Reader { fifo, pipe, job, run: None }),
                Err(why) => log::error!("no changes are written: {why}"),
            }
        }
        old.iter().for_each(|reader| reader.end(&mut self.children));
        self.turn();
        self.start();
    }

    /// Notes which readers have ended.
    pub fn turn(&mut self) {
        for (number, end) in self.children.ended() {
            for reader in self.readers.iter_mut().filter(|r| r.run == Some(number)) {
                let path = reader.pipe.path();
                log::warn!("{path}: its script has ended ({end}); the next line starts it again");
                reader.run = None;
            }
        }
    }

    /// Starts the readers that do not run.
    fn start(&mut self) {
        for reader in self.readers.iter_mut().filter(|r| r.run.is_none()) {
            let Some(job) = reader.job.clone() else { continue };
            let started = self.children.start(job);
            reader.run = started.map_err(|e| log::error!("{}: its script: {e}", reader.pipe.path())).ok();
        }
    }

    /// Writes a change.
    pub fn tell(&mut self, config: &Config, change: &Change) {
        if self.readers.is_empty() {
            return;
        }
        let Some(line) = line(config, change) else { return };
        for reader in &mut self.readers {
            if reader.pipe.write(&line) {
                log::warn!("{}: nobody reads it and it is full: lines are lost", reader.pipe.path());
            }
        }
        // A reader that has ended is started again with the next line.
        self.turn();
        self.start();
    }
}

impl Reader {
    /// Kills the script with all that it started.
    fn end(&self, children: &mut Children) {
        if let Some(run) = self.run {
            children.signal(run, Signal::SIGKILL);
        }
    }
}

/// Readable when [`Fifos::turn`] has something to do.
impl AsFd for Fifos {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.children.as_fd()
    }
}

impl Drop for Fifos {
    fn drop(&mut self) {
        self.readers.iter().for_each(|reader| reader.end(&mut self.children));
    }
}

/// The line of a change; none for what keepalived has no line for.
fn line(config: &Config, change: &Change) -> Option<String> {
    let vs = config.virtual_servers.get(change.vs as usize)?;
    let up = |up| if up { "UP" } else { "DOWN" };
    let server =
        |e, is| Some(format!("RS {} {} {}\n", title::server(config, vs, e), title::service(vs), up(is)));
    match &change.what {
        What::Up(_, endpoint) => server(endpoint, true),
        What::Down(_, endpoint, _) | What::Left(_, endpoint) => server(endpoint, false),
        What::QuorumGained => Some(format!("VS {} {}\n", title::service(vs), up(true))),
        What::QuorumLost(_) | What::QuorumLeft => Some(format!("VS {} {}\n", title::service(vs), up(false))),
        _ => None,
    }
}
