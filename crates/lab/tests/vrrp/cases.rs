//! The files: every keyword of a production configuration is in one of them.

use super::duel::{Case, instance};

/// IPv6 instances speak from link-local addresses and advertise one first.
fn six(name: &'static str, lines: &str) -> Case {
    let vips = "virtual_ipaddress {\n fe80::1:1\n 2001:db8::111\n }";
    let file = instance(&format!("advert_int 0.1\n {vips}\n {lines}"));
    Case::whole(name, &file, &["fe80::1:1/128", "2001:db8::111/128"])
}

fn with_globals(globals: &str, case: Case) -> Case {
    Case { file: format!("global_defs {{\n {globals}\n}}\n{}", case.file), ..case }
}

fn before(text: &str, case: Case) -> Case {
    Case { file: format!("{text}\n{}", case.file), ..case }
}

const PEER: &str = "unicast_src_ip 192.168.15.HERE\n unicast_peer {\n 192.168.15.PEER\n }";

/// The options of addresses that `ip` shows. Without `peer`: keepalived never removes such an address again (measured).
const FLAGS: &str = "virtual_ipaddress_excluded {\n 10.7.1.1/24 brd -\n 10.7.2.1/24 brd 10.7.2.77\n \
                     10.7.3.1/24 noprefixroute\n 10.7.4.1 preferred_lft 0\n 2001:db8:7::1 home\n \
                     2001:db8:7::3/64 mngtmpaddr preferred_lft forever\n 2001:db8:7::4/64 noprefixroute\n 10.7.5.1 no_track\n \
                     2001:db8:7::5 preferred_lft forever\n }";
const FLAGS_SEEN: &[&str] = &[
    "inet 10.7.1.1/24 brd 10.7.1.0 scope global",
    "inet 10.7.2.1/24 brd 10.7.2.77 scope global",
    "inet 10.7.3.1/24 scope global noprefixroute",
    "inet 10.7.4.1/32 scope global ens192\\       valid_lft forever preferred_lft forever",
    "inet 10.7.5.1/32 scope global",
    "inet6 2001:db8:7::1/128 scope global nodad home deprecated",
    "inet6 2001:db8:7::3/64 scope global nodad mngtmpaddr \\       valid_lft forever preferred_lft forever",
    "inet6 2001:db8:7::4/64 scope global nodad noprefixroute",
    "inet6 2001:db8:7::5/128 scope global nodad \\       valid_lft forever preferred_lft forever",
];

/// Every duel.
pub(crate) fn all() -> Vec<Case> {
    [version_2(), protocol(), addresses_and_tracking(), rules_and_daemon()].into_iter().flatten().collect()
}

/// Version 2: whole seconds, so these take longer.
pub(crate) fn version_2() -> Vec<Case> {
    vec![
        Case::slow("v2", ""),
        Case::slow("v2, state MASTER", "state MASTER"),
        Case::slow("v2, PASS", "authentication {\n auth_type PASS\n auth_pass secret\n }"),
        Case::slow("v2, long PASS", "authentication {\n auth_type PASS\n auth_pass your_password\n }"),
        Case::slow("v2, unicast", PEER),
        Case::slow(
            "v2, unicast, PASS",
            &format!("{PEER}\n authentication {{\n auth_type PASS\n auth_pass secret\n }}"),
        ),
        Case::slow("v2, nopreempt", "nopreempt").stays(),
        with_globals("vrrp_version 2", Case::slow("vrrp_version 2", "")),
        Case::slow("v2, PASS without auth_type", "authentication {\n auth_pass secret\n }"),
        Case::slow("v2, PASS in lower case", "authentication {\n auth_type pass\n auth_pass secret\n }"),
        Case::slow(
            "v2, unicast with prefix lengths",
            "unicast_src_ip 192.168.15.HERE/21\n unicast_peer {\n 192.168.15.PEER/21\n }",
        ),
        with_globals(
            "vrrp_skip_check_adv_addr\n vrrp_strict\n vrrp_garp_interval 0\n vrrp_gna_interval 0",
            Case::slow(
                "the sample of a distribution",
                "state MASTER\n accept\n authentication {\n auth_type PASS\n auth_pass 1111\n }",
            ),
        ),
        with_globals(
            "vrrp_strict",
            Case::slow("vrrp_strict, nopreempt", "state MASTER\n nopreempt\n preempt_delay 5").stays(),
        ),
        with_globals("vrrp_strict", Case::slow("vrrp_strict, unicast", PEER)),
    ]
}

