//! The reference: any program, in double precision, by the definition itself.
//!
//! The oracle evaluates the raw flow, not the run-time form of the kernels, so that an error in deriving that form shows.

use crate::coefficients::Channels;
use crate::draw;
use crate::dynamics::Draw;
use crate::error::{Error, Result};
use crate::profile::{Facets, Profile, Takes};
use crate::program::{Node, NodeKind, Program};
use crate::report::Report;
use crate::signal::{Signal, SignalMut};
use crate::state::State;
use crate::substrate::{Memory, Realization, Run, Substrate, Tuning};
use crate::tensor::Tensor;
use crate::walk::{Medium, Walk};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Instant;

/// Parameters and coefficients of the channels of every element-wise node, computed once.
pub(crate) fn channels(program: &Program) -> Vec<Option<Channels>> {
    program.nodes().iter().map(Channels::of).collect()
}

/// The draws of one channel in one tick, as the framework supplies them.
pub(crate) fn draws(node: &Node, seed: u64, lane: usize, tick: u64) -> impl Iterator<Item = f64> + '_ {
    let inputs = match &node.kind {
        NodeKind::Dynamics { function, .. } => function.signature().inputs.as_slice(),
        _ => &[],
    };
    let lane = u32::try_from(lane).unwrap_or(u32::MAX);
    inputs.iter().zip(0_u32..).filter_map(move |(input, stream)| {
        let normal = || f64::from(draw::normal(draw::bits(seed, node.key, lane, stream, tick)));
        Some(match input.draw? {
            Draw::PerTick => normal(),
            Draw::White => normal() / node.semantics.dt.sqrt(),
        })
    })
}

/// A program in double precision, with its state.
#[derive(Debug, Clone)]
pub struct Oracle {
    program: Program,
    run: Run,
    channels: Vec<Option<Channels>>,
    lanes: Vec<Vec<Vec<f64>>>,
    walk: Walk<f64>,
    tick: u64,
}

struct Reference<'a> {
    channels: &'a [Option<Channels>],
    seed: u64,
    lane: usize,
    tick: u64,
    x: Vec<f64>,
    s: Vec<f64>,
    y: Vec<f64>,
}

impl Medium for Reference<'_> {
    type Number = f64;

    fn sum(&self, terms: &mut dyn Iterator<Item = f64>) -> f64 {
        terms.sum()
    }

    fn evaluate(&mut self, index: usize, node: &Node, x: &[Vec<f64>], states: &mut [Vec<f64>], y: &mut [Vec<f64>]) {
        match &node.kind {
            NodeKind::Linear(map) => map.apply(&x[0], &mut y[0]),
            NodeKind::Optical(map) => map.apply(&x[0], &mut y[0]),
            NodeKind::Dynamics { function, .. } => {
                for (c, channel) in self.channels[index].iter().flat_map(|channels| channels.each(node.channels())).enumerate() {
                    self.x.clear();
                    self.x.extend(x.iter().map(|port| port[c]));
                    self.x.extend(draws(node, self.seed, self.lane * node.channels() + c, self.tick));
                    self.s.clear();
                    self.s.extend(states.iter().map(|s| s[c]));
                    self.y.resize(y.len(), 0.0);
                    function.step(&node.semantics, &channel.coefficients, &self.x, &mut self.s, &channel.p, &mut self.y);
                    states.iter_mut().zip(&self.s).for_each(|(to, &v)| to[c] = v);
                    y.iter_mut().zip(&self.y).for_each(|(to, &v)| to[c] = v);
                }
            }
            NodeKind::Delay { .. } | NodeKind::Relay => {}
        }
    }
}

