//! tcpcheck on a kernel without IPVS: what needs it says so, what does not works.

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lab::{Lab, SECONDS, wait};

/// Modules belong to the whole kernel: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Loads IPVS as an admin does. The kernel's own call of modprobe does not find it here, and so it stays away once it
/// was unloaded; elsewhere the watch itself has it loaded again.
fn load_ipvs() {
    let modprobe = Command::new("/sbin/modprobe").args(["-d", "/run", "-a", "ip_vs", "ip_vs_rr"]).output();
    let modprobe = modprobe.expect("modprobe");
    assert!(modprobe.status.success(), "{}", String::from_utf8_lossy(&modprobe.stderr));
}

#[test]
fn an_ipvs_that_was_unloaded_gets_its_table_again_when_it_comes_back() {
    let _alone = alone();
    load_ipvs();
    let lab = Lab::new();
    let host = lab.host("director", &["10.0.0.1/24", "10.0.0.2/24"]);
    let [_first, second] = [1, 2].map(|n| {
        let server = host.spawn(&format!("lab server {n} 10.0.0.{n}:80"));
        server.wait_for_line("serves", 5 * SECONDS);
        server
    });
    let server = |n| format!("real_server 10.0.0.{n} 80 {{\nTCP_CHECK {{\nwarmup 0\nretry 0\n}}\n}}\n");
    let (first_block, second_block) = (server(1), server(2));
    host.write(
        "/run/checks.conf",
        &format!(
            "global_defs {{\nlvs_timeouts tcp 901 tcpfin 121 udp 301\n}}\nvirtual_server 10.0.0.100 80 {{\ndelay_loop 0.5\n\
             lb_algo rr\nlb_kind DR\nprotocol TCP\n{first_block}{second_block}}}\n"
        ),
    );
    let watch = host.spawn("tcpcheck watch --ipvs --resync 1 --config /run/checks.conf");
    watch.wait_for_line("watching 1 service", 5 * SECONDS);
    let servers = || host.run("ipvsadm -Sn").stdout.matches("-r ").count();
    wait(10 * SECONDS, "both servers", || servers() == 2);

    // A service holds the modules, so nobody unloads them under a table.
    let refused = host.run("rmmod ip_vs");
    assert!(refused.status != 0 && refused.stderr.contains("in use"), "{refused}");
    // An empty table does not; the watch would fill it within a second, so whoever unloads must be quick.
    wait(10 * SECONDS, "the modules to go", || {
        host.sh("ipvsadm -C; rmmod ip_vs_rr; rmmod ip_vs");
        host.sh("test -e /proc/net/ip_vs").status != 0
    });
    watch.wait_for_line("the IPVS table cannot be read", 5 * SECONDS);
    second.kill();
    watch.wait_for_line("real server 10.0.0.2:80 is down", 10 * SECONDS);

    load_ipvs();
    watch.wait_for_line("the IPVS table can be read again", 5 * SECONDS);
    wait(5 * SECONDS, "the server that lives", || servers() == 1);
    assert!(host.ok("ipvsadm -Sn").contains("-a -t 10.0.0.100:80 -r 10.0.0.1:80 -g -w 1"));
    let timeouts = host.ok("ipvsadm -L --timeout");
    assert_eq!(timeouts, "Timeout (tcp tcpfin udp): 901 121 301\n");
    let log = watch.log();
    assert_eq!(log.matches("the IPVS table cannot be read").count(), 1, "it is said once: {log}");
    assert_eq!(watch.stop(5 * SECONDS), 0);
    wait(10 * SECONDS, "the modules to go for the next test", || {
        host.sh("ipvsadm -C; rmmod ip_vs_rr; rmmod ip_vs");
        host.sh("test -e /proc/net/ip_vs").status != 0
    });
}

#[test]
fn without_ipvs_the_table_cannot_be_kept_and_all_else_works() {
    let _alone = alone();
    let lab = Lab::new();
    let host = lab.host("director", &["10.0.0.1/24"]);
    let server = host.spawn("lab server a 1001");
    server.wait_for_line("serves", 5 * SECONDS);
    let service = "virtual_server 10.0.0.100 80 {\ndelay_loop 1\nlb_algo rr\nlb_kind DR\nprotocol TCP\n\
                   real_server 10.0.0.1 80 {\nTCP_CHECK {\nconnect_port 1001\nwarmup 0\nretry 0\n}\n}\n}\n";
    host.write("/run/checks.conf", service);

    let refused = host.run("tcpcheck watch --ipvs --config /run/checks.conf");
    assert_eq!(refused.status, 1, "{refused}");
    assert!(refused.stderr.contains("no IPVS") && refused.stderr.contains("modprobe ip_vs"), "{refused}");
    assert_eq!(host.run("tcpcheck check --config /run/checks.conf").status, 0);
    assert!(host.ok("tcpcheck 10.0.0.1:1001").starts_with("10.0.0.1:1001 up "));
    assert_eq!(
        host.run("tcpcheck 10.0.0.1:1002 --retries 0").stdout,
        "10.0.0.1:1002 down: connection refused\n"
    );

    let watch = host.spawn("tcpcheck watch --events json --config /run/checks.conf");
    watch.wait_for_line("watching 1 service", 5 * SECONDS);
    lab::pause(SECONDS);
    server.kill();
    let line = watch.wait_for_line("\"event\":\"down\"", 10 * SECONDS).text;
    let line: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!((&line["server"], &line["reason"]), (&"10.0.0.1:80".into(), &"refused".into()));
    assert_eq!(watch.stop(5 * SECONDS), 0);
}
