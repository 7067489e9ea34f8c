//! Kernel settings under /proc/sys, of the network namespace that this process is in.

use std::fmt;
use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

use crate::addr::Family;

/// The name of one setting; prints as sysctl(8) writes it, `net.ipv4.conf.all.arp_ignore`.
///
/// Kept as the path below /proc/sys, because there an interface called `ens192.100` is not ambiguous.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// The setting `name` of an interface, or of `all` or `default`.
    pub fn conf(family: Family, interface: &str, name: &str) -> Self {
        let version = match family {
            Family::Inet => "ipv4",
            Family::Inet6 => "ipv6",
        };
        Self(format!("net/{version}/conf/{interface}/{name}"))
    }

    /// The setting whose path below /proc/sys is known: `net/ipv4/ip_forward`.
    pub fn path(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// The interface, `all` or `default`, if it is a setting of one.
    pub fn interface(&self) -> Option<&str> {
        let mut parts = self.0.split('/').skip(2);
        parts.next().filter(|part| *part == "conf").and_then(|_| parts.next())
    }

    /// The same setting of another interface, or of one that was renamed.
    #[must_use]
    pub fn of(&self, interface: &str) -> Self {
        let swap = |(n, part)| if n == 3 { interface } else { part };
        Self(self.0.split('/').enumerate().map(swap).collect::<Vec<_>>().join("/"))
    }

    fn file(&self) -> String {
        format!("/proc/sys/{}", self.0)
    }
}

impl fmt::Display for Key {
    /// sysctl(8)'s notation: dots between the parts, and a slash for a dot inside a part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let swapped = self.0.chars().map(|c| match c {
            '/' => '.',
            '.' => '/',
            c => c,
        });
        f.write_str(&swapped.collect::<String>())
    }
}

/// A setting that could not be read or written, with what to try.
#[derive(Debug, thiserror::Error)]
pub enum SysctlError {
    /// The kernel said no.
    #[error("{key}: {}", reason(.error))]
    Io {
        /// Which setting.
        key: Key,
        /// What the kernel said; no source, as the sentence has it already.
        error: io::Error,
    },
    /// The file does not hold a number.
    #[error("{key}: '{text}' is not a number")]
    NotANumber {
        /// Which setting.
        key: Key,
        /// What it holds.
        text: String,
    },
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("{error}: writing needs root (in a container: a writable /proc/sys)")
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            format!("{error}: /proc/sys is mounted read-only; set it on the host of the container")
        }
        io::ErrorKind::NotFound => format!("{error}: this kernel or interface has no such setting"),
        _ => error.to_string(),
    }
}

/// Reads a setting that holds one number; `None` if the kernel has no such setting (the interface is gone, IPv6
/// is off).
pub fn read(key: &Key) -> Result<Option<i32>, SysctlError> {
    let text = match fs::read_to_string(key.file()) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SysctlError::Io { key: key.clone(), error }),
    };
    let number = text.trim().parse();
    number.map(Some).map_err(|_| SysctlError::NotANumber { key: key.clone(), text: text.trim().to_owned() })
}

/// Writes a setting. The kernel takes the value whole or not at all.
pub fn write(key: &Key, value: i32) -> Result<(), SysctlError> {
    // Not fs::write: it would create a file, and /proc answers that with a misleading reason.
    let written = fs::OpenOptions::new()
        .write(true)
        .open(key.file())
        .and_then(|mut file| io::Write::write_all(&mut file, value.to_string().as_bytes()));
    written.map_err(|error| SysctlError::Io { key: key.clone(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_prints_as_sysctl_writes_it() {
        assert_eq!(Key::conf(Family::Inet, "all", "arp_ignore").to_string(), "net.ipv4.conf.all.arp_ignore");
        let vlan = Key::conf(Family::Inet6, "ens192.100", "accept_dad");
        assert_eq!(vlan.to_string(), "net.ipv6.conf.ens192/100.accept_dad");
    }

    #[test]
    fn a_key_knows_its_interface() {
        let key = Key::conf(Family::Inet, "ens192.100", "arp_ignore");
        assert_eq!(key.interface(), Some("ens192.100"));
        assert_eq!(key.of("lan0").to_string(), "net.ipv4.conf.lan0.arp_ignore");
        assert_eq!(Key::path("net/ipv4/ip_forward").interface(), None);
    }

    #[test]
    fn a_setting_of_no_interface_is_none_to_read_and_an_error_to_write() {
        let key = Key::conf(Family::Inet, "no-such-nic", "arp_ignore");
        assert!(matches!(read(&key), Ok(None)));
        let error = write(&key, 1).unwrap_err().to_string();
        assert!(error.starts_with("net.ipv4.conf.no-such-nic.arp_ignore: "), "{error}");
        assert!(error.ends_with("this kernel or interface has no such setting"), "{error}");
    }

    #[test]
    fn what_the_kernel_holds_is_read() {
        assert!(read(&Key::path("net/ipv4/ip_forward")).unwrap().is_some_and(|v| (0..=1).contains(&v)));
        assert!(matches!(read(&Key::path("kernel/ostype")), Err(SysctlError::NotANumber { .. })));
    }
}
