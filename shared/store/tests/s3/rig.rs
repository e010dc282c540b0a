//! A bucket of a real server for a test, and the ways to it.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use facereel_store::s3::{AccessKey, S3Limits, S3Options, S3Sources, S3Store};
use facereel_test_servers::seaweedfs::{ACCESS_KEY, SECRET_KEY};
use facereel_test_servers::{HttpProxy, SeaweedFs};

/// A bucket of its own on the server of this run.
pub(crate) struct Rig {
    pub(crate) server: SeaweedFs,
    pub(crate) bucket: String,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::on(SeaweedFs::shared().expect("`make test` installs the server"))
    }

    pub(crate) fn on(server: SeaweedFs) -> Self {
        let bucket = server.new_bucket().expect("a bucket");
        Self { server, bucket }
    }

    /// A proxy before the server.
    pub(crate) async fn proxy(&self) -> HttpProxy {
        HttpProxy::start(self.server.port()).await.expect("a free port")
    }

    /// A client of the server without anything of ours in between.
    pub(crate) fn client(&self) -> Client {
        let config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test"))
            .endpoint_url(self.server.endpoint())
            .force_path_style(true)
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        Client::from_conf(config.build())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("s3://{}/{path}", self.bucket)
    }

    /// A store below `prefix`.
    pub(crate) async fn store(&self, prefix: &str) -> S3Store {
        S3Store::open(&self.url(prefix), &self.options()).await.expect("the server is ready")
    }

    /// Objects of others.
    pub(crate) async fn sources(&self) -> S3Sources {
        S3Sources::connect(&self.options()).await.expect("good options")
    }

    pub(crate) fn options(&self) -> S3Options {
        options(&self.server.endpoint())
    }
}

/// Options for what listens at `endpoint`: the server or something before it.
pub(crate) fn options(endpoint: &str) -> S3Options {
    S3Options {
        endpoint: Some(endpoint.to_owned()),
        credentials: Some(AccessKey { id: ACCESS_KEY.to_owned(), secret: SECRET_KEY.to_owned() }),
        limits: S3Limits {
            attempt: Duration::from_secs(10),
            first_pause: Duration::from_millis(5),
            ..S3Limits::default()
        },
        ..S3Options::default()
    }
}
