//! Placeholder until the first slice of this tool lands.

fn main() {}
