//! The order of listings, exact to ipvsadm's bug.
//!
//! It compares addresses by a 32-bit signed difference, so those more than 2^31 apart come the wrong way round and
//! the order is no order at all (a < b < c < a). The result then depends on how it is sorted: by the merge sort of
//! the C library, which is repeated here. The sorts of std refuse such comparisons.

use std::net::IpAddr;

use lvs_core::ipvs::{ServerState, ServiceState};
use lvs_core::table::ServiceKey;

/// Service indices in the order of the listing.
pub(crate) fn services(all: &[ServiceState]) -> Vec<u32> {
    sorted(all, |a, b| compare_services(&a.key, &b.key))
}

/// Server indices in the order of the listing.
pub(crate) fn servers(all: &[ServerState]) -> Vec<u32> {
    sorted(all, |a, b| {
        let (a, b) = (&a.endpoint, &b.endpoint);
        first([compare_addresses(a.addr, b.addr), i32::from(a.port) - i32::from(b.port)])
    })
}

fn sorted<T>(all: &[T], compare: impl Fn(&T, &T) -> i32) -> Vec<u32> {
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let mut order: Vec<u32> = (0..count).collect();
    let mut room = Vec::with_capacity(order.len());
    merge_sort(&mut order, &mut room, &|a, b| compare(&all[a as usize], &all[b as usize]));
    order
}

/// Top down, the first half the smaller one, the left element on a tie: what glibc's qsort does.
fn merge_sort(order: &mut [u32], room: &mut Vec<u32>, compare: &impl Fn(u32, u32) -> i32) {
    if order.len() < 2 {
        return;
    }
    let half = order.len() / 2;
    merge_sort(&mut order[..half], room, compare);
    merge_sort(&mut order[half..], room, compare);
    room.clear();
    let (mut i, mut j) = (0, half);
    while i < half && j < order.len() {
        let left = compare(order[i], order[j]) <= 0;
        let from = if left { &mut i } else { &mut j };
        room.push(order[*from]);
        *from += 1;
    }
    room.extend_from_slice(&order[i..half]);
    // What is left of the second half stands at its place already.
    order[..room.len()].copy_from_slice(room);
}

/// The first of the comparisons that tells a difference.
fn first<const N: usize>(comparisons: [i32; N]) -> i32 {
    comparisons.into_iter().find(|c| *c != 0).unwrap_or(0)
}

fn difference(a: u32, b: u32) -> i32 {
    i32::from_ne_bytes(a.wrapping_sub(b).to_ne_bytes())
}

fn compare_services(a: &ServiceKey, b: &ServiceKey) -> i32 {
    let parts = |key: &ServiceKey| match *key {
        ServiceKey::Addr { protocol, vip } => (0, protocol.number(), Some(vip)),
        ServiceKey::Mark { mark, .. } => (mark, 0, None),
    };
    let ((mark_a, protocol_a, vip_a), (mark_b, protocol_b, vip_b)) = (parts(a), parts(b));
    let before = first([
        difference(mark_a, mark_b),
        i32::from(a.family().number()) - i32::from(b.family().number()),
        i32::from(protocol_a) - i32::from(protocol_b),
    ]);
    match (vip_a, vip_b) {
        (Some(x), Some(y)) if before == 0 => {
            first([compare_addresses(x.addr, y.addr), i32::from(x.port) - i32::from(y.port)])
        }
        _ => before,
    }
}

fn compare_addresses(a: IpAddr, b: IpAddr) -> i32 {
    let (x, y) = (words(a), words(b));
    let differences = [0, 1, 2, 3].map(|i| difference(x[i], y[i]));
    if a.is_ipv4() { differences[0] } else { first(differences) }
}

/// The four words of an address; only the first of IPv4.
fn words(addr: IpAddr) -> [u32; 4] {
    match addr {
        IpAddr::V4(a) => [u32::from(a), 0, 0, 0],
        IpAddr::V6(a) => {
            let s = a.segments().map(u32::from);
            [s[0] << 16 | s[1], s[2] << 16 | s[3], s[4] << 16 | s[5], s[6] << 16 | s[7]]
        }
    }
}

#[cfg(test)]
mod tests {
    use lvs_core::addr::Endpoint;
    use lvs_core::ipvs::Stats;
    use lvs_core::table::{Forward, Server};

    use super::*;

    fn order_of(addrs: &[&str]) -> Vec<String> {
        let all: Vec<ServerState> = addrs
            .iter()
            .map(|a| ServerState {
                endpoint: Endpoint::new(a.parse::<IpAddr>().unwrap(), 0),
                server: Server::new(Forward::Route, 1),
                active: 0,
                inactive: 0,
                persistent: 0,
                stats: Stats::default(),
            })
            .collect();
        servers(&all).iter().map(|i| all[*i as usize].endpoint.addr.to_string()).collect()
    }

    /// Recorded from ipvsadm 1.31: kernel order in, printed order out.
    #[test]
    fn addresses_far_apart_come_as_in_ipvsadm() {
        let kernel = [
            "220.1.1.1",
            "90.0.0.1",
            "130.0.0.1",
            "127.0.0.9",
            "1.1.1.1",
            "200.1.1.1",
            "192.168.0.1",
            "172.16.0.1",
            "10.0.0.1",
        ];
        let printed = [
            "127.0.0.9",
            "130.0.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "200.1.1.1",
            "220.1.1.1",
            "1.1.1.1",
            "10.0.0.1",
            "90.0.0.1",
        ];
        assert_eq!(order_of(&kernel), printed);
    }

    #[test]
    fn a_v6_server_of_a_v4_service_stands_by_its_first_word() {
        assert_eq!(
            order_of(&["127.0.0.1", "2001:db8::7", "10.0.1.7"]),
            ["10.0.1.7", "2001:db8::7", "127.0.0.1"]
        );
    }
}
