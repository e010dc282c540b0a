//! The arguments by which every program takes settings.

use std::path::Path;

use crate::error::SettingsError;
use crate::loader::{Loader, Override};
use crate::resolved::Resolved;

/// What `--profile`, `--config` and `--set` (as `PATH=VALUE`, any number) were given.
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a> {
    /// A profile's name.
    pub profile: Option<&'a str>,
    /// A settings file.
    pub config: Option<&'a Path>,
    /// Assignments.
    pub set: &'a [String],
}

impl Arguments<'_> {
    /// All settings: defaults, profile, file, environment, then `flags`, then these assignments: the most explicit wins.
    pub fn load(self, flags: impl IntoIterator<Item = Override>) -> Result<Resolved, SettingsError> {
        let mut loader = Loader::new().process_env();
        if let Some(name) = self.profile {
            loader = loader.profile(name);
        }
        if let Some(file) = self.config {
            loader = loader.file(file);
        }
        let set = self.set.iter().map(|text| Override::assignment(text)).collect::<Result<Vec<_>, _>>()?;
        loader.overrides(flags).overrides(set).load()
    }
}
