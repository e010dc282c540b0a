//! What an hour of video takes, by stage and profile, and what follows from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use facereel_domain::pipeline::{Lane, Stage};
use facereel_domain::settings::{DetectSettings, EmbedSettings, QueueSettings};
use facereel_queue::QueueName;
use facereel_tests::cluster::Cluster;
use facereel_tests::media::ffmpeg;
use facereel_tests::rehearsal::rules::{self, Deployed};
use facereel_tests::sizing::{self, Assumptions, Ceilings, Limit, Part, Tier, Usage};

use crate::page::Table;
use crate::plant::Plant;

/// Profiles, the quickest first.
const PROFILES: [&str; 3] = ["fast", "balanced", "high"];
/// The profile that limits are sorted by.
const DEFAULT: usize = 1;
/// As much of a clip is measured, in seconds: longer ones are such a piece played again and again.
const PIECE_SEC: u32 = 120;
/// As much of the last clip besides, to tell what grows with jobs and what with video.
const LONGER_SEC: u32 = 240;
const LOADS: [f64; 3] = [10.0, 1000.0, 100_000.0];
const ASSUMPTIONS: Assumptions =
    Assumptions { episode_hours: 44.0 / 60.0, peak: 2.0, utilisation: 0.7, node_cores: 16.0 };
/// What S3 promises for each prefix, requests a second.
const PREFIX_READS: f64 = 5500.0;
const PREFIX_WRITES: f64 = 3500.0;
const SECONDS_PER_HOUR: f64 = 3600.0;
/// Messages that a queue's pace is measured by, and the bytes of each: a job's.
const MESSAGES: usize = 2000;
const JOB_BYTES: usize = 130;

/// A clip under all profiles.
struct Measured {
    name: String,
    /// For an hour of video, by profile and stage.
    hourly: Vec<Vec<Usage>>,
}

/// All clips, and needs and limits by the last of them.
pub(crate) fn measure(clips: &[PathBuf]) -> Result<Vec<Table>> {
    let deployed = rules::of_overlay("overlays/prod")?;
    let plant = Plant::open(&deployed)?;
    let slots = plant.slots()?;
    let shares = shares(&plant, clips.last().context("sizing needs a clip")?)?;
    // How many bytes a job reads beside its own part of the video depends on the video.
    let of_others: Vec<_> = shares.iter().map(|share| Usage { read_bytes: 0.0, ..*share }).collect();
    let measured = clips.iter().enumerate().map(|(at, clip)| {
        let shares = if at + 1 == clips.len() { &shares } else { &of_others };
        of_clip(&plant, clip, shares)
    });
    let measured = measured.collect::<Result<Vec<_>>>()?;
    drop(plant);
    let ceilings = ceilings(&deployed)?;
    let last = measured.last().context("sizing needs a clip")?;
    let tiers: Vec<_> = last.hourly.iter().map(|hourly| tiers(hourly, &deployed, &slots)).collect();
    Ok(vec![hourly_table(&measured), needs_table(&tiers), limits_table(&tiers, &ceilings)])
}

/// What each job asks of the store, by stage: from two pieces of the clip.
fn shares(plant: &Plant, clip: &Path) -> Result<Vec<Usage>> {
    let [short, long] = [PIECE_SEC, LONGER_SEC].map(|seconds| {
        let folder = tempfile::tempdir()?;
        plant.run(&[(&format!("piece-{seconds}"), &cut(clip, folder.path(), seconds)?)], &[])
    });
    let (short, long) = (short?, long?);
    let of_stage = |stage| sizing::share_of_a_job(&short.piece(stage), &long.piece(stage));
    Ok((0..Stage::ALL.len()).map(of_stage).collect())
}

