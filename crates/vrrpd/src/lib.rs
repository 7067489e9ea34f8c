//! vrrpd: elects the director that holds the VIP.
//!
//! Decisions are pure and know neither socket nor clock: [`packet`] turns bytes into values, [`door`] says which of
//! them count, [`router`] is one virtual router's state machine, [`group`] moves several together.

pub mod door;
pub mod group;
pub mod packet;
pub mod params;
pub mod router;
pub mod script;
pub mod security;
pub mod timers;
pub mod track;
pub mod words;
