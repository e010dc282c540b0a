//! Which frames may be the first of a shot, judged while the video is decoded.

use crate::settings::ShotSettings;

/// What is known of a decoded frame when it is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Change from the decoded frame before (see [`change`](super::change())); 0 where that is not known.
    pub change: f32,
    /// Mean luma, 0 to 255.
    pub mean: f32,
    /// Standard deviation of luma, 0 to 128.
    pub spread: f32,
}

/// Decides which frames may begin a shot. Two ways lead there:
///
/// - a *cut*: the change is large, and large against what is usual in the frames before, so that a shaky camera or a
///   quick pan raises the bar. Usual is the third largest of the last five changes: a cut or a flash just before (up
///   to two outliers) does not hide the next cut;
/// - the *end of a plain stretch*: the frame before was black, white or of one colour, this one is not.
///
/// Promise: with fewer frames known before, a frame is a candidate at least as often. So what a worker finds that
/// starts in the middle of a video contains what one finds that saw all of it.
#[derive(Debug, Clone)]
pub struct CandidateRule {
    cut_threshold: f32,
    fade_level: f32,
}

impl CandidateRule {
    /// So many frames before are looked at.
    pub const MEMORY: usize = 5;
    /// A cut's change is at least so many times the usual.
    pub const CUT_RATIO: f32 = 2.5;

    /// From this mean luma on, a plain picture may have all of the spread that the settings allow; in the dark less, as
    /// all contrast is less there,
    const FULL_LIGHT: f32 = 30.0;
    /// but never less than this share of it, which noise and compression leave in black.
    const SHARE_IN_BLACK: f32 = 0.25;
    /// Which of the remembered changes is the usual one, counted from the largest.
    const USUAL_RANK: usize = 3;

    /// The rule with these settings.
    #[must_use]
    pub fn new(settings: &ShotSettings) -> Self {
        Self { cut_threshold: settings.cut_threshold, fade_level: settings.fade_level }
    }

    /// Whether the frame `now` may be the first of a shot. `before` holds the decoded frames before it, the latest
    /// last, as many as are known up to [`Self::MEMORY`]; more are not looked at.
    ///
    /// The first frame of a segment, whose change is not known, belongs into `before` with a change of 0. Where
    /// nothing is known, every frame is a candidate.
    #[must_use]
    pub fn is_candidate(&self, before: &[Step], now: &Step) -> bool {
        before.is_empty() || self.is_cut(before, now) || self.leaves_plain(before, now)
    }

    /// Whether the picture changed at once, also against what is usual in `around`, the steps to one side of `now`, the
    /// nearest last.
    #[must_use]
    pub fn is_cut(&self, around: &[Step], now: &Step) -> bool {
        now.change >= self.cut_threshold.max(Self::CUT_RATIO * usual_change(around))
    }

    /// Whether the picture is plain: black, white or one colour.
    #[must_use]
    pub fn is_plain(&self, step: &Step) -> bool {
        step.spread <= self.fade_level * (step.mean / Self::FULL_LIGHT).clamp(Self::SHARE_IN_BLACK, 1.0)
    }

    fn leaves_plain(&self, before: &[Step], now: &Step) -> bool {
        before.last().is_some_and(|last| self.is_plain(last)) && !self.is_plain(now)
    }
}

/// The third largest of the last five changes; unknown ones count as none.
fn usual_change(steps: &[Step]) -> f32 {
    let start = steps.len().saturating_sub(CandidateRule::MEMORY);
    let mut changes: Vec<f32> = steps[start..].iter().map(|step| step.change).collect();
    changes.sort_by(|a, b| b.total_cmp(a));
    changes.get(CandidateRule::USUAL_RANK - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn step(change: f32) -> Step {
        Step { change, mean: 120.0, spread: 40.0 }
    }

    fn steps(changes: &[f32]) -> Vec<Step> {
        changes.iter().copied().map(step).collect()
    }

    fn plain(mean: f32) -> Step {
        Step { change: 0.05, mean, spread: 0.5 }
    }

    fn rule() -> CandidateRule {
        CandidateRule::new(&ShotSettings::default())
    }

    #[test]
    fn a_large_change_after_quiet_frames_is_a_candidate() {
        assert!(rule().is_candidate(&steps(&[0.02; 5]), &step(0.6)));
        assert!(!rule().is_candidate(&steps(&[0.02; 5]), &step(0.2)));
    }

    #[test]
    fn steady_motion_raises_the_bar() {
        assert!(!rule().is_candidate(&steps(&[0.3, 0.35, 0.4, 0.3, 0.35]), &step(0.45)));
        assert!(rule().is_candidate(&steps(&[0.3, 0.35, 0.4, 0.3, 0.35]), &step(0.95)));
    }

    #[test]
    fn two_cuts_just_before_do_not_hide_a_third() {
        assert!(rule().is_candidate(&steps(&[0.02, 0.02, 0.9, 0.02, 0.9]), &step(0.6)));
    }

    #[test]
    fn the_first_frame_out_of_black_white_or_a_colour_is_a_candidate() {
        for mean in [16.0, 120.0, 235.0] {
            let out = Step { change: 0.1, mean, spread: 9.0 };
            assert!(rule().is_candidate(&[plain(mean), plain(mean)], &out), "{mean}");
            assert!(!rule().is_candidate(&[plain(mean), out], &out), "{mean}");
        }
    }

    #[test]
    fn a_picture_in_the_dark_is_not_black() {
        let faint = |mean, spread| Step { change: 0.0, mean, spread };
        assert!(rule().is_plain(&faint(120.0, 2.5)) && rule().is_plain(&faint(1.0, 0.6)));
        assert!(!rule().is_plain(&faint(8.0, 2.5)));
    }

    fn any_step() -> impl Strategy<Value = Step> {
        (0.0_f32..1.0, 16.0_f32..235.0, 0.0_f32..60.0).prop_map(|(change, mean, spread)| Step {
            change,
            mean,
            spread,
        })
    }

    proptest! {
        #[test]
        fn whoever_knows_fewer_frames_finds_at_least_as_many_candidates(
            before in proptest::collection::vec(any_step(), 0..10),
            now in any_step(),
            known in 0_usize..10,
        ) {
            let mut late = before[before.len() - known.min(before.len())..].to_vec();
            if let Some(first) = late.first_mut() {
                first.change = 0.0;
            }
            prop_assert!(!rule().is_candidate(&before, &now) || rule().is_candidate(&late, &now));
        }
    }
}
