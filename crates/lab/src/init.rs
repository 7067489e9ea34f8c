//! Process 1 of a host: what makes a set of namespaces look like a machine of its own.

use std::io::{self, Read};

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, sethostname};

/// Mounts, names, and then stays until standard input ends: when the test is over, or killed, so is the host, as
/// the kernel ends everything in a process namespace whose first process is gone.
///
/// # Errors
/// When the kernel refuses a mount.
pub fn run(name: &str) -> Result<()> {
    sethostname(name).context("hostname")?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .context("mounts")?;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), None::<&str>).context("/proc")?;
    // sysfs shows the interfaces of the network namespace in which it was mounted.
    mount(Some("sys"), "/sys", Some("sysfs"), MsFlags::empty(), None::<&str>).context("/sys")?;
    mount(Some("run"), "/run", Some("tmpfs"), MsFlags::empty(), Some("mode=755")).context("/run")?;
    for folder in ["etc", "var"] {
        private_copy(folder).with_context(|| format!("a private /{folder}"))?;
    }
    // A veth is up at once; duplicate address detection would only hold back IPv6 for two seconds.
    for key in ["net/ipv6/conf/default/accept_dad", "net/ipv6/conf/default/dad_transmits"] {
        // A kernel without IPv6 has no such key.
        let _ = std::fs::write(format!("/proc/sys/{key}"), "0");
    }
    say(b"ready\n")?;
    stay()
}

/// Puts a layer over `/folder` that vanishes with the host.
fn private_copy(folder: &str) -> Result<()> {
    let base = format!("/run/.over/{folder}");
    for part in ["up", "work"] {
        std::fs::create_dir_all(format!("{base}/{part}"))?;
    }
    let options = format!("lowerdir=/{folder},upperdir={base}/up,workdir={base}/work");
    mount(
        Some("overlay"),
        format!("/{folder}").as_str(),
        Some("overlay"),
        MsFlags::empty(),
        Some(options.as_str()),
    )?;
    Ok(())
}

fn say(word: &[u8]) -> Result<()> {
    io::Write::write_all(&mut io::stdout().lock(), word).context("standard output")
}

/// Until the owner lets go of our standard input. Orphans are collected by a thread, as process 1 must.
fn stay() -> Result<()> {
    std::thread::spawn(|| {
        loop {
            // No child at the moment is an error too; the next orphan may come.
            if waitpid(Pid::from_raw(-1), None::<WaitPidFlag>).is_err() {
                crate::pause(std::time::Duration::from_millis(200));
            }
        }
    });
    io::stdin().lock().read_to_end(&mut Vec::new()).context("standard input")?;
    Ok(())
}
