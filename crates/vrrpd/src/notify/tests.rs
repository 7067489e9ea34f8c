use lvs_core::conf::At;

use super::*;

fn command(program: &str) -> Command {
    Command { argv: At::assumed(vec![program.to_owned()]), user: None, group: None }
}

fn all() -> Notify {
    Notify {
        master: Some(command("master")),
        backup: Some(command("backup")),
        fault: Some(command("fault")),
        stop: Some(command("stop")),
        deleted: Some(command("deleted")),
        master_rx_lower_pri: Some(command("lower")),
        says_deleted: At::assumed(true),
        any: Some(command("any")),
        priority_changes: At::assumed(true),
        mail: None,
    }
}

fn words(who: Who, event: Event) -> Vec<String> {
    let notify = all();
    let calls = calls(&notify, who, "VI_1", event, 157);
    let line = |(c, extra): (&Command, Vec<String>)| [c.argv.value.clone(), extra].concat().join(" ");
    calls.into_iter().map(line).collect()
}

#[test]
fn first_the_state_s_own_script_then_notify_with_four_words() {
    for (event, own) in [
        (Event::Master, "master"),
        (Event::Backup, "backup"),
        (Event::Fault, "fault"),
        (Event::Stop, "stop"),
        (Event::Deleted, "deleted"),
    ] {
        let any = format!("any INSTANCE VI_1 {} 157", own.to_uppercase());
        assert_eq!(words(Who::Instance, event), [own.to_owned(), any]);
    }
    assert_eq!(words(Who::Group, Event::Master)[1], "any GROUP VI_1 MASTER 157");
}

#[test]
fn what_is_no_state_does_not_run_notify() {
    assert_eq!(words(Who::Instance, Event::LowerPriority), ["lower"]);
    assert_eq!(words(Who::Instance, Event::Priority(true)), [""; 0]);
    assert_eq!(words(Who::Instance, Event::Removed), ["any INSTANCE VI_1 FAULT 157"], "as measured");
}

#[test]
fn the_pipe_s_line_has_the_name_in_quotes() {
    assert_eq!(line(Who::Instance, "VI_1", Event::Master, 100), "INSTANCE \"VI_1\" MASTER 100\n");
    assert_eq!(line(Who::Group, "G", Event::Fault, 0), "GROUP \"G\" FAULT 0\n");
    assert_eq!(line(Who::Instance, "C", Event::Priority(false), 130), "INSTANCE \"C\" BACKUP_PRIORITY 130\n");
}

#[test]
fn handing_over_is_not_told_before_it_is_done() {
    assert_eq!(Event::of(State::Leaving), None);
    assert_eq!(Event::of(State::Released), Some(Event::Backup));
    assert_eq!(Event::of(State::Stopped), Some(Event::Stop));
}
