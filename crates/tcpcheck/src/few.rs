//! A list that mostly has one entry, in 16 bytes: thousands of real servers have one check, and most checks one user.

use std::ops::Deref;

/// A list of copies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Few<T> {
    /// No entry.
    #[default]
    None,
    /// One, without memory of its own.
    One(T),
    /// More; in a box, because a list's own three words would be paid by all.
    #[allow(clippy::box_collection)]
    Many(Box<Vec<T>>),
}

impl<T: Copy> Few<T> {
    /// Adds an entry at the end.
    pub fn push(&mut self, new: T) {
        match self {
            Self::None => *self = Self::One(new),
            Self::One(old) => *self = Self::Many(Box::new(vec![*old, new])),
            Self::Many(all) => all.push(new),
        }
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(all) => all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_out_in_the_order_in_which_they_went_in() {
        let mut few = Few::default();
        for n in 0..4 {
            assert_eq!(*few, *(0..n).collect::<Vec<u32>>());
            few.push(n);
        }
        assert!(size_of::<Few<(u32, u32)>>() <= 16);
    }
}
