//! Integrators on the patched machine.
//!
//! One tick is one run: the state of the tick before is loaded by IC, the inputs are set as potentiometers, OP lasts one tick of machine time,
//! HALT holds what is read out. A state is rounded to the ten bits of a potentiometer each time it is loaded; in exchange the time of a tick is
//! the machine's own, not that of the line, and a run that failed can be done again, because the host knows from where.

use super::codec::{FULL, LONGEST_TIME};
use super::dialogue::Machine;
use super::patch::{Channel, Patch};
use isoform_core::bound::Accuracy;
use isoform_core::error::{Error, Result};
use isoform_core::functions::{I, LI, li};
use isoform_core::medium::Medium;
use isoform_core::profile::{Class, Limits, Profile, Takes};
use isoform_core::program::{Node, NodeKind, Origin, Program, Source};
use isoform_core::report::Report;
use isoform_core::semantics::{Decay, Drive, Number, Semantics};
use isoform_core::signal::{Extent, Signal, SignalMut};
use isoform_core::substrate::{Cancel, Run};
use isoform_serial::driver::Driver;
use isoform_serial::error::SerialError;
use isoform_serial::lines::Lines;
use isoform_serial::link::Link;
use std::time::Duration;

/// How often a tick is done again after a failure.
const TRIES: u32 = 2;
/// Seconds of the machine in a tick of the program that it shows of itself.
const TICK: f64 = 0.04;
/// The most by which the mean of an output is off, in machine units: ten bits of each potentiometer, and half a step of an initial condition
/// that each tick may lose anew, which a state keeps for five ticks.
const MARGIN: f64 = 1e-2;
/// The standard deviation of a reading, in machine units: steps of the initial condition, which the state keeps, and the converter.
const NOISE: f64 = 1e-3;

/// One channel of a program on one channel of the patch, in machine units and machine time.
#[derive(Debug, Clone, PartialEq)]
struct Placed {
    channel: Channel,
    node: usize,
    /// Place in the node.
    place: usize,
    /// Value of the potentiometer of the decay.
    decay: u16,
    /// Drive as a potentiometer, for an input of one and for none.
    gain: f64,
    offset: f64,
}

#[derive(Debug)]
struct Loaded {
    program: Program,
    cancel: Cancel,
    placed: Vec<Placed>,
    /// Milliseconds of OP.
    op: u32,
    /// The states, in machine units.
    states: Vec<f64>,
}

/// The driver of a Model-1 hybrid controller.
#[derive(Debug)]
pub struct ModelOne {
    machine: Machine,
    patch: Patch,
    loaded: Option<Loaded>,
}

/// A value from nought to one as a potentiometer.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is cut to the range before")]
fn pot(value: f64) -> u16 {
    (value.clamp(0.0, 1.0) * f64::from(FULL)).round() as u16
}

impl ModelOne {
    /// A driver of a machine that is patched like this.
    #[must_use]
    pub fn new(patch: Patch) -> Self {
        Self { machine: Machine::default(), patch, loaded: None }
    }

    fn loaded(&mut self) -> Result<&mut Loaded> {
        self.loaded.as_mut().ok_or_else(|| Error::fault("nothing is loaded on the machine; realize a program first"))
    }

