//! Accuracy of detector, alignment and embedder together on labelled pairs of photos, in the layout of LFW:
//! `verify_pairs MODELS_DIR PAIRS_DIR [DETECTOR]`, where `PAIRS_DIR` holds `pairs.txt` and `images/NAME/NAME_0001.jpg`.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use facereel_domain::embedding::Embedding;
use facereel_imaging::{RgbImage, align, jpeg};
use facereel_inference::catalog::{ModelsDir, open_detector, open_embedder};
use facereel_inference::{FaceDetector, FaceEmbedder, Runtime, detector, embedder};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [models, pairs, rest @ ..] = &arguments[..] else {
        anyhow::bail!("usage: verify_pairs MODELS_DIR PAIRS_DIR [DETECTOR]");
    };
    let models = ModelsDir::new(models);
    let runtime = Runtime::load(None, &models)?;
    let model = open_detector(&models, rest.first().map_or("yunet", String::as_str))?;
    let mut finder = detector::open(&runtime, &model, NonZeroUsize::MIN)?;
    let mut vectors = embedder::open(&runtime, &open_embedder(&models, "sface")?, NonZeroUsize::MIN)?;

    let pairs_dir = Path::new(pairs);
    let mut known: BTreeMap<PathBuf, Option<Embedding>> = BTreeMap::new();
    let mut scored: Vec<(f32, bool)> = Vec::new();
    for line in fs::read_to_string(pairs_dir.join("pairs.txt"))?.lines().skip(1) {
        let Some((photos, same)) = parse(line) else { continue };
        let mut pair = Vec::new();
        for (person, number) in photos {
            let path = pairs_dir.join(format!("images/{person}/{person}_{number:04}.jpg"));
            if !path.exists() {
                continue;
            }
            if !known.contains_key(&path) {
                let image = jpeg::decode(&fs::read(&path)?)?;
                let vector = central_face(finder.as_mut(), vectors.as_mut(), &image)?;
                known.insert(path.clone(), vector);
            }
            pair.extend(known.get(&path).cloned().flatten());
        }
        if let [a, b] = &pair[..] {
            scored.push((a.similarity(b), same));
        }
    }
    report(&known, &mut scored).context("no pairs were found")
}

/// A line of `pairs.txt`: `NAME 1 2` is a pair of one person, `NAME 1 OTHER 2` one of two.
fn parse(line: &str) -> Option<([(&str, u32); 2], bool)> {
    let parts: Vec<_> = line.split('\t').collect();
    match parts[..] {
        [name, a, b] => Some(([(name, a.parse().ok()?), (name, b.parse().ok()?)], true)),
        [name, a, other, b] => Some(([(name, a.parse().ok()?), (other, b.parse().ok()?)], false)),
        _ => None,
    }
}

/// The vector of the face nearest to the image's middle: the one that the photo is of.
fn central_face(
    finder: &mut dyn FaceDetector,
    embedder: &mut dyn FaceEmbedder,
    image: &RgbImage,
) -> Result<Option<Embedding>> {
    let (x, y) = (image.size().width as f32 / 2.0, image.size().height as f32 / 2.0);
    let off_centre = |c: &[f32; 4]| (f32::midpoint(c[0], c[2]) - x).hypot(f32::midpoint(c[1], c[3]) - y);
    let faces = finder.detect(image)?;
    let nearest = faces.iter().min_by(|a, b| off_centre(&a.corners).total_cmp(&off_centre(&b.corners)));
    let Some(aligned) = nearest.and_then(|face| align::align_face(image, &face.landmarks)) else {
        return Ok(None);
    };
    Ok(embedder.embed(&[aligned])?.pop())
}

fn report(known: &BTreeMap<PathBuf, Option<Embedding>>, scored: &mut [(f32, bool)]) -> Option<()> {
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let same = scored.iter().filter(|(_, same)| *same).count();
    let mut right = scored.len() - same;
    let mut best = (right, f32::INFINITY);
    let (mut above, mut area) = (0, 0_u64);
    for (similarity, is_same) in scored.iter() {
        if *is_same {
            above += 1;
            right += 1;
        } else {
            area += above;
            right -= 1;
        }
        if right > best.0 {
            best = (right, *similarity);
        }
    }
    let pairs = scored.len();
    let auc = area as f64 / (same * (pairs - same)) as f64;
    println!("{} photos, {} without a face", known.len(), known.values().filter(|v| v.is_none()).count());
    println!(
        "{pairs} pairs: accuracy {:.2} %, threshold {:.3}, AUC {auc:.5}",
        best.0 as f64 * 100.0 / pairs as f64,
        best.1
    );
    (pairs > 0).then_some(())
}
