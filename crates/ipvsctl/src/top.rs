//! `ipvsctl top`: services and servers with their connections and traffic, live or once.
//!
//! [`model`] turns two looks at the table into rows, [`frame`] rows into lines, [`screen`] is the live display as a
//! value; here is the driver. No library draws: a terminal of 80 columns over ssh needs five escape sequences.

pub mod frame;
pub mod model;
pub mod screen;

use std::io::{IsTerminal, stdin, stdout};
use std::time::Duration;

use lvs_core::sys::clock;
use lvs_core::sys::ipvs::Client;
use lvs_core::sys::poll::{Event, Interest, Poll, Signals};
use lvs_core::sys::terminal;
use lvs_core::time::{Time, parse_duration};
use nix::sys::signal::{Signal, raise};

use self::frame::Frame;
use self::model::{Sample, Sort, rows};
use self::screen::{Screen, Wish};
use crate::failure::Failure;
use crate::out::print;
use crate::snapshot::entries;

/// The shortest time between two looks: a big table takes the kernel a while.
const SHORTEST: Duration = Duration::from_millis(100);

/// The options of `top`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one frame with the kernel's own rates, for scripts
    #[arg(long)]
    once: bool,
    /// From one look at the table to the next, at least 100ms
    #[arg(short, long, value_name = "TIME", default_value = "2s", value_parser = interval)]
    interval: Duration,
    /// The order of rows
    #[arg(short, long, value_enum, default_value_t)]
    sort: Sort,
    /// Leave the real servers out
    #[arg(long)]
    services: bool,
}

fn interval(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text).map_err(|e| e.to_string())?;
    if time < SHORTEST {
        return Err(format!("at least {}ms", SHORTEST.as_millis()));
    }
    Ok(time)
}

/// Shows the table until a key or signal ends it, or once.
///
/// # Errors
/// The kernel refused to tell, or there is no terminal.
pub fn run(args: &Args) -> Result<u8, Failure> {
    if args.once {
        let sample = look(&mut Client::open()?)?;
        return print(&once(&sample, args.sort, args.services)).map(|()| 0);
    }
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return Err(Failure::Usage("top needs a terminal; 'top --once' prints one frame".to_owned()));
    }
    live(&mut Client::open()?, args)
}

/// One frame as plain text, names in full.
pub fn once(sample: &Sample, sort: Sort, services_only: bool) -> String {
    let rows = rows(None, sample, sort, services_only);
    let frame = Frame::full(&rows);
    let lines = rows.iter().map(|r| frame.line(r));
    std::iter::once(frame.title()).chain(lines).map(|l| l + "\n").collect()
}

fn look(client: &mut Client) -> Result<Sample, Failure> {
    Ok(Sample { entries: entries(client)?, at: clock::now() })
}

const KEYS: u64 = 0;
const SIGNALS: u64 = 1;

fn live(client: &mut Client, args: &Args) -> Result<u8, Failure> {
    use Signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
    let io = |e| Failure::File("terminal".to_owned(), e);
    // The signals come first: from here on none can end us with the screen taken.
    let signals = Signals::new(&[SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH]).map_err(io)?;
    let (mut before, mut now) = (None, look(client)?);
    let terminal = terminal::Screen::enter().map_err(io)?;
    let mut poll = Poll::new().map_err(io)?;
    poll.add(&terminal, KEYS, Interest::Read).map_err(io)?;
    poll.add(&signals, SIGNALS, Interest::Read).map_err(io)?;
    let interval = args.interval;
    let mut screen =
        Screen { size: size(), sort: args.sort, services_only: args.services, scroll: 0, interval };
    let mut events = Vec::new();
    loop {
        let text = screen.draw(&rows(before.as_ref(), &now, screen.sort, screen.services_only));
        terminal::Screen::write(text.as_bytes()).map_err(io)?;
        if wait(&mut poll, &mut events, &terminal, &signals, &mut screen, now.at + interval).map_err(io)? {
            return Ok(0);
        }
        if clock::now() >= now.at + interval {
            before = Some(std::mem::replace(&mut now, look(client)?));
        }
    }
}

/// Waits until there is something to draw; true at the end.
fn wait(
    poll: &mut Poll,
    events: &mut Vec<Event>,
    terminal: &terminal::Screen,
    signals: &Signals,
    screen: &mut Screen,
    deadline: Time,
) -> std::io::Result<bool> {
    loop {
        poll.wait(Some(deadline), events)?;
        if events.iter().any(|e| e.closed) {
            return Ok(true);
        }
        let mut wish = screen.keys(terminal.keys(&mut [0; 64])?);
        while let Some(signal) = signals.next()? {
            match signal {
                Signal::SIGWINCH => screen.size = size(),
                Signal::SIGTSTP => {
                    terminal.suspend()?;
                    // Not SIGTSTP, which we have taken over. The shell continues us here.
                    raise(Signal::SIGSTOP)?;
                    terminal.resume()?;
                }
                _ => return Ok(true),
            }
            wish = Wish::Draw;
        }
        match wish {
            Wish::Quit => return Ok(true),
            Wish::Draw => return Ok(false),
            Wish::Nothing if clock::now() >= deadline => return Ok(false),
            Wish::Nothing => {}
        }
    }
}

fn size() -> (usize, usize) {
    let (columns, rows) = terminal::size(stdout()).unwrap_or((80, 24));
    (columns.into(), rows.into())
}

#[cfg(test)]
mod tests;
