//! What the daemon may still do once it runs: root's other rights are given up before anything is read from the network.

use caps::errors::CapsError;
use caps::{CapSet, Capability, CapsHashSet};

/// Packets and addresses; then what scripts of other users need (SETUID, SETGID, KILL), pipes of theirs (CHOWN), files that
/// only their owner may read (DAC_READ_SEARCH), and the options that keep it on time (SYS_NICE, IPC_LOCK).
const KEPT: [Capability; 9] = [
    Capability::CAP_NET_ADMIN,
    Capability::CAP_NET_RAW,
    Capability::CAP_SETUID,
    Capability::CAP_SETGID,
    Capability::CAP_KILL,
    Capability::CAP_CHOWN,
    Capability::CAP_DAC_READ_SEARCH,
    Capability::CAP_SYS_NICE,
    Capability::CAP_IPC_LOCK,
];

/// Permitted and not in effect: root's scripts write to sockets and files of others.
const FOR_SCRIPTS: Capability = Capability::CAP_DAC_OVERRIDE;

/// Gives up all other capabilities of the calling thread and of those that it starts. Programs that run as root get
/// root's own again (capabilities(7), "Transformation of capabilities during execve"), but with no_new_privs, which the
/// unit sets, no more than what is permitted here.
///
/// # Errors
/// What the kernel says.
pub fn give_up() -> Result<(), CapsError> {
    let kept: CapsHashSet = KEPT.into_iter().collect();
    let have = caps::read(None, CapSet::Permitted)?;
    let still: CapsHashSet = have.intersection(&kept).copied().collect();
    let permitted = have.into_iter().filter(|c| still.contains(c) || *c == FOR_SCRIPTS).collect();
    let inherited: CapsHashSet =
        caps::read(None, CapSet::Inheritable)?.intersection(&kept).copied().collect();
    // Effective first: it may never hold what is not permitted.
    caps::set(None, CapSet::Effective, &still)?;
    caps::set(None, CapSet::Permitted, &permitted)?;
    caps::set(None, CapSet::Inheritable, &inherited)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_what_it_needs_and_nothing_else() {
        std::thread::spawn(|| {
            let before = caps::read(None, CapSet::Permitted).unwrap();
            give_up().unwrap();
            let after = caps::read(None, CapSet::Permitted).unwrap();
            let of_it = |c: &Capability| KEPT.contains(c) || *c == FOR_SCRIPTS;
            assert!(after.iter().all(|c| of_it(c) && before.contains(c)));
            assert_eq!(after.contains(&Capability::CAP_NET_RAW), before.contains(&Capability::CAP_NET_RAW));
            let effective = caps::read(None, CapSet::Effective).unwrap();
            assert!(effective.iter().all(|c| KEPT.contains(c) && after.contains(c)));
        })
        .join()
        .unwrap();
    }
}
