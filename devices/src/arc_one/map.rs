//! Where the weights of dense maps lie on the array.
//!
//! Inputs are word lines. Each output has two bit lines, and its weight is the difference of their conductances: for `w > 0` they are
//! `(g_min + s w, g_min)`, for `w < 0` mirrored, with `s = (g_max - g_min) / w_max`. A pair was chosen rather than a column of offsets because
//! what happens to both cells of a pair alike, such as the mean of the relaxation, cancels.
//!
//! Several dense maps lie side by side, each on bit lines of its own.

use super::dialogue::{Cell, Reading};
use super::verify::Target;
use isoform_core::error::{Error, Result};
use isoform_core::program::{NodeKind, Program};

/// How weights become conductances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// The conductances that are used, in siemens.
    pub range: [f64; 2],
    /// The magnitude of the largest weight.
    pub weight: f64,
}

impl Scale {
    /// Siemens for a weight of one.
    #[must_use]
    pub fn gain(&self) -> f64 {
        (self.range[1] - self.range[0]) / self.weight
    }

    /// The conductances of a pair.
    #[must_use]
    pub fn pair(&self, weight: f64) -> [f64; 2] {
        let low = self.range[0];
        let high = (low + self.gain() * weight.abs()).min(self.range[1]);
        if weight >= 0.0 { [high, low] } else { [low, high] }
    }
}

/// A dense map on the array.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The first of its bit lines.
    pub first_bit: usize,
    /// Inputs, and so word lines.
    pub inputs: usize,
    /// Outputs.
    pub outputs: usize,
    /// The bias, which the host adds.
    pub bias: Vec<f64>,
}

/// All maps of a program on the array.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    /// For each node, its place, if it is a dense map.
    pub nodes: Vec<Option<Placed>>,
    /// All cells.
    pub targets: Vec<Target>,
    /// Word lines that are used.
    pub words: usize,
    /// Bit lines that are used.
    pub bits: usize,
}

impl Layout {
    /// Lays a program out.
    ///
    /// # Errors
    /// `Unsupported`, naming the node and what does not fit.
    pub fn of(program: &Program, scale: Scale, reading: Reading) -> Result<Self> {
        let mut layout = Self::default();
        for node in program.nodes() {
            let refuse = |why: String| Err(Error::unsupported(why).with_node(&node.name));
            if node.sources.iter().flatten().any(|s| s.late) {
                return refuse(String::from(
                    "an input of the previous tick would have to be kept, and the board keeps nothing but weights",
                ));
            }
            let map = match &node.kind {
                NodeKind::Linear(map) if map.kind() == "dense" => map,
                NodeKind::Relay => {
                    layout.nodes.push(None);
                    continue;
                }
                _ => return refuse(format!("the array has no {}; it has dense maps", node.kind_name())),
            };
            let (inputs, outputs) = (map.input().len(), map.output().len());
            if map.input().extents().len() > 1 {
                return refuse(format!(
                    "a dense map over leading axes, with the input {}, is not laid out; reshape it",
                    map.input()
                ));
            }
            if inputs > reading.words || layout.bits + 2 * outputs > reading.bits {
                return refuse(format!(
                    "a matrix of {outputs} by {inputs} needs {inputs} word lines and {} bit lines, two for each output; there are {} and {}",
                    2 * outputs,
                    reading.words,
                    reading.bits - layout.bits
                ));
            }
            let first_bit = layout.bits;
            let mut largest: f64 = 0.0;
            map.for_each_term(|output, input, weight| {
                largest = largest.max(weight.abs());
                for (side, siemens) in scale.pair(weight).into_iter().enumerate() {
                    let cell = Cell { word: input, bit: first_bit + 2 * output + side };
                    layout.targets.push(Target { cell, siemens });
                }
            });
            if largest > scale.weight {
                return refuse(format!(
                    "a weight of magnitude {largest} exceeds the {} that the range of conductances stands for; name it with weight={largest}",
                    scale.weight
                ));
            }
            layout.bits += 2 * outputs;
            layout.words = layout.words.max(inputs);
            let bias = (0..outputs).map(|o| map.bias_at(o)).collect();
            layout.nodes.push(Some(Placed { first_bit, inputs, outputs, bias }));
        }
        Ok(layout)
    }

    /// The weight of a map as conductances say that it is.
    #[must_use]
    pub fn weight(&self, scale: Scale, conductances: &[f64], placed: &Placed, output: usize, input: usize) -> f64 {
        let at = input * self.bits + placed.first_bit + 2 * output;
        (conductances[at] - conductances[at + 1]) / scale.gain()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_pair_stands_for_its_weight(weight in -2.0..=2.0_f64) {
            let scale = Scale { range: [10e-6, 90e-6], weight: 2.0 };
            let [plus, minus] = scale.pair(weight);
            prop_assert!(((plus - minus) / scale.gain() - weight).abs() < 1e-12);
            prop_assert!([plus, minus].iter().all(|g| (10e-6..=90e-6).contains(g)));
            prop_assert!(plus.min(minus) == 10e-6);
        }
    }
}
