//! ipvsctl under ipvsadm's name against ipvsadm: the same command lines from the same table, each program in network
//! namespaces of its own in one boot. Standard output byte for byte, exit status, whether standard error is empty, and
//! the kernel's table as netlink tells it must be equal.

mod ipvsadm {
    pub(crate) mod face;
    pub(crate) mod run;
    pub(crate) mod script;
}

use std::net::UdpSocket;

use ipvsadm::face::Ours;
use ipvsadm::run::{Kernel, Side, compare};
use ipvsadm::script::{Case, Line, cases, groups};
use lab::{Host, Lab, SECONDS, wait};
use lvs_core::sys::ipvs::Client;

const CASES: &str = include_str!("ipvsadm/cases.txt");

#[test]
fn every_command_line_does_what_ipvsadms_does() {
    let all = cases(CASES);
    assert!(all.len() >= 300, "only {} cases", all.len());
    let ours = Ours::new();
    let programs = [Side::original(), ours.side()];
    let different: Vec<String> = groups(&all).flat_map(|group| differences(group, &programs)).collect();
    assert!(different.is_empty(), "{} of {} differ:\n{}", different.len(), all.len(), different.join("\n"));
}

/// What the two programs did not do alike, in cases that begin with the same table. A group has namespaces of its own,
/// and each case a table of its own: namespaces cost as much as the commands in them.
fn differences(group: &[Case], programs: &[Side; 2]) -> Vec<String> {
    let look = |side: &Side, kernel: &mut Kernel, case: &Case| {
        let answers: Vec<_> = case.commands.iter().map(|c| side.run(c)).collect();
        (answers, kernel.dump())
    };
    let alone = |side: &Side| {
        Kernel::fresh(|kernel| {
            let one = |case: &Case| {
                kernel.set_up(&case.setup);
                look(side, kernel, case)
            };
            group.iter().map(one).collect::<Vec<_>>()
        })
    };
    let [original, ours] = if group[0].shared {
        Kernel::fresh(|kernel| {
            kernel.set_up(&group[0].setup);
            programs.each_ref().map(|side| group.iter().map(|case| look(side, kernel, case)).collect())
        })
    } else {
        programs.each_ref().map(alone)
    };
    let each = group.iter().zip(original.iter().zip(&ours));
    each.filter_map(|(case, (original, ours))| compare(case, original, ours)).collect()
}

