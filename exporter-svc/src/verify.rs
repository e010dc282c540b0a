//! Checks a run from the outside: only what lies in the store counts, nothing is taken on trust from the run's making.
//!
//! Promises:
//!
//! 1. Every problem says which file is wrong, where in it, and what is wrong there, as a sentence for people.
//! 2. Whatever a file holds (garbage, another version, absurd numbers) is a problem, never a panic. Only a store that
//!    does not answer is an error.
//! 3. Crops are read one at a time; of a manifest no more is held than its rows.
//!
//! Checked are the digests, and also what digests can't show: that the files agree with each other. So a run that was
//! edited by hand and signed again is found too.
//!
//! Of a run from which faces were erased, what the records of the erasures leave is checked: that it is whole, and that what
//! was erased is gone.
//!
//! Deliberately absent: repair. A run is a function of its inputs; make it again.

mod artifacts;
mod crops;
mod detections;
mod erasures;
mod faces;
mod metrics;
mod problems;
mod rows;
mod tracks;
mod vectors;

use facereel_domain::digest::Sha256Digest;
use facereel_domain::geometry::Size;
use facereel_domain::ids::{EpisodeId, RunRef};
use facereel_domain::layout::{EPISODES, EpisodeLayout, RunLayout};
use facereel_store::{Store, StoreError, if_there};
use serde::{Deserialize, Serialize};

pub use self::erasures::ErasedNote;
pub use self::problems::Problem;

use self::artifacts::RunFiles;
use self::detections::Numbering;
use self::problems::Problems;
use crate::commit::{Artifact, CurrentRun, ManifestCounts};
use crate::erase::{Extent, remains};
use crate::manifests::{DetectionRow, FaceRow, SCHEMA_VERSION, ShotRow, TrackRow};

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The run; absent where `current.json` names none.
    #[serde(flatten)]
    pub run: Option<RunRef>,
    /// How much was looked at.
    pub checked: Checked,
    /// Erasures that were done, in order.
    pub erased: Vec<ErasedNote>,
    /// What is wrong, in the order of checking; empty for a good run.
    pub problems: Vec<Problem>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Files that were read and compared with their digests.
    pub artifacts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows of the manifests.
    pub rows: u64,
    /// Vectors.
    pub vectors: u64,
    /// Crops.
    pub crops: u64,
}

/// Checks the run `run`, and the episode's pointer where it points to it.
pub async fn verify_run(store: &dyn Store, run: &RunRef) -> Result<Report, StoreError> {
    let mut problems = Problems::default();
    let nothing = |problems: Problems, erased| Report {
        run: Some(run.clone()),
        checked: Checked::default(),
        erased,
        problems: problems.into_list(),
    };
    let Some((mut manifest, digest)) = read_manifest(store, run, &mut problems).await? else {
        return Ok(nothing(problems, Vec::new()));
    };
    let Some(records) = erasures::read(store, (run, digest), &mut problems).await? else {
        return Ok(nothing(problems, Vec::new()));
    };
    let (erased, made) = (erasures::notes(&records), manifest.counts);
    let remains = remains(&manifest.artifacts, manifest.counts, &records);
    manifest.artifacts.clone_from(&remains.artifacts);
    manifest.counts = remains.counts;
    let mut files = RunFiles::open(store, (run, &manifest, &remains), problems).await?;
    let contents = Contents::read(&mut files).await?;
    contents.check(&manifest, &mut files);
    let dim = vectors::check_faces(&contents, &mut files).await?;
    vectors::check_tracks(&contents, dim, &mut files).await?;
    // Figures about the run as it was made: they tell of nobody, and stay.
    metrics::check(&made, &mut files).await?;
    crops::check(&contents, &mut files).await?;
    crops::check_total(manifest.counts.crops, &mut files);
    let (mut checked, problems) = files.finish();
    checked.rows = contents.row_count();
    Ok(Report { run: Some(run.clone()), checked, erased, problems: problems.into_list() })
}

