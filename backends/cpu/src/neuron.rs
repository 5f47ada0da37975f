//! Element-wise nodes: their coefficients, and the run of a block through the vectorised loop or in double precision.

use crate::error::CpuError;
use crate::span::{FEW, Feeds, Sinks, Span, feed_part};
use crate::values::Values;
use isoform_core::draw::Key;
use isoform_core::dynamics::Draw;
use isoform_core::lanes::{Feed, Flow, InstructionSet, LaneJob, Loop, Param, Sink};
use isoform_core::program::{Node, NodeKind};
use isoform_core::semantics::{Number, Semantics, Test};
use isoform_core::step::Rule;
use isoform_core::transfer::TransferFunction;
use isoform_core::{Channel, Channels};
use multiversion::{multiversion, target::match_target};
use ndarray::{ArrayViewMut2, Axis, Slice};
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::Arc;

/// From so many channels on, each batch lane runs on its own instead of with coefficients repeated for all.
const WIDE: usize = 256;

/// How a node computes.
#[derive(Debug)]
enum Mode {
    /// Through the vectorised loop.
    Single(Single),
    /// One channel after the other.
    Double(Channels),
}

#[derive(Debug)]
struct Single {
    /// Absent for the raw flow with an Euler step.
    affine: Option<[Vec<Values>; 3]>,
    parameters: Vec<Values>,
    /// The same where no lane differs from another.
    uniform: Option<Uniform>,
    /// Lanes after which the coefficients repeat; none if they reach over all lanes.
    period: Option<usize>,
}

/// Coefficients that hold for all lanes, ready for the loop.
#[derive(Debug)]
struct Uniform {
    affine: Option<[Vec<Param<'static>>; 3]>,
    parameters: Vec<Param<'static>>,
}

/// An element-wise node.
#[derive(Debug)]
pub(crate) struct Neuron {
    function: Arc<dyn TransferFunction>,
    semantics: Semantics,
    rule: Rule,
    pub(crate) channels: usize,
    pub(crate) states: usize,
    key: Key,
    /// The place of each draw in the signature, and by what its normal numbers are multiplied.
    pub(crate) draws: Vec<(u32, f32)>,
    mode: Mode,
}

impl Neuron {
    /// Prepares a node for shards of up to so many batch lanes; `None` if the node is of another kind.
    pub(crate) fn new(node: &Node, seed: u64, batch: usize) -> Result<Option<Self>, CpuError> {
        let (Some(table), NodeKind::Dynamics { function, .. }) = (Channels::of(node), &node.kind) else { return Ok(None) };
        let (channels, semantics) = (node.channels(), node.semantics);
        let double = semantics.test == Test::Located || semantics.number != Number::Real;
        let mode = if double {
            Mode::Double(table)
        } else {
            let repeat = if channels >= WIDE { 1 } else { batch };
            let single = Single::new(function.as_ref(), &table, repeat);
            let period = (repeat < batch && single.uniform.is_none()).then_some(channels);
            Mode::Single(Single { period, ..single })
        };
        let neuron = Self {
            rule: Rule::from(&semantics),
            channels,
            states: function.signature().states.len(),
            key: Key::new(seed, node.key),
            draws: draws(function.as_ref(), semantics.dt),
            mode,
            function: Arc::clone(function),
            semantics,
        };
        neuron.check(&node.name)?;
        Ok(Some(neuron))
    }

    fn check(&self, node: &str) -> Result<(), CpuError> {
        let Mode::Single(single) = &self.mode else { return Ok(()) };
        let refuse = |what| CpuError::Range { what, node: node.to_owned() };
        if single.affine.iter().flatten().flatten().any(|v| !v.is_finite()) {
            return Err(refuse("a coefficient of the flow"));
        }
        if single.parameters.iter().any(|v| !v.is_finite()) {
            return Err(refuse("a parameter"));
        }
        Ok(())
    }

    /// Whether states are kept in double precision.
    pub(crate) fn is_double(&self) -> bool {
        matches!(self.mode, Mode::Double(_))
    }

    /// Whether the output depends on the input of the same tick alone.
    pub(crate) fn is_stateless(&self) -> bool {
        self.states == 0 && self.draws.is_empty()
    }

    /// Whether lanes beyond the last may be run along, up to a whole vector.
    pub(crate) fn takes_padding(&self) -> bool {
        matches!(&self.mode, Mode::Single(Single { period: None, .. }))
    }

    /// Nanoseconds for a tick of one batch lane.
    pub(crate) fn cost(&self) -> f64 {
        let each = match self.mode {
            Mode::Single(_) => 0.08 * (self.states.max(1) + 4 * self.draws.len()) as f64,
            Mode::Double(_) => 40.0,
        };
        each * self.channels as f64
    }

    /// What double precision needs beside the state: room for inputs, states and outputs of one channel.
    pub(crate) fn scratch(&self) -> [usize; 3] {
        let s = self.function.signature();
        [s.inputs.len(), s.states.len(), s.outputs.len()]
    }

