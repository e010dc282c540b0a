//! How long the tracker takes for an episode: 57,600 frames (40 minutes at 24 a second) of 10 faces.

#![allow(clippy::print_stdout, reason = "the time is what this program is for")]

use std::time::Instant;

use anyhow::Result;
use facereel_bytetrack::{TrackInput, Tracker, TrackerParams};
use facereel_domain::geometry::BBox;

const FRAMES: usize = 57_600;
const FACES: usize = 10;
const FPS: f64 = 24.0;

fn main() -> Result<()> {
    let episode = (0..FRAMES).map(faces_at).collect::<Result<Vec<_>>>()?;
    let start = Instant::now();
    let mut tracker = Tracker::new(TrackerParams::default())?;
    for (frame, faces) in episode.iter().enumerate() {
        tracker.update(frame as f64 / FPS, faces)?;
    }
    let tracklets = tracker.finish();
    let seconds = start.elapsed().as_secs_f64();
    println!("{FRAMES} frames of {FACES} faces: {seconds:.3} s, {} tracks", tracklets.len());
    Ok(())
}

/// Ten faces that sway, two of them on crossing ways; each is missed or faint now and then.
fn faces_at(frame: usize) -> Result<Vec<TrackInput>> {
    let t = frame as f64 / FPS;
    let mut faces = Vec::with_capacity(FACES);
    for face in 0..FACES {
        let phase = face as f64;
        let x = 150.0 + 170.0 * phase + 120.0 * (0.7 * t + phase).sin();
        let y = 300.0 + 60.0 * (1.1 * t + 2.0 * phase).cos();
        let beat = (frame * 7 + face * 13) % 50;
        let confidence = if beat == 0 { 0.4 } else { 0.9 };
        if beat != 25 {
            let corners = [x - 50.0, y - 60.0, x + 50.0, y + 60.0].map(|c| c as f32);
            faces.push(TrackInput { bbox: BBox::from_xyxy(corners)?, confidence });
        }
    }
    Ok(faces)
}
