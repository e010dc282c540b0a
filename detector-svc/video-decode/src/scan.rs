//! One pass over all packets, without decoding: what frames a video has, and where decoding may start.

use facereel_domain::time::{Pts, Rational, Timeline};
use serde::{Deserialize, Serialize};

use crate::bitstream::Bitstream;
use crate::demuxer::Demuxer;
use crate::error::{DecodeError, ErrorKind};
use crate::info::{TimestampSource, VideoInfo, check_size};
use crate::input::Input;
use crate::presentation::{Presentation, ScannedPacket, in_order};
use crate::{rate, raw};

/// Seconds by which a container may overstate its video.
const MAX_SHORTFALL_SEC: f64 = 0.5;

/// A frame that a scan found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannedFrame {
    /// When it is shown.
    pub pts: Pts,
    /// Whether the container or codec calls it a keyframe.
    pub is_key: bool,
    /// Whether a segment may start here: all frames from here on decode exactly without what came before.
    pub is_seek_point: bool,
    /// Whether other frames may refer to it; `None` where the codec's headers do not tell.
    pub is_reference: Option<bool>,
}

/// What a scan found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scan {
    /// The video.
    pub info: VideoInfo,
    /// Every frame, in presentation order, timestamps distinct. Damaged ones are listed too: only decoding finds out. Where
    /// timestamps are [counted](TimestampSource::Counted) the length is that of the packets, which may hold fewer frames.
    pub frames: Vec<ScannedFrame>,
    /// Sentences for the user about what is odd.
    pub warnings: Vec<String>,
}

impl Scan {
    /// Whether the video can be cut into segments.
    #[must_use]
    pub fn is_seekable(&self) -> bool {
        self.info.timestamps == TimestampSource::Container
    }
}

/// Reads all packets of `input`.
pub fn scan(input: &Input) -> Result<Scan, DecodeError> {
    let mut demuxer = Demuxer::open(input)?;
    demuxer.check_stated_size()?;
    let decoder = demuxer.decoder()?;
    let layout = raw::pixel_layout(decoder.format());
    let packets = read_packets(&mut demuxer)?;
    let mut presentation = in_order(&packets);
    let (Some(first), Some(last), Some(layout)) =
        (presentation.frames.first(), presentation.frames.last(), layout)
    else {
        return Err(DecodeError::new(ErrorKind::NoFrames, demuxer.place()));
    };
    check_size(decoder.width() as i32, decoder.height() as i32, demuxer.place())?;

    let timeline = timeline(&demuxer, &presentation, first.pts);
    let coded = facereel_domain::geometry::Size { width: decoder.width(), height: decoder.height() };
    let rotation = demuxer.rotation();
    let info = VideoInfo {
        container: demuxer.container(),
        codec: demuxer.codec_name().to_owned(),
        pixel_format: layout.name.to_owned(),
        bit_depth: layout.components.first().map_or(8, |c| c.depth as u8),
        size: rotation.turned(coded),
        rotation_deg: rotation.degrees(),
        timeline,
        timestamps: presentation.timestamps,
        duration_sec: timeline.seconds(last.pts) + 1.0 / timeline.fps.to_f64(),
        temporal_layers: presentation.temporal_layers,
    };
    presentation.warnings.extend(shortfall(&demuxer, &info));
    Ok(Scan { info, frames: presentation.frames, warnings: presentation.warnings })
}

fn read_packets(demuxer: &mut Demuxer) -> Result<Vec<ScannedPacket>, DecodeError> {
    let bitstream = Bitstream::new(demuxer.codec(), &raw::extradata(&demuxer.stream()));
    let mut packets = Vec::new();
    while let Some(packet) = demuxer.next_packet()? {
        let mut picture = bitstream.picture(packet.data().unwrap_or_default(), packet.is_key());
        picture.is_shown &= !raw::is_hidden(&packet);
        packets.push(ScannedPacket {
            pts: packet.pts(),
            dts: packet.dts(),
            is_key: packet.is_key(),
            picture,
        });
    }
    Ok(packets)
}

/// What is missing of the stream, by what the container states and what the demuxer stumbled over.
fn shortfall(demuxer: &Demuxer, info: &VideoInfo) -> Option<String> {
    let stated_sec = demuxer.stated_duration_sec().unwrap_or(0.0);
    if stated_sec > info.duration_sec + MAX_SHORTFALL_SEC {
        return Some(format!(
            "the container states {stated_sec:.1} s of video but only {:.1} s are there: the file was cut short or is damaged",
            info.duration_sec
        ));
    }
    let unreadable = demuxer.unreadable();
    (unreadable > 0)
        .then(|| format!("{unreadable} parts of the file can't be read: it was cut short or is damaged"))
}

fn timeline(demuxer: &Demuxer, presentation: &Presentation, first_pts: Pts) -> Timeline {
    let stream = demuxer.stream();
    let stated = [stream.rate(), stream.avg_frame_rate()].map(positive);
    let stated: Vec<Rational> = stated.into_iter().flatten().collect();
    if let (TimestampSource::Container, Some(time_base)) =
        (presentation.timestamps, positive(stream.time_base()))
    {
        let pts: Vec<Pts> = presentation.frames.iter().map(|f| f.pts).collect();
        return Timeline { time_base, first_pts, fps: rate::nominal(&pts, time_base, &stated) };
    }
    let fps = rate::stated_or_fallback(&stated);
    Timeline { time_base: fps.inverse(), first_pts, fps }
}

fn positive(rational: ffmpeg_next::Rational) -> Option<Rational> {
    Rational::new(rational.numerator().into(), rational.denominator().into()).ok()
}
