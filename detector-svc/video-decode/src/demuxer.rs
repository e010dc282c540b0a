//! Opens a video, chooses its stream, hands out its packets.

use std::sync::{Arc, Once};

use ffmpeg_next::codec::{self, Id, packet, threading};
use ffmpeg_next::decoder;
use ffmpeg_next::format::context::{Input as FormatContext, StreamIo};
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{Dictionary, Error, Packet, Stream, ffi, format, log, media};

use crate::error::{DecodeError, ErrorKind};
use crate::info::{MAX_PIXELS, check_size};
use crate::input::{Input, Meter, reader_failed};
use crate::raw;
use crate::rotation::Rotation;

/// FFmpeg's names of the containers that are read: mp4, mov; mkv, webm; ts; avi.
const CONTAINERS: &str = "mov,matroska,mpegts,avi";

/// Codecs that are decoded. FFmpeg has some hundred more, most of them for files that are no episodes.
const CODECS: [Id; 12] = [
    Id::H264,
    Id::HEVC,
    Id::VP8,
    Id::VP9,
    Id::AV1,
    Id::MPEG1VIDEO,
    Id::MPEG2VIDEO,
    Id::MPEG4,
    Id::MJPEG,
    Id::PRORES,
    Id::DNXHD,
    Id::FFV1,
];

/// Bytes read at once.
const READ_BYTES: usize = 128 * 1024;

/// Damaged places in a row after which the rest of a file is given up (an index can name as many packets that are not there).
const MAX_UNREADABLE_IN_A_ROW: u64 = 1 << 20;

/// An open video and its chosen stream.
pub(crate) struct Demuxer {
    context: FormatContext,
    stream: usize,
    meter: Arc<Meter>,
    place: String,
    unreadable: u64,
}

impl Demuxer {
    pub(crate) fn open(input: &Input) -> Result<Self, DecodeError> {
        start_ffmpeg();
        let place = input.place();
        let reader = input.open()?;
        let meter = Arc::clone(&reader.meter);
        let fail = |error: Error| open_error(error, &meter, &place);

        let mut options = Dictionary::new();
        options.set("format_whitelist", CONTAINERS);
        options.set("protocol_whitelist", "none");
        let io = StreamIo::from_read_seek_with_capacity(reader, READ_BYTES).map_err(fail)?;
        let mut context = format::input_from_stream(io, None, Some(options)).map_err(fail)?;

        let stream =
            choose_stream(&context).ok_or_else(|| DecodeError::new(ErrorKind::NoVideoStream, &place))?;
        raw::discard_all_but(&mut context, stream);
        Ok(Self { context, stream, meter, place, unreadable: 0 })
    }

