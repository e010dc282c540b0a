//! Several pieces of one person made into one track.

use facereel_domain::embedding::Embedding;
use facereel_domain::spread::{View, best_spread};
use facereel_messages::objects::{FacePurpose, Prototype};

use crate::assemble::{ChosenFace, FinalTrack};

/// One track of `pieces`, which are in order of time; `None` where there are none. Of its faces `sample_limit` (0 = all)
/// stay samples, as if it had been one track from the beginning.
pub(crate) fn merge(pieces: Vec<FinalTrack>, sample_limit: usize) -> Option<FinalTrack> {
    let is_whole = pieces.len() == 1;
    let prototype = joint_prototype(&pieces);
    let mut pieces = pieces.into_iter();
    let mut track = pieces.next()?;
    if is_whole {
        return Some(track);
    }
    for piece in pieces {
        track.observations.extend(piece.observations);
        track.chosen.extend(piece.chosen);
    }
    limit_samples(&mut track.chosen, sample_limit);
    track.prototype = prototype;
    Some(track)
}

/// The mean of the pieces' prototypes, each counted by its faces, and the faces' mean similarity to it.
fn joint_prototype(pieces: &[FinalTrack]) -> Option<Prototype> {
    let with_prototype = || pieces.iter().filter_map(|piece| Some((piece, piece.prototype.as_ref()?)));
    let (_, first) = with_prototype().next()?;
    let mut sum = vec![0.0_f64; first.embedding.as_slice().len()];
    for (piece, prototype) in with_prototype() {
        let weight = vectors(piece).count() as f64;
        for (total, value) in sum.iter_mut().zip(prototype.embedding.as_slice()) {
            *total += weight * f64::from(*value);
        }
    }
    let embedding = Embedding::normalized(sum.into_iter().map(|value| value as f32).collect()).ok()?;
    let (total, count) = pieces
        .iter()
        .flat_map(vectors)
        .fold((0.0_f64, 0_u32), |(total, count), v| (total + f64::from(embedding.similarity(v)), count + 1));
    let cohesion = (total / f64::from(count.max(1))) as f32;
    Some(Prototype { embedding, cohesion, ..first.clone() })
}

fn vectors(piece: &FinalTrack) -> impl Iterator<Item = &Embedding> {
    piece.chosen.iter().filter_map(|face| face.embedded.outcome.as_ref().ok())
}

/// Leaves the best `limit` samples, spread over the track's life; the others were still looked at for who they are.
fn limit_samples(chosen: &mut [ChosenFace], limit: usize) {
    let samples: Vec<usize> =
        (0..chosen.len()).filter(|place| chosen[*place].chosen.purpose != FacePurpose::Gate).collect();
    let view = |place: &usize| {
        let face = &chosen[*place].chosen;
        View { ts: face.ts, score: face.quality.score }
    };
    let kept = best_spread(&samples.iter().map(view).collect::<Vec<_>>(), limit);
    for (nth, place) in samples.into_iter().enumerate() {
        if kept.binary_search(&nth).is_err() {
            chosen[place].chosen.purpose = FacePurpose::Gate;
        }
    }
}
