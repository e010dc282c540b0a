//! Dead letters, read: which job of which run it was, and why it was given up.

use anyhow::{Result, bail};
use facereel_domain::ids::EpisodeId;
use facereel_domain::pipeline::Stage;
use facereel_messages::jobs::{DetectJob, EmbedJob, ExportJob, Job, JobAddress, PlanJob, TrackJob};
use facereel_queue::{DeadLetter, Queue};
use serde::Serialize;
use serde_json::Value;

/// More are never asked for: whoever has so many has another problem than reading them.
const MOST: usize = 2_000;

/// A dead letter as people read it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Letter {
    /// Names it among the letters.
    pub(crate) id: String,
    /// The queue it came from.
    pub(crate) queue: String,
    /// The stage whose job it is.
    pub(crate) stage: Stage,
    /// Tries there were.
    pub(crate) attempts: u32,
    /// When the job was first published, seconds since 1970.
    pub(crate) first_seen_unix_sec: Option<u64>,
    /// Why it was given up: what was being done, then each cause.
    pub(crate) causes: Vec<String>,
    /// The job.
    #[serde(flatten)]
    pub(crate) content: Content,
}

/// What a letter's body holds.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content {
    /// A job.
    Job {
        /// Run and lane.
        address: JobAddress,
        /// The part of the run.
        part: String,
        /// All fields.
        body: Value,
    },
    /// No job.
    Unreadable {
        /// Why it can't be read.
        error: String,
        /// How long it is.
        bytes: usize,
        /// How it begins, in hexadecimal.
        begins: String,
    },
}

impl Letter {
    /// The run it belongs to.
    pub(crate) fn address(&self) -> Option<&JobAddress> {
        match &self.content {
            Content::Job { address, .. } => Some(address),
            Content::Unreadable { .. } => None,
        }
    }

    /// Whether it belongs to `ep_id`.
    pub(crate) fn is_of(&self, ep_id: &EpisodeId) -> bool {
        self.address().is_some_and(|address| address.run.ep_id == *ep_id)
    }
}

/// All dead letters, the oldest first.
pub(crate) async fn letters(queue: &dyn Queue) -> Result<Vec<Letter>> {
    Ok(queue.dead_letters(MOST).await?.iter().map(read).collect())
}

/// The letter whose id is `id` or begins so.
pub(crate) fn find_letter<'a>(letters: &'a [Letter], id: &str) -> Result<&'a Letter> {
    let mut found = letters.iter().filter(|letter| letter.id.starts_with(id) && !id.is_empty());
    match (found.next(), found.next()) {
        (Some(letter), None) => Ok(letter),
        (Some(_), Some(_)) => bail!("several dead letters begin with '{id}': name more of the id"),
        _ => bail!("there is no dead letter '{id}' (any more): `facereel dead list` shows those there are"),
    }
}

fn read(letter: &DeadLetter) -> Letter {
    let body = letter.message.body();
    let content = match letter.queue.stage {
        Stage::Plan => read_job::<PlanJob>(body),
        Stage::Detect => read_job::<DetectJob>(body),
        Stage::Track => read_job::<TrackJob>(body),
        Stage::Embed => read_job::<EmbedJob>(body),
        Stage::Export => read_job::<ExportJob>(body),
    };
    Letter {
        id: letter.id.clone(),
        queue: letter.queue.to_string(),
        stage: letter.queue.stage,
        attempts: letter.message.headers.attempt,
        first_seen_unix_sec: letter.message.headers.first_seen_unix_ms.map(|ms| ms / 1_000),
        causes: letter.reason.split(": ").map(str::to_owned).collect(),
        content,
    }
}

fn read_job<J: Job>(body: &[u8]) -> Content {
    match facereel_messages::decode::<J>(body) {
        Ok(job) => Content::Job {
            address: job.address().clone(),
            part: job.part(),
            body: serde_json::to_value(&job).unwrap_or_default(),
        },
        Err(error) => Content::Unreadable {
            error: format!("{:#}", anyhow::Error::from(error)),
            bytes: body.len(),
            begins: body.iter().take(32).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
        },
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::standing::tests::run;
    use super::*;
    use facereel_domain::ids::SegmentIndex;
    use facereel_domain::pipeline::Lane;
    use facereel_queue::{InProcessQueue, Message, QueueName};

    /// A queue with a dead detect job of `ep_id`, and a dead message that is none.
    async fn queue_with_letters() -> InProcessQueue {
        let queue = InProcessQueue::default();
        let name = QueueName::new(Stage::Detect, Lane::Backfill);
        let address = JobAddress { run: run("EP"), lane: Lane::Backfill };
        let job = DetectJob { address, segment: SegmentIndex(3), segments: 40 };
        let bodies = [facereel_messages::encode(&job).unwrap(), b"garbage".to_vec()];
        let mut consumer = queue.consume(&[name], 1).await.unwrap();
        for body in bodies {
            queue.publish(&name, Message::new(body).unwrap()).await.unwrap();
            let delivery = consumer.next().await.unwrap().unwrap();
            delivery.dead_letter("the segment can't be opened: no such file").await.unwrap();
        }
        queue
    }

    #[tokio::test]
    async fn a_letter_tells_run_part_and_causes() {
        let all = letters(&queue_with_letters().await).await.unwrap();
        let letter = all.iter().find(|letter| letter.is_of(&run("EP").ep_id)).unwrap();
        assert_eq!(letter.causes, ["the segment can't be opened", "no such file"]);
        let Content::Job { part, body, .. } = &letter.content else { panic!("no job") };
        assert_eq!((part.as_str(), &body["segment"]), ("segment 4 of 40", &Value::from(3)));
        assert!(letter.first_seen_unix_sec.is_some());
        assert_eq!(find_letter(&all, &letter.id).unwrap().id, letter.id);
        assert!(find_letter(&all, "").is_err() && find_letter(&all, "zzz").is_err());
    }

    #[tokio::test]
    async fn what_is_no_job_is_shown_as_it_begins() {
        let all = letters(&queue_with_letters().await).await.unwrap();
        let letter = all.iter().find(|letter| letter.address().is_none()).unwrap();
        let Content::Unreadable { bytes, begins, .. } = &letter.content else { panic!("a job") };
        assert_eq!((*bytes, begins.as_str()), (7, "67 61 72 62 61 67 65"));
    }
}
