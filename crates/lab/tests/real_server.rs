//! rs-prep up and down on a real kernel: the end state, nothing left behind, and no moment with the VIP and a leak.

use std::time::Duration;

use lab::{Host, Lab, SECONDS, Signal, pause, wait};

const VIP: &str = "192.168.15.111";

/// The seed's real server .102.
fn real_server(lab: &Lab) -> Host {
    lab.host("r102", &["192.168.15.102/21", "2001:db8::102/64"])
}

/// Everything that up may touch, as text.
fn state(host: &Host) -> String {
    let script = "ip address show dev lo; route -n; ip route show; ip -6 route show dev lo; \
                  grep . /proc/sys/net/ipv4/conf/*/{arp_ignore,arp_announce,rp_filter}";
    host.ok(&["bash", "-c", script])
}

fn has_vip(host: &Host) -> bool {
    host.ok("ip -o -4 address show dev lo").contains(VIP)
}

fn arp(host: &Host) -> String {
    host.ok("sysctl -n net.ipv4.conf.all.arp_ignore net.ipv4.conf.all.arp_announce")
}

#[test]
fn the_end_state_is_the_seeds_byte_for_byte() {
    let lab = Lab::new();
    let (ours, seeds) = (real_server(&lab), lab.host("seed", &["192.168.15.103/21"]));
    for line in [
        "sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2",
        "sysctl -qw net.ipv4.conf.ens192.arp_ignore=1 net.ipv4.conf.ens192.arp_announce=2",
        "ifconfig lo:0 192.168.15.111 broadcast 192.168.15.111 netmask 255.255.255.255 up",
        "route add -host 192.168.15.111 dev lo:0",
    ] {
        seeds.ok(line);
    }
    ours.ok("rs-prep up 192.168.15.111");
    let lo = ours.ok("ip a show dev lo");
    assert!(lo.contains("\n    inet 192.168.15.111/32 brd 192.168.15.111 scope global lo:0\n"), "{lo}");
    assert_eq!(lo, seeds.ok("ip a show dev lo"));
    let routes = ours.ok("route -n");
    let row = "192.168.15.111  0.0.0.0         255.255.255.255 UH    0      0        0 lo\n";
    assert!(routes.contains(row), "{routes}");
    assert_eq!(routes, seeds.ok("route -n"));
    for command in [
        "ip route show dev lo",
        "ip route show table local dev lo",
        "sysctl -a --pattern arp_(ignore|announce)",
    ] {
        assert_eq!(ours.ok(command), seeds.ok(command));
    }
}

#[test]
fn the_printed_commands_make_the_same_state_in_a_shell() {
    let lab = Lab::new();
    let other = Lab::new();
    let (ours, shell) = (real_server(&lab), real_server(&other));
    let up = "rs-prep up 192.168.15.111 192.168.15.112 2001:db8::111";
    let commands = shell.ok(&format!("{up} --dry-run"));
    assert!(!has_vip(&shell), "a dry run changes nothing");
    ours.ok(up);
    shell.input("bash -eu", &commands);
    assert_eq!(state(&shell), state(&ours));
    let down = "rs-prep down 192.168.15.111 192.168.15.112 2001:db8::111";
    let commands = ours.ok(&format!("{down} -n"));
    ours.ok(down);
    shell.input("bash -eu", &commands);
    assert_eq!(state(&shell), state(&ours));
}

#[test]
fn down_leaves_no_trace_and_twice_is_once() {
    let lab = Lab::new();
    let host = real_server(&lab);
    host.ok("sysctl -qw net.ipv4.conf.ens192.arp_ignore=3 net.ipv4.conf.all.arp_announce=1");
    let before = state(&host);
    let up = host.run("rs-prep up 192.168.15.111");
    assert_eq!((up.status, up.stdout.as_str()), (0, "192.168.15.111: ready on lo:0\n"), "{up}");
    assert!(up.stderr.contains("ens192: arp_ignore was 3"), "{up}");
    let prepared = state(&host);
    assert_eq!(host.ok("rs-prep up 192.168.15.111"), "192.168.15.111: was ready\n");
    assert_eq!(host.ok("rs-prep up 192.168.15.111 -n"), "");
    assert_eq!(state(&host), prepared);
    host.ok("rs-prep up 192.168.15.112 2001:db8::111");
    host.ok("rs-prep down 192.168.15.111");
    assert_eq!(arp(&host), "1\n2\n", "the second VIP still needs the settings");
    host.ok("rs-prep down --all");
    assert_eq!(state(&host), before);
    assert_eq!(host.ok("ls /run/rs-prep"), "lock\n");
    let again = host.run("rs-prep down 192.168.15.111");
    assert_eq!(again.status, 0, "{again}");
    assert!(again.stderr.contains("not on this host, nothing to undo"), "{again}");
}

