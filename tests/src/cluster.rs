//! Services, broker and S3 server together, each test with a virtual host and a bucket of its own.

mod broker;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use facereel_domain::ids::RunRef;
use facereel_domain::layout::{ObjectKey, RunLayout};
use facereel_queue::Queue;
use facereel_store::Store;
use facereel_store::s3::{AccessKey, S3Options, S3Store};
use facereel_test_servers::seaweedfs::{ACCESS_KEY, SECRET_KEY};
use facereel_test_servers::{Rabbit, SeaweedFs};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::episode::{Episode, PIECES};
use crate::fleet::{Fleet, Replica, SERVICES};
use crate::program::Call;
use crate::results::{Results, differences};
use crate::schemas;

/// How often services are started again for what was left in the queues when they stopped.
const ROUNDS: usize = 4;

/// A broker, an S3 server, and a place for videos.
pub struct Cluster {
    /// The broker.
    pub rabbit: Rabbit,
    /// The S3 server.
    pub server: SeaweedFs,
    queue_url: String,
    bucket: String,
    folder: TempDir,
    runtime: Runtime,
    /// Opened by whoever looks into it first.
    queue: OnceLock<Arc<dyn Queue>>,
    /// Likewise.
    store: OnceLock<S3Store>,
}

impl Cluster {
    /// On the servers that all tests share.
    ///
    /// # Panics
    ///
    /// Where they can't be started.
    #[must_use]
    pub fn new() -> Self {
        Self::on(Rabbit::shared().expect("a broker"), SeaweedFs::shared().expect("an S3 server"))
    }

    /// On these servers.
    ///
    /// # Panics
    ///
    /// Where they are no good.
    #[must_use]
    pub fn on(rabbit: Rabbit, server: SeaweedFs) -> Self {
        let queue_url = rabbit.new_vhost().expect("a virtual host");
        let bucket = server.new_bucket().expect("a bucket");
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = Runtime::new().expect("threads can be started");
        let (queue, store) = (OnceLock::new(), OnceLock::new());
        Self { rabbit, server, queue_url, bucket, folder, runtime, queue, store }
    }

    /// The folder that services may read videos from, beside the bucket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Uploads the episode's video; its URL.
    ///
    /// # Panics
    ///
    /// Where the server refuses.
    #[must_use]
    pub fn upload(&self, episode: &Episode) -> String {
        let bytes = fs::read(episode.video()).expect("the video is there");
        self.upload_bytes(&episode.id, &bytes)
    }

    /// Uploads what should be the video of episode `id`; its URL.
    ///
    /// # Panics
    ///
    /// Where the server refuses.
    #[must_use]
    pub fn upload_bytes(&self, id: &str, bytes: &[u8]) -> String {
        let key = format!("videos/{id}.mp4");
        self.server.upload(&self.bucket, &key, bytes).expect("the server takes videos");
        format!("s3://{}/{key}", self.bucket)
    }

    /// Copies the episode's video into the folder; its path.
    ///
    /// # Panics
    ///
    /// Where the disk refuses.
    #[must_use]
    pub fn copy(&self, episode: &Episode) -> PathBuf {
        let path = self.folder().join(format!("{}.mp4", episode.id));
        fs::copy(episode.video(), &path).expect("the folder can be written");
        path
    }

    /// `facereel WORDS`, told where everything is.
    #[must_use]
    pub fn call(&self, words: &[&str]) -> Call {
        let environment = self.environment();
        let variables: Vec<_> = environment.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        Call::new(words).with_environment(&variables)
    }

    /// What `facereel WORDS --json` says.
    ///
    /// # Panics
    ///
    /// Where it fails.
    #[must_use]
    pub fn ask(&self, words: &[&str]) -> Value {
        let said = self.call(words).with(&["--json"]).succeed().said;
        // Notes for people may stand before it.
        let values = said.lines().position(|line| line.starts_with(['{', '[']));
        let text: String = said.split_inclusive('\n').skip(values.unwrap_or(0)).collect();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{words:?}: {error}: {said}"))
    }

    /// `facereel submit` of a video, in small pieces; its run.
    ///
    /// # Panics
    ///
    /// Where it fails.
    pub fn submit(&self, video: &str) -> RunRef {
        let told = self.ask(&[["submit", video].as_slice(), &PIECES].concat());
        serde_json::from_value(told.clone()).unwrap_or_else(|error| panic!("{error}: {told}"))
    }

    /// Uploads and submits all; their runs.
    pub fn submit_all(&self, episodes: &[Episode]) -> Vec<RunRef> {
        episodes.iter().map(|episode| self.submit(&self.upload(episode))).collect()
    }

    /// `facereel status EPISODES --watch`: returns once all are done.
    ///
    /// # Panics
    ///
    /// Where one fails.
    pub fn wait_for(&self, episodes: &[Episode]) {
        let mut words = vec!["status", "--watch", "--every", "1"];
        words.extend(episodes.iter().map(|episode| episode.id.as_str()));
        self.call(&words).succeed();
    }

    /// Nobody yet; whoever comes knows where everything is.
    #[must_use]
    pub fn fleet(&self) -> Fleet {
        Fleet::new(self.environment())
    }

    /// Two replicas of every service.
    #[must_use]
    pub fn full_fleet(&self) -> Fleet {
        let mut fleet = self.fleet();
        for service in SERVICES {
            fleet.start(Replica::of(service));
            fleet.start(Replica::of(service));
        }
        fleet
    }

