//! Which sampled frames go through the wide input as well, that small faces need.
//!
//! It costs more than twice as much as the other, and most shots show no small face. So it is looked at now and then, and
//! all the time while there is one. The decision knows the samples since the last keyframe only, where segments may begin,
//! so that it does not depend on where they do.

use facereel_domain::shot::{Thumbnail, change};

/// A picture that differs from the last wide one by this much is another scene, or the camera has moved on.
const OTHER_PICTURE: f32 = 0.3;

/// Decides from sample to sample.
pub(super) struct WideLooks {
    /// `None` where there is no wide input.
    every: Option<u32>,
    last: Option<WideLook>,
}

/// The last wide look.
struct WideLook {
    thumbnail: Thumbnail,
    showed_small_faces: bool,
    /// Samples since.
    samples: u32,
}

impl WideLooks {
    /// One sample in `every`, at least; no sample for `None`.
    pub(super) fn new(every: Option<u32>) -> Self {
        Self { every, last: None }
    }

    /// Forgets what was: a keyframe.
    pub(super) fn start_anew(&mut self) {
        self.last = None;
    }

    /// Whether the next sample, `thumbnail`, is looked at in the wide.
    pub(super) fn is_due(&self, thumbnail: &Thumbnail) -> bool {
        let Some(every) = self.every else { return false };
        self.last.as_ref().is_none_or(|last| {
            last.showed_small_faces
                || last.samples + 1 >= every
                || change(&last.thumbnail, thumbnail) >= OTHER_PICTURE
        })
    }

    /// The sample was looked at in the wide.
    pub(super) fn looked(&mut self, thumbnail: &Thumbnail, showed_small_faces: bool) {
        self.last = Some(WideLook { thumbnail: thumbnail.clone(), showed_small_faces, samples: 0 });
    }

    /// The sample was not, nor was one that looks the same.
    pub(super) fn passed(&mut self) {
        if let Some(last) = &mut self.last {
            last.samples += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(level: u8) -> Thumbnail {
        let stripes = (0..576).map(|i| if i % 2 == 0 { level } else { 255 - level }).collect();
        Thumbnail::new(stripes, vec![level; 144], vec![128; 144]).unwrap()
    }

    /// Which of these samples are looked at in the wide, if so many of them show a small face in it.
    fn looks(every: u32, samples: &[(u8, bool)]) -> Vec<usize> {
        let mut wide = WideLooks::new(Some(every));
        let mut looked = Vec::new();
        for (at, (level, shows_small_faces)) in samples.iter().enumerate() {
            if wide.is_due(&picture(*level)) {
                wide.looked(&picture(*level), *shows_small_faces);
                looked.push(at);
            } else {
                wide.passed();
            }
        }
        looked
    }

    #[test]
    fn one_sample_in_so_many_is_looked_at_while_there_is_no_small_face() {
        assert_eq!(looks(4, &[(50, false); 10]), [0, 4, 8]);
        assert_eq!(looks(1, &[(50, false); 4]), [0, 1, 2, 3]);
    }

    #[test]
    fn every_sample_is_looked_at_while_there_is_one() {
        let mut samples = [(50, false); 12];
        for sample in &mut samples[3..7] {
            sample.1 = true;
        }
        // Found at the next look, at 4, and gone at 7.
        assert_eq!(looks(4, &samples), [0, 4, 5, 6, 7, 11]);
    }

    #[test]
    fn another_picture_is_looked_at_at_once() {
        let samples = [(50, false), (50, false), (200, false), (200, false)];
        assert_eq!(looks(4, &samples), [0, 2]);
    }

    #[test]
    fn without_a_wide_input_none_is_due() {
        assert!(!WideLooks::new(None).is_due(&picture(50)));
    }

    #[test]
    fn a_keyframe_starts_anew() {
        let mut wide = WideLooks::new(Some(4));
        wide.looked(&picture(50), false);
        assert!(!wide.is_due(&picture(50)));
        wide.start_anew();
        assert!(wide.is_due(&picture(50)));
    }
}