#[test]
fn the_file_says_which_vips_this_host_needs() {
    let lab = Lab::new();
    let file = "\
virtual_server_group two {
    192.168.15.113-114 80
}
virtual_server 192.168.15.111 443 {
    lb_kind DR
    protocol TCP
    real_server 192.168.15.109 443 {
    }
}
virtual_server 192.168.15.112 7885 {
    lb_kind DR
    protocol TCP
    real_server 192.168.15.102 7885 {
    }
}
virtual_server group two {
    lb_kind DR
    protocol TCP
    real_server 192.168.15.102 80 {
    }
}
virtual_server 192.168.15.115 80 {
    lb_kind NAT
    protocol TCP
    real_server 192.168.15.102 80 {
    }
}
";
    let host = real_server(&lab);
    host.write("/etc/keepalived.conf", file);
    let up = host.run("rs-prep up --config /etc/keepalived.conf");
    assert_eq!(up.status, 0, "{up}");
    let ready =
        ["192.168.15.112: ready on lo:0", "192.168.15.113: ready on lo:1", "192.168.15.114: ready on lo:2"];
    assert_eq!(up.stdout.lines().collect::<Vec<_>>(), ready);
    assert!(up.stderr.contains("nothing to prepare for a NAT service"), "{up}");
    let check = host.run("rs-prep check --config /etc/keepalived.conf");
    assert!(check.stderr.contains("/etc/keepalived.conf:") && check.stderr.contains("warning"), "{check}");
    host.ok("rs-prep down --config /etc/keepalived.conf");
    assert_eq!(host.ok("ls /run/rs-prep"), "lock\n");

    let stranger = lab.host("r1", &["192.168.15.1/21"]);
    stranger.write("/etc/keepalived.conf", file);
    let up = stranger.run("rs-prep up --config /etc/keepalived.conf");
    assert_eq!(up.status, 1, "{up}");
    assert!(up.stderr.contains("this host has no address of a real server"), "{up}");
    stranger.write("/etc/broken.conf", "virtual_server 192.168.15.111 443 {\n lb_kind DR\n");
    let up = stranger.run("rs-prep up --config /etc/broken.conf");
    assert_eq!(up.status, 2, "{up}");
    assert!(up.stderr.contains("/etc/broken.conf:1:"), "{up}");
    let check = stranger.run("rs-prep check --config /etc/broken.conf");
    assert_eq!(check.status, 2, "{check}");
    assert_eq!(check.stderr.matches("is never closed").count(), 1, "each error once: {check}");
    let missing = stranger.run("rs-prep check --config /etc/none.conf");
    assert_eq!((missing.status, missing.stderr.as_str()), (2, "rs-prep: /etc/none.conf: no such file\n"));
    assert_eq!(stranger.run("rs-prep up --config /etc/none.conf").status, 2);
    let probe = stranger.run("rs-prep probe 192.168.15.99 --dev ens192 --config /etc/keepalived.conf");
    assert_eq!(probe.status, 2, "{probe}");
    assert!(probe.stderr.contains("no virtual_server has the VIP 192.168.15.99"), "{probe}");
}

/// Ended at any moment, the host is never left with the VIP and without the settings; the next run ends what was begun,
/// and gives back what there was.
fn ended_at_any_moment(signal: Signal) {
    let lab = Lab::new();
    let host = real_server(&lab);
    let before = state(&host);
    let safe = |host: &Host, when: &str| {
        assert!(
            !has_vip(host) || arp(host) == "1\n2\n",
            "{when}: the VIP without the settings:\n{}",
            state(host)
        );
    };
    for delay in (0..12).map(|n| Duration::from_micros(n * 1500)) {
        for verb in ["up", "down"] {
            let run = host.spawn(&format!("rs-prep {verb} 192.168.15.111"));
            pause(delay);
            run.signal(signal);
            run.wait_for_end(5 * SECONDS);
            safe(&host, &format!("{verb} ended by {signal} after {delay:?}"));
            if verb == "up" {
                host.ok("rs-prep up 192.168.15.111");
                assert!(has_vip(&host));
            }
        }
        host.ok("rs-prep down 192.168.15.111");
        assert_eq!(state(&host), before, "ended by {signal} after {delay:?}");
    }
}

#[test]
fn a_kill_at_any_moment_leaves_the_safe_side() {
    ended_at_any_moment(Signal::SIGKILL);
}

/// Control-C, and what an admin's timeout or a service manager sends.
#[test]
fn an_interruption_at_any_moment_leaves_the_safe_side() {
    ended_at_any_moment(Signal::SIGINT);
    ended_at_any_moment(Signal::SIGTERM);
}

