//! The command; everything it does is in the library.

fn main() -> std::process::ExitCode {
    rs_prep::cli::main(std::env::args_os())
}
