//! Clusters of network namespaces on a real IPVS kernel.
//!
//! Tests in `crates/lab/tests` run inside user-mode Linux (or on this machine's kernel, see `scripts/lab/runner`):
//! `cargo test -p lab --test cluster NAME`. A [`Lab`] is a switch; a [`Host`] is a machine on it with its own
//! interfaces, processes, `/run`, `/etc`, `/var` and name. Everything goes when the `Lab` does, also when the test is
//! killed.
//!
//! ```no_run
//! use lab::{Lab, SECONDS, wait};
//!
//! let lab = Lab::new();
//! let director = lab.host("d100", &["192.168.15.100/21"]);          // its interface is ens192, as in the seed
//! let server = lab.host("r102", &["192.168.15.102/21", "fd00::102/64"]);
//! server.ok("rs-prep up 192.168.15.111");                           // the built commands come first in PATH
//! let answer = server.run("ip -4 addr show dev lo");                // deadline 30 s, see Host::run_for
//! assert_eq!(answer.status, 0, "{answer}");
//!
//! let daemon = director.spawn("vrrpd --interface ens192 --vrid 51 --priority 100 --vip 192.168.15.111/32");
//! daemon.wait_for_line("MASTER", 10 * SECONDS);                     // panics with the whole log if it does not come
//! wait(5 * SECONDS, "the VIP", || director.ok("ip -o addr").contains("192.168.15.111/32"));
//! let web = server.spawn("lab server r102 7885");                   // answers with its name; see also `lab client`
//! assert_eq!(director.ok("lab get 192.168.15.102:7885"), "r102\n");
//! director.unplug();                                                // the cable; plug() again
//! director.power_off();                                             // everything in it is gone at once
//! assert!(!daemon.running());
//! ```
#![allow(clippy::expect_used)]

pub mod ask;
mod command;
pub mod corpus;
mod daemon;
pub mod echo;
pub mod flood;
mod host;
pub mod init;
mod kernel;
pub mod mailbox;
pub mod page;
pub mod pair;
mod place;
pub mod seed;
pub mod server;
mod switch;
pub mod traffic;
mod wait;

pub use command::{Output, Words};
pub use daemon::{Daemon, Line, Signal};
pub use host::Host;
pub use kernel::has_inet_nftables;
pub use place::bin;
pub use switch::Lab;
pub use wait::{SECONDS, pause, wait};