    /// Draws the numbers of one tick for lanes from `first` on.
    pub(crate) fn draw(&self, instructions: InstructionSet, draw: usize, first: usize, tick: u64, out: &mut [f32]) {
        let (stream, scale) = self.draws[draw];
        // lanes are counted modulo 2^32, as the address of a draw has it
        let first = first as u32;
        match instructions {
            InstructionSet::Avx512 => fill_avx512(self.key, first, stream, tick, scale, out),
            InstructionSet::Avx2 => fill_avx2(self.key, first, stream, tick, scale, out),
            InstructionSet::Baseline => fill(self.key, first, stream, tick, scale, out),
        }
    }

    /// Whether no lane differs from another.
    pub(crate) fn is_uniform(&self) -> bool {
        matches!(&self.mode, Mode::Single(Single { uniform: Some(_), .. }))
    }

    /// Runs lanes that do not differ.
    pub(crate) fn run_uniform<'a>(
        &'a self,
        span: Span,
        feeds: &'a [Feed<'a>],
        states: ArrayViewMut2<'a, f32>,
        outputs: &'a mut [Sink<'a>],
    ) {
        let Mode::Single(Single { uniform: Some(Uniform { affine, parameters }), .. }) = &self.mode else { return };
        let flow = match affine {
            Some([phi, gamma, constant]) => Flow::Affine { phi, gamma, constant },
            None => Flow::Raw { step: self.semantics.step_length() as f32 },
        };
        self.function.advance(LaneJob {
            rule: self.rule,
            instructions: span.instructions,
            ticks: span.ticks,
            lanes: span.lanes,
            inputs: feeds,
            flow,
            parameters,
            states,
            outputs,
            echo: None,
        });
    }

    /// Runs all lanes of a node that hears itself.
    pub(crate) fn run_loop(
        &self,
        span: Span,
        feeds: &[Feed<'_>],
        states: ArrayViewMut2<'_, f32>,
        sinks: &mut Sinks<'_>,
        way: Loop<'_>,
    ) {
        if let Mode::Single(single) = &self.mode {
            single.job(self, span, 0, feeds, states, (sinks, Some(way)));
        }
    }

    /// Runs lanes of a block through the vectorised loop.
    pub(crate) fn run(&self, span: Span, feeds: &[Feed<'_>], mut states: ArrayViewMut2<'_, f32>, sinks: &mut Sinks<'_>) {
        let Mode::Single(single) = &self.mode else { return };
        let Some(period) = single.period else {
            return single.job(self, span, span.first, feeds, states, (sinks, None));
        };
        let mut start = 0;
        while start < span.lanes {
            let from = (span.first + start) % period;
            let lanes = (period - from).min(span.lanes - start);
            let part = start..start + lanes;
            let feeds: Feeds<'_> = feeds.iter().map(|feed| feed_part(feed, &part)).collect();
            let states = states.slice_axis_mut(Axis(1), Slice::from(part.clone()));
            single.job(self, Span { lanes, ..span }, from, &feeds, states, (&mut sinks.part(&part), None));
            start += lanes;
        }
    }

    /// Runs ticks of all lanes in double precision; states are `[state, lane]`.
    pub(crate) fn run_double(&self, run: DoubleRun<'_>) {
        let Mode::Double(table) = &self.mode else { return };
        let DoubleRun { ticks, lanes, feeds, states, scratch: [x, s, y], mut outputs } = run;
        for t in 0..ticks {
            for lane in 0..lanes {
                let channel = &table.table[table.which[if table.which.len() == 1 { 0 } else { lane % self.channels }]];
                for (x, feed) in x.iter_mut().zip(&feeds) {
                    *x = f64::from(match *feed {
                        Feed::Stream { data, stride } => data[t * stride + lane],
                        Feed::Held(row) => row[lane],
                        Feed::Constant(v) => v,
                    });
                }
                for (k, s) in s.iter_mut().enumerate() {
                    *s = states[k * lanes + lane];
                }
                self.function.step(&self.semantics, &channel.coefficients, x, s, &channel.p, y);
                for (k, s) in s.iter().enumerate() {
                    states[k * lanes + lane] = *s;
                }
                for (out, &v) in outputs.iter_mut().zip(y.iter()) {
                    if let Some((data, stride)) = out {
                        data[t * *stride + lane] = v as f32;
                    }
                }
            }
        }
    }
}

fn draws(function: &dyn TransferFunction, dt: f64) -> Vec<(u32, f32)> {
    let scale = |draw| match draw {
        Draw::PerTick => 1.0,
        Draw::White => (1.0 / dt.sqrt()) as f32,
    };
    function.signature().inputs.iter().zip(0_u32..).filter_map(|(i, stream)| i.draw.map(|d| (stream, scale(d)))).collect()
}

impl Single {
    fn new(function: &dyn TransferFunction, table: &Channels, repeat: usize) -> Self {
        let (n, x, p) =
            (function.signature().states.len(), function.signature().inputs.len(), function.signature().parameters.len());
        let values = |of: &dyn Fn(&Channel) -> f64| Values::new(&table.values(of), repeat);
        let affine = function.is_affine().then(|| {
            [
                (0..n * n).map(|k| values(&|c| c.coefficients.phi[k])).collect(),
                (0..n * x).map(|k| values(&|c| c.coefficients.gamma[k])).collect(),
                (0..n).map(|k| values(&|c| c.coefficients.constant[k])).collect(),
            ]
        });
        let parameters: Vec<Values> = (0..p).map(|k| values(&|c| c.p[k])).collect();
        let ones = |values: &Vec<Values>| values.iter().map(Values::one).collect::<Option<Vec<_>>>();
        let uniform = match &affine {
            Some([phi, gamma, constant]) => match (ones(phi), ones(gamma), ones(constant)) {
                (Some(phi), Some(gamma), Some(constant)) => Some(Some([phi, gamma, constant])),
                _ => None,
            },
            None => Some(None),
        };
        let uniform = uniform.zip(ones(&parameters)).map(|(affine, parameters)| Uniform { affine, parameters });
        Self { affine, parameters, uniform, period: None }
    }

    /// One call of the vectorised loop, of which the first lane has the coefficients at `from`.
    fn job(
        &self,
        neuron: &Neuron,
        span: Span,
        from: usize,
        feeds: &[Feed<'_>],
        mut states: ArrayViewMut2<'_, f32>,
        (sinks, mut way): (&mut Sinks<'_>, Option<Loop<'_>>),
    ) {
        let range = from..from + span.lanes;
        let raw = Flow::Raw { step: neuron.semantics.step_length() as f32 };
        let (each_affine, each_parameters);
        let (flow, parameters) = match &self.uniform {
            Some(Uniform { affine: Some([phi, gamma, constant]), parameters }) => {
                (Flow::Affine { phi, gamma, constant }, parameters.as_slice())
            }
            Some(Uniform { affine: None, parameters }) => (raw, parameters.as_slice()),
            None => {
                each_parameters = params(&self.parameters, &range);
                each_affine = self.affine.as_ref().map(|groups| groups.each_ref().map(|g| params(g, &range)));
                let flow = match &each_affine {
                    Some([phi, gamma, constant]) => Flow::Affine { phi, gamma, constant },
                    None => raw,
                };
                (flow, each_parameters.as_slice())
            }
        };
        // a job has one lifetime for all it borrows, so the sinks are borrowed anew, after what stands above
        let mut sinks = sinks.reborrow();
        neuron.function.advance(LaneJob {
            rule: neuron.rule,
            instructions: span.instructions,
            ticks: span.ticks,
            lanes: span.lanes,
            inputs: feeds,
            flow,
            parameters,
            states: states.view_mut(),
            outputs: sinks.as_mut(),
            echo: way.as_mut().map(|way| Loop { before: way.before, echo: &mut *way.echo }),
        });
    }
}

fn params<'a>(values: &'a [Values], range: &Range<usize>) -> SmallVec<[Param<'a>; 8]> {
    values.iter().map(|v| v.param(range)).collect()
}

/// Rows and their stride, where somebody listens.
pub(crate) type DoubleOutput<'a> = Option<(&'a mut [f32], usize)>;
/// The outputs of a run in double precision.
pub(crate) type DoubleOutputs<'a> = SmallVec<[DoubleOutput<'a>; FEW]>;

