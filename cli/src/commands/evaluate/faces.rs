//! `facereel evaluate faces`: verification accuracy on labelled pairs of photos.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::Args;
use detector_svc::Detectors;
use embedder_svc::Embedders;
use facereel_domain::embedding::Embedding;
use facereel_imaging::align;
use facereel_synth::read_photo;

use super::pairs::{Pair, Photo, parse};
use super::verification::{Scored, accepted_at, area_under_curve, best_threshold, cross_validated};
use crate::console;
use crate::embedded::load_models;
use crate::exit::Exit;
use crate::photos::central_face;
use crate::setting_args::SettingArgs;

/// How well detector, alignment and embedder together tell whether two photos show one person.
///
/// The face nearest to each photo's middle counts. Pairs with a photo in which no face is found are told apart as
/// two people, so that missed faces cost accuracy.
#[derive(Debug, Args)]
pub(crate) struct FacesArgs {
    /// Pairs in the format of Labeled Faces in the Wild (pairs.txt)
    #[arg(long, value_name = "FILE")]
    pairs: PathBuf,
    /// The photos, a folder for each person
    #[arg(long, value_name = "DIR")]
    images: PathBuf,
    /// Width at which photos go through the detector
    #[arg(long, default_value_t = 256)]
    width: u32,
    #[command(flatten)]
    settings: SettingArgs,
}

/// Measures and prints the figures.
pub(crate) fn run(args: &FacesArgs) -> Result<Exit> {
    let text =
        fs::read_to_string(&args.pairs).with_context(|| format!("{} can't be read", args.pairs.display()))?;
    let list = parse(&text).map_err(|line| {
        anyhow!(
            "{}: line {line} is no pair: write NAME, 1, 2 or NAME, 1, OTHER, 2 between tabs",
            args.pairs.display()
        )
    })?;
    let vectors = vectors(args, &list.pairs)?;
    let scored: Vec<Scored> = list
        .pairs
        .iter()
        .filter(|pair| pair.photos.iter().all(|photo| vectors.contains_key(photo)))
        .map(|pair| (similarity(pair, &vectors), pair.is_same))
        .collect();
    ensure!(!scored.is_empty(), "no pair has both of its photos in {}", args.images.display());
    let faceless = vectors.values().filter(|vector| vector.is_none()).count();
    let missing = list.pairs.len() - scored.len();
    console::out(format!("photos      {}, {faceless} without a face", vectors.len()));
    console::out(format!("pairs       {}, {missing} left out because a photo is missing", scored.len()));
    report(&scored, list.folds);
    Ok(Exit::Done)
}

fn report(scored: &[Scored], folds: usize) {
    let best = best_threshold(scored);
    console::out(format!(
        "accuracy    {:.2} % at threshold {:.3}, the best for these pairs",
        100.0 * best.share,
        best.threshold
    ));
    if folds > 1 {
        let mean = 100.0 * cross_validated(scored, folds);
        console::out(format!(
            "            {mean:.2} % over {folds} folds, each with the threshold of the others"
        ));
    }
    console::out(format!("AUC         {:.5}", area_under_curve(scored)));
    for rate in [0.01, 0.001] {
        let accepted = 100.0 * accepted_at(scored, rate);
        console::out(format!(
            "TAR@FAR     {accepted:.2} % of one person accepted at {} % of two",
            100.0 * rate
        ));
    }
}

/// Likeness of a pair; without a vector there is none.
fn similarity(pair: &Pair, vectors: &BTreeMap<Photo, Option<Embedding>>) -> f32 {
    let [a, b] = pair.photos.each_ref().map(|photo| vectors.get(photo).and_then(Option::as_ref));
    a.zip(b).map_or(-1.0, |(a, b)| a.similarity(b))
}

/// A vector for each photo that exists; `None` where no face is found.
fn vectors(args: &FacesArgs, pairs: &[Pair]) -> Result<BTreeMap<Photo, Option<Embedding>>> {
    let settings = args.settings.resolve(Vec::new())?.settings;
    let (runtime, models) = load_models(&settings.runtime.models)?;
    let (detect, embed) = (&settings.pipeline.detect, &settings.pipeline.embed);
    let records =
        [detector_svc::detector_record(&models, detect)?, embedder_svc::embedder_record(&models, embed)?];
    let detectors = Detectors::new(runtime.clone(), models.clone());
    let embedders = Embedders::new(runtime, models);
    let mut finder = detectors.take(detect, &records)?;
    let mut embedder = embedders.take(embed, &records)?;
    let mut vectors = BTreeMap::new();
    for photo in pairs.iter().flat_map(|pair| &pair.photos) {
        let path = photo.path(&args.images);
        if vectors.contains_key(photo) || !path.exists() {
            continue;
        }
        let image = read_photo(&path)?;
        let face = central_face(&image, args.width, finder.as_mut())?;
        let vector = match face.and_then(|face| align::align_face(&image, &face.landmarks)) {
            Some(aligned) => embedder.embedder.embed(&[aligned])?.pop(),
            None => None,
        };
        vectors.insert(photo.clone(), vector);
    }
    Ok(vectors)
}
