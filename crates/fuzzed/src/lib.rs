//! One function a target: it takes any bytes and panics where the code breaks a promise.
//!
//! `scripts/fuzz TARGET SECONDS` looks for such bytes, guided by coverage; `tests/short.rs` tries some without an engine. What
//! was found is mended together with a test beside the code.

// To panic is how a broken promise is told.
#![allow(clippy::panic)]

mod conf;
mod conversation;
mod ipvs;
pub mod seeds;
mod vrrp;

pub use conf::{conf, conf_growth};
pub use conversation::{http, questions};
pub use ipvs::{ip_vs_conn, netlink, rule_lines};
pub use vrrp::{replay, vrrp_packet};