#[test]
fn a_step_that_fails_takes_back_what_was_done() {
    let lab = Lab::new();
    let host = real_server(&lab);
    let before = state(&host);
    // The last step of all is made to fail.
    host.ok("ip route add blackhole 192.168.15.111/32 proto static");
    let up = host.run("rs-prep up 192.168.15.111");
    assert_eq!(up.status, 1, "{up}");
    assert!(up.stderr.contains("ip route add 192.168.15.111/32 dev lo"), "{up}");
    assert!(up.stderr.contains("there is another route for it"), "{up}");
    assert!(up.stderr.contains("everything is as it was"), "{up}");
    host.ok("ip route del blackhole 192.168.15.111/32");
    assert_eq!(state(&host), before);
    assert_eq!(host.ok("ls /run/rs-prep"), "lock\n");
}

#[test]
fn several_at_once_take_turns() {
    let lab = Lab::new();
    let host = real_server(&lab);
    let before = state(&host);
    let run = |verb: &str| {
        let all: Vec<_> = (1..=6).map(|n| host.spawn(&format!("rs-prep {verb} 10.9.9.{n}"))).collect();
        for one in all {
            assert_eq!(one.wait_for_end(20 * SECONDS), 0, "{}", one.log());
        }
    };
    run("up");
    for n in 1..=6 {
        assert!(host.ok("ip -o address show dev lo").contains(&format!("10.9.9.{n}/32")));
    }
    run("down");
    assert_eq!(state(&host), before);
}

#[test]
fn bad_input_changes_nothing_and_says_why() {
    let lab = Lab::new();
    let host = real_server(&lab);
    let before = state(&host);
    for (args, status, reason) in [
        ("up", 2, "which VIP?"),
        ("up 192.168.15.111/24", 2, "must be /32"),
        ("up 2001:db8::111/64", 2, "must be /128"),
        ("up 192.168.15", 2, "is not an address"),
        ("up 127.0.0.1", 2, "a loopback address cannot be a VIP"),
        ("up 192.168.15.111 --label 0123456789abcdef", 2, "the kernel takes 15"),
        ("up 10.0.0.1 10.0.0.2 --label lo:7", 2, "--label names one VIP"),
        ("up 2001:db8::111 --label lo:7", 2, "IPv6 addresses have no label"),
        ("up fd00::7 --scope host", 2, "IPv6 addresses have no scope host"),
        ("up 192.168.15.111 --label eth9:1", 2, "the VIP is on lo, and its label has to say so"),
        ("up ::ffff:10.0.0.1", 2, "an IPv4-mapped (write the IPv4 one) address cannot be a VIP"),
        ("up 192.168.15.255", 1, "it is the broadcast address of 192.168.15.102/21 on ens192"),
        ("up 192.168.15.102", 1, "it is on ens192"),
        ("down", 2, "which VIP?"),
        ("frobnicate", 2, "unrecognized subcommand"),
        ("probe 192.168.15.111 --dev nope", 1, "there is no interface nope"),
        ("probe 192.168.15.111 --dev lo", 1, "it has no Ethernet"),
        ("heal 192.168.15.111 --dev ens192", 1, "it is not on this host"),
    ] {
        let output = host.run(&format!("rs-prep {args}"));
        assert_eq!(output.status, status, "{output}");
        assert!(output.stderr.contains(reason), "{output}");
        assert_eq!(state(&host), before, "{output}");
    }
    let nobody = host.run("setpriv --reuid 65534 --regid 65534 --clear-groups rs-prep up 192.168.15.111");
    assert_eq!(nobody.status, 1, "{nobody}");
    assert_eq!(nobody.stderr.matches("root").count(), 1, "each advice once: {nobody}");
    let reader = host.run("setpriv --reuid 65534 --regid 65534 --clear-groups rs-prep check 192.168.15.111");
    assert_eq!(reader.status, 1, "{reader}");
    assert!(reader.stdout.contains("[vip-missing]"), "{reader}");
}

#[test]
fn a_broken_memory_stops_it_before_anything_is_touched() {
    let lab = Lab::new();
    let host = real_server(&lab);
    host.ok("rs-prep up 192.168.15.111");
    let before = state(&host);
    host.sh("for f in /run/rs-prep/*.json; do echo '{' > $f; done");
    for verb in ["up 192.168.15.112", "down 192.168.15.111"] {
        let output = host.run(&format!("rs-prep {verb}"));
        assert_eq!(output.status, 1, "{output}");
        assert!(output.stderr.contains("not what rs-prep wrote"), "{output}");
        assert_eq!(state(&host), before);
    }
}

