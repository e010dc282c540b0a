//! The least that a run could take: its parts alone, one after another, on the very inputs that the run had and on as many
//! threads, since cores that share caches and memory take longer side by side. What a run takes beyond them is the price of
//! everything around.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use detector_svc::detect::{InputSizes, selection};
use detector_svc::{Detectors, Sources, Trust};
use embedder_svc::{Embedders, aligned_face};
use facereel_domain::ids::{BatchIndex, SegmentIndex};
use facereel_domain::layout::{ObjectKey, RunLayout};
use facereel_domain::settings::{ModelSettings, RuntimeSettings};
use facereel_domain::time::Pts;
use facereel_imaging::align::AlignedFace;
use facereel_messages::Format;
use facereel_messages::objects::{
    DetectionCounts, DetectionsPart, EmbedBatch, EmbeddingsPart, Plan, RunRequest, Tracks, VideoFacts,
};
use facereel_service::objects;
use facereel_store::Store;
use facereel_video_decode::{Scaler, SegmentDecoder, VideoInfo, scan};
use rustix::time::{ClockId, clock_gettime};

use crate::embedded::load_models;

/// CPU of a run's parts, and how often each was done.
#[derive(Debug, Clone)]
pub(super) struct Floors {
    pub(super) video: VideoFacts,
    pub(super) counts: DetectionCounts,
    pub(super) frames_analysed: u64,
    pub(super) embeddings: u64,
    pub(super) decode: Duration,
    pub(super) detect: Duration,
    pub(super) embed: Duration,
}

impl Floors {
    /// All parts together.
    pub(super) fn sum(&self) -> Duration {
        self.decode + self.detect + self.embed
    }
}

/// A finished run whose work objects were kept.
pub(super) struct Leftovers {
    store: Arc<dyn Store>,
    layout: RunLayout,
    request: RunRequest,
    plan: Plan,
    tracks: Tracks,
    runtime: tokio::runtime::Runtime,
}

