//! What routers track and what they tell: each scene is played with keepalived and with vrrpd, and must come to the same.

mod mail;
mod scene;

use lab::{SECONDS, pause};
use scene::{GLOBALS, Program, Scene, both, instance, instance_on, script};

const NOTIFY: &str = "notify_master \"/etc/note NAME master\"\n notify_backup \"/etc/note NAME backup\"\n \
                      notify_fault \"/etc/note NAME fault\"\n notify_stop \"/etc/note NAME stop\"\n \
                      notify \"/etc/note NAME any\"";

fn notify(name: &str) -> String {
    NOTIFY.replace("NAME", name)
}

/// The calls about one name, in the order of their ends.
fn calls(scene: &Scene, name: &str) -> Vec<String> {
    let own = format!("{name} ");
    scene.told().iter().filter_map(|l| l.strip_prefix(&own).map(str::to_owned)).collect()
}

#[test]
fn a_sync_group_moves_as_one_and_tells_it_in_order() {
    let group = format!("vrrp_sync_group G {{\n group {{\n A\n B\n }}\n {}\n}}\n", notify("G"));
    let file = [
        GLOBALS.to_owned(),
        group,
        instance("A", 51, 150, &notify("A")),
        instance_on("ens224", "B", 52, 100, &notify("B")),
    ]
    .concat();
    let states = ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER", "STOP"];
    let names = [("A", "INSTANCE", 150), ("B", "INSTANCE", 100), ("G", "GROUP", 0)];
    both(&file, |s| {
        // Two scripts a state; the next step waits for them, so that none is cut short by the end.
        let heard = |count: usize| {
            s.wait("the scripts", || names.iter().all(|(name, ..)| calls(s, name).len() >= 2 * count));
        };
        s.until("G", "MASTER 0");
        heard(2);
        s.host.ok("ip link set ens224 down");
        s.until("G", "FAULT 0");
        heard(3);
        assert!(!s.host.ok("ip -o address").contains("192.168.15.51"), "the sound leg gives up its VIP, too");
        s.host.ok("ip link set ens224 up");
        s.until("G", "MASTER 0");
        heard(5);
        s.stop("G", "STOP 0");
        // keepalived's own end takes scripts with it that are not fast enough.
        let certain = if s.program == Program::Keepalived { 5 } else { 6 };
        heard(certain);
        for (name, kind, priority) in names {
            let wanted: Vec<_> = states.iter().map(|state| format!("{state} {priority}")).collect();
            assert_eq!(s.states(name), wanted, "{:?}: the pipe about {name}", s.program);
            let two = |state: &&str| [state.to_lowercase(), format!("any {kind} {name} {state} {priority}")];
            let mut wanted: Vec<_> = states[..certain].iter().flat_map(two).collect();
            let mut told = calls(s, name);
            told.truncate(wanted.len());
            if s.program == Program::Keepalived {
                // It starts both at once: whichever is faster comes first.
                wanted.sort();
                told.sort();
            }
            assert_eq!(told, wanted, "{:?}: the scripts about {name}", s.program);
        }
    });
}

