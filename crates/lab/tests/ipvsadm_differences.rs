//! What ipvsctl under its own name does otherwise than ipvsadm, and the verbs list, apply, diff and export on a real
//! table.

mod ipvsadm {
    pub(crate) mod random;
    pub(crate) mod watch;
}

use std::time::Duration;

use ipvsadm::random::Random;
use ipvsadm::watch::{Ends, Watch, missing};
use lab::{Host, Lab, SECONDS, wait};
use lvs_core::ipvs::{Ipvs, fake::Fake};
use lvs_core::plan::{Op, Scope, diff, step};
use lvs_core::sys::clock;
use lvs_core::sys::ipvs::Client;
use lvs_core::table::Table;

fn host() -> Host {
    Lab::new().host("h", &["10.0.0.1/24", "fd00::1/64"])
}

#[test]
fn restore_goes_on_and_names_every_failed_line() {
    let host = host();
    let input = "# the cluster\n-A -t 10.0.0.9:80 -s rr\n  # more\n-A -t bad\n-A -t 10.0.0.9:81 -s bogus\n\
                 -Q\nnonsense\n-A -t 10.0.0.9:82 -t 10.0.0.9:83\n-a -t 10.0.0.9:80 -r 10.0.0.7 -w 3\n";
    let answer = host.input("ipvsctl -R", input);
    assert_eq!(answer.status, 1, "{answer}");
    let named: Vec<&str> = answer.stderr.lines().map(|l| l.split(": ").nth(1).unwrap_or_default()).collect();
    assert_eq!(named, ["line 4", "line 5", "line 6", "line 7", "line 8"], "{answer}");
    assert!(answer.stderr.contains("modprobe ip_vs_bogus"), "{answer}");
    assert_eq!(host.ok("ipvsadm -Sn"), "-A -t 10.0.0.9:80 -s rr\n-a -t 10.0.0.9:80 -r 10.0.0.7:80 -g -w 3\n");
    assert_eq!(host.input("ipvsctl -R", "# nothing\n\n-A -f 3\n").status, 0);
}

#[test]
fn what_is_saved_comes_back_whole() {
    let host = host();
    let rules = "-A -t 10.0.0.9:80 -s sh -b sh-port,flag-3\n-a -t 10.0.0.9:80 -r 10.0.0.7:80 -g -w 1 -x 20 -y 10\n\
                 -A -f 4294967295 -s rr\n";
    assert_eq!(host.input("ipvsctl -R", rules).status, 0);
    let saved = host.ok("ipvsctl -Sn");
    let mut lines: Vec<&str> = saved.lines().collect();
    lines.sort_unstable();
    let mut expected: Vec<&str> = rules.lines().collect();
    expected[0] = "-A -t 10.0.0.9:80 -s sh -b sh-port,flag-3";
    expected.sort_unstable();
    assert_eq!(lines, expected);
    assert!(host.ok("ipvsctl -Ln").contains("FWM  4294967295 rr\n"));
    let table = host.ok("ipvsctl list --json");
    host.ok("ipvsctl -C");
    assert_eq!(host.input("ipvsctl -R", &saved).status, 0);
    assert_eq!(host.ok("ipvsctl list --json"), table);
}

#[test]
fn help_and_version_need_no_rights() {
    let host = host();
    for option in ["-h", "--help", "-v", "--version"] {
        let answer =
            host.run(&format!("setpriv --reuid 65534 --clear-groups --inh-caps=-all ipvsctl {option}"));
        assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{answer}");
        assert!(answer.stdout.contains("ipvsctl"), "{answer}");
    }
    let answer = host.run("setpriv --reuid 65534 --clear-groups --inh-caps=-all ipvsctl -Ln");
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("CAP_NET_ADMIN"), "{answer}");
}

