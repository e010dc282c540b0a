//! What a clip should be.

use std::fmt;
use std::str::FromStr;

use facereel_domain::geometry::Size;
use facereel_domain::time::Rational;

use crate::error::SynthError;

/// A ready-made kind of clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// A minute of everything, for people to look at: 1280x720, 24 frames a second.
    Demo,
    /// The same in short and small, for end-to-end tests: 640x360, 24 frames a second.
    Test,
    /// What breaks trackers: faces that move by their own width between samples, come near or hide for a while, quick
    /// cuts, darkness, tiny faces, a camera in somebody's hands.
    Hard,
    /// An episode: 40 minutes of random shots in 1920x1080 at 24 frames a second and 4 Mb/s.
    Long,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::Demo, Self::Test, Self::Hard, Self::Long];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Test => "test",
            Self::Hard => "hard",
            Self::Long => "long",
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No preset has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no preset '{0}': take demo, test, hard or long")]
pub struct UnknownPreset(String);

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(text: &str) -> Result<Self, UnknownPreset> {
        Self::ALL.into_iter().find(|p| p.name() == text).ok_or_else(|| UnknownPreset(text.to_owned()))
    }
}

/// How many bits the video gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// As many as it takes: x264's constant rate factor, 0 (lossless) to 51.
    Quality(u8),
    /// On average this many thousand bits a second.
    Kbps(u32),
}

/// A clip to be made. Start from a preset and change what should differ.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipSpec {
    /// Which storyboard.
    pub preset: Preset,
    /// Chooses people, places and movements.
    pub seed: u64,
    /// Frames a second. Movements are in seconds: another rate shows the same film.
    pub fps: Rational,
    /// Width and height, both even.
    pub size: Size,
    /// Length; the storyboard is played again (with other people) until it is reached, and the last shot ends early.
    /// `None` plays it once.
    pub seconds: Option<f64>,
    /// Brightness of everything, 1 = as photographed: a darker film with the same truth shows what darkness costs.
    pub light: f64,
    /// Bit rate.
    pub rate: Rate,
}

impl ClipSpec {
    /// The preset as it stands.
    ///
    /// # Panics
    /// Never: the one fallible call has constants for arguments.
    #[must_use]
    pub fn of(preset: Preset) -> Self {
        let of_size = |width, height, rate| Self {
            preset,
            seed: 1,
            fps: Rational::new(24, 1).expect("24 and 1 are positive"),
            size: Size { width, height },
            seconds: None,
            light: 1.0,
            rate,
        };
        match preset {
            Preset::Demo | Preset::Hard => of_size(1280, 720, Rate::Quality(20)),
            Preset::Test => of_size(640, 360, Rate::Quality(20)),
            Preset::Long => Self { seconds: Some(2400.0), ..of_size(1920, 1080, Rate::Kbps(4000)) },
        }
    }

    /// Refuses what can't be filmed.
    pub(crate) fn check(&self) -> Result<(), SynthError> {
        let Size { width, height } = self.size;
        let refuse = |why: String| Err(SynthError::Specification(why));
        if !(64..=8192).contains(&width) || !(64..=8192).contains(&height) {
            return refuse(format!("{width}x{height} is not between 64x64 and 8192x8192"));
        }
        if width % 2 != 0 || height % 2 != 0 {
            return refuse(format!("{width}x{height} has an odd side, and the encoder needs even ones"));
        }
        if !(1.0..=240.0).contains(&self.fps.to_f64()) {
            return refuse(format!("{} frames a second are not between 1 and 240", self.fps));
        }
        if !(0.0..=1.0).contains(&self.light) {
            return refuse(format!("a light of {} is not between 0 and 1", self.light));
        }
        match self.seconds {
            Some(seconds) if !(0.5..=86_400.0).contains(&seconds) => {
                refuse(format!("{seconds} seconds are not between 0.5 and 86400"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_found_by_their_names() {
        for preset in Preset::ALL {
            assert_eq!(preset.name().parse(), Ok(preset));
            ClipSpec::of(preset).check().unwrap();
        }
        assert!("demos".parse::<Preset>().is_err());
    }

    #[test]
    fn what_can_not_be_filmed_is_refused() {
        let demo = ClipSpec::of(Preset::Demo);
        let odd = ClipSpec { size: Size { width: 641, height: 360 }, ..demo.clone() };
        let nothing = ClipSpec { seconds: Some(0.0), ..demo };
        assert!(odd.check().is_err());
        assert!(nothing.check().is_err());
    }
}
