//! How many replicas there should be: what KEDA's operator and the Kubernetes autoscaler decide from the lengths of queues.
//!
//! KEDA alone wakes a Deployment (0 to 1, as soon as any queue has a job) and sends it to sleep (to the minimum, once all
//! queues have been empty for the cooldown, whatever the autoscaler thinks). In between the autoscaler decides: for each
//! queue `ceil(jobs / target)`, or as many as there are where that is within a tenth; of several queues the largest
//! answer; then the stabilisation windows; then the policies; then the bounds. A queue whose length is not known never
//! takes a replica away.
//!
//! Source: KEDA 2.16 `pkg/scaling/executor`, Kubernetes 1.29 `pkg/controller/podautoscaler`. Left out, because the manifests use
//! none of it: fallbacks, several metrics of different kinds, pods that are not ready, pausing.

use std::time::Duration;

use super::rules::{Behavior, Policy, Rules, Unit};

/// So near to the target nothing changes.
const TOLERANCE: f64 = 0.1;

/// Decides for one Deployment; remembers what it has to.
#[derive(Debug, Clone)]
pub struct Scaler {
    rules: Rules,
    /// When a queue last had a job.
    last_active: Option<Duration>,
    /// What the autoscaler wanted, before windows and policies.
    wishes: Vec<(Duration, u32)>,
    /// By how much the autoscaler changed the number.
    changes: Vec<(Duration, i64)>,
}

