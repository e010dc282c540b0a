//! The pipe to the `ffmpeg` program, which encodes the clip.
//!
//! A process and not the library: encoders are no part of what facereel links, and a process takes a core of its own.
//! The number of the encoder's threads is fixed, because x264's output depends on it.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::error::SynthError;
use crate::spec::{ClipSpec, Rate};

const ENCODING: &str = "encoding the clip";

/// A running encoder.
pub(crate) struct Encoder {
    process: Child,
    frames: Option<ChildStdin>,
}

impl Encoder {
    /// Starts to write `out`, an mp4 file.
    pub(crate) fn start(spec: &ClipSpec, out: &Path) -> Result<Self, SynthError> {
        let rate = match spec.rate {
            Rate::Quality(factor) => ["-crf".to_owned(), factor.to_string()],
            Rate::Kbps(kbps) => ["-b:v".to_owned(), format!("{kbps}k")],
        };
        let mut process = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"])
            .args(["-s", &format!("{}x{}", spec.size.width, spec.size.height), "-r", &spec.fps.to_string()])
            .args(["-i", "-", "-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"])
            .args(["-c:v", "libx264", "-preset", "veryfast", "-threads", "2"])
            .args(rate)
            .args(["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"])
            .args(["-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart", "-f", "mp4"])
            .arg(out)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| ffmpeg_failed(ENCODING, e.to_string()))?;
        let frames = process.stdin.take();
        Ok(Self { process, frames })
    }

    /// Hands over the next frame, RGB.
    pub(crate) fn write(&mut self, frame: &[u8]) -> Result<(), SynthError> {
        let written = self.frames.as_mut().map_or(Ok(()), |pipe| pipe.write_all(frame));
        // A broken pipe means that the encoder has ended: what it says is the reason.
        written.map_err(|e| match self.end() {
            Err(said) => said,
            Ok(()) => ffmpeg_failed(ENCODING, e.to_string()),
        })
    }

    /// Waits until the file is complete.
    pub(crate) fn finish(mut self) -> Result<(), SynthError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), SynthError> {
        drop(self.frames.take());
        let mut said = String::new();
        if let Some(mut errors) = self.process.stderr.take() {
            errors.read_to_string(&mut said).map_err(|e| ffmpeg_failed(ENCODING, e.to_string()))?;
        }
        let status = self.process.wait().map_err(|e| ffmpeg_failed(ENCODING, e.to_string()))?;
        if status.success() { Ok(()) } else { Err(ffmpeg_failed(ENCODING, said.trim().to_owned())) }
    }
}

impl Drop for Encoder {
    /// A film that is given up leaves no process behind.
    fn drop(&mut self) {
        if self.frames.is_some() {
            // Both fail only where the process has ended already.
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

/// `ffmpeg` could not do its part.
pub(crate) fn ffmpeg_failed(doing: &'static str, reason: String) -> SynthError {
    SynthError::Ffmpeg { doing, reason }
}
