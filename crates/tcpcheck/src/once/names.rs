//! Addresses of names: all looked up at once, and none waited for longer than a try may take.
//!
//! The C library's resolver cannot be stopped, so that each name has a thread; one that does not answer is left alone.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use lvs_core::sys::clock;

/// Lookups at once; more names have as much more time.
const MOST: usize = 256;
/// Enough for the modules of the resolver.
const STACK: usize = 512 << 10;

/// The addresses of a host, or why there are none.
pub(super) type Found = Result<Vec<IpAddr>, String>;
type Names = Arc<Mutex<VecDeque<String>>>;

/// The addresses of each host.
pub(super) fn look_up<'a>(hosts: impl Iterator<Item = &'a str>, patience: Duration) -> Vec<Found> {
    ask(&hosts.collect::<Vec<_>>(), patience, system)
}

fn system(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok((name, 0).to_socket_addrs()?.map(|a| a.ip()).collect())
}

fn ask(hosts: &[&str], patience: Duration, resolve: fn(&str) -> io::Result<Vec<IpAddr>>) -> Vec<Found> {
    let mut known: HashMap<&str, Found> = HashMap::new();
    let mut names = VecDeque::new();
    for host in hosts {
        let literal = host.parse().map(|addr| vec![addr]);
        if known.insert(host, literal.map_err(|_| late(patience))).is_none()
            && host.parse::<IpAddr>().is_err()
        {
            names.push_back((*host).to_owned());
        }
    }
    let mut answers = answers(names, patience, resolve);
    for (host, found) in &mut known {
        if let Some(answer) = answers.remove(*host) {
            *found = answer;
        }
    }
    hosts.iter().map(|host| known[host].clone()).collect()
}

fn late(patience: Duration) -> String {
    format!("name not answered within {patience:?}")
}

/// The answers that come in time.
fn answers(
    names: VecDeque<String>,
    patience: Duration,
    resolve: fn(&str) -> io::Result<Vec<IpAddr>>,
) -> HashMap<String, Found> {
    let (count, mut all) = (names.len(), HashMap::new());
    let rounds = u32::try_from(count.div_ceil(MOST)).unwrap_or(u32::MAX);
    let until = clock::now() + patience.saturating_mul(rounds);
    let names = Arc::new(Mutex::new(names));
    let (tell, told) = channel();
    for _ in 0..count.min(MOST) {
        let (names, tell) = (Arc::clone(&names), tell.clone());
        // Fewer threads than wanted do the same, only later; without any the names stay unanswered.
        let _ = thread::Builder::new().stack_size(STACK).spawn(move || work(&names, &tell, resolve));
    }
    drop(tell);
    while all.len() < count {
        let Ok((name, found)) = told.recv_timeout(until.since(clock::now())) else { break };
        all.insert(name, found);
    }
    all
}

fn work(names: &Names, tell: &Sender<(String, Found)>, resolve: fn(&str) -> io::Result<Vec<IpAddr>>) {
    let next = || names.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    while let Some(name) = next() {
        let found = resolve(&name).map_err(|e| e.to_string());
        // Nobody listens any more once the time is over.
        if tell.send((name, found)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(name: &str) -> io::Result<Vec<IpAddr>> {
        match name {
            "dead" => Err(io::Error::other("no such name")),
            name if name.starts_with("silent") => loop {
                thread::park();
            },
            _ => Ok(vec![[10, 0, 0, 9].into()]),
        }
    }

    #[test]
    fn silent_name_servers_hold_up_nobody() {
        let silent: Vec<String> = (0..100).map(|n| format!("silent{n}")).collect();
        let mut hosts: Vec<&str> = silent.iter().map(String::as_str).collect();
        hosts.extend(["web", "10.0.0.1", "dead", "fd00::1", "web"]);
        let patience = Duration::from_millis(500);
        let began = clock::now();
        let found = ask(&hosts, patience, some);
        assert!(clock::now().since(began) < patience * 20, "one after another");
        assert!(found[..100].iter().all(|f| *f == Err("name not answered within 500ms".to_owned())));
        let one = |text: &str| Ok(vec![text.parse().unwrap()]);
        let rest = [
            one("10.0.0.9"),
            one("10.0.0.1"),
            Err("no such name".to_owned()),
            one("fd00::1"),
            one("10.0.0.9"),
        ];
        assert_eq!(found[100..], rest);
    }

    #[test]
    fn more_names_than_threads_are_all_answered() {
        let names: Vec<String> = (0..3 * MOST).map(|n| format!("web{n}")).collect();
        let found = ask(&names.iter().map(String::as_str).collect::<Vec<_>>(), Duration::from_secs(5), some);
        assert!(found.iter().all(Result::is_ok));
    }
}
