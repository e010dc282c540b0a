//! The composed clip that most end-to-end tests run on.

use std::path::PathBuf;

use facereel_domain::geometry::Size;
use facereel_domain::time::Rational;
use facereel_synth::{Cast, ClipSpec, Preset, compose};

use crate::{build, media};

/// A composed clip and its ground truth.
#[derive(Debug, Clone)]
pub struct Clip {
    /// The folder of clip and truth.
    pub folder: PathBuf,
}

impl Clip {
    /// Seventeen seconds of everything in 640x360 at 24 frames a second: see the preset `test` of `facereel-synth`.
    ///
    /// # Panics
    ///
    /// Where it can't be composed.
    #[must_use]
    pub fn of_everything() -> Self {
        Self::composed("clip", &ClipSpec::of(Preset::Test))
    }

    /// The same film at another frame rate.
    ///
    /// # Panics
    ///
    /// Where it can't be composed.
    #[must_use]
    pub fn at_rate(fps: u32) -> Self {
        let fps_exact = Rational::new(i64::from(fps), 1).expect("a frame rate is positive");
        Self::composed(&format!("clip-{fps}"), &ClipSpec { fps: fps_exact, ..ClipSpec::of(Preset::Test) })
    }

    /// The same film with hardly any light.
    ///
    /// # Panics
    ///
    /// Where it can't be composed.
    #[must_use]
    pub fn in_the_dark() -> Self {
        Self::composed("clip-dark", &ClipSpec { light: 0.08, ..ClipSpec::of(Preset::Test) })
    }

    /// Ten seconds that end in four shots of half a second each.
    ///
    /// # Panics
    ///
    /// Where it can't be composed.
    #[must_use]
    pub fn of_quick_shots() -> Self {
        let spec = ClipSpec {
            seconds: Some(10.0),
            size: Size { width: 640, height: 360 },
            ..ClipSpec::of(Preset::Hard)
        };
        Self::composed("clip-quick", &spec)
    }

    /// Six seconds of people who talk and stand; another `seed` shows other people.
    ///
    /// # Panics
    ///
    /// Where it can't be composed.
    #[must_use]
    pub fn short(seed: u64) -> Self {
        let spec = ClipSpec { seed, seconds: Some(6.0), ..ClipSpec::of(Preset::Test) };
        Self::composed(&format!("clip-short-{seed}"), &spec)
    }

    /// The video.
    #[must_use]
    pub fn video(&self) -> PathBuf {
        self.folder.join("clip.mp4")
    }

    fn composed(name: &str, spec: &ClipSpec) -> Self {
        let folder = build::made_once(name, |folder| {
            compose(spec, Cast::packaged(&media::photos())?, folder, &mut |_, _| {})?;
            Ok(())
        });
        Self { folder: folder.unwrap_or_else(|error| panic!("{error:#}")) }
    }
}
