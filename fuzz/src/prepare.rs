//! Writes what the engine begins with into the folder that is given: `words.dict` and `seeds/TARGET`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use fuzzed::seeds;

// The code of the tools is instrumented here too, and needs the engine to link; it is never started.
libfuzzer_sys::fuzz_target!(|_data: &[u8]| {});

fn main() -> io::Result<()> {
    let Some(to) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("prepare FOLDER"));
    };
    fs::create_dir_all(&to)?;
    let words = seeds::words()
        .iter()
        .map(|w| format!("\"{}\"\n", w.replace('"', "\\\"").replace('\n', "\\x0a")))
        .collect::<String>();
    fs::write(to.join("words.dict"), words)?;
    seed(&to, "netlink", &seeds::messages())?;
    seed(&to, "replay", &seeds::nights())?;
    seed(&to, "vrrp_packet", &seeds::conversations())
}

fn seed(to: &Path, target: &str, all: &[Vec<u8>]) -> io::Result<()> {
    let folder = to.join("seeds").join(target);
    fs::create_dir_all(&folder)?;
    all.iter().enumerate().try_for_each(|(i, bytes)| fs::write(folder.join(i.to_string()), bytes))
}
