//! The nodes of NIR and the graph that joins them, as plain data.
//!
//! Field names are the names of the datasets in the file. Equations are those of the NIR paper
//! (Pedersen et al., Nature Communications 15, 8122, 2024) and of the documentation of the Python
//! package `nir`; which discretisation they get is not part of the format.

use indexmap::IndexMap;

use super::error::Result;
use super::fields::{Field, Fields, Sink};
use super::tensor::Tensor;
use super::value::{Ints, Map, Padding};

/// What a node carries beside its parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotations {
    /// Free data that the author of the file attached; it has no effect on the computation.
    pub metadata: Map,
    /// Datasets and groups that the format does not define for this type of node.
    ///
    /// The reader keeps them so that nothing is lost unseen; the writer refuses them, because
    /// Python `nir` cannot read a node with an unknown entry.
    pub extra: Map,
}

/// A graph of nodes joined by edges that carry signals unchanged.
///
/// Where several edges enter a node, their signals add up. The order of nodes and edges has no
/// meaning.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    /// The nodes by name, in the order of the file or of insertion.
    pub nodes: IndexMap<String, Node>,
    /// The edges, each from one node of this graph to another or to the same.
    pub edges: Vec<(String, String)>,
    /// Metadata and unknown entries.
    pub annotations: Annotations,
    /// The version that the file names; present in the root graph of a file only.
    pub version: Option<String>,
    /// What the reader saw but could not keep, one sentence each; filled in the root graph only.
    pub not_kept: Vec<String>,
}

impl Graph {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a node.
    #[must_use]
    pub fn with_node(mut self, name: impl Into<String>, node: impl Into<Node>) -> Self {
        self.nodes.insert(name.into(), node.into());
        self
    }

    /// Adds an edge.
    #[must_use]
    pub fn with_edge(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.edges.push((from.into(), to.into()));
        self
    }

    /// Adds an edge from each of the named nodes to the next.
    #[must_use]
    pub fn with_chain(mut self, names: &[&str]) -> Self {
        for pair in names.windows(2) {
            if let [from, to] = pair {
                self.edges.push(((*from).to_owned(), (*to).to_owned()));
            }
        }
        self
    }
}

