use super::*;
use crate::packet::Version;
use crate::params::Garp;
use crate::words::Note;

const SECOND: Duration = Duration::from_secs(1);

fn ip(last: u8) -> IpAddr {
    IpAddr::from([192, 168, 15, last])
}

fn at(seconds: f64) -> Time {
    Time::ZERO + Duration::from_secs_f64(seconds)
}

fn advert(from: u8, priority: u8) -> Input {
    Input::Advert(Advert { src: ip(from), priority, interval: SECOND })
}

/// A router at 192.168.15.101 with what it was asked to do last.
struct Rig {
    router: Router,
    out: Vec<Action>,
}

impl Rig {
    fn new(params: Params) -> Self {
        let mut rig = Self { router: Router::new(params), out: Vec::new() };
        rig.tell(0.0, Input::Source(Some(ip(101))));
        rig.tell(0.0, Input::Start);
        rig
    }

    fn priority(priority: u8) -> Self {
        Self::new(Params { priority, ..Params::default() })
    }

    fn master(priority: u8) -> Self {
        let mut rig = Self::priority(priority);
        rig.until(State::Master);
        rig
    }

    fn tell(&mut self, seconds: f64, input: Input) -> &[Action] {
        self.out.clear();
        self.router.handle(input, at(seconds), &mut self.out);
        &self.out
    }

    fn tick(&mut self) -> (f64, &[Action]) {
        let due = self.router.deadline().expect("it waits for something");
        self.out.clear();
        self.router.handle(Input::Tick, due, &mut self.out);
        ((due - Time::ZERO).as_secs_f64(), &self.out)
    }

    fn until(&mut self, state: State) -> f64 {
        let mut seconds = 0.0;
        while self.router.state() != state {
            seconds = self.tick().0;
        }
        seconds
    }
}

fn enters(out: &[Action]) -> Vec<(State, State)> {
    out.iter()
        .filter_map(|a| if let Action::Enter { from, to, .. } = a { Some((*from, *to)) } else { None })
        .collect()
}

#[test]
fn alone_it_waits_one_master_down_interval_and_then_speaks_first() {
    let mut rig = Rig::priority(100);
    assert_eq!(rig.router.state(), State::Backup);
    let (when, out) = rig.tick();
    assert_eq!(when, 3.609_375);
    let silent = Duration::from_nanos(3_609_375_000);
    assert_eq!(
        out,
        [
            Action::Advertise(100),
            Action::TakeVips,
            Action::Garp(5),
            Action::Enter { from: State::Backup, to: State::Master, cause: Cause::Silence { silent } },
        ]
    );
}

/// After a goodbye the predecessor serves until it is relieved: what moves the traffic comes once the addresses are in use,
/// and with a virtual MAC address that is the advertisement.
#[test]
fn what_is_drawn_here_from_a_master_that_still_serves_finds_the_addresses() {
    let (take, wait, say) = (Action::TakeVips, Action::AwaitVips, Action::Advertise(100));
    for (on_vmac, leaves, wanted) in [
        (false, true, [say, take, wait]),
        (true, true, [take, wait, say]),
        (true, false, [say, take, Action::Garp(5)]),
    ] {
        let mut router = Router::new(Params { on_vmac, ..Params::default() });
        let (mut out, at) = (Vec::new(), |s| Time::ZERO + Duration::from_secs(s));
        router.handle(Input::Start, at(0), &mut out);
        if leaves {
            let src = "192.168.15.101".parse().unwrap();
            router.handle(
                Input::Advert(Advert { src, priority: 0, interval: Duration::from_secs(1) }),
                at(1),
                &mut out,
            );
        }
        out.clear();
        router.handle(Input::Tick, at(4), &mut out);
        assert_eq!(out[..3], wanted, "on_vmac {on_vmac}, leaves {leaves}");
    }
}

