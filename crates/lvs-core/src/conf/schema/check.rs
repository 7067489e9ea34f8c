//! Keywords of the checkers.

use super::{Block, CHECK, Keyword};

const NOT_DONE: &str = "this check is not done: the real server counts as alive as far as it goes";

/// The checkers of a real server.
pub(super) const CHECKERS: &[Keyword] = &[
    Keyword::used(CHECK, "TCP_CHECK", "", "alive when a connection can be made").with(&TCP_CHECK),
    Keyword::used(CHECK, "HTTP_GET", "", "alive when pages can be fetched").with(&HTTP_GET),
    Keyword::used(CHECK, "SSL_GET", "", "the same over TLS 1.2 or 1.3; no certificate is judged")
        .with(&SSL_GET),
    Keyword::used(CHECK, "MISC_CHECK", "", "alive when a command succeeds").with(&MISC_CHECK),
    Keyword::unsupported("SMTP_CHECK", "", "alive when a mail server greets", NOT_DONE).with(&SMTP_CHECK),
    Keyword::unsupported("DNS_CHECK", "", "alive when a name server answers", NOT_DONE).with(&DNS_CHECK),
    Keyword::unsupported("UDP_CHECK", "", "alive when nothing says unreachable", NOT_DONE).with(&UDP_CHECK),
    Keyword::unsupported("PING_CHECK", "", "alive when an echo comes back", NOT_DONE).with(&PING_CHECK),
    Keyword::unsupported("BFD_CHECK", "", "alive while a BFD session is up", NOT_DONE).with(&BFD_CHECK),
    Keyword::unsupported("FILE_CHECK", "", "alive while a file holds 0", NOT_DONE).with(&FILE_CHECK),
];

const CONNECT: &[Keyword] = &[
    Keyword::used(CHECK, "connect_ip", "IP", "where to connect; default: the real server"),
    Keyword::used(CHECK, "connect_port", "PORT", "default: the port written for the real server"),
    Keyword::used(CHECK, "bindto", "IP", "source address; default: the kernel's choice"),
    Keyword::used(CHECK, "bind_if", "IF", "source interface"),
    Keyword::used(CHECK, "bind_port", "PORT", "source port; keepalived takes it only with bindto"),
    Keyword::used(CHECK, "fwmark", "N", "firewall mark of the socket"),
    Keyword::used(CHECK, "connect_timeout", "SECONDS", "no answer for so long is a failure; default 5"),
];

const SCHEDULE: &[Keyword] = &[
    Keyword::used(
        CHECK,
        "retry",
        "N",
        "tries after the first failed one; default 1 (MISC_CHECK 0, DNS_CHECK 3)",
    ),
    Keyword::used(
        CHECK,
        "delay_before_retry",
        "SECONDS",
        "from a failed try to the next; default 1 (HTTP 3, DNS delay_loop)",
    ),
    Keyword::used(
        CHECK,
        "warmup",
        "SECONDS",
        "the first check comes after a random time up to this; default: delay_loop",
    ),
    Keyword::used(CHECK, "delay_loop", "SECONDS", "interval; default: the virtual server's"),
    Keyword::used(CHECK, "alpha", "[on|off]", "down until it first succeeds"),
    Keyword::used(
        CHECK,
        "log_all_failures",
        "[on|off]",
        "log every failed try until the server is dead; always on with checker_log_all_failures",
    ),
];

const OLD_RETRY: &[Keyword] = &[Keyword::old("nb_get_retry", "retry", "N")];

static TCP_CHECK: Block = Block { name: "TCP_CHECK", keywords: &[CONNECT, SCHEDULE, OLD_RETRY] };
static HTTP_GET: Block = Block { name: "HTTP_GET", keywords: &[CONNECT, SCHEDULE, OLD_RETRY, HTTP] };
static SSL_GET: Block = Block { name: "SSL_GET", keywords: &[CONNECT, SCHEDULE, OLD_RETRY, HTTP, SSL_ONLY] };
static MISC_CHECK: Block = Block { name: "MISC_CHECK", keywords: &[SCHEDULE, MISC] };
static SMTP_CHECK: Block = Block { name: "SMTP_CHECK", keywords: &[CONNECT, SCHEDULE, SMTP] };
static DNS_CHECK: Block = Block { name: "DNS_CHECK", keywords: &[CONNECT, SCHEDULE, DNS] };
static UDP_CHECK: Block = Block { name: "UDP_CHECK", keywords: &[CONNECT, SCHEDULE, UDP] };
static PING_CHECK: Block = Block { name: "PING_CHECK", keywords: &[CONNECT, SCHEDULE] };
static BFD_CHECK: Block = Block {
    name: "BFD_CHECK",
    keywords: &[&[Keyword::ignored("name", "NAME", "the BFD session")], SCHEDULE],
};
static FILE_CHECK: Block = Block { name: "FILE_CHECK", keywords: &[FILE, SCHEDULE] };

