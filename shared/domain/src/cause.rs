//! Errors and what is behind them.

use std::error::Error;
use std::iter::from_fn;

/// What is behind an error, the nearest first; not the error itself.
pub fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = error.source();
    from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// An error with all that is behind it, `: ` between them.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    causes(error).fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the episode can't be read")]
    struct Outer(#[source] std::num::ParseIntError);

    #[test]
    fn a_chain_tells_the_error_and_its_causes() {
        let error = Outer("x".parse::<u8>().unwrap_err());
        assert_eq!(chain(&error), "the episode can't be read: invalid digit found in string");
        assert_eq!(causes(&error).count(), 1);
    }
}
