//! `--record FILE`: everything that the routers were told and what they did, so that a night can be run again by day.
//!
//! One JSON object a line. [`replay`] runs such lines through the same pure code and compares: a packet must be judged as it
//! was, an input must draw the actions that it drew.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use lvs_core::time::Time;
use serde::{Deserialize, Serialize};

use crate::door::{Advert, Door, Reject, Way};
use crate::packet::Packet;
use crate::params::{Garp, Params};
use crate::router::Router;
use crate::spec::Spec;
use crate::words::{Action, Input};

pub mod recorder;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Nanoseconds of the monotonic clock.
    pub at: Time,
    /// The router, as [`name`] writes it; empty for what concerns all of them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub router: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A router that has not started.
    New {
        /// Its parameters.
        params: Params,
        /// What it lets in.
        door: Door,
    },
    /// After a reload it lets in something else.
    Door(Door),
    /// A packet for it, and what became of it.
    Packet(Heard),
    /// It was told something, and asked for these actions.
    Told {
        /// What.
        input: Input,
        /// In their order.
        actions: Vec<Action>,
    },
    /// What led to the next lines: a link, an address, a script's result, a signal, a command. For people.
    Because(String),
}

/// A packet as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The sender.
    pub src: IpAddr,
    /// The group or our own address.
    pub dst: IpAddr,
    /// The TTL or hop limit that was left.
    pub ttl: u8,
    /// The address of our own advertisements.
    pub own: Option<IpAddr>,
    /// The payload in hexadecimal digits.
    pub bytes: String,
    /// Why it did not count; none when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// A router's name in a record. Two of one name are alive only where one reload removes an instance and another brings it back
/// while it still hands over; such a record does not run again.
pub fn name(spec: &Spec) -> String {
    format!("{}@{}/{}/{:?}", spec.name, spec.interface, spec.vrid, spec.family)
}

impl Heard {
    /// A packet and its judgement.
    pub fn new(bytes: &[u8], way: Way, own: Option<IpAddr>, judged: Result<Advert, Reject>) -> Self {
        let mut text = String::with_capacity(2 * bytes.len());
        for byte in bytes {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(digit.into(), 16).unwrap_or('?'));
            }
        }
        let refused = judged.err().map(|why| why.to_string());
        Self { src: way.src, dst: way.dst, ttl: way.ttl, own, bytes: text, refused }
    }

    fn judge(&self, door: &Door) -> Result<Advert, String> {
        let bytes = self.payload().ok_or("the packet is no hexadecimal text")?;
        let way = Way { src: self.src, dst: self.dst, ttl: self.ttl };
        let packet = Packet::parse(&bytes, way.src, way.dst);
        let packet = packet.or_else(|why| door.read_old(&bytes, way).ok_or(why)).map_err(Reject::from);
        packet.and_then(|p| door.admit(&p, way, self.own)).map_err(|why| why.to_string())
    }

    fn payload(&self) -> Option<Vec<u8>> {
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let pair = |p: &[u8]| Some(digit(p[0])? << 4 | digit(*p.get(1)?)?);
        self.bytes.as_bytes().chunks(2).map(pair).collect()
    }
}

/// What a replay came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Routers that were begun.
    pub routers: usize,
    /// Packets that were judged again.
    pub packets: usize,
    /// Inputs that drew the same actions again.
    pub inputs: usize,
    /// Changes of state among those.
    pub changes: usize,
}

/// A router that is run again.
struct Again {
    router: Router,
    door: Door,
    /// The last packet counted, and this is what the router must be told next.
    next: Option<Advert>,
}

/// Runs a record again.
///
/// # Errors
/// The first line that is none, or that comes to something else than it did.
pub fn replay(text: &str) -> Result<Replayed, String> {
    let mut routers = HashMap::new();
    let mut done = Replayed::default();
    for (number, line) in text.lines().enumerate().filter(|(_, l)| !l.is_empty()) {
        let at = |why: String| format!("line {}: {why}", number + 1);
        let entry = serde_json::from_str::<Entry>(line).map_err(|e| at(e.to_string()))?;
        again(&mut routers, entry, &mut done).map_err(at)?;
    }
    Ok(done)
}

fn again(routers: &mut HashMap<String, Again>, entry: Entry, done: &mut Replayed) -> Result<(), String> {
    let Entry { at, router: name, event } = entry;
    if let Event::New { params, door } = event {
        if !is_possible(&params) {
            return Err("a router of this kind cannot be".to_owned());
        }
        done.routers += 1;
        routers.insert(name, Again { router: Router::new(params), door, next: None });
        return Ok(());
    }
    if matches!(event, Event::Because(_)) {
        return Ok(());
    }
    let known = routers.get_mut(&name).ok_or_else(|| format!("there is no router {name}"))?;
    match event {
        Event::Door(door) => known.door = door,
        Event::Packet(heard) => {
            done.packets += 1;
            let judged = heard.judge(&known.door);
            if judged.as_ref().err() != heard.refused.as_ref() {
                return Err(format!("the packet was refused: {:?}, now {judged:?}", heard.refused));
            }
            known.next = judged.ok();
        }
        Event::Told { input, actions } => {
            done.inputs += 1;
            done.changes += actions.iter().filter(|a| matches!(a, Action::Enter { .. })).count();
            known.tell(input, at, &actions)?;
        }
        Event::New { .. } | Event::Because(_) => (),
    }
    Ok(())
}

/// A day: no time in a configuration or a packet is as long, and the sum of some of them still is one.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Whether a configuration can say so; a record may have been edited.
fn is_possible(params: &Params) -> bool {
    let Garp { delay, refresh, lower_delay, extra, .. } = params.garp;
    let times =
        [params.interval, params.preempt_delay, params.startup_delay, delay, refresh, lower_delay, extra];
    params.priority > 0 && params.down_adverts <= 100 && times.iter().all(|t| *t <= LONGEST)
}

impl Again {
    fn tell(&mut self, input: Input, at: Time, drew: &[Action]) -> Result<(), String> {
        if matches!(&input, Input::Reload(params) if !is_possible(params)) {
            return Err("a router of this kind cannot be".to_owned());
        }
        if matches!(&input, Input::Advert(advert) if advert.interval > LONGEST) {
            return Err("an advertisement cannot say this".to_owned());
        }
        let expected = self.next.take();
        if expected.is_some_and(|advert| input != Input::Advert(advert)) {
            return Err(format!("after {expected:?} the router was told {input:?}"));
        }
        let mut actions = Vec::new();
        let told = format!("{input:?}");
        self.router.handle(input, at, &mut actions);
        if actions != drew {
            return Err(format!("{told} drew {drew:?}, now {actions:?}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
