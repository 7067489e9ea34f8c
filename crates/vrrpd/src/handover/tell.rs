//! Reads the kernel's connections and tells them, on a thread: the list of a large table takes its time, and no
//! advertisement may wait for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, SocketAddr};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lvs_core::conf::model::SyncDaemon;
use lvs_core::connection::{Connection, PATH, parse};
use lvs_core::ipvs::Ipvs;
use lvs_core::ipvs::sync::{GROUP, PORT, Packer, Servers, record};
use lvs_core::sys::clock;
use lvs_core::sys::ipvs::Client;
use lvs_core::sys::multicast::Speaker;

use crate::spec::Spec;

/// Who has not been told by then has given up. The kernel walks its whole table for each page of the list.
const BUDGET: Duration = Duration::from_secs(1);
/// Lines between two looks at the clock.
const LINES: usize = 256;
/// `mlockall` would lock all of it.
const STACK: usize = 128 * 1024;

/// Whom the connections are told: the interface, the synchronisation number, group and port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Audience {
    interface: String,
    id: u8,
    to: SocketAddr,
}

impl Audience {
    /// Whoever succeeds the instance: on its own interface, or where a configured daemon listens.
    pub(super) fn of(spec: &Spec, config: Option<&SyncDaemon>) -> Self {
        let given = |n: u16| if n == 0 { PORT } else { n };
        let Some(c) = config else {
            let to = SocketAddr::new(GROUP.into(), PORT);
            return Self { interface: spec.interface.clone(), id: spec.vrid, to };
        };
        let group = c.group.as_ref().map_or(GROUP.into(), |g| g.value);
        Self {
            interface: c.interface.value.clone(),
            id: u8::try_from(*c.id).unwrap_or(spec.vrid),
            to: SocketAddr::new(group, given(*c.port)),
        }
    }
}

/// Whom to tell the connections of which addresses.
pub(super) type Telling = BTreeMap<Audience, BTreeSet<IpAddr>>;

/// Tells each listener the connections of its addresses; whoever listens nowhere costs nothing but this.
///
/// # Errors
/// The thread cannot be started.
pub(super) fn start(telling: Telling) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("handover".to_owned()).stack_size(STACK).spawn(move || {
        if let Err(e) = all(&telling) {
            log::warn!("cannot tell the successor the connections, it will reset them: {e}");
        }
    })
}

/// One listener with what it is about to be told.
struct Ear<'a> {
    listener: &'a Audience,
    vips: &'a BTreeSet<IpAddr>,
    speaker: Speaker,
    packer: Packer,
    told: usize,
}

fn all(telling: &Telling) -> io::Result<()> {
    let mut client = Client::open().map_err(io::Error::other)?;
    let servers = Servers::new(&client.read().map_err(io::Error::other)?);
    let ears = telling.iter().map(|(listener, vips)| Ear::open(listener, vips));
    let mut ears = ears.collect::<io::Result<Vec<_>>>()?;
    let begin = clock::now();
    let mut lines = BufReader::new(File::open(PATH)?);
    let mut line = String::new();
    let mut seen = 0;
    while lines.read_line(&mut line)? > 0 {
        if let Some(c) = parse(&line) {
            ears.iter_mut().try_for_each(|ear| ear.hear(&c, &servers))?;
        }
        line.clear();
        seen += 1;
        if seen % LINES == 0 && clock::now() - begin > BUDGET {
            log::warn!(
                "the successor is told only the first {seen} connections: the kernel's list takes too long"
            );
            break;
        }
    }
    ears.into_iter().try_for_each(Ear::finish)
}

impl<'a> Ear<'a> {
    fn open(listener: &'a Audience, vips: &'a BTreeSet<IpAddr>) -> io::Result<Self> {
        let speaker = Speaker::open(&listener.interface, listener.to)?;
        Ok(Self { listener, vips, speaker, packer: Packer::new(listener.id), told: 0 })
    }

    fn hear(&mut self, c: &Connection<'_>, servers: &Servers) -> io::Result<()> {
        // The templates of firewall marks have no address; they are everyone's.
        if c.protocol != "IP" && !self.vips.contains(&c.virtual_service.addr) {
            return Ok(());
        }
        let Some(record) = record(c, servers) else { return Ok(()) };
        self.told += 1;
        self.packer.push(&record).map_or(Ok(()), |full| self.speaker.say(&full))
    }

    fn finish(mut self) -> io::Result<()> {
        self.packer.finish().map_or(Ok(()), |last| self.speaker.say(&last))?;
        if self.told > 0 {
            log::info!("{} connections told to the successor on {}", self.told, self.listener.interface);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
