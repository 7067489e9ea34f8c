//! `global_defs`: what instances are without lines of their own.

use super::super::{Keyword, VRRP};

pub(super) const VRRP_DEFAULTS: &[Keyword] = &[
    Keyword::used(VRRP, "vrrp_version", "2|3", "default protocol version of instances; default 2"),
    Keyword::used(
        VRRP,
        "vrrp_strict",
        "[on|off]",
        "strict RFC rules: no authentication, no unicast, VIPs that do not answer; default off",
    ),
    Keyword::used(VRRP, "vrrp_mcast_group4", "IP", "multicast group; default 224.0.0.18"),
    Keyword::used(VRRP, "vrrp_mcast_group6", "IP", "multicast group; default ff02::12"),
    Keyword::ignored(
        "vrrp_skip_check_adv_addr",
        "[on|off]",
        "compare VIP lists only when the master changes; here another list is told of and rejects nothing",
    ),
    Keyword::used(
        VRRP,
        "vrrp_check_unicast_src",
        "[on|off]",
        "a unicast advertisement must come from a peer; default off",
    ),
    Keyword::used(VRRP, "vrrp_garp_master_delay", "SECONDS", "second burst of gratuitous ARP; default 5"),
    Keyword::used(VRRP, "vrrp_garp_master_repeat", "N", "packets a burst; default 5"),
    Keyword::used(
        VRRP,
        "vrrp_garp_master_refresh",
        "SECONDS",
        "while master, again every so often; default 0, never",
    ),
    Keyword::used(VRRP, "vrrp_garp_master_refresh_repeat", "N", "packets a refresh; default 1"),
    Keyword::used(
        VRRP,
        "vrrp_garp_lower_prio_delay",
        "SECONDS",
        "second burst after a lower advertisement; default: vrrp_garp_master_delay",
    ),
    Keyword::used(
        VRRP,
        "vrrp_garp_lower_prio_repeat",
        "N",
        "packets of that burst; default: vrrp_garp_master_repeat",
    ),
    Keyword::used(
        VRRP,
        "vrrp_garp_interval",
        "SECONDS",
        "gap between two gratuitous ARPs of an interface; default 0",
    ),
    Keyword::used(VRRP, "vrrp_gna_interval", "SECONDS", "the same for neighbour advertisements; default 0"),
    Keyword::used(
        VRRP,
        "vrrp_garp_extra_if",
        "[all] SECONDS",
        "while master, one gratuitous ARP every so often on each VMAC that advertisements do not leave, with all on each other interface of an address too; default 0, never",
    ),
    Keyword::old("vrrp_vmac_garp_intvl", "vrrp_garp_extra_if", "[all] SECONDS"),
    Keyword::used(VRRP, "vrrp_min_garp", "[on|off]", "one gratuitous ARP, no second burst; default off"),
    Keyword::used(
        VRRP,
        "vrrp_lower_prio_no_advert",
        "[on|off]",
        "do not answer a lower advertisement at once; default off",
    ),
    Keyword::ignored(
        "vrrp_higher_prio_send_advert",
        "[on|off]",
        "one last advertisement before stepping down; here it is always sent",
    ),
    Keyword::used(
        VRRP,
        "vrrp_down_timer_adverts",
        "N",
        "lost advertisements that make a master dead, 1 to 100; default 3",
    ),
    Keyword::used(VRRP, "vrrp_startup_delay", "SECONDS", "wait before instances start; default 0"),
    Keyword::used(
        VRRP,
        "vrrp_notify_priority_changes",
        "[on|off]",
        "tell changes of priority as well; default off",
    ),
    Keyword::ignored("vrrp_iptables", "[IN [OUT]]", "chains for no_accept"),
    Keyword::ignored("vrrp_ipsets", "[NAME ...]", "sets for no_accept"),
    Keyword::ignored("nftables", "[TABLE]", "table for no_accept"),
    Keyword::ignored("nftables_priority", "N", "priority of its chains"),
    Keyword::ignored("nftables_counters", "", "counters in its rules"),
    Keyword::ignored("nftables_ifindex", "", "interfaces by number in its rules"),
];
