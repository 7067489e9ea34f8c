//! Files that nobody would write: whatever the bytes, reading ends, does not panic, and points into the file.

#![allow(clippy::unwrap_used)]

use lvs_core::conf::print::print;
use lvs_core::conf::{Diag, Env, NoFiles, parse};
use proptest::prelude::*;

const SEED: &str = include_str!("../../../examples/seed-keepalived.conf");

/// Pieces that mean something to the reader.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "{{",
    "}}",
    "\"",
    "'",
    "#",
    "!",
    "\\",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\u{a0}",
    "\0",
    "$A",
    "${A}",
    "$A=",
    "$A=$A\n",
    "\n$B= \\\nx \\\n$A\n",
    "@me ",
    "@^me ",
    "~SEQ(A,1,3) ",
    "~SEQx(A, 1,2, 9) ",
    "~LST({A,B},{1,2},{3,4}) ",
    "~SEQ(",
    "include *\n",
    "${_RANDOM 1 2}",
    "${_HASH}",
    "0x",
    "-1",
    "99999999999999999999",
    "1.5",
    "::1",
    "10.0.0.1/33",
    "vrrp_instance ",
    "virtual_server ",
    "real_server ",
    "TCP_CHECK {",
    "nonsense",
];

#[derive(Clone, Debug)]
enum Change {
    Insert(usize, usize),
    Remove(usize, usize),
    Repeat(usize, usize),
    Byte(usize, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0usize..4000;
    prop_oneof![
        (at.clone(), 0..PIECES.len()).prop_map(|(at, n)| Change::Insert(at, n)),
        (at.clone(), 1usize..80).prop_map(|(at, n)| Change::Remove(at, n)),
        (at.clone(), 1usize..80).prop_map(|(at, n)| Change::Repeat(at, n)),
        (at, any::<u8>()).prop_map(|(at, b)| Change::Byte(at, b)),
    ]
}

fn apply(text: &mut Vec<u8>, change: &Change) {
    let len = text.len();
    let span = |at: usize, n: usize| (at % (len + 1))..(at % (len + 1) + n).min(len);
    match *change {
        Change::Insert(at, n) => drop(text.splice(span(at, 0), PIECES[n].bytes())),
        Change::Remove(at, n) => drop(text.drain(span(at, n))),
        Change::Repeat(at, n) => {
            let part = text[span(at, n)].to_vec();
            drop(text.splice(span(at, 0), part));
        }
        Change::Byte(at, b) if len > 0 => text[at % len] = b,
        Change::Byte(..) => {}
    }
}

/// Every finding can be shown, and its place is one of the text.
fn judge(text: &[u8], findings: &[Diag]) {
    let lines = text.iter().filter(|b| **b == b'\n').count() + 1;
    for d in findings {
        assert!(!d.to_string().is_empty());
        if let Some(e) = &d.at {
            assert!((1..=lines).contains(&(e.place.line as usize)), "{d}");
            assert!(e.place.col as usize <= e.text.chars().count().max(1000) + 1, "{d}");
        }
    }
}

fn read(text: &[u8]) {
    let env = Env { id: "me".to_owned(), ..Env::default() };
    let (config, findings) = parse("f", text, &mut NoFiles, &env);
    judge(text, &findings);
    let _ = print(&config);
}

proptest! {
    #[test]
    fn a_file_that_was_sound_before_somebody_sat_on_the_keyboard(changes in prop::collection::vec(change(), 1..12)) {
        let mut text = SEED.as_bytes().to_vec();
        changes.iter().for_each(|c| apply(&mut text, c));
        read(&text);
    }

    #[test]
    fn pieces_in_any_order(pieces in prop::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = pieces.iter().map(|n| PIECES[*n]).collect();
        read(text.as_bytes());
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
    }
}
