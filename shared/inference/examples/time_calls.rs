//! Milliseconds a call: `time_calls MODELS_DIR [PHOTO.jpg]`. Reads one thread's time on made-up pixels, which cost a
//! model what real ones do.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Instant;

use anyhow::Result;
use facereel_domain::geometry::{BBox, Landmarks, Size};
use facereel_imaging::align::{self, TEMPLATE};
use facereel_imaging::{RgbImage, jpeg, quality};
use facereel_inference::catalog::{ModelsDir, open_detector, open_embedder};
use facereel_inference::{Runtime, detector, embedder};

fn main() -> Result<()> {
    let models = ModelsDir::new(std::env::args().nth(1).unwrap_or_default());
    let runtime = Runtime::load(None, &models)?;
    for (name, width, height) in
        [("yunet", 320, 192), ("yunet", 640, 384), ("yunet", 640, 360), ("centerface", 640, 384)]
    {
        let model = open_detector(&models, name)?;
        let mut finder = detector::open(&runtime, &model, NonZeroUsize::MIN)?;
        let image = texture(Size { width, height })?;
        time(&format!("{name} {width}x{height}"), 40, || finder.detect(&image))?;
    }
    let mut vectors = embedder::open(&runtime, &open_embedder(&models, "sface")?, NonZeroUsize::MIN)?;
    let chip = texture(Size { width: 300, height: 300 })?;
    let landmarks = Landmarks(TEMPLATE).mapped(20.0, 20.0, 2.0);
    let face = BBox::from_xyxy([70.0, 60.0, 230.0, 250.0])?;
    let aligned: Vec<_> = align::align_face(&chip, &landmarks).into_iter().collect();
    time("sface, one face", 40, || vectors.embed(&aligned))?;
    let eight: Vec<_> = aligned.iter().cycle().take(8).cloned().collect();
    time("sface, eight faces", 10, || vectors.embed(&eight))?;
    time("align, plain", 200, || {
        anyhow::Ok(align::align_face(&chip, &Landmarks(TEMPLATE).mapped(20.0, 20.0, 1.5)))
    })?;
    time("align, reduced first", 200, || anyhow::Ok(align::align_face(&chip, &landmarks)))?;
    time("quality, 160 px", 500, || anyhow::Ok(quality::measure(&chip, &face, &landmarks)))?;
    let small = texture(Size { width: 256, height: 256 })?;
    let bytes = jpeg::encode(&small, 90)?;
    time("JPEG encode 256x256", 200, || jpeg::encode(&small, 90))?;
    time("JPEG decode 256x256", 200, || jpeg::decode(&bytes))?;
    Ok(())
}

fn time<T, E>(what: &str, rounds: u32, mut call: impl FnMut() -> Result<T, E>) -> Result<()>
where
    anyhow::Error: From<E>,
{
    for _ in 0..3 {
        black_box(call()?);
    }
    let mut fastest = f64::INFINITY;
    let start = Instant::now();
    for _ in 0..rounds {
        let one = Instant::now();
        black_box(call()?);
        fastest = fastest.min(one.elapsed().as_secs_f64());
    }
    let mean = start.elapsed().as_secs_f64() / f64::from(rounds);
    println!("{what:24} mean {:8.3} ms, fastest {:8.3} ms", mean * 1e3, fastest * 1e3);
    Ok(())
}

/// Smooth colours with some detail: what a JPEG of a face is like in cost.
fn texture(size: Size) -> Result<RgbImage> {
    let pixel = |x: u32, y: u32| {
        let wave = |f: f32| (127.0 + 100.0 * ((x as f32 * f).sin() * (y as f32 * f * 0.7).cos())) as u8;
        [wave(0.05), wave(0.11), wave(0.23)]
    };
    let data = (0..size.height).flat_map(|y| (0..size.width).flat_map(move |x| pixel(x, y))).collect();
    Ok(RgbImage::new(size, data)?)
}
