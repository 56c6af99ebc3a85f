//! Results on stdout.

use std::io::Write;

use crate::error::{Error, Result};

/// Prints a text. Whoever closes the pipe has seen enough.
///
/// # Errors
/// I/O other than that.
pub fn print(text: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    match output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
    {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::io("stdout".as_ref(), "write", e))
        }
        _ => Ok(()),
    }
}
