//! One function a target: it takes any bytes and panics where the code breaks a promise.
//!
//! `scripts/fuzz TARGET SECONDS` looks for such bytes; what it found is mended together with a test beside the code.

mod conf;
mod conversation;
mod ipvs;
mod vrrp;

pub use conf::{conf, conf_growth};
pub use conversation::{http, questions};
pub use ipvs::{ip_vs_conn, netlink, rule_lines};
pub use vrrp::{replay, vrrp_packet};
