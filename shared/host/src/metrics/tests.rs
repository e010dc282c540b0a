use std::collections::BTreeSet;

use super::*;
use facereel_service::ModelRole;

fn metrics() -> Metrics {
    let identity = Identity { service: "tester", stages: &[StageName::Detect], threads: 3 };
    Metrics::new(identity, Arc::new(Health::new()))
}

fn report(outcome: JobOutcome) -> JobReport {
    JobReport {
        stage: StageName::Detect,
        lane: Lane::Backfill,
        address: None,
        part: String::new(),
        attempt: 1,
        outcome,
        duration: Duration::from_millis(500),
    }
}

#[track_caller]
fn assert_line(metrics: &Metrics, line: &str) {
    let text = metrics.text();
    assert!(text.lines().any(|l| l == line), "no line '{line}' in\n{text}");
}

#[test]
fn jobs_are_counted_by_stage_lane_and_end() {
    let metrics = metrics();
    let labels = r#"stage="detect",lane="backfill",outcome"#;
    assert_line(&metrics, &format!(r#"facereel_jobs_total{{{labels}="done"}} 0"#));
    let start =
        JobStart { stage: StageName::Detect, lane: Lane::Backfill, waited: Some(Duration::from_secs(7)) };
    metrics.job_began(&start);
    metrics.job_began(&start);
    metrics.job_ended(&report(JobOutcome::Done));
    assert_eq!(metrics.in_flight(), 1);
    metrics.job_ended(&report(JobOutcome::Retried { reason: "secret".to_owned() }));
    assert_line(&metrics, &format!(r#"facereel_jobs_total{{{labels}="done"}} 1"#));
    assert_line(&metrics, &format!(r#"facereel_jobs_total{{{labels}="retried"}} 1"#));
    assert_line(&metrics, r#"facereel_jobs_in_flight{stage="detect"} 0"#);
    assert_line(&metrics, r#"facereel_job_duration_seconds_bucket{le="0.3",stage="detect"} 0"#);
    assert_line(&metrics, r#"facereel_job_duration_seconds_bucket{le="1.0",stage="detect"} 2"#);
    assert_line(&metrics, r#"facereel_queue_wait_seconds_sum{stage="detect",lane="backfill"} 14.0"#);
    assert!(!metrics.text().contains("secret"));
}

#[test]
fn what_stages_report_is_added_up() {
    let metrics = metrics();
    for _ in 0..2 {
        metrics.report(Progress::Advanced { stage: StageName::Detect, units: 25 });
        metrics.report(Progress::Advanced { stage: StageName::Embed, units: 1 });
        metrics.measure(Measure::FacesDetected(4));
        let time = Duration::from_millis(250);
        metrics.measure(Measure::Inference { model: ModelRole::Detector, runs: 5, time });
    }
    assert_line(&metrics, "facereel_frames_total 50");
    assert_line(&metrics, "facereel_faces_detected_total 8");
    assert_line(&metrics, r#"facereel_model_runs_total{model="detector"} 10"#);
    assert_line(&metrics, r#"facereel_model_seconds_total{model="detector"} 0.5"#);
    assert_line(&metrics, r#"facereel_model_seconds_total{model="embedder"} 0.0"#);
}

#[test]
fn readiness_and_the_process_itself_are_among_them() {
    let metrics = metrics();
    assert_line(&metrics, r#"facereel_ready{part="broker"} 0"#);
    metrics.health.set(crate::health::Part::Broker, Ok(()));
    assert_line(&metrics, r#"facereel_ready{part="broker"} 1"#);
    assert_line(&metrics, "facereel_compute_threads 3");
    let text = metrics.text();
    let rss = text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes ")).unwrap();
    assert!(rss.parse::<f64>().unwrap() > 1e6, "{rss}");
}

#[test]
fn the_documentation_lists_exactly_what_there_is() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/services.md");
    let page = std::fs::read_to_string(page).unwrap();
    let listed: BTreeSet<_> = page
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
            let name = cells.next()?.strip_suffix('`')?;
            let kind = cells.next()?;
            let is_metric = ["counter", "gauge", "histogram"].contains(&kind);
            is_metric.then(|| (name.to_owned(), kind.to_owned()))
        })
        .collect();
    let text = metrics().text();
    let present: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, kind)| {
            let suffix = if kind == "counter" { "_total" } else { "" };
            (format!("{name}{suffix}"), kind.to_owned())
        })
        .collect();
    assert_eq!(listed, present);
}
