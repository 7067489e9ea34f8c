//! keepalived.conf, read as an expert reads it.
//!
//! The layers, each a pure function over the one before: text is cut into words with places (`lex`, with
//! includes and definitions in `reader`), words into a tree of statements and blocks, the tree is judged against
//! the one table of keywords ([`schema`]: which belongs where, used by whom), and becomes a typed [`Config`].
//! Everything noticed on the way is a [`Diag`]; all findings of a file come out of one run, in order.

mod advise;
pub mod check;
mod define;
mod diag;
mod findings;
mod lex;
pub mod model;
mod place;
pub mod print;
mod read;
mod reader;
mod repeat;
pub mod schema;
mod source;
mod suggest;
mod tree;

pub use diag::{Diag, Excerpt, Severity};
pub use model::Config;
pub use place::{At, Files, Place};
pub use source::{Env, Host, JudgeRegex, Loader, NoFiles};

/// Reads a configuration: the file's name as findings shall show it, its bytes, where included files come from, and
/// what the file may ask about its surroundings.
///
/// It never fails: what is sound is in the configuration, everything else in the findings. A block with an error
/// in it is left out as a whole, see [`model::LeftOut`].
pub fn parse(name: &str, text: &[u8], loader: &mut dyn Loader, env: &Env) -> (Config, Vec<Diag>) {
    let mut findings = findings::Findings::default();
    let (sources, tree) = reader::read(name, text, loader, env, &mut findings);
    let mut config = read::config(&sources, &tree, &mut findings);
    advise::advise(&config, env, &mut findings);
    read::leave_out(&mut config, &mut findings);
    (config, findings.finish(&sources))
}

#[cfg(test)]
mod tests;
