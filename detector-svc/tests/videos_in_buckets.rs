//! A video in a bucket of a real server is what it is on disk, and is read where it is needed.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use detector_svc::{Identity, SourceErrorKind, Sources, Trust};
use facereel_domain::settings::SourceSettings;
use facereel_domain::time::PtsRange;
use facereel_store::S3Options;
use facereel_store::s3::AccessKey;
use facereel_test_servers::seaweedfs::{ACCESS_KEY, SECRET_KEY};
use facereel_test_servers::{HttpProxy, SeaweedFs};
use facereel_video_decode::{
    DecodeError, ErrorKind, Input, Scan, SegmentDecoder, Selection, VideoInfo, scan, segment_ranges,
};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

type Outcome = Result<(), Box<dyn Error>>;

const KEY: &str = "season 1/E01.mov";

/// Twelve seconds of noise, tens of megabytes, with a keyframe each second, sound between the pictures, and its index
/// at the end.
fn clip(folder: &Path) -> PathBuf {
    let (short, long) = (folder.join("short.mov"), folder.join("long.mov"));
    let noise = "testsrc2=size=640x360:rate=24:duration=2,noise=alls=100:allf=t";
    let coding = "-c:v libx264 -preset ultrafast -qp 12 -g 24 -bf 2 -pix_fmt yuv420p -c:a pcm_s16le";
    let mut encode = ffmpeg();
    encode.args(["-f", "lavfi", "-i", noise, "-f", "lavfi", "-i", "sine=duration=2"]);
    run(encode.args(coding.split(' ')).arg(&short));
    run(ffmpeg().args(["-stream_loop", "5", "-i"]).arg(&short).args(["-c", "copy"]).arg(&long));
    long
}

fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-nostdin", "-threads", "1"]);
    command
}

fn run(command: &mut Command) {
    assert!(command.status().expect("`make test` installs ffmpeg").success(), "{command:?}");
}

/// A bucket with the clip in it, a proxy before its server, and the clip as a file.
struct Rig {
    folder: TempDir,
    file: PathBuf,
    server: SeaweedFs,
    bucket: String,
    proxy: HttpProxy,
}

impl Rig {
    async fn start() -> Result<Self, Box<dyn Error>> {
        let folder = TempDir::new()?;
        let file = clip(folder.path());
        let server = SeaweedFs::shared()?;
        let bucket = server.new_bucket()?;
        server.upload(&bucket, KEY, &std::fs::read(&file)?)?;
        let proxy = HttpProxy::start(server.port()).await?;
        Ok(Self { folder, file, server, bucket, proxy })
    }

    fn url(&self) -> String {
        format!("s3://{}/{KEY}", self.bucket)
    }

    fn path(&self) -> &str {
        self.file.to_str().expect("a temporary folder has a plain name")
    }

    /// Sources as a service has them: it may read this folder and this bucket.
    fn sources(&self) -> Result<Sources, Box<dyn Error>> {
        let key = AccessKey { id: ACCESS_KEY.to_owned(), secret: SECRET_KEY.to_owned() };
        let endpoint = Some(self.proxy.url());
        let s3 = S3Options { endpoint, credentials: Some(key), ..S3Options::default() };
        let roots = vec![self.folder.path().display().to_string(), format!("s3://{}/", self.bucket)];
        let settings = SourceSettings { allowed_roots: roots, ..SourceSettings::default() };
        Ok(Sources::reached_by(s3, &settings, Trust::Jobs)?)
    }
}

async fn scanned(input: &Input) -> Result<Scan, Box<dyn Error>> {
    let input = input.clone();
    Ok(spawn_blocking(move || scan(&input)).await??)
}

