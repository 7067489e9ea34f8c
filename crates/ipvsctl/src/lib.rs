//! ipvsctl: reads and writes the kernel's IPVS table.
//!
//! A first word that begins with `-` is ipvsadm's language ([`adm`]), byte for byte; so is everything under the names
//! ipvsadm, ipvsadm-save and ipvsadm-restore. Any other first word is a verb: those that ipvsadm does not have, each
//! in a file of its own with its tests beside it, are gathered in [`verbs`].

mod adm;
pub mod apply;
pub mod check;
pub mod completions;
mod connections;
pub mod document;
pub mod drain;
pub mod export;
mod face;
pub mod failure;
mod help;
mod layout;
mod list;
pub mod metrics;
mod names;
mod order;
mod out;
mod restore;
mod save;
pub mod service;
mod session;
pub mod show;
pub mod snapshot;
mod source;
pub mod top;
mod units;
pub mod verbs;

use std::ffi::OsString;

use face::Face;

/// Runs the program with its arguments, the name that it was called by first; its exit status.
pub fn main(args: impl Iterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.collect();
    let mut words = args.iter().map(|a| a.to_string_lossy());
    let face = Face::of(&words.next().unwrap_or_default());
    let words: Vec<String> = words.map(std::borrow::Cow::into_owned).collect();
    match face {
        Face::Save => adm::save_script(&words),
        Face::Restore => adm::restore_script(),
        Face::Ipvsctl if words.first().is_some_and(|w| !w.starts_with('-')) => verbs::main(args),
        Face::Ipvsadm | Face::Ipvsctl => adm::run(face, &words),
    }
}
