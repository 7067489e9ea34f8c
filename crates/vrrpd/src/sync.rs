//! `lvs_sync_daemon`: the kernel hands connections from the master director to the backup, so that they survive it.
//!
//! Sender and receiver exclude each other here: a director that only just lost the VIP must not go on sending what it
//! believes to be the connections.

use lvs_core::conf::model::SyncDaemon;
use lvs_core::ipvs::Ipvs;
use lvs_core::plan::{Daemon, DaemonRole, Op};
use lvs_core::sys::ipvs::Client;
use nix::errno::Errno;

use crate::words::State;

/// What the kernel is asked for when the instance is in this state; nothing for states in between.
pub fn ops(daemon: &SyncDaemon, state: State) -> Vec<Op> {
    let (start, stop) = (|role| Op::StartDaemon(of(daemon, role)), |role| Op::StopDaemon(role, *daemon.id));
    match state {
        State::Master => vec![stop(DaemonRole::Backup), start(DaemonRole::Master)],
        State::Backup | State::Fault | State::Released => {
            vec![stop(DaemonRole::Master), start(DaemonRole::Backup)]
        }
        State::Stopped => vec![stop(DaemonRole::Master), stop(DaemonRole::Backup)],
        State::Init | State::Leaving => Vec::new(),
    }
}

fn of(daemon: &SyncDaemon, role: DaemonRole) -> Daemon {
    Daemon {
        role,
        interface: daemon.interface.value.clone(),
        sync_id: *daemon.id,
        max_len: *daemon.max_len,
        group: daemon.group.as_ref().map(|g| g.value),
        port: *daemon.port,
        ttl: *daemon.ttl,
    }
}

/// Carries it out; a daemon that does not run need not be stopped. `told`: the last master still tells its connections,
/// and the receiver stays.
pub fn follow(daemon: &SyncDaemon, state: State, told: bool) {
    let mut ops = ops(daemon, state);
    ops.retain(|op| !told || !matches!(op, Op::StopDaemon(DaemonRole::Backup, _)));
    if ops.is_empty() {
        return;
    }
    let mut client = match Client::open() {
        Ok(client) => client,
        Err(e) => return log::error!("{}: lvs_sync_daemon: {e}", *daemon.instance),
    };
    for (op, result) in ops.iter().zip(client.apply(&ops)) {
        let (Op::StartDaemon(d), Err(e)) = (op, result) else { continue };
        // One that goes on listening after a handover need not be started.
        if e.errno != Errno::EEXIST as i32 || d.role != DaemonRole::Backup {
            log::error!("{}: lvs_sync_daemon on {}: {e}", *daemon.instance, d.interface);
        }
    }
}

/// A reload has changed it: what ran by the old words ends, what the new ones want begins.
pub fn change(old: Option<&SyncDaemon>, new: Option<&SyncDaemon>, state: State) {
    if old == new {
        return;
    }
    if let Some(daemon) = old {
        follow(daemon, State::Stopped, false);
    }
    if let Some(daemon) = new {
        follow(daemon, state, false);
    }
}

#[cfg(test)]
mod tests {
    use lvs_core::conf::At;

    use super::*;

    #[test]
    fn there_is_never_a_sender_on_a_backup() {
        let daemon = SyncDaemon {
            interface: At::assumed("ens192".to_owned()),
            instance: At::assumed("VI_1".to_owned()),
            id: At::assumed(51),
            max_len: At::assumed(0),
            port: At::assumed(0),
            ttl: At::assumed(0),
            group: None,
        };
        let started = |state| {
            let ops = ops(&daemon, state);
            let start = ops.iter().find_map(|o| if let Op::StartDaemon(d) = o { Some(d.role) } else { None });
            let first = ops.into_iter().next();
            (start, first)
        };
        let (master, backup) = (DaemonRole::Master, DaemonRole::Backup);
        assert_eq!(started(State::Master), (Some(master), Some(Op::StopDaemon(backup, 51))));
        for state in [State::Backup, State::Fault, State::Released] {
            assert_eq!(started(state), (Some(backup), Some(Op::StopDaemon(master, 51))));
        }
        assert_eq!(started(State::Stopped).0, None);
        assert!(ops(&daemon, State::Leaving).is_empty());
    }
}
