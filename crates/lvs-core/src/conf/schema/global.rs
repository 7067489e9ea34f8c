//! Keywords of `global_defs`, and process settings outside all blocks.

mod mail;
mod process;
mod vrrp;

use super::{Block, CHECK, DAEMONS, Keyword, TABLE, VRRP};
use mail::MAIL;
pub(super) use process::OUTSIDE;
use process::PROCESS;
use vrrp::VRRP_DEFAULTS;

/// `global_defs`.
pub(super) static GLOBAL: Block = Block {
    name: "global_defs",
    keywords: &[COMMON, VRRP_DEFAULTS, LVS_SETTINGS, PROCESS, MAIL, REPORTING, OTHER, OUTSIDE],
};

const NO_SCRIPT: &str = "it is not run; ExecStartPre= and ExecStopPost= of the systemd unit do that";
const NO_SNMP: &str = "there is no SNMP agent; use `vrrpd status --json` and the tools' metrics";
const NO_DBUS: &str = "nothing is told to D-Bus";

const COMMON: &[Keyword] = &[
    Keyword::used(DAEMONS, "router_id", "NAME", "the name of this host in mails; default: the host name"),
    Keyword::used(
        DAEMONS,
        "script_user",
        "USER [GROUP]",
        "who runs scripts; default: keepalived_script if it exists, else root",
    ),
    Keyword::used(
        DAEMONS,
        "enable_script_security",
        "[on|off]",
        "no script runs as root whose path another user can write; default off",
    ),
    Keyword::used(
        VRRP,
        "dynamic_interfaces",
        "[allow_if_changes]",
        "interfaces may appear later; default off",
    ),
    Keyword::ignored("default_interface", "IF", "for static lines without a dev"),
    Keyword::used(DAEMONS, "notify_fifo", "PATH [USER [GROUP]]", "a pipe that gets a line for every change"),
    Keyword::used(
        DAEMONS,
        "notify_fifo_script",
        "COMMAND ...",
        "the reader of notify_fifo, started with the path",
    ),
    Keyword::used(VRRP, "vrrp_notify_fifo", "PATH [USER [GROUP]]", "the same for instances only"),
    Keyword::used(VRRP, "vrrp_notify_fifo_script", "COMMAND ...", "the reader of vrrp_notify_fifo"),
    Keyword::used(CHECK, "lvs_notify_fifo", "PATH [USER [GROUP]]", "the same for real servers only"),
    Keyword::used(CHECK, "lvs_notify_fifo_script", "COMMAND ...", "the reader of lvs_notify_fifo"),
    Keyword::unsupported("startup_script", "COMMAND ...", "run once before anything else", NO_SCRIPT),
    Keyword::ignored("startup_script_timeout", "SECONDS", "killed after this"),
    Keyword::unsupported("shutdown_script", "COMMAND ...", "run once after everything else", NO_SCRIPT),
    Keyword::ignored("shutdown_script_timeout", "SECONDS", "killed after this"),
];

const LVS_SETTINGS: &[Keyword] = &[
    Keyword::used(
        VRRP,
        "lvs_sync_daemon",
        "IF [INSTANCE ...]",
        "connection synchronisation that follows an instance: [id N] [maxlen N] [port N] [ttl N] [group IP]",
    ),
    Keyword::used(
        TABLE,
        "lvs_timeouts",
        "...",
        "[tcp S] [tcpfin S] [udp S]: connection timeouts; default: untouched",
    ),
    Keyword::used(CHECK, "lvs_flush", "", "empty the table at start; default off"),
    Keyword::used(
        CHECK,
        "lvs_flush_on_stop",
        "[VS]",
        "empty the table, or only the own services, at stop; default off",
    ),
    Keyword::used(
        CHECK,
        "checker_log_all_failures",
        "[on|off]",
        "log every failed try until the server is dead; default off",
    ),
    Keyword::unsupported(
        "rs_init_notifies",
        "",
        "run notifiers for the first state too; default off",
        "notify_up is not run for servers that are up at the start",
    ),
    Keyword::unsupported(
        "nftables_ipvs",
        "[TABLE]",
        "firewall marks for virtual_server_group",
        "a group becomes one service an address, without marks of its own",
    ),
    Keyword::ignored("nftables_ipvs_priority", "N", "priority of its chains"),
    Keyword::ignored("nftables_ipvs_start_fwmark", "N", "first mark it may use"),
];

