//! The verb `heal`: gratuitous ARP from the rightful holder of a VIP.
//!
//! A client that learned a real server's MAC keeps it for as long as it talks to it, because every answer confirms
//! the entry; mending the real server does not help it. An announcement of the holder does, at once.

use std::time::Duration;

use anyhow::{Result, bail};
use lvs_core::sys::{clock, frame};

use crate::check;
use crate::cli::{Heal, NO, YES};
use crate::host::HostState;
use crate::judge;
use crate::kernel::Kernel;
use crate::output::Output;
use crate::probe;
use crate::probe::verdict::{self, Survey};
use crate::shell::word;

/// How long others are listened for before the VIP is announced.
const LISTEN: Duration = Duration::from_millis(500);
/// Between two announcements.
const PAUSE: Duration = Duration::from_millis(200);

/// Runs `heal`; 0 when the VIP was announced, 1 when somebody else answers for it.
///
/// # Errors
/// This host does not hold the VIP on the interface.
pub fn heal(args: &Heal, out: &mut Output) -> Result<u8> {
    let host = Kernel::open()?.read()?;
    holds(&host, args)?;
    let mut wire = probe::open(&args.dev)?;
    let mut survey = Survey {
        vip: args.vip,
        device: args.dev.clone(),
        ours: true,
        answers: Vec::new(),
        announcers: Vec::new(),
        servers: Vec::new(),
        known: probe::known(args.vip)?,
    };
    probe::ask(&mut wire, &host, &mut survey, LISTEN)?;
    let found = verdict::verdict(&survey);
    judge::print_findings(out, &found)?;
    if !check::ready(&found) && !args.force {
        out.line(format_args!(
            "not announced: mend that first, or it is learned again (or give --force): {}",
            args.vip
        ))?;
        return Ok(NO);
    }
    for _ in 0..args.count {
        for frame in frame::announcements(wire.mac, args.vip) {
            wire.send(&frame)?;
        }
        wire.listen(clock::now() + PAUSE, |_, _| Ok(false))?;
    }
    out.done(format_args!("{}: announced {} times from {}", args.vip, args.count, wire.mac))?;
    Ok(YES)
}

fn holds(host: &HostState, args: &Heal) -> Result<()> {
    let (vip, dev) = (args.vip, &args.dev);
    let held: Vec<_> = host.holding(vip).map(|held| held.device.as_str()).collect();
    match held.as_slice() {
        devices if devices.contains(&dev.as_str()) && !host.is_quiet(dev) => Ok(()),
        [] => bail!(
            "{vip}: it is not on this host; run heal on the director that holds it (rs-prep probe {vip} tells)"
        ),
        [other, ..] if host.is_quiet(other) => {
            bail!("{vip}: it is on {other}, so this is a real server; run heal on the director that holds it")
        }
        [other, ..] => bail!("{vip}: it is on {other}, not on {dev}; give --dev {}", word(other)),
    }
}
