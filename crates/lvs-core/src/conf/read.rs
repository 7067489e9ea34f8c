//! The tree into the typed configuration, judged by the schema on the way.

mod address;
mod balance;
mod check;
mod command;
mod global;
mod http;
mod instance;
mod leave;
mod link;
mod mail;
mod real;
mod script;
mod server_group;
mod service;
mod statics;
mod track;
mod value;
mod vmac;
mod weightless;

pub(super) use check::retries;
pub(super) use leave::leave_out;

use super::findings::Findings;
use super::model::{Config, Global, Outline};
use super::place::{At, Place};
use super::schema::{self, Block, Keyword, Status};
use super::source::Sources;
use super::suggest;
use super::tree::{Stmt, Tree};

/// What a reader of a block needs besides the block.
pub(super) struct Cx<'a> {
    /// Where findings go.
    pub(super) findings: &'a mut Findings,
    /// `global_defs`, complete before any other block is read.
    pub(super) global: Global,
    /// The preferences of the next rules without one, IPv4 and IPv6.
    pub(super) preferences: [u32; 2],
}

/// A statement with the keyword that it is.
#[derive(Clone, Copy)]
pub(super) struct Known<'t> {
    /// The keyword's present name, also where an old one is written.
    pub(super) key: &'static str,
    /// The statement.
    pub(super) stmt: Stmt<'t>,
}

/// Reads a whole tree.
pub(super) fn config(sources: &Sources, tree: &Tree, findings: &mut Findings) -> Config {
    let mut cx = Cx { findings, global: Global::default(), preferences: [statics::PREFERENCE; 2] };
    let (statements, outline) = outline(&mut cx, tree.top(sources));
    if outline.known == 0 && cx.findings.errors() == 0 {
        let place = Place { line: 1, col: 1, file: 0, len: 1 };
        let message = "nothing in this file is recognised".to_owned();
        // Whoever follows such a file, half written or cut off, would take everything down.
        cx.findings.error("nothing-here", place, message).help("is it the right file, and whole?");
    }
    let mut config = Config { files: sources.files.clone(), outline, ..Config::default() };
    // Defaults come from global_defs wherever in the file they stand.
    for s in statements.iter().filter(|s| s.key == "global_defs") {
        global::read(&mut cx, s.stmt);
    }
    global::finish(&mut cx);
    for s in &statements {
        cx.findings.within(Some(s.key));
        let before = (cx.findings.errors(), leave::count(&config));
        block(&mut cx, &mut config, *s);
        let errors = cx.findings.errors() - before.0;
        if errors > 0 {
            leave::mark(&mut config, *s, before.1, errors);
        }
    }
    config.global = std::mem::take(&mut cx.global);
    link::resolve(&mut cx, &mut config);
    cx.findings.within(None);
    config
}

/// The blocks that are known, and what is passed over beside them.
fn outline<'t>(cx: &mut Cx<'_>, top: impl Iterator<Item = Stmt<'t>>) -> (Vec<Known<'t>>, Outline) {
    let mut outline = Outline::default();
    let mut known = Vec::new();
    for stmt in top.filter(|s| s.len() > 0) {
        match cx.judge(stmt, &schema::TOP) {
            Some(s) => known.push(s),
            None => outline.skipped.push(stmt.place(0)),
        }
    }
    outline.known = known.len();
    (known, outline)
}

fn block(cx: &mut Cx<'_>, config: &mut Config, s: Known<'_>) {
    let stmt = s.stmt;
    match s.key {
        "vrrp_instance" => config.instances.extend(instance::read(cx, stmt)),
        "vrrp_sync_group" => config.sync_groups.extend(track::sync_group(cx, stmt)),
        "vrrp_script" => config.scripts.extend(script::script(cx, stmt)),
        "track_file" => config.track_files.extend(script::file(cx, stmt)),
        "vrrp_track_process" => config.track_processes.extend(script::process(cx, stmt)),
        "track_group" => config.track_groups.extend(statics::track_group(cx, stmt)),
        "static_ipaddress" => statics::addresses(cx, stmt, &mut config.static_addresses),
        "static_routes" => statics::routes(cx, stmt, &mut config.static_routes),
        "static_rules" => statics::rules(cx, stmt, &mut config.static_rules),
        "virtual_server" => config.virtual_servers.extend(service::read(cx, stmt)),
        "virtual_server_group" => config.server_groups.extend(server_group::read(cx, stmt)),
        "global_defs" => {}
        other => cx.untyped(other, &schema::TOP, stmt),
    }
}

