//! The command `tcpcheck`; everything is in the library.

fn main() -> std::process::ExitCode {
    tcpcheck::main(std::env::args_os())
}
