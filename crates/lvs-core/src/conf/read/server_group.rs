//! `virtual_server_group`.

use std::net::IpAddr;

use super::{At, Cx, name};
use crate::addr::{Family, Prefix};
use crate::conf::model::{GroupEntry, ServerGroup};
use crate::conf::tree::Stmt;

/// `virtual_server_group NAME { }`.
pub(super) fn read(cx: &mut Cx<'_>, stmt: Stmt<'_>) -> Option<ServerGroup> {
    let entries: Vec<_> = stmt.children().filter_map(|s| cx.group_entry(s)).collect();
    if entries.is_empty() {
        let message =
            format!("virtual_server_group {} has no entries; it is left out", stmt.get(1).unwrap_or(""));
        cx.drop_block(
            "empty-group",
            stmt,
            stmt.place(0),
            message,
            "add lines such as 10.0.0.1 80 or fwmark 1",
        );
        return None;
    }
    Some(ServerGroup { name: name(stmt), entries })
}

impl Cx<'_> {
    /// `IP[-IP|-N|/LEN] [PORT]` or `fwmark N [inet|inet6]`.
    fn group_entry(&mut self, s: Stmt<'_>) -> Option<At<GroupEntry>> {
        let text = s.get(0)?;
        if text == "fwmark" {
            let mark = self.count(s, 1, 1..=u32::MAX)?.value;
            let family = if s.get(2).is_some() {
                self.choice(s, 2, &[("inet", Family::Inet), ("inet6", Family::Inet6)]).map(|f| f.value)
            } else {
                None
            };
            return Some(At::new(GroupEntry::Mark { mark, family }, s.place(0)));
        }
        let Some((first, last)) = range(text) else {
            let message = format!("'{text}' is no address or range of addresses; the group is left out");
            let help = "write 10.0.0.1, 10.0.0.1-9 or 10.0.0.0/28, then the port";
            self.findings.error("bad-address", s.place(0), message).help(help);
            return None;
        };
        let port = self.own_port(s, 1, "the group is left out")?;
        Some(At::new(GroupEntry::Range { first, last, port }, s.place(0)))
    }
}

/// `A`, `A-N` (last part), `A-B`, `A/LEN`: the first and the last address.
fn range(text: &str) -> Option<(IpAddr, IpAddr)> {
    if let Ok(prefix) = text.parse::<Prefix>() {
        return Some(bounds(prefix));
    }
    let (first, end) = text.split_once('-')?;
    let first: IpAddr = first.parse().ok()?;
    let last = match (end.parse::<IpAddr>(), first) {
        (Ok(last), _) => last,
        (Err(_), IpAddr::V4(a)) => {
            let [x, y, z, _] = a.octets();
            IpAddr::from([x, y, z, end.parse().ok()?])
        }
        (Err(_), IpAddr::V6(a)) => {
            let mut parts = a.segments();
            parts[7] = u16::from_str_radix(end, 16).ok()?;
            IpAddr::from(parts)
        }
    };
    (Family::of(first) == Family::of(last) && first <= last).then_some((first, last))
}

/// The first and the last address of a network.
fn bounds(p: Prefix) -> (IpAddr, IpAddr) {
    match p.addr {
        IpAddr::V4(a) => {
            let host = u32::MAX.checked_shr(u32::from(p.len)).unwrap_or(0);
            (IpAddr::V4((u32::from(a) & !host).into()), IpAddr::V4((u32::from(a) | host).into()))
        }
        IpAddr::V6(a) => {
            let host = u128::MAX.checked_shr(u32::from(p.len)).unwrap_or(0);
            (IpAddr::V6((u128::from(a) & !host).into()), IpAddr::V6((u128::from(a) | host).into()))
        }
    }
}