#[test]
fn scripts_change_the_priority_by_their_weights_after_rise_and_fall() {
    let chk = |name: &str, lines: &str| {
        format!("vrrp_script {name} {{\n script \"/etc/{name}\"\n interval 1\n timeout 20\n {lines}\n}}\n")
    };
    let file = [
        GLOBALS.to_owned(),
        chk("plus", "weight 7\n rise 2\n fall 3"),
        chk("minus", "weight -20"),
        chk("turned", "weight 5 reverse"),
        instance("A", 51, 100, "track_script {\n plus\n minus\n turned\n }"),
    ]
    .concat();
    let play = |program| {
        let s = Scene::start(program, &file, |host| {
            for name in ["plus", "minus", "turned"] {
                script(
                    host,
                    &format!("/etc/{name}"),
                    &format!("echo x >> /run/{name}.runs\ntest -e /run/{name}"),
                );
            }
            host.ok("touch /run/minus");
        });
        let runs = |name: &str| {
            s.host.sh(&format!("cat /run/{name}.runs 2>/dev/null | wc -l")).stdout.trim().parse()
        };
        s.until("A", "MASTER 100");
        let before: u32 = runs("plus").unwrap();
        s.host.ok("touch /run/plus");
        s.until("A", "MASTER_PRIORITY 107");
        assert!(runs("plus").unwrap() - before >= 2, "{program:?}: rise 2");
        let before: u32 = runs("plus").unwrap();
        s.host.ok("rm /run/plus");
        s.until("A", "MASTER_PRIORITY 100");
        assert!(runs("plus").unwrap() - before >= 3, "{program:?}: fall 3");
        s.host.ok("rm /run/minus");
        s.until("A", "MASTER_PRIORITY 80");
        s.host.ok("touch /run/turned");
        s.until("A", "MASTER_PRIORITY 75");
        s.host.ok("touch /run/minus");
        s.until("A", "MASTER_PRIORITY 95");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| play(Program::Keepalived));
        scope.spawn(|| play(Program::Vrrpd));
    });
}

#[test]
fn without_a_weight_the_first_result_is_waited_for_and_a_hanging_script_is_a_fault() {
    let scripts = "vrrp_script first {\n script /etc/first\n interval 1\n timeout 60\n}\n\
                   vrrp_script hangs {\n script /etc/hangs\n interval 1\n timeout 3\n}\n";
    let file = [GLOBALS, scripts, &instance("A", 51, 100, "track_script {\n first\n hangs\n }")].concat();
    let play = |program| {
        let s = Scene::start(program, &file, |host| {
            script(host, "/etc/first", "while [ ! -e /run/go ]; do sleep 0.1; done");
            script(host, "/etc/hangs", "[ ! -e /run/hang ] || { sleep 1234 & wait; }");
        });
        pause(2 * SECONDS);
        assert!(!s.states("A").iter().any(|state| state.contains("MASTER")), "{program:?}: no result yet");
        s.host.ok("touch /run/go");
        s.until("A", "MASTER 100");
        s.host.ok("touch /run/hang");
        s.until("A", "FAULT 100");
        assert!(!s.host.ok("ip -o address").contains("192.168.15.51"));
        s.host.ok("rm /run/hang");
        s.until("A", "MASTER 100");
        if program == Program::Vrrpd {
            // What a script that had to be ended has started goes with it.
            s.wait("the end of the script's children", || s.host.sh("pgrep -f '[s]leep 1234'").status == 1);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| play(Program::Keepalived));
        scope.spawn(|| play(Program::Vrrpd));
    });
}

#[test]
fn a_file_s_number_is_added_and_too_low_a_one_is_a_fault() {
    let files =
        "track_file f {\n file /run/f\n weight 2\n}\ntrack_file zero {\n file /run/zero\n weight 0\n}\n";
    let file = [
        GLOBALS,
        files,
        &instance("A", 51, 100, "track_file {\n f\n }"),
        &instance("B", 52, 100, "track_file {\n zero\n }"),
    ]
    .concat();
    both(&file, |s| {
        let write = |path: &str, text: &str| s.host.write(&format!("/run/{path}"), text);
        s.until("A", "MASTER 100");
        s.until("B", "MASTER 100");
        for (text, priority) in [
            ("10", 120),
            ("-5\n", 90),
            ("abc\n", 100),
            ("7 x\n", 114),
            (" 3\n", 106),
            ("200\n", 254),
            ("-49", 2),
        ] {
            write("f", text);
            s.until("A", &format!("MASTER_PRIORITY {priority}"));
        }
        write("f.new", "4");
        s.host.ok("mv /run/f.new /run/f");
        s.until("A", "MASTER_PRIORITY 108");
        s.host.ok("rm /run/f");
        s.until("A", "MASTER_PRIORITY 100");
        write("f", "-127");
        s.until("A", "FAULT 100");
        write("f", "-126");
        s.wait("backup with the lowest priority", || s.states("A").contains(&"BACKUP 1".to_owned()));
        for (text, state) in [("5", "FAULT 100"), ("0", "MASTER 100"), ("-1", "FAULT 100")] {
            write("zero", text);
            s.until("B", state);
        }
        s.host.ok("rm /run/zero");
        s.until("B", "MASTER 100");
    });
}

