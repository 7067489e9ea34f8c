//! What a reload tells the scripts of a file, beside the real keepalived, and what a start with another file leaves.

use std::collections::BTreeSet;

use lab::pair::{KEEPALIVED, TCPCHECK};
use lab::{Host, Lab, SECONDS, Signal, wait};

const NOTES: &str = "/run/notes";
const FILE: &str = "/run/checks.conf";

/// A real server, 10.0.0.N, whose check asks port 1001.
fn server(of: &str, n: u8, port: u16, check: bool) -> String {
    let check = "TCP_CHECK {\nconnect_port 1001\nconnect_timeout 1\nwarmup 0\n}\n".repeat(check.into());
    format!(
        "real_server 10.0.0.{n} {port} {{\nnotify_up \"/run/note {of} {n} up\"\n\
         notify_down \"/run/note {of} {n} down\"\n{check}}}\n"
    )
}

fn service(port: u16, servers: &[String]) -> String {
    format!(
        "virtual_server 10.0.0.100 {port} {{\ndelay_loop 1\nlb_algo rr\nlb_kind DR\nprotocol TCP\n\
         quorum_up \"/run/note {port} quorum up\"\nquorum_down \"/run/note {port} quorum down\"\n{}}}\n",
        servers.concat()
    )
}

fn told(host: &Host) -> BTreeSet<String> {
    host.sh(&format!("cat {NOTES}")).stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a_reload_tells_what_leaves_and_what_it_makes_of_a_server() {
    let lab = Lab::new();
    let farm = lab.host("farm", &["10.0.0.1/24", "10.0.0.2/24"]);
    let live = farm.spawn("lab server one 10.0.0.1:1001");
    live.wait_for_line("serves", 5 * SECONDS);
    let full = |port| {
        service(port, &[server(&port.to_string(), 1, port, true), server(&port.to_string(), 2, port, true)])
    };
    let doubted = service(80, &[server("80", 1, 80, true), server("80", 2, 80, true)]);
    let trusted = service(80, &[server("80", 1, 80, true), server("80", 2, 80, false)]);
    let without = service(80, &[server("80", 2, 80, false)]);
    // Each file, and what the scripts are told of it.
    let steps: [(String, &[&str]); 5] = [
        (doubted.clone() + &full(81), &["80 quorum up", "80 2 down", "81 quorum up", "81 2 down"]),
        (doubted.clone(), &["81 1 down", "81 quorum down"]),
        // The checks are known already, and its servers new in this service.
        (doubted + &full(82), &["82 quorum up", "82 2 down"]),
        // What nobody checks counts as alive.
        (trusted + &full(82), &["80 2 up"]),
        (without + &full(82), &["80 1 down"]),
    ];
    let directors = [("tcpcheck", 101), ("keepalived", 102)].map(|(program, n)| {
        let host = lab.host(program, &[&format!("10.0.0.{n}/24")]);
        host.write("/run/note", &format!("#!/bin/sh\necho \"$@\" >>{NOTES}\n"));
        host.ok("chmod 755 /run/note");
        host.write(FILE, &steps[0].0);
        let daemon = host.spawn(if program == "tcpcheck" { TCPCHECK } else { KEEPALIVED });
        (program, host, daemon)
    });
    for (step, (file, wanted)) in steps.iter().enumerate() {
        let wanted: BTreeSet<_> = wanted.iter().map(|w| (*w).to_owned()).collect();
        for (program, host, daemon) in &directors {
            if step > 0 {
                host.write(NOTES, "");
                host.write(FILE, file);
                daemon.signal(Signal::SIGHUP);
            }
            wait(10 * SECONDS, &format!("what {program} tells at step {step}"), || told(host) == wanted);
        }
    }
}

#[test]
fn a_start_with_another_file_leaves_the_services_of_the_first() {
    let lab = Lab::new();
    let director = lab.host("d100", &["10.0.0.101/24"]);
    let plain = |port| service(port, &[server("x", 1, port, false)]);
    let run = |name: &str, text: &str| {
        director.write(name, text);
        let watch = director.spawn(&format!("tcpcheck watch --ipvs --config {name}"));
        watch.wait_for_line("watching", 5 * SECONDS);
        watch
    };
    let services = || director.ok("ipvsadm -Sn").lines().filter(|l| l.starts_with("-A")).count();
    let first = run("/run/first.conf", &(plain(80) + &plain(81)));
    wait(5 * SECONDS, "both services", || services() == 2);
    first.stop(5 * SECONDS);

    let second = run("/run/second.conf", &plain(82));
    wait(5 * SECONDS, "the other file's service beside them", || services() == 3);
    let log = second.log();
    assert!(log.contains("10.0.0.100:80: stays in the table: it is of /run/first.conf"), "{log}");
    second.stop(5 * SECONDS);

    // The file of the second, with less in it: that is ours to take away.
    let third = run("/run/second.conf", &plain(83));
    wait(5 * SECONDS, "the service that left its own file to go", || {
        services() == 3 && !director.ok("ipvsadm -Sn").contains("10.0.0.100:82")
    });
    third.stop(5 * SECONDS);
}
