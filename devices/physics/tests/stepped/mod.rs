//! One element of a definition, stepped by the machinery that every substrate is judged by.

use isoform_core::Coefficients;
use isoform_core::dynamics::Initial;
use isoform_core::neuron::Neuron;
use isoform_core::semantics::Semantics;

/// One element with its state and its last outputs.
pub(crate) struct Element {
    neuron: Neuron,
    semantics: Semantics,
    p: Vec<f64>,
    c: Coefficients,
    pub(crate) s: Vec<f64>,
    pub(crate) y: Vec<f64>,
}

impl Element {
    /// An element at its start, with some parameters other than by default.
    pub(crate) fn new(neuron: Neuron, semantics: Semantics, set: &[(&str, f64)]) -> Self {
        let function = neuron.function();
        let signature = function.signature();
        let mut p: Vec<f64> = signature.parameters.iter().map(|p| p.default.expect("has a default")).collect();
        for (name, value) in set {
            p[signature.parameter(name).expect("is a parameter")] = *value;
        }
        let start = |initial| match initial {
            Initial::Value(v) => v,
            Initial::Parameter(at) => p[at],
        };
        let s = signature.states.iter().map(|s| start(s.initial)).collect();
        let (y, c) = (vec![0.0; signature.outputs.len()], function.coefficients(&semantics, &p));
        Self { neuron, semantics, p, c, s, y }
    }

    pub(crate) fn step(&mut self, x: &[f64]) {
        self.neuron.function().step(&self.semantics, &self.c, x, &mut self.s, &self.p, &mut self.y);
    }
}
