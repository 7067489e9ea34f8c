//! Where the services and servers of a JSON text are written.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Line and column, from 1.
type Spot = (usize, usize);

/// The services of a text, each with its servers, in their order.
pub(crate) struct Places(Vec<(Spot, Vec<Spot>)>);

/// Values as they are written: slices of the text, which know where they lie in it.
#[derive(Deserialize)]
struct Services<'t> {
    #[serde(borrow)]
    services: Vec<&'t RawValue>,
}

#[derive(Deserialize)]
struct Servers<'t> {
    #[serde(borrow, default)]
    servers: Vec<&'t RawValue>,
}

impl Places {
    /// Those of a text that has been read; none of another.
    pub(crate) fn of(text: &str) -> Self {
        let starts: Vec<usize> =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let spot = |value: &RawValue| {
            let at = value.get().as_ptr() as usize - text.as_ptr() as usize;
            let line = starts.partition_point(|start| *start <= at);
            (line, text[starts[line - 1]..at].chars().count() + 1)
        };
        let found = serde_json::from_str::<Services<'_>>(text).map_or(Vec::new(), |s| s.services);
        let servers = |value: &&RawValue| {
            let inside = serde_json::from_str::<Servers<'_>>(value.get()).map_or(Vec::new(), |s| s.servers);
            // The inner slices are slices of the text too.
            (spot(value), inside.into_iter().map(spot).collect())
        };
        Self(found.iter().map(servers).collect())
    }

    /// Where a service begins, or a server of it; the first line for what is not there.
    pub(crate) fn spot(&self, service: usize, server: Option<usize>) -> Spot {
        let found = self.0.get(service).and_then(|(spot, servers)| match server {
            None => Some(spot),
            Some(i) => servers.get(i),
        });
        found.copied().unwrap_or((1, 1))
    }
}
