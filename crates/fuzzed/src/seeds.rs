//! What fuzzing begins with: the words that the languages are made of, and messages of our own in binary languages.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use lvs_core::conf::schema::blocks;
use lvs_core::ipvs::encode;
use lvs_core::plan::Op;
use lvs_core::rule::{Command, NoNames, options, parse};
use vrrpd::packet::{Auth, Packet, Version};

const PIECES: [&str; 19] = [
    "$A=",
    "${A}",
    "$A",
    "@me ",
    "@^me ",
    "~SEQ(A,1,3) ",
    "~LST(A,1,2) ",
    "{",
    "}",
    "\n",
    "\"",
    "include *",
    "10.0.0.1",
    "10.0.0.1:80",
    "[2001:db8::1]:80",
    "fe80::1/64",
    "MASTER",
    "BACKUP",
    "PASS",
];

/// The words of keepalived.conf and of rule lines: to guess them byte by byte would take weeks.
pub fn words() -> BTreeSet<String> {
    let mut words: BTreeSet<String> = PIECES.map(str::to_owned).into();
    blocks(&mut |_, block| words.extend(block.iter().map(|k| k.name.to_owned())));
    words.extend(options().iter().flat_map(|o| [format!("-{}", o.short), format!("--{}", o.long)]));
    words
}

/// The rule lines of the other seeds as the kernel is told them: it answers in the same attributes.
pub fn messages() -> Vec<Vec<u8>> {
    let lines = [
        include_str!("../../../fuzz/seeds/rule_lines/table"),
        include_str!("../../../fuzz/seeds/rule_lines/others"),
    ]
    .concat();
    let commands = lines.lines().filter_map(|l| parse(l.split_ascii_whitespace(), &NoNames).ok());
    let ops = commands.filter_map(|c| if let Command::Op(op) = c { Some(op) } else { None });
    let bytes = |op: Op| {
        let mut buf = Vec::new();
        encode::op(&mut buf, &op);
        buf
    };
    ops.map(bytes).collect()
}

/// The beginnings of a recorded night, short enough for the engine.
pub fn nights() -> Vec<Vec<u8>> {
    let night = include_str!("../../vrrpd/tests/failover.jsonl");
    let lines: Vec<&str> = night.lines().collect();
    [2, 4, 6, 9]
        .iter()
        .map(|n| lines.iter().take(*n).map(|l| format!("{l}\n")).collect::<String>().into_bytes())
        .collect()
}

/// A master that is heard, and says goodbye.
pub fn conversations() -> Vec<Vec<u8>> {
    [(0x08, Version::V2), (0x00, Version::V2), (0x02, Version::V3), (0x01, Version::V3), (0x16, Version::V3)]
        .into_iter()
        .map(|(how, version)| {
            let six = how & 1 != 0;
            let vips: [IpAddr; 1] =
                if six { [[0xfe80, 0, 0, 0, 0, 0, 0, 200].into()] } else { [[192, 168, 15, 200].into()] };
            let src =
                if six { IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 100]) } else { [192, 168, 15, 100].into() };
            let dst =
                if six { IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 0x12]) } else { [224, 0, 0, 18].into() };
            let auth = if how & 8 != 0 { Auth::Pass(*b"password") } else { Auth::None };
            let mut out = vec![how, 255, 100, 101];
            for priority in [150, 150, 50, 0] {
                let mut bytes = Vec::new();
                let interval = Duration::from_secs(1);
                Packet { version, vrid: 51, priority, interval, auth, vips: &vips[..] }
                    .emit(src, dst, &mut bytes);
                out.extend([u8::try_from(bytes.len()).unwrap_or(u8::MAX), 62]);
                out.extend(bytes);
            }
            out
        })
        .collect()
}
