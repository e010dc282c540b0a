//! What is known of an episode's frames.

use facereel_domain::settings::ShotSettings;
use facereel_domain::shot::{CandidateRule, Step, Thumbnail, change};
use facereel_domain::time::Timeline;
use facereel_messages::objects::{AnalysedFrame, DecodedFrame, DetectionsPart, FrameOrigin};

/// Samples nearer to each other than this say nothing new, and look at rest in any motion.
const SPACING_SEC: f64 = 0.12;

/// What the segments of an episode showed, joined.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// How timestamps become seconds.
    pub timeline: Timeline,
    /// Every decoded frame in order of presentation, each with its change from the one before.
    pub decoded: Vec<DecodedFrame>,
    /// The analysed frames in order of presentation.
    pub analysed: Vec<&'a AnalysedFrame>,
}

impl<'a> Evidence<'a> {
    /// Joins the parts of an episode, which come in order; the change across their edges is worked out here.
    #[must_use]
    pub fn gather(timeline: Timeline, parts: &'a [DetectionsPart]) -> Self {
        let mut decoded = Vec::with_capacity(parts.iter().map(|part| part.decoded.len()).sum());
        let mut last: Option<&Thumbnail> = None;
        for part in parts {
            let joint = decoded.len();
            decoded.extend_from_slice(&part.decoded);
            let Some((first_of_part, last_of_part)) = &part.edges else { continue };
            if let (Some(before), Some(frame)) = (last, decoded.get_mut(joint)) {
                frame.change = change(before, first_of_part);
            }
            last = Some(last_of_part);
        }
        Self { timeline, decoded, analysed: parts.iter().flat_map(|part| &part.analysed).collect() }
    }
}

/// A frame whose picture is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// Place among the decoded frames.
    pub(super) at: usize,
    pub(super) thumbnail: &'a Thumbnail,
    pub(super) is_sampled: bool,
}

/// The evidence, made ready for questions: frames are addressed by their place among the decoded ones.
pub(super) struct Film<'a> {
    pub(super) rule: CandidateRule,
    pub(super) steps: Vec<Step>,
    /// The frames whose pictures are known wherever segments begin: the sampled ones, and the candidates that a worker
    /// would find that saw the whole video.
    pub(super) views: Vec<View<'a>>,
    seconds: Vec<f64>,
}

impl<'a> Film<'a> {
    pub(super) fn new(evidence: &Evidence<'a>, settings: &ShotSettings) -> Self {
        let steps = evidence.decoded.iter().map(|frame| Step {
            change: frame.change,
            mean: frame.mean,
            spread: frame.spread,
        });
        let mut film = Self {
            rule: CandidateRule::new(settings),
            steps: steps.collect(),
            views: Vec::new(),
            seconds: evidence.decoded.iter().map(|f| evidence.timeline.seconds(f.pts)).collect(),
        };
        film.views = evidence.analysed.iter().filter_map(|frame| film.view_of(evidence, frame)).collect();
        film
    }

    fn view_of(&self, evidence: &Evidence<'_>, frame: &'a AnalysedFrame) -> Option<View<'a>> {
        let at = evidence.decoded.binary_search_by_key(&frame.pts, |decoded| decoded.pts).ok()?;
        let is_sampled = frame.origin == FrameOrigin::Sampled;
        let is_known_anyway = is_sampled || self.is_candidate(at);
        is_known_anyway.then_some(View { at, thumbnail: &frame.thumbnail, is_sampled })
    }

    fn is_candidate(&self, at: usize) -> bool {
        at > 0 && self.rule.is_candidate(self.before(at), &self.steps[at])
    }

    /// How many frames were decoded.
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    /// The steps before a frame, as the candidate rule wants them.
    pub(super) fn before(&self, at: usize) -> &[Step] {
        &self.steps[at.saturating_sub(CandidateRule::MEMORY)..at]
    }

    /// Seconds from one frame to another.
    pub(super) fn seconds_between(&self, from: usize, to: usize) -> f64 {
        self.seconds[to] - self.seconds[from]
    }

    pub(super) fn is_plain(&self, at: usize) -> bool {
        self.rule.is_plain(&self.steps[at])
    }

    /// The views from a frame on.
    pub(super) fn views_from(&self, at: usize) -> &[View<'a>] {
        &self.views[self.views.partition_point(|view| view.at < at)..]
    }

    /// The picture of a frame.
    pub(super) fn view_at(&self, at: usize) -> Option<View<'a>> {
        self.views_from(at).first().filter(|view| view.at == at).copied()
    }

    /// The last picture before a frame, from `first` on, that is not plain.
    pub(super) fn view_before(&self, at: usize, first: usize) -> Option<View<'a>> {
        self.views_before(at, first).find(|view| !self.is_plain(view.at)).copied()
    }

    /// The views before a frame, from `first` on, the latest first.
    pub(super) fn views_before(&self, at: usize, first: usize) -> impl Iterator<Item = &View<'a>> {
        let end = self.views.partition_point(|view| view.at < at);
        self.views[..end].iter().rev().take_while(move |view| view.at >= first)
    }

    /// The last two sampled pictures before a frame, from `first` on.
    pub(super) fn samples_before(&self, at: usize, first: usize) -> Option<[View<'a>; 2]> {
        two_samples(self.views_before(at, first))
    }

    /// The first two sampled pictures from a frame on.
    pub(super) fn samples_from(&self, at: usize) -> Option<[View<'a>; 2]> {
        two_samples(self.views_from(at).iter())
    }

    /// The sampled pictures from `first` to before `end` that are not plain, none too near to the one before.
    pub(super) fn spaced_samples(&self, first: usize, end: usize) -> Vec<View<'a>> {
        let mut chosen: Vec<View<'a>> = Vec::new();
        for view in self.views_from(first).iter().take_while(|view| view.at < end) {
            let spaced = |last: &View<'_>| self.seconds_between(last.at, view.at) >= SPACING_SEC;
            if view.is_sampled && !self.is_plain(view.at) && chosen.last().is_none_or(spaced) {
                chosen.push(*view);
            }
        }
        chosen
    }
}

fn two_samples<'v, 'a: 'v>(views: impl Iterator<Item = &'v View<'a>>) -> Option<[View<'a>; 2]> {
    let mut sampled = views.filter(|view| view.is_sampled).copied();
    Some([sampled.next()?, sampled.next()?])
}
