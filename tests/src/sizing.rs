//! From what an hour of video takes to what so many episodes a day need, and what gives way first.
//!
//! Arithmetic alone: the figures that go in are measured, by `make bench ARGS=sizing`, and the bounds are the manifests'.
//! A stage needs replicas for whatever is scarcer, its CPU or its slots: exporters wait for the store more than they compute.

use std::ops::Add;

use facereel_domain::pipeline::Stage;

const SECONDS_PER_DAY: f64 = 86_400.0;

/// What a stage takes for some amount of video.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Jobs, hence messages: each job is published, delivered and acknowledged once.
    pub jobs: f64,
    /// CPU seconds of its processes.
    pub cpu_sec: f64,
    /// Seconds of its jobs, from receipt to verdict, in sum.
    pub busy_sec: f64,
    /// Requests that read from the store: GET, HEAD, lists.
    pub reads: f64,
    /// Requests that change the store: PUT, POST, DELETE.
    pub writes: f64,
    /// Bytes read from the store, videos included.
    pub read_bytes: f64,
    /// Bytes written to the store.
    pub written_bytes: f64,
}

impl Usage {
    /// For so many times the video.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            jobs: self.jobs * factor,
            cpu_sec: self.cpu_sec * factor,
            busy_sec: self.busy_sec * factor,
            reads: self.reads * factor,
            writes: self.writes * factor,
            read_bytes: self.read_bytes * factor,
            written_bytes: self.written_bytes * factor,
        }
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            jobs: self.jobs + other.jobs,
            cpu_sec: self.cpu_sec + other.cpu_sec,
            busy_sec: self.busy_sec + other.busy_sec,
            reads: self.reads + other.reads,
            writes: self.writes + other.writes,
            read_bytes: self.read_bytes + other.read_bytes,
            written_bytes: self.written_bytes + other.written_bytes,
        }
    }
}

/// What a stage took for a piece of a film.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// All that it took.
    pub usage: Usage,
    /// Length of the piece.
    pub hours: f64,
}

/// What each job asks of the store, however much video it is for: requests, and bytes read.
///
/// Short films are cut into smaller jobs than long ones, so this does not grow with the film alone. Two pieces of a film tell
/// apart what grows with jobs and what with video; none can be less than nothing, whatever the noise.
#[must_use]
pub fn share_of_a_job(short: &Piece, long: &Piece) -> Usage {
    let share = |of: fn(&Usage) -> f64| {
        let difference = short.usage.jobs * long.hours - long.usage.jobs * short.hours;
        let each = (of(&short.usage) * long.hours - of(&long.usage) * short.hours) / difference;
        if each.is_finite() { each.clamp(0.0, of(&short.usage) / short.usage.jobs) } else { 0.0 }
    };
    Usage {
        reads: share(|usage| usage.reads),
        writes: share(|usage| usage.writes),
        read_bytes: share(|usage| usage.read_bytes),
        ..Usage::default()
    }
}

impl Piece {
    /// What an hour of an episode takes that is cut into so many jobs, by what this piece took and what each job's share is.
    #[must_use]
    pub fn hour_of_an_episode(&self, episode_hours: f64, jobs: f64, share: Usage) -> Usage {
        let hourly = self.usage.times(1.0 / self.hours);
        let further = jobs / episode_hours - hourly.jobs;
        let hour = hourly + Usage { jobs: 1.0, ..share }.times(further);
        // The share may come from a run with other settings.
        Usage { reads: hour.reads.max(0.0), writes: hour.writes.max(0.0), ..hour }
    }
}

/// A stage: what it takes and what it is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tier {
    /// Which.
    pub stage: Stage,
    /// For an hour of video.
    pub hourly: Usage,
    /// Cores of a replica.
    pub cores: f64,
    /// Jobs at once in a replica.
    pub slots: f64,
    /// The most replicas that there may be.
    pub most: u32,
}

/// What nobody has measured here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assumptions {
    /// Length of an episode.
    pub episode_hours: f64,
    /// What comes in the busiest hours, divided by what comes on average.
    pub peak: f64,
    /// The part of a replica's cores, or slots, that is at work.
    pub utilisation: f64,
    /// Cores of a node.
    pub node_cores: f64,
}

impl Assumptions {
    /// Hours of video that come in a second of the busiest hours.
    fn hours_a_second(&self, episodes_a_day: f64) -> f64 {
        episodes_a_day * self.episode_hours * self.peak / SECONDS_PER_DAY
    }

    /// The episodes a day that bring so many hours of video in a second of the busiest hours.
    fn episodes_a_day(&self, hours_a_second: f64) -> f64 {
        hours_a_second * SECONDS_PER_DAY / (self.episode_hours * self.peak)
    }
}

