//! The edge: sockets, files, the clock and the kernel. The only place where `unsafe` may stand.

pub mod clock;
pub mod log;
pub mod ipvs;
pub mod netlink;
pub mod poll;
pub mod rtnl;
mod socket;