/// A name server that never answers: ipvsadm would wait ten seconds for each of these addresses.
#[test]
fn dead_dns_costs_a_second_for_all_names_together() {
    let host = host();
    host.write("/etc/resolv.conf", "nameserver 10.0.0.77\n");
    host.write("/etc/hosts", "127.0.0.1 localhost\n10.0.0.12 twelve.example\n");
    // Nobody answers, and nobody says so: the neighbour is known, the packets get lost.
    host.ok("ip neigh add 10.0.0.77 lladdr 02:00:00:00:00:77 dev ens192");
    host.ok("ipvsctl -A -t 10.0.0.9:80 -s rr");
    for n in 10..15 {
        host.ok(&format!("ipvsctl -a -t 10.0.0.9:80 -r 10.0.0.{n}"));
    }
    let said = "ipvsctl: 5 names were not answered within 1 s and are shown as numbers; -n asks for none\n";
    for (command, twelve) in
        [("ipvsctl -L", "-> twelve.example:http"), ("ipvsctl -S", "-r twelve.example:http")]
    {
        // A guest that is busy may get no further than the dead ones in a second.
        wait(60 * SECONDS, command, || {
            let start = clock::now();
            let answer = host.run(command);
            let took = clock::now().since(start);
            assert!(answer.status == 0 && answer.stderr.contains("not answered within 1 s"), "{answer}");
            assert!(took > Duration::from_millis(900) && took < 5 * SECONDS, "{took:?}");
            let shown = ["10.0.0.9:http", twelve, "10.0.0.14:http"].iter().all(|s| answer.stdout.contains(s));
            shown && answer.stderr == said
        });
    }
}

#[test]
fn errors_say_the_real_reason() {
    let host = host();
    host.ok("ipvsctl -A -t 10.0.0.9:80 -s rr");
    let cases = [
        ("-a -t 10.0.0.9:80 -r 224.0.0.1", "not a unicast address"),
        ("-A -t 10.0.0.9:81 -s bogus", "scheduler 'bogus' is unknown or its module cannot be loaded"),
        (
            "-A -u 10.0.0.9:53 -s rr -p --pe nosuch",
            "9:53 -s rr -p 360 --pe nosuch: persistence engine 'nosuch' is unknown",
        ),
        ("-A -t 10.0.0.9:htpp", "has the port 'htpp'"),
        ("-A -t 10.0.0.9:80", "exists already"),
        ("-D -t 10.0.0.8:80", "no such service"),
        ("-d -t 10.0.0.9:80 -r 10.0.0.7", "no such real server"),
        ("-a -t 10.0.0.9:80 -r 10.0.0.7 -y 5", "lower threshold 5 is above upper threshold 0"),
        ("--start-daemon master --mcast-interface nope", "no interface 'nope'"),
        ("-L -t 10.0.0.8:80", "no such service"),
        ("-a -t 10.0.0.9:80", "which real server?"),
    ];
    for program in ["ipvsctl", "ipvsadm"] {
        let path = if program == "ipvsadm" { link(&host) } else { program.to_owned() };
        for (line, reason) in cases {
            let answer = host.run(&format!("{path} {line}"));
            assert_ne!(answer.status, 0, "{answer}");
            assert!(
                answer.stderr.starts_with(&format!("{program}: ")) && answer.stderr.contains(reason),
                "{answer}"
            );
        }
    }
    let answer = host.input("ipvsctl -R", "-A -t 10.0.0.9:99 -s \x1b[1m\x07\n-A -t \x1b[31m\n");
    assert_eq!((answer.status, answer.stderr.lines().count()), (1, 2), "{answer}");
    assert!(
        answer.stderr.contains("'\\u{1b}[1m\\u{7}'") && !answer.stderr.contains(['\x1b', '\x07']),
        "{answer}"
    );
    for full in ["-h", "--version", "apply --help"] {
        let answer = host.run(&["bash", "-c", &format!("ipvsctl {full} >/dev/full")]);
        let said = "ipvsctl: standard output: No space left on device (os error 28)\n";
        assert_eq!((answer.status, answer.stderr.as_str()), (1, said), "{answer}");
    }
    // Sync messages cannot name a server of the other family.
    host.ok("ipvsctl --start-daemon master --mcast-interface lo");
    let answer = host.run("ipvsctl -a -t 10.0.0.9:80 -r fd00::7 -i");
    assert!(answer.status == 255 && answer.stderr.contains("no sync daemon may run"), "{answer}");
    host.ok("ipvsctl --stop-daemon master");
    host.ok("ipvsctl -a -t 10.0.0.9:80 -r fd00::7 -i");
    let answer = host.run("ipvsctl --start-daemon backup --mcast-interface lo");
    assert!(answer.status == 255 && answer.stderr.contains("another address family"), "{answer}");
    let bare = Lab::new().bare_host("b");
    bare.ok("ip link set lo down");
    bare.ok("ipvsctl -A -t 10.0.0.9:80");
    let answer = bare.run("ipvsctl -a -t 10.0.0.9:80 -r 10.0.0.7");
    assert!(answer.stderr.contains("is lo up?"), "{answer}");
}

