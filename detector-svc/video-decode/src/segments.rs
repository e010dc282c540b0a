//! Cuts a scanned video into ranges that can be decoded one by one.

use facereel_domain::time::PtsRange;

use crate::scan::Scan;

/// Half-open ranges between seek points, each at least `target_sec` long except the last. Together they hold every frame
/// once: the first has no start, the last no end. A video without seek points is one range.
///
/// The ranges follow from the scan and the target alone, not from how many workers there are.
#[must_use]
pub fn segment_ranges(scan: &Scan, target_sec: f64) -> Vec<PtsRange> {
    let timeline = &scan.info.timeline;
    let mut ranges = Vec::new();
    let mut start = None;
    let mut start_sec = 0.0;
    if scan.is_seekable() {
        for frame in scan.frames.iter().skip(1).filter(|f| f.is_seek_point) {
            let sec = timeline.seconds(frame.pts);
            if sec - start_sec >= target_sec {
                ranges.push(PtsRange { start, end: Some(frame.pts) });
                start = Some(frame.pts);
                start_sec = sec;
            }
        }
    }
    ranges.push(PtsRange { start, end: None });
    ranges
}