#[test]
fn other_interfaces_change_the_priority_or_are_a_fault() {
    let file = [
        GLOBALS.to_owned(),
        instance("A", 51, 100, "track_interface {\n ens224 weight 30\n }"),
        instance("B", 52, 100, "track_interface {\n ens224 weight -30\n }"),
        instance("C", 53, 100, "track_interface {\n ens224 weight 40 reverse\n }"),
        instance("D", 54, 100, "track_interface {\n ens224\n }"),
    ]
    .concat();
    both(&file, |s| {
        for (name, priority) in [("A", 130), ("B", 100), ("C", 60), ("D", 100)] {
            s.until_master(name, priority);
        }
        s.host.ok("ip link set ens224 down");
        let down = [("A", "MASTER_PRIORITY 100"), ("B", "MASTER_PRIORITY 70"), ("C", "MASTER_PRIORITY 100")];
        for (name, state) in down.into_iter().chain([("D", "FAULT 100")]) {
            s.until(name, state);
        }
        s.host.ok("ip link set ens224 up");
        for (name, priority) in [("A", 130), ("B", 100), ("C", 60), ("D", 100)] {
            s.until_master(name, priority);
        }
    });
}

#[test]
fn a_leg_without_link_is_a_fault_unless_the_line_says_no_track() {
    let excluded = |line: &str| format!("virtual_ipaddress_excluded {{\n {line}\n }}");
    let route = |words: &str| format!("virtual_routes {{\n 10.8.0.0/16 via 10.1.0.9 dev ens224 {words}\n }}");
    let rule = "virtual_rules {\n from 10.8.0.0/16 iif ens224 lookup main preference 77\n }";
    let tracked =
        format!("track_interface {{\n ens224 weight 30\n }}\n {}", excluded("10.1.0.55/24 dev ens224"));
    let file = [
        GLOBALS.to_owned(),
        instance("A", 51, 100, &excluded("10.1.0.51/24 dev ens224")),
        instance("B", 52, 100, &excluded("10.1.0.52/24 dev ens224 no_track")),
        instance("C", 53, 100, &route("")),
        instance("D", 54, 100, &route("metric 7 no_track")),
        instance("E", 55, 100, &tracked),
        instance("F", 56, 100, rule),
    ]
    .concat();
    let (fault, master) = (["A", "C", "E", "F"], ["B", "D"]);
    both(&file, |s| {
        let all_masters = || {
            for name in fault.into_iter().chain(master) {
                s.until_master(name, 100);
            }
        };
        all_masters();
        s.host.ok("ip link set ens224 down");
        for name in fault {
            s.wait(&format!("{name} in FAULT"), || {
                s.states(name).last().is_some_and(|l| l.starts_with("FAULT"))
            });
        }
        if s.program == Program::Vrrpd {
            s.daemon.wait_for_line("A: failed on ens192: interface ens224: taking no part", 5 * SECONDS);
            let status = s.host.ok("vrrpd status");
            assert!(status.contains("tracks     interface ens224 is down: fault"), "{status}");
        }
        s.host.ok("ip link set ens224 up");
        all_masters();
        for name in master {
            assert!(!s.states(name).iter().any(|l| l.starts_with("FAULT")), "{:?}: {name}", s.program);
        }
    });
}