/// Checks the run that the episode's `current.json` points to. An episode without one is `NotFound`.
pub async fn verify_episode(store: &dyn Store, ep_id: &EpisodeId) -> Result<Report, StoreError> {
    let bytes = store.get(&EpisodeLayout::new(ep_id).current()).await?;
    match serde_json::from_slice::<CurrentRun>(&bytes) {
        Ok(pointer) if pointer.run.ep_id == *ep_id => verify_run(store, &pointer.run).await,
        Ok(pointer) => Ok(bad_pointer(format!("it names episode '{}'", pointer.run.ep_id))),
        Err(error) => Ok(bad_pointer(format!("it is no pointer to a run: {error}"))),
    }
}

fn bad_pointer(what: String) -> Report {
    let mut problems = Problems::default();
    problems.add(CURRENT, what);
    Report { run: None, checked: Checked::default(), erased: Vec::new(), problems: problems.into_list() }
}

/// All runs with a commit, by episode and run. Lists the whole store: takes a while where there are many crops.
pub async fn list_committed(store: &dyn Store) -> Result<Vec<RunRef>, StoreError> {
    let objects = store.list(EPISODES).await?;
    Ok(objects.iter().filter_map(|object| committed_run(object.key.as_str())).collect())
}

/// The run whose commit lies at `key`.
fn committed_run(key: &str) -> Option<RunRef> {
    let parts: Vec<&str> = key.split('/').collect();
    let [_, ep_id, "runs", run_id, "manifest.json"] = parts[..] else { return None };
    Some(RunRef { ep_id: ep_id.parse().ok()?, run_id: run_id.parse().ok()? })
}

/// Checks every run with a commit, and every episode whose `current.json` leads to none.
pub async fn verify_all(store: &dyn Store) -> Result<Vec<Report>, StoreError> {
    let objects = store.list(EPISODES).await?;
    let mut reports = Vec::new();
    for run in objects.iter().filter_map(|object| committed_run(object.key.as_str())) {
        reports.push(verify_run(store, &run).await?);
    }
    for ep_id in objects.iter().filter_map(|object| pointing_episode(object.key.as_str())) {
        let pointer = store.get(&EpisodeLayout::new(&ep_id).current()).await?;
        let mut verified = reports.iter().filter_map(|report| report.run.as_ref());
        let is_reported = match serde_json::from_slice::<CurrentRun>(&pointer) {
            Ok(pointer) => verified.any(|run| *run == pointer.run),
            // A pointer that can't be read is a problem of each run of its episode.
            Err(_) => verified.any(|run| run.ep_id == ep_id),
        };
        if !is_reported {
            reports.push(verify_episode(store, &ep_id).await?);
        }
    }
    Ok(reports)
}

/// The episode whose pointer lies at `key`.
fn pointing_episode(key: &str) -> Option<EpisodeId> {
    let parts: Vec<&str> = key.split('/').collect();
    let [_, ep_id, CURRENT] = parts[..] else { return None };
    ep_id.parse().ok()
}

const MANIFEST: &str = "manifest.json";
const CURRENT: &str = "current.json";

/// What verification needs of the commit. The rest is taken as it is: which settings there are differs between versions
/// of the program, and their runs stay good.
#[derive(Deserialize)]
struct Commit {
    schema_version: u32,
    #[serde(flatten)]
    run: RunRef,
    video: Video,
    counts: ManifestCounts,
    artifacts: Vec<Artifact>,
}

#[derive(Deserialize)]
struct Video {
    size: Size,
}

/// The commit, checked by itself and against the pointer; `None` where nothing else can be checked.
async fn read_manifest(
    store: &dyn Store,
    run: &RunRef,
    problems: &mut Problems,
) -> Result<Option<(Commit, Sha256Digest)>, StoreError> {
    let Some(bytes) = if_there(store.get(&RunLayout::new(run).manifest()).await)? else {
        problems.add(MANIFEST, "it is missing: the run was never finished, or is being made");
        return Ok(None);
    };
    let Some(manifest) = rows::parse_file::<Commit>(MANIFEST, &bytes, problems) else { return Ok(None) };
    if manifest.schema_version != SCHEMA_VERSION {
        problems.add(MANIFEST, rows::unknown_version(manifest.schema_version.into()));
        return Ok(None);
    }
    if manifest.run != *run {
        let named = &manifest.run;
        problems
            .add(MANIFEST, format!("it is the commit of episode '{}', run {}", named.ep_id, named.run_id));
    }
    let current = store.get(&EpisodeLayout::new(&run.ep_id).current()).await;
    match if_there(current)? {
        None => problems.add(CURRENT, "it is missing: start the run again to have it written"),
        Some(pointer) => check_pointer(&pointer, (run, &bytes), problems),
    }
    Ok(Some((manifest, Sha256Digest::of(&bytes))))
}

