use lvs_core::conf::{Env, NoFiles, parse};

use super::*;
use crate::outcome::Reason;
use crate::roster::User;

/// A folder of its own for a test, removed at its end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tcpcheck-notify-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn lines(&self, file: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.0.join(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Servers whose `notify_up` and `notify_down` are these scripts of the shell, run as whoever runs the tests.
fn bench(servers: u8, up: &str, down: &str) -> (Config, Notifier) {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).unwrap().unwrap().name;
    let server = |n: u8| {
        format!(
            "real_server 10.0.0.{n} 80 {{\nnotify_up \"/bin/sh -c '{up}'\"\nnotify_down \"/bin/sh -c '{down}'\"\n}}\n"
        )
    };
    let text = format!(
        "global_defs {{\nscript_user {user}\n}}\nvirtual_server 10.0.0.100 80 {{\nprotocol TCP\n{}}}\n",
        (1..=servers).map(server).collect::<String>()
    );
    let (mut config, _) = parse("file", text.as_bytes(), &mut NoFiles, &Env::default());
    let (programs, _) = Programs::prepare(&mut config);
    let mut notifier = Notifier::new().unwrap();
    notifier.run(Arc::new(programs));
    (config, notifier)
}

fn change(rs: u32, up: bool) -> Change {
    let (user, endpoint) = (User { vs: 0, rs }, format!("10.0.0.{}:80", rs + 1).parse().unwrap());
    let what = if up { What::Up(user, endpoint) } else { What::Down(user, endpoint, Reason::TimedOut) };
    Change { vs: 0, service: "10.0.0.100:80".to_owned(), what }
}

/// Turns until it is so; ten seconds are the end of the test.
#[track_caller]
fn until(notifier: &mut Notifier, what: impl Fn(&Notifier) -> bool) {
    let mut poll = Poll::new().unwrap();
    poll.add(&*notifier, 0, Interest::Read).unwrap();
    let end = clock::now() + Duration::from_secs(10);
    while !what(notifier) {
        assert!(clock::now() < end, "in vain");
        poll.wait(Some(clock::now() + Duration::from_millis(20)), &mut Vec::new()).unwrap();
        notifier.turn(clock::now());
    }
}

#[test]
fn what_the_scripts_of_a_server_leave_behind_is_its_last_state() {
    let folder = Folder::new("order");
    let (notes, gate) = (folder.0.join("notes").display().to_string(), folder.0.join("gate"));
    // The first one takes as long as it is let.
    let down = format!("while ! test -e {}; do sleep 0.02; done; echo down >>{notes}", gate.display());
    let (config, mut notifier) = bench(1, &format!("echo up >>{notes}"), &down);
    for up in [false, true, false, true] {
        notifier.tell(&config, &change(0, up), clock::now());
    }
    until(&mut notifier, |n| n.children.has_started());
    assert_eq!(folder.lines("notes"), [""; 0], "the second waits for the first");
    std::fs::write(gate, "").unwrap();
    until(&mut notifier, |n| n.queues.is_empty());
    assert_eq!(folder.lines("notes"), ["down", "up", "down", "up"]);
}

#[test]
fn of_a_rack_s_scripts_a_few_run_at_once_and_none_is_forgotten() {
    let folder = Folder::new("rack");
    let (begun, gate) = (folder.0.join("begun").display().to_string(), folder.0.join("gate"));
    let down = format!("echo begun >>{begun}; while ! test -e {}; do sleep 0.02; done", gate.display());
    let (config, mut notifier) = bench(40, "true", &down);
    (0..40).for_each(|n| notifier.tell(&config, &change(n, false), clock::now()));
    until(&mut notifier, |n| n.children.has_started());
    until(&mut notifier, |_| folder.lines("begun").len() == AT_ONCE);
    assert_eq!(notifier.queues.values().filter(|q| q.is_waiting()).count(), 40 - AT_ONCE);
    std::fs::write(gate, "").unwrap();
    until(&mut notifier, |n| n.queues.is_empty());
    assert_eq!(folder.lines("begun").len(), 40);
}

#[test]
fn the_last_scripts_have_begun_when_the_watch_ends() {
    let folder = Folder::new("last");
    let begun = folder.0.join("begun").display().to_string();
    let (mut config, mut notifier) = bench(40, "true", &format!("echo begun >>{begun}"));
    config.virtual_servers[0].omega = lvs_core::conf::At::assumed(true);
    let servers = vec![lvs_core::desired::ServerHealth::new(true); 40];
    let services = vec![lvs_core::desired::ServiceHealth { quorum: true, servers }];
    notifier.say_farewell(&config, &Health { services }, clock::now());
    notifier.finish().unwrap();
    drop(notifier);
    let end = clock::now() + Duration::from_secs(10);
    while folder.lines("begun").len() < 40 {
        assert!(clock::now() < end, "{} of 40 have begun", folder.lines("begun").len());
        Poll::new().unwrap().wait(Some(clock::now() + Duration::from_millis(20)), &mut Vec::new()).unwrap();
    }
}
