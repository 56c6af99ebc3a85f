//! Parse, run, exit code.

fn main() -> std::process::ExitCode {
    match fusiongen::cli::main() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(3))
        }
    }
}
