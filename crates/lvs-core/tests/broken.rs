//! Broken files with what we say about them: each can be mended from the message alone.
//!
//! The messages beside the files in `examples/broken` are shown in lvs-keepalived.conf(5); when they change
//! on purpose, `LVS_UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use lvs_core::conf::check::{Format, run};
use lvs_core::conf::{Env, NoFiles, parse};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/broken");
    let all = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<PathBuf> = all.filter(|p| p.extension().is_some_and(|e| e == "conf")).collect();
    files.sort();
    files
}

#[test]
fn every_broken_file_draws_its_message() {
    let files = files();
    assert_eq!(files.len(), 10);
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let read = parse(name, &std::fs::read(&path).unwrap(), &mut NoFiles, &Env::default());
        let report = run(name, Ok(read), Format::Text, true);
        assert_ne!(report.status, 0, "{name}");
        let golden = path.with_extension("txt");
        if std::env::var_os("LVS_UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &report.text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&golden).unwrap(), report.text, "{name}");
    }
}
