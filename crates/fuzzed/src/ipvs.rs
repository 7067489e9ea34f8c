//! What the kernel and the shell say about IPVS.

use lvs_core::addr::Family;
use lvs_core::connection;
use lvs_core::ipvs::{decode, encode};
use lvs_core::nlattr::attrs;
use lvs_core::plan::Op;
use lvs_core::rule::{Command, NoNames, parse};

/// Message bodies of the kernel's IPVS family. What is understood is asked for again, and must be the same.
pub fn netlink(body: &[u8]) {
    for attr in attrs(body) {
        let _ = (attr.u8(), attr.u16(), attr.be16(), attr.u32(), attr.u64(), attr.text());
        attr.nested().for_each(|inner| {
            let _ = inner.nested().count();
        });
    }
    if let Some(state) = decode::service(body) {
        let sent = Op::AddService(state.key, state.service);
        assert_eq!(read_service(&sent), Some(sent.clone()));
        let _ = sent.to_string();
    }
    for family in [Family::Inet, Family::Inet6] {
        let _ = decode::server(body, family);
    }
    let _ = (decode::daemon(body), decode::timeouts(body), decode::info(body));
}

fn bytes(op: &Op) -> Vec<u8> {
    let mut buf = Vec::new();
    encode::op(&mut buf, op);
    buf
}

fn read_service(op: &Op) -> Option<Op> {
    decode::service(&bytes(op)).map(|s| Op::AddService(s.key, s.service))
}

/// Lines of `ipvsadm -S`: what is a command prints itself as a line that means the same, and goes to the kernel.
pub fn rule_lines(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    for line in text.lines() {
        match parse(line.split_ascii_whitespace(), &NoNames) {
            Ok(Command::Op(op)) => again(&op),
            Ok(_) => (),
            Err(refusal) => assert!(!refusal.text.is_empty() && refusal.status > 0),
        }
    }
}

fn again(op: &Op) {
    let line = op.to_string();
    match parse(line.split_ascii_whitespace(), &NoNames) {
        // Compared as lines: a netmask without persistence means nothing and is not written.
        Ok(Command::Op(read)) => assert_eq!(read.to_string(), line),
        other => panic!("{line}: {other:?}"),
    }
    let _ = bytes(op);
    if matches!(op, Op::AddService(..)) {
        assert_eq!(read_service(op).as_ref(), Some(op), "{line}");
    }
}

/// Lines of /proc/net/ip_vs_conn.
pub fn ip_vs_conn(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    for line in text.lines() {
        if let Some(c) = connection::parse(line) {
            let ports = [c.client.port, c.virtual_service.port, c.server.port].map(|p| format!("{p:04X}"));
            let words: Vec<String> = line.split_ascii_whitespace().map(str::to_ascii_uppercase).collect();
            let hex = |w: &String| w.trim_start_matches(['0', '+']).to_owned();
            assert_eq!(ports.each_ref().map(hex), [2, 4, 6].map(|n: usize| hex(&words[n])), "{line}");
        }
    }
}