#[test]
fn as_master_it_advertises_every_interval_and_repeats_the_arp_after_the_delay() {
    let mut rig = Rig::master(100);
    let events: Vec<(f64, Vec<Action>)> = (0..6)
        .map(|_| {
            let (when, out) = rig.tick();
            (when, out.to_vec())
        })
        .collect();
    let adverts: Vec<f64> =
        events.iter().filter(|(_, o)| o.contains(&Action::Advertise(100))).map(|e| e.0).collect();
    assert_eq!(adverts, [4.609_375, 5.609_375, 6.609_375, 7.609_375, 8.609_375, 9.609_375]);
    let garps: Vec<f64> = events.iter().filter(|(_, o)| o.contains(&Action::Garp(5))).map(|e| e.0).collect();
    assert_eq!(garps, [8.609_375]);
}

#[test]
fn the_owner_does_not_wait() {
    let rig = Rig::priority(255);
    assert_eq!(enters(&rig.out), [(State::Init, State::Backup), (State::Backup, State::Master)]);
    assert_eq!(rig.out.iter().filter(|a| **a == Action::Advertise(255)).count(), 1);
}

/// RFC 9568 6.4.2: what each advertisement does to a backup of priority 100, heard at 3 s.
#[test]
fn a_backup_hears() {
    let down = 3.609_375;
    for (theirs, preempt, deadline) in [
        (0, true, 3.0 + 0.609_375),
        (0, false, 3.0 + 0.609_375),
        (99, true, down),
        (99, false, 3.0 + down),
        (100, true, 3.0 + down),
        (101, true, 3.0 + down),
        (255, false, 3.0 + down),
    ] {
        let mut rig = Rig::new(Params { preempt, ..Params::default() });
        rig.tell(3.0, advert(100, theirs));
        assert_eq!(rig.router.deadline(), Some(at(deadline)), "{theirs} {preempt}");
        assert_eq!(rig.router.state(), State::Backup);
    }
}

/// RFC 9568 6.4.3: what each advertisement does to a master of priority 100 at .101.
#[test]
fn a_master_hears() {
    for (from, theirs, yields) in [
        (100, 0, false),
        (102, 0, false),
        (102, 99, false),
        (100, 100, false),
        (102, 100, true),
        (100, 101, true),
        (100, 255, true),
    ] {
        let mut rig = Rig::master(100);
        let out = rig.tell(4.0, advert(from, theirs)).to_vec();
        assert_eq!(rig.router.state() == State::Backup, yields, "{from} {theirs}");
        assert!(!out.contains(&Action::DropVips));
        assert!(out.contains(&Action::Advertise(100)), "it says at once that it is, or was, a master");
        let garp = !yields && theirs > 0;
        assert_eq!(out.contains(&Action::Garp(5)), garp, "{from} {theirs}");
        let (when, next) = rig.tick();
        assert_eq!((when == 4.05, next == [Action::DropVips]), (yields, yields));
    }
}

#[test]
fn the_outdone_master_speaks_at_once_and_serves_until_the_hosts_know() {
    let mut rig = Rig::master(100);
    let cause = Cause::Outdone { master: ip(100), theirs: 150, ours: 100 };
    assert_eq!(
        rig.tell(4.0, advert(100, 150)),
        [Action::Enter { from: State::Master, to: State::Backup, cause }, Action::Advertise(100)]
    );
    assert!(rig.router.holds());
    let (when, out) = rig.tick();
    assert_eq!((when, out), (4.05, &[Action::DropVips][..]));
    assert!(!rig.router.holds());
    assert_eq!(rig.router.deadline(), Some(at(7.609_375)));
}

#[test]
fn an_outdone_master_that_ends_takes_its_addresses_along() {
    for input in [Input::Stop, Input::Release, Input::Track(Tracked { priority: 100, faults: 1 })] {
        let mut rig = Rig::master(100);
        rig.tell(4.0, advert(100, 150));
        assert_eq!(rig.tell(4.001, input)[0], Action::DropVips);
        assert!(!rig.router.holds());
    }
}

