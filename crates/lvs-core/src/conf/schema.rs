//! The one table of keywords: which belongs where, what it takes, what it means, who uses it.
//!
//! The reader judges files by it, lvs-keepalived.conf(5) is made from it, and findings take their advice from it.

mod check;
mod global;
mod man;
mod script;
mod service;
mod vrrp;

pub use man::page;

/// What `static_ipaddress` and the like come to.
const NOT_STATIC: &str = "what does not move is left to the system's own network configuration";

/// The tools that read the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// ipvsctl.
    Ipvsctl,
    /// rs-prep.
    RsPrep,
    /// tcpcheck.
    Tcpcheck,
    /// vrrpd.
    Vrrpd,
}

impl Tool {
    /// The program's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipvsctl => "ipvsctl",
            Self::RsPrep => "rs-prep",
            Self::Tcpcheck => "tcpcheck",
            Self::Vrrpd => "vrrpd",
        }
    }
}

/// What we do with a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// These tools do what it says.
    Used(&'static [Tool]),
    /// Nothing that we do depends on it.
    Ignored,
    /// It would change what happens, and we do not do it; the text says what differs, as a clause.
    Unsupported(&'static str),
    /// An old name of another keyword of the same block.
    Old(&'static str),
    /// Known to the original's other versions only; the text says what to do instead.
    Foreign(&'static str),
}

impl Status {
    /// Whether this tool does what the keyword says.
    pub fn is_used_by(self, tool: Tool) -> bool {
        matches!(self, Self::Used(tools) if tools.contains(&tool))
    }
}

/// A keyword of a block.
#[derive(Clone, Copy, Debug)]
pub struct Keyword {
    /// As it is written.
    pub name: &'static str,
    /// Its words: `N`, `[on|off]`, `IP [PORT]`; `...` takes any number more.
    pub takes: &'static str,
    /// What it means, with its default, as a clause.
    pub about: &'static str,
    /// What we do with it.
    pub status: Status,
    /// The keywords of its block, if it has one.
    pub block: Option<&'static Block>,
}

/// The keywords that may stand inside a pair of braces.
#[derive(Debug)]
pub struct Block {
    /// What it is called in findings: its keyword, or `the top level`.
    pub name: &'static str,
    /// Its keywords. Empty for a list, whose lines are no keywords.
    pub keywords: &'static [&'static [Keyword]],
}

impl Block {
    /// A block of free lines.
    const fn list(name: &'static str) -> Self {
        Self { name, keywords: &[] }
    }

    /// All its keywords.
    pub fn iter(&self) -> impl Iterator<Item = &'static Keyword> + use<> {
        self.keywords.iter().flat_map(|k| k.iter())
    }

    /// The keyword of this name.
    pub fn find(&self, name: &str) -> Option<&'static Keyword> {
        self.iter().find(|k| k.name == name)
    }
}

impl Keyword {
    const fn used(
        tools: &'static [Tool],
        name: &'static str,
        takes: &'static str,
        about: &'static str,
    ) -> Self {
        Self { name, takes, about, status: Status::Used(tools), block: None }
    }

    const fn ignored(name: &'static str, takes: &'static str, about: &'static str) -> Self {
        Self { name, takes, about, status: Status::Ignored, block: None }
    }

    const fn unsupported(
        name: &'static str,
        takes: &'static str,
        about: &'static str,
        differs: &'static str,
    ) -> Self {
        Self { name, takes, about, status: Status::Unsupported(differs), block: None }
    }

    const fn old(name: &'static str, of: &'static str, takes: &'static str) -> Self {
        Self { name, takes, about: "", status: Status::Old(of), block: None }
    }

    const fn foreign(name: &'static str, about: &'static str, instead: &'static str) -> Self {
        Self { name, takes: "...", about, status: Status::Foreign(instead), block: None }
    }

    const fn with(mut self, block: &'static Block) -> Self {
        self.block = Some(block);
        self
    }

    /// How many words it takes, from the least to the most.
    pub fn words(&self) -> (usize, usize) {
        let (mut least, mut most, mut depth) = (0, 0, 0);
        for word in self.takes.split_ascii_whitespace() {
            if word == "..." {
                return (least, usize::MAX);
            }
            let count = |bracket| word.bytes().filter(|b| *b == bracket).count();
            depth += count(b'[');
            most += 1;
            least += usize::from(depth == 0);
            depth -= count(b']');
        }
        (least, most)
    }
}

