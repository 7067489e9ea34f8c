//! What a running watch answers on its socket.

use lvs_core::conf::check::many;
use lvs_core::sys::clock;

use crate::drains::Drained;
use crate::engine::Engine;
use crate::monitor::Monitor;
use crate::status::{self, Status};

/// The answer to a line of a conversation: `ok` and what was asked for, or what is wrong.
pub fn answer(monitor: &mut Monitor, engine: &Engine, line: &str) -> String {
    let status = || Status::of(monitor, engine.in_flight(), engine.limit(), clock::now());
    match line.split_once(' ').unwrap_or((line, "")) {
        ("status", "") => format!("ok\n{}\n", serde_json::to_string(&status()).unwrap_or_default()),
        ("metrics", "") => format!("ok\n{}", status::metrics(monitor, &status())),
        (verb @ ("drain" | "resume"), server) => match server.parse::<Drained>() {
            Ok(server) => change(monitor, verb == "drain", server),
            Err(e) => format!("{e}\n"),
        },
        _ => format!("'{line}' is not understood: status, metrics, drain or resume\n"),
    }
}

fn change(monitor: &mut Monitor, drain: bool, server: Drained) -> String {
    let services = monitor.count(server);
    if services == 0 {
        return format!("{server}: no virtual server of the file has this real server\n");
    }
    let drains = monitor.drains();
    let drains = if drain { drains.with(server) } else { drains.without(server) };
    let still = !drain && drains.is_covered(server);
    monitor.drain(drains);
    let services = many(services, "service");
    match (drain, still) {
        (true, _) => format!("ok\n{server} drained in {services}; its connections go on\n"),
        (false, false) => format!("ok\n{server} resumed in {services}\n"),
        (false, true) => format!("{server}: its whole host is drained; resume the address without a port\n"),
    }
}
