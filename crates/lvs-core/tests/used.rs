//! What the table of keywords calls used is read by a tool.
//!
//! The reader puts every used keyword into a field of the model (its own test sees to that). Here each field is looked
//! for in the sources of the tools: one that nobody reads belongs to keywords that are called something else.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use lvs_core::conf::schema::{Status, TOP, blocks};

/// Fields that no tool reads, with the keywords that fill them.
const UNREAD: [(&str, &[&str]); 13] = [
    ("checker_no_swap", &["checker_no_swap"]),
    ("checker_rt_priority", &["checker_rt_priority"]),
    ("debug", &["debug"]),
    ("default_interface", &["default_interface"]),
    ("higher_prio_send_advert", &["higher_prio_send_advert", "vrrp_higher_prio_send_advert"]),
    ("fast_recovery", &["fast_recovery"]),
    ("promote_secondaries", &["promote_secondaries"]),
    ("rs_init_notifies", &["rs_init_notifies"]),
    ("skip_check_adv_addr", &["skip_check_adv_addr", "vrrp_skip_check_adv_addr"]),
    ("startup_script", &["startup_script", "startup_script_timeout"]),
    ("shutdown_script", &["shutdown_script", "shutdown_script_timeout"]),
    ("static_addresses", &["static_ipaddress", "static_routes", "static_rules"]),
    ("track_groups", &["track_group"]),
];

/// Fields that the reader itself turns into others, which the tools read; parts of those above; and the pipe that
/// tcpcheck opens together with the common one; the number of errors of a block that is left out, which the tools print; and
/// what the mails of this crate are made from.
const INHERITED: [&str; 21] = [
    "check_unicast_src",
    "delay_loop",
    "errors",
    "lvs_fifo",
    "mcast_group4",
    "mcast_group6",
    "notify_priority_changes",
    "router_id",
    "shutdown_timeout",
    "startup_timeout",
    "static_routes",
    "static_rules",
    "strict",
    "track_group",
    "tracking_weight",
    "use_vmac",
    "vmac_addr_prefix",
    "vmac_addresses",
    "vmac_prefix",
    "vrrp",
    "written_port",
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of every source file below a folder, tests aside.
fn sources(folder: &Path, to: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, to);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            *to += &fs::read_to_string(&path).unwrap();
        }
    }
}

fn fields() -> BTreeSet<String> {
    let mut text = String::new();
    sources(&crates().join("lvs-core/src/conf/model"), &mut text);
    text += &fs::read_to_string(crates().join("lvs-core/src/conf/model.rs")).unwrap();
    let names = text.lines().filter_map(|l| l.strip_prefix("    pub ")?.split_once(':'));
    names
        .map(|(name, _)| name.to_owned())
        .filter(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
        .collect()
}

#[test]
fn every_field_of_the_model_is_read_by_a_tool() {
    let mut tools = fs::read_to_string(crates().join("lvs-core/src/desired.rs")).unwrap();
    sources(&crates().join("lvs-core/src/sys"), &mut tools);
    for tool in ["ipvsctl", "rs-prep", "tcpcheck", "vrrpd"] {
        sources(&crates().join(tool).join("src"), &mut tools);
    }
    let end = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let read = |field: &str| {
        tools.match_indices(&format!(".{field}")).any(|(at, found)| end(&tools[at + found.len()..]))
    };
    let unread: BTreeSet<String> = fields().into_iter().filter(|f| !read(f)).collect();
    let known: BTreeSet<String> =
        UNREAD.iter().map(|(field, _)| *field).chain(INHERITED).map(str::to_owned).collect();
    let surprising: Vec<&String> = unread.difference(&known).collect();
    assert!(surprising.is_empty(), "no tool reads {surprising:?}");
    let read_now: Vec<&str> = UNREAD.iter().map(|(f, _)| *f).filter(|f| !unread.contains(*f)).collect();
    assert!(read_now.is_empty(), "a tool reads {read_now:?}: their keywords are used now");
}

#[test]
fn what_no_tool_reads_is_not_called_used() {
    let unread: BTreeSet<&str> = UNREAD.iter().flat_map(|(_, keywords)| *keywords).copied().collect();
    let mut wrong = Vec::new();
    blocks(&mut |path, block| {
        let of_that_name = block.iter().filter(|k| unread.contains(k.name));
        wrong.extend(
            of_that_name
                .filter(|k| matches!(k.status, Status::Used(_)))
                .map(|k| format!("{path:?} {}", k.name)),
        );
    });
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn what_is_not_supported_is_said_with_what_differs() {
    let mut seen = 0;
    blocks(&mut |path, block| {
        for keyword in block.iter() {
            if let Status::Unsupported(differs) = keyword.status {
                assert!(differs.len() > 10, "{path:?} {}", keyword.name);
                seen += 1;
            }
        }
    });
    assert!(TOP.find("static_routes").is_some() && seen > 30, "{seen}");
}