/// Lines of -R that no file of cases could hold.
#[test]
fn nul_bytes_and_long_words_are_read_alike() {
    let long = |byte: &str, n| byte.repeat(n);
    let lines = [
        "-A -t 1.1.1.1:80 -s rr\0 -p 30".to_owned(),
        "-A -t 1.1.1.1:80\0".to_owned(),
        "-A -t 1.1.1.1:80 -s\0rr".to_owned(),
        "-A -t 1.1.1.1:80 -s r\0r".to_owned(),
        "-A -t 1.1.1.1:80 -s rr \0 -p 30".to_owned(),
        "-A\0junk -t 1.1.1.1:80 -s \0".to_owned(),
        "ipvsadm\0x -A -t 1.1.1.1:80".to_owned(),
        "\0-A -t 1.1.1.1:80".to_owned(),
        "\0".to_owned(),
        format!("-A -t 1.1.1.1:80 -s {}", long("r", 4096)),
        format!("-A -t 1.1.1.1:80 -s {}", long("r", 4097)),
        format!("-A -t 1.1.1.1:80 -s {}", long("r", 70_000)),
        format!("-A -t 1.1.1.1:80 -s rr{}-p 30", long("\0", 4094)),
        format!("-A -t 1.1.1.1:80 -s rr{}-p 30", long("\0", 4095)),
        format!("-A -t 1.1.1.1:80{}-s rr", long(" ", 9000)),
    ];
    let case = |line: &String, command: &str| {
        let title = format!("{command} | {}", line.chars().take(60).collect::<String>().escape_default());
        let mut command = Line::read(command);
        command.input = format!("{line}\n-A -t 1.1.1.1:81\n");
        Case { title, setup: Vec::new(), shared: false, commands: vec![command] }
    };
    let restored = lines.iter().map(|line| case(line, "-R"));
    let scripted = lines.iter().take(9).map(|line| case(line, "ipvsadm-restore"));
    let all: Vec<Case> = restored.chain(scripted).collect();
    let ours = Ours::new();
    let different = differences(&all, &[Side::original(), ours.side()]);
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Connections in every state that a short test can make.
#[test]
fn connections_are_listed_alike() {
    let ours = Ours::new();
    let lab = Lab::new();
    let client = lab.host("client", &["10.0.0.50/24", "fd00::50/64"]);
    let director = lab.host("director", &["10.0.0.1/24", "10.0.0.111/32", "fd00::1/64", "fd00::111/128"]);
    let server = lab.host("server", &["10.0.0.2/24", "fd00::2/64"]);
    server.ok("ip route add default via 10.0.0.1");
    server.ok("ip -6 route add default via fd00::1");
    server.ok("ip route add 10.0.0.50/32 via 10.0.0.1");
    server.ok("ip -6 route add fd00::50/128 via fd00::1");
    director.ok(
        "sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.send_redirects=0",
    );
    let _web = server.spawn("lab server s 80");
    for line in [
        "-A -t 10.0.0.111:80 -s rr -p 600",
        "-a -t 10.0.0.111:80 -r 10.0.0.2 -m",
        "-A -t [fd00::111]:80 -s rr",
        "-a -t [fd00::111]:80 -r [fd00::2]:80 -m",
        "-A -u 10.0.0.111:5060 -s rr -p 300 --pe sip",
        "-a -u 10.0.0.111:5060 -r 10.0.0.2 -m",
    ] {
        director.ok(&format!("ipvsadm {line}"));
    }
    wait(10 * SECONDS, "an IPv4 answer", || client.run("lab get 10.0.0.111:80").status == 0);
    wait(10 * SECONDS, "an IPv6 answer", || client.run("lab get [fd00::111]:80").status == 0);
    let invite = "INVITE sip:a@b SIP/2.0\\r\\nCall-ID: call-1@host\\r\\n\\r\\n";
    // Through cat, so that it goes in one packet.
    client.ok(&["bash", "-c", &format!("printf '{invite}' | cat > /dev/udp/10.0.0.111/5060")]);
    let listed = director.ok("ipvsadm -Lnc --persistent-conn");
    assert!(listed.lines().count() >= 6 && listed.contains("sip"), "{listed}");
    for options in [
        "-Lnc",
        "-Lc",
        "-Lnc --persistent-conn",
        "-Ln",
        "-Ln --stats",
        "-Ln --persistent-conn",
        "-Ln --stats --exact",
    ] {
        lists_alike(&director, &ours, options);
    }
}

/// A connection may end and a packet be counted between two looks: where the original sees the same before and after, so must
/// we.
fn lists_alike(host: &Host, ours: &Ours, options: &str) {
    let look = |program: &str| without_times(&host.ok(&format!("{program} {options}")));
    wait(60 * SECONDS, options, || {
        let (before, mine, after) = (look("ipvsadm"), look(ours.program()), look("ipvsadm"));
        assert!(before != after || before == mine, "ipvsadm {options}:\n{before}\nours:\n{mine}");
        before == after
    });
}

/// Timeouts count down between two looks: their digits stand for any.
fn without_times(text: &str) -> String {
    let time =
        |w: &str| w.len() >= 5 && w.contains(':') && w.bytes().all(|b| b.is_ascii_digit() || b == b':');
    let line =
        |line: &str| line.split(' ').map(|w| if time(w) { "MM:SS" } else { w }).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// More than 2^32 bytes: what the kernel tells in 32 bits too has wrapped, and the columns have units.
#[test]
fn counters_beyond_32_bits_are_listed_alike() {
    let ours = Ours::new();
    let host = Lab::new().host("h", &["10.0.0.1/24"]);
    host.ok("ipvsadm -A -u 10.0.0.1:9 -s rr");
    host.ok("ipvsadm -a -u 10.0.0.1:9 -r 127.0.0.1:9");
    host.on_net(|| {
        // Nobody reads: what does not fit is counted and dropped. A busy guest may drop some before it counts them.
        let _discard = UdpSocket::bind("10.0.0.1:9").expect("port 9");
        let from = UdpSocket::bind("10.0.0.1:0").expect("a port");
        let mut kernel = Client::open().expect("IPVS");
        let mut counted = || {
            let mut bytes = 0;
            kernel.services(|s| bytes = s.stats.bytes_in).expect("services");
            bytes
        };
        wait(100 * SECONDS, "2^32 bytes", || {
            for _ in 0..5000 {
                from.send_to(&[7; 65_507], "10.0.0.1:9").expect("a datagram");
            }
            counted() > 1 << 32
        });
    });
    for options in ["-Ln --stats", "-Ln --stats --exact", "-Ln --stats -u 10.0.0.1:9"] {
        lists_alike(&host, &ours, options);
    }
}

/// Names that are longer than ipvsadm's fields.
#[test]
fn names_are_cut_where_ipvsadm_cuts_them() {
    let ours = Ours::new();
    let lab = Lab::new();
    let host = lab.host("h", &["10.0.0.1/24", "fd00::1/64"]);
    let long = "a-very-long-name-of-a-virtual-service-in-a-domain.example.net";
    host.write(
        "/etc/hosts",
        &format!(
            "127.0.0.1 localhost\n::1 localhost6\n10.0.0.1 director\n10.0.0.7 {long}\n10.0.0.8 middling-name.example.net\n\
             10.0.0.9 a-name-of-some-length.example\nfd00::7 six-{long}\nfd00::8 six\n"
        ),
    );
    for line in [
        "-A -t 10.0.0.7:80",
        "-A -t 10.0.0.8:443",
        "-A -u 10.0.0.9:domain",
        "-A -f 7",
        "-A -t [fd00::7]:80",
        "-A -t [fd00::8]:8080",
        "-a -t 10.0.0.8:443 -r middling-name.example.net",
        "-a -t 10.0.0.8:443 -r 10.0.0.7",
        "-a -t 10.0.0.8:443 -r 10.0.0.9:81 -m",
        "-a -f 7 -r 10.0.0.8:80",
        "-a -t [fd00::8]:8080 -r fd00::7",
        "-a -t [fd00::8]:8080 -r fd00::8",
        "-A --sctp-service director:80",
    ] {
        host.ok(&format!("ipvsadm {line}"));
    }
    for options in [
        "-L",
        "-S",
        "-L --stats",
        "-L --rate",
        "-L --tun-info",
        "-L --thresholds",
        "",
        "-L -t 10.0.0.8:https",
    ] {
        let original = host.run(&format!("ipvsadm {options}"));
        let mine = host.run(&format!("{} {options}", ours.program()));
        assert_eq!((original.stdout, original.status), (mine.stdout, mine.status), "ipvsadm {options}");
    }
}

/// Many names cost few processes, and none is left out.
#[test]
fn names_of_hundreds_of_servers_are_asked_for_together() {
    let ours = Ours::new();
    let host = Lab::new().host("h", &["10.0.0.1/24"]);
    let numbers = 1..=250;
    let hosts: String = numbers.clone().map(|n| format!("10.9.0.{n} server-{n}.example\n")).collect();
    host.write("/etc/hosts", &format!("127.0.0.1 localhost\n10.0.0.1 director\n{hosts}"));
    let servers: String = numbers.map(|n| format!("-a -t 10.0.0.1:80 -r 10.9.0.{n} -m\n")).collect();
    assert_eq!(host.input("ipvsadm -R", &format!("-A -t 10.0.0.1:80\n{servers}")).status, 0);
    host.ok("mkdir /run/counted");
    host.write("/run/counted/getent", "#!/bin/sh\necho >>/run/asked\nexec /usr/bin/getent \"$@\"\n");
    host.ok("chmod +x /run/counted/getent");
    let original = host.ok("ipvsadm -L");
    assert!(original.contains("server-250.example:"), "{original}");
    for program in [ours.program(), "ipvsctl"] {
        host.ok("rm -f /run/asked");
        let answer = host.run(&["bash", "-c", &format!("PATH=/run/counted:$PATH {program} -L")]);
        // One process for the port and one for the addresses; where that takes long, as many more as run at a time.
        let asked = host.ok("cat /run/asked").lines().count();
        assert!((2..=2 + 2 * 16).contains(&asked), "getent ran {asked} times");
        // A busy guest may need more than ipvsctl's second, and then it says so.
        let all = program != "ipvsctl" || answer.stderr.is_empty();
        assert_eq!(all, answer.stdout == original, "{answer}");
    }
}

/// No rights: every call ends with 2, help too.
#[test]
fn without_rights_every_call_ends_with_2() {
    let ours = Ours::new();
    let host = Lab::new().bare_host("h");
    for options in ["-L", "-h", "--version", "-A -t 10.0.0.1:80", "-C", "-Q", ""] {
        for program in ["ipvsadm", ours.program()] {
            let answer = host
                .run(&format!("setpriv --reuid 65534 --clear-groups --inh-caps=-all {program} {options}"));
            assert_eq!((answer.status, answer.stdout.as_str()), (2, ""), "{answer}");
            assert!(!answer.stderr.is_empty(), "{answer}");
        }
    }
}
