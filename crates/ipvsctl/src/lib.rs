//! ipvsctl: reads and writes the kernel's IPVS table.
//!
//! The verbs that ipvsadm does not have, each in a file of its own with its tests beside it, are gathered in
//! [`verbs`].

pub mod drain;
pub mod metrics;
pub mod service;
pub mod snapshot;
pub mod verbs;
