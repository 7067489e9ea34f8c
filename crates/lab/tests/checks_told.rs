//! What pipes and mails are told of servers and quorums, beside the real keepalived with the same file.

use lab::pair::{KEEPALIVED, TCPCHECK};
use lab::{Daemon, Host, Lab, SECONDS, wait};

/// `global_defs` that mail about everything, with more lines.
fn globals(more: &str) -> String {
    format!(
        "global_defs {{\nrouter_id LVS_A\nlvs_notify_fifo /run/pipe\nsmtp_server 127.0.0.1 25\n\
         smtp_helo_name d1\nnotification_email {{\nadmin@example.org\n}}\n{more}\n}}\n"
    )
}

/// A virtual server with one real server whose check fails at once.
fn service(target: &str, lines: &str, server: &str) -> String {
    format!(
        "virtual_server {target} {{\ndelay_loop 1\nlb_algo rr\nlb_kind DR\n{lines}\nreal_server {server} {{\n\
         TCP_CHECK {{\nconnect_port 1001\nconnect_timeout 1\nretry 0\nwarmup 0\n}}\n}}\n}}\n"
    )
}

struct Director {
    _host: Host,
    _daemon: Daemon,
    mailbox: Daemon,
    pipe: Daemon,
}

impl Director {
    fn start(lab: &Lab, program: &str, n: u8, file: &str) -> Self {
        let host = lab.host(program, &[&format!("10.0.0.{n}/24")]);
        host.write("/run/checks.conf", file);
        let mailbox = host.spawn("lab mailbox 25");
        mailbox.wait_for_line("takes mails", 10 * SECONDS);
        let pipe = host.pipe("/run/pipe");
        let daemon = host.spawn(if program == "tcpcheck" { TCPCHECK } else { KEEPALIVED });
        Self { _host: host, _daemon: daemon, mailbox, pipe }
    }

    /// Recipients and subject of every mail, in some order.
    fn mails(&self) -> Vec<String> {
        let subject = |line: String| line.split(" => ").next().unwrap_or_default().to_owned();
        sorted(self.mailbox.lines().into_iter().skip(1).map(|l| subject(l.text)))
    }

    fn lines(&self) -> Vec<String> {
        sorted(self.pipe.lines().into_iter().map(|l| l.text))
    }
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<_> = lines.collect();
    lines.sort();
    lines
}

#[test]
fn servers_and_quorums_have_keepalived_s_names_in_pipes_and_mails() {
    let group = |name: &str, entry: &str| format!("virtual_server_group {name} {{\n{entry}\n}}\n");
    let file = [
        globals("notification_email_from director@example.org\nsmtp_alert"),
        group("addresses", "10.0.0.100 81\n10.0.0.100 82"),
        group("marks", "fwmark 9"),
        service("10.0.0.100 80", "protocol TCP", "10.0.0.1 80"),
        service("fd00::100 80", "protocol UDP", "fd00::1 80"),
        service("fwmark 7", "", "10.0.0.2 80"),
        service("group addresses", "protocol TCP\nquorum 2\nweight 2\nhysteresis 1", "10.0.0.3 81"),
        service("group marks", "", "10.0.0.4"),
    ]
    .concat();
    let names = [
        ("[10.0.0.1]:tcp:80", "[10.0.0.100]:tcp:80"),
        ("[fd00::1]:udp:80", "[fd00::100]:udp:80"),
        ("[10.0.0.2]:none:0", "FWM 7"),
        ("[10.0.0.3]:tcp:81", "[addresses]:0"),
        ("[10.0.0.4]:none:0", "[marks]:0"),
    ];
    let to = "d1 director@example.org admin@example.org: [LVS_A]";
    let mut lines = Vec::new();
    let mut mails = Vec::new();
    for (server, service) in names {
        // The quorum of this one is never reached.
        let states: &[&str] = if service == "[addresses]:0" { &[] } else { &["UP", "DOWN"] };
        lines.extend(states.iter().map(|s| format!("VS {service} {s}")));
        mails.extend(states.iter().map(|s| format!("{to} Virtualserver {service} - {s}")));
        lines.push(format!("RS {server} {service} DOWN"));
        mails.push(format!("{to} Realserver {server} of virtual server {service} - DOWN"));
    }
    let (lines, mails) = (sorted(lines.into_iter()), sorted(mails.into_iter()));
    let lab = Lab::new();
    for (program, n) in [("keepalived", 101), ("tcpcheck", 102)] {
        let director = Director::start(&lab, program, n, &file);
        let whole = |what: &str, now: &dyn Fn() -> Vec<String>, wanted: &[String]| {
            wait(20 * SECONDS, &format!("{program}: {what}"), || now().len() >= wanted.len());
            assert_eq!(now(), wanted, "{program}: {what}");
        };
        whole("lines of the pipe", &|| director.lines(), &lines);
        whole("mails", &|| director.mails(), &mails);
    }
}

/// Lines of `global_defs`, of a virtual and of a real server; whether quorum and server are mailed about.
type Row = (&'static str, &'static str, &'static str, bool, bool);

const ALERTS: [Row; 11] = [
    ("", "", "", false, true),
    ("", "smtp_alert", "", true, true),
    ("", "smtp_alert off", "", false, true),
    ("", "", "smtp_alert off", false, false),
    ("smtp_alert", "", "", true, true),
    ("smtp_alert off", "", "", false, false),
    ("smtp_alert off\nsmtp_alert_checker", "", "", true, true),
    ("smtp_alert\nsmtp_alert_checker off", "", "smtp_alert", false, true),
    ("smtp_alert_checker off", "smtp_alert", "", true, false),
    ("no_checker_emails", "", "", false, true),
    ("no_email_faults", "smtp_alert", "", true, true),
];

#[test]
fn the_nearest_smtp_alert_decides_what_is_mailed() {
    let lab = Lab::new();
    std::thread::scope(|scope| {
        for (row, n) in ALERTS.into_iter().zip(1..) {
            let lab = &lab;
            scope.spawn(move || {
                alerts(lab, "keepalived", 100 + n, row);
                alerts(lab, "tcpcheck", 200 + n, row);
            });
        }
    });
}

fn alerts(lab: &Lab, program: &str, n: u8, row: Row) {
    let (global, quorum, server, quorums, servers) = row;
    let vs = service("10.0.0.100 80", &format!("protocol TCP\n{quorum}"), "10.0.0.1 80");
    let file = globals(global) + &vs.replace("TCP_CHECK {", &format!("{server}\nTCP_CHECK {{"));
    let director = Director::start(lab, program, n, &file);
    // The pipe has everything; mails of the same moment follow at once, if at all.
    wait(40 * SECONDS, &format!("{program}: {row:?}"), || director.lines().len() == 3);
    let wanted = 2 * usize::from(quorums) + usize::from(servers);
    wait(20 * SECONDS, &format!("{program}: {row:?}: mails"), || director.mails().len() == wanted);
    let mails = director.mails();
    let about = |what: &str| mails.iter().any(|m| m.contains(what));
    assert_eq!((about(" Virtualserver"), about(" Realserver")), (quorums, servers), "{program}: {row:?}");
}