const REPORTING: &[Keyword] = &[
    Keyword::unsupported("enable_snmp_vrrp", "", "SNMP", NO_SNMP),
    Keyword::unsupported("enable_snmp_keepalived", "", "SNMP", NO_SNMP),
    Keyword::unsupported("enable_snmp_checker", "", "SNMP", NO_SNMP),
    Keyword::unsupported("enable_snmp_rfc", "", "SNMP", NO_SNMP),
    Keyword::unsupported("enable_snmp_rfcv2", "", "SNMP", NO_SNMP),
    Keyword::unsupported("enable_snmp_rfcv3", "", "SNMP", NO_SNMP),
    Keyword::unsupported("enable_traps", "", "SNMP", NO_SNMP),
    Keyword::ignored("snmp_socket", "[ADDRESS]", "where the SNMP master agent listens"),
    Keyword::unsupported("enable_dbus", "", "D-Bus", NO_DBUS),
    Keyword::ignored("dbus_service_name", "[NAME]", "D-Bus name"),
    Keyword::ignored("log_unknown_vrids", "", "log advertisements of other virtual routers"),
    Keyword::unsupported(
        "fifo_write_vrrp_states_on_reload",
        "",
        "states to the pipe at a reload",
        "a reload writes changes only",
    ),
];

const OTHER: &[Keyword] = &[
    Keyword::ignored("reload_check_config", "[LOG]", "check before a reload; ours always do"),
    Keyword::unsupported(
        "reload_time_file",
        "PATH",
        "reload at a time",
        "a reload happens when it is asked for",
    ),
    Keyword::ignored("reload_repeat", "", "reload at a time, again and again"),
    Keyword::ignored("reload_file", "[PATH]", "made while reloading"),
    Keyword::used(
        VRRP,
        "vmac_prefix",
        "PREFIX",
        "names of VMAC interfaces are PREFIX.VRID, or PREFIX6.VRID (IPv6), PREFIX1.VRID, ... where that is another one's; default vrrp",
    ),
    Keyword::used(
        VRRP,
        "vmac_addr_prefix",
        "PREFIX",
        "the same for the VMAC interfaces of addresses; default: vmac_prefix",
    ),
    Keyword::ignored("config_save_dir", "DIR", "where the configuration is kept"),
    Keyword::ignored("tmp_config_directory", "DIR", "where temporary files are made"),
    Keyword::ignored("data_use_instance", "[on|off]", "names of dump files"),
    Keyword::ignored("json_version", "1|2", "form of the JSON dump"),
    Keyword::ignored("disable_local_igmp", "", "no IGMP on VMACs"),
    Keyword::ignored("include_check", "...", "which includes must exist"),
    Keyword::ignored("iproute_usr_dir", "DIR", "iproute's tables"),
    Keyword::ignored("iproute_etc_dir", "DIR", "iproute's tables"),
    Keyword::ignored("vrrp_netlink_cmd_rcv_bufs", "BYTES", "buffer size"),
    Keyword::ignored("vrrp_netlink_cmd_rcv_bufs_force", "[on|off]", "buffer size beyond the limit"),
    Keyword::ignored("vrrp_netlink_monitor_rcv_bufs", "BYTES", "buffer size"),
    Keyword::ignored("vrrp_netlink_monitor_rcv_bufs_force", "[on|off]", "buffer size beyond the limit"),
    Keyword::ignored("lvs_netlink_cmd_rcv_bufs", "BYTES", "buffer size"),
    Keyword::ignored("lvs_netlink_cmd_rcv_bufs_force", "[on|off]", "buffer size beyond the limit"),
    Keyword::ignored("lvs_netlink_monitor_rcv_bufs", "BYTES", "buffer size"),
    Keyword::ignored("lvs_netlink_monitor_rcv_bufs_force", "[on|off]", "buffer size beyond the limit"),
    Keyword::ignored("process_monitor_rcv_bufs", "BYTES", "buffer size"),
    Keyword::ignored("process_monitor_rcv_bufs_force", "[on|off]", "buffer size beyond the limit"),
    Keyword::ignored("vrrp_rx_bufs_policy", "...", "buffer size"),
    Keyword::ignored("vrrp_rx_bufs_multiplier", "N", "buffer size"),
    Keyword::foreign("lvs_id", "a name of keepalived before 1.2", "write router_id"),
    Keyword::foreign("smtp_connect_time", "no keyword of any version", "write smtp_connect_timeout"),
];
