//! A short run of every fuzz target without an engine: seeds and words are mixed by a generator that begins anywhere the same.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::panic::catch_unwind;
use std::path::Path;

use fuzzed::seeds;

/// No input is longer.
const LONGEST: usize = 2048;

/// Marsaglia's xorshift: the same inputs in every run, so that a failure comes back.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n.max(1) as u64).unwrap()
    }

    fn of<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }
}

/// One to eight changes of a seed.
fn mutant(dice: &mut Dice, seeds: &[Vec<u8>], words: &[String]) -> Vec<u8> {
    let mut out = dice.of(seeds).clone();
    for _ in 0..=dice.below(8) {
        let (a, b) = (dice.below(out.len() + 1), dice.below(out.len() + 1));
        let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 64));
        match dice.below(6) {
            0 if !out.is_empty() => {
                let at = dice.below(out.len());
                out[at] ^= 1 << dice.below(8);
            }
            1 => drop(out.drain(from..to)),
            2 => drop(out.splice(a..a, out[from..to].to_vec())),
            3 => drop(out.splice(a..a, format!(" {} ", dice.of(words)).into_bytes())),
            4 => drop(out.splice(from..to, vec![dice.below(256) as u8])),
            _ => {
                let other = dice.of(seeds);
                let piece = dice.below(other.len() + 1);
                drop(out.splice(a..a, other[piece..].iter().take(256).copied()));
            }
        }
    }
    out.truncate(LONGEST);
    out
}

/// Gives a target its seeds and so many changed ones; what breaks a promise is in the message, ready for `scripts/fuzz TARGET FILE`.
fn run(name: &str, target: fn(&[u8]), mut seeds: Vec<Vec<u8>>, rounds: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(name);
    seeds.extend(files(&folder));
    assert!(!seeds.is_empty(), "{name} has no seeds");
    let words: Vec<String> = seeds::words().into_iter().collect();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mutants: Vec<_> = (0..rounds).map(|_| mutant(&mut dice, &seeds, &words)).collect();
    for (i, bytes) in seeds.iter().chain(&mutants).enumerate() {
        let kept = catch_unwind(|| target(bytes));
        assert!(kept.is_ok(), "{name}: input {i} breaks a promise: b\"{}\"", bytes.escape_ascii());
    }
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect();
    paths.sort();
    paths.iter().map(|p| std::fs::read(p).unwrap()).collect()
}

/// Our own configurations.
fn configurations() -> Vec<Vec<u8>> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let all = [files(&examples), files(&examples.join("broken"))].concat();
    all.into_iter().map(|text| text.into_iter().take(LONGEST).collect()).collect()
}

#[test]
fn conf() {
    run("conf", fuzzed::conf, configurations(), 300);
}

#[test]
fn conf_growth() {
    run("conf_growth", fuzzed::conf_growth, configurations().into_iter().take(3).collect(), 2);
}

#[test]
fn vrrp_packet() {
    run("vrrp_packet", fuzzed::vrrp_packet, seeds::conversations(), 5_000);
}

#[test]
fn replay() {
    run("replay", fuzzed::replay, seeds::nights(), 2_000);
}

#[test]
fn netlink() {
    run("netlink", fuzzed::netlink, seeds::messages(), 10_000);
}

#[test]
fn ip_vs_conn() {
    run("ip_vs_conn", fuzzed::ip_vs_conn, Vec::new(), 5_000);
}

#[test]
fn http() {
    run("http", fuzzed::http, Vec::new(), 5_000);
}

#[test]
fn questions() {
    run("questions", fuzzed::questions, Vec::new(), 5_000);
}

#[test]
fn rule_lines() {
    run("rule_lines", fuzzed::rule_lines, Vec::new(), 5_000);
}
