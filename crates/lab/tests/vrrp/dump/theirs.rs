//! keepalived's dump: its VRRP section, a map a virtual router.

use std::collections::{BTreeMap, BTreeSet};

use super::Fields;

/// What is no parameter: faults at the moment, mails, sockets, flags that follow from the rest.
const LEFT_OUT: [&str; 5] = [
    "Number of config faults",
    "Flags",
    "Next gratuitous ARP",
    "No sockets allocated",
    "Using smtp notification",
];

/// The scripts that keepalived leaves out because this host does not have them, or no user for them.
pub(super) fn missing_scripts(dump: &str) -> BTreeSet<&str> {
    dump.lines().filter_map(missing_script).collect()
}

fn missing_script(line: &str) -> Option<&str> {
    match line.split_once("Disabling track script ") {
        Some((_, rest)) => rest.split(' ').next(),
        None => Some(line.strip_suffix(" not found, ignoring...")?.split_once(" track script ")?.1),
    }
}

/// The virtual routers of a dump by name.
pub(super) fn routers(dump: &str) -> BTreeMap<String, Fields> {
    let mut all: BTreeMap<String, Fields> = BTreeMap::new();
    let (mut router, mut list) = (None, None);
    let lines = dump.lines().skip_while(|l| !l.contains("< VRRP Topology >")).skip(1);
    for line in lines.take_while(|l| !l.starts_with("------<")) {
        let text = line.trim();
        match line.len() - line.trim_start().len() {
            1 => router = text.strip_prefix("VRRP Instance = ").map(|n| all.entry(n.to_owned()).or_default()),
            3 => list = router.as_mut().and_then(|r| field(text, r)),
            // Another process said this in between; every line of the dump is indented.
            0 => {}
            _ => {
                if let (Some(r), Some(list)) = (router.as_mut(), &list) {
                    add(r, list, text);
                }
            }
        }
    }
    for fields in all.values_mut() {
        settle(fields);
        fields.retain(|name, _| !LEFT_OUT.iter().any(|l| name.starts_with(l)));
    }
    all
}

/// The lists of addresses as two questions: what is advertised, and what is set.
fn settle(fields: &mut Fields) {
    let lists = ["Virtual IP", "Virtual IP Excluded"].map(|name| fields.remove(name).unwrap_or_default());
    let items =
        |list: &str| list.split("; ").filter(|i| !i.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let advertised: Vec<String> =
        items(&lists[0]).iter().map(|i| i.split([' ', '/']).next().unwrap_or_default().to_owned()).collect();
    // The base of its VMAC stands behind its interface anyhow.
    let place = |i: String| i.replace(" use_vmac", "");
    let set: BTreeSet<String> = lists.iter().flat_map(|l| items(l)).map(place).collect();
    for (name, list) in [("advertised", advertised), ("addresses", set.into_iter().collect())] {
        if !list.is_empty() {
            fields.insert(name.to_owned(), list.join("; "));
        }
    }
    for what in ["Virtual Routes", "Virtual Rules"] {
        if let Some(lines) = fields.get_mut(what) {
            *lines = lines.split("; ").count().to_string();
        }
    }
    if fields.contains_key("Sync group") {
        fields.remove("Wantstate");
    }
}

fn add(fields: &mut Fields, list: &str, item: &str) {
    let items = fields.entry(list.to_owned()).or_default();
    if !items.is_empty() {
        items.push_str("; ");
    }
    items.push_str(item);
}

/// A line of a virtual router; the name of the list that follows, if one does.
fn field(text: &str, to: &mut Fields) -> Option<String> {
    if let Some(head) = text.strip_suffix(':') {
        return Some(head.split(" (").next().unwrap_or(head).trim().to_owned());
    }
    let (name, value) = match text.split_once(" = ") {
        Some(("Using src_ip", value)) => match value.strip_suffix(" (from configuration)") {
            Some(value) => ("source", value),
            None => return None,
        },
        Some(("Interface", value)) => ("Interface", value.split(',').next().unwrap_or(value)),
        Some((name, value)) if name.starts_with("Use VMAC") => {
            return vmac(name, value, to);
        }
        Some(pair) => pair,
        None => match text.split_once(" address ") {
            Some(("Multicast", value)) => ("group", value.split(',').next().unwrap_or(value)),
            _ => text.split_once(" : ").unwrap_or((text, "yes")),
        },
    };
    to.insert(name.to_owned(), value.to_owned());
    None
}

/// `Use VMAC, i/f name vrrp.51, is_up = true, xmit_base = false`.
fn vmac(name: &str, rest: &str, to: &mut Fields) -> Option<String> {
    let interface = name.split("i/f name ").nth(1)?.split(',').next()?;
    to.insert("VMAC".to_owned(), interface.to_owned());
    to.insert("xmit_base".to_owned(), rest.rsplit("xmit_base = ").next()?.to_owned());
    None
}