    /// Finds a channel of the patch for each channel of the program, and what its potentiometers come to.
    fn place(&self, program: &Program) -> Result<(Vec<Placed>, u32)> {
        let mut placed = Vec::new();
        let milliseconds = program.semantics().dt * self.patch.slow * 1e3;
        let op = milliseconds.round();
        if (milliseconds - op).abs() > 1e-9 * op || op < 1.0 || op > f64::from(LONGEST_TIME) {
            return Err(Error::unsupported(format!(
                "a tick of {milliseconds} ms of machine time is no whole number from 1 to {LONGEST_TIME}: choose another dt, or \"slow\" in the patch"
            )));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was compared with its limits")]
        let op = op as u32;
        for (index, node) in program.nodes().iter().enumerate() {
            self.place_node(index, node, &mut placed).map_err(|e| e.with_node(&node.name))?;
        }
        let mut pots = placed.iter().flat_map(|p: &Placed| p.channel.pots());
        if let Some(missing) = pots.find(|p| !self.machine.modules.iter().any(|m| m.0 == p.module)) {
            return Err(Error::unsupported(format!(
                "the patch names potentiometers at {:X}, where the machine has no module; correct the patch",
                missing.module
            )));
        }
        Ok((placed, op))
    }

    fn place_node(&self, index: usize, node: &Node, placed: &mut Vec<Placed>) -> Result<()> {
        let refuse = |why: String| Err(Error::unsupported(why));
        let NodeKind::Dynamics { function, parameters } = &node.kind else {
            return refuse(format!("the patch has no {}; it has integrators", node.kind_name()));
        };
        let s = &node.semantics;
        if s.decay != Decay::Exact || s.drive != Drive::Held || s.number != Number::Real || node.input_delay > 0 {
            return refuse(String::from(
                "an analog machine flows as the equation says, under a held input: choose the semantics exact",
            ));
        }
        if node.sources.iter().flatten().any(|source| source.late || matches!(source.origin, Origin::Node(..))) {
            return refuse(String::from(
                "it is driven by another node, for which no wire is patched; the host drives the channels of the patch",
            ));
        }
        for place in 0..node.channels() {
            let at = |k: usize| parameters[k].at(if parameters[k].len() == 1 { 0 } else { place });
            // rate of decay, gain and constant drive, per second of the program
            let (rate, gain, offset) = match function.signature().id {
                LI => (1.0 / at(0), at(1) / at(0), at(2) / at(0)),
                _ => (0.0, at(0), 0.0),
            };
            let Some(&channel) = self.patch.channels.get(placed.len()) else {
                return refuse(format!("the patch has {} channels, and the program needs more", self.patch.channels.len()));
            };
            let scale = 1.0 / (self.patch.k0 * self.patch.slow);
            let decay = rate * scale;
            if !(0.0..=1.0).contains(&decay) || rate > 0.0 && pot(decay) == 0 {
                return refuse(format!(
                    "a decay of {rate} per second is a potentiometer of {decay}, which has to be at most 1 and to show in ten bits: choose \"slow\" in the patch"
                ));
            }
            let unit = self.patch.unit;
            let (gain, offset) = (gain * scale / unit, offset * scale / unit);
            placed.push(Placed { channel, node: index, place, decay: pot(decay), gain, offset });
        }
        Ok(())
    }

    /// Sets everything that stays as it is from tick to tick, and makes sure that it is so.
    fn set_up(machine: &mut Machine, link: &mut Link, loaded: &Loaded, ic: u32) -> Result<(), SerialError> {
        machine.set_times(link, ic, loaded.op)?;
        for placed in &loaded.placed {
            machine.set_pot(link, placed.channel.decay, placed.decay)?;
        }
        machine.set_group(link, &loaded.placed.iter().map(|p| p.channel.integrator).collect::<Vec<_>>())?;
        Self::check(machine, link, loaded, ic)
    }

    /// Makes sure that the machine has not forgotten what was set, as after a loss of its supply.
    fn check(machine: &mut Machine, link: &mut Link, loaded: &Loaded, ic: u32) -> Result<(), SerialError> {
        let status = machine.status(link)?;
        if status.halts && (status.ic, status.op) == (ic, loaded.op) {
            return Ok(());
        }
        let seen = format!("{status:?}");
        Err(SerialError::garbled(
            "the status",
            seen.as_bytes(),
            "the times are not those that were set: the machine has restarted",
        ))
    }

    /// One tick: from the states and drives of all channels to their new states.
    fn run(machine: &mut Machine, link: &mut Link, loaded: &Loaded, ic: u32, drives: &[f64]) -> Result<Vec<f64>, SerialError> {
        for ((placed, &state), &drive) in loaded.placed.iter().zip(&loaded.states).zip(drives) {
            let Channel { plus, minus, ic_plus, ic_minus, .. } = placed.channel;
            for (pair, value) in [([plus, minus], drive), ([ic_plus, ic_minus], state)] {
                machine.set_pot(link, pair[0], pot(value))?;
                machine.set_pot(link, pair[1], pot(-value))?;
            }
        }
        machine.run(link, ic, loaded.op)?;
        let states = machine.read_group(link, loaded.placed.len())?;
        Self::check(machine, link, loaded, ic)?;
        Ok(states)
    }
}

/// Sums sources of which each is an input or a node.
fn sum(program: &Program, x: &[f64], nodes: &[Vec<f64>], sources: &[Source], place: usize) -> f64 {
    let start = |port: usize| program.inputs()[..port].iter().map(|p| p.shape.len()).sum::<usize>();
    let value = |source: &Source| match source.origin {
        Origin::Input(port) => x[start(port) + place],
        Origin::Node(node, _) => nodes[node][place],
    };
    sources.iter().map(value).sum()
}

fn is_mendable(error: &SerialError) -> bool {
    matches!(error, SerialError::Timeout { .. } | SerialError::Garbled { .. } | SerialError::TooLong { .. })
}

impl Driver for ModelOne {
    fn identify(&mut self, lines: &mut Lines) -> Result<()> {
        Ok(self.machine.begin(lines)?)
    }

    /// Leaky integrators that lose a fifth in a tick, and a quarter of a unit for an input of one.
    fn exemplars(&self) -> Vec<Program> {
        let Patch { k0, slow, unit, ref channels, .. } = self.patch;
        let neuron = li().with("tau", 2.0 / (k0 * slow)).with("r", 0.25 * unit).with("v_leak", 0.0);
        Program::single("integrators", neuron, [channels.len()], Semantics::exact(TICK / slow)).into_iter().collect()
    }

