//! Finds dead real servers and keeps the IPVS table true.

pub mod agenda;
pub mod checker;
pub mod outcome;
pub mod schedule;
