//! Keywords of `global_defs`, and process settings outside all blocks.

use super::{Block, CHECK, DAEMONS, Keyword, TABLE, VRRP};

/// `global_defs`.
pub(super) static GLOBAL: Block = Block {
    name: "global_defs",
    keywords: &[COMMON, VRRP_DEFAULTS, LVS_SETTINGS, PROCESS, REPORTING, OTHER, OUTSIDE],
};

const NO_MAIL: &str = "no mail is sent";
const NO_SCRIPT: &str = "it is not run; ExecStartPre= and ExecStopPost= of the systemd unit do that";
const NO_SNMP: &str = "there is no SNMP agent; use `vrrpd status --json` and the tools' metrics";
const NO_DBUS: &str = "nothing is told to D-Bus";

const COMMON: &[Keyword] = &[
    Keyword::ignored("router_id", "NAME", "the name of this host in messages; default: the host name"),
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

const VRRP_DEFAULTS: &[Keyword] = &[
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
    Keyword::used(CHECK, "checker_log_all_failures", "[on|off]", "log every failed try; default off"),
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

const PROCESS: &[Keyword] = &[
    Keyword::used(VRRP, "vrrp_rt_priority", "N", "real-time priority; default off"),
    Keyword::used(VRRP, "vrrp_no_swap", "", "lock the memory; default off"),
    Keyword::unsupported(
        "checker_rt_priority",
        "N",
        "real-time priority of checks; default off",
        "checks run as everyone's processes; write CPUSchedulingPolicy= into tcpcheck's unit",
    ),
    Keyword::unsupported(
        "checker_no_swap",
        "",
        "lock the memory of checks; default off",
        "tcpcheck's memory is not locked",
    ),
    Keyword::ignored("bfd_rt_priority", "N", "real-time priority"),
    Keyword::ignored("bfd_no_swap", "", "lock the memory"),
    Keyword::ignored("vrrp_priority", "N", "nice value"),
    Keyword::ignored("checker_priority", "N", "nice value"),
    Keyword::ignored("bfd_priority", "N", "nice value"),
    Keyword::ignored("vrrp_rlimit_rttime", "N", "limit of real-time scheduling"),
    Keyword::ignored("checker_rlimit_rttime", "N", "limit of real-time scheduling"),
    Keyword::ignored("bfd_rlimit_rttime", "N", "limit of real-time scheduling"),
    Keyword::ignored("vrrp_rlimit_rtime", "N", "limit of real-time scheduling"),
    Keyword::ignored("checker_rlimit_rtime", "N", "limit of real-time scheduling"),
    Keyword::ignored("bfd_rlimit_rtime", "N", "limit of real-time scheduling"),
    Keyword::ignored("vrrp_cpu_affinity", "CPU ...", "processors"),
    Keyword::ignored("checker_cpu_affinity", "CPU ...", "processors"),
    Keyword::ignored("bfd_cpu_affinity", "CPU ...", "processors"),
    Keyword::used(
        VRRP,
        "max_auto_priority",
        "[N]",
        "raise the real-time priority by itself when timers run late, as far as this; default 0, not at all",
    ),
    Keyword::used(VRRP, "min_auto_priority_delay", "MICROSECONDS", "how late; default 1000000"),
    Keyword::ignored("process_names", "", "names of child processes"),
    Keyword::ignored("process_name", "[NAME]", "name of the parent process"),
    Keyword::ignored("vrrp_process_name", "[NAME]", "name of a child process"),
    Keyword::ignored("checker_process_name", "[NAME]", "name of a child process"),
    Keyword::ignored("bfd_process_name", "[NAME]", "name of a child process"),
    Keyword::ignored("umask", "MODE ...", "file creation mask"),
    Keyword::ignored("random_seed", "N", "start of random numbers"),
];

const REPORTING: &[Keyword] = &[
    Keyword::unsupported("notification_email", "", "recipients of mails", NO_MAIL).with(&EMAIL),
    Keyword::ignored("notification_email_from", "ADDRESS", "sender of mails"),
    Keyword::ignored("smtp_server", "HOST [PORT]", "mail server"),
    Keyword::ignored("smtp_connect_timeout", "SECONDS", "mail server's time"),
    Keyword::ignored("smtp_helo_name", "NAME", "name told to the mail server"),
    Keyword::unsupported("smtp_alert", "[on|off]", "mails by default", NO_MAIL),
    Keyword::unsupported("smtp_alert_vrrp", "[on|off]", "mails of instances by default", NO_MAIL),
    Keyword::unsupported("smtp_alert_checker", "[on|off]", "mails of checkers by default", NO_MAIL),
    Keyword::ignored("alert_email", "...", "old mail setting"),
    Keyword::ignored("no_email_faults", "", "no mails for faults"),
    Keyword::ignored("no_checker_emails", "", "no mails of checkers"),
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

/// Settings that stand outside all blocks, and that some versions take inside `global_defs` as well.
pub(super) const OUTSIDE: &[Keyword] = &[
    Keyword::unsupported(
        "net_namespace",
        "NAME",
        "network namespace to run in",
        "run the tool with `ip netns exec NAME`; it stays in its own namespace",
    ),
    Keyword::unsupported(
        "net_namespace_ipvs",
        "NAME",
        "network namespace of the table",
        "the table of the tool's own namespace is used",
    ),
    Keyword::ignored("namespace_with_ipsets", "", "sets in a namespace"),
    Keyword::ignored("instance", "NAME", "name of this instance of the program"),
    Keyword::ignored("use_pid_dir", "", "where pid files lie"),
    Keyword::ignored("child_wait_time", "SECONDS", "how long children may take to end"),
    Keyword::ignored("linkbeat_use_polling", "", "ask links instead of listening; ours listen"),
    Keyword::ignored("linkbeat_interfaces", "", "links that are asked").with(&LINKBEAT),
];

static EMAIL: Block = Block::list("notification_email");
static LINKBEAT: Block = Block::list("linkbeat_interfaces");