/// The protocol and the wire.
pub(crate) fn protocol() -> Vec<Case> {
    vec![
        Case::quick("v3", ""),
        six("v3, IPv6", ""),
        Case::quick("unicast", PEER),
        Case::quick("unicast, check_unicast_src", &format!("{PEER}\n check_unicast_src")),
        Case::quick(
            "unicast, ttl",
            &format!("unicast_ttl 64\n {}", PEER.replace("PEER\n", "PEER min_ttl 60 max_ttl 70\n")),
        ),
        Case::quick("old_unicast_checksum", &format!("{PEER}\n old_unicast_checksum")),
        Case::quick("old_unicast_checksum of one", &format!("{PEER}\n@d100 old_unicast_checksum")),
        Case::quick("mcast_src_ip", "mcast_src_ip 192.168.15.HERE"),
        Case::quick("mcast_dst_ip", "mcast_dst_ip 224.0.0.99"),
        with_globals("vrrp_mcast_group4 224.0.0.77", Case::quick("vrrp_mcast_group4", "")),
        with_globals("vrrp_mcast_group6 ff02::77", six("vrrp_mcast_group6", "")),
        with_globals("vrrp_version 3", Case::quick("vrrp_version 3", "")),
        Case::quick("nopreempt", "nopreempt").stays(),
        Case::quick("preempt_delay", "preempt_delay 1"),
        Case::quick("down_timer_adverts", "down_timer_adverts 2"),
        Case::quick("lower_prio_no_advert", "lower_prio_no_advert"),
        Case::quick("higher_prio_send_advert", "higher_prio_send_advert"),
        Case::quick("skip_check_adv_addr", "skip_check_adv_addr"),
        with_globals("vrrp_startup_delay 1", Case::quick("vrrp_startup_delay", "")),
        with_globals("vrrp_min_garp", Case::quick("vrrp_min_garp", "")),
        with_globals(
            "vrrp_garp_interval 0.01\n vrrp_gna_interval 0.01",
            Case::quick("vrrp_garp_interval", ""),
        ),
        Case::quick(
            "garp options",
            "garp_master_delay 1\n garp_master_repeat 2\n garp_master_refresh 1\n garp_master_refresh_repeat 2",
        ),
    ]
}

/// Addresses, and what is tracked.
pub(crate) fn addresses_and_tracking() -> Vec<Case> {
    let options = "virtual_ipaddress {\n 192.168.15.112/24 brd + label ens192:9\n 192.168.15.113 scope link\n \
                   192.168.15.114/32 dev lo\n }";
    let options = instance(&format!("version 3\n advert_int 0.1\n {options}"));
    let script = "vrrp_script chk {\n script \"/usr/bin/true\"\n interval 1\n weight 10\n}";
    let process = "vrrp_track_process p {\n process cat\n weight 10\n}";
    let file = "track_file f {\n file /etc/vrrp.number\n weight 1\n init_file 3 overwrite\n}";
    vec![
        Case::whole(
            "address options",
            &options,
            &[
                "192.168.15.112/24 brd 192.168.15.255 scope global",
                "ens192:9",
                "192.168.15.113/32 scope link",
                "192.168.15.114/32 scope global lo",
            ],
        ),
        Case::quick("address flags", FLAGS).seen_by("ip -d -o address", FLAGS_SEEN),
        Case::quick("excluded", "virtual_ipaddress_excluded {\n 192.168.15.120\n 2001:db8::120\n }")
            .marks(&["192.168.15.111/32", "192.168.15.120/32", "2001:db8::120/128"]),
        before(script, Case::quick("track_script", "track_script {\n chk\n }")),
        before(
            &script.replace("weight 10\n", ""),
            Case::quick("track_script without weight", "track_script {\n chk\n }"),
        ),
        before(file, Case::quick("track_file", "track_file {\n f\n }")),
        before(process, Case::quick("track_process", "track_process {\n p\n }")),
        Case::quick("track_interface", "track_interface {\n lo weight 10\n }"),
        Case::quick("dont_track_primary", "dont_track_primary"),
        sync_group(),
        Case::quick("use_vmac", "use_vmac").marks(&["vrrp.51    inet 192.168.15.111/32"]),
        Case::quick("vmac_xmit_base", "use_vmac vmac51\n vmac_xmit_base")
            .marks(&["vmac51    inet 192.168.15.111/32"]),
        six("use_vmac, IPv6", "use_vmac")
            .marks(&["vrrp.51    inet6 2001:db8::111/128", "vrrp.51    inet6 fe80::1:1/128"]),
        address_vmacs(),
        Case::quick("virtual_routes", "virtual_routes {\n 10.9.0.0/16 via 192.168.15.1 dev ens192\n }")
            .seen_by("ip route show proto keepalived", &["10.9.0.0/16 via 192.168.15.1"]),
        Case::quick("virtual_rules", "virtual_rules {\n from 10.8.0.0/16 lookup main\n }")
            .seen_by("ip rule", &["16384:\tfrom 10.8.0.0/16 lookup main proto keepalived"]),
    ]
}

/// The instance's own VMAC, and that of an address of the other family.
fn address_vmacs() -> Case {
    let globals = "vmac_addr_prefix ap\n vrrp_garp_extra_if all 2";
    let lines = "use_vmac\n use_vmac_addr\n garp_extra_if 1\n \
                 virtual_ipaddress_excluded {\n 2001:db8::120\n }";
    with_globals(globals, Case::quick("use_vmac_addr", lines))
        .marks(&["vrrp.51    inet 192.168.15.111/32", "ap.51    inet6 2001:db8::120/128"])
}

