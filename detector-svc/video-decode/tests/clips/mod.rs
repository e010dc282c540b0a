//! Clips made on the spot with the `ffmpeg` program, and the whole decode that others are compared with.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use facereel_domain::time::{Pts, PtsRange};
use facereel_video_decode::{DecodeStats, Frame, Input, Scan, SegmentDecoder, Selection, scan};
use tempfile::TempDir;

/// Frames a second of most clips.
pub(crate) const FPS: u32 = 24;
/// A moving test picture, three seconds.
pub(crate) const MOVING: &str = "testsrc2=size=320x180:rate=24:duration=3";

/// A folder of clips that goes away with the test.
pub(crate) struct Clips(TempDir);

impl Clips {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Encodes a lavfi `source` with `options` (separated by spaces) into `name`.
    pub(crate) fn encode(&self, source: &str, options: &str, name: &str) -> PathBuf {
        let path = self.path(name);
        let mut command = ffmpeg();
        command.args(["-f", "lavfi", "-i", source]).args(options.split_whitespace()).arg(&path);
        run(command);
        path
    }

    /// Rewraps `from` with `options` before and after the input.
    pub(crate) fn remux(&self, before: &str, from: &Path, after: &str, name: &str) -> PathBuf {
        let path = self.path(name);
        let mut command = ffmpeg();
        command.args(before.split_whitespace()).arg("-i").arg(from).args(after.split_whitespace()).arg(&path);
        run(command);
        path
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-nostdin", "-threads", "1"]).stdin(Stdio::null());
    command
}

fn run(mut command: Command) {
    let output = command.output().expect("the ffmpeg program is installed");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// All frames of `path` as the `ffmpeg` program decodes them: planes without padding, one after the other.
pub(crate) fn reference_planes(path: &Path) -> Vec<u8> {
    let mut command = ffmpeg();
    command.arg("-noautorotate").arg("-i").arg(path);
    command.args(["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-"]);
    let output = command.output().unwrap();
    output.stdout
}

/// A frame for comparing: when, and every byte of its planes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) pts: Pts,
    pub(crate) planes: Vec<u8>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sum = self.planes.iter().fold(7_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(*b)));
        write!(f, "{}:{sum:016x}", self.pts.0)
    }
}

impl From<&Frame> for Shown {
    fn from(frame: &Frame) -> Self {
        Self { pts: frame.pts(), planes: frame.rows().flatten().copied().collect() }
    }
}

pub(crate) const EVERYTHING: PtsRange = PtsRange { start: None, end: None };

pub(crate) fn input(path: &Path) -> Input {
    Input::File(path.to_owned())
}

pub(crate) fn scanned(path: &Path) -> Scan {
    scan(&input(path)).unwrap()
}

/// The frames of one range.
pub(crate) fn decode(path: &Path, scan: &Scan, range: PtsRange) -> (Vec<Shown>, DecodeStats) {
    decode_selection(path, scan, range, Selection::All)
}

/// The frames of one range that come out with a selection.
pub(crate) fn decode_selection(
    path: &Path,
    scan: &Scan,
    range: PtsRange,
    selection: Selection,
) -> (Vec<Shown>, DecodeStats) {
    let mut decoder = SegmentDecoder::open(&input(path), &scan.info, range, selection).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        frames.push(Shown::from(&frame));
    }
    (frames, decoder.stats())
}

pub(crate) fn pts_of(frames: &[Shown]) -> Vec<Pts> {
    frames.iter().map(|f| f.pts).collect()
}
