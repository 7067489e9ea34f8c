//! What the LVS tools share.
//!
//! Three layers, and arrows point down only:
//!
//! * **words**: [`addr`], [`time`], [`table`], [`text`], [`gate`], [`queue`], [`prometheus`], [`plan::Op`] are plain values that every tool speaks;
//! * **decisions**: [`plan`] (and [`rule`], [`conf`], [`desired`], [`ipvs`]) turn values into values;
//! * **the edge**: [`sys`], behind the feature of the same name, is the only place that touches a socket, a
//!   file, the clock or the kernel. Nothing above calls it: a tool's `main`, `driver` or `effects` does.
//!
//! The build keeps the rule: without the feature `sys` the crate has no dependency that could do I/O, and the
//! tests of the first two layers run that way.

pub mod addr;
pub mod conf;
pub mod connection;
pub mod desired;
pub mod gate;
pub mod ipvs;
pub mod nlattr;
pub mod plan;
pub mod prometheus;
pub mod queue;
pub mod rule;
pub mod table;
pub mod text;
pub mod time;

#[cfg(feature = "sys")]
pub mod sys;
