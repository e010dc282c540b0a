//! Settings: defaults < profile < file < environment < command line, checked and explained.
//!
//! A setting is written as text in one of five places, read and checked against its row in the table of knobs
//! ([`knobs`]), and handed out as the ready values of `facereel_domain::settings`. Nobody else reads the
//! environment or a settings file, and nobody else checks a range.
//!
//! Promises:
//!
//! 1. A key that does not exist is refused, with the nearest that does; so is a value outside its range, with
//!    the range and the place the value came from.
//! 2. Every ready value knows its source, and `facereel settings` shows it; credentials in URLs are never shown.
//! 3. The older names of the system that facereel succeeds are accepted, each with a note that names the new
//!    one. A duration given in frames becomes seconds once the video's frame rate is known
//!    ([`Resolved::with_fps`]).
//! 4. Settings that arrive in a message are checked by the same rules ([`validate`]).
//! 5. The defaults are those of `facereel_domain::settings`; the table of knobs adds what other profiles change.
//!    `docs/settings.md` is generated from both.
//!
//! The crate `config` reads the file. The layers are merged here, because the source of each value, the older
//! names and durations in frames have to survive the merge.

mod arguments;
mod check;
mod error;
mod kind;
mod knob;
pub mod knobs;
mod legacy;
mod loader;
mod nearest;
mod paths;
mod redact;
mod reference;
mod resolved;
mod source;
mod table;

pub use arguments::Arguments;
pub use check::validate;
pub use error::SettingsError;
pub use kind::Kind;
pub use knob::{Knob, Legacy, Reading, Scope};
pub use legacy::{LegacyFlag, legacy_flags};
pub use loader::{Loader, Override};
pub use paths::canonical_text;
pub use redact::redacted;
pub use reference::render_reference;
pub use resolved::{Reported, Resolved};
pub use source::Source;
pub use table::render_table;