/// All lanes of a node for some ticks, in double precision.
#[derive(Debug)]
pub(crate) struct DoubleRun<'a> {
    pub(crate) ticks: usize,
    pub(crate) lanes: usize,
    pub(crate) feeds: Feeds<'a>,
    pub(crate) states: &'a mut [f64],
    pub(crate) scratch: [&'a mut [f64]; 3],
    pub(crate) outputs: DoubleOutputs<'a>,
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl"), dispatcher = "direct")]
fn fill_avx512(key: Key, first: u32, stream: u32, tick: u64, scale: f32, out: &mut [f32]) {
    match_target! {
        "x86_64+avx512f+avx512bw+avx512dq+avx512vl" => fill(key, first, stream, tick, scale, out),
        _ => fill_avx2(key, first, stream, tick, scale, out),
    }
}

#[multiversion(targets("x86_64+avx2"), dispatcher = "direct")]
fn fill_avx2(key: Key, first: u32, stream: u32, tick: u64, scale: f32, out: &mut [f32]) {
    fill(key, first, stream, tick, scale, out);
}

#[inline(always)]
fn fill(key: Key, first: u32, stream: u32, tick: u64, scale: f32, out: &mut [f32]) {
    key.fill_normal(first, stream, tick, out);
    out.iter_mut().for_each(|v| *v *= scale);
}
