//! Interfaces that go and come back faster than anyone looks.

use lab::{Lab, SECONDS, Signal, wait};

use super::faults::{RUN, file};

#[test]
fn an_interface_that_is_replaced_under_its_old_number_is_listened_on_again() {
    let lab = Lab::new();
    let host = lab.bare_host("d100");
    let make = "ip link add ens192 index 77 type veth peer name peer && ip link set peer up && \
                ip link set ens192 up && ip address add 192.168.15.100/21 dev ens192";
    host.ok(&["sh", "-c", make]);
    host.write("/etc/vrrp.conf", &file(100, ""));
    let daemon = host.spawn(RUN);
    let joined = || host.ok("ip maddress show dev ens192").contains("224.0.0.18");
    wait(10 * SECONDS, "the group", joined);
    wait(10 * SECONDS, "the VIP", || host.ok("ip -o address").contains("192.168.15.111/32"));
    // It learns of both at once.
    daemon.signal(Signal::SIGSTOP);
    host.ok(&["sh", "-c", &format!("ip link delete ens192 && {make}")]);
    daemon.signal(Signal::SIGCONT);
    wait(10 * SECONDS, "the group on the new one", joined);
    wait(10 * SECONDS, "the VIP on the new one", || host.ok("ip -o address").contains("192.168.15.111/32"));
    assert_eq!(daemon.stop(10 * SECONDS), 0);
}
