//! What makes a host come up prepared after a reboot: files for whatever configures its network. Pure.
//!
//! The order holds in each of them: systemd-sysctl applies sysctl.d before any network starts, ifupdown's `pre-up`
//! runs before its address, and the unit calls `rs-prep up`.

use std::fmt::Write;
use std::path::Path;

use clap::ValueEnum;
use lvs_core::addr::Family;

use crate::quiet::{ANNOUNCE, IGNORE};
use crate::vip::{self, Forwarding, Vip};

/// The first line of every file; only files that begin with it are replaced or removed.
pub const MARK: &str = "# Written by rs-prep persist; rs-prep unpersist removes it.";

/// What configures the network of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The settings alone; the address is added by other means
    #[value(name = "sysctl.d")]
    Sysctl,
    /// systemd-networkd
    Networkd,
    /// /etc/network/interfaces of Debian
    Ifupdown,
    /// netplan with the networkd renderer
    Netplan,
    /// NetworkManager 1.42 or newer
    #[value(name = "networkmanager")]
    NetworkManager,
    /// A systemd unit that runs rs-prep itself
    Unit,
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path, from the root.
    pub path: &'static str,
    /// Its permissions.
    pub mode: u32,
    /// What it holds.
    pub text: String,
}

const SYSCTL: &str = "etc/sysctl.d/90-lvs-real-server.conf";

/// Every path that any format writes: addresses before the settings that hide them, for removal in this order.
pub const PATHS: [&str; 6] = [
    "etc/systemd/network/90-lvs-real-server.network",
    "etc/network/interfaces.d/lvs-real-server",
    "etc/netplan/90-lvs-real-server.yaml",
    "etc/NetworkManager/system-connections/lvs-real-server.nmconnection",
    "etc/systemd/system/rs-prep.service",
    SYSCTL,
];

/// The link that `systemctl enable` makes for the unit.
pub const ENABLED: &str = "etc/systemd/system/multi-user.target.wants/rs-prep.service";

impl Format {
    /// The path of the file that holds the VIPs; of the settings alone, where they hold none.
    pub fn path(self) -> &'static str {
        let [networkd, ifupdown, netplan, manager, unit, settings] = PATHS;
        match self {
            Self::Sysctl => settings,
            Self::Networkd => networkd,
            Self::Ifupdown => ifupdown,
            Self::Netplan => netplan,
            Self::NetworkManager => manager,
            Self::Unit => unit,
        }
    }
}

/// The VIPs that a file of any format holds.
pub fn held(text: &str) -> Vec<Vip> {
    let mut found = Vec::new();
    // What stops the unit names the VIPs of both kinds again.
    for line in text.lines().filter(|line| !line.starts_with("ExecStop=")) {
        // The program's path, before the verb, may hold anything.
        let after = line.rsplit_once(" up ").map(|(_, after)| after);
        let tunnel = after.is_some_and(|after| after.starts_with("--tunnel "));
        let make = if tunnel { Vip::tunnel } else { Vip::direct };
        let words = after.unwrap_or(line).split(|c: char| c.is_whitespace() || matches!(c, '=' | '"'));
        found.extend(words.filter_map(|word| vip::parse(word).ok()).map(make));
    }
    vip::once(&found)
}

/// What was held already, in its order and as it is asked for now, and then the rest.
pub fn together(held: &[Vip], asked: &[Vip]) -> Vec<Vip> {
    let now = |vip: &Vip| asked.iter().find(|other| other.addr == vip.addr).copied().unwrap_or(*vip);
    let mut all: Vec<_> = held.iter().map(now).collect();
    all.extend(asked.iter().filter(|vip| !held.iter().any(|other| other.addr == vip.addr)));
    all
}

/// What runs at a start: this program, and where it remembers.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The program's file.
    pub file: &'a Path,
    /// `--state-dir`, where it is not the usual one.
    pub state_dir: Option<&'a Path>,
}

