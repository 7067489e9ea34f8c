//! Whether a program may be run: who else could change what it does.
//!
//! Whoever can write a script, a directory on the way to it, or owns one of them, decides what the script does. When
//! that is not root and the script runs as root, it is a way to become root. The judgement is a pure function over
//! the components of the path; [`look`] reads them.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

/// Permission bits of a file's mode.
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const ANYONE_EXECUTES: u32 = 0o111;
/// In a directory with this bit only the owner of an entry can replace it.
const STICKY: u32 = 0o1000;

/// Where a program without a slash is looked for.
const PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// One component of a path, as the system describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// From the root to here.
    pub path: PathBuf,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Type and permissions.
    pub mode: u32,
    /// A directory, not the program itself.
    pub directory: bool,
}

/// Why a program may not be run.
#[derive(Debug, thiserror::Error)]
pub enum Unsafe {
    /// It cannot be looked at.
    #[error("{}: cannot be run: {error}", path.display())]
    Missing {
        /// The program as it is written, or the component that failed.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A name without a slash is in none of the usual directories.
    #[error("{0}: no such program in {dirs}; give its whole path", dirs = PATH.join(":"))]
    NotFound(String),
    /// It is a directory, a socket, ...
    #[error("{}: not a program file", .0.display())]
    NotAFile(PathBuf),
    /// Nobody may execute it.
    #[error("{path}: not executable; try: chmod +x {path}", path = .0.display())]
    NotExecutable(PathBuf),
    /// Someone other than root could change what root would run.
    #[error("{0}")]
    Writable(Hole),
}

/// A component through which someone other than root decides what runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The component.
    pub path: PathBuf,
    /// Who could.
    pub by: By,
}

/// Who can change a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Its owner, with this number.
    Owner(u32),
    /// The members of its group, with this number.
    Group(u32),
    /// Everyone.
    Everyone,
}

impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.by {
            By::Owner(uid) => {
                write!(
                    f,
                    "{path} belongs to user {uid}, who could change what root runs; try: chown root {path}"
                )
            }
            By::Group(gid) => {
                write!(
                    f,
                    "{path} can be written by group {gid}, who could change what root runs; try: chmod g-w {path}"
                )
            }
            By::Everyone => {
                write!(
                    f,
                    "{path} can be written by everyone, who could change what root runs; try: chmod o-w {path}"
                )
            }
        }
    }
}

/// The whole path of a program: itself when it has a slash, else the first of the usual directories that has it.
///
/// # Errors
/// No such program.
pub fn find(program: &str) -> Result<PathBuf, Unsafe> {
    if program.contains('/') {
        return Ok(PathBuf::from(program));
    }
    let found = PATH.iter().map(|dir| Path::new(dir).join(program)).find(|p| p.is_file());
    found.ok_or_else(|| Unsafe::NotFound(program.to_owned()))
}

/// A program where it is in the end, and everything that decides that this is so.
#[derive(Debug)]
pub struct Found {
    /// Its path without any symbolic link.
    pub program: PathBuf,
    /// Every component on the way, that of each link's target too; the program itself comes last.
    pub parts: Vec<Part>,
}

/// Symbolic links on the way to one program; the kernel follows no more either.
const LINKS: usize = 40;

/// Follows a path to a program as the kernel does, link by link: who can write a directory that one of the links leads
/// through decides where it ends, even if both ends are root's.
///
/// # Errors
/// The first component that cannot be looked at.
pub fn look(program: &Path) -> Result<Found, Unsafe> {
    let mut found = Found { program: PathBuf::new(), parts: Vec::new() };
    let mut ahead = reversed(program);
    let mut links = 0;
    while let Some(next) = ahead.pop() {
        let path = found.program.join(next);
        // Without a link the whole path says more than the component that is missing.
        let missing = |error| {
            let path = if links == 0 { program.to_path_buf() } else { path.clone() };
            Unsafe::Missing { path, error }
        };
        let meta = fs::symlink_metadata(&path).map_err(missing)?;
        if !meta.is_symlink() {
            found.enter(Part::new(path, &meta));
            continue;
        }
        if links == LINKS {
            return Err(missing(io::Error::from_raw_os_error(nix::libc::ELOOP)));
        }
        ahead.extend(reversed(&fs::read_link(&path).map_err(missing)?));
        found.link(path, meta.uid());
        links += 1;
    }
    Ok(found)
}

/// The components of a path, the first one last.
fn reversed(path: &Path) -> Vec<PathBuf> {
    let named = path.components().rev().filter(|c| *c != Component::CurDir);
    named.map(|c| PathBuf::from(c.as_os_str())).collect()
}

impl Found {
    /// Goes on to a component that is no link.
    fn enter(&mut self, part: Part) {
        if part.path.ends_with("..") {
            self.program.pop();
            return;
        }
        self.program.clone_from(&part.path);
        // The same directory again says nothing new.
        if !self.parts.contains(&part) {
            self.parts.push(part);
        }
    }

    /// Notes a link. Who owns one can only replace it where everyone can: in a sticky directory, which keeps entries for
    /// their owners. Its permissions say nothing.
    fn link(&mut self, path: PathBuf, uid: u32) {
        let directory = self.parts.iter().find(|p| p.path == self.program);
        if directory.is_some_and(|p| p.mode & STICKY != 0) {
            self.parts.push(Part { path, uid, gid: 0, mode: 0, directory: false });
        }
    }
}

impl Part {
    fn new(path: PathBuf, meta: &fs::Metadata) -> Self {
        Self { path, uid: meta.uid(), gid: meta.gid(), mode: meta.mode(), directory: meta.is_dir() }
    }
}

/// Judges a program by its components ([`look`]): whether it can be executed at all.
///
/// # Errors
/// It is no executable file.
pub(crate) fn executable(parts: &[Part]) -> Result<(), Unsafe> {
    match parts.last() {
        Some(p) if p.directory => Err(Unsafe::NotAFile(p.path.clone())),
        Some(p) if p.mode & ANYONE_EXECUTES == 0 => Err(Unsafe::NotExecutable(p.path.clone())),
        _ => Ok(()),
    }
}

/// The first component through which someone other than root could change what root runs.
pub fn hole(parts: &[Part]) -> Option<Hole> {
    let found = |p: &Part, by| Some(Hole { path: p.path.clone(), by });
    parts.iter().find_map(|p| {
        // In a sticky directory others can add entries but not replace ours; the next component is judged itself.
        let shielded = p.directory && p.mode & STICKY != 0;
        if p.uid != 0 {
            found(p, By::Owner(p.uid))
        } else if p.mode & GROUP_WRITES != 0 && p.gid != 0 && !shielded {
            found(p, By::Group(p.gid))
        } else if p.mode & OTHERS_WRITE != 0 && !shielded {
            found(p, By::Everyone)
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests;
