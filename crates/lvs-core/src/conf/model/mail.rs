//! Mails of `global_defs`: to whom, through which server, and for what.

use std::time::Duration;

use crate::conf::place::At;

/// Whom changes are mailed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// `notification_email`; none: nothing is mailed.
    pub to: Vec<At<String>>,
    /// `notification_email_from`; none: root at this host.
    pub from: Option<At<String>>,
    /// `smtp_server`, a name or an address; none: nothing is mailed.
    pub server: Option<At<String>>,
    /// Its port (default 25).
    pub port: At<u16>,
    /// `smtp_connect_timeout` (default 30 s).
    pub timeout: At<Duration>,
    /// `smtp_helo_name`; none: the host's name.
    pub helo: Option<At<String>>,
    /// `smtp_alert`: the default of all below.
    pub any: Option<At<bool>>,
    /// `smtp_alert_vrrp`: that of instances and sync groups.
    pub vrrp: Option<At<bool>>,
    /// `smtp_alert_checker`: that of virtual and real servers.
    pub checker: Option<At<bool>>,
    /// `no_email_faults`: none for a state of FAULT.
    pub no_faults: At<bool>,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            to: Vec::new(),
            from: None,
            server: None,
            port: At::assumed(25),
            timeout: At::assumed(Duration::from_secs(30)),
            helo: None,
            any: None,
            vrrp: None,
            checker: None,
            no_faults: At::default(),
        }
    }
}

impl Mail {
    /// Whether an instance or a sync group with this `smtp_alert` is mailed about.
    pub fn is_of_vrrp(&self, own: Option<At<bool>>) -> bool {
        own.or(self.vrrp).or(self.any).is_some_and(|on| *on)
    }

    /// The same of a virtual server's quorum.
    pub fn is_of_quorum(&self, own: Option<At<bool>>) -> bool {
        own.or(self.checker).or(self.any).is_some_and(|on| *on)
    }

    /// The same of a real server; these are mailed about unless the file says otherwise.
    pub fn is_of_server(&self, own: Option<At<bool>>) -> bool {
        own.or(self.checker).or(self.any).is_none_or(|on| *on)
    }
}
