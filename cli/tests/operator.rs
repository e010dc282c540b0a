//! The operator's commands as processes, with a real broker and a real S3 server and nobody who does the jobs.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use facereel_domain::pipeline::{Lane, Stage};
use facereel_domain::settings::QueueSettings;
use facereel_queue::{Queue, QueueName};
use facereel_test_servers::seaweedfs::{ACCESS_KEY, SECRET_KEY};
use facereel_test_servers::{Rabbit, SeaweedFs};
use serde_json::Value;
use tempfile::TempDir;

/// A virtual host and a bucket of their own.
struct Cluster {
    queue_url: String,
    bucket: String,
    server: SeaweedFs,
    folder: TempDir,
}

impl Cluster {
    fn new() -> Result<Self> {
        let server = SeaweedFs::shared()?;
        let (queue_url, bucket) = (Rabbit::shared()?.new_vhost()?, server.new_bucket()?);
        Ok(Self { queue_url, bucket, server, folder: tempfile::tempdir()? })
    }

    /// `facereel WORDS`, told where broker and bucket are.
    fn run(&self, words: &[&str]) -> Result<Output> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_facereel"));
        command
            .args(words)
            .env("FACEREEL__QUEUE__URL", &self.queue_url)
            .env("FACEREEL__STORE__URL", format!("s3://{}/results", self.bucket))
            .env("FACEREEL__STORE__ENDPOINT", self.server.endpoint())
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        command.output().context("the program can't be started")
    }

    /// What it says on standard output, insisting on success.
    fn say(&self, words: &[&str]) -> Result<String> {
        let output = self.run(words)?;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "facereel {words:?}: {errors}");
        Ok(String::from_utf8(output.stdout)?)
    }

    fn say_json(&self, words: &[&str]) -> Result<Value> {
        let said = self.say(&[words, &["--json"]].concat())?;
        serde_json::from_str(&said).with_context(|| said)
    }

    /// Every line as JSON.
    fn events(&self, words: &[&str]) -> Result<Vec<Value>> {
        let said = self.say(&[words, &["--json"]].concat())?;
        said.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
    }

    /// The state of the only run of `ep_id`.
    fn state(&self, ep_id: &str) -> Result<String> {
        let status = self.say_json(&["status", ep_id])?;
        Ok(status["runs"][0]["state"].as_str().context("no state")?.to_owned())
    }

    async fn queue(&self) -> Result<std::sync::Arc<dyn Queue>> {
        let settings = QueueSettings { url: self.queue_url.clone(), ..QueueSettings::default() };
        Ok(facereel_queue::open(&settings, "test").await?)
    }
}

/// A file that is a video by its name; nobody looks into it here.
fn video(folder: &Path, name: &str) -> Result<String> {
    let path = folder.join(name);
    fs::write(&path, name)?;
    Ok(path.to_str().context("a path that is text")?.to_owned())
}

#[test]
fn a_video_is_submitted_cancelled_and_submitted_again() -> Result<()> {
    let cluster = Cluster::new()?;
    let path = video(cluster.folder.path(), "SHOW S01E01.mp4")?;
    let submitted = cluster.say_json(&["submit", &path])?;
    assert_eq!((&submitted["ep_id"], &submitted["outcome"]), (&"SHOW-S01E01".into(), &"submitted".into()));
    let status = cluster.say_json(&["status"])?;
    assert_eq!(status["runs"][0]["headway"]["phase"], "plan", "{status:#}");
    assert_eq!(status["queues"][0]["waiting"], 1, "{status:#}");

    cluster.say(&["cancel", "SHOW-S01E01"])?;
    assert_eq!(cluster.state("SHOW-S01E01")?, "cancelled");
    assert!(!cluster.run(&["cancel", "SHOW-S01E01"])?.status.success(), "there is nothing left to cancel");

    assert_eq!(cluster.say_json(&["submit", &path])?["outcome"], "submitted_again");
    assert_eq!(cluster.state("SHOW-S01E01")?, "submitted");
    Ok(())
}