fn of_clip(plant: &Plant, clip: &Path, shares: &[Usage]) -> Result<Measured> {
    let folder = tempfile::tempdir()?;
    let piece = cut(clip, folder.path(), PIECE_SEC)?;
    let name = clip.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let hourly = PROFILES.map(|profile| {
        let taken = plant.run(&[(&format!("{name}-{profile}"), &piece)], &["--profile", profile])?;
        let jobs = jobs_of_an_episode(taken.faces / taken.hours);
        let hours = ASSUMPTIONS.episode_hours;
        let hour = |stage| taken.piece(stage).hour_of_an_episode(hours, jobs[stage], shares[stage]);
        Ok((0..Stage::ALL.len()).map(hour).collect())
    });
    Ok(Measured { name, hourly: hourly.into_iter().collect::<Result<_>>()? })
}

/// The first seconds of a clip.
fn cut(clip: &Path, folder: &Path, seconds: u32) -> Result<PathBuf> {
    let whole = fs::canonicalize(clip).with_context(|| format!("{} is not there", clip.display()))?;
    ffmpeg(folder, &format!("-i {} -map 0:v -t {seconds} -c copy cut.mp4", whole.display()));
    Ok(folder.join("cut.mp4"))
}

/// By stage: an episode is long enough for segments and batches as large as settings allow.
fn jobs_of_an_episode(faces_an_hour: f64) -> [f64; 5] {
    let hours = ASSUMPTIONS.episode_hours;
    let segments = (hours * SECONDS_PER_HOUR / DetectSettings::default().segment_sec).ceil();
    let batches = (hours * faces_an_hour / f64::from(EmbedSettings::default().job_faces)).ceil();
    [1.0, segments, 1.0, batches, 1.0]
}

fn tiers(hourly: &[Usage], deployed: &[Deployed], slots: &[f64]) -> Vec<Tier> {
    let stages = deployed.iter().zip(hourly).zip(slots);
    let tier = |((deployed, hourly), slots): ((&Deployed, &Usage), &f64)| Tier {
        stage: deployed.stage,
        hourly: *hourly,
        cores: deployed.cores,
        slots: *slots,
        most: deployed.rules.max,
    };
    stages.map(tier).collect()
}

fn ceilings(deployed: &[Deployed]) -> Result<Ceilings> {
    let queue = QueueName::new(Stage::Detect, Lane::Backfill);
    let triggers = deployed.iter().flat_map(|deployed| &deployed.rules.triggers);
    let of_queue = triggers.into_iter().find(|trigger| trigger.queue == queue.to_string());
    Ok(Ceilings {
        queue_messages: queue_pace(queue),
        prefix_reads: PREFIX_READS,
        prefix_writes: PREFIX_WRITES,
        high_water: f64::from(QueueSettings::default().high_water),
        jobs_a_detector: of_queue.context("nobody scales on the detect queue")?.jobs as f64,
    })
}

/// Messages a second that one publisher has confirmed, one after another, on this machine's one broker.
fn queue_pace(queue: QueueName) -> f64 {
    let cluster = Cluster::new();
    let messages = |count| vec![(queue, vec![0; JOB_BYTES]); count];
    // Connects and declares.
    cluster.publish(messages(1));
    let began = Instant::now();
    cluster.publish(messages(MESSAGES));
    MESSAGES as f64 / began.elapsed().as_secs_f64()
}

fn hourly_table(measured: &[Measured]) -> Table {
    let mut rows = Vec::new();
    for (at, clip) in measured.iter().enumerate() {
        for (profile, stages) in PROFILES.iter().zip(&clip.hourly) {
            let row = |name: &str, usage: &Usage| {
                let place = [clip.name.clone(), (*profile).to_owned(), name.to_owned()];
                place.into_iter().chain(cells(usage)).collect()
            };
            // The stages of what is reckoned with; of the others the sum is enough.
            if at + 1 == measured.len() {
                rows.extend(Stage::ALL.iter().zip(stages).map(|(stage, usage)| row(stage.as_str(), usage)));
            }
            rows.push(row(
                "**all**",
                &stages.iter().copied().fold(Usage::default(), |sum, usage| sum + usage),
            ));
        }
    }
    let header = vec![
        "clip",
        "profile",
        "stage",
        "jobs",
        "CPU s",
        "jobs' time, s",
        "store reads",
        "store writes",
        "MB read",
        "MB written",
    ];
    Table { name: "scaling-hour", header, rows }
}

