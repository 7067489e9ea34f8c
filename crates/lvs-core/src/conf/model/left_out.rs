//! Blocks that are not in force.

use std::fmt;

use super::Target;
use crate::conf::check::many;
use crate::conf::place::Place;
use crate::table::Protocol;

/// A block outside of all others that has an error, or belongs together with one that has. Nothing of it is in the
/// [`super::Config`]: half an instance would run without its password, half a service would send everybody to one server.
///
/// It shows as `virtual_server 10.0.0.1 80: 1 error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its keyword.
    pub block: &'static str,
    /// What stands after the keyword: a name, `10.0.0.1 80`, or nothing.
    pub name: String,
    /// Where it begins.
    pub place: Place,
    /// How many errors there are in it, those of what it belongs together with not counted; at least one.
    pub errors: usize,
    /// What a `virtual_server` would have been, as far as that can be read: its services are not for others to take.
    pub service: Option<(Target, Protocol)>,
    /// The members of a `vrrp_sync_group`, as far as they can be read.
    pub members: Vec<String>,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.name.is_empty() { "" } else { " " };
        write!(f, "{}{space}{}: {}", self.block, self.name, many(self.errors, "error"))
    }
}
