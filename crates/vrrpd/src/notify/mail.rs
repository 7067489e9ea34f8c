//! What a change is mailed as: keepalived's subjects and texts, which filters of mailboxes know.

use lvs_core::sys::mail::Letter;

use super::{Event, Who};

/// The mail about an event, if it is a change of state. The end of the daemon and of an instance is not mailed: who caused it
/// knows.
pub(super) fn letter(who: Who, name: &str, event: Event) -> Option<Letter> {
    if !matches!(event, Event::Master | Event::Backup | Event::Fault) {
        return None;
    }
    let state = event.word();
    let (what, body) = match (who, event) {
        (Who::Group, _) => ("Group", format!("All VRRP group instances are now in {state} state")),
        (Who::Instance, Event::Master) => ("Instance", "VRRP Instance is now owning VRRP VIPs".to_owned()),
        (Who::Instance, _) => ("Instance", "VRRP Instance is no longer owning VRRP VIPs".to_owned()),
    };
    let subject = format!("VRRP {what} {name} - Entering {state} state");
    Some(Letter { subject, body: format!("=> {body} <=") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(who: Who, event: Event) -> Option<String> {
        letter(who, "V", event).map(|l| format!("{} {}", l.subject, l.body))
    }

    #[test]
    fn states_are_mailed_in_keepalived_s_words_and_nothing_else_is() {
        let of = |event| subject(Who::Instance, event);
        let master = "VRRP Instance V - Entering MASTER state => VRRP Instance is now owning VRRP VIPs <=";
        assert_eq!(of(Event::Master).as_deref(), Some(master));
        let fault =
            "VRRP Instance V - Entering FAULT state => VRRP Instance is no longer owning VRRP VIPs <=";
        assert_eq!(of(Event::Fault).as_deref(), Some(fault));
        let group =
            "VRRP Group V - Entering BACKUP state => All VRRP group instances are now in BACKUP state <=";
        assert_eq!(subject(Who::Group, Event::Backup).as_deref(), Some(group));
        assert_eq!(
            [Event::Stop, Event::Deleted, Event::Removed, Event::Priority(true)].map(of),
            [const { None }; 4]
        );
    }
}