#[test]
fn a_flood_of_lower_advertisements_draws_few_answers_and_no_silence() {
    let mut rig = Rig::master(100);
    let mut answers = 0;
    let mut now = 4.0;
    for _ in 0..2000 {
        now += 0.0005;
        answers +=
            rig.tell(now, advert(100, 50)).iter().filter(|a| matches!(a, Action::Advertise(_))).count();
    }
    assert!((15..=21).contains(&answers), "{answers} in one second");
    assert!(rig.router.deadline() <= Some(at(now + 1.0)));
}

/// What a flood of lower advertisements for so many seconds draws: advertisements, and packets of gratuitous ARP.
fn flood(rig: &mut Rig, from: f64, seconds: u32) -> (usize, u32) {
    let (mut answers, mut packets) = (0, 0);
    for n in 1..=seconds * 2000 {
        let now = from + f64::from(n) / 2000.0;
        while rig.router.deadline().is_some_and(|due| due <= at(now)) {
            packets += garps(rig.tick().1);
        }
        let out = rig.tell(now, advert(100, 50));
        answers += out.iter().filter(|a| matches!(a, Action::Advertise(_))).count();
        packets += garps(out);
    }
    (answers, packets)
}

fn garps(out: &[Action]) -> u32 {
    out.iter().map(|a| if let Action::Garp(n) = a { *n } else { 0 }).sum()
}

#[test]
fn a_burst_that_is_under_way_is_not_begun_again() {
    let mut rig = Rig::master(100);
    // Five at once and five after five seconds, as for a single one; and a last word each tenth of a second.
    let (answers, packets) = flood(&mut rig, 20.0, 9);
    assert!((170..=181).contains(&answers), "{answers}");
    assert!((90..=115).contains(&packets), "{packets}");
    // Short intervals draw no more.
    let fast = Params { version: Version::V3, interval: Duration::from_millis(100), ..Params::default() };
    let mut rig = Rig::new(fast);
    rig.until(State::Master);
    assert!(flood(&mut rig, 20.0, 1).0 <= 21);
    // The next one after it begins at once, and so does one soon after the election.
    for mut rig in [rig, Rig::master(100)] {
        let now = if rig.router.params().version == Version::V3 { 40.0 } else { 5.0 };
        assert!(rig.tell(now, advert(100, 50)).contains(&Action::Garp(5)));
    }
}

#[test]
fn a_new_master_owes_its_hosts_a_burst_of_its_own() {
    let mut rig = Rig::master(100);
    assert!(rig.tell(20.0, advert(100, 50)).contains(&Action::Garp(5)));
    rig.tell(20.1, advert(102, 150));
    rig.tell(20.2, advert(102, 0));
    assert!(rig.until(State::Master) < 21.0);
    assert!(rig.tell(22.0, advert(100, 50)).contains(&Action::Garp(5)));
}

#[test]
fn a_flood_of_claims_does_not_keep_a_goodbye_from_its_answer() {
    let mut rig = Rig::master(100);
    flood(&mut rig, 20.0, 1);
    assert_eq!(rig.tell(21.001, advert(102, 0)), [Action::Advertise(100)]);
}

#[test]
fn goodbye_comes_first_and_the_addresses_go_when_the_successor_is_heard() {
    let mut rig = Rig::master(100);
    let out = rig.tell(4.0, Input::Stop);
    assert_eq!(out[0], Action::Advertise(0));
    assert!(!out.contains(&Action::DropVips));
    assert_eq!(rig.router.state(), State::Leaving);
    // Another goodbye is no successor.
    assert_eq!(rig.tell(4.1, advert(100, 0)), []);
    assert_eq!(rig.tell(4.6, advert(100, 50)), []);
    assert_eq!(rig.tell(4.605, advert(102, 40)), []);
    let (when, out) = rig.tick();
    assert_eq!(when, 4.65, "it serves those who have not heard of the successor");
    let cause = Cause::HandedOver { to: Some(ip(100)) };
    assert_eq!(out, [Action::DropVips, Action::Enter { from: State::Leaving, to: State::Stopped, cause }]);
    assert_eq!(rig.router.deadline(), None);
}

