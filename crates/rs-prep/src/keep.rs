//! The verbs `persist` and `unpersist`: files of [`crate::persist`] on the disk.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cli::{Persist, STATE_DIR, Unpersist, Wrong, YES};
use crate::config::Role;
use crate::kernel::Kernel;
use crate::output::Output;
use crate::persist::{self, File, Format, MARK, PATHS, Program};
use crate::vip::Vip;
use crate::{judge, run};

/// Prints the files, or with `--write` puts them in their places.
///
/// # Errors
/// Another's file stands in a place, or it cannot be written; what is already written is said.
pub fn persist(dir: &Path, args: &Persist, out: &mut Output) -> Result<u8> {
    let host = Kernel::open()?.read()?;
    let vips = if args.which.vips.is_empty() && args.which.config.is_none() {
        judge::held(&host)
    } else {
        run::chosen(&args.which, || Ok(host), run::maker(args.tunnel), Role::can_be_prepared)?
    };
    if vips.is_empty() {
        return Err(Wrong("no VIP is on this host; name it, or give --config FILE".to_owned()).into());
    }
    let held = held(&args.root.join(args.format.path()))?;
    let vips = persist::together(&held, &vips);
    let (files, then) = files(dir, args.format, &vips)?;
    if !args.write {
        for file in &files {
            out.line(format_args!("# /{}\n{}", file.path, file.text))?;
        }
        return Ok(YES);
    }
    // All or nothing: look before the first is written.
    files.iter().try_for_each(|file| ours(&args.root.join(file.path)).map(|_| ()))?;
    alone(args)?;
    for file in &files {
        let path = args.root.join(file.path);
        write(&path, file).with_context(|| format!("{}: cannot be written", path.display()))?;
        out.done(format_args!("written: {}", path.display()))?;
    }
    if args.format != Format::Sysctl {
        let list: Vec<_> = vips.iter().map(ToString::to_string).collect();
        out.done(format_args!("it holds: {} (to leave one out, unpersist first)", list.join(" ")))?;
    }
    out.done(format_args!("it counts from the next start on, or at once with: {then}"))?;
    Ok(YES)
}

/// The files of a format; a unit runs this program with this memory, from a working directory of its own.
fn files(dir: &Path, format: Format, vips: &[Vip]) -> Result<(Vec<File>, String)> {
    let file = std::env::current_exe().context("where this program is")?;
    let dir = std::path::absolute(dir).with_context(|| dir.display().to_string())?;
    let state_dir = Some(dir.as_path()).filter(|dir| *dir != Path::new(STATE_DIR));
    Ok(persist::files(format, vips, Program { file: &file, state_dir }).map_err(Wrong)?)
}

/// The VIPs that a file of ours holds already; another's is looked at later, before it would be replaced.
fn held(path: &Path) -> Result<Vec<Vip>> {
    if !ours(path).unwrap_or(false) {
        return Ok(Vec::new());
    }
    Ok(persist::held(&fs::read_to_string(path).with_context(|| path.display().to_string())?))
}

/// Refuses a second format: both would put the VIPs, and the one that is forgotten brings back a VIP that was given up.
fn alone(args: &Persist) -> Result<()> {
    let (_settings, addresses) = PATHS.split_last().unwrap_or((&"", &[]));
    let others = addresses.iter().filter(|path| **path != args.format.path());
    let mut others = others.map(|path| args.root.join(path)).filter(|path| ours(path).unwrap_or(false));
    match others.next().filter(|_| args.format != Format::Sysctl) {
        Some(other) => bail!(
            "{}: holds VIPs of this host already, in another format; rs-prep unpersist first (this host keeps its VIPs \
             meanwhile), and then persist them all in the new one",
            other.display()
        ),
        None => Ok(()),
    }
}

