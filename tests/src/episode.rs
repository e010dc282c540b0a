//! Short episodes, and what the program alone makes of them: the measure for services.

use std::path::PathBuf;

use crate::build;
use crate::clip::Clip;
use crate::media::ffmpeg;
use crate::program::Call;

/// Small pieces of work, so that there is something to divide: three segments, and several batches of faces.
pub const PIECES: [&str; 4] = ["--set", "detect.segment_sec=2", "--set", "embed.job_faces=8"];

/// A short film under a name of its own.
#[derive(Debug, Clone)]
pub struct Episode {
    /// Its id.
    pub id: String,
    film: Film,
}

#[derive(Debug, Clone, Copy)]
enum Film {
    /// Six seconds; another number shows other people.
    Short(u64),
    /// The first two or three seconds of such a film; no two are the same file.
    Tiny(u64),
}

impl Episode {
    /// Episode `number`, from 1.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self { id: format!("EP-{number}"), film: Film::Short(number) }
    }

    /// The first `count` of them.
    #[must_use]
    pub fn first(count: u64) -> Vec<Self> {
        (1..=count).map(Self::new).collect()
    }

    /// So many tiny ones, each a run of its own: other people, other lengths, or at least other files.
    #[must_use]
    pub fn tiny(count: u64) -> Vec<Self> {
        let tiny = |number| Self { id: format!("TINY-{number:02}"), film: Film::Tiny(number) };
        (1..=count).map(tiny).collect()
    }

    /// The film.
    ///
    /// # Panics
    ///
    /// Where it can't be composed.
    #[must_use]
    pub fn video(&self) -> PathBuf {
        let number = match self.film {
            Film::Short(number) => return Clip::short(number).video(),
            Film::Tiny(number) => number,
        };
        let folder = build::made_once(&format!("clip-tiny-{number}"), |folder| {
            let whole = Clip::short(1 + number % 3).video();
            let seconds = 2.0 + 0.25 * (number % 4) as f64;
            let cut = format!("-map 0:v -t {seconds} -c copy -metadata comment={number} clip.mp4");
            ffmpeg(folder, &format!("-i {} {cut}", whole.display()));
            Ok(())
        });
        folder.unwrap_or_else(|error| panic!("{error:#}")).join("clip.mp4")
    }

    /// The store that `facereel run` leaves, with nobody to disturb it.
    ///
    /// # Panics
    ///
    /// Where it fails.
    #[must_use]
    pub fn alone(&self) -> PathBuf {
        let folder = build::made_once(&format!("alone-{}", self.id), |folder| {
            Call::run(&self.video(), folder).with(&PIECES).with(&["--episode", &self.id]).succeed();
            Ok(())
        });
        folder.unwrap_or_else(|error| panic!("{error:#}"))
    }
}
