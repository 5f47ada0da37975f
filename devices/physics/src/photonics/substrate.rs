//! The twin of a mesh as a substrate: programs of optical maps, and of dense maps by singular values.
//!
//! Each map has a chip of its own. A unitary matrix is one mesh; any other is two with attenuators between them and a digital gain. Inputs are
//! fields from -1 to 1 (pairs of such for complex ones); powers, or both parts of fields by two shots, or for a dense map the real part, are
//! detected with the noise of the receiver and divided by what is known of power and loss, so that outputs are in units of the program. Values
//! between two maps are encoded anew in units of the most that they can be, and clipped and counted where noise carries them a tenth beyond it.
//!
//! The chips are fabricated from the seed, calibrated and programmed when a program is realised, after which heaters have settled; from then on
//! their phases drift, until the calibration is over. What is declared is derived in [`settings`](super::settings) and holds for any matrix
//! whose singular values are at most `gain` and which has at most `modes` modes; programs whose maps follow each other are bounded one by one, and
//! refused where they would be off by more.

use super::bounds::{self, Bound};
use super::matrix::{Complex, Matrix};
use super::realization::{Meshed, Parts, Step, Tap};
use super::settings::Settings;
use super::stage::{Stage, map};
use async_trait::async_trait;
use isoform_core::bound::Accuracy;
use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use isoform_core::optical::{Detection, Encoding, Optical};
use isoform_core::profile::{Class, Facets, Limits, OutOfRange, Profile, Takes};
use isoform_core::program::{Node, Origin, Program, Source};
use isoform_core::semantics::Semantics;
use isoform_core::substrate::{Realization, Run, Substrate};
use isoform_core::tensor::Tensor;
use std::sync::Arc;

/// Opens the twin of a mesh with the [`OPTIONS`](super::settings::OPTIONS) of a locator.
///
/// # Errors
/// `Unsupported` for an option that makes no sense.
pub fn open(options: &mut Options<'_>) -> Result<Arc<dyn Substrate>> {
    Ok(Arc::new(Mesh::new(Settings::take(options)?)))
}

/// The twin of a mesh.
#[derive(Debug)]
pub struct Mesh {
    settings: Settings,
    profile: Arc<Profile>,
}

impl Mesh {
    /// A twin made of something.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let nodes = ["optical_intensity", "optical_homodyne", "dense"].map(String::from).to_vec();
        let profile = Profile {
            name: String::from("mesh"),
            version: String::from(env!("CARGO_PKG_VERSION")),
            device: format!("a mesh of interferometers in software, of {} modes at most (option modes)", settings.modes),
            class: Class::AnalogNoisy,
            accuracy: Accuracy::single(),
            facets: Facets { calibration: true, rest: true, ..Facets::default() },
            medium: Some(settings.medium()),
            limits: Limits {
                input: [-1.0, 1.0],
                out_of_range: OutOfRange::Refuse,
                channels: 2 * settings.modes,
                ..Limits::default()
            },
            takes: Takes { nodes, located: false, fixed: false, cycles: false },
        };
        Self { settings, profile: Arc::new(profile) }
    }

    fn parts(&self, program: &Program, run: &Run) -> Result<Parts> {
        let inputs = program.input_channels();
        let mut starts = vec![0; program.nodes().len()];
        let mut values = inputs;
        for &index in &program.schedule().order {
            starts[index] = values;
            values += program.nodes()[index].channels();
        }
        let start = |source: &Source| match source.origin {
            Origin::Input(i) => program.inputs()[..i].iter().map(|p| p.shape.len()).sum(),
            Origin::Node(node, _) => starts[node],
        };
        let mut ranges = vec![0.0; values];
        ranges[..inputs].fill(Bound::INPUT.range);
        let mut steps = Vec::with_capacity(starts.len());
        for &index in &program.schedule().order {
            let node: &Node = &program.nodes()[index];
            if node.input_delay > 0 || node.sources.iter().flatten().any(|s| s.late) {
                return Err(
                    Error::unsupported("light does not wait: no edge of a mesh carries an earlier tick").with_node(&node.name)
                );
            }
            let from: Vec<usize> = node.sources.iter().flatten().map(start).collect();
            let (to, channels) = (starts[index], node.channels());
            let range: f64 = from.iter().map(|&at| ranges[at]).sum();
            let Some(map) = map(node, &self.settings)? else {
                ranges[to..to + channels].fill(range);
                steps.push(Step::Pass { from, to, channels });
                continue;
            };
            ranges[to..to + channels].fill(bounds::range(&map.0, map.1, map.2, &map.3, range));
            let full = if range > 0.0 { range } else { 1.0 };
            let stage = Box::new(Stage::new(&self.settings, node, map, full, run.seed)?);
            steps.push(Step::Chip { stage, from, to });
        }
        let taps = program.outputs().iter().map(|output| Tap {
            name: output.port.name.clone(),
            from: output.sources.iter().map(start).collect(),
            channels: output.port.shape.len(),
        });
        let medium = self.settings.medium();
        let dt = program.semantics().dt;
        Ok(Parts { settings: self.settings.clone(), medium, run: run.clone(), taps: taps.collect(), steps, inputs, values, dt })
    }
}

#[async_trait]
impl Substrate for Mesh {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        Ok(Box::new(Meshed::new(self.parts(program, run)?)?))
    }

    /// A unitary matrix between four modes, or as many as there are, with either way of detection; any matrix between as many; and the widest, in
    /// which all light that may go in meets in one mode, so that its noise is what is declared.
    fn exemplars(&self) -> Vec<Program> {
        let few = self.settings.modes.min(FEW);
        let unitary = Matrix::haar(few, 1);
        let any = singular(&Matrix::haar(few, 2), &Matrix::haar(few, 3), self.settings.gain);
        let wide = self.settings.modes.min(WIDEST);
        let widest = singular(&Matrix::identity(wide), &Matrix::fourier(wide), self.settings.gain);
        let cases = [
            (&unitary, "intensity", Encoding::Real, Detection::Intensity),
            (&unitary, "homodyne", Encoding::Complex, Detection::Homodyne),
            (&any, "any", Encoding::Complex, Detection::Homodyne),
            (&widest, "widest", Encoding::Complex, Detection::Intensity),
        ];
        let programs = cases.into_iter().map(|(matrix, name, encoding, detection)| exemplar(matrix, name, encoding, detection));
        programs.filter_map(Result::ok).collect()
    }
}

/// Modes of the exemplars that are quick, and the most of the widest one: a suite tries each channel of it.
const FEW: usize = 4;
const WIDEST: usize = 16;

/// The matrix `u S v` with singular values that fall in even steps from the largest that there may be to half of it: the output of a smaller one
/// would be lost in the margin of the others.
fn singular(u: &Matrix, v: &Matrix, largest: f64) -> Matrix {
    let size = u.rows();
    let value = |r: usize| largest * ((size - r) as f64 / size as f64).max(0.5);
    u.times(&Matrix::from_fn(size, size, |r, c| v.at(r, c) * value(r)))
}

/// A program of one map.
fn exemplar(matrix: &Matrix, name: &str, encoding: Encoding, detection: Detection) -> Result<Program> {
    let pairs: Vec<f64> = matrix.entries().iter().flat_map(|e: &Complex| [e.re, e.im]).collect();
    let map = Optical::new(Tensor::new([matrix.rows(), matrix.columns(), 2], pairs)?, encoding, detection)?;
    let input = map.input().clone();
    Program::single(name, map, input, Semantics::exact(1e-3))
}
