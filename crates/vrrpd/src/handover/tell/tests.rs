use lvs_core::conf::At;

use super::*;
use crate::door::Door;
use crate::packet::{Auth, Version};
use crate::params::Params;

fn spec() -> Spec {
    let door = Door {
        version: Version::V2,
        interval: Duration::from_secs(1),
        auth: Auth::None,
        vips: Vec::new(),
        peers: Vec::new(),
        check_source: false,
        old_sum: None,
    };
    let group = "224.0.0.18".parse().unwrap();
    Spec::new("VI_1", "ens192", 51, group, Params::default(), door, Vec::new())
}

#[test]
fn the_kernels_own_group_and_the_vrid_unless_a_daemon_is_configured() {
    let plain = Audience::of(&spec(), None);
    assert_eq!((plain.interface.as_str(), plain.id), ("ens192", 51));
    assert_eq!(plain.to, "224.0.0.81:8848".parse().unwrap());
    let mut daemon = SyncDaemon {
        interface: At::assumed("eth1".to_owned()),
        instance: At::assumed("VI_1".to_owned()),
        id: At::assumed(7),
        max_len: At::assumed(0),
        port: At::assumed(0),
        ttl: At::assumed(0),
        group: None,
    };
    assert_eq!(Audience::of(&spec(), Some(&daemon)).to, plain.to);
    daemon.port = At::assumed(9000);
    daemon.group = Some(At::assumed("224.0.0.90".parse().unwrap()));
    let other = Audience::of(&spec(), Some(&daemon));
    assert_eq!((other.interface.as_str(), other.id), ("eth1", 7));
    assert_eq!(other.to, "224.0.0.90:9000".parse().unwrap());
}