/// Every byte of every frame of a segment.
async fn decoded(input: &Input, info: &VideoInfo, range: PtsRange) -> Result<Vec<u8>, Box<dyn Error>> {
    let (input, info) = (input.clone(), info.clone());
    let decode = move || {
        let mut decoder = SegmentDecoder::open(&input, &info, range, Selection::All)?;
        let mut planes = Vec::new();
        while let Some(frame) = decoder.next_frame()? {
            planes.extend(frame.rows().flatten().copied());
        }
        Ok::<_, DecodeError>(planes)
    };
    Ok(spawn_blocking(decode).await??)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_from_a_bucket_is_the_one_from_disk_and_the_rest_stays_there() -> Outcome {
    let rig = Rig::start().await?;
    let sources = rig.sources()?;
    let on_disk = sources.open(&sources.describe(rig.path(), Identity::Sampled).await?).await?;
    let in_bucket = sources.open(&sources.describe(&rig.url(), Identity::Sampled).await?).await?;
    let scan = scanned(&on_disk).await?;
    assert_eq!(scanned(&in_bucket).await?, scan, "planned alike");

    let segments = segment_ranges(&scan, 1.0);
    let middle = segments[segments.len() / 2];
    let whole = std::fs::metadata(&rig.file)?.len();
    let (requests, sent) = (rig.proxy.count("GET"), rig.proxy.body_bytes("GET"));
    let from_bucket = decoded(&in_bucket, &scan.info, middle).await?;
    let (requests, sent) = (rig.proxy.count("GET") - requests, rig.proxy.body_bytes("GET") - sent);
    assert!(!from_bucket.is_empty() && from_bucket == decoded(&on_disk, &scan.info, middle).await?);
    assert!(segments.len() >= 12 && whole > 30 << 20, "the clip is too small to tell: {whole} bytes");
    assert!(sent < whole / 3, "{sent} bytes of {whole} were read for one of {} segments", segments.len());
    assert!(requests <= 10, "{requests} requests for a segment");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_are_the_same_source_wherever_they_are() -> Outcome {
    let rig = Rig::start().await?;
    let sources = rig.sources()?;
    for extent in [Identity::Sampled, Identity::Whole] {
        let on_disk = sources.describe(rig.path(), extent).await?;
        let in_bucket = sources.describe(&rig.url(), extent).await?;
        assert_eq!(on_disk.identity, in_bucket.identity);
        assert!(on_disk.etag.is_none() && in_bucket.etag.is_some());
    }
    assert!(rig.proxy.body_bytes("GET") < (std::fs::metadata(&rig.file)?.len() + (10 << 20)));
    let found = sources.videos_below(&format!("s3://{}/season 1", rig.bucket)).await?;
    assert_eq!(found.iter().map(|video| video.url.clone()).collect::<Vec<_>>(), [rig.url()]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_video_fails_for_good_and_says_so() -> Outcome {
    let rig = Rig::start().await?;
    let sources = rig.sources()?;
    let asked_for = sources.describe(&rig.url(), Identity::Sampled).await?;
    let input = sources.open(&asked_for).await?;
    let scan = scanned(&input).await?;

    let mut other = std::fs::read(&rig.file)?;
    let last = other.len() - 1;
    other[last] ^= 1;
    rig.server.upload(&rig.bucket, KEY, &other)?;
    let again = sources.open(&asked_for).await?;
    for input in [input, again] {
        let failed = decoded(&input, &scan.info, segment_ranges(&scan, 1.0)[3]).await;
        let error = failed.err().ok_or("decoded another video")?;
        let error = error.downcast::<DecodeError>()?;
        assert_eq!(error.kind(), ErrorKind::Changed);
        assert!(error.is_permanent() && error.to_string().contains(&rig.url()), "{error}");
        let cause = error.source().ok_or("no cause")?.to_string();
        assert!(cause.contains("replaced by another object; start a new run"), "{cause}");
    }
    // One whose tag nobody noted is compared by its bytes.
    let untagged = facereel_messages::objects::Source { etag: None, ..asked_for };
    let error = sources.open(&untagged).await.err().ok_or("opened another video")?;
    assert_eq!(error.kind(), SourceErrorKind::Replaced);
    Ok(())
}

#[tokio::test]
async fn buckets_that_are_not_allowed_are_not_asked() -> Outcome {
    let rig = Rig::start().await?;
    let sources = rig.sources()?;
    for url in ["s3://others/a.mp4".to_owned(), format!("s3://{}-2/a.mp4", rig.bucket)] {
        let error = sources.describe(&url, Identity::Sampled).await.err().ok_or("read it")?;
        assert_eq!(error.kind(), SourceErrorKind::NotAllowed, "{error}");
    }
    assert!(sources.videos_below("s3://others").await.is_err());
    assert_eq!(rig.proxy.count(""), 0);
    let absent = sources.describe(&format!("s3://{}/none.mp4", rig.bucket), Identity::Sampled).await;
    assert_eq!(absent.err().ok_or("found it")?.kind(), SourceErrorKind::NotFound);
    Ok(())
}