/// A link as an installation makes it, in the host's own /run.
fn link(host: &Host) -> String {
    host.ok(&["ln", "-sf", &lab::bin("ipvsctl").display().to_string(), "/run/ipvsadm"]);
    "/run/ipvsadm".to_owned()
}

const FILE: &str = "virtual_server 10.0.0.9 80 {\n  lb_algo rr\n  lb_kind DR\n  persistence_timeout 60\n  protocol TCP\n  \
                    real_server 10.0.0.7 80 {\n    weight 2\n  }\n  real_server 10.0.0.8 80 {\n    weight 1\n  }\n}\n";

#[test]
fn apply_does_the_least_and_proves_it() {
    let host = host();
    host.write("/run/k.conf", FILE);
    host.ok("ipvsctl -A -f 9 -s rr");
    let wanted = "-A -t 10.0.0.9:80 -s rr -p 60\n-a -t 10.0.0.9:80 -r 10.0.0.7:80 -g -w 2\n\
                  -a -t 10.0.0.9:80 -r 10.0.0.8:80 -g -w 1\n";
    assert_eq!(host.ok("ipvsctl apply --dry-run /run/k.conf"), wanted);
    let differs = host.run("ipvsctl diff /run/k.conf");
    assert_eq!((differs.status, differs.stdout.as_str()), (1, wanted), "{differs}");
    assert_eq!(host.ok("ipvsctl apply /run/k.conf"), wanted);
    assert_eq!(host.ok("ipvsctl apply /run/k.conf"), "nothing to do\n");
    assert_eq!(host.run("ipvsctl diff /run/k.conf").status, 0);
    assert!(host.ok("ipvsadm -Ln").contains("FWM  9 rr"), "strangers stay");
    assert_eq!(host.ok("ipvsctl apply --prune /run/k.conf"), "-D -f 9\n");

    let json = host.ok("ipvsctl list --json");
    let rules = host.ok("ipvsctl -Sn");
    host.ok("ipvsctl -C");
    assert_eq!(host.input("ipvsctl apply -", &json).status, 0);
    assert_eq!(host.input("ipvsctl diff --prune -", &rules).status, 0);
    let patch = host
        .input("ipvsctl diff --prune -", "-A -t 10.0.0.9:80 -s rr -p 60\n-a -t 10.0.0.9:80 -r 10.0.0.6\n")
        .stdout;
    assert_eq!(host.input("ipvsctl -R", &patch).status, 0);
    assert_eq!(
        host.ok("ipvsctl -Sn"),
        "-A -t 10.0.0.9:80 -s rr -p 60\n-a -t 10.0.0.9:80 -r 10.0.0.6:80 -g -w 1\n"
    );
}

#[test]
fn a_wrong_file_changes_nothing_and_says_all_that_is_wrong() {
    let host = host();
    let answer = host.input("ipvsctl apply --prune -", "-A -t 10.0.0.9:80\n-A -t bad\n-A -t 10.0.0.9:80\n");
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("input:2: ") && answer.stderr.contains("input:3: "), "{answer}");
    let answer = host.input("ipvsctl diff -", "virtual_server nonsense 80 {\n}\n");
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("input:1:16: error"), "{answer}");
    assert_eq!(host.run("ipvsctl diff /run/nothing-here").status, 2);
    assert_eq!(host.ok("ipvsctl -Sn"), "");
}

