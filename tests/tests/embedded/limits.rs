//! The program keeps to the share of the machine that it was given.

use facereel_tests::clip::Clip;
use facereel_tests::program::Call;
use facereel_tests::results::Results;
use rstest::rstest;
use tempfile::tempdir;

/// Threads beside those that compute: the main one, and two that wait for the file system.
const COORDINATION: usize = 3;

#[rstest]
#[case::one(1)]
#[case::three(3)]
fn native_threads_stay_within_the_limit_and_a_few_that_wait(#[case] limit: usize) {
    let out = tempdir().unwrap();
    let threads = format!("limits.threads={limit}");
    let mut running =
        Call::run(&Clip::of_everything().video(), out.path()).with(&["--set", &threads]).start();
    let (mut most, mut most_computing) = (Vec::new(), 0);
    running.wait_until(|process| {
        let now = process.threads();
        // A thread gets its name a moment after it began: the two figures are of different moments.
        most_computing = most_computing.max(now.iter().filter(|name| name.starts_with("compute-")).count());
        if now.len() > most.len() {
            most = now;
        }
        false
    });
    let ended = running.finish();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert_eq!(most_computing, limit);
    assert!(most.len() <= limit + COORDINATION, "{most:?}");
}

#[rstest]
#[case::half_a_cpu(50)]
#[case::shared_by_two_threads(120)]
fn a_cpu_limit_holds_over_the_whole_run(#[case] percent: u32) {
    let out = tempdir().unwrap();
    let limit = format!("limits.cpu_percent={percent}");
    let limits = ["--workers", "2", "--set", &limit, "--set", "detect.segment_sec=2"];
    Call::run(&Clip::of_everything().video(), out.path()).with(&limits).succeed();
    let stats = Results::of_only_episode(out.path()).json("run_stats.json");
    let seconds = |name: &str| stats[name].as_f64().unwrap();
    let share = 100.0 * seconds("cpu_sec") / seconds("wall_sec");
    // Reading the models comes before the limit, and a pause comes after the work it is for.
    assert!(share <= 1.1 * f64::from(percent), "{share} % of a CPU: {stats}");
}
