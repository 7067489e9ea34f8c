//! Everything that the kernel tells of its IPVS, read once: what the listings with numbers are made from.

use lvs_core::ipvs::{Info, IpvsError, ServerState, ServiceState};
use lvs_core::plan::{Daemon, Timeouts};
use lvs_core::sys::ipvs::Client;

/// A service with its real servers, sorted by address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The service.
    pub service: ServiceState,
    /// Its real servers.
    pub servers: Vec<ServerState>,
}

/// The IPVS of a network namespace at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Version and size of the connection table.
    pub info: Info,
    /// The connection timeouts.
    pub timeouts: Timeouts,
    /// The sync daemons that run.
    pub daemons: Vec<Daemon>,
    /// The services, sorted by key.
    pub entries: Vec<Entry>,
}

impl Snapshot {
    /// Reads it all.
    ///
    /// # Errors
    /// The kernel refused to tell.
    pub fn read(client: &mut Client) -> Result<Self, IpvsError> {
        let (info, timeouts) = (client.info()?, client.timeouts()?);
        Ok(Self { info, timeouts, daemons: client.daemons()?, entries: entries(client)? })
    }
}

/// The services with their real servers, sorted.
///
/// # Errors
/// The kernel refused to tell.
pub fn entries(client: &mut Client) -> Result<Vec<Entry>, IpvsError> {
    let mut entries = Vec::new();
    client.services(|service| entries.push(Entry { service, servers: Vec::new() }))?;
    for entry in &mut entries {
        client.servers(&entry.service.key, |s| entry.servers.push(s))?;
        // A list grows by doubling; a hundred thousand servers are kept without the room that was not needed.
        entry.servers.shrink_to_fit();
        entry.servers.sort_by_key(|s| s.endpoint);
    }
    entries.sort_by_key(|e| e.service.key);
    Ok(entries)
}
