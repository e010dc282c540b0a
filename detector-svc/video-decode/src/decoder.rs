//! Decodes one segment.
//!
//! Decoding starts at the keyframe that the range starts with. Frames that are stored after it but shown before it belong to
//! the segment before; they are decoded (later frames' bookkeeping counts on them) and dropped. At the other end, packets are
//! read past the next segment's keyframe until none that is shown before it can follow; only if there were any are they,
//! and the keyframe they refer to, decoded.

use std::collections::VecDeque;
use std::time::Instant;

use facereel_domain::time::{Pts, PtsRange};
use ffmpeg_next::codec::Id;
use ffmpeg_next::{Discard, Error, Packet, decoder, ffi, frame};

use crate::bitstream::Bitstream;
use crate::demuxer::Demuxer;
use crate::error::{DecodeError, ErrorKind};
use crate::frame::Frame;
use crate::info::{TimestampSource, VideoInfo};
use crate::input::Input;
use crate::presentation::is_needed;
use crate::raw;
use crate::rotation::Rotation;
use crate::selection::{Selection, SkipMode};

/// Packets that are looked at past a segment's end; reordering is at most 16 frames deep.
const MAX_LOOKAHEAD: usize = 64;
/// Errors in a row while the last frames are drained, after which no more are expected.
const MAX_DRAIN_ERRORS: u32 = 64;
/// Seconds before the wanted keyframe at which a demuxer is asked to start, one after the other.
const SEEK_MARGINS_SEC: [f64; 4] = [0.0, 2.0, 10.0, 60.0];

/// What decoding a segment cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DecodeStats {
    /// Frames that came out of the decoder, also those outside of the range.
    pub frames_decoded: u64,
    /// Frames that were not decoded because nobody wanted them.
    pub frames_discarded: u64,
    /// Frames of the range that could not be decoded.
    pub frames_broken: u64,
    /// Frames that came out although parts of them are damaged.
    pub frames_damaged: u64,
    /// Packets that were read.
    pub packets: u64,
    /// Bytes that were read from the input.
    pub bytes_read: u64,
    /// Seconds spent in this decoder, reading included.
    pub decode_sec: f64,
}

/// Decodes the frames of one range, in presentation order, on the caller's thread.
pub struct SegmentDecoder {
    demuxer: Demuxer,
    decoder: decoder::Video,
    bitstream: Bitstream,
    codec: Id,
    info: VideoInfo,
    rotation: Rotation,
    range: PtsRange,
    selection: Selection,
    phase: Phase,
    last: Option<Pts>,
    stats: DecodeStats,
}

enum Phase {
    /// Packets of the range are read and decoded; the first may have been read already.
    Body(Option<Packet>),
    /// The last packets.
    Tail(VecDeque<Packet>),
    /// Nothing more goes in.
    Draining {
        errors: u32,
    },
    Done,
}

impl SegmentDecoder {
    /// A decoder for the frames of `range`, as [`segment_ranges`](crate::segment_ranges) gave it for a scan with `info`.
    pub fn open(
        input: &Input,
        info: &VideoInfo,
        range: PtsRange,
        selection: Selection,
    ) -> Result<Self, DecodeError> {
        let started = Instant::now();
        let mut demuxer = Demuxer::open(input)?;
        let mut ready = None;
        if let Some(start) = range.start {
            let (at_start, key) = open_at(input, demuxer, start, info)?;
            demuxer = at_start;
            ready = Some(key);
        }
        let mut decoder = demuxer.decoder()?;
        if selection.skip_mode() == SkipMode::NonReferenceAndLoopFilter {
            decoder.skip_loop_filter(Discard::All);
        }
        let stats = DecodeStats {
            packets: u64::from(ready.is_some()),
            decode_sec: started.elapsed().as_secs_f64(),
            ..Default::default()
        };
        Ok(Self {
            bitstream: Bitstream::new(demuxer.codec(), &raw::extradata(&demuxer.stream())),
            codec: demuxer.codec(),
            rotation: Rotation::nearest(f64::from(info.rotation_deg)),
            info: info.clone(),
            demuxer,
            decoder,
            range,
            selection,
            phase: Phase::Body(ready),
            last: None,
            stats,
        })
    }

