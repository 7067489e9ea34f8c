//! keepalived.conf, read as an expert reads it.
//!
//! The layers, each a pure function over the one before: text is cut into words with places, words into a tree
//! of statements and blocks, the tree is judged against the one schema table (which keyword belongs where, used by
//! whom), and becomes a typed [`Config`]. Everything noticed on the way is a [`Diag`]; all findings of a file
//! come out of one run, in order.

mod diag;
pub mod model;
mod place;

pub use diag::{Diag, Excerpt, Severity};
pub use model::Config;
pub use place::{At, Files, Place};