#[test]
fn a_leg_that_is_not_there_yet_is_a_fault_until_it_comes() {
    let globals = GLOBALS.replace("global_defs {", "global_defs {\n dynamic_interfaces");
    let file = [
        globals,
        instance("A", 51, 100, "virtual_ipaddress_excluded {\n 10.2.0.51/24 dev later\n }"),
        instance("B", 52, 100, "virtual_routes {\n 10.8.0.0/16 dev later\n }"),
        instance("C", 53, 100, "virtual_ipaddress_excluded {\n 10.2.0.53/24 dev later no_track\n }"),
    ]
    .concat();
    both(&file, |s| {
        s.until("A", "FAULT 100");
        s.until("B", "FAULT 100");
        s.until("C", "MASTER 100");
        s.host.nic("later", &["10.2.0.1/24"]);
        s.until("A", "MASTER 100");
        s.until("B", "MASTER 100");
        s.wait("the address", || s.host.ok("ip -o address show dev later").contains("10.2.0.51/24"));
        s.wait("the route", || s.host.ok("ip route").contains("10.8.0.0/16 dev later"));
    });
}

#[test]
fn in_a_group_the_members_own_weights_do_not_count_but_the_group_s_do() {
    let chk = "vrrp_script bad {\n script /bin/false\n interval 1\n timeout 20\n weight -20\n}\n";
    let groups = "vrrp_sync_group G {\n group {\n A\n B\n }\n}\n\
                  vrrp_sync_group H {\n group {\n C\n D\n }\n track_script {\n bad\n }\n}\n";
    let file = [
        GLOBALS,
        chk,
        groups,
        &instance("A", 51, 150, "track_script {\n bad\n }"),
        &instance("B", 52, 100, ""),
        &instance("C", 53, 150, ""),
        &instance("D", 54, 100, ""),
    ]
    .concat();
    both(&file, |s| {
        for (name, priority) in [("A", 150), ("B", 100), ("C", 130), ("D", 80)] {
            s.until_master(name, priority);
        }
        assert_eq!(s.states("G").last().map(String::as_str), Some("MASTER 0"));
    });
}

#[test]
fn an_instance_that_a_reload_removes_is_told_of_and_the_others_are_left_in_peace() {
    let gone =
        |lines: &str| format!("{lines}\n notify_fault \"/etc/note E fault\"\n notify \"/etc/note E any\"");
    let kept = instance("A", 51, 100, &notify("A"));
    let file = [
        GLOBALS,
        &kept,
        &instance("E", 52, 100, &gone("")),
        &instance("F", 53, 100, &gone("notify_deleted")),
    ]
    .concat();
    both(&file, |s| {
        for name in ["A", "E", "F"] {
            s.until(name, "MASTER 100");
        }
        s.host.write("/etc/vrrp.conf", &[GLOBALS, &kept].concat());
        s.daemon.signal(lab::Signal::SIGHUP);
        s.until("E", "FAULT 100");
        s.until("F", "DELETED 100");
        s.wait("the scripts", || s.told().iter().any(|l| l == "E any INSTANCE F DELETED 100"));
        assert!(s.told().contains(&"E any INSTANCE E FAULT 100".to_owned()), "{:?}", s.told());
        assert!(!s.told().contains(&"E fault".to_owned()), "{:?}", s.told());
        assert_eq!(s.states("A"), ["BACKUP 100", "MASTER 100"], "{:?}", s.program);
        assert_eq!(s.host.ok("ip -o -4 address show dev ens192").matches("/32").count(), 1);
    });
}

