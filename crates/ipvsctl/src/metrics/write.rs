//! A text into a file at once, or into whatever else has that name.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Links that lead to links, as the kernel counts them.
const LINKS: usize = 40;

/// Puts `text` into a file: a reader sees the old one or the new one, never half of it. A link stays, and its file is
/// replaced; a device or a pipe is written to.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        return OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes());
    }
    replace(&followed(path), text)
}

/// Where a name leads, be there a file or not yet.
fn followed(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            Ok(to) => path = path.parent().unwrap_or(Path::new("")).join(to),
            Err(_) => break,
        }
    }
    path
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    // The collector reads *.prom only, so the half-written file must end otherwise.
    name.push(format!(".{}", std::process::id()));
    let half = path.with_file_name(name);
    let done = fs::write(&half, text).and_then(|()| fs::rename(&half, path));
    if done.is_err() {
        // What went wrong is told; that the rest could not be removed either adds nothing.
        let _ = fs::remove_file(&half);
    }
    done
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, symlink};

    use super::*;

    #[test]
    fn links_stay_and_their_files_are_replaced() {
        let folder = std::env::temp_dir().join(format!("ipvsctl-metrics-links-{}", std::process::id()));
        fs::create_dir_all(folder.join("far")).unwrap();
        let (first, second) = (folder.join("a"), folder.join("b"));
        symlink("b", &first).unwrap();
        symlink(folder.join("far/x.prom"), &second).unwrap();
        // At first the links lead nowhere.
        for text in ["one\n", "two\n"] {
            write(&first, text).unwrap();
            assert_eq!(fs::read_to_string(folder.join("far/x.prom")).unwrap(), text);
            assert!(first.is_symlink() && second.is_symlink());
        }
        assert_eq!(fs::read_dir(folder.join("far")).unwrap().count(), 1, "nothing is left half-written");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_is_no_file_is_written_to() {
        let path = std::env::temp_dir().join(format!("ipvsctl-metrics-pipe-{}", std::process::id()));
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let reader = std::thread::spawn({
            let path = path.clone();
            move || fs::read_to_string(path).unwrap()
        });
        write(&path, "text\n").unwrap();
        assert_eq!(reader.join().unwrap(), "text\n");
        assert!(fs::metadata(&path).unwrap().file_type().is_fifo(), "it is still a pipe");
        fs::remove_file(&path).unwrap();
        assert!(write(&std::env::temp_dir(), "text").is_err(), "a folder");
    }
}
