//! Replicas as processes, as many as the queues of a real broker ask for.
//!
//! Lengths come from the broker's management interface, over http as the triggers say. KEDA asks for one queue at a time and
//! gets statistics that are up to five seconds old; here a second stands for a minute, so the same totals are asked for
//! without that delay.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use facereel_domain::pipeline::Stage;
use fastrand::Rng;
use serde::Deserialize;

use super::rules::Deployed;
use super::scaler::Scaler;
use crate::cluster::Cluster;
use crate::fleet::{Fleet, Replica};

/// How much faster the schedule is than a cluster's: polling intervals, cooldowns, windows, periods of policies. Neither
/// work nor grace periods are.
pub const FASTER: u32 = 60;

/// Longest rehearsal that is no failure.
const LIMIT: Duration = Duration::from_mins(4);
/// Seconds between two losses of a replica.
const LOSSES_SEC: Range<f64> = 1.0..2.5;
/// How often a queue counts its messages, in the broker's language; by default every five seconds.
const COUNT_OFTEN: &str = "application:set_env(rabbit, quorum_tick_interval, 250).";
const COUNT_AS_BEFORE: &str = "application:unset_env(rabbit, quorum_tick_interval).";

/// A look at queues and replicas, in the order of [`Stage::ALL`].
#[derive(Debug, Clone)]
pub struct Look {
    /// Since the beginning.
    pub at: Duration,
    /// Jobs that wait or are held.
    pub jobs: Vec<u64>,
    /// Replicas that should be there.
    pub replicas: Vec<u32>,
}

/// A replica that was killed.
#[derive(Debug, Clone, Copy)]
pub struct Loss {
    /// Since the beginning.
    pub at: Duration,
    /// What it worked on.
    pub stage: Stage,
}

/// What happened.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// In order of time.
    pub looks: Vec<Look>,
    /// In order of time.
    pub losses: Vec<Loss>,
    /// CPU seconds of all processes that ended meanwhile: of all replicas, also those that were killed, and of whoever
    /// handed the jobs over.
    pub cpu_sec: f64,
}

impl Record {
    /// The most replicas at once, of each stage.
    #[must_use]
    pub fn most_replicas(&self) -> Vec<u32> {
        let most = |stage: usize| self.looks.iter().map(|look| look.replicas[stage]).max();
        (0..Stage::ALL.len()).map(|stage| most(stage).unwrap_or_default()).collect()
    }

    /// From the first look that found a job to the first that found none any more.
    #[must_use]
    pub fn busy(&self) -> Duration {
        let has_jobs = |look: &Look| look.jobs.iter().any(|jobs| *jobs > 0);
        let first = self.looks.iter().position(has_jobs).unwrap_or_default();
        let after = self.looks.iter().rposition(has_jobs).map_or(first, |last| last + 1);
        let at = |look: usize| self.looks.get(look).map_or(self.duration(), |look| look.at);
        at(after).saturating_sub(at(first))
    }

    /// From the first look to the last.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.looks.last().map(|look| look.at).unwrap_or_default()
    }
}

/// The replicas of a stage.
struct Seats {
    deployed: Deployed,
    scaler: Scaler,
    next_look: Duration,
    /// Their numbers in the fleet, the eldest first.
    at_work: Vec<usize>,
    /// Those that were told to stop, and when.
    leaving: Vec<(usize, Instant)>,
}

/// Autoscaling under way.
pub struct Rehearsal<'a> {
    cluster: &'a Cluster,
    fleet: Fleet,
    seats: Vec<Seats>,
    chance: Rng,
    next_loss: Duration,
    record: Record,
}

impl<'a> Rehearsal<'a> {
    /// Without any replica yet; `seed` decides who is lost when. Nobody has used the cluster's queues before.
    pub fn new(cluster: &'a Cluster, deployed: Vec<Deployed>, seed: u64) -> Result<Self> {
        cluster.rabbit.ctl(&["eval", COUNT_OFTEN])?;
        let seats = deployed.into_iter().map(|deployed| {
            let scaler = Scaler::new(deployed.rules.clone());
            Seats { deployed, scaler, next_look: Duration::ZERO, at_work: Vec::new(), leaving: Vec::new() }
        });
        Ok(Self {
            cluster,
            fleet: cluster.fleet(),
            seats: seats.collect(),
            chance: Rng::with_seed(seed),
            next_loss: Duration::ZERO,
            record: Record::default(),
        })
    }