#[test]
fn after_a_goodbye_it_knows_its_turn_and_has_the_last_word() {
    let mut rig = Rig::priority(100);
    rig.tell(1.0, advert(102, 200));
    assert_eq!(rig.router.wins_in(at(1.0)), None);
    rig.tell(2.0, advert(102, 0));
    assert_eq!(rig.router.wins_in(at(2.0)), Some(Duration::from_micros(609_375)));
    assert_eq!(rig.until(State::Master), 2.609_375);
    assert_eq!(rig.router.wins_in(at(2.7)), None);
    for after in [0.006_25, 0.025, 0.1] {
        assert_eq!(rig.tick(), (2.609_375 + after, &[Action::Garp(1)][..]));
    }
}

#[test]
fn it_knows_its_turn_when_the_master_is_outdone() {
    let mut rig = Rig::priority(200);
    rig.tell(1.0, advert(102, 100));
    let wait = rig.router.wins_in(at(1.0)).unwrap();
    assert_eq!(rig.until(State::Master), 1.0 + wait.as_secs_f64());
}

#[test]
fn asked_twice_to_stop_it_waits_for_nobody() {
    let mut rig = Rig::master(100);
    rig.tell(4.0, Input::Release);
    rig.tell(4.1, Input::Stop);
    assert_eq!(rig.router.state(), State::Leaving, "the first wish to stop");
    let out = rig.tell(4.2, Input::Stop).to_vec();
    assert_eq!(enters(&out), [(State::Leaving, State::Stopped)]);
    assert_eq!(out[0], Action::DropVips);
}

#[test]
fn whoever_is_to_stop_is_not_kept_by_a_release_or_a_resume() {
    let mut rig = Rig::master(100);
    rig.tell(4.0, Input::Stop);
    rig.tell(4.1, Input::Release);
    rig.tell(4.2, Input::Resume);
    assert_eq!(rig.router.state(), State::Leaving);
    rig.tick();
    assert_eq!(rig.router.state(), State::Stopped);
}

#[test]
fn without_a_successor_it_leaves_after_the_longest_skew_and_one_interval() {
    let mut rig = Rig::master(100);
    rig.tell(4.0, Input::Release);
    let (when, out) = rig.tick();
    assert_eq!(when, 4.0 + 255.0 / 256.0 + 1.0);
    assert!(out.contains(&Action::DropVips));
    assert_eq!(rig.router.state(), State::Released);
    assert_eq!(rig.tell(9.0, advert(100, 50)), []);
    rig.tell(10.0, Input::Resume);
    assert_eq!(rig.router.state(), State::Backup);
}

#[test]
fn a_fault_drops_the_addresses_at_once_and_stays_out() {
    let mut rig = Rig::master(100);
    let out = rig.tell(4.0, Input::Track(Tracked { priority: 100, faults: 2 }));
    assert_eq!(out[..2], [Action::Advertise(0), Action::DropVips]);
    assert_eq!(rig.router.deadline(), None);
    assert_eq!(rig.tell(5.0, advert(100, 50)), []);
    rig.tell(6.0, Input::Track(Tracked { priority: 100, faults: 0 }));
    assert_eq!(rig.router.state(), State::Backup);
    assert_eq!(rig.router.deadline(), Some(at(9.609_375)));
}

#[test]
fn nopreempt_holds_after_a_fault_and_says_so_once() {
    let mut rig = Rig::new(Params { preempt: false, priority: 200, ..Params::default() });
    rig.until(State::Master);
    rig.tell(4.0, Input::Track(Tracked { priority: 200, faults: 1 }));
    rig.tell(5.0, Input::Track(Tracked { priority: 200, faults: 0 }));
    let first = rig.tell(5.5, advert(100, 50)).to_vec();
    assert_eq!(first, [Action::Note(Note::Tolerated { master: ip(100), theirs: 50, wait: None })]);
    for i in 1..100 {
        assert_eq!(rig.tell(5.5 + f64::from(i), advert(100, 50)), []);
    }
    assert_eq!(rig.router.state(), State::Backup);
}