    /// Stops the services, and insists that nothing is left and every episode is as the program alone leaves it.
    ///
    /// # Panics
    ///
    /// Where it is not so.
    pub fn assert_all_done(&self, fleet: Fleet, episodes: &[Episode]) {
        self.assert_nothing_left(fleet);
        for episode in episodes {
            self.assert_as_alone(episode);
        }
    }

    /// The same run, every artifact byte for byte.
    fn assert_as_alone(&self, episode: &Episode) {
        let here = tempfile::tempdir().expect("a folder");
        self.call(&["fetch", &episode.id, &here.path().to_string_lossy()]).succeed();
        let (fetched, alone) =
            (Results::of_only_episode(here.path()), Results::of_only_episode(&episode.alone()));
        assert_eq!(fetched.run().file_name(), alone.run().file_name(), "another run of {}", episode.id);
        assert_eq!(differences(&fetched.artifacts(), &alone.artifacts()), Vec::<String>::new());
    }

    /// Stops the services, and insists that all ended as asked and nothing is left: no jobs, no dead letters, nothing
    /// between the stages.
    ///
    /// # Panics
    ///
    /// Where something is left.
    pub fn assert_nothing_left(&self, fleet: Fleet) {
        self.assert_at_rest(fleet);
        let dead = self.dead_letters();
        assert!(dead.is_empty(), "{dead:#?}");
        let lies_between_stages = |key: &String| key.split('/').any(|folder| folder == "work");
        let work: Vec<_> = self.keys("episodes").into_iter().filter(lies_between_stages).collect();
        assert_eq!(work, Vec::<String>::new());
    }

    /// Stops the services, and insists that all ended as asked and left no jobs.
    ///
    /// A job that was done twice may lead to others that have nothing to do; when services stop just then, these stay in
    /// the queues for those that come next.
    fn assert_at_rest(&self, mut fleet: Fleet) {
        for _ in 0..ROUNDS {
            fleet.wait_until("queues are empty", || self.jobs().is_empty());
            let ends = fleet.stop();
            // A fail point may strike in the very last job.
            assert!(ends.iter().all(|end| end.code == Some(0) || end.is_kill()), "{ends:?}");
            if self.jobs().is_empty() {
                return;
            }
            fleet = self.full_fleet();
        }
        panic!("there are jobs without end: {:?}", self.jobs());
    }

    /// Keys of the objects below `prefix` of the results, sorted.
    ///
    /// # Panics
    ///
    /// Where the server does not answer.
    #[must_use]
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let listed = self.runtime.block_on(self.store().list(prefix));
        listed.expect("the server lists objects").into_iter().map(|object| object.key.to_string()).collect()
    }

    /// Whether the run has an object whose key holds `text`.
    #[must_use]
    pub fn has(&self, run: &RunRef, text: &str) -> bool {
        self.keys(RunLayout::new(run).prefix()).iter().any(|key| key.contains(text))
    }

    /// Whether the run is committed.
    ///
    /// # Panics
    ///
    /// Where the server does not answer.
    #[must_use]
    pub fn is_committed(&self, run: &RunRef) -> bool {
        self.holds(&RunLayout::new(run).manifest())
    }

    /// Whether there is an object of the results at `key`.
    ///
    /// # Panics
    ///
    /// Where the server does not answer.
    #[must_use]
    pub fn holds(&self, key: &ObjectKey) -> bool {
        let head = self.runtime.block_on(self.store().head(key));
        head.expect("the server tells of objects").is_some()
    }

    /// The bytes of an object of the results.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[must_use]
    pub fn object(&self, key: &ObjectKey) -> Vec<u8> {
        let read = self.runtime.block_on(self.store().get(key));
        read.expect("the object is there").to_vec()
    }

    /// The JSON object of the results at `key`, which is as its schema says.
    ///
    /// # Panics
    ///
    /// Where there is none, or another.
    #[must_use]
    pub fn json(&self, key: &ObjectKey, schema: &str) -> Value {
        let value = serde_json::from_slice(&self.object(key)).expect("the object is JSON");
        schemas::assert_fits(schema, &value);
        value
    }

    fn store(&self) -> &S3Store {
        let options = S3Options {
            endpoint: Some(self.server.endpoint()),
            credentials: Some(AccessKey { id: ACCESS_KEY.to_owned(), secret: SECRET_KEY.to_owned() }),
            ..S3Options::default()
        };
        let url = self.store_url();
        let open = || self.runtime.block_on(S3Store::open(&url, &options));
        self.store.get_or_init(|| open().expect("the server is there"))
    }

    fn store_url(&self) -> String {
        format!("s3://{}/results", self.bucket)
    }

    fn environment(&self) -> Vec<(String, String)> {
        let roots = format!("s3://{}/videos,{}", self.bucket, self.folder().display());
        let variables = [
            ("FACEREEL__QUEUE__URL", self.queue_url.clone()),
            ("FACEREEL__STORE__URL", self.store_url()),
            ("FACEREEL__STORE__ENDPOINT", self.server.endpoint()),
            ("FACEREEL__SOURCE__ALLOWED_ROOTS", roots),
            ("FACEREEL__SERVICE__LISTEN", "127.0.0.1:0".to_owned()),
            ("FACEREEL__LIMITS__THREADS", "1".to_owned()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

impl Default for Cluster {
    fn default() -> Self {
        Self::new()
    }
}
