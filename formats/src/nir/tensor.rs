//! Arrays of numbers that keep the type they were stored with.

use std::fmt;

use half::f16;

/// The type of the numbers in a [`Tensor`], named as numpy names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say all there is")]
pub enum DType {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
}

impl DType {
    /// Bytes that one number takes in a file.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// Whether the numbers are whole.
    #[must_use]
    pub fn is_integer(self) -> bool {
        !matches!(self, Self::Bool | Self::F16 | Self::F32 | Self::F64)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::F16 => "float16",
            Self::F32 => "float32",
            Self::F64 => "float64",
        })
    }
}

/// The numbers of a [`Tensor`] in row-major order, in the type they were stored with.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say all there is")]
pub enum TensorData {
    Bool(Vec<bool>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    F16(Vec<f16>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// Runs one expression on the vector inside, whatever its type.
macro_rules! each {
    ($data:expr, $v:ident => $body:expr) => {
        match $data {
            TensorData::Bool($v) => $body,
            TensorData::I8($v) => $body,
            TensorData::I16($v) => $body,
            TensorData::I32($v) => $body,
            TensorData::I64($v) => $body,
            TensorData::U8($v) => $body,
            TensorData::U16($v) => $body,
            TensorData::U32($v) => $body,
            TensorData::U64($v) => $body,
            TensorData::F16($v) => $body,
            TensorData::F32($v) => $body,
            TensorData::F64($v) => $body,
        }
    };
}

impl TensorData {
    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        each!(self, v => v.len())
    }

    /// Whether there is no number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type of the numbers.
    #[must_use]
    pub fn dtype(&self) -> DType {
        match self {
            Self::Bool(_) => DType::Bool,
            Self::I8(_) => DType::I8,
            Self::I16(_) => DType::I16,
            Self::I32(_) => DType::I32,
            Self::I64(_) => DType::I64,
            Self::U8(_) => DType::U8,
            Self::U16(_) => DType::U16,
            Self::U32(_) => DType::U32,
            Self::U64(_) => DType::U64,
            Self::F16(_) => DType::F16,
            Self::F32(_) => DType::F32,
            Self::F64(_) => DType::F64,
        }
    }

    /// Picks numbers by their indices, or `None` if one lies outside.
    fn gather(&self, indices: &[usize]) -> Option<Self> {
        fn pick<T: Copy>(v: &[T], indices: &[usize]) -> Option<Vec<T>> {
            indices.iter().map(|&i| v.get(i).copied()).collect()
        }
        Some(match self {
            Self::Bool(v) => Self::Bool(pick(v, indices)?),
            Self::I8(v) => Self::I8(pick(v, indices)?),
            Self::I16(v) => Self::I16(pick(v, indices)?),
            Self::I32(v) => Self::I32(pick(v, indices)?),
            Self::I64(v) => Self::I64(pick(v, indices)?),
            Self::U8(v) => Self::U8(pick(v, indices)?),
            Self::U16(v) => Self::U16(pick(v, indices)?),
            Self::U32(v) => Self::U32(pick(v, indices)?),
            Self::U64(v) => Self::U64(pick(v, indices)?),
            Self::F16(v) => Self::F16(pick(v, indices)?),
            Self::F32(v) => Self::F32(pick(v, indices)?),
            Self::F64(v) => Self::F64(pick(v, indices)?),
        })
    }
}

/// Two arrays are equal when they have the same type and the same bits, so NaN equals itself and
/// `-0.0` differs from `0.0`.
impl PartialEq for TensorData {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::I8(a), Self::I8(b)) => a == b,
            (Self::I16(a), Self::I16(b)) => a == b,
            (Self::I32(a), Self::I32(b)) => a == b,
            (Self::I64(a), Self::I64(b)) => a == b,
            (Self::U8(a), Self::U8(b)) => a == b,
            (Self::U16(a), Self::U16(b)) => a == b,
            (Self::U32(a), Self::U32(b)) => a == b,
            (Self::U64(a), Self::U64(b)) => a == b,
            (Self::F16(a), Self::F16(b)) => same_bits(a, b, |x| x.to_bits()),
            (Self::F32(a), Self::F32(b)) => same_bits(a, b, |x| x.to_bits()),
            (Self::F64(a), Self::F64(b)) => same_bits(a, b, |x| x.to_bits()),
            _ => false,
        }
    }
}

