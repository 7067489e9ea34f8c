//! Keywords of `vrrp_instance` and `vrrp_sync_group`.

use super::{Block, Keyword, VRRP};

/// `vrrp_instance`.
pub(super) static INSTANCE: Block =
    Block { name: "vrrp_instance", keywords: &[ELECTION, ADDRESSES, NETWORK, GARP, TRACKING, NOTIFY, RARE] };

/// `vrrp_sync_group`.
pub(super) static SYNC_GROUP: Block = Block { name: "vrrp_sync_group", keywords: &[GROUP, TRACKING, NOTIFY] };

const NO_BFD: &str = "no BFD session is held, so nothing that tracks it ever changes";

const ELECTION: &[Keyword] = &[
    Keyword::used(VRRP, "state", "MASTER|BACKUP", "a hint; the election decides; default BACKUP"),
    Keyword::used(VRRP, "interface", "IF", "where advertisements go; required"),
    Keyword::used(VRRP, "virtual_router_id", "N", "1 to 255, the same on all its routers; required"),
    Keyword::used(VRRP, "priority", "N", "1 to 255, the highest becomes master; default 100"),
    Keyword::used(
        VRRP,
        "advert_int",
        "SECONDS",
        "interval of advertisements; v2 whole seconds, v3 0.01 to 40.95; default 1",
    ),
    Keyword::used(VRRP, "version", "2|3", "protocol version; default: vrrp_version; IPv6 is always 3"),
    Keyword::used(VRRP, "authentication", "", "a password in clear text, version 2 only")
        .with(&AUTHENTICATION),
    Keyword::used(VRRP, "nopreempt", "", "do not take over from a lower master; needs state BACKUP"),
    Keyword::used(VRRP, "preempt", "", "take over from a lower master; the default"),
    Keyword::used(VRRP, "preempt_delay", "SECONDS", "wait before taking over, 0 to 1000; default 0"),
    Keyword::used(VRRP, "strict_mode", "[on|off]", "strict RFC rules; default: vrrp_strict"),
    Keyword::used(
        VRRP,
        "accept",
        "",
        "packets to the VIPs are taken by a master that does not own them; the default",
    ),
    Keyword::used(VRRP, "no_accept", "", "they are dropped"),
    Keyword::used(VRRP, "lower_prio_no_advert", "[on|off]", "do not answer a lower advertisement at once"),
    Keyword::ignored(
        "higher_prio_send_advert",
        "[on|off]",
        "one last advertisement before stepping down; here it is always sent",
    ),
    Keyword::used(
        VRRP,
        "down_timer_adverts",
        "N",
        "lost advertisements that make a master dead, 1 to 100; default 3",
    ),
    Keyword::ignored(
        "skip_check_adv_addr",
        "[on|off]",
        "compare VIP lists only when the master changes; here another list is told of and rejects nothing",
    ),
];

static AUTHENTICATION: Block = Block {
    name: "authentication",
    keywords: &[&[
        Keyword::used(
            VRRP,
            "auth_type",
            "PASS|AH",
            "PASS, in capitals; AH is refused; anything else, or no such line, is no authentication",
        ),
        Keyword::used(VRRP, "auth_pass", "PASSWORD", "the first 8 characters count"),
    ]],
};

const ADDRESSES: &[Keyword] = &[
    Keyword::used(VRRP, "virtual_ipaddress", "", "the VIPs, advertised in this order: ADDR[/LEN] [brd A|+|-] [dev IF] [scope S] [label L] [peer A] [use_vmac] [home] [mngtmpaddr] [noprefixroute] [autojoin] [no_track] [preferred_lft N|forever]")
        .with(&VIRTUAL_IPADDRESS),
    Keyword::used(VRRP, "virtual_ipaddress_excluded", "", "VIPs that are not advertised").with(&EXCLUDED),
    Keyword::used(VRRP, "virtual_routes", "", "routes of the master, in the words of `ip route`").with(&ROUTES),
    Keyword::used(VRRP, "virtual_rules", "", "rules of the master, in the words of `ip rule`").with(&RULES),
    Keyword::unsupported(
        "promote_secondaries",
        "",
        "set the interface's promote_secondaries",
        "net.ipv4.conf.IF.promote_secondaries stays as it is",
    ),
];

static VIRTUAL_IPADDRESS: Block = Block::list("virtual_ipaddress");
static EXCLUDED: Block = Block::list("virtual_ipaddress_excluded");
static ROUTES: Block = Block::list("virtual_routes");
static RULES: Block = Block::list("virtual_rules");

