//! A long run: three directors and a fault every ten seconds; after each one, an election in time and one holder.
//!
//! `soak MINUTES` runs inside the lab's kernel (`scripts/soak`). The first two directors are killed, stopped and
//! started; the third never ends, so that a leak of memory would show. Ends with status 1 at a missed election or
//! when the third one has grown.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::seed::{CONFIG, FILE, VIP};
use lab::{Daemon, Host, Lab, SECONDS, Signal, pause};
use lvs_core::sys::clock;
use lvs_core::time::Time;

/// How long an election may take: three intervals, the skew of the lowest priority, and the lab's own slowness.
const ELECTION: Duration = Duration::from_millis(3_000 + 688 + 600);
/// How long until the highest priority is back: its process starts first, and is not paid for by an election.
const REPAIR: Duration = Duration::from_secs(2).saturating_add(ELECTION);
/// From one fault to the next.
const PERIOD: Duration = Duration::from_secs(10);
/// When the witness has done everything once and its memory should not grow any more.
const WARM: Duration = Duration::from_secs(300);
/// The priorities of the directors; the last one is the witness.
const PRIORITIES: [u8; 3] = [100, 90, 80];
const WITNESS: usize = 2;

struct Director {
    host: Host,
    vrrpd: Daemon,
    plugged: bool,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    MasterKilled,
    MasterUnplugged,
    MasterStopped,
    MasterFrozen,
    MasterAndNextKilled,
    WitnessUnplugged,
    AllReloaded,
    VipTakenAway,
}

const FAULTS: [Fault; 8] = [
    Fault::MasterKilled,
    Fault::MasterUnplugged,
    Fault::MasterStopped,
    Fault::MasterFrozen,
    Fault::MasterAndNextKilled,
    Fault::WitnessUnplugged,
    Fault::AllReloaded,
    Fault::VipTakenAway,
];

