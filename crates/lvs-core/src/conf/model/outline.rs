//! How much of a text was understood.

use crate::conf::place::Place;

/// What stands outside of all blocks, and the blocks themselves: how many are known, and those that are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// How many have a keyword that is known.
    pub known: usize,
    /// Where those begin that are passed over, each with a finding there.
    pub skipped: Vec<Place>,
}