#[test]
fn a_failed_apply_says_what_was_done_and_rolls_back() {
    let host = host();
    host.ok("ipvsctl -A -t 10.0.0.9:80 -s rr");
    let before = host.ok("ipvsctl -Sn");
    let file = "-A -t 10.0.0.9:80 -s wlc\n-A -t 10.0.0.9:81 -s bogus\n";
    let answer = host.input("ipvsctl apply --rollback -", file);
    assert_eq!(answer.status, 1, "{answer}");
    for part in ["done      -E -t 10.0.0.9:80 -s wlc", "FAILED    -A -t 10.0.0.9:81 -s bogus", "rolled back"]
    {
        assert!(answer.stderr.contains(part), "{answer}");
    }
    assert_eq!(host.ok("ipvsctl -Sn"), before);
}

/// One door for all: the same findings, in the same words, whoever is asked.
#[test]
fn every_tool_says_the_same_of_a_file() {
    let host = host();
    host.write("/run/k.conf", "global_defs {\n  nonsense\n}\nvrrp_instance V {\n  interface nope0\n  virtual_router_id 5\n  \
        virtual_ipaddress {\n    10.0.0.9\n  }\n}\nvirtual_server 10.0.0.9 80 {\n  lb_algo rr\n  real_server 10.0.0.x 80 {\n  }\n}\n");
    for (file, codes) in [
        ("/run/k.conf", &["unknown-keyword", "no-interface", "bad-address"][..]),
        ("/run/nothing-here", &["unreadable"]),
    ] {
        let said = ["ipvsctl check", "vrrpd check --config", "tcpcheck check --config"].map(|check| {
            let answer = host.run(&format!("{check} {file} --format json"));
            assert_eq!((answer.status, answer.stderr.as_str()), (2, ""), "{answer}");
            answer.stdout
        });
        assert!(codes.iter().all(|c| said[0].contains(&format!("\"code\":\"{c}\""))), "{}", said[0]);
        assert_eq!((&said[1], &said[2]), (&said[0], &said[0]));
    }
    // Warnings keep nobody from a start, unless that is wanted.
    host.write("/run/seed.conf", include_str!("../../../examples/seed-keepalived.conf"));
    for check in ["ipvsctl check", "vrrpd check --config", "tcpcheck check --config"] {
        let answer = host.run(&format!("{check} /run/seed.conf"));
        assert!(answer.status == 0 && answer.stdout.contains("long-password"), "{answer}");
        assert_eq!(host.run(&format!("{check} /run/seed.conf --strict")).status, 1);
    }
    // rs-prep's report is about the host; what it says of the file stands on standard error, and nothing of a director.
    let text = host.run("ipvsctl check --no-host /run/k.conf").stdout;
    let answer = host.run("rs-prep check --config /run/k.conf");
    assert!(answer.status == 2 && answer.stderr.starts_with(&text), "{answer}");
}

/// All that both a table and keepalived.conf can say.
const VARIED: &str = "\
    -A -t 10.0.0.9:80 -s wrr -p 600 -M 255.255.255.0\n\
    -a -t 10.0.0.9:80 -r 10.0.0.7:80 -g -w 3 -x 200 -y 150\n\
    -a -t 10.0.0.9:80 -r 10.0.0.8:80 -i -w 0 --tun-type ipip\n\
    -a -t 10.0.0.9:80 -r 10.0.0.8:8080 -m -w 65535\n\
    -A -t 10.0.0.9:0 -s rr -p 60\n\
    -a -t 10.0.0.9:0 -r 10.0.0.7:0 -g -w 1 -x 9\n\
    -A -u 10.0.0.9:53 -s sh -o -b sh-fallback,sh-port\n\
    -a -u 10.0.0.9:53 -r 10.0.0.7:5353 -m -w 1\n\
    -A -u 10.0.0.9:5060 -s sed -p 60 --pe sip\n\
    -A --sctp-service 10.0.0.9:9 -s lc\n\
    -a --sctp-service 10.0.0.9:9 -r 10.0.0.7:9 -g -w 1\n\
    -A -t [fd00::9]:443 -s mh -p 300 -M 64 -b mh-fallback,mh-port\n\
    -a -t [fd00::9]:443 -r [fd00::7]:443 -g -w 2\n\
    -a -t [fd00::9]:443 -r [fd00::8]:443 -i -w 2 --tun-type gre --tun-csum\n\
    -A -f 7 -s wlc -p 360\n\
    -a -f 7 -r 10.0.0.7:0 -i -w 2 --tun-type gue --tun-port 6080 --tun-remcsum\n\
    -A -f 7 -6 -s nq -b flag-1,flag-3\n\
    -a -f 7 -6 -r [fd00::7]:0 -g -w 4 -x 8 -y 2\n";
