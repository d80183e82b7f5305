use std::process::ExitCode;

fn main() -> ExitCode {
    keyquay_server::cli::run()
}
