//! Where a value came from.

use std::fmt;
use std::path::PathBuf;

use facereel_domain::settings::Profile;

/// Where a value came from, in ascending order of precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// The profile differs from the defaults here.
    Profile(Profile),
    /// A settings file.
    File(PathBuf),
    /// An environment variable, by name.
    Environment(String),
    /// A flag, as the user wrote it without its value.
    CommandLine(String),
    /// A job on a queue, or a stored run: somebody else resolved the settings.
    Message,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Profile(name) => write!(f, "profile {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::CommandLine(flag) => write!(f, "command line {flag}"),
            Self::Message => f.write_str("message"),
        }
    }
}