#[test]
fn preempt_delay_tolerates_a_lower_master_for_so_long() {
    let mut rig = Rig::new(Params { preempt_delay: 10 * SECOND, priority: 200, ..Params::default() });
    let mut now = 0.0;
    while rig.router.state() == State::Backup {
        now += 1.0;
        rig.tell(now, advert(100, 50));
        while rig.router.deadline().is_some_and(|d| d <= at(now + 0.99))
            && rig.router.state() == State::Backup
        {
            rig.tick();
        }
    }
    assert!((10.0..15.0).contains(&now), "{now}");
}

#[test]
fn preempt_delay_does_not_hinder_it_when_the_master_dies() {
    let mut rig = Rig::new(Params { preempt_delay: 100 * SECOND, priority: 200, ..Params::default() });
    rig.tell(1.0, advert(100, 50));
    assert_eq!(rig.until(State::Master), 1.0 + 3.0 + 56.0 / 256.0);
}

#[test]
fn version_3_waits_as_long_as_the_master_says() {
    let mut rig = Rig::new(Params { version: Version::V3, ..Params::default() });
    let quick = Advert { src: ip(100), priority: 150, interval: Duration::from_millis(100) };
    rig.tell(1.0, Input::Advert(quick));
    assert_eq!(rig.router.deadline(), Some(at(1.0 + 0.360_937_5)));
}

/// The master goes on at its own pace: a shorter interval here is no reason to take its place.
#[test]
fn in_version_3_a_reload_to_a_shorter_interval_deposes_no_living_master() {
    let v3 = |millis| {
        let interval = Duration::from_millis(millis);
        Input::Reload(Box::new(Params { version: Version::V3, interval, ..Params::default() }))
    };
    let mut rig = Rig::new(Params { version: Version::V3, ..Params::default() });
    rig.tell(1.0, advert(102, 200));
    let deadline = rig.router.deadline();
    rig.tell(1.1, v3(100));
    assert_eq!(rig.router.deadline(), deadline);
    // As master it advertises at its own.
    let since = rig.until(State::Master);
    assert_eq!(rig.router.deadline(), Some(at(since + 0.1)));
    // Where nobody was heard its own interval is all there is.
    let mut rig = Rig::new(Params { version: Version::V3, ..Params::default() });
    rig.tell(1.0, v3(100));
    assert_eq!(rig.router.deadline(), Some(at(1.0 + 0.360_937_5)));
}

#[test]
fn a_changed_priority_moves_the_wait_that_is_under_way() {
    let mut rig = Rig::priority(100);
    rig.tell(1.0, Input::Track(Tracked { priority: 228, faults: 0 }));
    assert_eq!(rig.router.deadline(), Some(at(3.0 + 28.0 / 256.0)));
}

#[test]
fn lateness_does_not_add_up_and_oversleeping_is_mended_by_arp() {
    let mut rig = Rig::master(100);
    rig.out.clear();
    rig.router.handle(Input::Tick, at(4.9), &mut rig.out);
    assert_eq!(rig.router.deadline(), Some(at(5.609_375)));
    let out = rig.tell(30.0, Input::Tick).to_vec();
    assert_eq!(out[0], Action::Advertise(100));
    assert!(out.iter().any(|a| matches!(a, Action::Note(Note::Overslept { .. }))));
    assert!(out.contains(&Action::Garp(5)));
}

