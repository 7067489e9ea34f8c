//! The mails of `global_defs`.

use super::statics::names;
use super::{At, Cx};
use crate::conf::model::Mail;
use crate::conf::tree::Stmt;

impl Cx<'_> {
    /// A line about mails; false if the keyword is none.
    pub(super) fn mail(&mut self, key: &str, s: Stmt<'_>) -> bool {
        match key {
            "notification_email" => self.recipients(s),
            "notification_email_from" => self.global.mail.from = self.mailbox(Cx::text(s, 1)),
            "smtp_server" => self.mail_server(s),
            "smtp_connect_timeout" => {
                let mut timeout = self.global.mail.timeout;
                self.set_positive(s, &mut timeout);
                self.global.mail.timeout = timeout;
            }
            "smtp_helo_name" => self.global.mail.helo = Cx::text(s, 1),
            "smtp_alert" => self.mail_switch(s, |m| &mut m.any),
            "smtp_alert_vrrp" => self.mail_switch(s, |m| &mut m.vrrp),
            "smtp_alert_checker" => self.mail_switch(s, |m| &mut m.checker),
            "no_email_faults" => self.global.mail.no_faults = At::new(true, s.place(0)),
            _ => return false,
        }
        true
    }

    /// `smtp_alert` of one thing.
    pub(super) fn set_alert(&mut self, s: Stmt<'_>, to: &mut Option<At<bool>>) {
        *to = self.switch(s).or(*to);
    }

    fn mail_switch(&mut self, s: Stmt<'_>, field: fn(&mut Mail) -> &mut Option<At<bool>>) {
        if let Some(on) = self.switch(s) {
            *field(&mut self.global.mail) = Some(on);
        }
    }

    fn recipients(&mut self, s: Stmt<'_>) {
        for word in names(s) {
            let mailbox = self.mailbox(Some(word));
            self.global.mail.to.extend(mailbox);
        }
    }

    fn mail_server(&mut self, s: Stmt<'_>) {
        self.global.mail.server = Cx::text(s, 1);
        if s.get(2).is_some() {
            self.global.mail.port = self.port(s, 2).unwrap_or(self.global.mail.port);
        }
    }

    /// What a mail can be addressed to: a second line in it would be a header of its own.
    fn mailbox(&mut self, word: Option<At<String>>) -> Option<At<String>> {
        let word = word?;
        if word.is_empty() || word.chars().any(char::is_control) {
            let message = "this is no mail address; it is left out".to_owned();
            self.findings.warning("bad-address", word.place, message).help("write name@host");
            return None;
        }
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use crate::conf::At;
    use crate::conf::model::Mail;
    use crate::conf::tests::read;

    fn mail(lines: &str) -> Mail {
        let (config, findings) = read(&format!("global_defs {{\n{lines}\n}}\n"));
        assert!(findings.iter().all(|d| d.code == "no-mail"), "{findings:?}");
        config.global.mail
    }

    #[test]
    fn the_nearest_switch_counts_and_only_real_servers_are_mailed_about_without_one() {
        let of = |lines: &str| {
            let m = mail(lines);
            (m.is_of_vrrp(None), m.is_of_quorum(None), m.is_of_server(None))
        };
        assert_eq!(of(""), (false, false, true));
        assert_eq!(of("smtp_alert"), (true, true, true));
        assert_eq!(of("smtp_alert off"), (false, false, false));
        assert_eq!(of("smtp_alert\nsmtp_alert_vrrp off"), (false, true, true));
        assert_eq!(of("smtp_alert_checker off"), (false, false, false));
        let on = Some(At::assumed(true));
        assert!(mail("smtp_alert off").is_of_vrrp(on) && mail("smtp_alert_checker off").is_of_server(on));
    }

    #[test]
    fn the_server_has_a_port_of_its_own_or_that_of_smtp() {
        let server = |line: &str| mail(line).server.zip(Some(*mail(line).port)).map(|(s, p)| (s.value, p));
        assert_eq!(server("smtp_server mx.example.org"), Some(("mx.example.org".to_owned(), 25)));
        assert_eq!(server("smtp_server 10.0.0.9 2525"), Some(("10.0.0.9".to_owned(), 2525)));
        assert_eq!(server(""), None);
    }
}
