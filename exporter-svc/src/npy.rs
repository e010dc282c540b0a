//! The `.npy` format, version 1.0: a header that says `float32, C order, (rows, columns)`, then the numbers.
//!
//! Source: `NumPy` Enhancement Proposal 1. Little endian, header padded so that the data begins at a multiple of 64 bytes.

const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

/// Why bytes are no matrix of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no NumPy file of float32 rows: {0}")]
pub struct NpyError(&'static str);

/// `rows`, all of `columns` numbers, as a `.npy` file. No rows give a file of shape `(0, columns)`.
pub fn encode<'a>(
    rows: impl ExactSizeIterator<Item = &'a [f32]>,
    columns: usize,
) -> Result<Vec<u8>, NpyError> {
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {columns}), }}", rows.len());
    let unpadded = MAGIC.len() + 2 + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let header_len = u16::try_from(header.len()).map_err(|_| NpyError("the header is too long"))?;
    let mut bytes = Vec::with_capacity(MAGIC.len() + 2 + header.len() + rows.len() * columns * 4);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&header_len.to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    for row in rows {
        if row.len() != columns {
            return Err(NpyError("a row has another length than the others"));
        }
        bytes.extend(row.iter().flat_map(|v| v.to_le_bytes()));
    }
    Ok(bytes)
}

/// A matrix read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// Numbers a row.
    pub columns: usize,
    /// The rows.
    pub rows: Vec<Vec<f32>>,
}

/// The matrix in `bytes`, for verification.
pub fn decode(bytes: &[u8]) -> Result<Matrix, NpyError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(NpyError("the magic bytes are missing"))?;
    let (len, rest) = rest.split_first_chunk::<2>().ok_or(NpyError("the header is cut off"))?;
    let header_len = usize::from(u16::from_le_bytes(*len));
    let (header, data) = rest.split_at_checked(header_len).ok_or(NpyError("the header is cut off"))?;
    let header = std::str::from_utf8(header).map_err(|_| NpyError("the header is no text"))?;
    if !header.contains("'descr': '<f4'") || !header.contains("'fortran_order': False") {
        return Err(NpyError("the numbers are no little-endian float32 in C order"));
    }
    let (count, columns) = shape(header).ok_or(NpyError("the shape is not (rows, columns)"))?;
    let expected = count.checked_mul(columns).and_then(|n| n.checked_mul(4));
    if expected != Some(data.len()) {
        return Err(NpyError("the data does not fit the shape"));
    }
    let number = |b: &[u8]| b.try_into().map_or(f32::NAN, f32::from_le_bytes);
    let rows = if columns == 0 {
        Vec::new()
    } else {
        data.chunks_exact(columns * 4).map(|row| row.chunks_exact(4).map(number).collect()).collect()
    };
    Ok(Matrix { columns, rows })
}

/// The same file with zeros in place of some rows, counted from 0. Everything else keeps its place.
pub fn with_zeroed_rows(bytes: &[u8], rows: &[u64]) -> Result<Vec<u8>, NpyError> {
    let matrix = decode(bytes)?;
    let row_bytes = matrix.columns * 4;
    let data = bytes.len() - matrix.rows.len() * row_bytes;
    let mut zeroed = bytes.to_vec();
    for row in rows {
        if *row >= matrix.rows.len() as u64 {
            return Err(NpyError("it has fewer rows than are referred to"));
        }
        let start = data + *row as usize * row_bytes;
        zeroed[start..start + row_bytes].fill(0);
    }
    Ok(zeroed)
}

fn shape(header: &str) -> Option<(usize, usize)> {
    let inner = header.split_once("'shape': (")?.1.split_once(')')?.0;
    let (rows, columns) = inner.split_once(',')?;
    Some((rows.trim().parse().ok()?, columns.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_header_is_numpys_own() {
        let bytes = encode([[1.0_f32, 2.0].as_slice()].into_iter(), 2).unwrap();
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!((bytes.len() - 8) % 64, 0);
        assert!(bytes[10..128].starts_with(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"));
        assert_eq!(&bytes[128..], [0, 0, 128, 63, 0, 0, 0, 64]);
    }

    #[test]
    fn no_rows_still_have_a_width() {
        let bytes = encode(std::iter::empty(), 128).unwrap();
        assert_eq!(decode(&bytes).unwrap(), Matrix { columns: 128, rows: vec![] });
    }

    #[test]
    fn zeroed_rows_are_zeros_and_others_stay() {
        let rows = [[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0]];
        let bytes = encode(rows.iter().map(<[f32; 2]>::as_slice), 2).unwrap();
        let zeroed = with_zeroed_rows(&bytes, &[1]).unwrap();
        assert_eq!(zeroed[..128], bytes[..128]);
        assert_eq!(decode(&zeroed).unwrap().rows, [[1.0, 2.0], [0.0, 0.0], [5.0, 6.0]]);
        assert_eq!(with_zeroed_rows(&zeroed, &[1]).unwrap(), zeroed);
        assert!(with_zeroed_rows(&bytes, &[3]).is_err());
        let none = encode(std::iter::empty(), 0).unwrap();
        assert_eq!(with_zeroed_rows(&none, &[]).unwrap(), none);
    }

    #[test]
    fn rows_of_different_length_are_refused() {
        assert!(encode([[1.0_f32].as_slice(), &[1.0, 2.0]].into_iter(), 1).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in proptest::collection::vec(proptest::array::uniform3(-1.0_f32..1.0), 0..20)) {
            let bytes = encode(rows.iter().map(<[f32; 3]>::as_slice), 3).unwrap();
            let read = decode(&bytes).unwrap();
            prop_assert_eq!(read.rows, rows.iter().map(|r| r.to_vec()).collect::<Vec<_>>());
        }

        #[test]
        fn garbage_is_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }
    }
}