impl Oracle {
    /// A program in its initial state.
    #[must_use]
    pub fn new(program: &Program, run: &Run) -> Self {
        let mut oracle = Self {
            channels: channels(program),
            walk: Walk::new(program),
            program: program.clone(),
            run: run.clone(),
            lanes: Vec::new(),
            tick: 0,
        };
        oracle.restart();
        oracle
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Goes back to the initial state.
    pub fn restart(&mut self) {
        self.adopt(&State::initial(&self.program, self.run.batch));
    }

    /// Takes over a state that was checked.
    fn adopt(&mut self, state: &State) {
        let lane = |lane: usize| {
            state
                .blocks
                .iter()
                .zip(&self.program.schedule().memory)
                .map(|(b, m)| b.values[lane * m.len..(lane + 1) * m.len].to_vec())
                .collect()
        };
        self.lanes = (0..self.run.batch).map(lane).collect();
        self.tick = state.tick;
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// `InvalidSignal` if it belongs to another program or batch.
    pub fn set_state(&mut self, state: &State) -> Result<()> {
        state.check(&self.program, self.run.batch)?;
        self.adopt(state);
        Ok(())
    }

    /// The state at present.
    #[must_use]
    pub fn state(&self) -> State {
        let mut state = State::initial(&self.program, self.run.batch);
        state.tick = self.tick;
        for (b, block) in state.blocks.iter_mut().enumerate() {
            block.values = self.lanes.iter().flat_map(|lane| lane[b].iter().copied()).collect();
        }
        state
    }

    /// One tick for all lanes; rows are `[batch, channel]`.
    ///
    /// # Panics
    /// If a row is shorter than the program says.
    pub fn step(&mut self, x: &[f64], y: &mut [f64]) {
        let (inputs, outputs) = (self.program.input_channels(), self.program.output_channels());
        for (lane, memory) in self.lanes.iter_mut().enumerate() {
            let mut medium = Reference {
                channels: &self.channels,
                seed: self.run.seed,
                lane,
                tick: self.tick,
                x: Vec::new(),
                s: Vec::new(),
                y: Vec::new(),
            };
            let (x, y) = (&x[lane * inputs..(lane + 1) * inputs], &mut y[lane * outputs..(lane + 1) * outputs]);
            self.walk.tick(&self.program, &mut medium, x, memory, y);
        }
        self.tick += 1;
    }

    /// The output of a node in the last tick of the last lane.
    #[must_use]
    pub fn node_output(&self, node: usize, port: usize) -> &[f64] {
        self.walk.output(node, port)
    }

    /// Runs a dense block `[tick, batch, channel]` and gives the outputs in double precision.
    #[must_use]
    pub fn run(&mut self, x: &[f32]) -> Vec<f64> {
        let row = (self.program.input_channels() * self.run.batch).max(1);
        let mut wide = vec![0.0; row];
        let width = self.program.output_channels() * self.run.batch;
        let mut y = vec![0.0; x.len() / row * width];
        for (x, y) in x.chunks_exact(row).zip(y.chunks_exact_mut(width.max(1))) {
            wide.iter_mut().zip(x).for_each(|(w, &v)| *w = f64::from(v));
            self.step(&wide, y);
        }
        y
    }
}

/// The oracle as a substrate: slow, exact, without limits.
#[derive(Debug, Clone)]
pub struct OracleSubstrate {
    profile: Arc<Profile>,
}

impl OracleSubstrate {
    /// The substrate.
    #[must_use]
    pub fn new() -> Self {
        let profile = Profile::digital("oracle", env!("CARGO_PKG_VERSION"))
            .with_facets(Facets { memory: true, tuning: true, ..Facets::default() })
            .with_takes(Takes { located: true, fixed: true, ..Takes::default() });
        // states are kept in double precision; the accuracy is that of signals, which are handed over in single precision
        Self { profile: Arc::new(profile) }
    }
}

impl Default for OracleSubstrate {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Substrate for OracleSubstrate {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile.admit(program)?;
        Ok(Box::new(Realized::new(Oracle::new(program, run))))
    }
}

#[derive(Debug)]
struct Realized {
    /// The program that was realised, to which saved states belong whatever was tuned since.
    asked: Program,
    oracle: Oracle,
    narrow: Vec<f32>,
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Realized {
    fn new(oracle: Oracle) -> Self {
        let batch = oracle.run.batch;
        let (x, y) = (oracle.program.input_channels() * batch, oracle.program.output_channels() * batch);
        let asked = oracle.program.clone();
        Self { asked, narrow: vec![0.0; x.max(y)], x: vec![0.0; x], y: vec![0.0; y], oracle }
    }
}

#[async_trait]
impl Realization for Realized {
    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let start = Instant::now();
        let run = self.oracle.run.clone();
        let (input, output) = (run.input(&self.oracle.program, ticks), run.output(&self.oracle.program, ticks));
        for tick in 0..ticks {
            if run.cancel.is_raised() {
                return Ok(Report { wall: start.elapsed(), ..Report::of(tick) });
            }
            x.row(input, tick, &mut self.narrow[..self.x.len()]);
            self.x.iter_mut().zip(&self.narrow).for_each(|(to, &v)| *to = f64::from(v));
            self.oracle.step(&self.x, &mut self.y);
            self.narrow.iter_mut().zip(&self.y).for_each(|(to, &v)| *to = v as f32);
            y.put(output, tick, &self.narrow[..self.y.len()]);
        }
        Ok(Report { wall: start.elapsed(), ..Report::of(ticks) })
    }

    async fn reset(&mut self) -> Result<()> {
        self.oracle.restart();
        Ok(())
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        Some(self)
    }

    fn tuning(&mut self) -> Option<&mut dyn Tuning> {
        Some(self)
    }
}

#[async_trait]
impl Memory for Realized {
    async fn save(&mut self) -> Result<State> {
        Ok(State { program: self.asked.digest().to_string(), ..self.oracle.state() })
    }

    async fn load(&mut self, state: &State) -> Result<()> {
        state.check(&self.asked, self.oracle.run.batch)?;
        self.oracle.adopt(state);
        Ok(())
    }
}

#[async_trait]
impl Tuning for Realized {
    async fn read(&mut self, node: &str, parameter: &str) -> Result<Vec<f64>> {
        read_parameter(&self.oracle.program, node, parameter)
    }

    async fn write(&mut self, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        let program = tuned(&self.oracle.program, node, parameter, values)?;
        if program.schedule().memory.iter().map(|m| m.len).ne(self.oracle.program.schedule().memory.iter().map(|m| m.len)) {
            return Err(Error::unsupported(format!(
                "{parameter:?} is part of the layout of the state and cannot be tuned: build a program with another value"
            ))
            .with_node(node));
        }
        self.oracle.channels = channels(&program);
        self.oracle.program = program;
        Ok(values.to_vec())
    }
}

/// The values of a parameter of a program, one or one per channel.
///
/// # Errors
/// `NotFound` if there is no such node or parameter.
pub fn read_parameter(program: &Program, node: &str, parameter: &str) -> Result<Vec<f64>> {
    let (_, found) = program.node(node)?;
    let tensor = found.parameters().into_iter().find(|(name, _)| *name == parameter).map(|(_, tensor)| tensor);
    tensor.map(|t| t.to_f64()).ok_or_else(|| {
        let known: Vec<&str> = found.parameters().iter().map(|(name, _)| *name).collect();
        Error::not_found(format!("there is no parameter {parameter:?}; it has {}", known.join(", "))).with_node(node)
    })
}

/// A program with another value of a parameter, as a [`Tuning`] facet takes it: one number, or as many as there were.
///
/// # Errors
/// `NotFound` if there is no such node or parameter, `InvalidProgram` if the values do not fit.
pub fn tuned(program: &Program, node: &str, parameter: &str, values: &[f64]) -> Result<Program> {
    let (_, found) = program.node(node)?;
    read_parameter(program, node, parameter)?;
    // a map has its own shape, though it be of one number; of a neuron one number is that of all channels
    let own = match &found.kind {
        NodeKind::Linear(_) | NodeKind::Optical(_) => {
            found.parameters().into_iter().find(|(name, _)| *name == parameter).map(|(_, t)| t.shape().clone())
        }
        _ => None,
    };
    let tensor = match (values, own) {
        ([one], None) => Tensor::from(*one),
        (_, own) => {
            let shape = own.or_else(|| found.output_shapes.first().cloned()).unwrap_or_default();
            Tensor::new(shape, values).map_err(|e| e.with_node(node))?
        }
    };
    program.with_parameter(node, parameter, tensor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::Dense;
    use crate::semantics::Semantics;

    #[test]
    fn a_map_of_one_number_keeps_its_shape_when_it_is_tuned() {
        let map = Dense::new([[0.5]].into(), None).expect("valid");
        let program = Program::single("map", map, [1], Semantics::exact(1e-3)).expect("valid");
        let other = tuned(&program, "map", "weight", &[2.0]).expect("has a weight");
        assert_eq!(read_parameter(&other, "map", "weight").expect("has one"), [2.0]);
        let error = tuned(&program, "map", "weight", &[2.0, 3.0]).expect_err("has one number alone");
        assert_eq!(error.node(), Some("map"), "{error}");
    }
}
