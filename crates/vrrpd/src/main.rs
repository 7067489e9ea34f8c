//! `vrrpd`: see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    vrrpd::cli::run(std::env::args_os())
}
