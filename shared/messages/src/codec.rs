//! The one way from values to bytes and back.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A value with a place in the wire format.
pub trait Format: Serialize + DeserializeOwned {
    /// Names the kind of value, for example `facereel.job.detect`.
    const NAME: &'static str;
    /// Version of its fields; grows with every change that an older reader would misread.
    const VERSION: u16;
    /// Longest encoding that is read or written, in bytes.
    const MAX_BYTES: usize;
}

/// Deepest nesting that is read. The formats need 12.
const MAX_DEPTH: usize = 24;

/// Why bytes are no value (or a value gives no bytes).
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// More bytes than the format allows.
    #[error("{name}: {actual} bytes are over the limit of {limit}")]
    TooLarge {
        /// Format.
        name: &'static str,
        /// Bytes at hand.
        actual: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Another kind of value.
    #[error("expected {expected}, found '{found}'")]
    WrongFormat {
        /// Format that was asked for.
        expected: &'static str,
        /// Format that the bytes name.
        found: String,
    },
    /// A version of the format that this build can't read.
    #[error(
        "{name} version {found} is unknown to this program, which reads version {known}; update the older side"
    )]
    UnknownVersion {
        /// Format.
        name: &'static str,
        /// Version of the bytes.
        found: u16,
        /// Version of this build.
        known: u16,
    },
    /// The bytes are broken, or a field is out of its range.
    #[error("{name}: the bytes can't be read")]
    Malformed {
        /// Format.
        name: &'static str,
        /// What is wrong.
        source: rmp_serde::decode::Error,
    },
    /// Bytes follow after the value.
    #[error("{name}: {extra} bytes follow after the value")]
    TrailingBytes {
        /// Format.
        name: &'static str,
        /// How many.
        extra: usize,
    },
    /// The value can't be written.
    #[error("{name}: the value can't be written")]
    Unwritable {
        /// Format.
        name: &'static str,
        /// Why.
        source: rmp_serde::encode::Error,
    },
}

#[derive(Serialize)]
struct EnvelopeRef<'a, T> {
    format: &'static str,
    version: u16,
    body: &'a T,
}

#[derive(Deserialize)]
struct Header {
    format: String,
    version: u16,
}

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u16,
    body: T,
}

/// `value` as bytes.
pub fn encode<T: Format>(value: &T) -> Result<Vec<u8>, CodecError> {
    let envelope = EnvelopeRef { format: T::NAME, version: T::VERSION, body: value };
    let bytes = rmp_serde::to_vec_named(&envelope)
        .map_err(|source| CodecError::Unwritable { name: T::NAME, source })?;
    check_size::<T>(bytes.len())?;
    Ok(bytes)
}

/// The value that `bytes` hold.
pub fn decode<T: Format>(bytes: &[u8]) -> Result<T, CodecError> {
    check_size::<T>(bytes.len())?;
    let header: Header = read::<T, Header>(bytes)?.0;
    if header.format != T::NAME {
        let found = header.format.chars().take(64).collect();
        return Err(CodecError::WrongFormat { expected: T::NAME, found });
    }
    if header.version != T::VERSION {
        return Err(CodecError::UnknownVersion { name: T::NAME, found: header.version, known: T::VERSION });
    }
    let (envelope, extra) = read::<T, Envelope<T>>(bytes)?;
    if extra > 0 {
        return Err(CodecError::TrailingBytes { name: T::NAME, extra });
    }
    Ok(envelope.body)
}

fn check_size<T: Format>(actual: usize) -> Result<(), CodecError> {
    if actual > T::MAX_BYTES {
        return Err(CodecError::TooLarge { name: T::NAME, actual, limit: T::MAX_BYTES });
    }
    Ok(())
}

/// A value from the front of `bytes`, and how many bytes are left behind it.
fn read<T: Format, V: DeserializeOwned>(bytes: &[u8]) -> Result<(V, usize), CodecError> {
    let mut deserializer = rmp_serde::Deserializer::new(std::io::Cursor::new(bytes));
    deserializer.set_max_depth(MAX_DEPTH);
    let value = V::deserialize(&mut deserializer)
        .map_err(|source| CodecError::Malformed { name: T::NAME, source })?;
    Ok((value, bytes.len() - deserializer.position() as usize))
}
