//! Prepares an LVS real server: the VIP on `lo` (or a tunnel), silent in ARP, and taken back without a trace.
//!
//! [`kernel`] reads what the host holds into a [`host::HostState`]; [`plan`], [`undo`] and [`check`] decide, as pure
//! functions, which [`step::Step`]s are missing; [`effects`] runs them in order. The order is the point: a host
//! that has a VIP one moment before its ARP settings answers for it, and one such answer can bind a client to
//! this host for as long as the client keeps talking.

pub mod check;
pub mod cli;
pub mod config;
pub mod effects;
pub mod gateway;
pub mod heal;
pub mod host;
pub mod judge;
pub mod keep;
pub mod kernel;
pub mod mend;
pub mod output;
pub mod persist;
pub mod plan;
pub mod probe;
pub mod quiet;
pub mod rules;
pub mod run;
pub mod saved;
pub mod seen;
pub mod servers;
pub mod shell;
pub mod step;
pub mod store;
pub mod tunnel;
pub mod undo;
pub mod vip;
pub mod ways;