fn check_pointer(pointer: &[u8], (run, manifest): (&RunRef, &[u8]), problems: &mut Problems) {
    let Some(pointer) = rows::parse_file::<CurrentRun>(CURRENT, pointer, problems) else { return };
    // An episode may have older runs beside the current one.
    if pointer.run != *run {
        return;
    }
    if pointer.manifest != RunLayout::new(run).manifest() {
        problems.add(CURRENT, format!("it points to '{}', which is not the run's commit", pointer.manifest));
    }
    let actual = Sha256Digest::of(manifest);
    if pointer.manifest_sha256 != actual {
        let named = pointer.manifest_sha256;
        problems.add(CURRENT, format!("it says that manifest.json has digest {named}, it has {actual}"));
    }
}

/// The rows of all manifests; `None` for a file that can't be used.
struct Contents {
    shots: Option<Vec<ShotRow>>,
    detections: Option<detections::Detections>,
    tracks: Option<Vec<TrackRow>>,
    faces: Option<Vec<FaceRow>>,
}

impl Contents {
    async fn read(files: &mut RunFiles<'_>) -> Result<Self, StoreError> {
        let layout = files.layout.clone();
        let shots = rows::read::<ShotRow>(files, &layout.shots_jsonl()).await?;
        let detections = rows::read::<DetectionRow>(files, &layout.detections_jsonl()).await?;
        let tracks = rows::read::<TrackRow>(files, &layout.tracks_jsonl()).await?;
        let faces = rows::read::<FaceRow>(files, &layout.faces_jsonl()).await?;
        let size = files.video_size;
        let numbering = match files.extent {
            Extent::Nothing => Numbering::Gapless,
            Extent::Tracks(_) | Extent::Run => Numbering::WithGaps,
        };
        let detections =
            detections.map(|rows| detections::index(&rows, (size, numbering), &mut files.problems));
        Ok(Self { shots, detections, tracks, faces })
    }

    fn row_count(&self) -> u64 {
        let counts = [
            self.shots.as_ref().map(Vec::len),
            self.detections.as_ref().map(detections::Detections::len),
            self.tracks.as_ref().map(Vec::len),
            self.faces.as_ref().map(Vec::len),
        ];
        counts.into_iter().flatten().sum::<usize>() as u64
    }

    /// Compares the manifests with each other and with the commit's counts.
    fn check(&self, manifest: &Commit, files: &mut RunFiles<'_>) {
        let extent = files.extent;
        let problems = &mut files.problems;
        tracks::check_shots(self, problems);
        tracks::check_tracks((self, extent), problems);
        faces::check((self, extent), problems);
        let counts = &manifest.counts;
        let analysed = |shots: &Vec<ShotRow>| {
            shots.iter().fold(0_u64, |sum, shot| sum.saturating_add(shot.analysed_frames))
        };
        for (name, stated, found) in [
            ("shots", counts.shots, self.shots.as_ref().map(|rows| rows.len() as u64)),
            ("frames_analysed", counts.frames_analysed, self.shots.as_ref().map(analysed)),
            ("detections", counts.detections, self.detections.as_ref().map(|d| d.len() as u64)),
            ("tracks", counts.tracks, self.tracks.as_ref().map(|rows| tracks::with_faces(rows))),
            ("faces", counts.faces, self.faces.as_ref().map(|rows| rows.len() as u64)),
            ("embeddings", counts.embeddings, self.faces.as_ref().map(|rows| faces::embedded(rows))),
        ] {
            if let Some(found) = found.filter(|found| *found != stated) {
                problems.add(MANIFEST, format!("counts.{name} is {stated}, the files have {found}"));
            }
        }
    }
}
