//! `facereel bench track`: the tracker alone.

use std::time::Instant;

use anyhow::Result;
use clap::Args;
use facereel_bytetrack::{TrackInput, Tracker, TrackerParams};
use facereel_domain::geometry::BBox;

use crate::console;
use crate::exit::Exit;

/// Measure the tracker on made-up faces that sway, cross and are missed now and then.
#[derive(Debug, Args)]
pub(crate) struct TrackArgs {
    /// Frames
    #[arg(long, default_value_t = 57_600)]
    frames: u32,
    /// Faces in each frame
    #[arg(long, default_value_t = 10)]
    faces: u32,
    /// Frames a second
    #[arg(long, default_value_t = 24.0)]
    fps: f64,
}

/// Tracks and prints the seconds it took.
pub(crate) fn run(args: &TrackArgs) -> Result<Exit> {
    let times = (0..args.frames).map(|frame| f64::from(frame) / args.fps);
    let episode: Vec<(f64, Vec<TrackInput>)> =
        times.map(|ts| Ok((ts, faces_at(ts, args.faces)?))).collect::<Result<_>>()?;
    let began = Instant::now();
    let mut tracker = Tracker::new(TrackerParams::default())?;
    for (ts, faces) in &episode {
        tracker.update(*ts, faces)?;
    }
    let tracks = tracker.finish().len();
    let seconds = began.elapsed().as_secs_f64();
    console::out(format!(
        "{} frames of {} faces: {seconds:.3} s, {tracks} tracks, {:.0} frames/s",
        args.frames,
        args.faces,
        f64::from(args.frames) / seconds
    ));
    Ok(Exit::Done)
}

/// Faces side by side that sway; each is missed or faint now and then, at moments of its own.
fn faces_at(ts: f64, faces: u32) -> Result<Vec<TrackInput>> {
    let mut seen = Vec::with_capacity(faces as usize);
    for face in 0..faces {
        let phase = f64::from(face);
        let beat = (ts * 0.48 + phase * 0.26).fract();
        if beat < 0.02 {
            continue;
        }
        let confidence = if beat > 0.97 { 0.4 } else { 0.9 };
        let (x, y) =
            (150.0 + 170.0 * phase + 120.0 * (0.7 * ts + phase).sin(), 300.0 + 60.0 * (1.1 * ts).cos());
        let corners = [x - 50.0, y - 60.0, x + 50.0, y + 60.0].map(|corner| corner.max(0.0) as f32);
        seen.push(TrackInput { bbox: BBox::from_xyxy(corners)?, confidence });
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_faces_are_all_there_most_of_the_time() {
        let seen: usize = (0..240).map(|n| faces_at(f64::from(n) / 24.0, 10).unwrap().len()).sum();
        assert!((2200..2400).contains(&seen), "{seen}");
    }
}