/// What may stand outside all blocks.
pub static TOP: Block = Block { name: "the top level", keywords: &[TOP_KEYWORDS, global::OUTSIDE] };

const TOP_KEYWORDS: &[Keyword] = &[
    Keyword::used(ALL, "global_defs", "", "settings of the whole host").with(&global::GLOBAL),
    Keyword::used(VRRP, "vrrp_instance", "NAME", "one virtual router").with(&vrrp::INSTANCE),
    Keyword::used(VRRP, "vrrp_sync_group", "NAME", "instances that change state together")
        .with(&vrrp::SYNC_GROUP),
    Keyword::used(VRRP, "vrrp_script", "NAME", "a command whose success instances track")
        .with(&script::SCRIPT),
    Keyword::used(VRRP, "track_file", "NAME", "a number in a file that changes priorities")
        .with(&script::TRACK_FILE),
    Keyword::old("vrrp_track_file", "track_file", "NAME").with(&script::TRACK_FILE),
    Keyword::used(VRRP, "vrrp_track_process", "NAME", "processes that must run").with(&script::TRACK_PROCESS),
    Keyword::old("track_process", "vrrp_track_process", "NAME").with(&script::TRACK_PROCESS),
    Keyword::unsupported(
        "track_group",
        "NAME",
        "instances that fault when a static item is lost",
        NOT_STATIC,
    )
    .with(&script::TRACK_GROUP),
    Keyword::unsupported("static_ipaddress", "", "addresses that do not move", NOT_STATIC)
        .with(&script::STATIC_IPADDRESS),
    Keyword::unsupported("static_routes", "", "routes that do not move", NOT_STATIC)
        .with(&script::STATIC_ROUTES),
    Keyword::unsupported("static_rules", "", "rules that do not move", NOT_STATIC)
        .with(&script::STATIC_RULES),
    Keyword::used(
        LVS,
        "virtual_server",
        "IP|fwmark|group [PORT|MARK|NAME]",
        "one service with its real servers",
    )
    .with(&service::VIRTUAL_SERVER),
    Keyword::used(LVS, "virtual_server_group", "NAME", "addresses and marks that share real servers")
        .with(&service::SERVER_GROUP),
    Keyword::unsupported(
        "bfd_instance",
        "NAME",
        "a BFD session to a neighbour",
        "no BFD session is held, so nothing that tracks it ever changes",
    )
    .with(&script::BFD),
    Keyword::unsupported(
        "garp_group",
        "",
        "gratuitous ARP limits for interfaces of one switch",
        "each interface keeps its own limits",
    )
    .with(&script::GARP_GROUP),
    Keyword::unsupported(
        "interface_up_down_delays",
        "",
        "how long a link must be up or down before it counts",
        "a change of a link counts at once",
    )
    .with(&script::DELAYS),
    Keyword::unsupported(
        "SSL",
        "",
        "key and certificates for SSL_GET",
        "SSL_GET presents no certificate and judges none",
    )
    .with(&check::SSL),
];

const ALL: &[Tool] = &[Tool::Ipvsctl, Tool::RsPrep, Tool::Tcpcheck, Tool::Vrrpd];
const DAEMONS: &[Tool] = &[Tool::Tcpcheck, Tool::Vrrpd];
const VRRP: &[Tool] = &[Tool::Vrrpd];
const LVS: &[Tool] = &[Tool::Ipvsctl, Tool::RsPrep, Tool::Tcpcheck];
const TABLE: &[Tool] = &[Tool::Ipvsctl, Tool::Tcpcheck];
const CHECK: &[Tool] = &[Tool::Tcpcheck];

/// Calls `each` for every block once, with the keywords that lead to it.
pub fn blocks(each: &mut dyn FnMut(&[&'static str], &'static Block)) {
    fn visit(
        path: &mut Vec<&'static str>,
        block: &'static Block,
        each: &mut dyn FnMut(&[&'static str], &'static Block),
    ) {
        each(path, block);
        for keyword in block.iter().filter(|k| !matches!(k.status, Status::Old(_))) {
            if let Some(inner) = keyword.block {
                path.push(keyword.name);
                visit(path, inner, each);
                path.pop();
            }
        }
    }
    visit(&mut Vec::new(), &TOP, each);
}

/// The blocks in which a keyword would be right, each as the path of keywords that lead there.
pub(crate) fn homes(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    blocks(&mut |path, block| {
        if block.find(name).is_some() {
            found.push(if path.is_empty() { "the top level".to_owned() } else { path.join(" > ") });
        }
    });
    found
}

#[cfg(test)]
mod tests;