#[test]
fn a_reload_keeps_the_master() {
    let mut rig = Rig::master(100);
    let quick = Params { interval: Duration::from_millis(100), version: Version::V3, ..Params::default() };
    assert_eq!(rig.tell(4.0, Input::Reload(Box::new(quick))), []);
    assert_eq!(rig.router.state(), State::Master);
    assert_eq!(rig.router.deadline(), Some(at(4.1)));
}

#[test]
fn a_refresh_goes_on_while_it_is_master() {
    let garp = Garp { refresh: 2 * SECOND, refresh_repeat: 1, delay: Duration::ZERO, ..Garp::default() };
    let mut rig = Rig::new(Params { garp, ..Params::default() });
    rig.until(State::Master);
    let garps: usize = (0..9).map(|_| rig.tick().1.iter().filter(|a| **a == Action::Garp(1)).count()).sum();
    assert_eq!(garps, 4);
}

#[test]
fn garp_extra_if_begins_with_mastership_and_a_reload_and_ends_with_them() {
    let extra = |seconds| Params {
        garp: Garp { extra: Duration::from_secs(seconds), ..Garp::default() },
        ..Params::default()
    };
    let mut rig = Rig::new(extra(2));
    let start = rig.until(State::Master);
    let mut times = Vec::new();
    while times.len() < 3 {
        let (when, out) = rig.tick();
        times.extend(out.contains(&Action::ExtraGarp).then_some(when - start));
    }
    assert_eq!(times, [2.0, 4.0, 6.0]);
    let bursts = |rig: &mut Rig| (0..9).filter(|_| rig.tick().1.contains(&Action::ExtraGarp)).count();
    let now = |rig: &Rig| (rig.router.deadline().unwrap() - Time::ZERO).as_secs_f64() - 0.1;
    let at = now(&rig);
    rig.tell(at, Input::Reload(Box::new(extra(0))));
    assert_eq!(bursts(&mut rig), 0);
    let at = now(&rig);
    rig.tell(at, Input::Reload(Box::new(extra(1))));
    assert!(bursts(&mut rig) > 3);
    let at = now(&rig);
    rig.tell(at, advert(100, 200));
    while rig.router.state() != State::Master {
        assert!(!rig.tick().1.contains(&Action::ExtraGarp), "as backup");
    }
}

#[test]
fn silent_peers_are_sought_every_interval_until_one_is_heard_or_replaced() {
    let unicast = Params { unicast: true, preempt_delay: 30 * SECOND, priority: 200, ..Params::default() };
    let mut rig = Rig::new(unicast.clone());
    assert!(rig.out.contains(&Action::SeekPeers), "at once: {:?}", rig.out);
    let mut times = Vec::new();
    while rig.router.state() != State::Master {
        let (when, out) = rig.tick();
        times.extend(out.contains(&Action::SeekPeers).then_some(when));
    }
    assert_eq!(times, [1.0, 2.0, 3.0]);
    rig.tell(10.0, Input::Track(Tracked { priority: 200, faults: 1 }));
    let out = rig.tell(20.0, Input::Track(Tracked { priority: 200, faults: 0 }));
    assert!(out.contains(&Action::SeekPeers), "with the end of a fault: {out:?}");
    rig.tell(20.5, advert(100, 100));
    assert_eq!(rig.tick().1, [], "no more of it");
    assert_eq!(rig.router.deadline(), Some(at(20.5 + 3.0 + 56.0 / 256.0)), "the lower master is tolerated");
    let mut owner = Rig::new(Params { priority: 255, ..unicast.clone() });
    assert!(!owner.out.contains(&Action::SeekPeers) && owner.tick().1.contains(&Action::Advertise(255)));
    assert!(!Rig::new(Params { unicast: false, ..unicast }).out.contains(&Action::SeekPeers));
}

#[test]
fn a_member_of_a_group_waits_for_the_others() {
    let mut rig = Rig::new(Params { grouped: true, ..Params::default() });
    rig.tick();
    assert_eq!(rig.router.state(), State::Backup);
    assert!(rig.router.is_ripe());
    rig.tell(4.0, advert(100, 150));
    assert!(!rig.router.is_ripe(), "a better master was heard meanwhile");
    rig.tick();
    let out = rig.tell(9.0, Input::GroupMaster);
    assert_eq!(enters(out), [(State::Backup, State::Master)]);
}