const FORMATS: [&str; 3] = ["keepalived", "rules", "json"];

#[test]
fn an_exported_table_is_the_table_in_every_format() {
    let host = host();
    let answer = host.input("ipvsctl -R", VARIED);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{answer}");
    let saved = || sorted(&host.ok("ipvsctl -Sn"));
    assert_eq!(saved(), sorted(VARIED), "the kernel took everything");
    let texts = FORMATS.map(|f| host.ok(&format!("ipvsctl export --format {f}")));
    for (at, (format, text)) in FORMATS.iter().zip(&texts).enumerate() {
        let same = host.input("ipvsctl diff --prune -", text);
        assert_eq!((same.status, same.stdout.as_str()), (0, ""), "{same}\n{text}");
        let next = (at + 1) % FORMATS.len();
        let turned = host.input(&format!("ipvsctl export -f {} -", FORMATS[next]), text);
        assert_eq!((turned.status, &turned.stdout), (0, &texts[next]), "{format}: {turned}");
        host.ok("ipvsctl -C");
        let load = if *format == "rules" { "ipvsctl -R" } else { "ipvsctl apply -" };
        assert_eq!(host.input(load, text).status, 0, "{format}");
        assert_eq!(saved(), sorted(VARIED), "{format} into an empty table");
    }
    host.ok("ipvsctl -C");
    assert_eq!(host.input("ipvsadm -R", &texts[1]).status, 0, "ipvsadm takes the rules too");
    assert_eq!(saved(), sorted(VARIED));
}

