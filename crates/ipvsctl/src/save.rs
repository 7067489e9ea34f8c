//! `-S`: the table as rule lines.

use std::fmt::{self, Write};

use lvs_core::ipvs::{ServerState, ServiceState};
use lvs_core::rule::{self, Style};
use lvs_core::table::ServiceKey;

use crate::list::{self, Print};
use crate::session::{Failure, Session};

struct Rules<'a>(Style<'a>);

impl Print for Rules<'_> {
    fn service(&self, out: &mut String, state: &ServiceState) -> fmt::Result {
        rule::add_service(out, self.0, &state.key, &state.service)?;
        out.write_char('\n')
    }

    fn server(&self, out: &mut String, key: &ServiceKey, server: &ServerState) -> fmt::Result {
        rule::add_server(out, self.0, key, server.endpoint, &server.server)?;
        out.write_char('\n')
    }
}

/// Writes every service and server as the line that makes it.
pub(crate) fn run(s: &mut Session, numeric: bool) -> Result<(), Failure> {
    let services = list::services(s)?;
    let spell = list::spelling(s, numeric, &services)?;
    let rules = Rules(Style { dialect: s.face.dialect(), spell: spell.as_ref() });
    list::each(s, &services, true, &rules)
}
