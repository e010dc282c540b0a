//! How to reach an S3 server: what a URL says, what settings say, and the limits on time and load.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use facereel_domain::layout::ObjectKey;
use facereel_domain::settings::StoreSettings;

use crate::error::StoreError;

/// How to reach a server. What the URL says goes before what stands here.
#[derive(Debug, Clone, Default)]
pub struct S3Options {
    /// The server's address, `http://host:port`; nothing for AWS.
    pub endpoint: Option<String>,
    /// The region that requests are signed for. Nothing takes the one of the AWS environment or profile, and
    /// `us-east-1` for a server of one's own.
    pub region: Option<String>,
    /// Where the bucket's name goes.
    pub addressing: Addressing,
    /// A PEM file of the authorities that may sign the server's certificate; nothing trusts the system's.
    pub ca_file: Option<PathBuf>,
    /// Who we are. Nothing asks the SDK's chain of providers, as described in [`s3`](crate::s3).
    pub credentials: Option<AccessKey>,
    /// Limits on time and load.
    pub limits: S3Limits,
}

/// Where the bucket's name goes in a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Addressing {
    /// Into the path: what servers other than AWS understand.
    #[default]
    Path,
    /// Into the host's name.
    VirtualHost,
}

/// A key and its secret, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The public part.
    pub id: String,
    /// The secret part.
    pub secret: String,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How long and how much at once.
#[derive(Debug, Clone, PartialEq)]
pub struct S3Limits {
    /// How long one attempt may take that carries no data. Shorter finds dead servers sooner and gives up on slow ones.
    pub attempt: Duration,
    /// What an attempt that carries data gets on top: the slowest transfer that is still worth waiting for.
    pub slowest_bytes_per_sec: u64,
    /// No attempt begins later than this after the first.
    pub total: Duration,
    /// Attempts of one request.
    pub max_attempts: u32,
    /// The pause before the second attempt; each further one is twice as long, up to [`max_pause`](Self::max_pause).
    pub first_pause: Duration,
    /// The longest pause.
    pub max_pause: Duration,
    /// Requests at once as long as the server never asks for less.
    pub concurrency: usize,
    /// Objects above this size are sent in parts.
    pub multipart_above_bytes: usize,
    /// The size of such a part; servers want at least 5 MiB.
    pub part_bytes: usize,
    /// How old an unfinished upload must be to count as abandoned. Far above the time that any upload takes.
    pub abandoned_after: Duration,
}

impl Default for S3Limits {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(15),
            slowest_bytes_per_sec: 256 * 1024,
            total: Duration::from_mins(1),
            max_attempts: 20,
            first_pause: Duration::from_millis(100),
            max_pause: Duration::from_secs(5),
            concurrency: 16,
            multipart_above_bytes: 16 << 20,
            part_bytes: 8 << 20,
            abandoned_after: Duration::from_hours(24),
        }
    }
}

impl S3Limits {
    /// How long an attempt may take that carries `bytes`.
    pub(super) fn attempt_with(&self, bytes: u64) -> Duration {
        let transfer_ms = bytes.saturating_mul(1000) / self.slowest_bytes_per_sec.max(1);
        self.attempt.saturating_add(Duration::from_millis(transfer_ms))
    }
}

/// A bucket and what stands behind it in a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) bucket: String,
    /// The rest of the path, without slashes around it.
    pub(super) path: String,
}

impl Place {
    /// Takes `s3://bucket/path?endpoint=…&region=…&path_style=true` apart; the query goes into `options`.
    pub(super) fn parse(url: &str, options: &mut S3Options) -> Result<Self, StoreError> {
        let rest = url.strip_prefix("s3://").ok_or_else(|| StoreError::invalid_url("it is no s3:// URL"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, path) = place.split_once('/').unwrap_or((place, ""));
        check_bucket(bucket)?;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            options.set(name, value)?;
        }
        if let Some(endpoint) = &options.endpoint {
            check_endpoint(endpoint)?;
        }
        Ok(Self { bucket: bucket.to_owned(), path: path.trim_matches('/').to_owned() })
    }

    /// Takes `s3://bucket/name` of an object that is not ours apart: its name may be any, with a `?` in it too.
    pub(super) fn of_object(url: &str) -> Result<Self, StoreError> {
        let rest = url.strip_prefix("s3://").ok_or_else(|| StoreError::invalid_url("it is no s3:// URL"))?;
        let (bucket, name) = rest.split_once('/').unwrap_or((rest, ""));
        check_bucket(bucket)?;
        Ok(Self { bucket: bucket.to_owned(), path: name.to_owned() })
    }

    /// The place as a store: its path is a prefix that keys can follow.
    pub(super) fn checked_prefix(self) -> Result<Self, StoreError> {
        if !self.path.is_empty() && self.path.parse::<ObjectKey>().is_err() {
            let reason = "parts of the prefix are letters, digits, '.', '_', '-'";
            return Err(StoreError::invalid_url(reason));
        }
        Ok(self)
    }

    /// The address without its query.
    pub(super) fn url(&self) -> String {
        let slash = if self.path.is_empty() { "" } else { "/" };
        format!("s3://{}{slash}{}", self.bucket, self.path)
    }
}