const NETWORK: &[Keyword] = &[
    Keyword::used(
        VRRP,
        "unicast_peer",
        "",
        "unicast instead of multicast, to these: ADDR [min_ttl N] [max_ttl N]",
    )
    .with(&PEERS),
    Keyword::used(VRRP, "unicast_src_ip", "IP", "source of advertisements; default: the primary address"),
    Keyword::used(VRRP, "unicast_ttl", "N", "TTL of unicast advertisements; default 255"),
    Keyword::used(VRRP, "check_unicast_src", "[on|off]", "an advertisement must come from a peer"),
    Keyword::used(VRRP, "unicast_fault_no_peer", "", "no peer is a fault"),
    Keyword::used(
        VRRP,
        "old_unicast_checksum",
        "[never]",
        "version 3: send the checksum of keepalived before 1.3.7; never: do not understand it; default: as the master does",
    ),
    Keyword::used(VRRP, "mcast_src_ip", "IP", "source of advertisements; default: the primary address"),
    Keyword::used(VRRP, "mcast_dst_ip", "IP", "multicast group; default: the global one"),
    Keyword::used(VRRP, "track_src_ip", "", "fault while the source address is missing"),
    Keyword::used(
        VRRP,
        "use_vmac",
        "[NAME [MAC]]",
        "a macvlan with the virtual router's MAC address; default off",
    ),
    Keyword::used(VRRP, "vmac_xmit_base", "", "advertisements leave the underlying interface"),
    Keyword::used(
        VRRP,
        "use_vmac_addr",
        "",
        "as if use_vmac stood at every address of another interface or of the other family",
    ),
    Keyword::unsupported(
        "use_ipvlan",
        "[NAME [ADDRESS]]",
        "an ipvlan for the VIPs",
        "VIPs go to the interface itself",
    ),
    Keyword::used(VRRP, "dont_track_primary", "", "its own link going down is no fault"),
    Keyword::ignored("linkbeat_use_polling", "", "ask the link instead of listening; ours listen"),
    Keyword::ignored("native_ipv6", "", "IPv6; follows from the addresses"),
    Keyword::unsupported("vrf", "IF", "the VRF of the interface", "the VRF is not looked at"),
    Keyword::used(VRRP, "kernel_rx_buf_size", "BYTES", "receive buffer; default: the system's"),
];

static PEERS: Block = Block::list("unicast_peer");

const GARP: &[Keyword] = &[
    Keyword::used(VRRP, "garp_master_delay", "SECONDS", "default: vrrp_garp_master_delay"),
    Keyword::used(VRRP, "garp_master_repeat", "N", "default: vrrp_garp_master_repeat"),
    Keyword::used(VRRP, "garp_master_refresh", "SECONDS", "default: vrrp_garp_master_refresh"),
    Keyword::used(VRRP, "garp_master_refresh_repeat", "N", "default: vrrp_garp_master_refresh_repeat"),
    Keyword::used(VRRP, "garp_lower_prio_delay", "SECONDS", "default: vrrp_garp_lower_prio_delay"),
    Keyword::used(VRRP, "garp_lower_prio_repeat", "N", "default: vrrp_garp_lower_prio_repeat"),
    Keyword::used(VRRP, "garp_extra_if", "[all] SECONDS", "default: vrrp_garp_extra_if"),
    Keyword::old("vmac_garp_intvl", "garp_extra_if", "[all] SECONDS"),
];

const TRACKING: &[Keyword] = &[
    Keyword::used(VRRP, "track_interface", "", "links whose loss is a fault, or: IF weight N [reverse]")
        .with(&TRACK_INTERFACE),
    Keyword::used(VRRP, "track_script", "", "scripts: NAME [weight N [reverse]]").with(&TRACK_SCRIPT),
    Keyword::used(VRRP, "track_file", "", "files: NAME [weight N [reverse]]").with(&TRACK_FILE),
    Keyword::used(VRRP, "track_process", "", "processes: NAME [weight N [reverse]]").with(&TRACK_PROCESS),
    Keyword::unsupported("track_bfd", "", "BFD sessions", NO_BFD).with(&TRACK_BFD),
];

static TRACK_INTERFACE: Block = Block::list("track_interface");
static TRACK_SCRIPT: Block = Block::list("track_script");
static TRACK_FILE: Block = Block::list("track_file");
static TRACK_PROCESS: Block = Block::list("track_process");
static TRACK_BFD: Block = Block::list("track_bfd");

const NOTIFY: &[Keyword] = &[
    Keyword::used(VRRP, "notify_master", "COMMAND ...", "run when it becomes master"),
    Keyword::used(VRRP, "notify_backup", "COMMAND ...", "run when it becomes backup"),
    Keyword::used(VRRP, "notify_fault", "COMMAND ...", "run when it faults"),
    Keyword::used(VRRP, "notify_stop", "COMMAND ...", "run when it stops"),
    Keyword::used(VRRP, "notify_deleted", "[COMMAND ...]", "run when a reload removes it"),
    Keyword::used(
        VRRP,
        "notify",
        "COMMAND ...",
        "run after any of them, with INSTANCE or GROUP, name, state, priority",
    ),
    Keyword::used(VRRP, "notify_priority_changes", "[on|off]", "tell changes of priority as well"),
    Keyword::used(
        VRRP,
        "smtp_alert",
        "[on|off]",
        "mail changes of state; default: that of global_defs, else off",
    ),
];

const RARE: &[Keyword] = &[
    Keyword::used(VRRP, "notify_master_rx_lower_pri", "COMMAND ...", "run when a master hears a lower one"),
    Keyword::unsupported(
        "lvs_sync_daemon_interface",
        "IF",
        "old form of lvs_sync_daemon",
        "no synchronisation is started; write lvs_sync_daemon in global_defs",
    ),
    Keyword::ignored("debug", "[N]", "level of detail in the log; ours is the option -v"),
    Keyword::foreign(
        "lvs_sync_daemon_inteface",
        "a misspelling that old examples carried",
        "write lvs_sync_daemon in global_defs",
    ),
];

const GROUP: &[Keyword] = &[
    Keyword::used(VRRP, "group", "", "the instances").with(&MEMBERS),
    Keyword::ignored("global_tracking", "", "old; the group's own track_ blocks do it"),
    Keyword::used(VRRP, "sync_group_tracking_weight", "", "weights of members count; default: they are 0"),
];

static MEMBERS: Block = Block::list("group");
