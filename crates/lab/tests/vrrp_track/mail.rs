//! Mails: the same about the same changes, from both programs.

use lab::SECONDS;

use super::scene::{Program, Scene, instance};

#[test]
fn changes_are_mailed_where_the_file_says_so() {
    let states = ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER"];
    both(&file("", "smtp_alert", ""), &states);
}

#[test]
fn faults_are_kept_back_and_the_default_is_that_of_global_defs() {
    let states = ["BACKUP", "MASTER", "BACKUP", "MASTER"];
    both(&file(" smtp_alert off\n smtp_alert_vrrp\n no_email_faults\n", "", "smtp_alert off"), &states);
}

/// A file with these lines in `global_defs`, in a group and its member, and in an instance that is not mailed about.
fn file(globals: &str, own: &str, other: &str) -> String {
    let mails = "router_id LVS_A\n notification_email {\n admin@example.org\n root@localhost\n }\n \
                 notification_email_from director@example.org\n smtp_server 127.0.0.1 2525\n \
                 smtp_connect_timeout 20\n smtp_helo_name d100.example.org\n";
    let globals = super::GLOBALS.replace("}\n", &format!("{mails}{globals}}}\n"));
    let group = format!("vrrp_sync_group G {{\n group {{\n A\n }}\n {own}\n}}\n");
    [globals, group, instance("A", 51, 150, own), instance("B", 52, 150, other)].concat()
}

/// Both programs mail about these states, and nothing else.
fn both(file: &str, states: &[&str]) {
    let wanted = sorted(states.iter().flat_map(|s| about(s)).collect());
    let faults = 2 * states.iter().filter(|s| **s == "FAULT").count();
    std::thread::scope(|scope| {
        for program in [Program::Keepalived, Program::Vrrpd] {
            let wanted = &wanted;
            scope.spawn(move || assert_eq!(mails(program, file, faults), *wanted, "{program:?}"));
        }
    });
}

/// What is mailed from the start until a fault is over, with so many mails about the fault itself. Each change waits for the
/// mails of the one before, as the original sends them side by side.
fn mails(program: Program, file: &str, faults: usize) -> Vec<String> {
    let mut mailbox = None;
    let scene = Scene::start(program, file, |host| {
        let server = host.spawn("lab mailbox 2525");
        server.wait_for_line("takes mails", 10 * SECONDS);
        mailbox = Some(server);
    });
    let lines = || mailbox.iter().flat_map(lab::Daemon::lines).map(|l| l.text).skip(1).collect::<Vec<_>>();
    let until = |what: &str, count| scene.wait(what, || lines().len() == count);
    until("mails of backup and master", 4);
    scene.host.ok("ip link set ens192 down");
    scene.until("G", "FAULT 0");
    until("mails of the fault", 4 + faults);
    scene.host.ok("ip link set ens192 up");
    until("mails of backup and master again", 8 + faults);
    sorted(lines())
}

/// The mails about the group and its member in this state.
fn about(state: &str) -> [String; 2] {
    let to = "d100.example.org director@example.org admin@example.org root@localhost: [LVS_A] VRRP";
    let owns = if state == "MASTER" { "now" } else { "no longer" };
    [
        format!(
            "{to} Group G - Entering {state} state => All VRRP group instances are now in {state} state <="
        ),
        format!("{to} Instance A - Entering {state} state => VRRP Instance is {owns} owning VRRP VIPs <="),
    ]
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}
