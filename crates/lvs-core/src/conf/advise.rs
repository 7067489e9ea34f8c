//! What an expert says about a file that is right by the letter, each with its reason.

use std::collections::HashSet;
use std::time::Duration;

use super::findings::Findings;
use super::model::{Check, CheckKind, Config, Instance, RealServer, Target, VirtualServer};
use super::source::{Env, Host, JudgeRegex};

/// Adds advice about a configuration; with facts about the host also about what does not fit it.
pub(super) fn advise(config: &Config, env: &Env, findings: &mut Findings) {
    let host = env.host.as_ref();
    for instance in &config.instances {
        vrrp(instance, findings);
        strict(instance, findings);
        if let Some(host) = host {
            interfaces(instance, host, findings);
        }
    }
    passwords(config, host, findings);
    mails(config, findings);
    for vs in &config.virtual_servers {
        quorum(vs, findings);
        mark(vs, findings);
        unchecked(vs, findings);
    }
    if let Some(host) = host {
        programs(config, host, findings);
        scripts(config, host, findings);
        notifiers(config, host, findings);
    }
    if let Some(judge) = env.regex {
        expressions(config, judge, findings);
    }
    schedules(config, findings);
}

fn vrrp(i: &Instance, findings: &mut Findings) {
    if i.addresses.is_empty() {
        let message =
            format!("vrrp_instance {} has no virtual_ipaddress: its election moves nothing", i.name.value);
        findings.warning("no-vip", i.name.place, message).help("add virtual_ipaddress { ADDRESS }");
    }
    if !i.priority.is_written() && i.priority.value == 100 {
        let message = format!("vrrp_instance {} has the default priority 100", i.name.value);
        let help = "give each router another priority: between equal ones the higher address wins, which nobody remembers";
        findings.note("default-priority", i.name.place, message).help(help);
    }
    for vip in i.addresses.iter().filter(|a| !a.prefix.is_host() && a.prefix.is_written()) {
        let message =
            format!("{} brings a route to its whole network to every router that holds it", vip.prefix.value);
        let help = format!("write {} alone unless this route is wanted", vip.prefix.addr);
        findings.note("vip-prefix", vip.prefix.place, message).help(help);
    }
}

fn strict(i: &Instance, findings: &mut Findings) {
    if !i.strict.value {
        return;
    }
    if !i.accept.value {
        let message = format!(
            "strict rules: the VIPs of {} answer no ping and no connection unless its priority is 255",
            i.name.value
        );
        let help =
            "remove vrrp_strict, or add accept to the instance; a director with direct routing needs neither";
        findings.warning("strict-no-accept", i.name.place, message).help(help);
    }
}

fn interfaces(i: &Instance, host: &Host, findings: &mut Findings) {
    let vmac = i.vmac.as_ref().map(|v| v.name.value.as_str());
    let own = i.interface.iter();
    let vips = i.addresses.iter().chain(&i.excluded).map(|a| &a.dev).filter(|d| d.is_written());
    let tracked = i.track.interfaces.iter().map(|r| &r.name);
    for name in own.chain(vips).chain(tracked) {
        if !host.interfaces.contains(&name.value) && vmac != Some(name.as_str()) {
            let message = format!(
                "this host has no interface {}: {} waits in FAULT until it appears",
                name.value, i.name.value
            );
            let near = crate::text::nearest(name, host.interfaces.iter().map(String::as_str));
            let has = || host.interfaces.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let help =
                near.map_or_else(|| format!("the host has {}", has()), |n| format!("did you mean '{n}'?"));
            findings.warning("no-interface", name.place, message).help(help);
        }
    }
}

fn passwords(config: &Config, host: Option<&Host>, findings: &mut Findings) {
    let Some(host) = host else { return };
    for auth in config.instances.iter().filter_map(|i| i.authentication.as_ref()) {
        let file = config.files.name(auth.password.place.file);
        if host.exposed.contains(file) && findings.first("exposed-password", file) {
            let message = format!("every user of this host can read the password in {file}");
            findings
                .warning("exposed-password", auth.password.place, message)
                .help(format!("chmod o-r {file}"));
        }
    }
}

/// The original is silent about mails that it cannot send.
fn mails(config: &Config, findings: &mut Findings) {
    let mail = &config.global.mail;
    let vrrp = config.instances.iter().map(|i| i.notify.mail);
    let groups = config.sync_groups.iter().map(|g| g.notify.mail);
    let own =
        config.virtual_servers.iter().flat_map(|v| v.real_servers.iter().map(|r| r.mail).chain([v.mail]));
    let mut alerts = [mail.any, mail.vrrp, mail.checker].into_iter().chain(vrrp).chain(groups).chain(own);
    let alert = alerts.find_map(|a| a.filter(|on| **on)).map(|on| on.place);
    let wish = mail.to.first().map(|to| to.place);
    let (Some(place), lacks, help) = (match (wish, &mail.server) {
        (None, _) => (alert, "notification_email", "notification_email { ADDRESS }"),
        (_, None) => (wish, "smtp_server", "smtp_server 127.0.0.1"),
        _ => return,
    }) else {
        return;
    };
    let message = format!("no mail is sent: global_defs has no {lacks}");
    findings.warning("no-mail", place, message).help(format!("add {help} to global_defs"));
}

fn weights(vs: &VirtualServer) -> u64 {
    vs.real_servers.iter().map(|rs| u64::from(rs.weight.value)).sum()
}

