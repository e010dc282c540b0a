//! Which FFmpeg is in use, for reports.

use ffmpeg_next::{codec, format, software, util};

/// The FFmpeg libraries that the program runs with, each with its version.
#[must_use]
pub fn ffmpeg_versions() -> [(&'static str, String); 4] {
    [
        ("libavcodec", codec::version()),
        ("libavformat", format::version()),
        ("libavutil", util::version()),
        ("libswscale", software::scaling::version()),
    ]
    .map(|(name, version)| (name, text(version)))
}

/// FFmpeg packs a version into a number: eight bits each for minor and micro.
fn text(version: u32) -> String {
    format!("{}.{}.{}", version >> 16, version >> 8 & 0xff, version & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_as_ffmpeg_writes_them() {
        assert_eq!(text(0x003b_2564), "59.37.100");
        assert!(ffmpeg_versions().iter().all(|(_, version)| !version.starts_with("0.")));
    }
}
