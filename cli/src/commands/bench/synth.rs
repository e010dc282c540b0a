//! `facereel bench synth`: a clip with exact ground truth.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use facereel_domain::geometry::Size;
use facereel_domain::time::Rational;
use facereel_synth::{Cast, ClipSpec, Preset, compose};
use indicatif::{ProgressBar, ProgressStyle};

use super::people;
use crate::console;
use crate::exit::Exit;

/// Compose a clip with exact ground truth from face photos.
#[derive(Debug, Args)]
pub(crate) struct SynthArgs {
    /// What is shown: demo, test, hard or long
    #[arg(long, default_value_t = Preset::Demo)]
    preset: Preset,
    /// Chooses people, places and movements
    #[arg(long)]
    seed: Option<u64>,
    /// Frames a second: 24 or 24000/1001
    #[arg(long, value_parser = rational)]
    fps: Option<Rational>,
    /// Width and height, as in 1280x720
    #[arg(long, value_parser = size)]
    size: Option<Size>,
    /// Length of the clip
    #[arg(long)]
    seconds: Option<f64>,
    /// How bright everything is, 0 (black) to 1 (as photographed): the same film in the dark
    #[arg(long)]
    light: Option<f64>,
    /// The folder to write clip.mp4 and its ground truth to
    #[arg(long, short)]
    out: PathBuf,
    #[command(flatten)]
    people: PeopleArgs,
}

/// Who is filmed: one of the two.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct PeopleArgs {
    /// The folder of the packages' photos (`make media` fills it)
    #[arg(long, value_name = "DIR")]
    media: Option<PathBuf>,
    /// People of your own in place of the packages': a folder for each person with one or more photos (JPEG, PNG); each
    /// time that somebody is seen, another one is shown. The face nearest to a photo's middle counts
    #[arg(long, value_name = "DIR")]
    people: Option<PathBuf>,
}

impl PeopleArgs {
    fn cast(&self) -> Result<Cast> {
        match (&self.media, &self.people) {
            (Some(media), _) => Ok(Cast::packaged(media)?),
            (None, Some(people)) => people::cast_in(people),
            (None, None) => Err(anyhow!("say who is filmed: --media DIR or --people DIR")),
        }
    }
}

/// Composes the clip.
pub(crate) fn run(args: &SynthArgs) -> Result<Exit> {
    let preset = ClipSpec::of(args.preset);
    let spec = ClipSpec {
        seed: args.seed.unwrap_or(preset.seed),
        fps: args.fps.unwrap_or(preset.fps),
        size: args.size.unwrap_or(preset.size),
        seconds: args.seconds.or(preset.seconds),
        light: args.light.unwrap_or(preset.light),
        ..preset
    };
    let cast = args.people.cast()?;
    let bar = ProgressBar::no_length().with_style(
        ProgressStyle::with_template("filming [{bar:24}] {pos}/{len} frames, left {eta}")?
            .progress_chars("=> "),
    );
    bar.enable_steady_tick(Duration::from_secs(1));
    let summary = compose(&spec, cast, &args.out, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    console::out(format!(
        "{}: {} frames, {} shots, {} tracks, {} faces",
        summary.clip.display(),
        summary.frames,
        summary.shots,
        summary.tracks,
        summary.faces
    ));
    Ok(Exit::Done)
}

fn size(text: &str) -> Result<Size> {
    let (width, height) = text.split_once('x').ok_or_else(|| anyhow!("write it as in 1280x720"))?;
    Ok(Size { width: width.parse()?, height: height.parse()? })
}

fn rational(text: &str) -> Result<Rational> {
    let (num, den) = text.split_once('/').unwrap_or((text, "1"));
    let number = |text| i64::from_str(text).context("write it as in 24 or 24000/1001");
    Ok(Rational::new(number(num)?, number(den)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_rates_are_read_as_people_write_them() {
        assert_eq!(size("1280x720").unwrap(), Size { width: 1280, height: 720 });
        assert!(size("1280").is_err() && size("ax2").is_err());
        assert_eq!(rational("24000/1001").unwrap(), Rational::new(24_000, 1001).unwrap());
        assert_eq!(rational("25").unwrap(), Rational::new(25, 1).unwrap());
        assert!(rational("0").is_err());
    }
}