fn main() -> Result<ExitCode> {
    let minutes: u64 = std::env::args().nth(1).context("soak MINUTES")?.parse().context("MINUTES")?;
    let (mut missed, mut warm, mut last) = (0u32, None, 0);
    let lab = Lab::new();
    let mut cluster: Vec<Director> = (0u8..).zip(PRIORITIES).map(|(n, p)| boot(&lab, n, p)).collect();
    elected(&cluster, |holders| holders == [0]).context("the first election")?;
    let start = clock::now();
    let mut count = 0;
    while clock::now() - start < Duration::from_secs(minutes * 60) {
        let fault = FAULTS[count % FAULTS.len()];
        count += 1;
        let begun = clock::now();
        if let Err(e) = strike(&mut cluster, fault) {
            missed += 1;
            say(start, &format!("MISSED after fault {count}, {fault:?}: {e:#}"))?;
        }
        if let Err(e) = mend(&mut cluster) {
            missed += 1;
            say(start, &format!("MISSED after the repair of fault {count}, {fault:?}: {e:#}"))?;
        }
        last = resident(&cluster[WITNESS].vrrpd)?;
        if clock::now() - start >= WARM {
            warm = warm.or(Some(last));
        }
        if count % 30 == 0 {
            say(start, &format!("{count} faults, {missed} missed; the witness holds {last} KiB"))?;
        }
        pause(PERIOD.saturating_sub(clock::now() - begun));
    }
    let warm = warm.unwrap_or(last);
    say(
        start,
        &format!(
            "{count} faults, {missed} missed elections; the witness's memory: {warm} KiB after five minutes, {last} KiB at the end"
        ),
    )?;
    // A page or two of the allocator's is no leak; a leak of a byte an election would be hundreds of KiB by then.
    let grown = last > warm + warm / 20;
    Ok(if missed == 0 && !grown { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn boot(lab: &Lab, number: u8, priority: u8) -> Director {
    let host = lab.host(&format!("d{number}"), &[&format!("192.168.15.{}/21", 100 + u16::from(number))]);
    host.ok("mkdir -p /etc/keepalived");
    host.write(FILE, &CONFIG.replace("priority 100", &format!("priority {priority}")));
    let vrrpd = start(&host);
    Director { host, vrrpd, plugged: true }
}

fn start(host: &Host) -> Daemon {
    host.spawn(&format!("vrrpd --config {FILE}"))
}

impl Director {
    fn holds(&self) -> bool {
        self.host.ok("ip -o -4 address show dev ens192").contains(&format!("inet {VIP}/32 "))
    }
}

/// The directors that clients can reach and that hold the VIP.
fn holders(cluster: &[Director]) -> Vec<usize> {
    (0..cluster.len()).filter(|n| cluster[*n].plugged && cluster[*n].holds()).collect()
}

/// Waits as long as an election may take until the holders are as they should be.
fn elected(cluster: &[Director], good: impl Fn(&[usize]) -> bool) -> Result<()> {
    held(cluster, ELECTION, good)
}

fn held(cluster: &[Director], within: Duration, good: impl Fn(&[usize]) -> bool) -> Result<()> {
    let end = clock::now() + within;
    loop {
        let now = holders(cluster);
        if good(&now) {
            return Ok(());
        }
        ensure!(clock::now() < end, "after {within:?} the VIP is held by {now:?}");
        pause(Duration::from_millis(20));
    }
}

fn strike(cluster: &mut [Director], fault: Fault) -> Result<()> {
    match fault {
        Fault::MasterKilled => {
            // What SIGKILL leaves behind is the VIP; pulling the cable stands for the machine's end.
            cluster[0].host.unplug();
            cluster[0].plugged = false;
            cluster[0].vrrpd.kill();
            elected(cluster, |h| h == [1])
        }
        Fault::MasterUnplugged => {
            cluster[0].host.unplug();
            cluster[0].plugged = false;
            elected(cluster, |h| h == [1])
        }
        Fault::MasterStopped => {
            let status = cluster[0].vrrpd.stop(10 * SECONDS);
            ensure!(status == 0, "vrrpd ended with status {status}");
            elected(cluster, |h| h == [1])
        }
        Fault::MasterFrozen => {
            cluster[0].vrrpd.signal(Signal::SIGSTOP);
            elected(cluster, |h| h.contains(&1))
        }
        Fault::MasterAndNextKilled => {
            for director in &mut cluster[..2] {
                director.host.unplug();
                director.plugged = false;
                director.vrrpd.kill();
            }
            elected(cluster, |h| h == [WITNESS])
        }
        Fault::WitnessUnplugged => {
            cluster[WITNESS].host.unplug();
            cluster[WITNESS].plugged = false;
            elected(cluster, |h| h == [0])
        }
        Fault::AllReloaded => {
            cluster.iter().for_each(|d| d.vrrpd.signal(Signal::SIGHUP));
            pause(SECONDS);
            let now = holders(cluster);
            ensure!(now == [0], "a reload moved the VIP to {now:?}");
            Ok(())
        }
        Fault::VipTakenAway => {
            cluster[0].host.ok(&format!("ip address del {VIP}/32 dev ens192"));
            elected(cluster, |h| h == [0])
        }
    }
}

/// Puts everything right and waits until the highest priority holds the VIP alone.
fn mend(cluster: &mut [Director]) -> Result<()> {
    for director in cluster.iter_mut() {
        director.vrrpd.signal(Signal::SIGCONT);
        if !director.vrrpd.running() {
            director.vrrpd = start(&director.host);
        }
        if !director.plugged {
            director.host.plug();
            director.plugged = true;
        }
    }
    held(cluster, REPAIR, |h| h == [0])
}

/// The resident memory of a daemon in KiB.
fn resident(daemon: &Daemon) -> Result<u64> {
    let path = format!("/proc/{}/status", daemon.pid());
    let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    let line = text.lines().find(|l| l.starts_with("VmRSS:")).context("VmRSS")?;
    line.split_whitespace().nth(1).context("VmRSS")?.parse().context("VmRSS")
}

fn say(start: Time, text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:7.1} {text}", (clock::now() - start).as_secs_f64())?;
    Ok(out.flush()?)
}