impl Scaler {
    /// One that has not seen anything yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, last_active: None, wishes: Vec::new(), changes: Vec::new() }
    }

    /// What it goes by.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// How many replicas there should be at `now`, a time since any beginning, where there are `replicas` now and the triggers'
    /// queues hold `jobs`; nothing for a queue whose length is not known.
    pub fn decide(&mut self, now: Duration, replicas: u32, jobs: &[Option<u64>]) -> u32 {
        let is_active = jobs.iter().any(|jobs| jobs.is_some_and(|jobs| jobs > 0));
        let is_known = jobs.iter().all(Option::is_some);
        if is_active {
            self.last_active = Some(now);
        }
        let has_cooled_down = self.last_active.is_none_or(|last| now >= last + self.rules.cooldown);
        if replicas == 0 {
            let least = if is_active { self.rules.min.max(1) } else { self.rules.min };
            return least.min(self.rules.max);
        }
        if !is_active && is_known && has_cooled_down {
            self.wishes.clear();
            self.changes.clear();
            return self.rules.min;
        }
        self.autoscaled(now, replicas, jobs)
    }

    fn autoscaled(&mut self, now: Duration, replicas: u32, jobs: &[Option<u64>]) -> u32 {
        let wish = self.wish(replicas, jobs);
        self.wishes.push((now, wish));
        let stable = self.stabilised(now, replicas);
        let allowed = if stable > replicas {
            stable.min(self.most_allowed(now, replicas).max(replicas))
        } else {
            stable.max(self.fewest_allowed(now, replicas).min(replicas))
        };
        let decided = allowed.clamp(self.rules.min.max(1), self.rules.max);
        if decided != replicas {
            self.changes.push((now, i64::from(decided) - i64::from(replicas)));
        }
        decided
    }

    /// By lengths alone.
    fn wish(&self, replicas: u32, jobs: &[Option<u64>]) -> u32 {
        let known = self.rules.triggers.iter().zip(jobs).filter_map(|(trigger, jobs)| {
            let (jobs, target) = ((*jobs)? as f64, trigger.jobs as f64);
            let is_near = (jobs / (target * f64::from(replicas)) - 1.0).abs() <= TOLERANCE;
            Some(if is_near { replicas } else { (jobs / target).ceil() as u32 })
        });
        let most = known.max().unwrap_or(replicas);
        // Who is not heard may need those that are there.
        if jobs.contains(&None) { most.max(replicas) } else { most }
    }

    /// The most cautious of the wishes within each direction's window.
    fn stabilised(&self, now: Duration, replicas: u32) -> u32 {
        let within = |behavior: &Behavior| {
            let window = behavior.window();
            let latest = self.wishes.len().saturating_sub(1);
            // The latest counts even where the window is empty.
            let wishes = self.wishes.iter().enumerate();
            wishes
                .filter(move |(at, (when, _))| *when + window > now || *at == latest)
                .map(|(_, (_, wish))| *wish)
        };
        let up = within(&self.rules.up).min().unwrap_or(replicas);
        let down = within(&self.rules.down).max().unwrap_or(replicas);
        replicas.max(up).min(down)
    }

    fn most_allowed(&self, now: Duration, replicas: u32) -> u32 {
        let limit = |policy: &Policy| {
            let before = self.replicas_before(policy, now, replicas);
            match policy.unit {
                Unit::Pods => before + f64::from(policy.value),
                Unit::Percent => (before * (1.0 + f64::from(policy.value) / 100.0)).ceil(),
            }
        };
        self.rules.up.policies.iter().map(limit).fold(0.0, f64::max) as u32
    }

    fn fewest_allowed(&self, now: Duration, replicas: u32) -> u32 {
        let limit = |policy: &Policy| {
            let before = self.replicas_before(policy, now, replicas);
            match policy.unit {
                Unit::Pods => before - f64::from(policy.value),
                Unit::Percent => (before * (1.0 - f64::from(policy.value) / 100.0)).floor(),
            }
        };
        self.rules.down.policies.iter().map(limit).fold(f64::MAX, f64::min).max(0.0) as u32
    }

    /// How many there were when the policy's period began.
    fn replicas_before(&self, policy: &Policy, now: Duration, replicas: u32) -> f64 {
        let recent = self.changes.iter().filter(|(at, _)| *at + policy.period() > now);
        let changed: i64 = recent.map(|(_, change)| change).sum();
        (i64::from(replicas) - changed) as f64
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::rules::Trigger;
    use super::*;

    /// As the detector's: 3 interactive jobs or 12 of a backfill for each replica.
    fn rules() -> Rules {
        let behavior = |value| serde_json::from_value(value).expect("a behavior");
        let trigger = |queue: &str, jobs| Trigger { queue: queue.to_owned(), jobs };
        Rules {
            min: 0,
            max: 64,
            polling: Duration::from_secs(15),
            cooldown: Duration::from_mins(5),
            triggers: vec![trigger("interactive", 3), trigger("backfill", 12)],
            up: behavior(json!({"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [
                {"type": "Percent", "value": 100, "periodSeconds": 30},
                {"type": "Pods", "value": 4, "periodSeconds": 30},
            ]})),
            down: behavior(json!({"stabilizationWindowSeconds": 300, "policies": [
                {"type": "Percent", "value": 50, "periodSeconds": 60},
            ]})),
        }
    }

    /// The numbers that follow from looks every 15 s at the two queues, beginning with none.
    fn played(looks: &[[Option<u64>; 2]]) -> Vec<u32> {
        let mut scaler = Scaler::new(rules());
        let mut replicas = 0;
        let moments = (0..).map(|look| Duration::from_secs(15 * look));
        let decide = |(now, jobs): (Duration, &[Option<u64>; 2])| {
            replicas = scaler.decide(now, replicas, jobs);
            replicas
        };
        moments.zip(looks).map(decide).collect()
    }

    fn jobs(interactive: u64, backfill: u64) -> [Option<u64>; 2] {
        [Some(interactive), Some(backfill)]
    }

    #[test]
    fn the_first_job_wakes_one_replica_and_no_job_none() {
        assert_eq!(played(&[jobs(0, 0), jobs(0, 0), jobs(1, 0)]), [0, 0, 1]);
        assert_eq!(played(&[jobs(0, 500)]), [1]);
    }

    #[test]
    fn there_are_as_many_as_the_neediest_queue_asks_for() {
        assert_eq!(played(&[jobs(7, 12), jobs(7, 12)]), [1, 3]);
        assert_eq!(played(&[jobs(1, 49), jobs(1, 49)]), [1, 5]);
    }

    #[test]
    fn there_are_at_most_four_more_or_twice_as_many_in_half_a_minute() {
        let looks = [jobs(0, 10_000); 12];
        assert_eq!(played(&looks), [1, 5, 5, 10, 10, 20, 20, 40, 40, 64, 64, 64]);
    }

    #[test]
    fn a_tenth_more_or_less_changes_nothing() {
        assert_eq!(played(&[jobs(0, 120), jobs(0, 60), jobs(0, 65), jobs(0, 67)]), [1, 5, 5, 6]);
    }

    #[test]
    fn fewer_are_enough_only_after_five_minutes_and_then_half_of_them_a_minute() {
        let mut looks = vec![jobs(0, 96); 4];
        looks.extend([jobs(0, 12); 32]);
        let replicas = played(&looks);
        assert_eq!(replicas[3], 8);
        let changes: Vec<_> = (1..replicas.len()).filter(|at| replicas[*at] < replicas[at - 1]).collect();
        assert_eq!(changes.iter().map(|at| replicas[*at]).collect::<Vec<_>>(), [4, 2, 1]);
        // The last wish for eight was the fourth look's, at 45 s.
        assert_eq!(changes.iter().map(|at| at * 15).collect::<Vec<_>>(), [345, 405, 465]);
    }

    #[test]
    fn none_are_left_five_minutes_after_the_last_job_however_many_there_were() {
        let mut looks = vec![jobs(0, 96); 3];
        looks.extend([jobs(0, 0); 24]);
        let replicas = played(&looks);
        let asleep = replicas.iter().skip(1).position(|replicas| *replicas == 0).map(|at| (at + 1) * 15);
        // The last look at a job was at 30 s.
        assert_eq!(asleep, Some(330));
        assert_eq!(replicas[21], 5);
    }

    #[test]
    fn a_job_in_between_puts_the_end_off() {
        let mut looks = vec![jobs(1, 0)];
        looks.extend([jobs(0, 0); 19]);
        looks.push(jobs(1, 0));
        looks.extend([jobs(0, 0); 21]);
        let replicas = played(&looks);
        assert_eq!(replicas.iter().position(|replicas| *replicas == 0), Some(40));
    }

    #[test]
    fn whoever_is_not_heard_loses_no_replica() {
        let mut looks = vec![jobs(9, 0); 3];
        looks.extend([[Some(0), None]; 40]);
        assert_eq!(played(&looks).last(), Some(&3));
        assert_eq!(played(&[[None, None]; 3]), [0, 0, 0]);
        assert_eq!(played(&[[None, Some(1)]; 3]), [1, 1, 1]);
    }

    #[test]
    fn there_are_never_more_than_the_most() {
        let mut scaler = Scaler::new(Rules { max: 3, ..rules() });
        assert_eq!(scaler.decide(Duration::ZERO, 0, &jobs(100, 0)), 1);
        assert_eq!(scaler.decide(Duration::from_secs(15), 1, &jobs(100, 0)), 3);
    }
}
