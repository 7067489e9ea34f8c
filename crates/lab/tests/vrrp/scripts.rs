//! Who runs scripts, how often, and how long they may take: the same file for both programs, and the scripts note it.

use lab::{Host, Lab, SECONDS, wait};

use super::duel::Program;

/// A script notes who runs it. With a second word it hangs once there is a file of that name, until it is asked to end.
const NOTE: &str = "#!/bin/sh
say() { echo \"$1 $(date +%s.%N) $(id -u):$(id -g)\" >> /run/told; }
trap 'say $1.asked; kill $!; exit 1' TERM
say $1
[ -e /run/${2:-none} ] || exit 0
say $1.hangs
sleep 1000 & wait
";

/// What scripts have noted: by whom, when, and who ran it.
struct Told(Vec<(String, f64, String)>);

impl Told {
    fn read(host: &Host) -> Self {
        let line = |l: &str| {
            let words: Vec<&str> = l.split(' ').collect();
            Some((words[0].to_owned(), words.get(1)?.parse().ok()?, (*words.get(2)?).to_owned()))
        };
        Self(host.read("/run/told").lines().filter_map(line).collect())
    }

    fn times(&self, name: &str) -> Vec<f64> {
        let mut times: Vec<f64> = self.0.iter().filter(|t| t.0 == name).map(|t| t.1).collect();
        times.sort_by(f64::total_cmp);
        times
    }

    /// From one beginning to the next, on average.
    fn rhythm(&self, name: &str) -> f64 {
        let times = self.times(name);
        let gaps = u32::try_from(times.len() - 1).expect("a few");
        (times[times.len() - 1] - times[0]) / f64::from(gaps)
    }

    fn between(&self, from: &str, to: &str) -> f64 {
        self.times(to)[0] - self.times(from)[0]
    }

    fn is_always_run_by(&self, name: &str, who: &str) -> bool {
        let mut all = self.0.iter().filter(|t| t.0 == name).peekable();
        all.peek().is_some() && all.all(|t| t.2 == who)
    }
}

/// A tracked script; it hangs if it is told to.
fn script(name: &str, lines: &str) -> String {
    format!("vrrp_script {name} {{\n script \"/etc/note {name} hang\"\n {lines}\n}}\n")
}

fn router(n: u8, scripts: &str, lines: &str) -> String {
    let head = format!("interface ens192\n virtual_router_id {n}\n priority 100\n advert_int 0.1");
    let track = format!("track_script {{\n {scripts}\n }}\n virtual_ipaddress {{\n 10.0.0.{n}\n }}");
    format!("vrrp_instance V{n} {{\n {head}\n {lines}\n {track}\n}}\n")
}

#[test]
fn scripts_keep_their_users_intervals_and_timeouts() {
    std::thread::scope(|scope| {
        for program in [Program::Keepalived, Program::Vrrpd] {
            scope.spawn(move || run(program));
        }
    });
}

fn run(program: Program) {
    let file = [
        "global_defs {\n vrrp_version 3\n script_user daemon bin\n}\n".to_owned(),
        script("often", "interval 1\n timeout 3\n weight 1"),
        script("rarely", "interval 2\n timeout 1\n weight 1\n user nobody"),
        script("stuck", "interval 2\n fall 2\n user bin daemon"),
        router(51, "often\n rarely", "notify \"/etc/note any\"\n notify_master \"/etc/note master\" nobody"),
        router(52, "stuck", "notify_fault \"/etc/note fault\""),
    ];
    let lab = Lab::new();
    let host = lab.host("d100", &["192.168.15.100/21"]);
    host.write("/etc/vrrp.conf", &file.concat());
    host.write("/etc/note", NOTE);
    host.write("/run/told", "");
    host.ok("chmod 755 /etc/note");
    host.ok("chmod 666 /run/told");
    let daemon = program.start(&host);
    let until = |name: &str, times: usize| {
        let what = || format!("{program:?}: {name}\n{}\n{}", daemon.log(), host.read("/run/told"));
        wait(30 * SECONDS, &what(), || Told::read(&host).times(name).len() >= times);
    };
    until("rarely", 4);
    let told = Told::read(&host);
    host.write("/run/hang", "");
    for name in ["often.asked", "rarely.asked", "fault"] {
        until(name, 1);
    }
    let hung = Told::read(&host);
    let all = || format!("{program:?}\n{}\n{}", daemon.log(), host.read("/run/told"));
    let steady = |name: &str, due: f64| told.rhythm(name) > due * 0.8 && told.rhythm(name) < due * 1.4;
    assert!(steady("often", 1.0) && steady("rarely", 2.0), "{}", all());
    // A busy machine is late, with the beginning or with the end.
    let near = |time: f64, due: f64| time > due - 0.5 && time < due + 0.9;
    assert!(near(hung.between("often.hangs", "often.asked"), 3.0), "{}", all());
    assert!(near(hung.between("rarely.hangs", "rarely.asked"), 1.0), "{}", all());
    // The interval is the timeout of those that have none, and `fall` of them are a fault.
    assert!(near(hung.between("stuck.hangs", "stuck.asked"), 2.0), "{}", all());
    assert!(near(hung.between("stuck.hangs", "fault"), 4.0), "{}", all());
    let runners = [
        ("often", "1:2"),
        ("any", "1:2"),
        ("fault", "1:2"),
        ("rarely", "65534:65534"),
        ("stuck", "2:1"),
        ("master", "65534:65534"),
    ];
    for (name, who) in runners {
        assert!(hung.is_always_run_by(name, who), "{name} by {who}: {}", all());
    }
}
