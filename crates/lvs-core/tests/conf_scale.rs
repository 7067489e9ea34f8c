//! Large configurations: time and memory grow with the text and no faster.
//!
//! `cargo test --release -p lvs-core --test conf_scale -- --nocapture` prints the figures.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::time::Duration;

use lvs_core::conf::{Env, NoFiles, parse};

/// A file with this many virtual servers of ten real servers each.
fn file(services: u32) -> String {
    let mut text = String::new();
    for v in 0..services {
        let vip = std::net::Ipv4Addr::from(0x0a00_0000 + v);
        let _ = write!(
            text,
            "virtual_server {vip} 80 {{\n    delay_loop 6\n    lb_algo rr\n    lb_kind DR\n    protocol TCP\n"
        );
        for r in 0..10 {
            let rip = std::net::Ipv4Addr::from(0xac10_0000 + v * 10 + r);
            let _ = write!(
                text,
                "    real_server {rip} 80 {{\n        weight 1\n        TCP_CHECK {{\n            connect_timeout 3\n            \
                 retry 3\n            delay_before_retry 3\n        }}\n    }}\n"
            );
        }
        text.push_str("}\n");
    }
    text
}

/// Processor time of this thread, which other work on the machine does not lengthen.
fn busy() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// Largest resident set so far, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Seconds to parse a file of this many services.
fn measure(services: u32) -> f64 {
    let text = file(services);
    let (before, start) = (peak(), busy());
    let (config, findings) = parse("large.conf", text.as_bytes(), &mut NoFiles, &Env::default());
    let seconds = (busy() - start).as_secs_f64();
    assert_eq!(config.virtual_servers.len(), services as usize);
    assert_eq!(
        config.virtual_servers.iter().map(|vs| vs.real_servers.len()).sum::<usize>(),
        services as usize * 10
    );
    assert_eq!(findings.len(), 1, "the schedule, once");
    println!(
        "{services:>6} virtual servers, {:>6} real servers, {:>5} KiB: {seconds:.3} s, {} MiB more",
        services * 10,
        text.len() >> 10,
        (peak() - before) >> 10
    );
    seconds
}

#[test]
fn time_grows_linearly() {
    measure(100);
    let (small, large) = (measure(1_000), measure(10_000));
    assert!(large < small * 20.0, "ten times the text took {:.1} times as long", large / small);
}

#[test]
fn a_megabyte_on_one_line_or_in_one_block_ends_soon() {
    let words = "word ".repeat(200_000);
    let quotes = "\"".repeat(1 << 20);
    let braces = "{ ".repeat(1 << 19);
    let closing = "} ".repeat(1 << 19);
    let lines = "x\n".repeat(100_000);
    let dollars = "$A ".repeat(100_000);
    for text in [words, quotes, braces, closing, lines, dollars] {
        let start = busy();
        let _ = parse("odd.conf", text.as_bytes(), &mut NoFiles, &Env::default());
        let took = busy() - start;
        assert!(took < Duration::from_secs(20), "{text:.20}...: {took:?}");
    }
}

/// Two definitions for each line: the text of `line` with `{}` for the one before, which begins as `first`.
fn doubled(first: &str, line: &str, times: usize) -> String {
    let mut text = format!("$A0={first}\n");
    for i in 1..=times {
        let _ = writeln!(text, "$A{i}={}", line.replace("{}", &format!("${{A{}}}", i - 1)));
    }
    let _ = writeln!(text, "global_defs {{\n    router_id x${{A{times}}}\n}}");
    text
}

#[test]
fn definitions_and_repetitions_in_each_other_end_soon_and_say_so() {
    let rounds = "~SEQ(a, 1000) ".repeat(10);
    let cases = [
        ("empty ones, doubled", doubled("", "{}{}", 40), "too-large"),
        ("full ones, doubled", doubled("text", "{}{}", 40), "too-large"),
        ("of several lines, doubled", doubled("\\\n", "{}\\\n{}", 30), "too-large"),
        ("a long chain", doubled("", "{}", 100_000), "too-deep"),
        (
            "one long value, often",
            format!("$A={}\n{}\n", "x".repeat(1 << 19), "${A} ".repeat(9_000)),
            "too-large",
        ),
        ("lines without text", format!("$E=\n{rounds} $E\n"), "too-large"),
    ];
    for (name, text, code) in cases {
        let start = busy();
        let (_, findings) = parse("odd.conf", text.as_bytes(), &mut NoFiles, &Env::default());
        let took = busy() - start;
        println!("{name}: {took:?}");
        assert!(findings.iter().any(|f| f.code == code), "{name}: {findings:.300?}");
        assert!(took < Duration::from_secs(20), "{name}: {took:?}");
    }
    let (config, findings) =
        parse("ok.conf", doubled("x", "{}", 200).as_bytes(), &mut NoFiles, &Env::default());
    assert_eq!(config.global.router_id.as_ref().map(|r| r.value.as_str()), Some("xx"), "{findings:?}");
}