/// The files of a format, settings before addresses; and what makes them count at once.
///
/// # Errors
/// A sentence: the format cannot hold such a VIP.
pub fn files(format: Format, vips: &[Vip], program: Program<'_>) -> Result<(Vec<File>, String), String> {
    let tunnel = vips.iter().find(|vip| vip.forwarding == Forwarding::Tunnel);
    if let Some(vip) = tunnel.filter(|_| format != Format::Unit) {
        return Err(format!(
            "{vip}: a tunnel needs --format unit, which loads its module and sets its filter"
        ));
    }
    let settings = File { path: SYSCTL, mode: 0o644, text: sysctl() };
    let path = format.path();
    let (mode, text, then) = match format {
        Format::Sysctl => return Ok((vec![settings], "sysctl --system".to_owned())),
        Format::Networkd => (0o644, networkd_text(vips), "sysctl --system; networkctl reload".to_owned()),
        Format::Ifupdown => (0o644, ifupdown_text(vips), ifup(vips)),
        Format::Netplan => (0o600, netplan_text(vips), "sysctl --system; netplan apply".to_owned()),
        Format::NetworkManager => {
            let then = "sysctl --system; nmcli connection reload; nmcli connection up lvs-real-server";
            (0o600, manager_text(vips), then.to_owned())
        }
        Format::Unit => {
            let text = unit_text(vips, program);
            // A unit that runs already is not started again.
            let then = "systemctl daemon-reload; systemctl enable --now rs-prep.service (or rs-prep up, if that runs already)";
            return Ok((vec![File { path, mode: 0o644, text }], then.to_owned()));
        }
    };
    Ok((vec![settings, File { path, mode, text }], then))
}

fn sysctl() -> String {
    format!("{MARK}\nnet.ipv4.conf.all.arp_announce = {ANNOUNCE}\nnet.ipv4.conf.all.arp_ignore = {IGNORE}\n")
}

/// The IPv4 VIPs with their labels.
fn labelled(vips: &[Vip]) -> impl Iterator<Item = (String, Vip)> {
    let v4 = vips.iter().filter(|vip| vip.family() == Family::Inet);
    v4.enumerate().map(|(n, vip)| (format!("lo:{n}"), *vip))
}

fn six(vips: &[Vip]) -> impl Iterator<Item = Vip> {
    vips.iter().filter(|vip| vip.family() == Family::Inet6).copied()
}

/// Text is appended to a String, which cannot fail.
macro_rules! add {
    ($text:expr, $($words:tt)*) => { let _ = writeln!($text, $($words)*); };
}

fn networkd_text(vips: &[Vip]) -> String {
    let mut text = format!("{MARK}\n[Match]\nName=lo\n");
    for (label, vip) in labelled(vips) {
        add!(text, "\n[Address]\nAddress={}\nLabel={label}", vip.prefix());
        add!(text, "\n[Route]\nDestination={}\nScope=link\nPreferredSource={vip}", vip.prefix());
    }
    for vip in six(vips) {
        add!(text, "\n[Address]\nAddress={}\nDuplicateAddressDetection=none", vip.prefix());
    }
    text
}

fn ifupdown_text(vips: &[Vip]) -> String {
    let mut text = format!("{MARK}\n");
    for (label, vip) in labelled(vips) {
        add!(text, "auto {label}\niface {label} inet static");
        add!(text, "    pre-up sysctl -qw net.ipv4.conf.all.arp_announce={ANNOUNCE}");
        add!(text, "    pre-up sysctl -qw net.ipv4.conf.all.arp_ignore={IGNORE}");
        add!(text, "    address {vip}\n    netmask 255.255.255.255\n    broadcast {vip}");
        add!(text, "    up ip route replace {} dev lo src {vip}", vip.prefix());
    }
    for vip in six(vips) {
        add!(text, "iface lo inet6 static\n    address {vip}\n    netmask 128\n    dad-attempts 0");
    }
    text
}

