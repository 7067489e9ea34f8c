//! Keywords of scripts, tracked things and static items.

use super::{Block, Keyword, VRRP};

/// `vrrp_script`.
pub(super) static SCRIPT: Block = Block { name: "vrrp_script", keywords: &[SCRIPT_KEYWORDS] };

const SCRIPT_KEYWORDS: &[Keyword] = &[
    Keyword::used(VRRP, "script", "COMMAND ...", "what is run; status 0 is success"),
    Keyword::used(VRRP, "interval", "SECONDS", "time between two runs; default 1"),
    Keyword::used(VRRP, "timeout", "SECONDS", "killed and failed after this; default: interval"),
    Keyword::used(
        VRRP,
        "weight",
        "N [reverse]",
        "-253 to 253: change of priority; default 0, a failure is a fault",
    ),
    Keyword::used(VRRP, "rise", "N", "successes in a row until it is up; default 1"),
    Keyword::used(VRRP, "fall", "N", "failures in a row until it is down; default 1"),
    Keyword::used(VRRP, "user", "USER [GROUP]", "who runs it; default: script_user"),
    Keyword::used(VRRP, "init_fail", "[on|off]", "failed until it first succeeds; default off"),
];

/// `track_file`.
pub(super) static TRACK_FILE: Block = Block {
    name: "track_file",
    keywords: &[&[
        Keyword::used(VRRP, "file", "PATH", "the file that holds the number"),
        Keyword::used(
            VRRP,
            "weight",
            "N [reverse]",
            "-254 to 254: factor; default 1; 0: another number than 0 is a fault",
        ),
        Keyword::used(VRRP, "init_file", "[N [overwrite]]", "make the file at start with this number"),
    ]],
};

/// `vrrp_track_process`.
pub(super) static TRACK_PROCESS: Block = Block { name: "vrrp_track_process", keywords: &[PROCESS_KEYWORDS] };

const PROCESS_KEYWORDS: &[Keyword] = &[
    Keyword::used(VRRP, "process", "COMMAND ...", "the program's name, and arguments to compare"),
    Keyword::used(VRRP, "param_match", "initial|partial", "how arguments are compared; default: exactly"),
    Keyword::used(VRRP, "weight", "N [reverse]", "-254 to 254: change of priority; default 1"),
    Keyword::used(VRRP, "quorum", "N", "so many must run; default 1"),
    Keyword::used(VRRP, "quorum_max", "N", "no more may run; default: any number"),
    Keyword::used(VRRP, "delay", "SECONDS", "sets fork_delay and terminate_delay"),
    Keyword::used(VRRP, "fork_delay", "SECONDS", "wait before a new process counts; default 0"),
    Keyword::used(VRRP, "terminate_delay", "SECONDS", "wait before an ended process counts; default 0"),
    Keyword::used(VRRP, "full_command", "", "compare the whole command line; default off"),
];

/// `track_group`.
pub(super) static TRACK_GROUP: Block = Block {
    name: "track_group",
    keywords: &[&[Keyword::ignored("group", "", "its instances").with(&MEMBERS)]],
};

static MEMBERS: Block = Block::list("group");

/// `static_ipaddress`.
pub(super) static STATIC_IPADDRESS: Block = Block::list("static_ipaddress");
/// `static_routes`.
pub(super) static STATIC_ROUTES: Block = Block::list("static_routes");
/// `static_rules`.
pub(super) static STATIC_RULES: Block = Block::list("static_rules");
/// `interface_up_down_delays`.
pub(super) static DELAYS: Block = Block::list("interface_up_down_delays");

/// `bfd_instance`.
pub(super) static BFD: Block = Block {
    name: "bfd_instance",
    keywords: &[&[
        Keyword::ignored("neighbor_ip", "IP", "the neighbour"),
        Keyword::ignored("neighbour_ip", "IP", "the neighbour"),
        Keyword::ignored("source_ip", "IP", "the own address"),
        Keyword::ignored("min_rx", "MS", "shortest interval to receive"),
        Keyword::ignored("min_tx", "MS", "shortest interval to send"),
        Keyword::ignored("idle_tx", "MS", "interval while down"),
        Keyword::ignored("multiplier", "N", "lost packets that make it down"),
        Keyword::ignored("passive", "", "wait for the neighbour"),
        Keyword::ignored("ttl", "N", "TTL of packets"),
        Keyword::ignored("hoplimit", "N", "hop limit of packets"),
        Keyword::ignored("max_hops", "N", "hops it may be away"),
        Keyword::ignored("weight", "N [reverse]", "change of priority"),
        Keyword::ignored("vrrp", "", "for instances only"),
        Keyword::ignored("checker", "", "for checkers only"),
    ]],
};

/// `garp_group`.
pub(super) static GARP_GROUP: Block = Block {
    name: "garp_group",
    keywords: &[&[
        Keyword::ignored("garp_interval", "SECONDS", "gap between gratuitous ARPs"),
        Keyword::ignored("gna_interval", "SECONDS", "gap between neighbour advertisements"),
        Keyword::ignored("interface", "IF", "one interface"),
        Keyword::ignored("interfaces", "", "several interfaces").with(&GARP_INTERFACES),
    ]],
};

static GARP_INTERFACES: Block = Block::list("interfaces");
