//! Memory that is not needed is given back.
#![allow(unsafe_code)]

use std::fs;

use nix::libc;

/// Gives freed memory back to the system: reading a large configuration leaves much of it, and a daemon that then
/// runs for months would hold it all that time. Elsewhere than with glibc this does nothing.
pub fn trim() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes a number, touches only free memory of the allocator and may be called at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Lets go of the program's code and constants, the system's libraries' too: most of it served the start alone (reading
/// files and the command line). What is needed again comes back from the page cache, without a disk unless memory is short.
pub fn let_go_of_program() {
    let maps = fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    for (start, len) in unchanged(&maps) {
        // SAFETY: the range is a mapping of a file that cannot be written and in which no page is our own: all its pages are
        // the file's, and the kernel reads them from there again. Refused (locked memory), nothing happens.
        unsafe {
            libc::madvise(std::ptr::with_exposed_provenance_mut(start), len, libc::MADV_DONTNEED);
        }
    }
}

/// Address and length of the mappings in the text of /proc/self/smaps that are of a file, cannot be written, and of which no
/// page was ever changed. Constants that the loader has relocated are not among them: the file does not have those.
fn unchanged(smaps: &str) -> Vec<(usize, usize)> {
    let (mut found, mut last) = (Vec::new(), None);
    for line in smaps.lines() {
        match line
            .split_once(':')
            .filter(|(key, _)| key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        {
            Some(("Anonymous", size)) if size.trim() == "0 kB" => found.extend(last.take()),
            Some(_) => {}
            None => last = of_a_file(line),
        }
    }
    found
}

/// Address and length in the first line of a mapping, if it is of a file and read-only.
fn of_a_file(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let is_ours = matches!(words.next()?, "r-xp" | "r--p") && words.nth(3)?.starts_with('/');
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    is_ours.then_some((start, end.checked_sub(start)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smaps(rights: &str, file: &str, anonymous: u32) -> String {
        format!(
            "7f00000-7f01000 {rights} 00001000 fe:00 42   {file}\nSize: 4 kB\nPrivate_Dirty: 4 kB\nAnonymous: {anonymous} kB\n\
             VmFlags: rd ex mr\n"
        )
    }

    #[test]
    fn only_what_is_the_files_own_is_let_go_of() {
        let file = "/usr/lib/libc.so.6";
        for rights in ["r-xp", "r--p"] {
            assert_eq!(unchanged(&smaps(rights, file, 0)), [(0x7f0_0000, 0x1000)]);
            assert_eq!(unchanged(&smaps(rights, file, 4)), [], "relocated");
            assert_eq!(unchanged(&smaps(rights, "[vdso]", 0)), []);
            assert_eq!(unchanged(&smaps(rights, "", 0)), []);
        }
        for rights in ["rw-p", "rwxp", "r-xs", "---p"] {
            assert_eq!(unchanged(&smaps(rights, file, 0)), [], "{rights}");
        }
        assert_eq!(unchanged(""), []);
        let two = smaps("rw-p", file, 0) + &smaps("r--p", file, 0);
        assert_eq!(unchanged(&two).len(), 1);
    }

    #[test]
    fn the_program_goes_on_without_it() {
        let_go_of_program();
        trim();
        let words: Vec<String> = (0..100).map(|n: u32| format!("{n:>5}")).collect();
        assert_eq!(words.concat().len(), 500);
    }
}
