//! From options to a client of a bucket that answers.

use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    BehaviorVersion, Builder, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    SharedCredentialsProvider, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::attempts::{Attempts, Purpose, boxed};
use super::failure::{Failure, within};
use super::options::{Addressing, Place, S3Options};
use crate::error::{StoreError, StoreErrorKind};

/// Signed for where nothing says otherwise: servers of one's own mostly do not care.
const USUAL_REGION: &str = "us-east-1";

/// How long an unused connection is kept; below the minute after which load balancers drop theirs.
const IDLE: Duration = Duration::from_secs(45);

/// A bucket and the way to it.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) attempts: Attempts,
}

impl Bucket {
    /// A client for the bucket of `place`; asks nobody yet.
    pub(super) async fn at(place: &Place, options: &S3Options) -> Result<Self, StoreError> {
        let region = region(options).await?;
        let http = http_client();
        let mut config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(region.clone())
            .credentials_provider(credentials(options, region, http.clone()).await)
            .http_client(http)
            .force_path_style(options.addressing == Addressing::Path)
            // Servers other than AWS trip over the checksums that newer SDKs add; objects carry a digest of our own.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            // One place tries again and bounds time: `attempts`.
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_endpoint_url(options.endpoint.clone());
        Ok(Self {
            client: Client::from_conf(config.build()),
            name: place.bucket.clone(),
            attempts: Attempts::new(options.limits.clone()),
        })
    }

    /// Asks for the bucket: finds a wrong address, name or secret before any work is done.
    pub(super) async fn check(&self, url: &str) -> Result<(), StoreError> {
        let limit = self.attempts.limits.attempt_with(0);
        let ask = || {
            boxed(async {
                let request = self.client.head_bucket().bucket(&self.name);
                within(limit, async { Ok(request.send().await?) }).await.map(drop).map_err(
                    |failure: Failure| match failure.kind {
                        StoreErrorKind::NotFound => Failure::new(failure.kind, "there is no such bucket"),
                        _ => failure,
                    },
                )
            })
        };
        self.attempts.run(Purpose { operation: "open the store", object: url }, ask).await
    }
}

async fn region(options: &S3Options) -> Result<Region, StoreError> {
    if let Some(region) = options.region.clone().filter(|region| !region.is_empty()) {
        return Ok(Region::new(region));
    }
    if options.endpoint.is_some() {
        return Ok(Region::new(USUAL_REGION));
    }
    let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new());
    let unknown = || StoreError::invalid_url("no region is known: set store.region or AWS_REGION");
    chain.region().await.ok_or_else(unknown)
}

fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .pool_idle_timeout(IDLE)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}

/// Who we are: as the options say, else by the SDK's providers.
async fn credentials(
    options: &S3Options,
    region: Region,
    http: SharedHttpClient,
) -> SharedCredentialsProvider {
    if let Some(key) = &options.credentials {
        let given = Credentials::new(&key.id, &key.secret, None, None, "settings");
        return SharedCredentialsProvider::new(given);
    }
    let config = ProviderConfig::without_region().with_region(Some(region)).with_http_client(http);
    if options.endpoint.is_none() {
        return SharedCredentialsProvider::new(
            DefaultCredentialsChain::builder().configure(config).build().await,
        );
    }
    // Not on AWS: its metadata service is not there, and asking for it only waits for a time-out.
    let profile = ProfileFileCredentialsProvider::builder().configure(&config).build();
    let chain =
        CredentialsProviderChain::first_try("environment", EnvironmentVariableCredentialsProvider::new())
            .or_else("profile", profile);
    SharedCredentialsProvider::new(chain)
}