#[test]
fn scripts_run_as_their_user_and_unsafe_ones_do_not_run() {
    let globals = GLOBALS.replace("vrrp_version", "enable_script_security\n vrrp_version");
    let user =
        instance("A", 51, 100, "notify_master \"/etc/who global\"\n notify \"/etc/who own\" nobody nogroup");
    let open = "vrrp_script open {\n script /etc/open\n interval 1\n timeout 20\n weight 30\n}\n";
    let file = [&globals, open, &user, &instance("B", 52, 100, "track_script {\n open\n }")].concat();
    let play = |program| {
        let s = Scene::start(program, &file, |host| {
            host.write("/run/who", "");
            host.ok("chmod 666 /run/who");
            let text = "echo \"$1\" $(grep -hE '^(Uid|Gid):' /proc/self/status) >> /run/who";
            script(host, "/etc/who", text);
            script(host, "/etc/open", "exit 0");
            host.ok("chmod 777 /etc/open");
        });
        s.until("A", "MASTER 100");
        s.until("B", "MASTER 100");
        s.wait("both scripts", || s.host.read("/run/who").lines().count() >= 3);
        let mut who: Vec<_> = s.host.read("/run/who").lines().map(str::to_owned).collect();
        who.sort();
        who.dedup();
        let all = |id: u32| format!("{id} {id} {id} {id}");
        let line = |who: &str, id: u32| format!("{who} Uid: {0} Gid: {0}", all(id));
        assert_eq!(who, [line("global", 0), line("own", 65534)], "{program:?}");
        pause(SECONDS);
        assert_eq!(
            s.states("B").last().map(String::as_str),
            Some("MASTER 100"),
            "{program:?}: the script is off"
        );
        if program == Program::Vrrpd {
            let log = s.daemon.log();
            assert!(log.contains("vrrp_script open is switched off"), "{log}");
            assert!(log.contains("try: chmod o-w /etc/open"), "{log}");
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| play(Program::Keepalived));
        scope.spawn(|| play(Program::Vrrpd));
    });
}

/// keepalived counts processes only in the machine's first network namespace, so this scene is ours alone.
#[test]
fn processes_that_come_and_go_are_seen_without_a_fork() {
    let process = "vrrp_track_process p {\n process tracked\n weight 40\n quorum 2\n}\n\
                   vrrp_track_process q {\n process tracked\n weight 0\n quorum 1\n terminate_delay 1\n}\n";
    let file = [
        GLOBALS,
        process,
        &instance("A", 51, 100, "track_process {\n p\n }"),
        &instance("B", 52, 100, "track_process {\n q\n }"),
    ]
    .concat();
    let s = Scene::start(Program::Vrrpd, &file, |host| {
        host.ok("cp /bin/sleep /run/tracked");
    });
    s.until("A", "MASTER 100");
    s.until("B", "FAULT 100");
    let first = s.host.spawn("/run/tracked 1000");
    s.until("B", "MASTER 100");
    let second = s.host.spawn("/run/tracked 1000");
    s.until("A", "MASTER_PRIORITY 140");
    let killed = lvs_core::sys::clock::now();
    second.kill();
    s.until("A", "MASTER_PRIORITY 100");
    first.kill();
    s.until("B", "FAULT 100");
    assert!(lvs_core::sys::clock::now() - killed >= SECONDS, "terminate_delay");
    assert_eq!(s.states("A"), ["BACKUP 100", "MASTER 100", "MASTER_PRIORITY 140", "MASTER_PRIORITY 100"]);
}

