//! Values as a NIR file stores them: arrays of numbers, text, and named groups of values.

use indexmap::IndexMap;

use super::tensor::Tensor;

/// Named values, as in the metadata of a node.
///
/// Two maps are equal when they hold the same names with the same values, in any order.
pub type Map = IndexMap<String, Value>;

/// One value of a NIR file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Numbers or booleans; a single one has the empty shape.
    Tensor(Tensor),
    /// A text.
    Text(String),
    /// An array of texts.
    Texts(Texts),
    /// Named values.
    Map(Map),
}

impl Value {
    /// What the value is, in words for a message.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Tensor(tensor) => tensor.to_string(),
            Self::Text(text) if text.len() <= 32 => format!("the text \"{}\"", text.escape_debug()),
            Self::Text(_) => "a text".to_owned(),
            Self::Texts(texts) => format!("an array of texts {:?}", texts.shape),
            Self::Map(_) => "a group".to_owned(),
        }
    }
}

impl From<Tensor> for Value {
    fn from(tensor: Tensor) -> Self {
        Self::Tensor(tensor)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

/// An array of texts with its shape, in row-major order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    shape: Vec<usize>,
    texts: Vec<String>,
}

impl Texts {
    /// An array of the given shape; `None` if the texts do not fill it.
    #[must_use]
    pub fn new(shape: impl Into<Vec<usize>>, texts: Vec<String>) -> Option<Self> {
        let shape = shape.into();
        (super::tensor::elements(&shape)? == texts.len()).then_some(Self { shape, texts })
    }

    /// The length of each dimension.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The texts, in row-major order.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

/// An array of integers, such as a stride or a shape, kept as it was stored.
///
/// Python writes `stride=2` and `stride=(2, 2)` differently, and both mean the same; the array
/// keeps which it was, and [`pair`](Self::pair) reads either.
#[derive(Debug, Clone, PartialEq)]
pub struct Ints(Tensor);

impl Ints {
    /// Takes an array of integers; `None` if it holds anything else or an integer beyond `i64`.
    #[must_use]
    pub fn new(tensor: Tensor) -> Option<Self> {
        tensor.to_i64().map(|_| Self(tensor))
    }

    /// A single integer.
    #[must_use]
    pub fn one(value: i64) -> Self {
        Self(Tensor::from(value))
    }

    /// The array as it is stored.
    #[must_use]
    pub fn tensor(&self) -> &Tensor {
        &self.0
    }

    /// The integers, in row-major order.
    #[must_use]
    pub fn values(&self) -> Vec<i64> {
        // The constructor admits integers only, so there is always a list.
        self.0.to_i64().unwrap_or_default()
    }

    /// The integer, if there is exactly one, in whatever shape.
    #[must_use]
    pub fn single(&self) -> Option<i64> {
        match self.values().as_slice() {
            [value] => Some(*value),
            _ => None,
        }
    }

    /// The integers for height and width: one for both, or one for each.
    #[must_use]
    pub fn pair(&self) -> Option<[i64; 2]> {
        match self.values().as_slice() {
            [both] => Some([*both; 2]),
            [first, second] => Some([*first, *second]),
            _ => None,
        }
    }

    /// The integers as sizes, or `None` if one is negative.
    #[must_use]
    pub fn sizes(&self) -> Option<Vec<usize>> {
        self.values().into_iter().map(|v| usize::try_from(v).ok()).collect()
    }
}

impl<const N: usize> From<[i64; N]> for Ints {
    fn from(values: [i64; N]) -> Self {
        Self(Tensor::vector(values.to_vec()))
    }
}

impl From<Vec<i64>> for Ints {
    fn from(values: Vec<i64>) -> Self {
        Self(Tensor::vector(values))
    }
}

/// How a convolution extends its input at the borders.
#[derive(Debug, Clone, PartialEq)]
pub enum Padding {
    /// As many zeros as make the output as large as the input (at stride 1).
    Same,
    /// No zeros.
    Valid,
    /// So many zeros on both sides of each spatial dimension.
    Zeros(Ints),
}

impl Padding {
    /// The word that the format uses, for the kinds that have one.
    #[must_use]
    pub fn word(&self) -> Option<&'static str> {
        match self {
            Self::Same => Some("same"),
            Self::Valid => Some("valid"),
            Self::Zeros(_) => None,
        }
    }
}

impl From<i64> for Padding {
    fn from(zeros: i64) -> Self {
        Self::Zeros(Ints::one(zeros))
    }
}

impl<const N: usize> From<[i64; N]> for Padding {
    fn from(zeros: [i64; N]) -> Self {
        Self::Zeros(zeros.into())
    }
}
