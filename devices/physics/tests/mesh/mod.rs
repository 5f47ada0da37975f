//! Twins of meshes, programs of one map, and what they read.

use isoform_core::builder::Builder;
use isoform_core::error::Result;
use isoform_core::locator::Locator;
use isoform_core::optical::{Detection, Encoding, Optical};
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Substrate;
use isoform_core::tensor::Tensor;
use isoform_physics::photonics::matrix::Matrix;
use isoform_physics::photonics::{OPTIONS, open};
use std::sync::Arc;

pub(crate) fn twin(options: &str) -> Result<Arc<dyn Substrate>> {
    let text = if options.is_empty() { String::from("twin:mesh") } else { format!("twin:mesh?{options}") };
    let locator: Locator = text.parse().expect("a locator");
    let mut reader = locator.reader();
    let found = open(&mut reader)?;
    reader.finish(&OPTIONS.iter().map(|o| o.0).collect::<Vec<_>>())?;
    Ok(found)
}

pub(crate) fn optical(matrix: &Matrix, encoding: Encoding, detection: Detection) -> Optical {
    let pairs: Vec<f64> = matrix.entries().iter().flat_map(|e| [e.re, e.im]).collect();
    Optical::new(Tensor::new([matrix.rows(), matrix.columns(), 2], pairs).expect("fits"), encoding, detection).expect("is one")
}

pub(crate) fn single(map: Optical) -> Program {
    let mut net = Builder::new();
    let x = net.input("x", map.input().clone());
    let y = net.node("map", map, x);
    net.output("y", y);
    net.build(Semantics::exact(1e-3)).expect("builds")
}

pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut drawn = vec![0.0; count];
    isoform_core::draw::Key::new(seed, 1).fill_uniform(0, 0, 0, &mut drawn);
    drawn.into_iter().map(|u| 2.0 * u - 1.0).collect()
}

/// Means and standard deviations of all outputs for an input that is held.
pub(crate) fn held(session: &mut Blocking, x: &[f32], ticks: usize) -> Vec<(f64, f64)> {
    let outputs = session.session().program().output_channels();
    let mut y = vec![0.0; ticks * outputs];
    session.advance(Signal::Held(x), SignalMut::Dense(&mut y), ticks).expect("runs");
    let column = |o: usize| y.iter().skip(o).step_by(outputs).map(|&v| f64::from(v));
    let n = ticks as f64;
    let summary = |o: usize| {
        let mean = column(o).sum::<f64>() / n;
        (mean, (column(o).map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
    };
    (0..outputs).map(summary).collect()
}
