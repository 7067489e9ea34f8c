//! `ipvsctl export`: the table, or that of a file, as keepalived.conf, rule lines or JSON.

mod keepalived;

use lvs_core::ipvs::Ipvs;
use lvs_core::plan::{Scope, diff};
use lvs_core::sys::ipvs::Client;
use lvs_core::table::Table;

use crate::document::Document;
use crate::failure::Failure;
use crate::out::print;
use crate::source::{self, Content};

/// What comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// keepalived.conf: all that is understood of one, definitions and includes spelled out; of a table its
    /// virtual_server blocks, real servers without checks
    Keepalived,
    /// Rule lines that 'ipvsctl -R' takes
    Rules,
    /// The JSON of 'list --json' without what is counted
    Json,
}

/// The options of `export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What comes out
    #[arg(short, long, value_enum)]
    format: Format,
    /// keepalived.conf, the JSON of 'list --json', or rule lines; - is standard input [default: the kernel's table]
    file: Option<String>,
}

/// Reads a table and prints it in another form.
///
/// # Errors
/// The file is wrong, the kernel refused to tell, or the format cannot say what the table holds.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let table = match &args.file {
        Some(file) => match (source::read(file)?, args.format) {
            // A configuration in its own language keeps what is no table: routers, checks, scripts.
            (Content::Config(config), Format::Keepalived) => {
                return print(&lvs_core::conf::print::print(&config)).map(|()| 0);
            }
            (content, _) => Table::from(content),
        },
        None => Client::open()?.read()?,
    };
    print(&render(&table, args.format).map_err(Failure::Refused)?).map(|()| 0)
}

/// The table as text.
///
/// # Errors
/// One sentence: what this format cannot say.
pub fn render(table: &Table, format: Format) -> Result<String, String> {
    match format {
        Format::Keepalived => keepalived::render(table),
        Format::Rules => {
            let ops = diff(&Table::default(), table, &Scope::Everything);
            Ok(ops.iter().map(|op| format!("{op}\n")).collect())
        }
        Format::Json => {
            let text = serde_json::to_string_pretty(&Document::from(table)).map_err(|e| e.to_string())?;
            Ok(text + "\n")
        }
    }
}

#[cfg(test)]
mod tests;
