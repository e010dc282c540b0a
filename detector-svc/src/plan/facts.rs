//! What a plan says about its video, to and from the decoder's own words.

use facereel_messages::objects::{Timestamps, VideoFacts};
use facereel_video_decode::{Scan, TimestampSource, VideoInfo};

/// The facts that a scan found.
pub(crate) fn facts_of(scan: &Scan) -> VideoFacts {
    let info = scan.info.clone();
    VideoFacts {
        container: info.container,
        codec: info.codec,
        pixel_format: info.pixel_format,
        bit_depth: info.bit_depth,
        size: info.size,
        rotation_deg: info.rotation_deg,
        timeline: info.timeline,
        timestamps: match info.timestamps {
            TimestampSource::Container => Timestamps::Container,
            TimestampSource::Counted => Timestamps::Counted,
        },
        temporal_layers: info.temporal_layers,
        frames: scan.frames.len() as u64,
        duration_sec: info.duration_sec,
    }
}

/// What the decoder needs to know for a segment of a planned video.
pub(crate) fn info_of(facts: &VideoFacts) -> VideoInfo {
    VideoInfo {
        container: facts.container.clone(),
        codec: facts.codec.clone(),
        pixel_format: facts.pixel_format.clone(),
        bit_depth: facts.bit_depth,
        size: facts.size,
        rotation_deg: facts.rotation_deg,
        timeline: facts.timeline,
        timestamps: match facts.timestamps {
            Timestamps::Container => TimestampSource::Container,
            Timestamps::Counted => TimestampSource::Counted,
        },
        duration_sec: facts.duration_sec,
        temporal_layers: facts.temporal_layers,
    }
}