#[test]
fn the_status_says_who_is_master_since_when_and_why() {
    let chk = "vrrp_script chk {\n script \"/etc/chk\"\n interval 1\n timeout 20\n weight -20\n}\n";
    let file = [GLOBALS, chk, &instance("A", 51, 100, "track_script {\n chk\n }")].concat();
    let s = Scene::start(Program::Vrrpd, &file, |host| script(host, "/etc/chk", "exit 3"));
    s.until_master("A", 80);
    let status = s.host.ok("vrrpd status --json");
    let json: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    let a = &json["instances"][0];
    assert_eq!((a["name"].as_str(), a["state"].as_str()), (Some("A"), Some("MASTER")), "{status}");
    assert_eq!((a["priority"].as_u64(), a["base_priority"].as_u64()), (Some(80), Some(100)), "{status}");
    assert_eq!(a["why"], "80 = 100 - 20 (script chk)", "{status}");
    assert_eq!(a["tracked"][0]["last_result"], "exit status 3", "{status}");
    let transitions = a["transitions"].as_array().map_or(&[][..], Vec::as_slice);
    let moves: Vec<_> = transitions.iter().map(|t| format!("{} {}", t["from"], t["to"])).collect();
    assert_eq!(moves, ["\"INIT\" \"BACKUP\"", "\"BACKUP\" \"MASTER\""], "{status}");
    assert!(
        a["age"].as_f64().is_some_and(|age| age < 60.0) && a["counters"]["sent"].as_u64() > Some(0),
        "{status}"
    );
    let text = s.host.ok("vrrpd status");
    assert!(text.contains("script chk is down: -20 (last run: exit status 3)"), "{text}");
    let metrics = s.host.ok("vrrpd metrics");
    let labels = "instance=\"A\",interface=\"ens192\",vrid=\"51\"";
    for line in
        [format!("vrrpd_state{{{labels},state=\"MASTER\"}} 1"), format!("vrrpd_priority{{{labels}}} 80")]
    {
        assert!(metrics.lines().any(|l| l == line), "{line}\n{metrics}");
    }
    let judged = s.host.sh("vrrpd metrics | $(../../scripts/lab/find-promtool) check metrics");
    assert_eq!((judged.status, judged.stdout.as_str(), judged.stderr.as_str()), (0, "", ""), "{judged}");
}

/// The lines of the reader's own test, asked again: both programs start every script, and each notes what it was given.
#[test]
fn the_words_of_commands_are_the_same() {
    let table = include_str!("../../../lvs-core/src/conf/read/command/words.txt");
    let rows: Vec<(&str, &str)> = table.lines().filter_map(|l| l.rsplit_once(" => ")).collect();
    // A script of a line that is skipped is none.
    let sound: Vec<_> = rows.into_iter().filter(|(_, args)| *args != "-").collect();
    assert!(sound.len() > 40);
    let number = |args: &str| args[1..].split('>').next().unwrap_or_default().to_owned();
    let mut file = GLOBALS.to_owned();
    for (line, args) in &sound {
        let line = line.replace("%s", "/etc/args");
        file += &format!("vrrp_script s{} {{\n script {line}\n interval 60\n weight 1\n}}\n", number(args));
    }
    let names: Vec<String> = sound.iter().map(|(_, args)| format!("s{}\n", number(args))).collect();
    file += &instance("A", 51, 100, &format!("track_script {{\n {} }}", names.concat()));
    let play = |program| {
        let s = Scene::start(program, &file, |host| {
            host.ok("mkdir -m 777 /run/args");
            script(
                host,
                "/etc/args",
                "printf '%s\\0' \"$@\" > \"/run/args/.$1\"; mv \"/run/args/.$1\" \"/run/args/$1\"",
            );
        });
        s.wait("every script", || s.host.ok("ls /run/args").lines().count() >= sound.len());
        for (line, args) in &sound {
            let given = s.host.read(&format!("/run/args/{}", number(args)));
            let given: String =
                given.split_terminator('\0').map(|a| format!("<{}>", a.escape_default())).collect();
            assert_eq!(given, *args, "{program:?}: {line}");
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| play(Program::Keepalived));
        scope.spawn(|| play(Program::Vrrpd));
    });
}

#[test]
fn in_a_group_a_file_counts_without_its_weight() {
    let file = [
        GLOBALS,
        "track_file f {\n file /run/f\n init_file 0 overwrite\n}\nvrrp_sync_group G {\n group {\n A\n B\n }\n}\n",
        &instance("A", 51, 100, "track_file {\n f\n }"),
        &instance("B", 52, 100, ""),
    ]
    .concat();
    both(&file, |s| {
        s.until("G", "MASTER 0");
        s.host.write("/run/f", "9");
        s.until("G", "FAULT 0");
        s.host.write("/run/f", "0");
        s.until("G", "MASTER 0");
        if s.program == Program::Vrrpd {
            let log = s.daemon.log();
            assert!(log.contains("A is in vrrp_sync_group G, where weights do not count: f counts"), "{log}");
        }
    });
}

