//! Two directors with one file: keepalived checks on the one, tcpcheck on the other.

use crate::daemon::Daemon;
use crate::host::Host;
use crate::switch::Lab;
use crate::wait::{SECONDS, pause};
use lvs_core::sys::clock;

/// Where both find the file.
const FILE: &str = "/run/checks.conf";
/// What the scripts were told.
const NOTES: &str = "/run/notes";
/// How keepalived is started.
pub const KEEPALIVED: &str = "keepalived -G -n -l --check -f /run/checks.conf -p /run/k.pid -c /run/kc.pid";
/// How tcpcheck is started.
pub const TCPCHECK: &str = "tcpcheck watch --ipvs --config /run/checks.conf";

/// The two directors.
pub struct Pair {
    /// tcpcheck's.
    pub ours: Host,
    /// keepalived's.
    pub peer: Host,
}

impl Pair {
    /// Boots both, 10.0.0.101 and 10.0.0.102. Scripts of the file may be `/run/note WORD...`.
    #[track_caller]
    pub fn new(lab: &Lab, config: &str) -> Self {
        let director = |name, address| {
            let host = lab.host(name, &[address]);
            host.write("/run/note", &format!("#!/bin/sh\necho \"$@\" >>{NOTES}\n"));
            host.ok("chmod 755 /run/note");
            host
        };
        let pair = Self { ours: director("ours", "10.0.0.101/24"), peer: director("peer", "10.0.0.102/24") };
        pair.write(config);
        pair
    }

    /// Gives both this file.
    #[track_caller]
    pub fn write(&self, config: &str) {
        self.each().iter().for_each(|(_, host)| host.write(FILE, config));
    }

    /// Each director with its program's name, the original first.
    pub fn each(&self) -> [(&'static str, &Host); 2] {
        [("keepalived", &self.peer), ("tcpcheck", &self.ours)]
    }

    /// Starts both: tcpcheck and keepalived.
    #[track_caller]
    pub fn start(&self) -> (Daemon, Daemon) {
        (self.ours.spawn(TCPCHECK), self.peer.spawn(KEEPALIVED))
    }

    /// Waits until both tables are as `want` has it, see [`expect`].
    #[track_caller]
    pub fn expect(&self, when: &str, want: &[(&str, &str)]) {
        self.each().iter().for_each(|(who, host)| expect(who, host, when, want));
    }
}

/// A virtual server on a port, with these lines and real servers.
pub fn service(port: usize, lines: &str, servers: &[String]) -> String {
    format!(
        "virtual_server 10.0.0.100 {port} {{\ndelay_loop 1\nlb_algo rr\nlb_kind DR\nprotocol TCP\n{lines}\n{}}}\n",
        servers.concat()
    )
}

/// The real server 10.0.0.N of a virtual server, with these lines.
pub fn server(n: u8, port: usize, lines: &str) -> String {
    format!("real_server 10.0.0.{n} {port} {{\n{lines}\n}}\n")
}

/// A check that begins at once and fails at its first bad try, with these lines.
pub fn check(kind: &str, lines: &str) -> String {
    format!("{kind} {{\nconnect_timeout 5\nretry 0\nwarmup 0\n{lines}\n}}\n")
}

/// Starts a program of the real servers, and waits until it says that it is there.
#[track_caller]
pub fn serve(host: &Host, words: &[&str]) -> Daemon {
    let server = host.spawn(words);
    server.wait_for_line(" ", 10 * SECONDS);
    server
}

/// What the scripts of a director were told, sorted: several that start together end in any order.
pub fn notes(host: &Host) -> Vec<String> {
    let mut notes: Vec<_> = host.sh(&format!("cat {NOTES}")).stdout.lines().map(str::to_owned).collect();
    notes.sort();
    notes
}

/// Has a director's scripts begin anew.
#[track_caller]
pub fn forget_notes(host: &Host) {
    host.write(NOTES, "");
}

/// Waits until the services of a table, from port 8000 on, have the real servers that `want` says with what each is for; says
/// which have not. A real server is `a`, `b` or `s`, 10.0.0.1, .2 or .9, with its weight unless that is 1: `a b=0`.
#[track_caller]
pub fn expect(who: &str, director: &Host, when: &str, want: &[(&str, &str)]) {
    let others = || {
        let each = want.iter().zip(shown(director, want.len()));
        let other = each.filter(|((_, want), shown)| want != shown);
        other.map(|((what, _), shown)| (*what, shown)).collect::<Vec<_>>()
    };
    // A SYN that nobody answers is sent again after 15 and 31 s.
    let end = clock::now() + 40 * SECONDS;
    let mut last = others();
    while !last.is_empty() && clock::now() < end {
        pause(SECONDS / 20);
        last = others();
    }
    assert_eq!(last, [], "{when}: {who}");
}

/// The services of a table from port 8000 on.
fn shown(director: &Host, services: usize) -> Vec<String> {
    let mut table = vec![Vec::new(); services];
    for line in director.ok("ipvsadm -Sn").lines().filter(|l| l.starts_with("-a")) {
        let word = |option: &str| {
            line.split_whitespace().skip_while(|w| *w != option).nth(1).expect("an option of a rule line")
        };
        let service: usize = word(if line.contains(" -u ") { "-u" } else { "-t" })
            .rsplit(':')
            .next()
            .expect("a port")
            .parse()
            .expect("a port");
        let name = match word("-r").split(':').next().expect("an address") {
            "10.0.0.1" => "a",
            "10.0.0.2" => "b",
            "10.0.0.9" => "s",
            other => unreachable!("{other} in {line}"),
        };
        let weight = word("-w");
        table[service - 8000].push(if weight == "1" { name.to_owned() } else { format!("{name}={weight}") });
    }
    table.iter_mut().for_each(|servers| servers.sort());
    table.iter().map(|servers| servers.join(" ")).collect()
}
