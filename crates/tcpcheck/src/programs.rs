//! The programs that a configuration has run: each found and judged once, when the configuration is read.

use std::collections::{HashMap, HashSet};

use log::Level;
use lvs_core::conf::model::{CheckKind, Command};
use lvs_core::conf::{At, Config};
use lvs_core::sys::script::{Job, Scripts};

use crate::fifos;

/// Programs that may be run, by the program's name and whom it is to run as.
#[derive(Debug, Default)]
pub struct Programs(HashMap<Command, Job>);

impl Programs {
    /// Finds and judges the programs of a configuration. A MISC_CHECK whose program may not be run leaves it, as with
    /// keepalived: its server counts as alive. The sentences say what will not be run, and what could be changed by
    /// someone other than root.
    pub fn prepare(config: &mut Config) -> (Self, Vec<(Level, String)>) {
        let mut judge = Judge { scripts: Scripts::new(&config.global), ..Judge::default() };
        for vs in &mut config.virtual_servers {
            for command in vs.notifiers() {
                judge.allow(command, "nobody is told by it");
            }
            for server in &mut vs.real_servers {
                server.checks.retain(|check| match &check.kind {
                    CheckKind::Misc(misc) => {
                        judge.allow(&misc.command, "nothing is checked by it, its server counts as alive")
                    }
                    _ => true,
                });
            }
        }
        for fifo in fifos::pipes(config) {
            if let Some(command) = &fifo.script {
                judge.allow(command, "nobody is started to read the pipe");
            }
        }
        let place = |said: Said| (said.level, format!("{}: {}", config.files.show(said.place), said.text));
        (Self(judge.allowed), judge.said.into_iter().map(place).collect())
    }

    /// The program of a command with its arguments, ready to run; none if it may not.
    pub fn job(&self, command: &Command) -> Option<Job> {
        let job = self.0.get(&program(command))?;
        Some(job.with(command.argv.iter().skip(1).cloned()))
    }
}

/// A command without its arguments: what is judged.
fn program(command: &Command) -> Command {
    let argv = command.argv.first().cloned().into_iter().collect();
    Command { argv: At::new(argv, command.argv.place), ..command.clone() }
}

#[derive(Default)]
struct Judge {
    scripts: Scripts,
    allowed: HashMap<Command, Job>,
    refused: HashSet<Command>,
    said: Vec<Said>,
}

struct Said {
    level: Level,
    place: lvs_core::conf::Place,
    text: String,
}

impl Judge {
    /// Whether a command may be run; what there is to say of its program is said once.
    fn allow(&mut self, command: &Command, otherwise: &str) -> bool {
        let program = program(command);
        if self.allowed.contains_key(&program) || self.refused.contains(&program) {
            return self.allowed.contains_key(&program);
        }
        let place = command.argv.place;
        match self.scripts.prepare(&program) {
            Ok((job, hole)) => {
                let text = hole.map(|hole| format!("{hole} (enable_script_security would refuse it)"));
                self.said.extend(text.map(|text| Said { level: Level::Warn, place, text }));
                self.allowed.insert(program, job);
                true
            }
            Err(why) => {
                self.said.push(Said { level: Level::Error, place, text: format!("{why}: {otherwise}") });
                self.refused.insert(program);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
