//! From packets in decoding order to frames in presentation order.

use std::collections::btree_map::{BTreeMap, Entry};

use facereel_domain::time::Pts;

use crate::bitstream::Picture;
use crate::info::TimestampSource;
use crate::scan::ScannedFrame;

/// What a scan keeps of a packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScannedPacket {
    pub(crate) pts: Option<i64>,
    pub(crate) dts: Option<i64>,
    pub(crate) is_key: bool,
    pub(crate) picture: Picture,
}

/// The frames of a stream as they are shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Presentation {
    pub(crate) frames: Vec<ScannedFrame>,
    pub(crate) timestamps: TimestampSource,
    pub(crate) temporal_layers: u8,
    pub(crate) warnings: Vec<String>,
}

/// Orders the pictures of `packets` (given in decoding order).
///
/// Pictures that no decoder can show are left out: those stored before the first keyframe, and those shown before it that
/// refer to what is not there.
pub(crate) fn in_order(packets: &[ScannedPacket]) -> Presentation {
    let mut warnings = Vec::new();
    let start = packets.iter().position(|p| p.is_key).unwrap_or(0);
    if start > 0 {
        warnings
            .push(format!("the first {start} frames come before the first keyframe and can't be decoded"));
    }
    let packets = &packets[start..];
    let is_seen = |p: &&ScannedPacket| p.picture.is_shown && !is_lost(p, &packets[0]);
    let packets: Vec<&ScannedPacket> = packets.iter().filter(is_seen).collect();
    let top_layer = packets.iter().map(|p| p.picture.temporal_id).max().unwrap_or(0);
    let (frames, timestamps) = match timestamp_fault(&packets) {
        None => (by_timestamp(&packets, top_layer, &mut warnings), TimestampSource::Container),
        Some(fault) => {
            warnings.push(format!("{fault}: frames are counted, and the video is decoded as one segment"));
            (by_count(packets.len()), TimestampSource::Counted)
        }
    };
    Presentation { frames, timestamps, temporal_layers: top_layer + 1, warnings }
}

/// Whether a picture shown before the first keyframe needs what came before that.
fn is_lost(packet: &ScannedPacket, first: &ScannedPacket) -> bool {
    let is_leading = packet.pts.zip(first.pts).is_some_and(|(pts, key)| pts < key);
    is_leading && (packet.picture.is_skipped_leading || !first.picture.is_closed)
}

/// Why the timestamps can't be trusted: one is missing, or time goes backwards.
fn timestamp_fault(packets: &[&ScannedPacket]) -> Option<&'static str> {
    let mut latest = i64::MIN;
    let mut last_dts = i64::MIN;
    for packet in packets {
        let Some(pts) = packet.pts else { return Some("some frames have no timestamp") };
        if packet.dts.is_some_and(|dts| dts < last_dts) || (packet.is_key && pts < latest) {
            return Some("timestamps go backwards");
        }
        last_dts = packet.dts.unwrap_or(last_dts);
        latest = latest.max(pts);
    }
    None
}

fn by_timestamp(packets: &[&ScannedPacket], top_layer: u8, warnings: &mut Vec<String>) -> Vec<ScannedFrame> {
    let mut frames = BTreeMap::new();
    let mut latest = i64::MIN;
    let mut repeated = 0_u64;
    for packet in packets {
        let Some(pts) = packet.pts else { continue };
        let frame = ScannedFrame {
            pts: Pts(pts),
            is_key: packet.is_key,
            is_seek_point: packet.is_key && packet.picture.is_seek_point && pts > latest,
            is_reference: is_needed(packet.picture, top_layer),
        };
        latest = latest.max(pts);
        match frames.entry(pts) {
            Entry::Occupied(_) => repeated += 1,
            Entry::Vacant(place) => _ = place.insert(frame),
        }
    }
    if repeated > 0 {
        warnings.push(format!("{repeated} frames repeat the timestamp of another frame and are left out"));
    }
    frames.into_values().collect()
}

/// Below the top temporal layer "non-reference" only means that no picture of the same layer refers to it.
pub(crate) fn is_needed(picture: Picture, top_layer: u8) -> Option<bool> {
    picture.is_reference.map(|needed| needed || picture.temporal_id < top_layer)
}

fn by_count(frames: usize) -> Vec<ScannedFrame> {
    let frame = |n: usize| ScannedFrame {
        pts: Pts(n as i64),
        is_key: n == 0,
        is_seek_point: n == 0,
        is_reference: None,
    };
    (0..frames).map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::Bitstream;

    fn packet(dts: i64, pts: i64, is_key: bool) -> ScannedPacket {
        ScannedPacket {
            pts: Some(pts),
            dts: Some(dts),
            is_key,
            picture: Bitstream::Opaque.picture(&[], is_key),
        }
    }

    fn pts(presentation: &Presentation) -> Vec<i64> {
        presentation.frames.iter().map(|f| f.pts.0).collect()
    }

    #[test]
    fn b_frames_are_put_in_order() {
        let shown =
            in_order(&[packet(-1, 0, true), packet(0, 3, false), packet(1, 1, false), packet(2, 2, false)]);
        assert_eq!(pts(&shown), [0, 1, 2, 3]);
        assert_eq!(shown.timestamps, TimestampSource::Container);
        assert!(shown.warnings.is_empty());
    }

    #[test]
    fn a_keyframe_shown_before_an_earlier_frame_means_time_goes_backwards() {
        let shown = in_order(&[packet(0, 10, true), packet(1, 11, false), packet(2, 5, true)]);
        assert_eq!(shown.timestamps, TimestampSource::Counted);
        assert_eq!(pts(&shown), [0, 1, 2]);
        assert_eq!(shown.warnings.len(), 1);
    }

    #[test]
    fn frames_before_the_first_keyframe_are_left_out() {
        let shown =
            in_order(&[packet(0, 0, false), packet(1, 1, false), packet(2, 2, true), packet(3, 3, false)]);
        assert_eq!(pts(&shown), [2, 3]);
    }

    #[test]
    fn leading_frames_of_an_open_first_group_are_left_out() {
        let mut first = packet(0, 2, true);
        first.picture.is_closed = false;
        let shown = in_order(&[first, packet(1, 0, false), packet(2, 1, false), packet(3, 3, false)]);
        assert_eq!(pts(&shown), [2, 3]);
    }

    #[test]
    fn repeated_timestamps_are_named_once() {
        let shown = in_order(&[packet(0, 0, true), packet(1, 1, false), packet(1, 1, false)]);
        assert_eq!(pts(&shown), [0, 1]);
        assert_eq!(shown.warnings.len(), 1);
    }
}
