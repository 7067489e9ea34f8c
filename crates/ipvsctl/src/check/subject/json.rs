//! A table in JSON, with the lines where its services and servers begin.

use super::{Subject, count, place, wrong};
use crate::check::pages::Pages;
use crate::document::{self, Places};

impl Subject {
    /// From the JSON of `list --json`.
    pub(crate) fn of_json(name: &str, text: &str) -> Self {
        let mut it = Self { pages: Pages::one(name, text), ..Self::default() };
        let at = |(line, column): (usize, usize)| place("", line, column);
        match document::read(text) {
            Err(fault) => {
                let at = it.pages.excerpt(at((fault.line, fault.column)));
                it.findings = vec![wrong("bad-json", at, fault.text)];
                it
            }
            Ok((document, table)) => {
                it.contents = count(&table);
                it.table = table;
                let places = Places::of(text);
                for (i, (key, servers)) in document.items().enumerate() {
                    it.places.push(((key, None), at(places.spot(i, None))));
                    for (j, (endpoint, port)) in servers.into_iter().enumerate() {
                        it.places.push(((key, Some(endpoint)), at(places.spot(i, Some(j)))));
                        it.written_ports.push((key, endpoint, port));
                    }
                }
                it.ordered()
            }
        }
    }
}
