//! Runs steps in order, and takes back what this run did when one fails.

use anyhow::{Context, Error, Result, bail};

use crate::host::HostState;
use crate::kernel::Kernel;
use crate::quiet::{self, Leak};
use crate::step::Step;

/// Why steps were not done.
#[derive(Debug)]
pub struct Failed {
    /// The first failure.
    pub error: Error,
    /// Whether everything that this run did before was taken back.
    pub undone: bool,
}

/// Runs the steps: settings first, then a look whether they hold, then the rest.
///
/// # Errors
/// The first step that failed; the earlier ones of this run are taken back.
pub fn run(kernel: &mut Kernel, steps: &[Step], silent: bool) -> Result<(), Failed> {
    let mut done = Vec::new();
    let result = forward(kernel, steps, silent, &mut done);
    let Err(error) = result else { return Ok(()) };
    Err(match back(kernel, &done) {
        Ok(()) => {
            Failed { error: error.context(outcome(&steps[..steps.len().min(done.len() + 1)])), undone: true }
        }
        Err(second) => {
            let error = error.context(format!("not done, and not all taken back ({second:#})"));
            Failed { error, undone: false }
        }
    })
}

/// What is true once the steps that were begun are taken back: what had to go does not come again.
fn outcome(begun: &[Step]) -> &'static str {
    if begun.iter().all(|step| step.is_setting() || step.undone().is_some()) {
        "not done, everything is as it was"
    } else {
        "not all done: what had to go may be gone, the rest is as it was"
    }
}

fn forward(kernel: &mut Kernel, steps: &[Step], silent: bool, done: &mut Vec<Step>) -> Result<()> {
    let mut checked = !silent;
    for step in steps {
        // Whatever came up since the plan was made counts too, so this is read anew.
        if !checked && !step.is_setting() {
            verify(&kernel.read()?)?;
            checked = true;
        }
        kernel.run(step)?;
        done.push(step.clone());
    }
    Ok(())
}

fn back(kernel: &mut Kernel, done: &[Step]) -> Result<()> {
    let mut undo = done.iter().rev().filter_map(Step::undone);
    undo.try_for_each(|step| kernel.run(&step))
}

/// Runs steps of which none needs another: all are tried, the first failure is told.
pub fn run_all(kernel: &mut Kernel, steps: &[Step]) -> Result<()> {
    let mut first = Ok(());
    for step in steps {
        let done = kernel.run(step);
        // What hides the VIP goes only after the VIP has gone.
        if done.is_err() && matches!(step, Step::RemoveAddress { .. }) {
            return done
                .context("stopped before the settings: without them this host would answer ARP for the VIP");
        }
        first = first.and(done);
    }
    first
}

/// Refuses a host on which an interface would still tell of a VIP.
pub fn verify(host: &HostState) -> Result<()> {
    for nic in host.speakers() {
        match quiet::leaks(host, nic).first() {
            None => {}
            Some(Leak::Mute) => {
                bail!("{}: arp_ignore 8 is in effect, the host answers no ARP at all", nic.name)
            }
            Some(Leak::Answers(value)) => {
                bail!("{}: arp_ignore {value} is in effect, the VIP would be answered for", nic.name)
            }
            Some(Leak::Announces(value)) => {
                bail!("{}: arp_announce {value} is in effect, the VIP would be announced", nic.name)
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_removed_is_not_called_as_it_was() {
        let device = "ens192".to_owned();
        let up = Step::LinkUp { device: "lo".to_owned() };
        let gone = Step::RemoveAddress { prefix: "10.0.0.1/32".parse().unwrap(), device };
        assert!(outcome(std::slice::from_ref(&up)).contains("everything is as it was"));
        assert!(outcome(&[up, gone]).contains("may be gone"));
    }
}