    /// The next frame of the range; `None` after the last.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, DecodeError> {
        let started = Instant::now();
        let result = self.advance();
        self.stats.decode_sec += started.elapsed().as_secs_f64();
        result
    }

    /// What it cost so far.
    #[must_use]
    pub fn stats(&self) -> DecodeStats {
        DecodeStats { bytes_read: self.demuxer.bytes_read(), ..self.stats }
    }

    fn advance(&mut self) -> Result<Option<Frame>, DecodeError> {
        loop {
            let mut video = frame::Video::empty();
            match self.decoder.receive_frame(&mut video) {
                Ok(()) => {
                    self.stats.frames_decoded += 1;
                    if let Some(frame) = self.admit(video) {
                        return Ok(Some(frame));
                    }
                }
                Err(Error::Eof) => {
                    self.phase = Phase::Done;
                    return Ok(None);
                }
                Err(error) => {
                    self.note_decoder_error(error)?;
                    if !self.feed()? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// The decoder's "feed me" is no error; everything else is a frame lost.
    fn note_decoder_error(&mut self, error: Error) -> Result<(), DecodeError> {
        match error {
            Error::Other { errno: ffi::EAGAIN } => return Ok(()),
            Error::Other { errno: ffi::ENOMEM } => {
                return Err(DecodeError::new(ErrorKind::Ffmpeg, self.demuxer.place()).source(error));
            }
            _ => self.stats.frames_broken += 1,
        }
        if let Phase::Draining { errors } = &mut self.phase {
            *errors += 1;
            if *errors > MAX_DRAIN_ERRORS {
                self.phase = Phase::Done;
            }
        }
        Ok(())
    }

    /// Gives the decoder its next packet, or the end; `false` when nothing more can come out.
    fn feed(&mut self) -> Result<bool, DecodeError> {
        match &mut self.phase {
            Phase::Body(ready) => {
                let ready = ready.take();
                self.feed_body(ready)?;
            }
            Phase::Tail(packets) => {
                if let Some(packet) = packets.pop_front() {
                    self.send(&packet)?;
                } else {
                    let is_draining = self.decoder.send_eof().is_ok();
                    self.phase = if is_draining { Phase::Draining { errors: 0 } } else { Phase::Done };
                }
            }
            Phase::Draining { .. } => {}
            Phase::Done => return Ok(false),
        }
        Ok(true)
    }

    fn feed_body(&mut self, ready: Option<Packet>) -> Result<(), DecodeError> {
        let next = if ready.is_some() { ready } else { self.read()? };
        match next {
            None => self.phase = Phase::Tail(VecDeque::new()),
            Some(packet) if self.is_past_end(&packet) => self.phase = Phase::Tail(self.read_tail(packet)?),
            Some(packet) => self.send(&packet)?,
        }
        Ok(())
    }

    fn read(&mut self) -> Result<Option<Packet>, DecodeError> {
        let packet = self.demuxer.next_packet()?;
        self.stats.packets += u64::from(packet.is_some());
        Ok(packet)
    }

    /// Whether the packet is the next segment's keyframe, or (should that be lost) surely decoded after the range's end.
    fn is_past_end(&self, packet: &Packet) -> bool {
        let Some(end) = self.range.end else { return false };
        let is_next_key = packet.is_key() && packet.pts().is_some_and(|pts| pts >= end.0);
        is_next_key || packet.dts().is_some_and(|dts| dts >= end.0)
    }

    /// The packets from the next segment's keyframe on that are needed for frames of this one: up to the last that is shown
    /// before the end, none if there is no such.
    fn read_tail(&mut self, key: Packet) -> Result<VecDeque<Packet>, DecodeError> {
        let Some(end) = self.range.end else { return Ok(VecDeque::new()) };
        let is_over = |p: &Packet| p.dts().is_some_and(|dts| dts >= end.0);
        let mut needed = 0;
        let mut tail = VecDeque::from([key]);
        while tail.len() < MAX_LOOKAHEAD && !tail.back().is_some_and(is_over) {
            let Some(packet) = self.read()? else { break };
            if packet.pts().is_some_and(|pts| pts < end.0) {
                needed = tail.len() + 1;
            }
            tail.push_back(packet);
        }
        tail.truncate(needed);
        Ok(tail)
    }

    fn send(&mut self, packet: &Packet) -> Result<(), DecodeError> {
        let is_skipped = self.may_skip(packet);
        self.decoder.skip_frame(if is_skipped { Discard::NonReference } else { Discard::Default });
        self.stats.frames_discarded += u64::from(is_skipped);
        self.decoder.send_packet(packet).or_else(|error| self.note_decoder_error(error))
    }

    /// Whether nobody wants the packet's frame and no other frame refers to it. Counted frames can't be told apart before
    /// they are decoded, so none is skipped there.
    fn may_skip(&self, packet: &Packet) -> bool {
        if self.selection.skip_mode() == SkipMode::None || self.info.timestamps == TimestampSource::Counted {
            return false;
        }
        let can_skip = matches!(self.codec, Id::H264 | Id::HEVC | Id::MPEG1VIDEO | Id::MPEG2VIDEO);
        let Some(pts) = packet.pts().filter(|_| can_skip) else { return false };
        let picture = self.bitstream.picture(packet.data().unwrap_or_default(), packet.is_key());
        is_needed(picture, self.info.temporal_layers.saturating_sub(1)) == Some(false)
            && !(self.range.contains(Pts(pts)) && self.selection.wants(Pts(pts)))
    }

    /// The frame, where it belongs to the range and was not shown before.
    fn admit(&mut self, video: frame::Video) -> Option<Frame> {
        let pts = match self.info.timestamps {
            TimestampSource::Container => Pts(video.pts()?),
            TimestampSource::Counted => Pts(self.last.map_or(0, |last| last.0 + 1)),
        };
        let is_in_range = self.range.contains(pts) && pts >= self.info.timeline.first_pts;
        if !is_in_range || self.last.is_some_and(|last| pts <= last) {
            return None;
        }
        self.last = Some(pts);
        self.stats.frames_damaged += u64::from(video.is_corrupt() || video.has_decode_errors());
        Some(Frame::new(video, pts, self.rotation))
    }
}

/// A demuxer of which the next packet follows the keyframe shown at `start`, and that keyframe's packet.
///
/// Demuxers differ in what they seek by (decoding times, positions, an index that may be missing), so the packet itself is
/// the proof; where seeks from further and further back miss it, the file is read from its beginning.
fn open_at(
    input: &Input,
    demuxer: Demuxer,
    start: Pts,
    info: &VideoInfo,
) -> Result<(Demuxer, Packet), DecodeError> {
    let mut demuxer = demuxer;
    for margin_sec in SEEK_MARGINS_SEC {
        let target = start.0 - (margin_sec / info.timeline.time_base.to_f64()) as i64;
        if !demuxer.seek_back(target) {
            continue;
        }
        if let Some(key) = find_key(&mut demuxer, start)? {
            return Ok((demuxer, key));
        }
    }
    demuxer = Demuxer::open(input)?;
    match find_key(&mut demuxer, start)? {
        Some(key) => Ok((demuxer, key)),
        None => Err(DecodeError::new(ErrorKind::Changed, demuxer.place())
            .detail(format!("there is no keyframe at timestamp {}", start.0))),
    }
}

/// Reads up to the keyframe shown at `start`; `None` where it does not come any more.
fn find_key(demuxer: &mut Demuxer, start: Pts) -> Result<Option<Packet>, DecodeError> {
    while let Some(packet) = demuxer.next_packet()? {
        if packet.is_key() && packet.pts() == Some(start.0) && !raw::is_hidden(&packet) {
            return Ok(Some(packet));
        }
        if packet.dts().is_some_and(|dts| dts > start.0) {
            return Ok(None);
        }
    }
    Ok(None)
}
