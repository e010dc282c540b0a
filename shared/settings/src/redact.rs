//! Leaving credentials out of what is shown.

use std::borrow::Cow;

/// What stands for what was left out.
const LEFT_OUT: &str = "***";

/// `text` without what may be a credential: whatever stands between a scheme and an `@`, and a URL's query.
///
/// A password may hold any character, so the last `@` counts: rather too much is left out than too little.
#[must_use]
pub fn redacted(text: &str) -> Cow<'_, str> {
    let start = text.find("://").map_or(0, |scheme| scheme + "://".len());
    let (scheme, rest) = text.split_at(start);
    let signed = start > 0 && rest.contains('?');
    let has_user = rest.contains('@');
    if !signed && !has_user {
        return Cow::Borrowed(text);
    }
    let rest = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = if start > 0 { rest.split('?').next().unwrap_or_default() } else { rest };
    let user = if has_user { format!("{LEFT_OUT}@") } else { String::new() };
    let query = if signed { format!("?{LEFT_OUT}") } else { String::new() };
    Cow::Owned(format!("{scheme}{user}{place}{query}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_stay_readable() {
        assert_eq!(redacted("amqp://guest:secret@rabbit:5672/films"), "amqp://***@rabbit:5672/films");
        assert_eq!(redacted("s3://bucket/prefix"), "s3://bucket/prefix");
        assert_eq!(redacted("https://host/a.mp4?X-Signature=abc"), "https://host/a.mp4?***");
        assert_eq!(redacted("user:secret@host"), "***@host");
        assert_eq!(redacted("/videos/what?.mp4"), "/videos/what?.mp4");
        assert_eq!(redacted("in-process:"), "in-process:");
    }

    proptest! {
        #[test]
        fn no_password_is_ever_shown(secret in "[^q]{1,20}q[^q]{1,20}") {
            let shown = redacted(&format!("amqps://user:{secret}@host/films")).replacen("amqps", "", 1);
            prop_assert!(!shown.contains('q'), "{}", shown);
        }
    }
}
