//! Graphs of the Neuromorphic Intermediate Representation, as the Python package `nir` keeps them
//! in HDF5 files.
//!
//! A [`Graph`] is plain data: every parameter keeps the type and the shape it had in the file, bit
//! for bit, and so does the metadata. What the reader does not know it keeps under
//! [`Annotations::extra`] or names in [`Graph::not_kept`].
//!
//! # The layout of a file
//!
//! - `/version`: a text, the version of the package that wrote it.
//! - `/node`: the root graph, a group with `type` = "NIRGraph", `edges` (texts `[edge, 2]`),
//!   optionally `metadata`, and `nodes` with one group for each node. That group has `type`, the
//!   parameters of the type, and optionally `metadata`. A node may be a graph again.
//!
//! ```
//! use isoform_formats::nir::{self, Compat, Graph, Input, Lif, Output, Tensor};
//!
//! let one = |x: f32| Tensor::vector(vec![x]);
//! let graph = Graph::new()
//!     .with_node("input", Input::new([1]))
//!     .with_node("lif", Lif::new(one(2.5e-3), one(1.0), one(0.0), one(0.1), None))
//!     .with_node("output", Output::new([1]))
//!     .with_chain(&["input", "lif", "output"]);
//! let bytes = nir::to_bytes(&graph, Compat::V1_0_4)?;
//! assert_eq!(nir::from_bytes(&bytes)?.nodes, graph.nodes);
//! # Ok::<(), nir::NirError>(())
//! ```

mod data;
mod error;
mod fields;
mod hdf;
mod model;
mod read;
mod tensor;
mod validate;
mod value;
mod write;

pub use data::{EventList, GraphData, NodeData, Observable, TimeGridded, data_from_bytes, data_to_bytes, read_data, write_data};
pub use error::{NirError, NirErrorKind, Result};
pub use model::{
    Affine, Annotations, AvgPool2d, Conv1d, Conv2d, CubaLi, CubaLif, Delay, Flatten, Graph, I, Identity, If, Input, Li, Lif,
    Linear, Node, Output, Scale, SumPool2d, Threshold,
};
pub use read::{from_bytes, read};
pub use tensor::{DType, Tensor, TensorData};
pub use validate::{MAX_ELEMENTS, common_shape, validate};
pub use value::{Ints, Map, Padding, Texts, Value};
pub use write::{Compat, UnknownCompat, to_bytes, write};
