//! What keepalived calls virtual and real servers in its pipes and mails, which programs read.

use lvs_core::addr::Endpoint;
use lvs_core::conf::Config;
use lvs_core::conf::model::{GroupEntry, ServerGroup, Target, VirtualServer};
use lvs_core::table::Protocol;

/// A virtual server: `[10.0.0.1]:tcp:443`, `FWM 7`, `[web]:0`.
pub(crate) fn service(vs: &VirtualServer) -> String {
    match &*vs.target {
        Target::Addr(vip) => place(vip, &word(*vs.protocol)),
        Target::Mark(mark) => format!("FWM {mark}"),
        Target::Group(group) => format!("[{group}]:0"),
    }
}

/// A real server of it: `[10.0.0.11]:tcp:443`; a mark has no protocol and none of its servers a port.
pub(crate) fn server(config: &Config, vs: &VirtualServer, endpoint: &Endpoint) -> String {
    if is_marked(config, vs) {
        return place(&Endpoint { port: 0, ..*endpoint }, "none");
    }
    place(endpoint, &word(*vs.protocol))
}

fn is_marked(config: &Config, vs: &VirtualServer) -> bool {
    let marks = |g: &ServerGroup| g.entries.iter().all(|e| matches!(**e, GroupEntry::Mark { .. }));
    match &*vs.target {
        Target::Addr(_) => false,
        Target::Mark(_) => true,
        Target::Group(name) => config.server_groups.iter().find(|g| *g.name == *name).is_some_and(marks),
    }
}

fn word(protocol: Protocol) -> String {
    protocol.to_string().to_lowercase()
}

/// In brackets for both families.
fn place(endpoint: &Endpoint, protocol: &str) -> String {
    format!("[{}]:{protocol}:{}", endpoint.addr, endpoint.port)
}