    /// Goes on until there is no job, no replica and nothing more to come; what happened, and what is left of the fleet.
    pub fn run(mut self, mut is_all_handed_over: impl FnMut() -> bool) -> Result<(Record, Fleet)> {
        let (began, cpu_before) = (Instant::now(), cpu_sec_of_the_ended()?);
        loop {
            let now = began.elapsed();
            ensure!(now < LIMIT, "the rehearsal takes longer than {LIMIT:?}");
            self.look(now);
            self.lose(now);
            if is_all_handed_over() && self.is_over() {
                break;
            }
            let next = self.seats.iter().map(|seats| seats.next_look).min().unwrap_or(now);
            self.fleet.wait_until("the next look", || began.elapsed() >= next);
        }
        self.record.cpu_sec = cpu_sec_of_the_ended()? - cpu_before;
        self.cluster.rabbit.ctl(&["eval", COUNT_AS_BEFORE])?;
        Ok((self.record, self.fleet))
    }

    fn is_over(&self) -> bool {
        // Who is not there holds nothing: what waits is all there is.
        self.seats.iter().all(Seats::are_empty) && self.cluster.jobs().is_empty()
    }

    /// Lets every stage decide that is due.
    fn look(&mut self, now: Duration) {
        let lengths = lengths(self.cluster);
        for seats in &mut self.seats {
            if now >= seats.next_look {
                let rules = seats.scaler.rules();
                seats.next_look = now + rules.polling / FASTER;
                let of = |queue: &str| lengths.get(queue).copied();
                let jobs: Vec<_> = rules.triggers.iter().map(|trigger| of(&trigger.queue)).collect();
                let wanted = seats.scaler.decide(now * FASTER, seats.at_work.len() as u32, &jobs);
                seats.fill(&mut self.fleet, wanted as usize);
            }
            seats.end_those_that_stay(&self.fleet);
        }
        let jobs_of = |seats: &Seats| {
            let queues = seats.scaler.rules().triggers.iter();
            queues.filter_map(|trigger| lengths.get(&trigger.queue)).sum()
        };
        self.record.looks.push(Look {
            at: now,
            jobs: self.seats.iter().map(jobs_of).collect(),
            replicas: self.seats.iter().map(|seats| seats.at_work.len() as u32).collect(),
        });
    }

    /// Kills somebody now and then; the next takes the place, as a new pod does on another node.
    fn lose(&mut self, now: Duration) {
        let mut candidates = Vec::new();
        for seats in &self.seats {
            candidates.extend(seats.at_work.iter().map(|number| (seats.deployed.stage, *number)));
        }
        if now < self.next_loss || candidates.is_empty() {
            return;
        }
        let wait = LOSSES_SEC.start + self.chance.f64() * (LOSSES_SEC.end - LOSSES_SEC.start);
        self.next_loss = now + Duration::from_secs_f64(wait);
        let (stage, number) = candidates[self.chance.usize(..candidates.len())];
        if self.fleet.kill(number) {
            self.record.losses.push(Loss { at: now, stage });
        }
    }
}

impl Seats {
    fn are_empty(&self) -> bool {
        self.at_work.is_empty() && self.leaving.is_empty()
    }

    /// As many as are wanted. The youngest go first.
    fn fill(&mut self, fleet: &mut Fleet, wanted: usize) {
        while self.at_work.len() < wanted {
            let stages = format!("service.stages={}", self.deployed.stage);
            let replica = Replica::of(self.deployed.service).named(self.deployed.stage.as_str());
            self.at_work.push(fleet.start(replica.with(&stages)));
        }
        for number in self.at_work.drain(wanted..) {
            fleet.retire(number);
            self.leaving.push((number, Instant::now()));
        }
    }

    /// Kills those that take longer than their grace period.
    fn end_those_that_stay(&mut self, fleet: &Fleet) {
        self.leaving.retain(|(number, told)| {
            if told.elapsed() > self.deployed.grace {
                // It may have ended at this very moment.
                let _ = fleet.kill(*number);
            }
            fleet.is_alive(*number)
        });
    }
}

/// CPU seconds of all processes that this one has started and that have ended.
fn cpu_sec_of_the_ended() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("there is no /proc")?;
    // What stands in parentheses is the program's name, whatever that holds.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace()).into_iter().flatten();
    // utime and stime of waited-for children, fields 16 and 17 of proc(5).
    let ticks: f64 = fields.skip(13).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / rustix::param::clock_ticks_per_second() as f64)
}

/// Messages in each queue, waiting or held, that the broker has counted.
fn lengths(cluster: &Cluster) -> BTreeMap<String, u64> {
    #[derive(Deserialize)]
    struct Listed {
        name: String,
        messages: Option<u64>,
    }
    let path = format!("queues/{}?disable_stats=true&enable_queue_totals=true", cluster.vhost());
    let answer = cluster.rabbit.api("GET", &path).unwrap_or_default();
    let listed: Vec<Listed> = serde_json::from_str(&answer).unwrap_or_default();
    listed.into_iter().filter_map(|queue| Some((queue.name, queue.messages?))).collect()
}