/// What puts the VIPs at once: `lo` is up, so `ifup -a` does nothing for the IPv6 VIPs, which have no label to be up.
fn ifup(vips: &[Vip]) -> String {
    let four = labelled(vips).next().map(|_| "ifup -a".to_owned());
    let rest: String = six(vips).map(|vip| format!(" {vip}")).collect();
    let rest = Some(format!("rs-prep up{rest}")).filter(|_| !rest.is_empty());
    four.into_iter().chain(rest).collect::<Vec<_>>().join("; ")
}

fn netplan_text(vips: &[Vip]) -> String {
    let mut text = format!("{MARK}\nnetwork:\n  version: 2\n  renderer: networkd\n  ethernets:\n    lo:\n");
    add!(text, "      match:\n        name: lo\n      addresses:");
    for (label, vip) in labelled(vips) {
        add!(text, "        - \"{}\":\n            label: \"{label}\"", vip.prefix());
    }
    six(vips).for_each(|vip| {
        add!(text, "        - \"{}\"", vip.prefix());
    });
    text
}

fn manager_text(vips: &[Vip]) -> String {
    let mut text = format!("{MARK}\n[connection]\nid=lvs-real-server\ntype=loopback\ninterface-name=lo\n");
    // A profile of lo replaces what lo has, so it names lo's own addresses too.
    add!(text, "\n[ipv4]\nmethod=manual\naddress1=127.0.0.1/8");
    for (n, (_, vip)) in labelled(vips).enumerate() {
        add!(text, "address{}={}", n + 2, vip.prefix());
    }
    add!(text, "\n[ipv6]\nmethod=manual\naddress1=::1/128");
    for (n, vip) in six(vips).enumerate() {
        add!(text, "address{}={}", n + 2, vip.prefix());
    }
    text
}

fn unit_text(vips: &[Vip], program: Program<'_>) -> String {
    let program = command(program);
    let of = |forwarding| vips.iter().filter(move |vip| vip.forwarding == forwarding);
    let words = |list: &mut dyn Iterator<Item = &Vip>| list.map(|vip| format!(" {vip}")).collect::<String>();
    let (direct, tunnel) = (words(&mut of(Forwarding::Direct)), words(&mut of(Forwarding::Tunnel)));
    let mut text = format!("{MARK}\n[Unit]\nDescription=VIPs of an LVS real server\n");
    // Before network.target: services that bind to a VIP start after it.
    add!(text, "Documentation=man:rs-prep(8)\nAfter=systemd-sysctl.service\nBefore=network.target");
    add!(text, "\n[Service]\nType=oneshot\nRemainAfterExit=yes");
    if !direct.is_empty() {
        add!(text, "ExecStart={program} up{direct}");
    }
    if !tunnel.is_empty() {
        add!(text, "ExecStart={program} up --tunnel{tunnel}");
    }
    add!(text, "ExecStop={program} down{direct}{tunnel}");
    add!(text, "\n[Install]\nWantedBy=multi-user.target");
    text
}

/// The program and its options as systemd.service(5) reads them back.
fn command(program: Program<'_>) -> String {
    // Variables are replaced in the arguments alone, so the program's own path keeps its dollars.
    let mut text = unit_word(&program.file.display().to_string());
    if let Some(dir) = program.state_dir {
        add!(text, " --state-dir {}", unit_word(&dir.display().to_string()).replace('$', "$$"));
    }
    text.trim_end().to_owned()
}

/// A word in quotes where it needs them; `%` begins a specifier in quotes too.
fn unit_word(word: &str) -> String {
    let text = word.replace('\\', r"\\").replace('"', "\\\"").replace('%', "%%");
    let plain = |c: char| !c.is_whitespace() && !matches!(c, '"' | '\'' | '\\' | ';');
    if word.chars().all(plain) { text } else { format!("\"{text}\"") }
}

#[cfg(test)]
mod tests;
