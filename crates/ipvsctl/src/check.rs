//! `ipvsctl check FILE`: every mistake of a file, and the warnings that save a night.
//!
//! [`subject`] is the file as a table with places, [`judge`] what is thought of it, here is the driver: it reads the
//! file and asks this host for its ways to the real servers.

mod judge;
mod pages;
mod subject;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use lvs_core::conf::check::{self, Format, report};
use lvs_core::conf::{self, Loader};
use lvs_core::sys::conf::{Disk, env, go_by, judged_text};
use lvs_core::sys::ipvs::Client;
use lvs_core::sys::names::System;
use lvs_core::sys::rtnl::{RouteKind, Rtnl};

use self::judge::{Host, Reach, judge};
use self::pages::Texts;
use self::subject::Subject;
use crate::failure::Failure;
use crate::out::print;
use crate::source::{self, Form, doubt};

/// The options of `check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// keepalived.conf, the JSON of 'list --json', or rule lines; - is standard input
    file: String,
    /// Take the @NAME lines of keepalived.conf [default: this host's name to its first dot]
    #[arg(long, short = 'i', value_name = "NAME")]
    config_id: Option<String>,
    /// How findings are printed
    #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true, value_parser = formats())]
    format: Format,
    /// Warnings count: exit 1
    #[arg(long)]
    strict: bool,
    /// Do not look at this host's addresses, routes and timeouts: the file is for another one
    #[arg(long)]
    no_host: bool,
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(["text", "json"]).try_map(|word| word.parse::<Format>())
}

/// Prints the findings; 2 with errors, of which one is that the file cannot be read, 1 with warnings that are to count,
/// else 0.
///
/// # Errors
/// Standard output does not take them.
pub fn run(args: &Args) -> Result<u8, Failure> {
    go_by(args.config_id.clone());
    let name = source::name(&args.file);
    let report = match source::bytes(&args.file) {
        Ok(bytes) => {
            let subject = read(name, bytes, args.no_host);
            let host = if args.no_host { Host::default() } else { host(&subject) };
            report(name, &judge(&subject, &host), &subject.contents, args.format, args.strict)
        }
        Err(why) => check::run(name, Err(why), args.format, args.strict),
    };
    print(&report.text).map(|()| report.status)
}

fn read(name: &str, bytes: Vec<u8>, no_host: bool) -> Subject {
    let text = String::from_utf8_lossy(&bytes);
    match source::form(&text) {
        Form::Json => Subject::of_json(name, &text),
        Form::Rules => Subject::of_rules(name, &text, &System),
        Form::Keepalived => {
            let mut loader = Keeping::default();
            let (config, findings) = if no_host {
                conf::parse(name, &bytes, &mut loader, &env())
            } else {
                judged_text(name, &bytes, &mut loader)
            };
            if config.outline.known == 0 {
                return Subject::unreadable(doubt::nothing(name, &text, &findings));
            }
            drop(text);
            loader.texts.insert(name.to_owned(), bytes);
            Subject::of_config(&config, findings, loader.texts)
        }
    }
}

/// Included files from the disk, kept for excerpts.
#[derive(Default)]
struct Keeping {
    disk: Disk,
    texts: Texts,
}

impl Loader for Keeping {
    fn find(&mut self, from: &str, pattern: &str) -> Result<Vec<String>, String> {
        self.disk.find(from, pattern)
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let bytes = self.disk.read(path)?;
        self.texts.insert(path.to_owned(), bytes.clone());
        Ok(bytes)
    }
}

/// What this host can tell. A file can be checked without rights and without IPVS: then less is known.
fn host(subject: &Subject) -> Host {
    let servers = subject.table.services.values().flat_map(|e| e.servers.keys().map(|s| s.addr));
    let mut reach = BTreeMap::new();
    if let Ok(mut rtnl) = Rtnl::open() {
        for addr in servers {
            reach.entry(addr).or_insert_with(|| way(&mut rtnl, addr));
        }
    }
    // Opening the client would load the module, and a check changes nothing.
    let loaded = Path::new("/proc/net/ip_vs").exists();
    let timeouts = if loaded { Client::open().ok().and_then(|mut c| c.timeouts().ok()) } else { None };
    Host { reach, timeouts }
}

fn way(rtnl: &mut Rtnl, addr: IpAddr) -> Reach {
    match rtnl.route_to(addr) {
        Ok(Some(route)) if route.kind == RouteKind::Local => Reach::Local,
        Ok(Some(route)) => route.gateway.map_or(Reach::Link, Reach::Router),
        Ok(None) | Err(_) => Reach::Nowhere,
    }
}

#[cfg(test)]
mod tests;