#[test]
fn an_object_is_the_same_run_as_the_file_with_its_bytes() -> Result<()> {
    let cluster = Cluster::new()?;
    let path = video(cluster.folder.path(), "a.mp4")?;
    cluster.server.upload(&cluster.bucket, "videos/a.mp4", b"a.mp4")?;
    let of_file = cluster.say_json(&["submit", &path])?;
    let url = format!("s3://{}/videos/a.mp4", cluster.bucket);
    let of_object = cluster.say_json(&["submit", &url, "--lane", "backfill"])?;
    assert_eq!((&of_file["ep_id"], &of_file["run_id"]), (&of_object["ep_id"], &of_object["run_id"]));
    Ok(())
}

#[test]
fn an_interrupted_backfill_hands_nothing_over_twice() -> Result<()> {
    let cluster = Cluster::new()?;
    for name in ["a.mp4", "b.mkv", "notes.txt"] {
        cluster.server.upload(&cluster.bucket, &format!("videos/{name}"), name.as_bytes())?;
    }
    let prefix = format!("s3://{}/videos", cluster.bucket);
    let plan = cluster.events(&["backfill", &prefix, "--dry-run"])?;
    assert_eq!((plan.len(), &plan[0]["to_submit"]), (1, &2.into()), "{plan:#?}");

    let first = cluster.events(&["backfill", &prefix, "--no-wait", "--max-in-flight", "5"])?;
    assert_eq!(first.iter().filter(|event| event["event"] == "submitted").count(), 2, "{first:#?}");
    cluster.say(&["cancel", "b"])?;
    let second = cluster.events(&["backfill", &prefix, "--no-wait"])?;
    let counted = &second[0]["standings"];
    assert_eq!((&counted["submitted"], &counted["cancelled"]), (&1.into(), &1.into()), "{counted:#}");
    assert!(second.iter().all(|event| event["event"] != "submitted"), "{second:#?}");
    let retried = cluster.events(&["backfill", &prefix, "--no-wait", "--retry"])?;
    assert_eq!(retried.iter().filter(|event| event["event"] == "submitted").count(), 1, "{retried:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_is_shown_replayed_and_dropped() -> Result<()> {
    let cluster = Cluster::new()?;
    let path = video(cluster.folder.path(), "a.mp4")?;
    cluster.say(&["submit", &path])?;
    let queue = cluster.queue().await?;
    let plan = QueueName::new(Stage::Plan, Lane::Interactive);
    let mut consumer = queue.consume(&[plan], 1).await?;
    let give_up = async |consumer: &mut Box<dyn facereel_queue::Consumer>| -> Result<()> {
        let delivery = consumer.next().await?.context("no job")?;
        Ok(delivery.dead_letter("the video can't be planned: no video stream").await?)
    };
    give_up(&mut consumer).await?;

    let listed = cluster.say_json(&["dead", "list", "--episode", "a"])?;
    let id = listed[0]["id"].as_str().context("no id")?;
    assert_eq!(listed[0]["causes"][1], "no video stream", "{listed:#}");
    let shown = cluster.say(&["dead", "show", &id[..6]])?;
    assert!(shown.contains("run      a ") && shown.contains("because no video stream"), "{shown}");

    cluster.say(&["dead", "replay", id])?;
    assert_eq!(cluster.say_json(&["dead", "list"])?, Value::Array(Vec::new()));
    give_up(&mut consumer).await?;
    cluster.say(&["dead", "drop", "--all"])?;
    assert_eq!(cluster.say_json(&["dead", "list"])?, Value::Array(Vec::new()));
    assert_eq!(queue.depth(&plan).await?.ready, 0);
    Ok(())
}

#[test]
fn doctor_knows_broker_and_bucket() -> Result<()> {
    let cluster = Cluster::new()?;
    let said = cluster.say(&["doctor"])?;
    for part in ["RabbitMQ", "conditional writes work", "nobody takes jobs of plan", "job_timeout_sec"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    Ok(())
}
