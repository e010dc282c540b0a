//! What the measures look at: ids and overlaps, frame by frame, nothing about pictures.

use std::collections::BTreeMap;

use facereel_domain::geometry::BBox;

use crate::assignment::best_pairs;

/// Overlaps this far below a threshold still reach it: boxes come from text with two decimals.
pub(crate) const ROUNDING: f64 = 1e-6;

/// A box with the id it belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Identified {
    /// The track, of the truth or of the result.
    pub id: u32,
    /// Where it is.
    pub bbox: BBox,
}

/// The true and the found boxes of a frame. Ids are places from 0, without gaps over the sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    pub(crate) truth: Vec<usize>,
    pub(crate) found: Vec<usize>,
    /// `IoU`, a row for each true box.
    overlaps: Vec<f64>,
}

impl Frame {
    /// `IoU` of a true box and a found one, by their places in the frame.
    pub(crate) fn overlap(&self, truth: usize, found: usize) -> f64 {
        self.overlaps[truth * self.found.len() + found]
    }

    /// The pairs of places with the greatest total score.
    pub(crate) fn best_pairs(&self, score: impl Fn(usize, usize) -> f64) -> Vec<(usize, usize)> {
        best_pairs((self.truth.len(), self.found.len()), score)
    }
}

/// Two tracks, a true and a found one, by their ids.
pub(crate) type TrackPair = (usize, usize);

/// Frames in order of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sequence {
    pub(crate) frames: Vec<Frame>,
    /// In how many frames each true track is.
    pub(crate) truth_lengths: Vec<u64>,
    /// In how many frames each found track is.
    pub(crate) found_lengths: Vec<u64>,
}

impl Sequence {
    /// A sequence from true and found boxes, frame by frame. In a frame an id stands once.
    #[must_use]
    pub fn new(frames: impl IntoIterator<Item = (Vec<Identified>, Vec<Identified>)>) -> Self {
        let (mut truth, mut found) = (Ids::default(), Ids::default());
        let frames = frames
            .into_iter()
            .map(|(true_boxes, found_boxes)| Frame {
                truth: true_boxes.iter().map(|b| truth.count(b.id)).collect(),
                found: found_boxes.iter().map(|b| found.count(b.id)).collect(),
                overlaps: true_boxes
                    .iter()
                    .flat_map(|t| found_boxes.iter().map(|f| f64::from(t.bbox.iou(&f.bbox))))
                    .collect(),
            })
            .collect();
        Self { frames, truth_lengths: truth.lengths, found_lengths: found.lengths }
    }

    /// True boxes.
    #[must_use]
    pub fn truth_boxes(&self) -> u64 {
        self.truth_lengths.iter().sum()
    }

    /// Found boxes.
    #[must_use]
    pub fn found_boxes(&self) -> u64 {
        self.found_lengths.iter().sum()
    }
}

/// Places of ids in order of first appearance.
#[derive(Default)]
struct Ids {
    places: BTreeMap<u32, usize>,
    lengths: Vec<u64>,
}

impl Ids {
    fn count(&mut self, id: u32) -> usize {
        let place = *self.places.entry(id).or_insert_with(|| {
            self.lengths.push(0);
            self.lengths.len() - 1
        });
        self.lengths[place] += 1;
        place
    }
}

/// Sequences for the measures' tests: boxes of 10 x 10 at `x` along a line.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A frame: `(id, x)` of true boxes, `(id, x)` of found ones.
    pub(crate) type Placed<'a> = (&'a [(u32, f32)], &'a [(u32, f32)]);

    pub(crate) fn boxes(placed: &[(u32, f32)]) -> Vec<Identified> {
        let bbox = |x| BBox::from_xyxy([x, 0.0, x + 10.0, 10.0]).unwrap();
        placed.iter().map(|&(id, x)| Identified { id, bbox: bbox(x) }).collect()
    }

    pub(crate) fn sequence(frames: &[Placed<'_>]) -> Sequence {
        Sequence::new(frames.iter().map(|(truth, found)| (boxes(truth), boxes(found))))
    }
}
