//! Mails.

use super::super::{Block, CHECK, DAEMONS, Keyword, VRRP};

pub(super) const MAIL: &[Keyword] = &[
    Keyword::used(DAEMONS, "notification_email", "", "who is sent mails; default: nobody").with(&RECIPIENTS),
    Keyword::used(DAEMONS, "notification_email_from", "ADDRESS", "their sender; default: root at this host"),
    Keyword::used(
        DAEMONS,
        "smtp_server",
        "HOST [PORT]",
        "the server that takes them, on port 25 by default; without one none are sent",
    ),
    Keyword::used(DAEMONS, "smtp_connect_timeout", "SECONDS", "how long it may take to answer; default 30"),
    Keyword::used(DAEMONS, "smtp_helo_name", "NAME", "name told to the mail server; default: the host name"),
    Keyword::used(DAEMONS, "smtp_alert", "[on|off]", "default of all smtp_alert"),
    Keyword::used(
        VRRP,
        "smtp_alert_vrrp",
        "[on|off]",
        "that of instances and sync groups; default: smtp_alert, else off",
    ),
    Keyword::used(
        CHECK,
        "smtp_alert_checker",
        "[on|off]",
        "that of virtual and real servers; default: smtp_alert, else on for real servers only",
    ),
    Keyword::used(VRRP, "no_email_faults", "", "no mails for FAULT; default off"),
    Keyword::ignored("no_checker_emails", "", "one mail a real server, not one a checker; ours are so"),
    Keyword::ignored("alert_email", "...", "old mail setting"),
];

static RECIPIENTS: Block = Block::list("notification_email");
