//! `./scripts/demo`: the seed's cluster lives, loses a real server, loses its director, and recovers.
//!
//! Runs inside the kernel that `scripts/lab/kernel` starts; with `--peer` the same story with keepalived.

mod cluster;
mod report;
mod story;

use std::process::ExitCode;
use std::time::Duration;

use lab::seed::Side;
use lab::{SECONDS, Signal};
use lvs_core::sys::clock;
use lvs_core::time::Time;

use cluster::Cluster;
use report::{Fact, Figure};
use story::{Paint, Story};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let side = if words.iter().any(|w| w == "--peer") { Side::Peer } else { Side::Ours };
    if let Some(word) = words.iter().find(|w| !["--peer", "--colour"].contains(&w.as_str())) {
        Story::new(false).line(format_args!("demo: {word}: unknown; demo [--peer] [--colour]"));
        return ExitCode::from(2);
    }
    let story = Story::new(words.iter().any(|w| w == "--colour"));
    if tell(Cluster::boot(side, story)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The whole story; true when it ended well.
fn tell(mut cluster: Cluster) -> bool {
    let prepared = cluster.prepare();
    let mut facts = vec![
        Fact { what: "every real server is prepared", holds: prepared },
        Fact {
            what: "d100 alone holds the VIP, d101 waits; the table is complete",
            holds: start(&mut cluster),
        },
        Fact { what: "each port is served by both of its real servers", holds: serve(&mut cluster) },
    ];
    let mut figures = Vec::new();
    figures.extend(real_server_dies(&mut cluster));
    figures.push(director_lost(&mut cluster));
    figures.push(director_returns(&mut cluster));
    figures.push(graceful_stop(&mut cluster));
    cluster.story.chapter("The end");
    let last = cluster.show_holder(1);
    show_table(&cluster, 1);
    facts.push(Fact { what: "at the end d101 alone holds the VIP, d100 is clean", holds: last });
    let (ok, failed) = cluster.counts(Time::ZERO, clock::now());
    cluster.story.say(Paint::Plain, &format!("all requests of the story: {ok} ok, {failed} failed"));
    report::print(&cluster.story, cluster.side, &facts, &figures)
}

/// Starts both directors and waits for the election.
fn start(cluster: &mut Cluster) -> bool {
    cluster.story.chapter("The directors start");
    for director in &mut cluster.directors {
        director.start();
    }
    cluster
        .watch(20 * SECONDS, |c| c.directors[0].holds_vip() && !c.directors[1].holds_vip() && complete(c, 0));
    show_table(cluster, 0);
    cluster.show_holder(0) && complete(cluster, 0)
}

/// Whether a director's table has all four real servers.
fn complete(cluster: &Cluster, director: usize) -> bool {
    let table = cluster.directors[director].table();
    ["192.168.15.102:7885", "192.168.15.103:7885", "192.168.15.109:443", "192.168.15.110:443"]
        .iter()
        .all(|server| table.contains(&format!("{server} ")))
}

fn show_table(cluster: &Cluster, director: usize) {
    let program = if cluster.side == Side::Ours { "ipvsctl -Ln" } else { "ipvsadm -Ln" };
    cluster.story.command(&cluster.directors[director].host, program);
}

/// Clients come; both real servers of each port serve.
fn serve(cluster: &mut Cluster) -> bool {
    cluster.story.chapter("Clients come");
    let begin = clock::now();
    cluster.start_clients();
    cluster.pass(5 * SECONDS);
    let served = |port: u16, names: [&str; 2]| {
        let by = cluster.traffic(port, begin, clock::now()).by_server();
        by.keys().map(String::as_str).eq(names)
    };
    served(443, ["r109", "r110"]) && served(7885, ["r102", "r103"])
}

/// r102's service dies and comes back.
fn real_server_dies(cluster: &mut Cluster) -> [Figure; 2] {
    cluster.story.chapter("A real server dies");
    cluster.story.say(Paint::Bad, "FAULT    the service of r102 is killed; its port refuses connections");
    let killed = clock::now();
    cluster.servers[0].die();
    let gone = cluster.watch(40 * SECONDS, |c| !c.directors[0].knows("192.168.15.102:7885"));
    show_table(cluster, 0);
    cluster.settle(10 * SECONDS);
    let meanwhile = cluster.counts(killed, clock::now());

    cluster.story.say(Paint::Good, "REPAIR   the service of r102 is started again");
    let started = clock::now();
    cluster.servers[0].serve();
    let back = cluster.watch(30 * SECONDS, |c| c.directors[0].knows("192.168.15.102:7885"));
    cluster.settle(10 * SECONDS);
    let after = cluster.counts(started, clock::now());
    let since = |end: Option<Time>, start: Time| end.map(|t| t.since(start).as_secs_f64());
    [
        Figure {
            what: "real server dead: out of the table after",
            value: since(gone, killed),
            limit: 15.5,
            peer: "7.5 to 8.6 s",
            requests: Some(meanwhile),
        },
        Figure {
            what: "real server alive: back in the table after",
            value: since(back, started),
            limit: 6.5,
            peer: "5.1 s",
            requests: Some(after),
        },
    ]
}

/// The master's cable and power go at once: no goodbye.
fn director_lost(cluster: &mut Cluster) -> Figure {
    cluster.story.chapter("The master director is lost");
    cluster.story.say(Paint::Bad, "FAULT    d100 loses its link and its power");
    let begin = clock::now();
    cluster.directors[0].host.power_off();
    cluster.watch(15 * SECONDS, |c| c.directors[1].holds_vip());
    let value = felt(cluster, begin);
    show_table(cluster, 1);
    let requests = cluster.counts(begin, clock::now());
    Figure {
        what: "director lost: clients out for",
        value,
        limit: 3.7,
        peer: "2.8 to 3.7 s",
        requests: Some(requests),
    }
}

/// It comes back with the higher priority.
fn director_returns(cluster: &mut Cluster) -> Figure {
    cluster.story.chapter("It returns");
    cluster.story.say(Paint::Good, "REPAIR   d100 boots and starts its daemons");
    let begin = clock::now();
    cluster.directors[0] = cluster.seed.director(100);
    cluster.directors[0].start();
    let took = cluster.watch(20 * SECONDS, |c| c.directors[0].holds_vip() && !c.directors[1].holds_vip());
    let value = felt(cluster, begin);
    cluster.show_holder(0);
    let requests = cluster.counts(begin, clock::now());
    Figure {
        what: "it returns and takes over: clients out for",
        value: took.and(value),
        limit: 0.1,
        peer: "0.00 s",
        requests: Some(requests),
    }
}

/// The master is stopped as an admin stops it.
fn graceful_stop(cluster: &mut Cluster) -> Figure {
    cluster.story.chapter("The master is stopped for maintenance");
    let name = if cluster.side == Side::Ours { "vrrpd" } else { "keepalived" };
    cluster.story.say(Paint::Bad, &format!("FAULT    d100's {name} gets SIGTERM"));
    let begin = clock::now();
    cluster.directors[0].daemon(name).signal(Signal::SIGTERM);
    let ended = cluster.watch(15 * SECONDS, |c| !c.directors[0].daemon(name).running());
    let taken = cluster.watch(15 * SECONDS, |c| c.directors[1].holds_vip() && !c.directors[0].holds_vip());
    let value = felt(cluster, begin);
    let requests = cluster.counts(begin, clock::now());
    Figure {
        what: "graceful stop: clients out for",
        value: ended.and(taken).and(value),
        limit: 0.0,
        peer: "0.6 to 0.7 s",
        requests: Some(requests),
    }
}

/// Waits until the clients are served again and says how long they were not; None when that lasts.
fn felt(cluster: &mut Cluster, begin: Time) -> Option<f64> {
    cluster.settle(15 * SECONDS);
    cluster.pass(Duration::from_secs(1));
    let now = clock::now();
    let outage = cluster.outage(begin, now).as_secs_f64();
    let text = if outage > 0.0 {
        format!("clients were out for {outage:.2} s")
    } else {
        "no request failed".to_owned()
    };
    let paint = if outage > 0.0 { Paint::Bad } else { Paint::Good };
    cluster.story.say(paint, &text);
    let served = [443, 7885].iter().all(|port| {
        let last = cluster.traffic(*port, begin, now).0.pop();
        last.is_some_and(|r| r.answer.is_ok())
    });
    served.then_some(outage)
}