#[test]
fn of_two_instances_and_groups_of_one_name_the_first_counts() {
    let group = |members: &str| format!("vrrp_sync_group G {{\n group {{\n {members}\n }}\n}}\n");
    let file = [
        GLOBALS.to_owned(),
        group("A\n B"),
        instance("A", 51, 100, ""),
        instance("B", 52, 90, ""),
        instance("C", 53, 80, ""),
        group("C"),
        instance("A", 54, 70, ""),
    ]
    .concat();
    both(&file, |s| {
        for (name, state) in [("A", "MASTER 100"), ("B", "MASTER 90"), ("C", "MASTER 80"), ("G", "MASTER 0")]
        {
            s.until(name, state);
        }
        assert_eq!(s.states("A"), ["BACKUP 100", "MASTER 100"], "{:?}", s.program);
        assert!(!s.host.ok("ip -o address").contains("192.168.15.54"), "{:?}", s.program);
    });
}

#[test]
fn nothing_is_told_before_the_first_result_of_a_script() {
    let chk = "vrrp_script chk {\n script /etc/chk\n interval 1\n timeout 50\n init_fail\n rise 3\n}\n";
    let file = [GLOBALS, chk, &instance("A", 51, 100, "track_script {\n chk\n }")].concat();
    let play = |program| {
        let s = Scene::start(program, &file, |host| {
            script(host, "/etc/chk", "touch /run/begun; while [ ! -e /run/go ]; do sleep 0.1; done");
        });
        s.wait("the script", || s.host.sh("cat /run/begun").status == 0);
        pause(SECONDS);
        assert_eq!(s.states("A"), [""; 0], "{program:?}");
        s.host.write("/run/go", "");
        s.until("A", "MASTER 100");
        assert_eq!(s.states("A"), ["BACKUP 100", "MASTER 100"], "{program:?}");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| play(Program::Keepalived));
        scope.spawn(|| play(Program::Vrrpd));
    });
}

#[test]
fn an_instance_with_another_vrid_is_another_one_and_its_address_goes_and_comes_once() {
    let one = instance("A", 51, 100, "");
    both(&[GLOBALS, &one].concat(), |s| {
        s.until("A", "MASTER 100");
        let monitor = s.host.spawn("ip -o monitor address dev ens192");
        pause(SECONDS / 2);
        s.host.write("/etc/vrrp.conf", &[GLOBALS, &one.replace("router_id 51", "router_id 52")].concat());
        s.daemon.signal(lab::Signal::SIGHUP);
        let states = ["BACKUP 100", "MASTER 100", "FAULT 100", "BACKUP 100", "MASTER 100"];
        s.wait("the new one", || s.states("A").len() >= states.len());
        assert_eq!(s.states("A"), states, "{:?}", s.program);
        let vip = |deleted: bool| {
            let lines = monitor.lines();
            let own = lines.iter().filter(|l| l.text.contains("192.168.15.51/32"));
            own.filter(|l| l.text.contains("Deleted") == deleted).count()
        };
        s.wait("the address", || vip(false) > 0);
        if s.program == Program::Vrrpd {
            let log = s.daemon.log();
            assert_eq!((vip(true), vip(false)), (1, 1), "{log}");
            assert!(log.contains("A ends: its name is that of VRID 52 on ens192 now"), "{log}");
            assert!(!log.contains("earlier run") && !log.contains("someone else"), "{log}");
            assert!(log.contains("configuration reloaded: 1 instance"), "{log}");
        }
    });
}
