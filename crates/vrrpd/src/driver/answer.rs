//! Questions from the control socket.

use lvs_core::sys::clock;
use lvs_core::sys::poll::Interest;

use super::{CLIENTS, Driver, Source};
use crate::control::{self, Answer, Client, Question, Turn};
use crate::instance::meant;
use crate::status::{Moment, Report};
use crate::words::Input;

impl<S: Source> Driver<S> {
    /// Lets in those who want to ask.
    pub(super) fn let_in(&mut self) {
        while let Some(client) = self.listener.accept() {
            if self.clients.len() >= control::CLIENTS {
                self.clients.remove(0);
            }
            self.last_client += 1;
            let token = CLIENTS + self.last_client;
            if self.poll.add(&client, token, Interest::Read).is_ok() {
                self.clients.push((token, client));
            }
        }
    }

    /// Goes on with one of them.
    pub(super) fn talk(&mut self, token: u64) {
        let Some(at) = self.clients.iter().position(|(t, _)| *t == token) else { return };
        let (_, mut client) = self.clients.remove(at);
        match client.turn() {
            Turn::Asked(question) => {
                match question.map_or_else(|e| Some(Answer::Refused(e)), |q| self.answer(q)) {
                    Some(answer) if client.answer(&answer) == Turn::Waiting => self.keep(token, client),
                    Some(_) => (),
                    None => {
                        // Nothing is heard of it before there is an answer.
                        let _ = self.poll.remove(&client);
                        self.ask_for_reload(Some((token, client)));
                    }
                }
            }
            Turn::Waiting => self.keep(token, client),
            Turn::Over => (),
        }
    }

    /// Answers one that has waited.
    pub(super) fn reply(&mut self, token: u64, mut client: Client, answer: &Answer) {
        let waits = client.answer(answer) == Turn::Waiting;
        if waits && self.poll.add(&client, token, Interest::Write).is_ok() {
            self.clients.push((token, client));
        }
    }

    fn keep(&mut self, token: u64, client: Client) {
        // Room to write is there nearly always: whoever has only half asked must not keep the daemon awake.
        let interest = if client.is_answered() { Interest::Write } else { Interest::Read };
        let _ = self.poll.modify(&client, token, interest);
        self.clients.push((token, client));
    }

    /// None: the answer comes later.
    fn answer(&mut self, question: Question) -> Option<Answer> {
        if question != Question::Status {
            self.record_because(&question);
        }
        Some(match question {
            Question::Status => Answer::Status(Box::new(self.report())),
            Question::Release(name) => {
                self.each(name, &Input::Release, "hands over and takes no part until 'resume'")
            }
            Question::Resume(name) => self.each(name, &Input::Resume, "takes part again"),
            Question::Garp(name) => {
                self.each(name, &Input::Garp, "has told the hosts where its addresses are")
            }
            Question::Reload => return None,
        })
    }

    fn report(&self) -> Report {
        let moment = Moment { now: clock::now(), unix: clock::unix().as_secs_f64() };
        Report::new(self.instances.iter(), |script| self.watch.last_result(script), moment)
    }

    fn each(&mut self, name: Option<String>, input: &Input, what: &str) -> Answer {
        let now = clock::now();
        let which = meant(&self.instances, name.as_deref());
        if which.is_empty() {
            let all = meant(&self.instances, None);
            let names: Vec<&str> = all.iter().map(|at| self.instances[*at].spec.name.as_str()).collect();
            return Answer::Refused(format!(
                "there is no instance {}; there are: {}",
                name.unwrap_or_default(),
                names.join(" ")
            ));
        }
        for at in which {
            self.feed(at, input.clone(), now);
        }
        Answer::Done(format!("{} {what}", name.as_deref().unwrap_or("every instance")))
    }
}
