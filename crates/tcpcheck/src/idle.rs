//! Waiting until drained servers have nothing left to do.

use std::time::Duration;

use anyhow::bail;
use lvs_core::conf::check::many;
use lvs_core::ipvs::ServerState;
use lvs_core::sys::clock;
use lvs_core::sys::ipvs::Client;
use lvs_core::sys::poll::Poll;

use crate::change::seconds;
use crate::drains::{Drained, Drains};

/// How often the connections are counted.
const INTERVAL: Duration = Duration::from_secs(1);

/// Waits until the kernel's table shows no connection to these servers.
///
/// # Errors
/// The table cannot be read, or connections are left when the time is over.
pub(crate) fn wait(drained: &[Drained], patience: Duration) -> anyhow::Result<()> {
    let mut client = Client::open()?;
    let mut poll = Poll::new()?;
    let end = clock::now() + patience;
    let drains = drained.iter().fold(Drains::default(), |all, one| all.with(*one));
    while let Some(left) = left(&mut client, &drains)? {
        if clock::now() >= end {
            bail!(
                "after {} {left}: wait longer, or end them with the server's own program; it stays drained",
                seconds(patience)
            );
        }
        poll.wait(Some(end.min(clock::now() + INTERVAL)), &mut Vec::new())?;
    }
    Ok(())
}

/// What is left, in words; none if nothing is.
fn left(client: &mut Client, drains: &Drains) -> anyhow::Result<Option<String>> {
    let mut keys = Vec::new();
    client.services(|service| keys.push(service.key))?;
    let (mut active, mut inactive) = (0, 0);
    for key in keys {
        client.servers(&key, |server: ServerState| {
            if drains.cover(server.endpoint) {
                active += server.active as usize;
                inactive += server.inactive as usize;
            }
        })?;
    }
    let words = || format!("{} and {} inactive are left", many(active, "active connection"), inactive);
    Ok((active + inactive > 0).then(words))
}
