//! The program: its arguments in, its exit code out.

fn main() -> std::process::ExitCode {
    fusiongen::cli::main(std::env::args_os().collect()).into()
}
