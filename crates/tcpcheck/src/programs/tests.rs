use lvs_core::conf::{self, Env, NoFiles};

use super::*;

/// As whoever runs the tests, whether or not the host has a user keepalived_script.
fn read(more: &str) -> Config {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).unwrap().unwrap().name;
    let server = |n: u8| {
        format!(
            "real_server 10.0.0.{n} 80 {{\nnotify_up \"/bin/true {n}\"\nnotify_down \"/no/notify {n}\"\n\
             MISC_CHECK {{\nmisc_path \"/no/check {n}\"\n}}\nMISC_CHECK {{\nmisc_path \"/bin/true\"\n}}\n}}\n"
        )
    };
    let text = format!(
        "global_defs {{\nscript_user {user}\n}}\nvirtual_server 10.0.0.100 80 {{\nprotocol TCP\n{more}\n{}{}}}\n",
        server(1),
        server(2)
    );
    conf::parse("file", text.as_bytes(), &mut NoFiles, &Env::default()).0
}

#[test]
fn each_program_is_judged_once_and_a_check_that_may_not_run_leaves() {
    let mut config = read("");
    let (programs, said) = Programs::prepare(&mut config);
    let of = |what: &str| said.iter().filter(|(_, text)| text.contains(what)).collect::<Vec<_>>();
    assert_eq!(said.len(), 2, "{said:?}");
    let [(Level::Error, check)] = of("counts as alive")[..] else { panic!("{said:?}") };
    assert!(check.starts_with("file:11:") && check.contains(": /no/"), "{check}");
    let [(Level::Error, notify)] = of("nobody is told")[..] else { panic!("{said:?}") };
    assert!(notify.contains(": /no/") && notify.contains(" cannot be run"), "{notify}");
    for server in &config.virtual_servers[0].real_servers {
        assert_eq!(server.checks.len(), 1, "only what can be run is left");
        let up = server.notify_up.as_deref().unwrap();
        let wanted = format!("/bin/true {}", up.argv[1]);
        assert_eq!(programs.job(up).unwrap().line(), wanted);
        assert!(programs.job(server.notify_down.as_deref().unwrap()).is_none());
    }
}

#[test]
fn the_scripts_that_read_pipes_are_judged_too() {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).unwrap().unwrap().name;
    let read = |rest: &str| {
        let text = format!(
            "global_defs {{\nscript_user {user}\nlvs_notify_fifo /no/one\nlvs_notify_fifo_script \"/no/reader 1\"\n\
             notify_fifo /no/two\nnotify_fifo_script \"/bin/true 2\"\n}}\n{rest}"
        );
        conf::parse("file", text.as_bytes(), &mut NoFiles, &Env::default()).0
    };
    let mut config = read("");
    let (programs, said) = Programs::prepare(&mut config);
    let [(Level::Error, text)] = &said[..] else { panic!("{said:?}") };
    assert!(text.starts_with("file:4:") && text.ends_with("nobody is started to read the pipe"), "{text}");
    let command = |fifo: &Option<conf::model::Fifo>| fifo.clone().unwrap().script.unwrap();
    assert!(programs.job(&command(&config.global.lvs_fifo)).is_none());
    let job = programs.job(&command(&config.global.notify_fifo)).unwrap();
    assert_eq!(job.with(["/no/two".to_owned()]).line(), "/bin/true 2 /no/two");

    // With an instance vrrpd starts the one reader of the common pipe, and judges it.
    let instance = "vrrp_instance a {\ninterface lo\nvirtual_router_id 5\n}\n";
    let mut config = read(instance);
    let (programs, _) = Programs::prepare(&mut config);
    assert!(programs.job(&command(&config.global.notify_fifo)).is_none());
}

#[test]
fn a_script_that_others_can_change_is_said_once() {
    use std::os::unix::fs::PermissionsExt;
    let path = std::env::temp_dir().join(format!("tcpcheck-open-{}", std::process::id()));
    std::fs::write(&path, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    let path = path.display();
    let mut config = read(&format!("quorum_up \"{path} up\"\nquorum_down \"{path} down\""));
    let (programs, said) = Programs::prepare(&mut config);
    std::fs::remove_file(path.to_string()).unwrap();
    let warnings = said.iter().filter(|(level, _)| *level == Level::Warn).count();
    assert_eq!(warnings, usize::from(nix::unistd::geteuid().is_root()), "{said:?}");
    for command in [&config.virtual_servers[0].quorum_up, &config.virtual_servers[0].quorum_down] {
        assert!(programs.job(command.as_ref().unwrap()).is_some());
    }
}