/// Removes every file that `persist` wrote: addresses before the settings that hide them.
///
/// # Errors
/// A file cannot be removed; the others are, but for the settings, without which a VIP that comes back would leak.
pub fn unpersist(args: &Unpersist, out: &mut Output) -> Result<u8> {
    let (settings, addresses) = PATHS.split_last().context("no files")?;
    // The link before the unit: one that leads nowhere is an error of every later systemctl.
    let link = enabled(&args.root).map_or(Ok(()), |link| remove(&link, out));
    let stays = |path: &&&str| link.is_err() && **path == Format::Unit.path();
    let paths: Vec<_> =
        addresses.iter().filter(|path| !stays(path)).map(|path| args.root.join(path)).collect();
    let mut failed: Vec<_> = link.err().into_iter().collect();
    failed.extend(paths.iter().filter_map(|path| take(path, out).err()));
    let settings = args.root.join(settings);
    match failed.is_empty() {
        true => failed.extend(take(&settings, out).err()),
        false if ours(&settings).unwrap_or(false) => {
            out.notice(format_args!("{}: left, as it hides what could not be removed", settings.display()));
        }
        false => {}
    }
    let last = failed.pop();
    failed.iter().for_each(|error| out.notice(format_args!("{error:#}")));
    last.map_or(Ok(YES), Err)
}

/// Removes a file of ours.
fn take(path: &Path, out: &mut Output) -> Result<()> {
    match ours(path) {
        Ok(true) => remove(path, out)?,
        Ok(false) => {}
        Err(other) => out.notice(format_args!("{other:#}; left alone")),
    }
    Ok(())
}

fn remove(path: &Path, out: &mut Output) -> Result<()> {
    fs::remove_file(path).with_context(|| format!("{}: cannot be removed", path.display()))?;
    Ok(out.done(format_args!("removed: {}", path.display()))?)
}

/// The link by which systemd starts our unit; also if the unit is gone already.
fn enabled(root: &Path) -> Option<PathBuf> {
    let (link, unit) = (root.join(persist::ENABLED), Format::Unit.path());
    let target = fs::read_link(&link).ok()?;
    let to_it = target == Path::new("/").join(unit) || target == Path::new("../rs-prep.service");
    (to_it && ours(&root.join(unit)).is_ok()).then_some(link)
}

/// Whether there is a file of ours; none is no, another's is an error.
fn ours(path: &Path) -> Result<bool> {
    match fs::read_to_string(path) {
        Ok(text) if text.starts_with(MARK) => Ok(true),
        Ok(_) => bail!("{}: it is there already, and not written by rs-prep", path.display()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e).with_context(|| path.display().to_string()),
    }
}

fn write(path: &Path, file: &File) -> Result<()> {
    let folder = path.parent().context("no folder")?;
    fs::create_dir_all(folder)?;
    // A name that none of the readers of these folders takes for a file of theirs.
    let next = folder.join(".rs-prep.next");
    if let Err(e) = fs::remove_file(&next) {
        if e.kind() != ErrorKind::NotFound {
            return Err(e.into());
        }
    }
    let done = replace(&next, path, file);
    if done.is_err() {
        // What failed is told; half a file that nobody reads would stay for ever.
        let _ = fs::remove_file(&next);
    }
    done
}

fn replace(next: &Path, path: &Path, file: &File) -> Result<()> {
    let mut out = fs::OpenOptions::new().write(true).create_new(true).mode(file.mode).open(next)?;
    out.write_all(file.text.as_bytes())?;
    out.sync_all()?;
    Ok(fs::rename(next, path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_fails_leaves_nothing_behind() {
        let folder = std::env::temp_dir().join(format!("rs-prep-keep-{}", std::process::id()));
        // A folder in its place: all goes well until the last step.
        let path = folder.join("unit");
        fs::create_dir_all(path.join("full")).unwrap();
        let file = File { path: "unit", mode: 0o644, text: "text\n".to_owned() };
        assert!(write(&path, &file).is_err());
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(left, ["unit"]);
    }
}
