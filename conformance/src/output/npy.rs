//! Arrays of double-precision numbers in the NPY format, version 1.0 (numpy.lib.format).
//!
//! Only what this crate writes is read: little-endian `f8` in row-major order, with the shape that is known beforehand. No header is
//! parsed and nothing is allocated on its word, so a hostile file can only be refused.

const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
/// Bytes before the text of the header: the magic and the length of the text.
const PREFIX: usize = 10;
/// The data starts at a multiple of this.
const ALIGNMENT: usize = 64;

/// The header's text without its padding.
fn description(shape: &[usize]) -> String {
    let mut extents = shape.iter().map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    if shape.len() == 1 {
        extents.push(',');
    }
    format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({extents}), }}")
}

/// The most dimensions of an array that is written; numpy 1 stops there.
pub(super) const DIMENSIONS: usize = 32;

/// How many numbers a shape holds, if that can be counted.
pub(super) fn count(shape: &[usize]) -> Option<usize> {
    // A nought anywhere makes the array empty, but must not hide an overflow of the other extents.
    shape.iter().try_fold(1_usize, |n, &extent| n.checked_mul(extent.max(1)))?;
    Some(shape.iter().product())
}

/// Writes an array; `values` must hold as many numbers as `shape` says.
pub(super) fn to_bytes(shape: &[usize], values: &[f64]) -> Vec<u8> {
    let mut text = description(shape);
    let used = PREFIX + text.len() + 1;
    text.push_str(&" ".repeat(used.next_multiple_of(ALIGNMENT) - used));
    text.push('\n');
    let mut bytes = Vec::with_capacity(PREFIX + text.len() + 8 * values.len());
    bytes.extend_from_slice(MAGIC);
    // At most 32 extents of twenty digits: the length always fits.
    bytes.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

/// Reads an array of the given shape, bit by bit.
///
/// # Errors
/// What is wrong with the bytes.
pub(super) fn from_bytes(bytes: &[u8], shape: &[usize]) -> Result<Vec<f64>, String> {
    let expected = count(shape).ok_or_else(|| format!("the shape {shape:?} is too large to count"))?;
    let rest = bytes.strip_prefix(MAGIC).ok_or("it does not begin as an npy file of version 1.0 does")?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or("it ends inside the header")?;
    let (text, data) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length))).ok_or("it ends inside the header")?;
    let text = std::str::from_utf8(text).map_err(|_| "its header is not text")?.trim_end();
    let wanted = description(shape);
    if text != wanted {
        let found: String = text.chars().take(200).collect();
        return Err(format!("its header is {found:?} instead of {wanted:?}"));
    }
    if expected.checked_mul(8) != Some(data.len()) {
        return Err(format!("it holds {} bytes of data instead of the 8 × {expected} of its shape {shape:?}", data.len()));
    }
    let (numbers, _) = data.as_chunks::<8>();
    Ok(numbers.iter().map(|b| f64::from_le_bytes(*b)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_array_is_what_numpy_writes() {
        let bytes = to_bytes(&[2, 1], &[1.0, -0.0]);
        assert_eq!(bytes.len(), 128 + 16);
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!(&bytes[10..69], b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }");
        assert_eq!(bytes[127], b'\n');
        assert_eq!(&bytes[128..], [0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x80]);
        assert_eq!(description(&[3]), "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }");
        assert_eq!(description(&[]), "{'descr': '<f8', 'fortran_order': False, 'shape': (), }");
    }

    #[test]
    fn overflow_is_not_hidden_by_an_empty_extent() {
        assert_eq!(count(&[0, usize::MAX]), Some(0));
        assert_eq!(count(&[0, usize::MAX, 2]), None);
        assert_eq!(count(&[]), Some(1));
    }
}
