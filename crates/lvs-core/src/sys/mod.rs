//! The edge: sockets, files, the clock and the kernel. The only place where `unsafe` may stand.

pub mod child;
pub mod children;
pub mod clock;
pub mod conf;
pub mod fifo;
pub mod frame;
pub mod frames;
pub mod ipvs;
pub mod limit;
pub mod lock;
pub mod log;
#[cfg(feature = "mail")]
pub mod mail;
pub mod memory;
pub mod multicast;
pub mod names;
pub mod netlink;
pub mod netns;
pub mod nft;
pub mod outbox;
pub mod owner;
pub mod poll;
pub mod raw;
pub mod realtime;
pub mod rtnl;
pub mod script;
mod socket;
pub mod start;
pub mod sysctl;
pub mod systemd;
pub mod tcp;
pub mod terminal;
pub mod wire;