impl Leftovers {
    /// Reads what the run at `layout` left.
    pub(super) fn read(store: Arc<dyn Store>, layout: RunLayout) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (request, plan, tracks) = runtime.block_on(async {
            let store = store.as_ref();
            anyhow::Ok((
                objects::read(store, &layout.request()).await?,
                objects::read(store, &layout.plan()).await?,
                objects::read(store, &layout.tracks()).await?,
            ))
        })?;
        Ok(Self { store, layout, request, plan, tracks, runtime })
    }

    /// Does the run's decoding, detecting and embedding again, each by itself, on `threads` threads.
    pub(super) fn measure(&self, models: &ModelSettings, threads: usize) -> Result<Floors> {
        let mut decode = Duration::ZERO;
        let mut detect = Duration::ZERO;
        for (decoding, detecting) in side_by_side(threads, |turn| self.decode_and_detect(models, turn))? {
            decode += decoding;
            detect += detecting;
        }
        let embedded = side_by_side(threads, |turn| self.embed(models, turn))?;
        Ok(Floors {
            video: self.plan.video.clone(),
            counts: self.tracks.counts,
            frames_analysed: self.tracks.frames.len() as u64,
            embeddings: embedded.iter().map(|(count, _)| count).sum(),
            decode,
            detect,
            embed: embedded.iter().map(|(_, time)| time).sum(),
        })
    }

    fn decode_and_detect(&self, models: &ModelSettings, turn: Turn) -> Result<(Duration, Duration)> {
        let settings = &self.request.pipeline.detect;
        let (runtime, models) = load_models(models)?;
        let detectors = Detectors::new(runtime, models);
        let mut detector = detectors.take(settings, &self.request.models)?;
        let sources = Sources::new(&RuntimeSettings::default(), Trust::CommandLine)?;
        let input = self.runtime.block_on(sources.open(&self.request.source))?;
        let info: VideoInfo = scan(&input)?.info;
        let sizes = InputSizes::new(self.plan.video.size, settings, detector.smallest_face_px());
        let mut scaler = Scaler::new();
        let (mut decoding, mut detecting) = (Duration::ZERO, Duration::ZERO);
        for segment in turn.of(&self.plan.segments) {
            let looked_at = self.looked_at(segment.index)?;
            let selection = selection(segment, settings);
            let mut decoder =
                timed(&mut decoding, || SegmentDecoder::open(&input, &info, segment.range, selection))?;
            while let Some(frame) = timed(&mut decoding, || decoder.next_frame())? {
                let Some(is_wide) = looked_at.get(&frame.pts()) else { continue };
                let inputs = sizes.scale(&frame, &mut scaler, *is_wide)?;
                timed(&mut detecting, || inputs.faces(detector.as_mut()))?;
            }
        }
        Ok((decoding, detecting))
    }

    /// The frames of a segment that went through the detector, and whether in the wide too.
    fn looked_at(&self, segment: SegmentIndex) -> Result<BTreeMap<Pts, bool>> {
        let part: DetectionsPart = self.object(&self.layout.detections_part(segment))?;
        Ok(part
            .analysed
            .into_iter()
            .filter(|frame| !frame.reused)
            .map(|frame| (frame.pts, frame.wide))
            .collect())
    }

    fn embed(&self, models: &ModelSettings, turn: Turn) -> Result<(u64, Duration)> {
        let settings = &self.request.pipeline.embed;
        let mut embedding = Duration::ZERO;
        let mut count = 0;
        if self.tracks.batches == 0 {
            return Ok((count, embedding));
        }
        let (runtime, models) = load_models(models)?;
        let embedders = Embedders::new(runtime, models);
        let mut embedder = embedders.take(settings, &self.request.models)?;
        let batches: Vec<BatchIndex> = (0..self.tracks.batches).map(BatchIndex).collect();
        for number in turn.of(&batches) {
            let faces = self.aligned_faces(*number)?;
            for group in faces.chunks(settings.batch_size.max(1) as usize) {
                timed(&mut embedding, || embedder.embedder.embed(group))?;
                count += group.len() as u64;
            }
        }
        Ok((count, embedding))
    }

    /// The faces of a batch that got a vector, aligned.
    fn aligned_faces(&self, number: BatchIndex) -> Result<Vec<AlignedFace>> {
        let batch: EmbedBatch = self.object(&self.layout.embed_batch(number))?;
        let part: EmbeddingsPart = self.object(&self.layout.embeddings_part(number))?;
        let mut packs: BTreeMap<SegmentIndex, Bytes> = BTreeMap::new();
        let mut faces = Vec::new();
        for (face, embedded) in batch.faces.iter().zip(&part.faces) {
            if embedded.outcome.is_err() {
                continue;
            }
            let pack = match packs.entry(face.segment) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let key = self.layout.chip_pack(face.segment);
                    new.insert(self.runtime.block_on(self.store.get(&key))?)
                }
            };
            let start = usize::try_from(face.chip.offset)?;
            let chip = pack.get(start..start + face.chip.len as usize);
            faces.extend(chip.and_then(|chip| aligned_face(face, chip)));
        }
        Ok(faces)
    }

    fn object<T: Format>(&self, key: &ObjectKey) -> Result<T> {
        let read = objects::read(self.store.as_ref(), key);
        self.runtime.block_on(read).with_context(|| format!("{key}"))
    }
}

/// Which of several threads this is.
#[derive(Debug, Clone, Copy)]
struct Turn {
    number: usize,
    of: usize,
}

impl Turn {
    /// This thread's share: every so-many-th.
    fn of<T>(self, all: &[T]) -> impl Iterator<Item = &T> {
        all.iter().skip(self.number).step_by(self.of)
    }
}

/// Does `work` on `threads` threads at once.
fn side_by_side<T: Send>(threads: usize, work: impl Fn(Turn) -> Result<T> + Sync) -> Result<Vec<T>> {
    let of = threads.max(1);
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..of).map(|number| scope.spawn(move || work(Turn { number, of }))).collect();
        let results = threads.into_iter().map(|t| t.join().map_err(|_| anyhow!("a thread panicked"))?);
        results.collect()
    })
}

/// Does `work` and adds the CPU that this thread took for it.
fn timed<T>(sum: &mut Duration, work: impl FnOnce() -> T) -> T {
    let before = thread_cpu();
    let result = work();
    *sum += thread_cpu().saturating_sub(before);
    result
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}
