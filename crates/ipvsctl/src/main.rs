//! The command `ipvsctl`, also as `ipvsadm`, `ipvsadm-save` and `ipvsadm-restore`; everything is in the library.

fn main() -> std::process::ExitCode {
    ipvsctl::main(std::env::args_os())
}
