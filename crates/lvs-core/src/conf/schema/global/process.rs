//! Settings of the processes and of where they run, in `global_defs` and outside all blocks.

use super::super::{Block, Keyword, VRRP};

pub(super) const PROCESS: &[Keyword] = &[
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

/// Settings that stand outside all blocks, and that some versions take inside `global_defs` as well.
pub(in crate::conf::schema) const OUTSIDE: &[Keyword] = &[
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

static LINKBEAT: Block = Block::list("linkbeat_interfaces");
