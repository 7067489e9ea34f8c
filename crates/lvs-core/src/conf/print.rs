//! A typed configuration as keepalived's text again. Reading it back gives the same configuration.
//!
//! A line stands there for what would be otherwise without it, and for what every reader looks for; definitions and
//! includes are spelled out. What is not in the typed configuration (mail, SNMP, ...) is not in the text.

mod service;
mod vrrp;

use std::fmt::{Display, Write as _};
use std::time::Duration;

use super::model::{
    Command, Config, Fifo, Garp, Global, Script, SyncDaemon, TrackFile, TrackProcess, VrrpVersion, Weight,
};
use super::place::At;

/// The configuration as a file.
pub fn print(config: &Config) -> String {
    let mut out = Out::default();
    global(&mut out, &config.global);
    config.scripts.iter().for_each(|s| script(&mut out, s));
    config.track_files.iter().for_each(|f| track_file(&mut out, f));
    config.track_processes.iter().for_each(|p| track_process(&mut out, p));
    vrrp::print(&mut out, config);
    service::print(&mut out, config);
    if out.text.is_empty() {
        // A file with nothing in it is taken for one that was cut off.
        out.block("global_defs", |_| {});
    }
    out.text
}

/// Text under way, indented by blocks.
#[derive(Default)]
struct Out {
    text: String,
    depth: usize,
}

impl Out {
    /// A line of words that need no quotes.
    fn line(&mut self, words: impl Display) {
        let _ = writeln!(self.text, "{:1$}{words}", "", self.depth * 4);
    }

    /// A keyword with a word that may need quotes.
    fn word(&mut self, key: &str, value: &str) {
        self.line(format_args!("{key} {}", quote(value)));
    }

    /// The same for a word that may be missing.
    fn optional(&mut self, key: &str, value: Option<&At<String>>) {
        if let Some(value) = value {
            self.word(key, value);
        }
    }

    /// A value, unless it is what stands there without the line.
    fn value<T: Copy + Display + PartialEq>(&mut self, key: &str, value: T, default: T) {
        if value != default {
            self.line(format_args!("{key} {value}"));
        }
    }

    fn seconds(&mut self, key: &str, value: Duration, default: Duration) {
        if value != default {
            self.line(format_args!("{key} {}", seconds(value)));
        }
    }

    fn switch(&mut self, key: &str, value: bool, default: bool) {
        if value != default {
            self.line(format_args!("{key}{}", if value { "" } else { " off" }));
        }
    }

    /// A bare keyword, if it holds.
    fn flag(&mut self, key: &str, value: bool) {
        if value {
            self.line(key);
        }
    }

    fn command(&mut self, key: &str, command: Option<&Command>) {
        if let Some(c) = command {
            self.line(format_args!(
                "{key} {}{}",
                command_line(&c.argv),
                owner(c.user.as_ref(), c.group.as_ref())
            ));
        }
    }

    /// A block with what `inside` writes.
    fn block(&mut self, title: impl Display, inside: impl FnOnce(&mut Self)) {
        self.line(format_args!("{title} {{"));
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.line("}");
    }
}

/// A word as it must be written: in quotes where it would be cut, or taken for something else.
fn quote(word: &str) -> String {
    let special = |c: char| c.is_ascii_whitespace() || "\"#!{}\u{b}".contains(c);
    if word.is_empty() || word.contains(special) || word.starts_with(['@', '~', '$']) {
        format!("\"{word}\"")
    } else {
        word.to_owned()
    }
}

/// A command with its arguments as one quoted word.
fn command_line(argv: &[String]) -> String {
    let words: Vec<String> = argv.iter().map(|a| argument(a)).collect();
    format!("\"{}\"", words.join(" "))
}

/// It is cut twice, so that what is escaped once in itself is escaped once more in the line.
fn argument(word: &str) -> String {
    if word.is_empty() {
        return "''".to_owned();
    }
    let plain = |c: char| !c.is_ascii_whitespace() && !"'\"\\\u{b}".contains(c);
    let mut out = String::new();
    for c in word.chars() {
        match c {
            '\n' => out.push_str("\\\\n"),
            '\r' => out.push_str("\\\\r"),
            '"' => out.push_str("\\\\\\\""),
            '\\' => out.push_str("\\\\\\\\"),
            c if plain(c) => out.push(c),
            c => out.extend(['\\', '\\', c]),
        }
    }
    out
}

