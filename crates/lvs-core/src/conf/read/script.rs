//! `vrrp_script`, `track_file`, `vrrp_track_process`.

use std::time::Duration;

use super::{At, Cx, name};
use crate::conf::model::{Script, TrackFile, TrackProcess, Weight};
use crate::conf::schema::{Block, TOP};
use crate::conf::tree::Stmt;

/// The keywords of a block at the top level.
pub(super) fn block(keyword: &str) -> &'static Block {
    TOP.find(keyword).and_then(|k| k.block).unwrap_or(&TOP)
}

/// `vrrp_script NAME { }`.
pub(super) fn script(cx: &mut Cx<'_>, stmt: Stmt<'_>) -> Option<Script> {
    let keywords = block("vrrp_script");
    let (mut command, mut timeout, mut user, mut group) = (None, None, None, None);
    let mut interval = At::assumed(Duration::from_secs(1));
    let mut weight = At::default();
    let (mut rise, mut fall, mut init_fail) = (At::assumed(1), At::assumed(1), At::default());
    for s in cx.statements(stmt, keywords) {
        let (key, s) = (s.key, s.stmt);
        match key {
            "script" => command = cx.command(s, 1),
            "interval" => cx.set_positive(s, &mut interval),
            "timeout" => timeout = cx.seconds(s, 1, Duration::from_micros(1), Duration::MAX),
            "weight" => weight = cx.weight(s, 1, 253).unwrap_or(weight),
            "rise" => cx.set_count(s, 1..=i32::MAX as u32, &mut rise),
            "fall" => cx.set_count(s, 1..=i32::MAX as u32, &mut fall),
            "user" => (user, group) = (Cx::text(s, 1), Cx::text(s, 2)),
            "init_fail" => cx.set_switch(s, &mut init_fail),
            other => cx.untyped(other, keywords, s),
        }
    }
    let Some(mut command) = command else {
        let message = format!("vrrp_script {} has no script; it is left out", stmt.get(1).unwrap_or(""));
        cx.drop_block(
            "missing-script",
            stmt,
            stmt.place(0),
            message,
            "add a line: script /path/of/a/program",
        );
        return None;
    };
    if user.is_some() {
        (command.user, command.group) = (user, group);
    }
    let timeout = timeout.unwrap_or(At::assumed(interval.value));
    Some(Script { name: name(stmt), command, interval, timeout, weight, rise, fall, init_fail })
}

impl Cx<'_> {
    /// `N [reverse]` from the n-th word.
    pub(super) fn weight(&mut self, s: Stmt<'_>, n: usize, most: i64) -> Option<At<Weight>> {
        let value = self.number(s, n, -most..=most)?;
        let reverse = match s.get(n + 1) {
            Some("reverse") => true,
            Some(other) => {
                let message = format!("'{other}' after a weight has no effect");
                self.findings
                    .warning("unknown-option", s.place(n + 1), message)
                    .help("write reverse or nothing");
                false
            }
            None => false,
        };
        Some(At::new(Weight { value: value.value as i32, reverse }, value.place))
    }
}

/// `track_file NAME { }`.
pub(super) fn file(cx: &mut Cx<'_>, stmt: Stmt<'_>) -> Option<TrackFile> {
    let keywords = block("track_file");
    let (mut path, mut init) = (None, None);
    let mut weight = At::assumed(Weight { value: 1, reverse: false });
    for s in cx.statements(stmt, keywords) {
        let (key, s) = (s.key, s.stmt);
        match key {
            "file" => path = Cx::text(s, 1),
            "weight" => weight = cx.weight(s, 1, 254).unwrap_or(weight),
            "init_file" => init = Some(init_file(cx, s)),
            other => cx.untyped(other, keywords, s),
        }
    }
    let Some(path) = path else {
        let message = format!("track_file {} has no file; it is left out", stmt.get(1).unwrap_or(""));
        cx.drop_block("missing-file", stmt, stmt.place(0), message, "add a line: file /path/of/the/file");
        return None;
    };
    Some(TrackFile { name: name(stmt), path, weight, init })
}

fn init_file(cx: &mut Cx<'_>, s: Stmt<'_>) -> At<(i64, bool)> {
    let overwrite = s.get(1) == Some("overwrite") || s.get(2) == Some("overwrite");
    let has_number = s.get(1).is_some_and(|w| w != "overwrite");
    let number = if has_number { cx.number(s, 1, i64::from(i32::MIN)..=i64::from(i32::MAX)) } else { None };
    At::new((number.map_or(0, |n| n.value), overwrite), s.place(0))
}

/// `vrrp_track_process NAME { }`.
pub(super) fn process(cx: &mut Cx<'_>, stmt: Stmt<'_>) -> Option<TrackProcess> {
    let keywords = block("vrrp_track_process");
    let mut out = TrackProcess {
        name: name(stmt),
        process: At::default(),
        param_match: None,
        weight: At::assumed(Weight { value: 1, reverse: false }),
        quorum: At::assumed(1),
        quorum_max: None,
        fork_delay: At::default(),
        terminate_delay: At::default(),
        full_command: At::default(),
    };
    for s in cx.statements(stmt, keywords) {
        process_line(cx, s.key, s.stmt, &mut out, keywords);
    }
    if out.process.is_empty() {
        let message = format!("vrrp_track_process {} has no process; it is left out", out.name.value);
        cx.drop_block("missing-process", stmt, stmt.place(0), message, "add a line: process NAME");
        return None;
    }
    Some(out)
}

fn process_line(cx: &mut Cx<'_>, key: &str, s: Stmt<'_>, out: &mut TrackProcess, keywords: &Block) {
    let most = u32::MAX;
    match key {
        "process" => out.process = cx.command(s, 1).map_or_else(At::default, |c| c.argv),
        "param_match" => {
            let choices = [("initial", Some("initial")), ("partial", Some("partial")), ("exact", None)];
            let found = cx.choice(s, 1, &choices);
            out.param_match = found.and_then(|f| f.value.map(|v| At::new(v.to_owned(), f.place)));
        }
        "weight" => out.weight = cx.weight(s, 1, 254).unwrap_or(out.weight),
        "quorum" => cx.set_count(s, 1..=most, &mut out.quorum),
        "quorum_max" => out.quorum_max = cx.count(s, 1, 0..=most),
        "delay" => {
            cx.set_seconds(s, &mut out.fork_delay);
            out.terminate_delay = out.fork_delay;
        }
        "fork_delay" => cx.set_seconds(s, &mut out.fork_delay),
        "terminate_delay" => cx.set_seconds(s, &mut out.terminate_delay),
        "full_command" => out.full_command = At::new(true, s.place(0)),
        other => cx.untyped(other, keywords, s),
    }
}

/// The place of a keyword, for a default that a bare keyword stands for.
pub(super) fn on(s: Stmt<'_>) -> At<bool> {
    At::new(true, s.place(0))
}

/// The same for off.
pub(super) fn off(s: Stmt<'_>) -> At<bool> {
    At::new(false, s.place(0))
}