/// The quorum comes back at `quorum + hysteresis`, so that this sum must be within reach.
fn quorum(vs: &VirtualServer, findings: &mut Findings) {
    let needed = u64::from(vs.quorum.value) + u64::from(vs.hysteresis.value);
    let sum = weights(vs);
    if vs.hysteresis.value > 0 && needed > sum {
        let message = format!(
            "once lost, the quorum is never regained: that takes weights of {needed}, and all together have {sum}"
        );
        let help = match sum.saturating_sub(u64::from(vs.quorum.value)) {
            0 => "remove the line".to_owned(),
            most => format!("write hysteresis {most} or less"),
        };
        findings.warning("quorum-unreachable", vs.hysteresis.place, message).help(help);
    }
}

fn mark(vs: &VirtualServer, findings: &mut Findings) {
    if let (Target::Mark(mark), Some(persistence)) = (&vs.target.value, &vs.persistence) {
        let message = format!(
            "persistence on firewall mark {mark} ties all ports of a client together: one real server for all of them"
        );
        let help = "right for services that belong together (FTP, HTTP with HTTPS); otherwise use one mark a service";
        findings.note("mark-persistence", persistence.place, message).help(help);
    }
}

fn unchecked(vs: &VirtualServer, findings: &mut Findings) {
    for rs in vs.real_servers.iter().filter(|rs| rs.checks.is_empty()) {
        let message = format!(
            "real_server {} has no checker: it gets connections even when it is dead",
            rs.endpoint.value
        );
        findings.warning("no-checker", rs.endpoint.place, message).help("add TCP_CHECK { }");
    }
}

const MEND_PROGRAM: &str = "install it, or mend its path or rights";

fn expressions(config: &Config, judge: JudgeRegex, findings: &mut Findings) {
    let checks = config.virtual_servers.iter().flat_map(|vs| &vs.real_servers).flat_map(|rs| &rs.checks);
    let urls = checks.filter_map(|check| match &check.kind {
        CheckKind::Http(http) | CheckKind::Ssl(http) => Some(&http.urls),
        _ => None,
    });
    for url in urls.flatten() {
        let (Some(regex), Err(why)) = (&url.regex, judge(url)) else { continue };
        let message =
            format!("regex '{}' is not used: {why}: the page counts by its status alone", regex.value);
        findings
            .warning("bad-regex", regex.place, message)
            .help("write it more simply, or let a MISC_CHECK look at the page");
    }
}

fn programs(config: &Config, host: &Host, findings: &mut Findings) {
    let servers = config.virtual_servers.iter().flat_map(|vs| &vs.real_servers);
    for rs in servers {
        for check in &rs.checks {
            let CheckKind::Misc(misc) = &check.kind else { continue };
            let Some(why) = misc.command.argv.first().and_then(|p| host.refused.get(p)) else { continue };
            let message =
                format!("{why}: nothing is checked by it, real_server {} counts as alive", rs.endpoint.value);
            findings.warning("no-program", misc.command.argv.place, message).help(MEND_PROGRAM);
        }
    }
}

/// Scripts that some instance or group tracks; what nobody tracks is not run.
fn scripts(config: &Config, host: &Host, findings: &mut Findings) {
    for script in config.tracked_scripts() {
        let Some(why) = script.command.argv.first().and_then(|p| host.refused.get(p)) else { continue };
        let message = format!("{why}: vrrp_script {} counts as failed", script.name.value);
        findings.warning("no-program", script.command.argv.place, message).help(MEND_PROGRAM);
    }
}

/// Programs that are told of changes and would not be run, each once.
fn notifiers(config: &Config, host: &Host, findings: &mut Findings) {
    let mut said = HashSet::new();
    for command in config.notifiers() {
        let Some((program, why)) = command.argv.first().and_then(|p| host.refused.get_key_value(p)) else {
            continue;
        };
        if said.insert(program) {
            let message = format!("{why}: nobody is told by it");
            findings.warning("no-program", command.argv.place, message).help(MEND_PROGRAM);
        }
    }
}

/// Files with more schedules than this were made by a program, and nobody reads them all.
const SCHEDULES: usize = 20;

/// Says every schedule once, at the first check that has it.
fn schedules(config: &Config, findings: &mut Findings) {
    let mut said = HashSet::new();
    let servers = config.virtual_servers.iter().flat_map(|vs| &vs.real_servers);
    for check in servers.flat_map(|rs: &RealServer| &rs.checks) {
        let tcp = matches!(check.kind, CheckKind::Tcp | CheckKind::Http(_) | CheckKind::Ssl(_));
        if tcp
            && said.len() < SCHEDULES
            && said.insert((
                check.interval.value,
                check.retry.value,
                check.retry_delay.value,
                check.probe.timeout.value,
            ))
        {
            findings.note("check-schedule", check.place.place, schedule(check));
        }
    }
}

/// "dead after 9 to 15 s, silent after 49 to 55 s, back within 3 s".
pub(super) fn schedule(c: &Check) -> String {
    let retries = c.retry.value;
    let refused = c.retry_delay.value.saturating_mul(retries);
    let silent = refused.saturating_add(c.probe.timeout.value.saturating_mul(retries.saturating_add(1)));
    let seconds = |d: Duration| d.as_secs_f64();
    let range = |d: Duration| format!("{} to {} s", seconds(d), seconds(d.saturating_add(c.interval.value)));
    format!(
        "a server that refuses is dead after {}, one that is silent after {}, and back within {} s",
        range(refused),
        range(silent),
        seconds(c.retry_delay.value.min(c.interval.value))
    )
}

#[cfg(test)]
mod tests;
