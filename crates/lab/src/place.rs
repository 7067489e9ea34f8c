//! Where the built programs are.

use std::env;
use std::path::{Path, PathBuf};

/// The built program `name` of this workspace, of the same profile as the running test.
///
/// # Panics
/// When it has not been built; `scripts/lab/runner` builds it before every test.
#[track_caller]
pub fn bin(name: &str) -> PathBuf {
    let path = folder().join(name);
    assert!(path.is_file(), "no {}: build it first: cargo build --workspace --bins", path.display());
    path
}

/// The folder of the built programs: tests run in its `deps`.
pub(crate) fn folder() -> PathBuf {
    let exe = env::current_exe().expect("the path of this program");
    let folder = exe.parent().unwrap_or(Path::new("/"));
    if folder.ends_with("deps") { folder.parent().unwrap_or(folder).to_owned() } else { folder.to_owned() }
}

/// PATH inside a host: our programs, then the system's.
pub(crate) fn path() -> String {
    format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", folder().display())
}
