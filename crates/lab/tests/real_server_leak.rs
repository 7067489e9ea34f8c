//! The order of up and down under a storm of ARP requests: the right one never leaks, and the wrong one is caught.

use lab::{Host, Lab, SECONDS, wait};

/// Runs a shell loop on the real server under the storm.
fn cycles(server: &Host, count: u32, body: &str) {
    let script = format!("i=0; while [ $i -lt {count} ]; do i=$((i + 1)); {body}; done");
    let done = server.run_for(&["sh", "-ec", &script], 240 * SECONDS);
    assert_eq!(done.status, 0, "{done}");
}

#[test]
fn up_and_down_leak_nothing_where_the_wrong_order_does() {
    let lab = Lab::new();
    let client = lab.host("c50", &["192.168.8.50/21"]);
    let server = lab.host("r102", &["192.168.15.102/21"]);
    // It asks for the VIP, and has the real server send from the VIP.
    let asking = client.spawn("lab ask 192.168.15.111 ens192 1000 02:00:c0:a8:0f:66 192.168.8.50");
    let count = |word: &str| asking.log().lines().filter(|line| line.starts_with(word)).count();
    asking.wait_for_line("asked", 60 * SECONDS);

    // With the neighbours forgotten, answers from the VIP need a question first: whose sender would it be?
    let forget = "ip neighbour flush dev ens192; sleep 0.05";
    cycles(&server, 20, &format!("rs-prep -q up 192.168.15.111; {forget}; rs-prep -q down 192.168.15.111"));
    let before = count("asked");
    wait(60 * SECONDS, "more questions", || count("asked") > before);
    assert_eq!((count("answer"), count("sender")), (0, 0), "{}", asking.log());

    let up = "ip address add 192.168.15.111/32 dev lo; \
              sysctl -qw net.ipv4.conf.all.arp_announce=2; sysctl -qw net.ipv4.conf.all.arp_ignore=1";
    let down = "sysctl -qw net.ipv4.conf.all.arp_ignore=0; sysctl -qw net.ipv4.conf.all.arp_announce=0; \
                ip address del 192.168.15.111/32 dev lo";
    wait(120 * SECONDS, "a leaked answer and a leaked question", || {
        cycles(&server, 1, &format!("{up}; {forget}; {down}"));
        // The other half of a leak: a question with the VIP as its sender.
        cycles(&server, 1, &format!("ip address add 192.168.15.111/32 dev lo; {forget}; {down}"));
        count("answer") > 0 && count("sender") > 0
    });
}