impl S3Options {
    /// What the settings say, and the query of the store's URL, which goes before them. For other buckets of the same
    /// server too.
    pub fn from_settings(settings: &StoreSettings) -> Result<Self, StoreError> {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let mut options = Self {
            endpoint: given(&settings.endpoint),
            region: given(&settings.region),
            addressing: if settings.path_style { Addressing::Path } else { Addressing::VirtualHost },
            ca_file: given(&settings.ca_file).map(PathBuf::from),
            credentials: None,
            limits: S3Limits {
                attempt: Duration::from_secs_f64(settings.attempt_sec),
                total: Duration::from_secs_f64(settings.patience_sec),
                concurrency: settings.concurrency as usize,
                ..S3Limits::default()
            },
        };
        if let Some(endpoint) = &options.endpoint {
            check_endpoint(endpoint)?;
        }
        if settings.url.starts_with("s3://") {
            Place::parse(&settings.url, &mut options)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        match (name, value) {
            ("endpoint", _) => self.endpoint = Some(value.to_owned()),
            ("region", _) => self.region = Some(value.to_owned()),
            ("path_style", "true") => self.addressing = Addressing::Path,
            ("path_style", "false") => self.addressing = Addressing::VirtualHost,
            _ => {
                let known = "behind '?' stand endpoint=URL, region=NAME, path_style=true or false; keys and secrets \
                             never stand in a URL";
                return Err(StoreError::invalid_url(known));
            }
        }
        Ok(())
    }
}

fn check_bucket(name: &str) -> Result<(), StoreError> {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    if (3..=63).contains(&name.len()) && name.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(StoreError::invalid_url("a bucket's name has 3 to 63 of a-z, 0-9, '.', '-'"))
}

fn check_endpoint(endpoint: &str) -> Result<(), StoreError> {
    let host = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
    if host.is_some_and(|host| !host.is_empty() && !host.contains(['@', '?', '#'])) {
        return Ok(());
    }
    Err(StoreError::invalid_url(
        "an endpoint is http://host:port or https://host:port, without user or secret",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_bucket_prefix_and_how_to_reach_the_server() {
        let mut options = S3Options::default();
        let url = "s3://films/a/b/?endpoint=http://127.0.0.1:8333&region=eu-1&path_style=false";
        let place = Place::parse(url, &mut options).unwrap();
        assert_eq!(place, Place { bucket: "films".to_owned(), path: "a/b".to_owned() });
        assert_eq!(options.endpoint.as_deref(), Some("http://127.0.0.1:8333"));
        assert_eq!(options.region.as_deref(), Some("eu-1"));
        assert_eq!(options.addressing, Addressing::VirtualHost);
        assert_eq!(place.url(), "s3://films/a/b");
        assert_eq!(Place::parse("s3://films", &mut options).unwrap().url(), "s3://films");
    }

    #[test]
    fn settings_say_how_to_reach_the_server_and_the_url_goes_before_them() {
        let settings = StoreSettings {
            url: "s3://films/a?region=eu-1".to_owned(),
            endpoint: "https://objects:9000".to_owned(),
            region: "us-1".to_owned(),
            path_style: false,
            attempt_sec: 2.5,
            ..StoreSettings::default()
        };
        let options = S3Options::from_settings(&settings).unwrap();
        assert_eq!(options.endpoint.as_deref(), Some("https://objects:9000"));
        assert_eq!(options.region.as_deref(), Some("eu-1"));
        assert_eq!(options.addressing, Addressing::VirtualHost);
        assert_eq!(options.limits.attempt, Duration::from_millis(2500));
        assert_eq!(options.ca_file, None);
        let with_secret = StoreSettings { endpoint: "http://me:secret@host".to_owned(), ..settings };
        assert!(!S3Options::from_settings(&with_secret).unwrap_err().to_string().contains("secret@"));
    }

    #[test]
    fn without_settings_everything_is_as_by_default() {
        let options = S3Options::from_settings(&StoreSettings::default()).unwrap();
        assert_eq!(options.limits, S3Limits::default());
        assert_eq!((options.endpoint, options.region), (None, None));
    }

    #[test]
    fn an_object_of_others_may_have_any_name() {
        let place = Place::of_object("s3://films/season 1/what?.mp4").unwrap();
        assert_eq!(place, Place { bucket: "films".to_owned(), path: "season 1/what?.mp4".to_owned() });
        assert!(Place::of_object("s3://user:secret@films/a").is_err());
        assert!(Place::of_object("file:///a").is_err());
    }

    #[test]
    fn bad_urls_are_refused_and_never_repeated() {
        for url in [
            "s3://",
            "s3://user:secret@bucket/x",
            "s3://films?secret=x",
            "s3://films?endpoint=http://user:secret@host",
            "s3://films?endpoint=host",
            "s3://films?path_style=secret",
        ] {
            let error = Place::parse(url, &mut S3Options::default()).unwrap_err();
            assert!(error.is_permanent());
            assert!(
                !error.to_string().contains("secret@") && !error.to_string().contains("=secret"),
                "{error}"
            );
        }
        let place = Place::parse("s3://films/a//b", &mut S3Options::default()).unwrap();
        assert!(place.checked_prefix().is_err());
    }

    #[test]
    fn a_secret_is_never_shown() {
        let credentials = Some(AccessKey { id: "me".to_owned(), secret: "hidden".to_owned() });
        let shown = format!("{:?}", S3Options { credentials, ..S3Options::default() });
        assert!(shown.contains("me") && !shown.contains("hidden"), "{shown}");
    }

    #[test]
    fn large_transfers_get_more_time() {
        let limits = S3Limits { slowest_bytes_per_sec: 1000, ..S3Limits::default() };
        assert_eq!(limits.attempt_with(0), limits.attempt);
        assert_eq!(limits.attempt_with(5000), limits.attempt + Duration::from_secs(5));
    }
}