    fn profile(&self) -> Profile {
        let device = if self.machine.firmware.is_empty() { "Model-1" } else { self.machine.firmware.as_str() };
        // coefficients, inputs and states are potentiometers of ten bits, rounded to the nearest; what is below a step is nought
        let step = self.patch.unit / f64::from(FULL);
        let accuracy =
            Accuracy { unit_roundoff: 0.5 / f64::from(FULL), smallest_normal: step, subnormals: false, ..Accuracy::single() };
        Profile { device: device.to_owned(), accuracy, ..Profile::digital("model-one", env!("CARGO_PKG_VERSION")) }
            .with_class(Class::AnalogNoisy)
            .with_limits(Limits {
                ticks: 64,
                batch: 1,
                channels: self.patch.channels.len(),
                realizations: 1,
                ..Limits::default()
            })
            .with_takes(Takes { nodes: vec![LI.to_owned(), I.to_owned()], cycles: false, ..Takes::default() })
            .with_medium(Medium::new(MARGIN * self.patch.unit, NOISE * self.patch.unit))
    }

    fn load(&mut self, lines: &mut Lines, program: &Program, run: &Run) -> Result<()> {
        self.loaded = None;
        let (placed, op) = self.place(program)?;
        let states = vec![0.0; placed.len()];
        let loaded = Loaded { program: program.clone(), cancel: run.cancel.clone(), placed, op, states };
        Self::set_up(&mut self.machine, lines, &loaded, self.patch.ic)?;
        self.loaded = Some(loaded);
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    fn advance(&mut self, lines: &mut Lines, x: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<Report> {
        let (unit, ic) = (self.patch.unit, self.patch.ic);
        let loaded = self.loaded()?;
        let program = loaded.program.clone();
        let (inputs, outputs) = (program.input_channels(), program.output_channels());
        let (input, output) = (Extent { ticks, batch: 1, channels: inputs }, Extent { ticks, batch: 1, channels: outputs });
        let mut row = vec![0.0; inputs];
        let mut wide = Vec::with_capacity(ticks);
        let mut all = Vec::with_capacity(ticks);
        for tick in 0..ticks {
            x.row(input, tick, &mut row);
            let x: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
            let drive = |p: &Placed| p.offset + p.gain * sum(&program, &x, &[], &program.nodes()[p.node].sources[0], p.place);
            let drives: Vec<f64> = loaded.placed.iter().map(drive).collect();
            if let Some((placed, drive)) = loaded.placed.iter().zip(&drives).find(|(_, d)| d.abs() > 1.0) {
                let why = format!(
                    "tick {tick} drives it by {drive:.3} machine units, and one is the most: scale the input, or \"slow\" and \"unit\" of the patch"
                );
                return Err(Error::invalid_signal(why).with_node(&program.nodes()[placed.node].name));
            }
            wide.push(x);
            all.push(drives);
        }
        let (mut device, mut clipped) = (Duration::ZERO, 0);
        let mut failures = 0;
        let mut done = 0;
        while done < ticks {
            let Some(loaded) = self.loaded.as_mut().filter(|l| !lines.is_asked_to_stop(&l.cancel)) else { break };
            match Self::run(&mut self.machine, lines, loaded, ic, &all[done]) {
                Ok(states) => {
                    // an initial condition is at most one unit, though an integrator goes further
                    clipped += loaded.states.iter().filter(|s| s.abs() > 1.0).count() as u64;
                    loaded.states = states;
                }
                Err(error) if is_mendable(&error) && failures < TRIES => {
                    // the host knows from where: the machine is set up anew and the tick done again
                    failures += 1;
                    self.machine.begin(lines)?;
                    Self::set_up(&mut self.machine, lines, loaded, ic)?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            device += Duration::from_millis(u64::from(loaded.op));
            let mut nodes: Vec<Vec<f64>> = program.nodes().iter().map(|n| vec![0.0; n.channels()]).collect();
            for (placed, state) in loaded.placed.iter().zip(&loaded.states) {
                nodes[placed.node][placed.place] = state * unit;
            }
            let ports = program.outputs().iter().flat_map(|o| (0..o.port.shape.len()).map(move |place| (o, place)));
            let out: Vec<f32> = ports.map(|(o, place)| sum(&program, &wide[done], &nodes, &o.sources, place) as f32).collect();
            y.put(output, done, &out);
            done += 1;
        }
        Ok(Report { device: Some(device), clipped, ..Report::of(done) })
    }

    fn reset(&mut self, _: &mut Lines) -> Result<()> {
        // the next run loads it by IC
        self.loaded()?.states.fill(0.0);
        Ok(())
    }

    fn close(&mut self, lines: &mut Lines) -> Result<()> {
        self.loaded = None;
        // integrators in IC cannot run into an overload
        Ok(self.machine.ask(lines, "IC", b"i", b"IC", Duration::from_millis(100))?)
    }
}