macro_rules! nodes {
    ($(
        $(#[$doc:meta])*
        $ty:ident = $name:literal { $( $(#[$field_doc:meta])* $field:ident: $field_ty:ty, )* }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq)]
            pub struct $ty {
                $( $(#[$field_doc])* pub $field: $field_ty, )*
                /// Metadata and unknown entries.
                pub annotations: Annotations,
            }

            impl $ty {
                /// A node with these parameters and no metadata.
                #[must_use]
                pub fn new($($field: impl Into<$field_ty>),*) -> Self {
                    Self { $($field: $field.into(),)* annotations: Annotations::default() }
                }
            }

            impl From<$ty> for Node {
                fn from(node: $ty) -> Self {
                    Self::$ty(Box::new(node))
                }
            }
        )*

        /// A node of a graph: one of the types of NIR.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Node {
            /// A graph inside a graph.
            Graph(Box<Graph>),
            $( $(#[$doc])* $ty(Box<$ty>), )*
        }

        impl Node {
            /// The names of all types, as files spell them.
            pub const TYPES: &[&str] = &["NIRGraph", $($name),*];

            /// The names of the parameters of all types, some more than once.
            pub(super) const ENTRIES: &[&str] = &[$( $( stringify!($field), )* )*];

            /// The name of the type, as files spell it.
            #[must_use]
            pub fn type_name(&self) -> &'static str {
                match self {
                    Self::Graph(_) => "NIRGraph",
                    $( Self::$ty(_) => $name, )*
                }
            }

            /// Metadata and unknown entries.
            #[must_use]
            pub fn annotations(&self) -> &Annotations {
                match self {
                    Self::Graph(graph) => &graph.annotations,
                    $( Self::$ty(node) => &node.annotations, )*
                }
            }

            /// Metadata and unknown entries, to change them.
            pub fn annotations_mut(&mut self) -> &mut Annotations {
                match self {
                    Self::Graph(graph) => &mut graph.annotations,
                    $( Self::$ty(node) => &mut node.annotations, )*
                }
            }

            /// Reads a node that is not a graph; `None` if the type is unknown.
            pub(super) fn read(type_name: &str, mut fields: Fields<'_>) -> Result<Option<Self>> {
                Ok(Some(match type_name {
                    $( $name => {
                        fields.expect(&[$(stringify!($field)),*]);
                        Self::from($ty {
                            $( $field: Field::read(&mut fields, stringify!($field))?, )*
                            annotations: fields.annotations()?,
                        })
                    } )*
                    _ => return Ok(None),
                }))
            }

            /// Writes the parameters of a node that is not a graph.
            pub(super) fn write(&self, sink: &mut Sink<'_>) -> Result<()> {
                match self {
                    Self::Graph(_) => {}
                    $( Self::$ty(node) => { $( Field::write(&node.$field, stringify!($field), sink)?; )* } )*
                }
                Ok(())
            }

            /// The array parameters of a node that is not a graph, by name.
            #[must_use]
            pub fn parameters(&self) -> Vec<(&'static str, &Tensor)> {
                match self {
                    Self::Graph(_) => Vec::new(),
                    $( Self::$ty(node) => {
                        let found: [(&'static str, Option<&Tensor>); _] =
                            [$( (stringify!($field), Field::tensor(&node.$field)) ),*];
                        found.into_iter().filter_map(|(name, t)| Some((name, t?))).collect()
                    } )*
                }
            }
        }
    };
}

nodes! {
    /// An affine map of the last dimension, `y = W x + b`.
    Affine = "Affine" {
        /// The weights `W`, of shape `[..., out, in]`.
        weight: Tensor,
        /// The offset `b`, of shape `[..., out]`.
        bias: Tensor,
    }
    /// The mean over windows of a `[channel, height, width]` signal.
    AvgPool2d = "AvgPool2d" {
        /// The size of the window, for height and width.
        kernel_size: Ints,
        /// The step from window to window, for height and width.
        stride: Ints,
        /// Zeros on both sides, for height and width; they count in the mean.
        padding: Ints,
    }
    /// A convolution (cross-correlation) of a `[channel, length]` signal.
    Conv1d = "Conv1d" {
        /// The length of the input, where it is known.
        input_shape: Option<Ints>,
        /// The kernels, of shape `[out, in / groups, kernel]`.
        weight: Tensor,
        /// The step from output to output.
        stride: Ints,
        /// Zeros at the borders.
        padding: Padding,
        /// The step between the taps of the kernel.
        dilation: Ints,
        /// How many groups of channels are convolved apart.
        groups: Ints,
        /// The offset, of shape `[out]`.
        bias: Tensor,
    }
    /// A convolution (cross-correlation) of a `[channel, height, width]` signal.
    Conv2d = "Conv2d" {
        /// Height and width of the input, where they are known.
        input_shape: Option<Ints>,
        /// The kernels, of shape `[out, in / groups, height, width]`.
        weight: Tensor,
        /// The step from output to output, for height and width.
        stride: Ints,
        /// Zeros at the borders.
        padding: Padding,
        /// The step between the taps of the kernel, for height and width.
        dilation: Ints,
        /// How many groups of channels are convolved apart.
        groups: Ints,
        /// The offset, of shape `[out]`.
        bias: Tensor,
    }
    /// A leaky integrator behind an exponential synapse:
    /// `tau_syn dI/dt = -I + w_in S`, `tau_mem dv/dt = (v_leak - v) + r I`.
    ///
    /// Newer than version 1.0.4 of the format, which does not know it.
    CubaLi = "CubaLI" {
        /// The synaptic time constant in seconds.
        tau_syn: Tensor,
        /// The membrane time constant in seconds.
        tau_mem: Tensor,
        /// The membrane resistance.
        r: Tensor,
        /// The resting potential.
        v_leak: Tensor,
        /// The weight of the input current, element by element.
        w_in: Tensor,
    }
    /// A leaky integrate-and-fire neuron behind an exponential synapse: as [`CubaLi`], and it
    /// fires where `v > v_threshold` and then goes to `v_reset`.
    CubaLif = "CubaLIF" {
        /// The synaptic time constant in seconds.
        tau_syn: Tensor,
        /// The membrane time constant in seconds.
        tau_mem: Tensor,
        /// The membrane resistance.
        r: Tensor,
        /// The resting potential.
        v_leak: Tensor,
        /// The potential above which it fires.
        v_threshold: Tensor,
        /// The potential after it fired; absent means zero.
        v_reset: Option<Tensor>,
        /// The weight of the input current, element by element.
        w_in: Tensor,
    }
    /// A delay, `y(t) = x(t - delay)`.
    Delay = "Delay" {
        /// The delay in seconds, for each element of the signal.
        delay: Tensor,
    }
    /// Joins a range of dimensions into one.
    Flatten = "Flatten" {
        /// The shape of the input, where it is known.
        input_type: Option<Ints>,
        /// The first dimension that is joined; negative counts from the end.
        start_dim: Ints,
        /// The last dimension that is joined; negative counts from the end.
        end_dim: Ints,
    }
    /// An integrator, `dv/dt = r I`.
    I = "I" {
        /// The gain.
        r: Tensor,
    }
    /// An integrate-and-fire neuron: `dv/dt = r I`, fires where `v > v_threshold` and then goes
    /// to `v_reset`.
    If = "IF" {
        /// The gain.
        r: Tensor,
        /// The potential above which it fires.
        v_threshold: Tensor,
        /// The potential after it fired; absent means zero.
        v_reset: Option<Tensor>,
    }
    /// A node that hands its input on.
    ///
    /// Python `nir` 1.0.8 writes it but cannot read it back.
    Identity = "Identity" {
        /// The shape of the signal.
        shape: Ints,
    }
    /// A port through which a signal enters the graph.
    Input = "Input" {
        /// The shape of the signal.
        shape: Ints,
    }
    /// A leaky integrator, `tau dv/dt = (v_leak - v) + r I`.
    Li = "LI" {
        /// The time constant in seconds.
        tau: Tensor,
        /// The resistance.
        r: Tensor,
        /// The resting potential.
        v_leak: Tensor,
    }
    /// A leaky integrate-and-fire neuron: `tau dv/dt = (v_leak - v) + r I`, fires where
    /// `v > v_threshold` and then goes to `v_reset`.
    ///
    /// Up to version 1.0.4 the documentation of the format gave a reset by subtraction,
    /// `v - v_threshold`; a file does not say which its author had in mind.
    Lif = "LIF" {
        /// The time constant in seconds.
        tau: Tensor,
        /// The resistance.
        r: Tensor,
        /// The resting potential.
        v_leak: Tensor,
        /// The potential above which it fires.
        v_threshold: Tensor,
        /// The potential after it fired; absent means zero.
        v_reset: Option<Tensor>,
    }
    /// A linear map of the last dimension, `y = W x`.
    Linear = "Linear" {
        /// The weights `W`, of shape `[..., out, in]`.
        weight: Tensor,
    }
    /// A port through which a signal leaves the graph.
    Output = "Output" {
        /// The shape of the signal.
        shape: Ints,
    }
    /// Multiplies a signal element by element, `y = s x`.
    Scale = "Scale" {
        /// The factors `s`.
        scale: Tensor,
    }
    /// The sum over windows of a `[channel, height, width]` signal.
    SumPool2d = "SumPool2d" {
        /// The size of the window, for height and width.
        kernel_size: Ints,
        /// The step from window to window, for height and width.
        stride: Ints,
        /// Zeros on both sides, for height and width.
        padding: Ints,
    }
    /// A step, 1 where `x > threshold` and 0 elsewhere.
    Threshold = "Threshold" {
        /// The threshold for each element.
        threshold: Tensor,
    }
}

impl From<Graph> for Node {
    fn from(graph: Graph) -> Self {
        Self::Graph(Box::new(graph))
    }
}
