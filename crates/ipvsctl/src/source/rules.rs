//! A file of rule lines as the table that they make of an empty one.

use lvs_core::plan::{Op, step};
use lvs_core::rule::{self, Command};
use lvs_core::sys::names::System;
use lvs_core::table::Table;

use crate::restore;

/// The table after these lines from an empty one; every line that is wrong otherwise, with its number.
pub(super) fn table(text: &str) -> Result<Table, Vec<(usize, String)>> {
    let mut table = Table::default();
    let mut wrong = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if restore::is_comment(line) || restore::words(line).next().is_none() {
            continue;
        }
        if let Err(e) = rule_line(&mut table, line) {
            wrong.push((i + 1, e));
        }
    }
    if wrong.is_empty() { Ok(table) } else { Err(wrong) }
}

fn rule_line(table: &mut Table, line: &str) -> Result<(), String> {
    match rule::parse(restore::words(line), &System) {
        Ok(
            Command::Op(Op::SetTimeouts(_) | Op::StartDaemon(_) | Op::StopDaemon(..) | Op::Zero(_))
            | Command::List(_),
        ) => Err("a table has services and real servers only".to_owned()),
        Ok(Command::Op(op)) if step(table, &op) => Ok(()),
        Ok(Command::Op(op)) => Err(misfit(table, &op)),
        Ok(_) => Err("a table has services and real servers only".to_owned()),
        Err(refusal) => Err(refusal.text),
    }
}

/// Why an operation does not fit the lines before it.
pub(crate) fn misfit(table: &Table, op: &Op) -> String {
    match op {
        Op::AddService(key, _) => format!("an earlier line adds the service {key} already"),
        Op::AddServer(key, server, _) if table.services.contains_key(key) => {
            format!("an earlier line adds the real server {server} of {key} already")
        }
        Op::EditServer(key, server, _) | Op::DelServer(key, server) if table.services.contains_key(key) => {
            format!("no line before it adds the real server {server} of {key}")
        }
        Op::AddServer(key, ..)
        | Op::EditServer(key, ..)
        | Op::DelServer(key, _)
        | Op::EditService(key, _)
        | Op::DelService(key)
        | Op::Zero(Some(key)) => format!("no line before it adds the service {key} (-A {key})"),
        other => format!("{other} does not fit the lines before it"),
    }
}
