//! Oscillators as they run on.

use super::Kind;
use async_trait::async_trait;
use isoform_core::Coefficients;
use isoform_core::draw::{Key, normal};
use isoform_core::dynamics::Initial;
use isoform_core::error::{Error, Result};
use isoform_core::program::{Node, NodeKind, Program};
use isoform_core::report::Report;
use isoform_core::semantics::Semantics;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Realization, Run};
use isoform_core::transfer::TransferFunction;
use std::sync::Arc;
use std::time::Duration;

/// What devices are like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lot {
    pub(super) seed: u64,
    pub(super) spread: f64,
    pub(super) noise: f64,
}

/// A device or a meter of one channel.
#[derive(Debug)]
struct Part {
    function: Arc<dyn TransferFunction>,
    semantics: Semantics,
    coefficients: Coefficients,
    p: Vec<f64>,
    s: Vec<f64>,
    y: Vec<f64>,
}

impl Part {
    fn new(node: &Node, function: &Arc<dyn TransferFunction>, p: Vec<f64>) -> Self {
        let signature = function.signature();
        let start = |initial| match initial {
            Initial::Value(v) => v,
            Initial::Parameter(at) => p[at],
        };
        Self {
            s: signature.states.iter().map(|state| start(state.initial)).collect(),
            y: vec![0.0; signature.outputs.len()],
            coefficients: function.coefficients(&node.semantics, &p),
            function: Arc::clone(function),
            semantics: node.semantics,
            p,
        }
    }

    fn step(&mut self, x: &[f64]) -> f64 {
        self.function.step(&self.semantics, &self.coefficients, x, &mut self.s, &self.p, &mut self.y);
        self.y[0]
    }
}

/// A program on oscillators.
#[derive(Debug)]
pub(super) struct Running {
    /// The device of each channel and the meters behind it.
    channels: Vec<Vec<Part>>,
    /// Whether a device draws its noise as an input of its own; elsewhere it is noise of the current.
    draws: bool,
    noise: f64,
    key: Key,
    tick: u64,
    /// Seconds of a tick, where it has any.
    seconds: Option<f64>,
    washout: u64,
    program: Program,
    run: Run,
    /// The currents at present, and what comes out of each channel.
    x: Vec<f32>,
    y: Vec<f32>,
}

impl Running {
    /// Devices that have run for a washout and, by chance, for up to a quarter of one more.
    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    pub(super) fn new(kind: &Kind, lot: Lot, chain: &[&Node], (program, run): (&Program, &Run), number: u32) -> Self {
        let count = program.input_channels();
        let parts = |channel: u32| {
            let part = |node: &&Node| match &node.kind {
                NodeKind::Dynamics { function, parameters } => {
                    let given = parameters.iter().map(|t| t.at(if t.len() == 1 { 0 } else { channel as usize }));
                    let names = function.signature().parameters.iter().map(|own| own.quantity.name);
                    let is_device = function.signature().id == kind.id;
                    let made = |(name, usual)| if is_device { made(kind, lot, channel, (name, usual)) } else { usual };
                    Some(Part::new(node, function, names.zip(given).map(made).collect()))
                }
                _ => None,
            };
            chain.iter().filter_map(part).collect()
        };
        let draws = (kind.neuron)().function().signature().inputs.len() > 1;
        let mut running = Self {
            channels: (0..).take(count).map(parts).collect(),
            draws,
            noise: if draws { 1.0 } else { lot.noise } / kind.dt.sqrt(),
            key: Key::new(lot.seed.wrapping_add(run.seed.rotate_left(32)), number),
            tick: 0,
            seconds: kind.seconds.map(|unit| unit * kind.dt),
            washout: kind.washout(),
            program: program.clone(),
            run: run.clone(),
            x: vec![f64::midpoint(kind.input[0], kind.input[1]) as f32; count],
            y: vec![0.0; count],
        };
        let before = running.washout + u64::from(running.key.bits(u32::MAX, 1, 0)) % (running.washout / 4 + 1);
        for _ in 0..before {
            running.live();
        }
        running
    }

    /// One tick under the currents at present.
    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    fn live(&mut self) {
        for (lane, ((parts, x), y)) in (0..).zip(self.channels.iter_mut().zip(&self.x).zip(&mut self.y)) {
            let (current, drawn) = (f64::from(*x), self.noise * f64::from(normal(self.key.bits(lane, 0, self.tick))));
            let mut value = 0.0;
            for (place, part) in parts.iter_mut().enumerate() {
                value = match (place, self.draws) {
                    (0, true) => part.step(&[current, drawn]),
                    (0, false) => part.step(&[current + drawn]),
                    _ => part.step(&[value]),
                };
            }
            *y = value as f32;
        }
        self.tick += 1;
    }
}

/// A parameter of a device, off by a share if it is one of those that are spread.
fn made(kind: &Kind, lot: Lot, channel: u32, (name, usual): (&str, f64)) -> f64 {
    match (0..).zip(kind.spread).find(|(_, spread)| *spread == name) {
        Some((stream, _)) => {
            usual * (1.0 + lot.spread * f64::from(normal(Key::new(lot.seed, u32::MAX).bits(channel, stream, 0))))
        }
        None if name == "noise" => lot.noise,
        None => usual,
    }
}

#[async_trait]
impl Realization for Running {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let (input, output) = (self.run.input(&self.program, ticks), self.run.output(&self.program, ticks));
        let mut done = 0;
        while done < ticks && !self.run.cancel.is_raised() {
            x.row(input, done, &mut self.x);
            self.live();
            y.put(output, done, &self.y);
            done += 1;
        }
        let device = self.seconds.and_then(|tick| Duration::try_from_secs_f64(tick * done as f64).ok());
        Ok(Report { device, ..Report::of(done) })
    }

    async fn reset(&mut self) -> Result<()> {
        Err(Error::unsupported(format!(
            "what oscillates runs by itself and cannot be reset; after {} ticks it has forgotten what came before",
            self.washout
        )))
    }
}