impl Cx<'_> {
    /// The known statements of a block, everything else being reported.
    pub(super) fn statements<'t>(&mut self, stmt: Stmt<'t>, block: &'static Block) -> Vec<Known<'t>> {
        stmt.children().filter_map(|s| self.judge(s, block)).collect()
    }

    fn judge<'t>(&mut self, stmt: Stmt<'t>, block: &'static Block) -> Option<Known<'t>> {
        if stmt.len() == 0 {
            return None;
        }
        let Some(keyword) = block.find(stmt.key()) else {
            self.unknown(stmt, block);
            return None;
        };
        self.status(stmt, keyword, block);
        if !self.shape(stmt, keyword) {
            return None;
        }
        match keyword.status {
            Status::Old(key) => Some(Known { key, stmt }),
            Status::Foreign(_) => None,
            _ => Some(Known { key: keyword.name, stmt }),
        }
    }

    /// Says what will not be done.
    fn status(&mut self, stmt: Stmt<'_>, keyword: &Keyword, block: &Block) {
        let place = stmt.place(0);
        let name = keyword.name;
        match keyword.status {
            Status::Unsupported(differs) if self.worth_saying(stmt, differs, block) => {
                let message = format!("{name} is not supported: {differs}");
                self.findings.warning("not-supported", place, message).until(stmt.last_line());
            }
            Status::Old(of) if block.name == "TCP_CHECK" && of == "retry" => {
                let message = format!(
                    "{name} means {of} here; keepalived does not know it in TCP_CHECK and retries once"
                );
                self.findings
                    .note("old-keyword", place, message)
                    .help(format!("write {of}, which both understand"));
            }
            Status::Ignored if self.findings.first("ignored-keyword", &format!("{}/{name}", block.name)) => {
                let message = format!("{name} ({}) has no effect here", keyword.about);
                self.findings.note("ignored-keyword", place, message);
            }
            Status::Foreign(instead) => {
                let message = format!("unknown keyword '{name}' ({}); the line is skipped", keyword.about);
                self.findings.warning("unknown-keyword", place, message).help(instead);
            }
            _ => {}
        }
    }

    /// SNMP and the like have many keywords; that there is none is said once.
    fn worth_saying(&mut self, stmt: Stmt<'_>, differs: &str, block: &Block) -> bool {
        block.name != "global_defs" || stmt.has_block() || self.findings.first("not-supported", differs)
    }

    /// Whether a statement has the words and the block that its keyword takes.
    fn shape(&mut self, stmt: Stmt<'_>, keyword: &Keyword) -> bool {
        let (least, most) = keyword.words();
        let given = stmt.len() - 1;
        let name = keyword.name;
        // Nobody can tell which services or servers incomplete lines were to be, and without them those would be
        // removed: the readers of these make it an error.
        let skips = name != leave::SERVER && name != real::SERVER;
        if given < least && skips {
            let message = format!("{name} needs {}", keyword.takes);
            self.findings.warning("missing-value", stmt.place(0), format!("{message}; the line is skipped"));
            return false;
        }
        if given > most {
            let takes = if keyword.takes.is_empty() { "nothing" } else { keyword.takes };
            // What follows a password is most likely its second half.
            let rest = if name == "auth_pass" { "the second word" } else { stmt.get(most + 1).unwrap_or("") };
            let message = format!("{name} takes {takes}; from '{rest}' on the line has no effect");
            self.findings.warning("extra-words", stmt.place(most + 1), message).help("one statement a line");
        }
        if stmt.has_block() && keyword.block.is_none() {
            let message = format!("{name} takes no block; the block is skipped to line {}", stmt.last_line());
            self.findings.warning("unexpected-block", stmt.place(0), message).until(stmt.last_line());
        }
        if !stmt.has_block() && keyword.block.is_some() && skips {
            let message = format!("{name} needs a block {{ ... }}; the line is skipped");
            self.findings.warning("missing-block", stmt.place(0), message);
            return false;
        }
        true
    }

    fn unknown(&mut self, stmt: Stmt<'_>, block: &'static Block) {
        let name = stmt.key();
        let end = stmt.last_line();
        let message = if stmt.has_block() {
            format!("unknown block '{name}' in {}; it is skipped to line {end}", block.name)
        } else {
            format!("unknown keyword '{name}' in {}; it is skipped", block.name)
        };
        let help = if self.findings.full() { None } else { suggest::help(name, block) };
        let finding = self.findings.warning("unknown-keyword", stmt.place(0), message).until(end);
        if let Some(help) = help {
            finding.help(help);
        }
    }

    /// A keyword that no reader takes. Only those that are not used may end here.
    pub(super) fn untyped(&self, key: &str, block: &Block, _stmt: Stmt<'_>) {
        debug_assert!(
            !matches!(block.find(key).map(|k| k.status), Some(Status::Used(_))),
            "{key} of {} is used but not read",
            block.name
        );
    }

    /// A finding that leaves a block out.
    pub(super) fn drop_block(
        &mut self,
        code: &'static str,
        block: Stmt<'_>,
        place: Place,
        message: String,
        help: &str,
    ) {
        self.findings.error(code, place, message).help(help).until(block.last_line());
    }
}

/// The name of a block, from its first argument.
pub(super) fn name(stmt: Stmt<'_>) -> At<String> {
    At::new(stmt.get(1).unwrap_or("").to_owned(), stmt.place(1))
}
