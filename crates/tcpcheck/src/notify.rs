//! The scripts of a configuration that are told of changes.

use std::process::Child;
use std::sync::Arc;

use lvs_core::conf::Config;
use lvs_core::conf::model::Command;

use crate::change::{Change, What};
use crate::programs::Programs;

/// Scripts under way. They are started in the order of the changes and run beside each other.
#[derive(Default)]
pub struct Notifier {
    programs: Arc<Programs>,
    running: Vec<(String, Child)>,
}

impl Notifier {
    /// Takes the programs that scripts may be.
    pub fn run(&mut self, programs: Arc<Programs>) {
        self.programs = programs;
    }

    /// Starts the script that a change calls for, if there is one.
    pub fn tell(&mut self, config: &Config, change: &Change) {
        if let Some(command) = script(config, change) {
            self.start(command);
        }
    }

    /// Starts a script, if it may be run; what hinders it is logged.
    pub fn start(&mut self, command: &Command) {
        let Some(job) = self.programs.job(command) else { return };
        match job.start() {
            Ok(child) => self.running.push((command.argv.join(" "), child)),
            Err(e) => log::error!("{e}"),
        }
    }

    /// Collects the scripts that have ended; a bad end is logged.
    pub fn reap(&mut self) {
        self.running.retain_mut(|(line, child)| match child.try_wait() {
            Ok(None) => true,
            Ok(Some(status)) if status.success() => false,
            Ok(Some(status)) => {
                log::warn!("notify script '{line}' ended with {status}");
                false
            }
            Err(e) => {
                log::warn!("notify script '{line}': {e}");
                false
            }
        });
    }
}

fn script<'a>(config: &'a Config, change: &Change) -> Option<&'a Command> {
    let vs = config.virtual_servers.get(change.vs as usize)?;
    let server = |u: &crate::roster::User| vs.real_servers.get(u.rs as usize);
    match &change.what {
        What::Up(u, _) => server(u)?.notify_up.as_deref(),
        What::Down(u, ..) => server(u)?.notify_down.as_deref(),
        What::QuorumGained => vs.quorum_up.as_ref(),
        What::QuorumLost(_) => vs.quorum_down.as_ref(),
        _ => None,
    }
}

/// The scripts that `omega` runs at the stop: the ends of live servers, then of quorums.
pub fn farewell<'a>(config: &'a Config, health: &'a lvs_core::desired::Health) -> Vec<&'a Command> {
    let each = config.virtual_servers.iter().zip(&health.services).filter(|(vs, _)| *vs.omega);
    each.flat_map(|(vs, h)| {
        let live = vs.real_servers.iter().zip(&h.servers).filter(|(_, h)| h.up);
        let downs = live.filter_map(|(s, _)| s.notify_down.as_deref());
        downs.chain(vs.quorum_down.as_ref().filter(|_| h.quorum))
    })
    .collect()
}
