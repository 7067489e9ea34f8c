//! vrrpd: elects the director that holds the VIP.
//!
//! Decisions are pure and know neither socket nor clock: [`packet`] turns bytes into values, [`door`] says which of
//! them count, [`router`] is one virtual router's state machine. [`edge`] does what it asks for, [`driver`] waits.

pub mod accept;
pub mod claim;
pub mod cli;
pub mod control;
pub mod door;
pub mod driver;
pub mod edge;
pub mod estate;
pub mod file;
pub mod group;
pub mod handover;
pub mod holder;
pub mod host;
pub mod instance;
pub mod iproute;
pub mod lost;
pub mod metrics;
pub mod notify;
pub mod packet;
pub mod params;
pub mod place;
pub mod punctual;
pub mod ready;
pub mod record;
pub mod rights;
pub mod router;
pub mod spec;
pub mod stats;
pub mod status;
pub mod swap;
pub mod sync;
mod tell;
pub mod timers;
pub mod track;
pub mod unset;
pub mod vmac;
pub mod words;
pub mod work;