/// What so many episodes a day need in the busiest hours.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// Replicas of each stage.
    pub replicas: Vec<u32>,
    /// Nodes that hold them.
    pub nodes: u32,
    /// What all stages take in a second.
    pub each_second: Usage,
    /// Connections to the broker.
    pub connections: u32,
    /// Bytes a day that stay in the store: what export writes.
    pub kept_bytes_a_day: f64,
}

/// Each process publishes on one connection and consumes on another.
const CONNECTIONS: u32 = 2;

/// What `episodes_a_day` need.
#[must_use]
pub fn need(tiers: &[Tier], assumptions: &Assumptions, episodes_a_day: f64) -> Need {
    let hours_a_second = assumptions.hours_a_second(episodes_a_day);
    let replicas: Vec<u32> =
        tiers.iter().map(|tier| (tier.load(assumptions) * hours_a_second).ceil().max(1.0) as u32).collect();
    let cores: f64 = tiers.iter().zip(&replicas).map(|(tier, count)| tier.cores * f64::from(*count)).sum();
    let exported: f64 = of_stage(tiers, Stage::Export).map(|tier| tier.hourly.written_bytes).sum();
    Need {
        nodes: (cores / assumptions.node_cores).ceil() as u32,
        each_second: total(tiers).times(hours_a_second),
        connections: CONNECTIONS * replicas.iter().sum::<u32>(),
        kept_bytes_a_day: exported * episodes_a_day * assumptions.episode_hours,
        replicas,
    }
}

/// What all stages take for an hour of video.
#[must_use]
pub fn total(tiers: &[Tier]) -> Usage {
    tiers.iter().map(|tier| tier.hourly).fold(Usage::default(), Usage::add)
}

fn of_stage(tiers: &[Tier], stage: Stage) -> impl Iterator<Item = &Tier> {
    tiers.iter().filter(move |tier| tier.stage == stage)
}

impl Tier {
    /// Replicas that an hour of video a second would need.
    fn load(&self, assumptions: &Assumptions) -> f64 {
        let by_cpu = self.hourly.cpu_sec / self.cores;
        let by_slots = match self.stage {
            // More slots than threads: their jobs wait for each other's computing more than for the store.
            Stage::Detect | Stage::Embed => 0.0,
            Stage::Plan | Stage::Track | Stage::Export => self.hourly.busy_sec / self.slots,
        };
        by_cpu.max(by_slots) / assumptions.utilisation
    }
}

/// What broker and store can do in a second, and where planning pauses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ceilings {
    /// Messages that one queue takes and confirms.
    pub queue_messages: f64,
    /// Reading requests below one prefix.
    pub prefix_reads: f64,
    /// Writing requests below one prefix.
    pub prefix_writes: f64,
    /// Detect jobs that wait when planning pauses: `queue.high_water`.
    pub high_water: f64,
    /// Waiting detect jobs that make one replica of the detector.
    pub jobs_a_detector: f64,
}

/// Where something gives way.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// What.
    pub part: Part,
    /// At how many episodes a day.
    pub episodes_a_day: f64,
}

/// What can give way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The most replicas of a stage.
    Replicas(Stage),
    /// The pause of planning, which keeps the detect queue too short for more detectors.
    HighWater,
    /// Writing below one prefix of the bucket.
    Writes,
    /// Reading below one prefix of the bucket.
    Reads,
    /// The queue of a stage that has most to carry.
    Queue(Stage),
}