#[test]
fn for_its_startup_delay_a_backup_hears_and_wins_nothing() {
    let rig = || Rig::new(Params { startup_delay: 5 * SECOND, ..Params::default() });
    let mut alone = rig();
    assert_eq!(enters(&alone.out), [(State::Init, State::Backup)], "scripts are told at once");
    assert_eq!(alone.until(State::Master), 8.609_375);
    for (priority, wins) in [(0, 5.609_375), (200, 8.609_375), (50, 8.609_375)] {
        let mut rig = rig();
        rig.tell(1.0, advert(102, priority));
        assert_eq!(rig.until(State::Master), wins, "after an advertisement of {priority}");
    }
    let mut late = rig();
    late.tell(4.0, Input::Track(Tracked { priority: 100, faults: 1 }));
    late.tell(4.5, Input::Track(Tracked { priority: 100, faults: 0 }));
    assert_eq!(late.until(State::Master), 8.609_375);
    let mut owner = Rig::new(Params { startup_delay: 5 * SECOND, priority: OWNER, ..Params::default() });
    assert_eq!(owner.until(State::Master), 5.0);
}

/// Simulated first: for three intervals nobody would be master.
#[test]
fn an_advertisement_that_was_overtaken_by_its_goodbye_deposes_nobody() {
    let mut rig = Rig::priority(100);
    rig.tell(1.0, advert(102, 200));
    rig.tell(2.0, advert(102, 0));
    rig.tell(2.002, advert(102, 200));
    let successor = rig.until(State::Master);
    assert!((successor - 2.609_375).abs() < 1e-6, "{successor}");
    // As master too; another router's advertisement counts, and the same router's once it is back.
    rig.tell(3.0, advert(102, 0));
    assert_eq!(rig.tell(3.05, advert(102, 200)), []);
    assert_eq!(rig.router.state(), State::Master);
    rig.tell(3.06, advert(103, 201));
    assert_eq!(rig.router.state(), State::Backup);
    rig.until(State::Master);
    rig.tell(10.0, advert(102, 0));
    rig.tell(10.2, advert(102, 200));
    assert_eq!(rig.router.state(), State::Backup);
}

#[test]
fn resumed_during_its_handover_it_stays_master() {
    let mut rig = Rig::master(100);
    rig.tell(4.0, Input::Release);
    let out = rig.tell(4.1, Input::Resume).to_vec();
    assert_eq!(enters(&out), [(State::Leaving, State::Master)]);
    assert_eq!(out[0], Action::Advertise(100));
}

/// Simulated first: one member was master again, the others had gone.
#[test]
fn a_member_of_a_group_resumed_during_its_handover_takes_part_after_it() {
    let mut rig = Rig::new(Params { grouped: true, ..Params::default() });
    rig.tick();
    rig.tell(4.0, Input::GroupMaster);
    rig.tell(5.0, Input::Release);
    assert_eq!(rig.tell(5.1, Input::Resume), []);
    rig.tell(5.6, advert(100, 50));
    let out = rig.tick().1.to_vec();
    assert_eq!(enters(&out), [(State::Leaving, State::Released), (State::Released, State::Backup)]);
    assert_eq!(out[0], Action::DropVips);
    // Whoever is released again meanwhile stays away.
    rig.tick();
    rig.tell(9.0, Input::GroupMaster);
    rig.tell(10.0, Input::Release);
    rig.tell(10.1, Input::Resume);
    rig.tell(10.2, Input::Release);
    rig.tick();
    assert_eq!(rig.router.state(), State::Released);
}

