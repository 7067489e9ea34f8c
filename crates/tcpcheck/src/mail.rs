//! What a change is mailed as: keepalived's subjects, which filters of mailboxes know, and why it happened.

use lvs_core::conf::Config;
use lvs_core::conf::model::VirtualServer;
use lvs_core::desired::{Health, ServiceHealth};
use lvs_core::sys::mail::Letter;

use crate::change::{Change, What};
use crate::roster::User;
use crate::title;

/// The mail about a change; none where the file wants none.
pub(crate) fn letter(config: &Config, health: &Health, change: &Change) -> Option<Letter> {
    let vs = config.virtual_servers.get(change.vs as usize)?;
    let health = health.services.get(change.vs as usize)?;
    match &change.what {
        What::Up(user, _) => about_server(config, vs, *user, "UP", "succeed on service"),
        What::Down(user, _, why) => {
            about_server(config, vs, *user, "DOWN", &format!("failed on service : {why}"))
        }
        What::QuorumGained => about_quorum(config, vs, health, true),
        What::QuorumLost(_) => about_quorum(config, vs, health, false),
        _ => None,
    }
}

fn about_server(config: &Config, vs: &VirtualServer, user: User, state: &str, how: &str) -> Option<Letter> {
    let server = vs.real_servers.get(user.rs as usize)?;
    let whom = title::server(config, vs, &server.endpoint);
    let subject = format!("Realserver {whom} of virtual server {} - {state}", title::service(vs));
    let wanted = config.global.mail.is_of_server(server.mail);
    wanted.then(|| Letter { subject, body: format!("=> CHECK {how} <=") })
}

fn about_quorum(config: &Config, vs: &VirtualServer, health: &ServiceHealth, up: bool) -> Option<Letter> {
    let state = if up { "UP" } else { "DOWN" };
    let subject = format!("Virtualserver {} - {state}", title::service(vs));
    config.global.mail.is_of_quorum(vs.mail).then(|| Letter { subject, body: sum(vs, health, up) })
}

/// The quorum beside the live weights, as keepalived logs it; its mails say `<=` at a loss, too.
fn sum(vs: &VirtualServer, health: &ServiceHealth, up: bool) -> String {
    let (quorum, slack, live) = (u64::from(*vs.quorum), u64::from(*vs.hysteresis), health.live_weight(vs));
    if up {
        format!("=> Gained quorum {quorum}+{slack}={} <= {live} <=", quorum + slack)
    } else {
        format!("=> Lost quorum {quorum}-{slack}={} > {live} <=", quorum.saturating_sub(slack))
    }
}

#[cfg(test)]
mod tests {
    use lvs_core::conf::{Env, NoFiles, parse};

    use super::*;
    use crate::outcome::Reason;

    const SERVER: &str = "real_server 10.0.0.11 80 {\nTCP_CHECK {\n}\n}\n";

    /// Subject and text of a change in the only virtual server of a file.
    fn mail(globals: &str, vs: &str, inside: &str, what: What) -> Option<String> {
        let text = format!(
            "global_defs {{\n{globals}\n}}\nvirtual_server {vs} {{\nprotocol TCP\n{inside}\n{SERVER}}}\n"
        );
        let (config, _) = parse("file", text.as_bytes(), &mut NoFiles, &Env::default());
        let health = ServiceHealth::assumed(&config.virtual_servers[0]);
        let change = Change { vs: 0, service: String::new(), what };
        letter(&config, &Health { services: vec![health] }, &change)
            .map(|l| format!("{} {}", l.subject, l.body))
    }

    fn down() -> What {
        What::Down(User { vs: 0, rs: 0 }, "10.0.0.11:80".parse().unwrap(), Reason::TimedOut)
    }

    #[test]
    fn the_subjects_are_keepalived_s_and_the_text_says_why() {
        let of = |vs, what| mail("smtp_alert", vs, "hysteresis 1\nquorum 2\nweight 9", what).unwrap();
        let server = "Realserver [10.0.0.11]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - ";
        assert_eq!(
            of("10.0.0.1 80", down()),
            format!("{server}DOWN => CHECK failed on service : {} <=", Reason::TimedOut)
        );
        let up = What::Up(User { vs: 0, rs: 0 }, "10.0.0.11:80".parse().unwrap());
        assert_eq!(of("10.0.0.1 80", up), format!("{server}UP => CHECK succeed on service <="));
        assert_eq!(
            of("fwmark 7", What::QuorumGained),
            "Virtualserver FWM 7 - UP => Gained quorum 2+1=3 <= 9 <="
        );
        assert!(
            of("fwmark 7", What::QuorumLost(false)).ends_with("FWM 7 - DOWN => Lost quorum 2-1=1 > 9 <=")
        );
        assert!(of("fwmark 7", down()).starts_with("Realserver [10.0.0.11]:none:0 of virtual server FWM 7"));
    }

    #[test]
    fn each_is_mailed_where_its_own_line_or_the_nearest_of_global_defs_says_so() {
        let is = |globals, inside, what| mail(globals, "10.0.0.1 80", inside, what).is_some();
        assert!(is("", "", down()) && !is("", "", What::QuorumGained));
        assert!(is("", "smtp_alert", What::QuorumGained));
        assert!(!is("smtp_alert_checker off", "smtp_alert", down()));
        assert!(!is("smtp_alert", "", What::Released));
    }
}
