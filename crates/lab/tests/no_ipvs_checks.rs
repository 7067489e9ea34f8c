//! tcpcheck on a kernel without IPVS: what needs it says so, what does not works.

use lab::{Lab, SECONDS};

#[test]
fn without_ipvs_the_table_cannot_be_kept_and_all_else_works() {
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
    assert_eq!(host.run("tcpcheck watch --check --config /run/checks.conf").status, 0);
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