/// Simulated first: the wait that had begun ended in a preemption.
#[test]
fn a_reload_to_nopreempt_counts_at_once() {
    let mut rig = Rig::priority(200);
    rig.tell(1.0, advert(102, 100));
    rig.tell(1.5, Input::Reload(Box::new(Params { priority: 200, preempt: false, ..Params::default() })));
    for second in 2..10 {
        rig.tell(f64::from(second), advert(102, 100));
        assert!(rig.router.deadline().is_some_and(|d| d > at(f64::from(second) + 3.0)));
    }
    assert_eq!(rig.until(State::Master), 9.0 + 3.0 + 56.0 / 256.0);
}

#[test]
fn a_reload_to_a_longer_preempt_delay_counts_for_the_wait_that_is_under_way() {
    let delayed =
        |seconds| Params { priority: 200, preempt_delay: Duration::from_secs(seconds), ..Params::default() };
    let mut rig = Rig::new(delayed(5));
    rig.tell(1.0, advert(102, 100));
    rig.tell(1.5, Input::Reload(Box::new(delayed(20))));
    for second in 2..21 {
        rig.tell(f64::from(second), advert(102, 100));
        assert!(rig.router.deadline().is_some_and(|d| d > at(f64::from(second) + 3.0)), "{second}");
    }
    rig.tell(21.0, advert(102, 100));
    assert_eq!(rig.until(State::Master), 20.0 + 3.0 + 56.0 / 256.0);
}

#[test]
fn lower_prio_no_advert_does_not_hold_back_the_answer_to_a_goodbye() {
    let mut rig = Rig::new(Params { lower_prio_no_advert: true, ..Params::default() });
    rig.until(State::Master);
    assert!(!rig.tell(4.0, advert(102, 50)).contains(&Action::Advertise(100)));
    // Its backups wait for the skew alone (RFC 9568 6.4.3).
    assert_eq!(rig.tell(4.2, advert(102, 0)), [Action::Advertise(100)]);
}

#[test]
fn a_refresh_that_a_reload_asks_for_begins_and_ends_with_it() {
    let refresh = |seconds| Params {
        garp: Garp { refresh: Duration::from_secs(seconds), delay: Duration::ZERO, ..Garp::default() },
        ..Params::default()
    };
    let mut rig = Rig::new(refresh(0));
    rig.until(State::Master);
    let bursts = |rig: &mut Rig| (0..20).filter(|_| rig.tick().1.contains(&Action::Garp(1))).count();
    assert_eq!(bursts(&mut rig), 0);
    let now = (rig.router.deadline().unwrap() - Time::ZERO).as_secs_f64() - 0.5;
    rig.tell(now, Input::Reload(Box::new(refresh(2))));
    assert!(bursts(&mut rig) >= 5);
    rig.tell(now + 15.0, Input::Reload(Box::new(refresh(0))));
    assert_eq!(bursts(&mut rig), 0);
}

/// Simulated first: the last word of a router that had just been outdone was taken for the successor's first.
#[test]
fn what_was_on_its_way_when_the_goodbye_went_out_is_no_successor() {
    let mut rig = Rig::master(100);
    rig.tell(4.0, Input::Stop);
    assert_eq!(rig.tell(4.001, advert(102, 50)), []);
    assert_eq!(rig.router.state(), State::Leaving);
    rig.tell(4.008, advert(102, 254));
    rig.tick();
    assert_eq!(rig.router.state(), State::Stopped);
}

/// Simulated first: backups waited for the loser's short interval, and became master beside the winner.
#[test]
fn whoever_is_outdone_by_a_slower_master_keeps_silent() {
    let tenth = Duration::from_millis(100);
    let mut rig = Rig::new(Params { version: Version::V3, interval: tenth, ..Params::default() });
    rig.until(State::Master);
    let out = rig.tell(5.0, advert(102, 200)).to_vec();
    assert_eq!(enters(&out), [(State::Master, State::Backup)]);
    assert!(!out.iter().any(|a| matches!(a, Action::Advertise(_))), "{out:?}");
}