const HTTP: &[Keyword] = &[
    Keyword::used(CHECK, "url", "", "a page to fetch").with(&URL),
    Keyword::used(CHECK, "http_protocol", "1.0|1.0C|1.1", "default 1.0"),
    Keyword::used(CHECK, "virtualhost", "NAME", "Host; default: the real server's"),
    Keyword::ignored("fast_recovery", "[on|off]", "no pause between the pages; here there never is one"),
];

const SSL_ONLY: &[Keyword] =
    &[Keyword::used(CHECK, "enable_sni", "[on|off]", "tell virtualhost in the handshake")];

static URL: Block = Block {
    name: "url",
    keywords: &[&[
        Keyword::used(CHECK, "path", "PATH", "the page; default /"),
        Keyword::used(
            CHECK,
            "digest",
            "MD5",
            "MD5 of the body, 32 hexadecimal digits; of a chunked one also as genhash prints it",
        ),
        Keyword::used(CHECK, "status_code", "N[-N] ...", "good answers; default 200-299"),
        Keyword::used(CHECK, "virtualhost", "NAME", "Host; default: the check's"),
        Keyword::used(CHECK, "regex", "PATTERN", "must be found in the body"),
        Keyword::used(CHECK, "regex_no_match", "", "must not be found in the body"),
        Keyword::used(CHECK, "regex_options", "OPTION ...", "how it is searched"),
        Keyword::ignored("regex_stack", "START MAX", "memory for searching"),
        Keyword::used(CHECK, "regex_min_offset", "N", "first byte that is searched; default 0"),
        Keyword::used(CHECK, "regex_max_offset", "N", "byte after the last that is searched"),
    ]],
};

const MISC: &[Keyword] = &[
    Keyword::used(CHECK, "misc_path", "COMMAND ...", "what is run; status 0 is success"),
    Keyword::used(CHECK, "misc_timeout", "SECONDS", "killed and failed after this; default: delay_loop"),
    Keyword::used(
        CHECK,
        "misc_dynamic",
        "",
        "status 2 to 255 sets the weight to the status less 2, 0 to the written one; several checks add up their differences from it",
    ),
    Keyword::used(CHECK, "user", "USER [GROUP]", "who runs it; default: script_user"),
];

const SMTP: &[Keyword] = &[
    Keyword::ignored("helo_name", "NAME", "name told to the mail server"),
    Keyword::ignored("host", "", "old form of connect_ip and the like").with(&SMTP_HOST),
];

static SMTP_HOST: Block = Block { name: "host", keywords: &[CONNECT] };

const DNS: &[Keyword] = &[
    Keyword::ignored("type", "TYPE", "what is asked for"),
    Keyword::ignored("name", "NAME", "which name is asked for"),
];

const UDP: &[Keyword] = &[
    Keyword::ignored("payload", "HEX ...", "what is sent"),
    Keyword::ignored("require_reply", "[HEX ...]", "what must come back"),
    Keyword::ignored("min_reply_length", "N", "shortest reply"),
    Keyword::ignored("max_reply_length", "N", "longest reply"),
];

const FILE: &[Keyword] = &[
    Keyword::ignored("track_file", "NAME", "the file"),
    Keyword::ignored("weight", "N [reverse]", "factor"),
    Keyword::ignored("dynamic", "", "the number changes the weight"),
];

/// `SSL`.
pub(super) static SSL: Block = Block {
    name: "SSL",
    keywords: &[&[
        Keyword::ignored("password", "PASSWORD", "of the key"),
        Keyword::ignored("ca", "PATH", "certificates to trust"),
        Keyword::ignored("certificate", "PATH", "own certificate"),
        Keyword::ignored("key", "PATH", "own key"),
        Keyword::ignored("keyfile", "PATH", "own key"),
    ]],
};