    /// The next packet of the video stream in decoding order; `None` at the end.
    pub(crate) fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        let mut in_a_row = 0;
        loop {
            let mut packet = Packet::empty();
            let result = packet.read(&mut self.context);
            if let Some(fault) = self.meter.take_fault() {
                return Err(reader_failed(fault, &self.place));
            }
            match result {
                Ok(()) if packet.stream() == self.stream && packet.size() > 0 => return Ok(Some(packet)),
                Ok(()) => {}
                Err(Error::InvalidData) if in_a_row < MAX_UNREADABLE_IN_A_ROW => {
                    in_a_row += 1;
                    self.unreadable += 1;
                }
                Err(Error::Eof | Error::InvalidData) => return Ok(None),
                Err(error) => return Err(DecodeError::new(ErrorKind::Io, &self.place).source(error)),
            }
        }
    }

    /// Seeks to a keyframe that should lie at or before `ts`; `false` where the demuxer can't.
    pub(crate) fn seek_back(&mut self, ts: i64) -> bool {
        raw::seek_back(&mut self.context, self.stream, ts)
    }

    /// A decoder for the stream: one thread, frames in presentation order.
    pub(crate) fn decoder(&self) -> Result<decoder::Video, DecodeError> {
        let unsupported = |detail: &str| {
            DecodeError::new(ErrorKind::UnsupportedCodec, &self.place)
                .detail(format!("{} ({detail})", self.codec_name()))
        };
        let id = self.codec();
        if !CODECS.contains(&id) {
            return Err(unsupported("outside of the list"));
        }
        let codec = decoder::find(id).ok_or_else(|| unsupported("this FFmpeg has no decoder for it"))?;
        let mut context = codec::Context::from_parameters(self.stream().parameters())
            .map_err(|e| unsupported("bad parameters").source(e))?;
        context.set_threading(threading::Config::count(1));
        if id == Id::H264 {
            // Without this the depth of reordering is guessed from the first frames of a stream that does not state it,
            // and frames come out late or not at all where the guess was low.
            context.compliance(codec::Compliance::Strict);
        }
        let mut options = Dictionary::new();
        options.set("max_pixels", &MAX_PIXELS.to_string());
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(self.stream().time_base());
        let opened = decoder.open_as_with(codec, options).and_then(decoder::Opened::video);
        opened.map_err(|e| unsupported("it can't be opened").source(e))
    }

    /// Checks the size the container states, where it states one.
    pub(crate) fn check_stated_size(&self) -> Result<(), DecodeError> {
        let (width, height) = raw::coded_size(&self.stream());
        check_size(width, height, &self.place)
    }

    pub(crate) fn stream(&self) -> Stream<'_> {
        // Streams are only ever added to a context, and this index was taken from it.
        self.context.stream(self.stream).expect("the chosen stream exists")
    }

    pub(crate) fn codec(&self) -> Id {
        self.stream().parameters().id()
    }

    pub(crate) fn codec_name(&self) -> &'static str {
        self.codec().name()
    }

    /// A short name of the container.
    pub(crate) fn container(&self) -> String {
        let format = self.context.format();
        let names = format.name();
        let short = names.split(',').find(|n| *n == "mp4").or_else(|| names.split(',').next());
        short.unwrap_or(names).to_owned()
    }

    pub(crate) fn rotation(&self) -> Rotation {
        let stream = self.stream();
        let matrix = stream.side_data().find(|d| d.kind() == packet::side_data::Type::DisplayMatrix);
        matrix.map_or(Rotation::None, |m| Rotation::from_display_matrix(m.data()))
    }

    /// Seconds that the container says the stream lasts.
    pub(crate) fn stated_duration_sec(&self) -> Option<f64> {
        let stream = self.stream();
        let ticks = Some(stream.duration()).filter(|t| *t > 0)?;
        Some(ticks as f64 * f64::from(stream.time_base()))
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.meter.bytes()
    }

    /// Packets that the container names but that could not be read.
    pub(crate) fn unreadable(&self) -> u64 {
        self.unreadable
    }
}

/// FFmpeg's own messages go to standard error and know nothing of the run: what matters is counted and reported here.
fn start_ffmpeg() {
    static START: Once = Once::new();
    START.call_once(|| {
        if let Err(error) = ffmpeg_next::init() {
            tracing::error!(%error, "FFmpeg did not start");
        }
        log::set_level(log::Level::Fatal);
    });
}

fn open_error(error: Error, meter: &Meter, place: &str) -> DecodeError {
    if let Some(fault) = meter.take_fault() {
        return reader_failed(fault, place);
    }
    let kind = match error {
        Error::Other { errno: ffi::EINVAL } => ErrorKind::FormatNotAllowed,
        Error::Other { errno: ffi::ENOMEM } => ErrorKind::Ffmpeg,
        _ => ErrorKind::NotAVideo,
    };
    DecodeError::new(kind, place).source(error)
}

/// The video stream to analyse: no cover art, the default one first, then the largest, then the first.
fn choose_stream(context: &FormatContext) -> Option<usize> {
    let art = Disposition::ATTACHED_PIC;
    let candidates = context
        .streams()
        .filter(|s| s.parameters().medium() == media::Type::Video && !s.disposition().intersects(art));
    let rank = |s: &Stream| {
        let (width, height) = raw::coded_size(s);
        (s.disposition().contains(Disposition::DEFAULT), i64::from(width) * i64::from(height))
    };
    candidates
        .map(|s| (rank(&s), s.index()))
        .max_by_key(|(rank, index)| (*rank, usize::MAX - index))
        .map(|(_, i)| i)
}
