//! The seed's cluster while the story runs: its parts, its clients, and waiting with open ears.

use std::time::Duration;

use lab::seed::{Director, FILE, RealServer, Seed, Side};
use lab::traffic::Traffic;
use lab::{Daemon, SECONDS, pause};
use lvs_core::sys::clock;
use lvs_core::time::Time;

use crate::story::{Paint, Story};

/// Requests a second on each port.
const RATE: u32 = 30;

pub(crate) struct Cluster {
    pub(crate) seed: Seed,
    pub(crate) side: Side,
    pub(crate) story: Story,
    /// .100 and .101.
    pub(crate) directors: [Director; 2],
    /// .102 .103 .109 .110.
    pub(crate) servers: Vec<RealServer>,
    clients: Vec<(u16, Daemon)>,
    next_count: Time,
}

impl Cluster {
    /// Boots everything; nothing is prepared and no daemon runs.
    pub(crate) fn boot(side: Side, story: Story) -> Self {
        story.chapter("The cluster of the seed");
        let seed = Seed::new(side);
        let directors = [100, 101].map(|n| seed.director(n));
        let servers = [102, 103, 109, 110].map(|n| seed.real_server(n)).into();
        story.say(
            Paint::Plain,
            "up: a client, the directors d100 and d101, the real servers r102 r103 (port 7885),",
        );
        story.line("         r109 r110 (port 443), on one switch; each has the seed's keepalived.conf, d101 priority 90");
        Self { seed, side, story, directors, servers, clients: Vec::new(), next_count: Time::ZERO }
    }

    /// Prepares every real server, as an admin would.
    pub(crate) fn prepare(&self) -> bool {
        self.story.chapter("The real servers take the VIP, silently");
        let mut good = true;
        for (n, server) in self.servers.iter().enumerate() {
            for line in self.seed.preparation() {
                good &= self.story.command(&server.host, &line).status == 0;
            }
            if n == 0 {
                self.story.command(&server.host, "ip -4 address show dev lo");
            }
            if self.side == Side::Ours {
                good &=
                    self.story.command(&server.host, &format!("rs-prep check --config {FILE}")).status == 0;
            }
        }
        good
    }

    /// Starts the clients of both ports.
    pub(crate) fn start_clients(&mut self) {
        self.clients = [443, 7885].map(|port| (port, self.seed.ask(port, RATE))).into();
        self.next_count = clock::now() + 2 * SECONDS;
        let text =
            format!("clients connect to the VIP from eight addresses, {RATE} times a second on each port");
        self.story.say(Paint::Plain, &text);
    }

    /// What the clients of a port have met in this time.
    pub(crate) fn traffic(&self, port: u16, from: Time, to: Time) -> Traffic {
        let client = self.clients.iter().find(|(p, _)| *p == port);
        client.map_or_else(Traffic::default, |(_, c)| Traffic::read(&c.lines()).between(from, to))
    }

    /// The longest time that clients of either port were without an answer.
    pub(crate) fn outage(&self, from: Time, to: Time) -> Duration {
        let ports = [443, 7885].map(|p| self.traffic(p, from, to).longest_outage());
        ports.into_iter().max().unwrap_or_default()
    }

    /// Answered and failed requests of both ports.
    pub(crate) fn counts(&self, from: Time, to: Time) -> (usize, usize) {
        let ports = [443, 7885].map(|p| self.traffic(p, from, to));
        (ports.iter().map(Traffic::ok).sum(), ports.iter().map(Traffic::failed).sum())
    }

    /// Tells what the daemons say and the clients meet until `done`; None when that does not happen in time.
    pub(crate) fn watch(&mut self, deadline: Duration, done: impl Fn(&Self) -> bool) -> Option<Time> {
        let end = clock::now() + deadline;
        loop {
            self.tell();
            if done(self) {
                let now = clock::now();
                self.tell();
                return Some(now);
            }
            if clock::now() >= end {
                return None;
            }
            pause(Duration::from_millis(100));
        }
    }

    /// Lets `time` pass, telling what happens.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.watch(time, |_| false);
    }

    /// Waits until both ports have answered without a failure for a second.
    pub(crate) fn settle(&mut self, deadline: Duration) {
        self.watch(deadline, |c| {
            let now = clock::now();
            let second = now - SECONDS;
            let good = |port| {
                let traffic = c.traffic(port, second, now);
                traffic.failed() == 0 && traffic.ok() > 10
            };
            good(443) && good(7885)
        });
    }

    fn tell(&mut self) {
        for director in &self.directors {
            for (tool, daemon) in director.daemons() {
                self.story.hear(director.host.name(), tool, daemon);
            }
        }
        let now = clock::now();
        if self.clients.is_empty() || now < self.next_count {
            return;
        }
        let since = now - 2 * SECONDS;
        let ports: Vec<String> = [443, 7885].map(|port| self.felt(port, since, now)).into();
        self.story.say(Paint::Plain, &format!("clients  {}", ports.join("    ")));
        self.next_count = now + 2 * SECONDS;
    }

    /// `:443 60 ok (r109 31, r110 29)`
    fn felt(&self, port: u16, from: Time, to: Time) -> String {
        let traffic = self.traffic(port, from, to);
        let by: Vec<String> = traffic.by_server().iter().map(|(name, n)| format!("{name} {n}")).collect();
        let failed = match traffic.failed() {
            0 => String::new(),
            n => self.story.paint(Paint::Bad, format_args!(", {n} FAILED")),
        };
        format!(":{port} {} ok{failed} ({})", traffic.ok(), by.join(", "))
    }

    /// Says who has the VIP; true when it is the director `master` alone.
    pub(crate) fn show_holder(&self, master: usize) -> bool {
        let holders: Vec<bool> = self.directors.iter().map(Director::holds_vip).collect();
        for (director, holds) in self.directors.iter().zip(&holders) {
            let word = if *holds { "holds the VIP" } else { "does not hold the VIP" };
            self.story.say(Paint::Plain, &format!("{} {word}", director.host.name()));
        }
        holders.iter().enumerate().all(|(n, holds)| *holds == (n == master))
    }
}
