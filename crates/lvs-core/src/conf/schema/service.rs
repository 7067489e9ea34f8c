//! Keywords of `virtual_server`, its group and its real servers.

use super::check::CHECKERS;
use super::{Block, CHECK, Keyword, LVS, TABLE};

/// `virtual_server`.
pub(super) static VIRTUAL_SERVER: Block =
    Block { name: "virtual_server", keywords: &[SCHEDULING, HEALTH, QUORUM, DEFAULTS, REAL] };

/// `virtual_server_group`; its lines are `IP[-IP] [PORT]` or `fwmark N [inet|inet6]`.
pub(super) static SERVER_GROUP: Block = Block::list("virtual_server_group");

const SCHEDULING: &[Keyword] = &[
    Keyword::used(
        TABLE,
        "lb_algo",
        "rr|wrr|lc|wlc|lblc|lblcr|sh|mh|dh|fo|ovf|sed|nq|twos",
        "scheduler; default wlc",
    ),
    Keyword::old("lvs_sched", "lb_algo", "SCHEDULER"),
    Keyword::used(LVS, "lb_kind", "NAT|DR|TUN ...", "how packets reach real servers; default NAT"),
    Keyword::old("lvs_method", "lb_kind", "NAT|DR|TUN ..."),
    Keyword::used(TABLE, "protocol", "TCP|UDP|SCTP", "default UDP"),
    Keyword::used(
        TABLE,
        "persistence_timeout",
        "[SECONDS]",
        "a client stays with its real server; default off, bare 360",
    ),
    Keyword::used(
        TABLE,
        "persistence_granularity",
        "MASK",
        "clients that count as one; default each for itself",
    ),
    Keyword::used(TABLE, "persistence_engine", "sip", "how connections belong together; default by address"),
    Keyword::used(TABLE, "ops", "", "each UDP packet for itself"),
    Keyword::ignored("hashed", "", "the kernel always does"),
    Keyword::used(TABLE, "flag-1", "", "the scheduler's first flag"),
    Keyword::used(TABLE, "flag-2", "", "the scheduler's second flag"),
    Keyword::used(TABLE, "flag-3", "", "the scheduler's third flag"),
    Keyword::used(TABLE, "sh-port", "", "sh: hash the port too"),
    Keyword::used(TABLE, "sh-fallback", "", "sh: another real server instead of a dead one"),
    Keyword::used(TABLE, "mh-port", "", "mh: hash the port too"),
    Keyword::used(TABLE, "mh-fallback", "", "mh: another real server instead of a dead one"),
    Keyword::used(LVS, "ip_family", "inet|inet6", "family of a firewall mark; default: the real servers'"),
    Keyword::foreign(
        "nat_mask",
        "gone since keepalived 1.3; it never did anything in Linux",
        "remove the line",
    ),
];

const HEALTH: &[Keyword] = &[
    Keyword::used(CHECK, "delay_loop", "SECONDS", "interval of checks; default 60"),
    Keyword::used(CHECK, "sorry_server", "IP [PORT]", "serves while the quorum is lost"),
    Keyword::used(CHECK, "sorry_server_inhibit", "", "weight 0 instead of removal for the sorry server"),
    Keyword::used(CHECK, "sorry_server_lvs_method", "NAT|DR|TUN ...", "default: lb_kind"),
    Keyword::used(CHECK, "alpha", "", "real servers are down until their first good check"),
    Keyword::used(CHECK, "omega", "", "run notify_down and quorum_down also at a stop that clears the table"),
    Keyword::used(
        CHECK,
        "ha_suspend",
        "",
        "no checks while the VIP is not on this host, but those that another service shares",
    ),
    Keyword::used(CHECK, "virtualhost", "NAME", "Host of HTTP checks"),
    Keyword::used(
        CHECK,
        "smtp_alert",
        "[on|off]",
        "mail when the quorum is lost or gained; default: that of global_defs, else off",
    ),
    Keyword::ignored("snmp_name", "NAME", "name in SNMP"),
];

const QUORUM: &[Keyword] = &[
    Keyword::used(CHECK, "quorum", "N", "least sum of live weights; default 1"),
    Keyword::used(
        CHECK,
        "hysteresis",
        "N",
        "so much more to gain the quorum, so much less to lose it; default 0",
    ),
    Keyword::used(CHECK, "quorum_up", "COMMAND ...", "run when the quorum is gained"),
    Keyword::used(CHECK, "quorum_down", "COMMAND ...", "run when the quorum is lost"),
];

const DEFAULTS: &[Keyword] = &[
    Keyword::used(CHECK, "retry", "N", "default of the checkers' retry"),
    Keyword::used(CHECK, "delay_before_retry", "SECONDS", "default of the checkers' delay_before_retry"),
    Keyword::used(CHECK, "connect_timeout", "SECONDS", "default of the checkers' connect_timeout"),
    Keyword::used(CHECK, "warmup", "SECONDS", "default of the checkers' warmup"),
    Keyword::used(CHECK, "inhibit_on_failure", "[on|off]", "for all real servers"),
    Keyword::used(TABLE, "weight", "N", "default weight of real servers"),
];

const REAL: &[Keyword] =
    &[Keyword::used(LVS, "real_server", "IP [PORT]", "a real server; PORT defaults to the virtual server's")
        .with(&REAL_SERVER)];

static REAL_SERVER: Block = Block { name: "real_server", keywords: &[REAL_KEYWORDS, CHECKERS] };

const REAL_KEYWORDS: &[Keyword] = &[
    Keyword::used(TABLE, "weight", "N", "share of new connections, 0 to 65535; default 1"),
    Keyword::used(CHECK, "inhibit_on_failure", "[on|off]", "weight 0 instead of removal; default off"),
    Keyword::used(CHECK, "notify_up", "COMMAND ...", "run when it comes back"),
    Keyword::used(CHECK, "notify_down", "COMMAND ...", "run when it fails"),
    Keyword::used(TABLE, "uthreshold", "N", "no new connections above this many; default 0, no limit"),
    Keyword::used(TABLE, "lthreshold", "N", "new connections again below this many"),
    Keyword::used(LVS, "lvs_method", "NAT|DR|TUN ...", "default: the virtual server's lb_kind"),
    Keyword::old("lb_kind", "lvs_method", "NAT|DR|TUN ..."),
    Keyword::used(CHECK, "virtualhost", "NAME", "Host of HTTP checks"),
    Keyword::used(CHECK, "alpha", "[on|off]", "down until its first good check"),
    Keyword::used(CHECK, "retry", "N", "default of its checkers' retry"),
    Keyword::used(CHECK, "delay_before_retry", "SECONDS", "default of its checkers' delay_before_retry"),
    Keyword::used(CHECK, "connect_timeout", "SECONDS", "default of its checkers' connect_timeout"),
    Keyword::used(CHECK, "warmup", "SECONDS", "default of its checkers' warmup"),
    Keyword::used(CHECK, "delay_loop", "SECONDS", "default of its checkers' delay_loop"),
    Keyword::used(
        CHECK,
        "smtp_alert",
        "[on|off]",
        "mail when it fails or comes back; default: that of global_defs, else on",
    ),
    Keyword::ignored("snmp_name", "NAME", "name in SNMP"),
];