fn sorted(rules: &str) -> Vec<String> {
    let mut lines: Vec<String> = rules.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn an_exported_file_is_spelled_out_and_then_stays_the_same() {
    let host = host();
    host.write("/run/servers.conf", "virtual_server group web {\n  lb_algo rr\n  lb_kind DR\n  protocol TCP\n  \
        real_server 10.0.0.7 80 {\n    HTTP_GET {\n      url {\n        path /\n        status_code 200\n      }\n    }\n  }\n}\n");
    host.write("/run/k.conf", &("$VIP=10.0.0.20\nglobal_defs {\n  router_id here\n  script_user root\n}\n\
        vrrp_script up {\n  script \"/bin/true 1\"\n  interval 2\n}\n\
        vrrp_instance V1 {\n  state MASTER\n  interface ens192\n  virtual_router_id 51\n  priority 150\n  advert_int 0.5\n  \
        virtual_ipaddress {\n    ${VIP}/24\n  }\n  track_script {\n    up weight 5\n  }\n}\n\
        virtual_server_group web {\n  ${VIP}-22 80\n  fwmark 9\n}\ninclude servers.conf\n".to_owned() + FILE));
    let once = host.ok("ipvsctl export -f keepalived /run/k.conf");
    for word in ["vrrp_instance V1", "vrrp_script up", "10.0.0.20", "HTTP_GET", "virtual_server 10.0.0.9 80"]
    {
        assert!(once.contains(word), "{word}: {once}");
    }
    assert!(!once.contains("include") && !once.contains('$'), "{once}");
    host.write("/run/once.conf", &once);
    assert_eq!(host.ok("ipvsctl export -f keepalived /run/once.conf"), once);
    for format in FORMATS {
        let text = host.ok(&format!("ipvsctl export -f {format} /run/k.conf"));
        assert_eq!(host.ok(&format!("ipvsctl export -f {format} /run/once.conf")), text);
        host.ok("ipvsctl -C");
        let load = if format == "rules" { "ipvsctl -R" } else { "ipvsctl apply -" };
        assert_eq!(host.input(load, &text).status, 0, "{format}: {text}");
        let same = host.run("ipvsctl diff --prune /run/k.conf");
        assert_eq!((same.status, same.stdout.as_str()), (0, ""), "{format}: {same}");
    }
    assert_eq!(host.ok("ipvsadm -Sn").lines().count(), 11, "five services with six servers");
    let broken = host.input("ipvsctl export -f keepalived -", "virtual_server nonsense 80 {\n}\n");
    assert_eq!((broken.status, broken.stdout.as_str()), (2, ""), "{broken}");
}

/// From any table to any other: the difference, carried out by the kernel, gives it; no server that both have is ever
/// missing on the way; and what ipvsctl saves, it restores.
#[test]
fn random_tables_become_one_another() {
    let host = host();
    let mut random = Random::new(20_261_122);
    let mut now = Table::default();
    for round in 0..25 {
        let want = random.table();
        let ops = diff(&now, &want, &Scope::Everything);
        never_missing(&now, &want, &ops);
        let rules = rules(&want);
        let answer = host.input("ipvsctl apply --prune --allow-empty -", &rules);
        assert_eq!(answer.status, 0, "round {round}: {answer}\n{rules}");
        let saved = host.ok("ipvsctl -Sn");
        let read = host.input("ipvsctl diff --prune --allow-empty -", &saved);
        assert_eq!((read.status, read.stdout.as_str()), (0, ""), "round {round}: {read}");
        let answer = host.input("ipvsctl diff --prune --allow-empty -", &rules);
        assert_eq!((answer.status, answer.stdout.as_str()), (0, ""), "round {round}: {answer}");
        now = want;
    }
}

/// The same on the kernel's own table: after each operation alone, and in a thread that looks without a pause while
/// `ipvsctl apply` writes.
#[test]
fn no_server_is_missing_while_a_table_becomes_another() {
    let host = host();
    let watch = Watch::default();
    let mut random = Random::new(31);
    let tables: Vec<Table> = (0..8).map(|_| random.large()).collect();
    host.on_net(|| {
        let [mut hands, mut eyes] = [(); 2].map(|()| Client::open().expect("IPVS"));
        std::thread::scope(|s| {
            let _ends = Ends(&watch);
            s.spawn(|| watch.run(&mut eyes));
            watch.expect(&tables[0], &tables[0], || {
                assert_eq!(host.input("ipvsctl apply -", &rules(&tables[0])).status, 0);
            });
            assert!(!watch.missed().is_empty(), "the watch is blind: the table was empty");
            for pair in tables.windows(2) {
                watch.expect(&pair[0], &pair[1], || {
                    let answer = host.input("ipvsctl apply --prune --allow-empty -", &rules(&pair[1]));
                    assert_eq!(answer.status, 0, "{answer}");
                });
                assert_eq!(watch.missed(), Vec::<String>::new());
            }
            let (now, want) = (&tables[7], &tables[0]);
            for op in diff(now, want, &Scope::Everything) {
                assert_eq!(hands.apply(std::slice::from_ref(&op)), [Ok(())], "{op}");
                assert_eq!(missing(&mut hands, now, want), Vec::<String>::new(), "after {op}");
            }
            assert_eq!(hands.read().map(|t| diff(&t, want, &Scope::Everything)), Ok(Vec::<Op>::new()));
        });
    });
}

fn rules(table: &Table) -> String {
    diff(&Table::default(), table, &Scope::Everything).iter().map(|op| format!("{op}\n")).collect()
}

fn never_missing(now: &Table, want: &Table, ops: &[Op]) {
    let mut at = now.clone();
    for op in ops {
        assert!(step(&mut at, op), "{op} does not fit");
        for (key, entry) in &want.services {
            let Some(old) = now.services.get(key) else { continue };
            for server in entry.servers.keys().filter(|s| old.servers.contains_key(s)) {
                assert!(at.services[key].servers.contains_key(server), "{op}: {server} is missing");
            }
        }
    }
    assert_eq!(Fake::new(at).read().map(|t| diff(&t, want, &Scope::Everything)), Ok(Vec::new()));
}
