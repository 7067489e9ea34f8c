//! What systemd is told (sd_notify(3)): that the daemon is ready, what it does, and that it lives.
//!
//! Without systemd, or outside of a service, nothing is told and nothing costs anything.

use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::time::Time;

/// The line to systemd.
#[derive(Debug, Default)]
pub struct Systemd {
    socket: Option<UnixDatagram>,
    /// A sign of life is sent this often: half of what systemd allows.
    interval: Option<Duration>,
    next: Option<Time>,
    status: String,
}

impl Systemd {
    /// The line that the environment names, if any.
    pub fn from_env(now: Time) -> Self {
        let for_us = std::env::var("WATCHDOG_PID").map_or(true, |p| p == std::process::id().to_string());
        let micros = std::env::var("WATCHDOG_USEC").ok().filter(|_| for_us).and_then(|t| t.parse().ok());
        Self::new(std::env::var_os("NOTIFY_SOCKET"), micros, now)
    }

    /// A line to the socket `path` (`@name` is an abstract one), with a watchdog of so many microseconds.
    pub fn new(path: Option<OsString>, watchdog_micros: Option<u64>, now: Time) -> Self {
        let socket = path.and_then(|path| match connect(&path) {
            Ok(socket) => Some(socket),
            Err(e) => {
                log::warn!("systemd is not told anything: {}: {e}", std::path::Path::new(&path).display());
                None
            }
        });
        let interval = watchdog_micros.filter(|t| *t > 0).map(|t| Duration::from_micros(t) / 2);
        let interval = interval.filter(|_| socket.is_some());
        Self { socket, interval, next: interval.map(|i| now + i), status: String::new() }
    }

    /// Everything is open and the work has begun.
    pub fn ready(&mut self) {
        self.send("READY=1");
    }

    /// The configuration is read anew, until [`Systemd::ready`]; `monotonic` is the time of it.
    pub fn reloading(&mut self, monotonic: Time) {
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic.as_nanos() / 1000));
    }

    /// The daemon hands over and ends.
    pub fn stopping(&mut self) {
        self.send("STOPPING=1");
    }

    /// What `systemctl status` shows; made only where somebody listens, and sent only when it is new.
    pub fn status(&mut self, text: impl FnOnce() -> String) {
        let Some(text) = self.socket.as_ref().map(|_| text()).filter(|text| *text != self.status) else {
            return;
        };
        self.send(&format!("STATUS={}", text.replace('\n', " ")));
        self.status = text;
    }

    /// When it wants [`Systemd::tick`].
    pub fn deadline(&self) -> Option<Time> {
        self.next
    }

    /// Sends a sign of life if one is due. The loop that calls this is the one that works: when it hangs, systemd starts
    /// the daemon anew.
    pub fn tick(&mut self, now: Time) {
        if let (Some(next), Some(interval)) = (self.next, self.interval) {
            if next <= now {
                self.next = Some(now + interval);
                self.send("WATCHDOG=1");
            }
        }
    }

    fn send(&self, text: &str) {
        if let Some(socket) = &self.socket {
            // Never waits: a manager that does not listen must not hold up an advertisement or a check.
            let _ = socket.send(text.as_bytes());
        }
    }
}

fn connect(path: &OsString) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    let address = match path.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(path)?,
    };
    socket.connect_addr(&address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> Vec<String> {
        let mut bytes = [0; 256];
        let mut all = Vec::new();
        while let Ok(n) = socket.recv(&mut bytes) {
            all.push(String::from_utf8_lossy(&bytes[..n]).into_owned());
        }
        all
    }

    fn manager(name: &str) -> UnixDatagram {
        let address = SocketAddr::from_abstract_name(name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    }

    #[test]
    fn it_is_told_in_its_words_and_a_status_once() {
        let name = format!("lvs-systemd-{}", std::process::id());
        let manager = manager(&name);
        let at = |ms: u64| Time::ZERO + Duration::from_millis(ms);
        let mut systemd = Systemd::new(Some(format!("@{name}").into()), Some(2_000_000), at(0));
        systemd.ready();
        systemd.status(|| "1 instance: 1 MASTER".to_owned());
        systemd.status(|| "1 instance: 1 MASTER".to_owned());
        assert_eq!(systemd.deadline(), Some(at(1000)));
        systemd.tick(at(999));
        systemd.tick(at(1000));
        systemd.tick(at(1001));
        systemd.reloading(at(1500));
        systemd.stopping();
        let wanted = [
            "READY=1",
            "STATUS=1 instance: 1 MASTER",
            "WATCHDOG=1",
            "RELOADING=1\nMONOTONIC_USEC=1500000",
            "STOPPING=1",
        ];
        assert_eq!(heard(&manager), wanted);
    }

    #[test]
    fn a_manager_that_does_not_listen_holds_up_nothing() {
        let name = format!("lvs-systemd-deaf-{}", std::process::id());
        let manager = manager(&name);
        let mut systemd = Systemd::new(Some(format!("@{name}").into()), None, Time::ZERO);
        for i in 0..10_000 {
            systemd.status(|| i.to_string());
        }
        assert!(!heard(&manager).is_empty());
    }

    #[test]
    fn without_systemd_nothing_is_due() {
        let mut systemd = Systemd::new(None, Some(1000), Time::ZERO);
        systemd.ready();
        systemd.status(|| unreachable!("nobody would read it"));
        assert_eq!(systemd.deadline(), None);
    }
}
