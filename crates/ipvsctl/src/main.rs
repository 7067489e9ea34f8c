//! See the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ipvsctl::verbs::main(std::env::args_os())
}