/// Every limit, the nearest first.
#[must_use]
pub fn limits(tiers: &[Tier], assumptions: &Assumptions, ceilings: &Ceilings) -> Vec<Limit> {
    let limit =
        |part, hours_a_second| Limit { part, episodes_a_day: assumptions.episodes_a_day(hours_a_second) };
    let all = total(tiers);
    let mut limits = vec![
        limit(Part::Writes, ceilings.prefix_writes / all.writes),
        limit(Part::Reads, ceilings.prefix_reads / all.reads),
    ];
    for tier in tiers {
        limits.push(limit(Part::Replicas(tier.stage), f64::from(tier.most) / tier.load(assumptions)));
    }
    for tier in of_stage(tiers, Stage::Detect) {
        let detectors = (ceilings.high_water / ceilings.jobs_a_detector).ceil();
        limits.push(limit(Part::HighWater, detectors / tier.load(assumptions)));
    }
    let busiest = tiers.iter().max_by(|a, b| a.hourly.jobs.total_cmp(&b.hourly.jobs));
    limits.extend(
        busiest.map(|tier| limit(Part::Queue(tier.stage), ceilings.queue_messages / tier.hourly.jobs)),
    );
    limits.sort_by(|a, b| a.episodes_a_day.total_cmp(&b.episodes_a_day));
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSUMPTIONS: Assumptions =
        Assumptions { episode_hours: 0.5, peak: 2.0, utilisation: 0.5, node_cores: 16.0 };
    const CEILINGS: Ceilings = Ceilings {
        queue_messages: 1000.0,
        prefix_reads: 5000.0,
        prefix_writes: 3000.0,
        high_water: 1000.0,
        jobs_a_detector: 10.0,
    };

    fn tier(stage: Stage, hourly: Usage) -> Tier {
        Tier { stage, hourly, cores: 2.0, slots: 3.0, most: 64 }
    }

    /// An hour takes 864 CPU seconds to detect, in jobs that wait little, and 100 s to export, nearly all of it waiting.
    fn tiers() -> [Tier; 2] {
        let detect = Usage { jobs: 60.0, cpu_sec: 864.0, busy_sec: 1000.0, ..Usage::default() };
        let export = Usage {
            jobs: 1.0,
            cpu_sec: 1.0,
            busy_sec: 108.0,
            reads: 50.0,
            writes: 3000.0,
            written_bytes: 1e8,
            ..Usage::default()
        };
        [tier(Stage::Detect, detect), tier(Stage::Export, export)]
    }

    fn need_of(episodes_a_day: f64) -> Need {
        need(&tiers(), &ASSUMPTIONS, episodes_a_day)
    }

    #[test]
    fn a_stage_needs_replicas_for_its_cpu_or_for_its_slots() {
        // A hundred hours of video are due in a thousandth of a day at the peak: 86.4 s.
        let need = need_of(100_000.0);
        // 864 / 2 cores, half of them used: a thousand hours a day are one replica; export 108 / 3 slots likewise.
        assert_eq!(need.replicas, [1000, 84]);
        assert_eq!((need.nodes, need.connections), (136, 2168));
    }

    #[test]
    fn a_few_episodes_need_one_replica_of_each_stage() {
        assert_eq!((need_of(1.0).replicas, need_of(1.0).nodes), (vec![1, 1], 1));
    }

    #[test]
    fn rates_are_those_of_the_busiest_hours_and_what_is_kept_is_that_of_the_day() {
        let need = need_of(86_400.0);
        assert_eq!((need.each_second.writes, need.each_second.jobs), (3000.0, 61.0));
        assert!((need.kept_bytes_a_day - 4.32e12).abs() < 1.0);
    }

    #[test]
    fn what_grows_with_jobs_is_told_apart_from_what_grows_with_video() {
        // Three reads a job and a hundred an hour; two writes a job and none else; all bytes for the video.
        let piece = |jobs: f64, hours: f64| {
            let reads = 3.0 * jobs + 100.0 * hours;
            let usage = Usage {
                jobs,
                cpu_sec: 60.0 * hours,
                reads,
                writes: 2.0 * jobs,
                read_bytes: 8.0 * hours,
                ..Usage::default()
            };
            Piece { usage, hours }
        };
        let (short, long) = (piece(12.0, 0.5), piece(16.0, 1.0));
        let each = share_of_a_job(&short, &long);
        assert_eq!((each.reads, each.writes, each.read_bytes), (3.0, 2.0, 0.0));
        let hour = short.hour_of_an_episode(2.0, 40.0, each);
        assert_eq!((hour.jobs, hour.cpu_sec), (20.0, 60.0));
        assert_eq!((hour.reads, hour.writes, hour.read_bytes), (160.0, 40.0, 8.0));
        // Pieces that differ in nothing but their length tell nothing.
        assert_eq!(share_of_a_job(&short, &piece(24.0, 1.0)), Usage::default());
    }

    #[test]
    fn the_nearest_limit_comes_first() {
        let limits = limits(&tiers(), &ASSUMPTIONS, &CEILINGS);
        let found: Vec<_> =
            limits.iter().map(|limit| (limit.part, limit.episodes_a_day.round() as u64)).collect();
        assert_eq!(found[..2], [(Part::Replicas(Stage::Detect), 6400), (Part::HighWater, 10_000)]);
        assert_eq!(found[3], (Part::Writes, 86_400));
        assert_eq!(found.last(), Some(&(Part::Reads, 8_640_000)));
        assert!(found.contains(&(Part::Queue(Stage::Detect), 1_440_000)), "{found:?}");
    }

    #[test]
    fn a_limit_is_where_the_need_reaches_it() {
        let limits = limits(&tiers(), &ASSUMPTIONS, &CEILINGS);
        let detectors = limits.iter().find(|limit| limit.part == Part::Replicas(Stage::Detect));
        assert_eq!(detectors.map(|limit| need_of(limit.episodes_a_day - 1.0).replicas[0]), Some(64));
    }
}
