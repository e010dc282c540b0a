//! From options to a client of a bucket that answers.

use std::sync::Arc;

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

use super::attempts::{Attempts, Purpose, boxed};
use super::failure::{Failure, within};
use super::options::{Addressing, S3Options};
use super::transport::http_client;
use crate::error::{StoreError, StoreErrorKind};
use crate::seam::OldVersions;

/// Signed for where nothing says otherwise: servers of one's own mostly do not care.
const USUAL_REGION: &str = "us-east-1";

/// The way to a server. Clones share connections, budget and bounds.
#[derive(Debug, Clone)]
pub(super) struct Server {
    client: Client,
    attempts: Arc<Attempts>,
}

/// A bucket and the way to it.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) attempts: Arc<Attempts>,
}

impl Server {
    /// A client for the server; asks nobody yet.
    pub(super) async fn at(options: &S3Options) -> Result<Self, StoreError> {
        let region = region(options).await?;
        let http = http_client(options).await?;
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
            attempts: Arc::new(Attempts::new(options.limits.clone())),
        })
    }

    /// One of its buckets.
    pub(super) fn bucket(&self, name: &str) -> Arc<Bucket> {
        let (client, attempts) = (self.client.clone(), Arc::clone(&self.attempts));
        Arc::new(Bucket { client, name: name.to_owned(), attempts })
    }
}

impl Bucket {
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

impl Bucket {
    /// Whether it keeps what is deleted. Versions that were made before versioning was suspended are kept too.
    pub(super) async fn old_versions(&self, url: &str) -> Result<OldVersions, StoreError> {
        use StoreErrorKind::{Denied, Invalid, NotFound};
        let limit = self.attempts.limits.attempt_with(0);
        let ask = || {
            boxed(async {
                let request = self.client.get_bucket_versioning().bucket(&self.name);
                match within(limit, async { Ok(request.send().await?) }).await {
                    Ok(told) if told.status().is_some() => Ok(OldVersions::Kept),
                    Ok(_) => Ok(OldVersions::Gone),
                    Err(failure) if matches!(failure.kind, Denied | Invalid | NotFound) => {
                        Ok(OldVersions::Unknown)
                    }
                    Err(failure) => Err(failure),
                }
            })
        };
        self.attempts.run(Purpose { operation: "ask for old versions in", object: url }, ask).await
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