fn cells(usage: &Usage) -> impl Iterator<Item = String> {
    let megabytes = |bytes: f64| figure(bytes / 1e6);
    [
        figure(usage.jobs),
        figure(usage.cpu_sec),
        figure(usage.busy_sec),
        figure(usage.reads),
        figure(usage.writes),
        megabytes(usage.read_bytes),
        megabytes(usage.written_bytes),
    ]
    .into_iter()
}

fn needs_table(tiers: &[Vec<Tier>]) -> Table {
    let mut rows = Vec::new();
    for (profile, tiers) in PROFILES.iter().zip(tiers) {
        for load in LOADS {
            let need = sizing::need(tiers, &ASSUMPTIONS, load);
            let replicas = need.replicas.iter().map(u32::to_string).collect::<Vec<_>>();
            rows.push(vec![
                grouped(load),
                (*profile).to_owned(),
                replicas.join(" / "),
                need.nodes.to_string(),
                figure(need.each_second.jobs),
                grouped(f64::from(need.connections)),
                figure(need.each_second.reads),
                figure(need.each_second.writes),
                figure(need.each_second.read_bytes / 1e6),
                figure(need.kept_bytes_a_day / 1e9),
            ]);
        }
    }
    let header = vec![
        "episodes a day",
        "profile",
        "replicas: plan / detect / track / embed / export",
        "nodes",
        "messages/s",
        "connections",
        "store reads/s",
        "store writes/s",
        "MB read/s",
        "GB kept a day",
    ];
    Table { name: "scaling-need", header, rows }
}

fn limits_table(tiers: &[Vec<Tier>], ceilings: &Ceilings) -> Table {
    let limits: Vec<_> = tiers.iter().map(|tiers| sizing::limits(tiers, &ASSUMPTIONS, ceilings)).collect();
    let at = |limits: &[Limit], part: Part| {
        let limit = limits.iter().find(|limit| limit.part == part);
        limit.map(|limit| grouped(rounded(limit.episodes_a_day))).unwrap_or_default()
    };
    let row = |limit: &Limit| {
        let first = described(limit.part, ceilings, &tiers[DEFAULT]);
        std::iter::once(first).chain(limits.iter().map(|limits| at(limits, limit.part))).collect()
    };
    let header = vec!["what gives way", "fast", "balanced", "high"];
    Table { name: "scaling-limits", header, rows: limits[DEFAULT].iter().map(row).collect() }
}

fn described(part: Part, ceilings: &Ceilings, tiers: &[Tier]) -> String {
    match part {
        Part::Replicas(stage) => {
            let most = tiers.iter().find(|tier| tier.stage == stage).map_or(0, |tier| tier.most);
            format!("`maxReplicaCount` of {stage}: {most}")
        }
        Part::HighWater => {
            let Ceilings { high_water, jobs_a_detector, .. } = ceilings;
            let detectors = (high_water / jobs_a_detector).ceil();
            format!("`queue.high_water`: {high_water} jobs that wait wake {detectors} detectors")
        }
        Part::Writes => format!("writes below one prefix: {}/s", ceilings.prefix_writes),
        Part::Reads => format!("reads below one prefix: {}/s", ceilings.prefix_reads),
        Part::Queue(stage) => {
            format!("the queue of {stage}: {}/s, one publisher here", figure(ceilings.queue_messages))
        }
    }
}

/// Three digits at most where there are digits behind the point.
fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => grouped(value),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.01 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// To two digits, downwards: more would be a promise.
fn rounded(value: f64) -> f64 {
    let step = 10_f64.powf(value.log10().floor() - 1.0);
    (value / step).floor() * step
}

/// Whole, with a comma before each three digits.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let len = digits.len();
    let place = |(at, digit): (usize, char)| {
        let comma = at > 0 && (len - at).is_multiple_of(3);
        comma.then_some(',').into_iter().chain(std::iter::once(digit))
    };
    digits.chars().enumerate().flat_map(place).collect()
}