/// ` USER GROUP`.
fn owner(user: Option<&At<String>>, group: Option<&At<String>>) -> String {
    [user, group].into_iter().flatten().fold(String::new(), |s, name| s + " " + &quote(name))
}

/// Seconds with as many decimals as needed.
fn seconds(d: Duration) -> String {
    let text = format!("{}.{:06}", d.as_secs(), d.subsec_micros());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn global(out: &mut Out, g: &Global) {
    let mut inside = Out { depth: 1, ..Out::default() };
    global_lines(&mut inside, g, &Global::default());
    if !inside.text.is_empty() {
        out.block("global_defs", |out| out.text.push_str(&inside.text));
    }
}

fn global_lines(out: &mut Out, g: &Global, usual: &Global) {
    out.optional("router_id", g.router_id.as_ref());
    out.optional("vmac_prefix", g.vmac_prefix.as_ref());
    out.optional("vmac_addr_prefix", g.vmac_addr_prefix.as_ref());
    if let Some(user) = &g.script_user {
        out.line(format_args!("script_user{}", owner(Some(user), g.script_group.as_ref())));
    }
    out.switch("enable_script_security", *g.script_security, false);
    out.flag("dynamic_interfaces", g.dynamic_interfaces.value);
    out.optional("default_interface", g.default_interface.as_ref());
    out.command("startup_script", g.startup_script.as_ref());
    out.seconds("startup_script_timeout", *g.startup_timeout, *usual.startup_timeout);
    out.command("shutdown_script", g.shutdown_script.as_ref());
    out.seconds("shutdown_script_timeout", *g.shutdown_timeout, *usual.shutdown_timeout);
    fifo(out, "notify_fifo", g.notify_fifo.as_ref());
    fifo(out, "vrrp_notify_fifo", g.vrrp_fifo.as_ref());
    fifo(out, "lvs_notify_fifo", g.lvs_fifo.as_ref());
    global_vrrp(out, g, usual);
    global_lvs(out, g);
}

fn fifo(out: &mut Out, key: &str, fifo: Option<&Fifo>) {
    if let Some(f) = fifo {
        out.line(format_args!("{key} {}{}", quote(&f.path), owner(f.user.as_ref(), f.group.as_ref())));
        out.command(&format!("{key}_script"), f.script.as_ref());
    }
}

fn global_vrrp(out: &mut Out, g: &Global, usual: &Global) {
    out.value("vrrp_version", version(*g.version), version(*usual.version));
    out.switch("vrrp_strict", *g.strict, false);
    out.value("vrrp_mcast_group4", *g.mcast_group4, *usual.mcast_group4);
    out.value("vrrp_mcast_group6", *g.mcast_group6, *usual.mcast_group6);
    out.switch("vrrp_skip_check_adv_addr", *g.skip_check_adv_addr, false);
    out.switch("vrrp_check_unicast_src", *g.check_unicast_src, false);
    // Without lines of their own these are what masters do.
    let garp =
        Garp { lower_prio_delay: g.garp.master_delay, lower_prio_repeat: g.garp.master_repeat, ..usual.garp };
    vrrp::garp(out, "vrrp_", &g.garp, &garp);
    out.seconds("vrrp_garp_interval", *g.garp_interval, Duration::ZERO);
    out.seconds("vrrp_gna_interval", *g.gna_interval, Duration::ZERO);
    out.switch("vrrp_min_garp", *g.min_garp, false);
    out.switch("vrrp_lower_prio_no_advert", *g.lower_prio_no_advert, false);
    out.switch("vrrp_higher_prio_send_advert", *g.higher_prio_send_advert, false);
    out.value("vrrp_down_timer_adverts", *g.down_timer_adverts, *usual.down_timer_adverts);
    out.seconds("vrrp_startup_delay", *g.startup_delay, Duration::ZERO);
    out.switch("vrrp_notify_priority_changes", *g.notify_priority_changes, false);
    if let Some(n) = g.rt_priority {
        out.line(format_args!("vrrp_rt_priority {}", n.value));
    }
    out.flag("vrrp_no_swap", g.no_swap.value);
    out.value("max_auto_priority", *g.max_auto_priority, *usual.max_auto_priority);
    let delay = |g: &Global| g.min_auto_priority_delay.as_micros();
    out.value("min_auto_priority_delay", delay(g), delay(usual));
}

fn version(v: VrrpVersion) -> u8 {
    match v {
        VrrpVersion::V2 => 2,
        VrrpVersion::V3 => 3,
    }
}

fn global_lvs(out: &mut Out, g: &Global) {
    if let Some(n) = g.checker_rt_priority {
        out.line(format_args!("checker_rt_priority {}", n.value));
    }
    out.flag("checker_no_swap", g.checker_no_swap.value);
    if let Some(d) = &g.sync_daemon {
        out.line(sync_daemon(d));
    }
    if let Some(t) = g.timeouts {
        out.line(format_args!("lvs_timeouts tcp {} tcpfin {} udp {}", t.tcp, t.tcp_fin, t.udp));
    }
    out.flag("lvs_flush", g.flush.value);
    out.flag("lvs_flush_on_stop", g.flush_on_stop.value);
    out.switch("checker_log_all_failures", *g.log_all_failures, false);
    out.flag("rs_init_notifies", g.rs_init_notifies.value);
}

fn sync_daemon(d: &SyncDaemon) -> String {
    let mut line =
        format!("lvs_sync_daemon {} {} id {}", quote(&d.interface), quote(&d.instance), d.id.value);
    let numbers = [("maxlen", d.max_len.value), ("port", d.port.value), ("ttl", u16::from(d.ttl.value))];
    for (key, value) in numbers.into_iter().filter(|(_, v)| *v > 0) {
        let _ = write!(line, " {key} {value}");
    }
    if let Some(group) = d.group {
        let _ = write!(line, " group {}", group.value);
    }
    line
}

fn script(out: &mut Out, s: &Script) {
    out.block(format_args!("vrrp_script {}", quote(&s.name)), |out| {
        out.line(format_args!("script {}", command_line(&s.command.argv)));
        if let Some(user) = &s.command.user {
            out.line(format_args!("user{}", owner(Some(user), s.command.group.as_ref())));
        }
        out.seconds("interval", *s.interval, Duration::from_secs(1));
        out.seconds("timeout", *s.timeout, *s.interval);
        weight(out, *s.weight, Weight::default());
        out.value("rise", *s.rise, 1);
        out.value("fall", *s.fall, 1);
        out.switch("init_fail", *s.init_fail, false);
    });
}

/// The weight of a tracked thing, `N [reverse]`.
fn weight(out: &mut Out, w: Weight, default: Weight) {
    if w != default {
        out.line(format_args!("weight {}", vrrp::weight(w)));
    }
}

/// The weight of a track file or process.
const ONE: Weight = Weight { value: 1, reverse: false };

fn track_file(out: &mut Out, f: &TrackFile) {
    out.block(format_args!("track_file {}", quote(&f.name)), |out| {
        out.word("file", &f.path);
        weight(out, *f.weight, ONE);
        if let Some(At { value: (number, overwrite), .. }) = f.init {
            out.line(format_args!("init_file {number}{}", if overwrite { " overwrite" } else { "" }));
        }
    });
}

fn track_process(out: &mut Out, p: &TrackProcess) {
    out.block(format_args!("vrrp_track_process {}", quote(&p.name)), |out| {
        out.line(format_args!("process {}", command_line(&p.process)));
        out.optional("param_match", p.param_match.as_ref());
        weight(out, *p.weight, ONE);
        out.value("quorum", *p.quorum, 1);
        if let Some(most) = p.quorum_max {
            out.line(format_args!("quorum_max {}", most.value));
        }
        out.seconds("fork_delay", *p.fork_delay, Duration::ZERO);
        out.seconds("terminate_delay", *p.terminate_delay, Duration::ZERO);
        out.flag("full_command", p.full_command.value);
    });
}

#[cfg(test)]
mod tests;
