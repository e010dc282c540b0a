//! What a setting's value may be: reading it from text, checking it, describing it.

use std::fmt;

use serde_json::Value;

/// The type and range of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Switch,
    /// A whole number from the first to the second, both included.
    Integer(u32, u32),
    /// A number from the first to the second, both included.
    Number(f64, f64),
    /// Any text.
    Text,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// 64 hexadecimal digits, or nothing.
    Digest,
    /// Any number of texts; separated by commas where they are written in one line.
    List,
}

impl Kind {
    /// The value that `text` writes, or nothing if it is not allowed.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<Value> {
        let text = text.trim();
        let value = match self {
            Self::Switch => parse_switch(text)?.into(),
            Self::Integer(..) => text.parse::<u32>().ok()?.into(),
            Self::Number(..) => text.parse::<f64>().ok()?.into(),
            Self::Text | Self::Choice(_) | Self::Digest => text.into(),
            Self::List => text.split(',').map(str::trim).filter(|t| !t.is_empty()).collect(),
        };
        self.accept(&value)
    }

    /// The value as it is stored, or nothing if it is not allowed. A whole number serves where a number is due.
    #[must_use]
    pub fn accept(self, value: &Value) -> Option<Value> {
        let allowed = match self {
            Self::Switch => value.is_boolean(),
            Self::Integer(low, high) => {
                value.as_u64().is_some_and(|n| (low.into()..=high.into()).contains(&n))
            }
            // NaN lies in no range, and JSON has no number for it.
            Self::Number(low, high) => {
                return value.as_f64().filter(|n| (low..=high).contains(n)).map(Value::from);
            }
            Self::Text => value.is_string(),
            Self::Choice(names) => value.as_str().is_some_and(|t| names.contains(&t)),
            Self::Digest => value.as_str().is_some_and(is_digest),
            Self::List => value.as_array().is_some_and(|all| all.iter().all(Value::is_string)),
        };
        allowed.then(|| value.clone())
    }
}

/// What is allowed, as a phrase: `a whole number from 1 to 100`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str("true or false"),
            Self::Integer(low, high) => write!(f, "a whole number from {low} to {high}"),
            Self::Number(low, high) => write!(f, "a number from {low} to {high}"),
            Self::Text => f.write_str("text"),
            Self::Choice(names) => write!(f, "one of {}", quoted(names)),
            Self::Digest => f.write_str("64 hexadecimal digits, or nothing"),
            Self::List => f.write_str("a list of texts"),
        }
    }
}

fn parse_switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn is_digest(text: &str) -> bool {
    text.is_empty() || (text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn quoted(names: &[&str]) -> String {
    let all: Vec<String> =
        names.iter().map(|n| if n.is_empty() { "(empty)".to_owned() } else { (*n).to_owned() }).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_number_serves_where_a_number_is_due() {
        assert_eq!(Kind::Number(0.0, 9.0).accept(&json!(2)), Some(json!(2.0)));
        assert_eq!(Kind::Integer(0, 9).accept(&json!(2.0)), None);
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        for text in ["nan", "inf", "-inf", "", "1e999", "0x10", "1,5"] {
            assert_eq!(Kind::Number(-1e300, 1e300).parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_list_in_one_line_is_split_at_commas() {
        assert_eq!(Kind::List.parse("/a, s3://b,"), Some(json!(["/a", "s3://b"])));
        assert_eq!(Kind::List.parse(""), Some(json!([])));
    }

    #[test]
    fn a_digest_has_64_hexadecimal_digits() {
        assert!(Kind::Digest.parse("").is_some());
        assert!(Kind::Digest.parse(&"aF".repeat(32)).is_some());
        assert!(Kind::Digest.parse(&"a".repeat(63)).is_none());
        assert!(Kind::Digest.parse(&"g".repeat(64)).is_none());
    }

    proptest! {
        #[test]
        fn exactly_the_numbers_in_the_range_are_taken(
            low in -1e6..1e6_f64, width in 0.0..1e6_f64, n in -3e6..3e6_f64,
        ) {
            let high = low + width;
            let taken = Kind::Number(low, high).parse(&n.to_string());
            prop_assert_eq!(taken.is_some(), low <= n && n <= high);
        }

        #[test]
        fn exactly_the_whole_numbers_in_the_range_are_taken(
            low in 0..1000_u32, width in 0..1000_u32, n in -10..3000_i64,
        ) {
            let taken = Kind::Integer(low, low + width).parse(&n.to_string());
            prop_assert_eq!(taken.is_some(), i64::from(low) <= n && n <= i64::from(low + width));
        }
    }
}