#[test]
fn a_read_only_proc_is_said_so_and_nothing_is_half_done() {
    let lab = Lab::new();
    let host = real_server(&lab);
    host.ok("mount -o bind,ro /proc/sys /proc/sys");
    host.ok("mount -o remount,bind,ro /proc/sys");
    let up = host.run("rs-prep up 192.168.15.111");
    assert_eq!(up.status, 1, "{up}");
    assert!(up.stderr.contains("/proc/sys is mounted read-only"), "{up}");
    assert_eq!(up.stderr.matches("Read-only file system").count(), 1, "each reason once: {up}");
    assert!(!has_vip(&host));
    let fix = host.run("rs-prep check 192.168.15.111 --fix --json");
    assert_eq!(fix.status, 1, "{fix}");
    assert!(fix.stderr.contains("/proc/sys is mounted read-only"), "{fix}");
    for part in
        ["\"ready\":false", "\"code\":\"vip-missing\"", "\"error\":\"not done, everything is as it was"]
    {
        assert!(fix.stdout.contains(part), "{part}: {fix}");
    }
}

#[test]
fn the_vip_on_lo_takes_what_the_director_sends() {
    let lab = Lab::new();
    let (host, director) = (real_server(&lab), lab.host("d100", &["192.168.15.100/21"]));
    host.ok("rs-prep up 192.168.15.111");
    let server = host.spawn("lab server r102 7885");
    server.wait_for_line("serves", 5 * SECONDS);
    // What direct routing does: the VIP as destination, the real server's MAC.
    director.ok("ip neighbour replace 192.168.15.111 lladdr 02:00:c0:a8:0f:66 dev ens192");
    wait(5 * SECONDS, "an answer", || director.run("lab get 192.168.15.111:7885").stdout == "r102\n");
}

#[test]
fn what_persist_writes_prepares_the_host_again() {
    let lab = Lab::new();
    let host = real_server(&lab);
    let before = state(&host);
    host.ok("rs-prep up 192.168.15.111");
    let prepared = state(&host);
    let printed = host.ok("rs-prep persist --format unit");
    assert!(printed.starts_with("# /etc/systemd/system/rs-prep.service\n"), "{printed}");
    assert_eq!(host.run("ls /etc/systemd/system/rs-prep.service").status, 2, "printing writes nothing");
    host.ok("rs-prep persist --format unit --write");
    host.ok("rs-prep persist --format sysctl.d --write");
    host.ok("rs-prep down --all");

    // As a boot does: first the settings, then what is started.
    host.ok("sysctl -qp /etc/sysctl.d/90-lvs-real-server.conf");
    assert_eq!(arp(&host), "1\n2\n");
    let unit = host.read("/etc/systemd/system/rs-prep.service");
    let command =
        |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().to_owned();
    host.ok(&command("ExecStart="));
    // The interface's own settings are not needed as well.
    let held = |state: &str| {
        state.lines().filter(|line| !line.starts_with("/proc/")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(held(&state(&host)), held(&prepared));
    host.ok(&command("ExecStop="));
    host.ok("sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0");
    assert_eq!(state(&host), before);

    let removed = host.ok("rs-prep unpersist");
    assert_eq!(removed.lines().count(), 2, "{removed}");
    assert_eq!(host.ok("rs-prep unpersist"), "");
    host.write("/etc/sysctl.d/90-lvs-real-server.conf", "the admin's own\n");
    let refused = host.run("rs-prep persist 192.168.15.111 --format networkd --write");
    assert_eq!(refused.status, 1, "{refused}");
    assert!(refused.stderr.contains("not written by rs-prep"), "{refused}");
    assert_eq!(host.run("ls /etc/systemd/network/90-lvs-real-server.network").status, 2, "all or nothing");
    let refused = host.run("rs-prep persist --format networkd");
    assert_eq!(refused.status, 2, "no VIP is here: {refused}");
}

#[test]
fn unpersist_goes_on_after_a_file_that_stays() {
    let lab = Lab::new();
    let host = real_server(&lab);
    host.ok("rs-prep up 192.168.15.111");
    host.ok("rs-prep persist --format networkd --write --root /");
    host.write(
        "/etc/systemd/system/rs-prep.service",
        &host.sh("rs-prep persist --format unit | tail -n +2").stdout,
    );
    // A file that is a mount point cannot be removed.
    let stuck = "/etc/systemd/network/90-lvs-real-server.network";
    host.ok(&format!("mount --bind {stuck} {stuck}"));
    let unpersist = host.run("rs-prep unpersist");
    assert_eq!(unpersist.status, 1, "{unpersist}");
    assert!(unpersist.stderr.contains(&format!("{stuck}: cannot be removed")), "{unpersist}");
    assert_eq!(unpersist.stdout, "removed: /etc/systemd/system/rs-prep.service\n");
    assert!(unpersist.stderr.contains("90-lvs-real-server.conf: left, as it hides"), "{unpersist}");
    host.ok(&format!("umount {stuck}"));
    assert_eq!(host.ok("rs-prep unpersist").lines().count(), 2, "the address, then the settings");
}