fn same_bits<T: Copy, B: PartialEq>(a: &[T], b: &[T], bits: impl Fn(T) -> B) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(&x, &y)| bits(x) == bits(y))
}

macro_rules! from_vec {
    ($($t:ty => $variant:ident),* $(,)?) => {$(
        impl From<Vec<$t>> for TensorData {
            fn from(v: Vec<$t>) -> Self {
                Self::$variant(v)
            }
        }
        impl From<$t> for Tensor {
            fn from(v: $t) -> Self {
                Self { shape: Vec::new(), data: TensorData::$variant(vec![v]) }
            }
        }
    )*};
}
from_vec! {
    bool => Bool, i8 => I8, i16 => I16, i32 => I32, i64 => I64, u8 => U8, u16 => U16, u32 => U32,
    u64 => U64, f16 => F16, f32 => F32, f64 => F64,
}

/// An array of numbers with its shape, kept in the type it was stored with.
///
/// The empty shape is a single number. Equality is that of the bits (see [`TensorData`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: TensorData,
}

impl Tensor {
    /// An array of the given shape, in row-major order; `None` if the numbers do not fill it.
    #[must_use]
    pub fn new(shape: impl Into<Vec<usize>>, data: impl Into<TensorData>) -> Option<Self> {
        let (shape, data) = (shape.into(), data.into());
        (elements(&shape)? == data.len()).then_some(Self { shape, data })
    }

    /// A one-dimensional array.
    #[must_use]
    pub fn vector(data: impl Into<TensorData>) -> Self {
        let data = data.into();
        Self { shape: vec![data.len()], data }
    }

    /// A one-dimensional array in which one number is repeated.
    #[must_use]
    pub fn filled(len: usize, value: f32) -> Self {
        Self::vector(vec![value; len])
    }

    /// The length of each dimension; empty for a single number.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of dimensions.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there is no number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The type of the numbers.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.data.dtype()
    }

    /// The numbers, in row-major order.
    #[must_use]
    pub fn data(&self) -> &TensorData {
        &self.data
    }

    /// The numbers as `f64`, which holds every type but 64-bit integers beyond 2^53 exactly.
    #[must_use]
    pub fn to_f64(&self) -> Vec<f64> {
        match &self.data {
            TensorData::Bool(v) => v.iter().map(|&x| f64::from(u8::from(x))).collect(),
            TensorData::F16(v) => v.iter().map(|&x| f64::from(x)).collect(),
            TensorData::I8(v) => v.iter().map(|&x| x as f64).collect(),
            TensorData::I16(v) => v.iter().map(|&x| x as f64).collect(),
            TensorData::I32(v) => v.iter().map(|&x| x as f64).collect(),
            TensorData::I64(v) => v.iter().map(|&x| x as f64).collect(),
            TensorData::U8(v) => v.iter().map(|&x| x as f64).collect(),
            TensorData::U16(v) => v.iter().map(|&x| x as f64).collect(),
            TensorData::U32(v) => v.iter().map(|&x| x as f64).collect(),
            TensorData::U64(v) => v.iter().map(|&x| x as f64).collect(),
            TensorData::F32(v) => v.iter().map(|&x| f64::from(x)).collect(),
            TensorData::F64(v) => v.clone(),
        }
    }

    /// The numbers as `i64`, or `None` unless they are of an integer type and all fit.
    #[must_use]
    pub fn to_i64(&self) -> Option<Vec<i64>> {
        match &self.data {
            TensorData::I8(v) => Some(v.iter().map(|&x| x.into()).collect()),
            TensorData::I16(v) => Some(v.iter().map(|&x| x.into()).collect()),
            TensorData::I32(v) => Some(v.iter().map(|&x| x.into()).collect()),
            TensorData::I64(v) => Some(v.clone()),
            TensorData::U8(v) => Some(v.iter().map(|&x| x.into()).collect()),
            TensorData::U16(v) => Some(v.iter().map(|&x| x.into()).collect()),
            TensorData::U32(v) => Some(v.iter().map(|&x| x.into()).collect()),
            TensorData::U64(v) => v.iter().map(|&x| i64::try_from(x).ok()).collect(),
            TensorData::Bool(_) | TensorData::F16(_) | TensorData::F32(_) | TensorData::F64(_) => None,
        }
    }

    /// Whether every number is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.to_f64().iter().all(|&x| x == 0.0)
    }

    /// The array repeated to a larger shape by the rules of numpy, or `None` if it does not fit.
    #[must_use]
    pub fn broadcast_to(&self, shape: &[usize]) -> Option<Self> {
        if broadcast(&self.shape, shape)?.as_slice() != shape {
            return None;
        }
        let count = elements(shape)?;
        let lead = shape.len().checked_sub(self.shape.len())?;
        let indices: Vec<usize> = (0..count)
            .map(|flat| {
                let (mut rest, mut stride, mut index) = (flat, 1, 0);
                for (axis, &len) in shape.iter().enumerate().rev() {
                    let at = rest % len;
                    rest /= len;
                    if let Some(&own) = axis.checked_sub(lead).and_then(|a| self.shape.get(a)) {
                        if own != 1 {
                            index += at * stride;
                        }
                        stride *= own;
                    }
                }
                index
            })
            .collect();
        Some(Self { shape: shape.to_vec(), data: self.data.gather(&indices)? })
    }
}

impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.dtype(), self.shape)
    }
}

/// The number of elements of a shape, or `None` if it exceeds `usize`.
pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
}

/// The common shape of two arrays by the rules of numpy, or `None` if they do not combine.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let dim = |s: &[usize], axis: usize| (axis + s.len()).checked_sub(rank).and_then(|i| s.get(i).copied()).unwrap_or(1);
    (0..rank)
        .map(|axis| match (dim(a, axis), dim(b, axis)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_must_be_filled() {
        assert!(Tensor::new([2, 3], vec![0f32; 6]).is_some());
        assert!(Tensor::new([2, 3], vec![0f32; 5]).is_none());
        assert!(Tensor::new([0, usize::MAX, 2], Vec::<f32>::new()).is_some());
        assert!(Tensor::new([usize::MAX, 2], vec![0f32; 6]).is_none());
    }

    #[test]
    fn equality_is_of_bits() {
        assert_eq!(Tensor::from(f32::NAN), Tensor::from(f32::NAN));
        assert_ne!(Tensor::from(0.0f64), Tensor::from(-0.0f64));
        assert_ne!(Tensor::from(0.0f64), Tensor::from(0.0f32));
        assert_ne!(Tensor::from(1i64), Tensor::vector(vec![1i64]));
    }

    #[test]
    fn broadcasts_as_numpy() {
        assert_eq!(broadcast(&[3, 1], &[4]), Some(vec![3, 4]));
        assert_eq!(broadcast(&[], &[2]), Some(vec![2]));
        assert_eq!(broadcast(&[3], &[4]), None);
        let column = Tensor::new([2, 1], vec![1i64, 2]).unwrap();
        let wide = column.broadcast_to(&[2, 2, 3]).unwrap();
        assert_eq!(wide, Tensor::new([2, 2, 3], vec![1i64, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2]).unwrap());
        assert!(wide.broadcast_to(&[3]).is_none());
    }

    #[test]
    fn integers_keep_their_range() {
        assert_eq!(Tensor::from(u64::MAX).to_i64(), None);
        assert_eq!(Tensor::from(-3i8).to_i64(), Some(vec![-3]));
        assert_eq!(Tensor::from(1f32).to_i64(), None);
        assert_eq!(Tensor::from(f16::from_f32(0.5)).to_f64(), [0.5]);
    }
}
