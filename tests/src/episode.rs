//! Short episodes, and what the program alone makes of them: the measure for services.

use std::path::PathBuf;

use crate::build;
use crate::clip::Clip;
use crate::program::Call;

/// Small pieces of work, so that there is something to divide: three segments, and several batches of faces.
pub const PIECES: [&str; 4] = ["--set", "detect.segment_sec=2", "--set", "embed.job_faces=8"];

/// A short film under a name of its own.
#[derive(Debug, Clone)]
pub struct Episode {
    /// Its id.
    pub id: String,
    number: u64,
}

impl Episode {
    /// Episode `number`, from 1.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self { id: format!("EP-{number}"), number }
    }

    /// The first `count` of them.
    #[must_use]
    pub fn first(count: u64) -> Vec<Self> {
        (1..=count).map(Self::new).collect()
    }

    /// The film.
    ///
    /// # Panics
    ///
    /// Where it can't be composed.
    #[must_use]
    pub fn video(&self) -> PathBuf {
        Clip::short(self.number).video()
    }

    /// The store that `facereel run` leaves, with nobody to disturb it.
    ///
    /// # Panics
    ///
    /// Where it fails.
    #[must_use]
    pub fn alone(&self) -> PathBuf {
        let folder = build::made_once(&format!("alone-{}", self.number), |folder| {
            Call::run(&self.video(), folder).with(&PIECES).with(&["--episode", &self.id]).succeed();
            Ok(())
        });
        folder.unwrap_or_else(|error| panic!("{error:#}"))
    }
}
