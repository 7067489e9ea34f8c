//! On a kernel without IPVS (the runner gives this file one): every command that needs it says so, and how to get it.

use lab::{Host, Lab};

/// A failure of status `status` that names the module, and nothing on standard output.
#[track_caller]
fn says_so(host: &Host, line: &str, status: i32) {
    let output = host.run(line);
    assert_eq!(output.status, status, "{output}");
    assert!(output.stderr.contains("modprobe ip_vs"), "{output}");
    assert_eq!(output.stdout, "", "{output}");
}

#[test]
fn the_kernel_has_no_ipvs() {
    let host = Lab::new().bare_host("d");
    assert_eq!(host.sh("modprobe ip_vs").status, 1);
    assert_eq!(host.sh("test -e /proc/net/ip_vs").status, 1);
}

#[test]
fn ipvsctl_says_so() {
    let host = Lab::new().bare_host("d");
    host.write("/run/rules", "-A -t 10.0.0.9:80 -s rr\n");
    says_so(&host, "ipvsctl list", 1);
    says_so(&host, "ipvsctl apply /run/rules", 1);
    // diff: 1 is "they differ", so that it cannot tell is 2.
    says_so(&host, "ipvsctl diff /run/rules", 2);
    for line in ["ipvsctl -A -t 10.0.0.9:80 -s rr", "ipvsctl -Ln", "ipvsctl -C"] {
        // The status is ipvsadm's.
        says_so(&host, line, host.run(&line.replace("ipvsctl", "ipvsadm")).status);
    }
}

#[test]
fn tcpcheck_watch_says_so() {
    let host = Lab::new().bare_host("d");
    host.write("/run/keepalived.conf", lab::seed::CONFIG);
    says_so(&host, "tcpcheck watch --config /run/keepalived.conf --ipvs", 1);
}
