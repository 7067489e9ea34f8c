//! What the engine begins with, written into the folder that is given: `words.dict`, the words that the languages are made
//! of (to guess them byte by byte would take weeks), and `seeds/TARGET`, messages of our own in binary languages.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lvs_core::conf::schema::blocks;
use lvs_core::ipvs::encode;
use lvs_core::rule::{Command, NoNames, options, parse};
use vrrpd::packet::{Auth, Packet, Version};

// The code of the tools is instrumented here too, and needs the engine to link; it is never started.
libfuzzer_sys::fuzz_target!(|_data: &[u8]| {});

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
    "\\x0a",
    "\\\"",
    "include *",
    "10.0.0.1",
    "10.0.0.1:80",
    "[2001:db8::1]:80",
    "fe80::1/64",
    "MASTER",
    "BACKUP",
    "PASS",
];

fn main() -> io::Result<()> {
    let Some(to) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("prepare FOLDER"));
    };
    fs::create_dir_all(&to)?;
    fs::write(to.join("words.dict"), words())?;
    seed(&to, "netlink", &messages())?;
    seed(&to, "replay", &nights())?;
    seed(&to, "vrrp_packet", &conversations())
}

fn words() -> String {
    let mut words: BTreeSet<String> = PIECES.map(str::to_owned).into();
    blocks(&mut |_, block| words.extend(block.iter().map(|k| k.name.to_owned())));
    words.extend(options().iter().flat_map(|o| [format!("-{}", o.short), format!("--{}", o.long)]));
    words.iter().map(|w| format!("\"{w}\"\n")).collect()
}

fn seed(to: &Path, target: &str, all: &[Vec<u8>]) -> io::Result<()> {
    let folder = to.join("seeds").join(target);
    fs::create_dir_all(&folder)?;
    all.iter().enumerate().try_for_each(|(i, bytes)| fs::write(folder.join(i.to_string()), bytes))
}

/// The rule lines of the other seeds as the kernel is told them: it answers in the same attributes.
fn messages() -> Vec<Vec<u8>> {
    let lines =
        [include_str!("../seeds/rule_lines/table"), include_str!("../seeds/rule_lines/others")].concat();
    let commands = lines.lines().filter_map(|l| parse(l.split_ascii_whitespace(), &NoNames).ok());
    let ops = commands.filter_map(|c| if let Command::Op(op) = c { Some(op) } else { None });
    let bytes = |op| {
        let mut buf = Vec::new();
        encode::op(&mut buf, &op);
        buf
    };
    ops.map(bytes).collect()
}

/// The beginnings of a recorded night, short enough for the engine.
fn nights() -> Vec<Vec<u8>> {
    let night = include_str!("../../crates/vrrpd/tests/failover.jsonl");
    let lines: Vec<&str> = night.lines().collect();
    [2, 4, 6, 9]
        .iter()
        .map(|n| lines.iter().take(*n).map(|l| format!("{l}\n")).collect::<String>().into_bytes())
        .collect()
}

/// A master that is heard, and says goodbye.
fn conversations() -> Vec<Vec<u8>> {
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
