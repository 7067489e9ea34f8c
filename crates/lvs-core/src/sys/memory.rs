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

/// Lets go of program code, the system's libraries too: most of it served the start alone (reading files and the command
/// line). What is needed again comes back from the page cache, without a disk unless memory is short.
pub fn let_go_of_code() {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for (start, len) in maps.lines().filter_map(code) {
        // SAFETY: the range is a mapping of code, executable and not writable: its pages are those of its file, and the
        // kernel reads them from there again. Refused (locked memory), nothing happens.
        unsafe {
            libc::madvise(std::ptr::with_exposed_provenance_mut(start), len, libc::MADV_DONTNEED);
        }
    }
}

/// Address and length of a line of /proc/self/maps that is code of a file.
fn code(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let is_code = words.next()? == "r-xp" && words.nth(3)?.starts_with('/');
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    is_code.then_some((start, end.checked_sub(start)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_files_is_let_go_of() {
        let line = "7f00000 -7f01000 r-xp 00001000 fe:00 42   /usr/lib/libc.so.6".replace(" -", "-");
        assert_eq!(code(&line), Some((0x7f0_0000, 0x1000)));
        for other in ["rw-p", "r--p", "rwxp", "r-xs"] {
            assert_eq!(code(&line.replace("r-xp", other)), None, "{other}");
        }
        assert_eq!(code("7fff000-7fff1000 r-xp 00000000 00:00 0   [vdso]"), None);
        assert_eq!(code(""), None);
        // And the program goes on.
        let_go_of_code();
        trim();
    }
}
