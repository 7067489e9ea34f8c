use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use lvs_core::conf::At;
use lvs_core::sys::clock;
use nix::unistd::{User, geteuid};

use super::*;

/// A directory with a script that notes its arguments, slowly.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vrrpd-notify-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let text =
            format!("#!/bin/sh\n[ \"$1\" != slow ] || sleep 0.3\necho \"$@\" >> {}/log\n", path.display());
        fs::write(path.join("note"), text).unwrap();
        fs::set_permissions(path.join("note"), fs::Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    fn command(&self, word: &str) -> Command {
        let argv = vec![self.0.join("note").display().to_string(), word.to_owned()];
        Command { argv: At::assumed(argv), user: None, group: None }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.0.join("log")).unwrap_or_default()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn global() -> Global {
    let me = User::from_uid(geteuid()).unwrap().unwrap().name;
    Global { script_user: Some(At::assumed(me)), ..Global::default() }
}

fn run(notifier: &mut Notifier) {
    let end = clock::now() + Duration::from_secs(10);
    let mut poll = Poll::new().unwrap();
    poll.add(&*notifier, 1, Interest::Read).unwrap();
    while !notifier.is_idle() {
        assert!(clock::now() < end, "not done");
        poll.wait(Some(end), &mut Vec::new()).unwrap();
        notifier.turn(clock::now());
    }
}

#[test]
fn a_slow_script_does_not_overtake_and_groups_have_their_own_queue() {
    let dir = Dir::new("order");
    let notify = Notify {
        master: Some(dir.command("slow")),
        backup: Some(dir.command("backup")),
        any: Some(dir.command("any")),
        ..Notify::default()
    };
    let scripts = Scripts { notify: vec![(Who::Instance, "VI_1".to_owned(), notify)], global: global() };
    let mut notifier = Notifier::new().unwrap();
    notifier.configure(&scripts);
    let now = clock::now();
    notifier.tell(Who::Instance, "VI_1", Event::Master, 100, now);
    notifier.tell(Who::Instance, "VI_1", Event::Backup, 90, now);
    notifier.tell(Who::Instance, "VI_1", Event::Backup, 90, now);
    notifier.tell(Who::Instance, "other", Event::Backup, 90, now);
    run(&mut notifier);
    let wanted = "slow\nany INSTANCE VI_1 MASTER 100\nbackup\nany INSTANCE VI_1 BACKUP 90\n";
    assert_eq!(dir.log(), wanted);
}

#[test]
fn the_pipe_s_reader_gets_every_line_and_its_path() {
    let dir = Dir::new("pipe");
    let path = dir.0.join("pipe").display().to_string();
    let reader = format!(
        "#!/bin/sh\nwhile read -r line; do echo \"$1 $line\" >> {}/log; done < \"$2\"\n",
        dir.0.display()
    );
    fs::write(dir.0.join("reader"), reader).unwrap();
    fs::set_permissions(dir.0.join("reader"), fs::Permissions::from_mode(0o755)).unwrap();
    let argv = vec![dir.0.join("reader").display().to_string(), "got".to_owned()];
    let script = Some(Command { argv: At::assumed(argv), user: None, group: None });
    let mut global = global();
    global.vrrp_fifo = Some(Fifo { path: At::assumed(path.clone()), user: None, group: None, script });
    let notify = Notify { priority_changes: At::assumed(true), ..Notify::default() };
    let scripts = Scripts { notify: vec![(Who::Group, "G".to_owned(), notify)], global };
    let mut notifier = Notifier::new().unwrap();
    notifier.configure(&scripts);
    notifier.configure(&scripts);
    let now = clock::now();
    notifier.tell(Who::Group, "G", Event::Backup, 0, now);
    notifier.tell(Who::Group, "G", Event::Priority(false), 90, now);
    let end = now + Duration::from_secs(10);
    let wanted = "got GROUP \"G\" BACKUP 0\ngot GROUP \"G\" BACKUP_PRIORITY 90\n";
    while dir.log() != wanted {
        assert!(clock::now() < end, "{}", dir.log());
        notifier.turn(clock::now());
    }
    drop(notifier);
    assert!(fs::metadata(path).is_ok(), "another daemon may write there, too");
}