fn sync_group() -> Case {
    let other = "vrrp_instance VI_2 {\n interface ens192\n virtual_router_id 52\n priority PRIO\n advert_int 0.1\n \
                 virtual_ipaddress {\n fe80::2:2\n }\n}\n";
    let group = "vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n}";
    let case = before(group, Case::quick("sync group", ""));
    Case { file: format!("{}{other}", case.file), ..case }.marks(&["192.168.15.111/32", "fe80::2:2/128"])
}

/// The filter is looked at; the addresses where the kernel has none, and `faults.rs` what is then said.
fn filtered(case: Case, marks: &[&'static str]) -> Case {
    if lab::has_inet_nftables() { case.seen_by("nft list ruleset", marks) } else { case }
}

/// Who may talk to the addresses, and how the daemons are kept on time.
pub(crate) fn rules_and_daemon() -> Vec<Case> {
    let refused = |name, lines: &str| filtered(Case::quick(name, lines), &["192.168.15.111"]);
    vec![
        refused("no_accept", "no_accept"),
        with_globals("vrrp_strict", refused("vrrp_strict", "")),
        with_globals("vrrp_strict", Case::quick("vrrp_strict, accept", "accept")),
        filtered(six("no_accept, IPv6", "no_accept"), &["2001:db8::111", "fe80::1:1"]),
        with_globals("vrrp_skip_check_adv_addr", Case::quick("vrrp_skip_check_adv_addr", "")),
        with_globals("vrrp_check_unicast_src", Case::quick("vrrp_check_unicast_src", PEER)),
        with_globals(
            "vrrp_garp_master_delay 1\n vrrp_garp_master_repeat 2\n vrrp_garp_master_refresh 1\n \
             vrrp_garp_master_refresh_repeat 2\n vrrp_garp_lower_prio_delay 1\n vrrp_garp_lower_prio_repeat 2",
            Case::quick("global garp options", ""),
        ),
        with_globals(
            "router_id LVS_1\n notification_email {\n root@localhost\n }\n notification_email_from lvs@localhost\n \
             smtp_server 127.0.0.1\n smtp_connect_timeout 3\n vrrp_iptables\n script_user root\n \
             enable_script_security\n max_auto_priority 20\n min_auto_priority_delay 100000\n dynamic_interfaces\n vmac_prefix lvs",
            Case::quick("head of a file", "preempt"),
        ),
        with_globals("vrrp_rt_priority 10\n vrrp_no_swap", Case::quick("real time", "")),
        rare_words(),
        Case::quick("unicast, no peer is a fault", &format!("{PEER}\n unicast_fault_no_peer")),
        Case::quick("garp after lower ones", "garp_lower_prio_delay 1\n garp_lower_prio_repeat 2"),
        Case::quick("track_src_ip", "mcast_src_ip 192.168.15.HERE\n track_src_ip"),
    ]
}

/// What hardly any file has, in one.
fn rare_words() -> Case {
    let globals = "notify_fifo /run/fifo1\n notify_fifo_script /etc/reader\n vrrp_notify_fifo /run/fifo2\n \
                   vrrp_notify_fifo_script /etc/reader\n vrrp_lower_prio_no_advert\n vrrp_down_timer_adverts 2\n \
                   vrrp_notify_priority_changes on\n script_user root";
    let notify = "notify_master /bin/true\n notify_backup /bin/true\n notify_fault /bin/true\n notify_stop /bin/true\n \
                  notify_deleted /bin/true\n notify /bin/true\n notify_priority_changes on";
    let things = "vrrp_script chk {\n script /bin/true\n interval 1\n weight 3\n user nobody\n init_fail\n}\n\
                  track_file f {\n file /etc/vrrp.number\n weight 1\n init_file 3 overwrite\n}\n\
                  vrrp_track_process p {\n process cat /etc/motd\n param_match initial\n weight 1\n quorum 2\n quorum_max 3\n \
                  delay 0.1\n}\n\
                  vrrp_track_process q {\n process \"cat /etc/motd\"\n full_command\n fork_delay 0.1\n terminate_delay 0.2\n weight 2\n}\n";
    let group = format!(
        "vrrp_sync_group G {{\n group {{\n VI_1\n VI_2\n }}\n sync_group_tracking_weight\n track_interface {{\n lo weight 1\n }}\n \
         track_script {{\n chk\n }}\n track_file {{\n f\n }}\n track_process {{\n p\n q\n }}\n {notify}\n}}\n"
    );
    let lines = format!(
        "strict_mode off\n kernel_rx_buf_size 262144\n notify_master_rx_lower_pri /bin/true\n {notify}"
    );
    let other = "vrrp_instance VI_2 {\n interface ens192\n virtual_router_id 52\n priority PRIO\n version 3\n advert_int 0.1\n \
                 virtual_ipaddress {\n 192.168.15.112\n }\n}\n";
    let case = with_globals(globals, before(&format!("{things}{group}"), Case::quick("rare words", &lines)));
    Case { file: format!("{}{other}", case.file), ..case }.marks(&["192.168.15.111/32", "192.168.15.112/32"])
}
