//! Writing to standard output and standard error.
//!
//! A reader that goes away (`facereel settings | head`) is no error worth a message: what can't be written is dropped.

use std::io::{self, Write};

/// A line on standard output: results.
pub(crate) fn out(line: impl AsRef<str>) {
    // Nobody is left to be told.
    let _ = writeln!(io::stdout().lock(), "{}", line.as_ref());
}

/// A line on standard error: everything about how it goes.
pub(crate) fn err(line: impl AsRef<str>) {
    // Nobody is left to be told.
    let _ = writeln!(io::stderr().lock(), "{}", line.as_ref());
}
