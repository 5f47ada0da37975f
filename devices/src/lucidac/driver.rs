//! The words of the analog computer.
//!
//! # Dialects
//! Two devices speak the protocol, and `identify` tells them apart by their answer to `help`; the profile names the one that was found.
//! - The **firmware**: answers carry the id of their request, lines hold at most 4096 bytes, settings go block by block, a run that streams takes a
//!   rate of its list.
//! - The **emulator of lucipy**: the answer to `start_run` has no id; it has neither `sys_ident` nor `ping`; settings go as one tree, anew before
//!   each run, because every run multiplies the lanes that are scaled up by ten once more; rows are spread from the first to the last instant of
//!   the run, whatever the rate; it never says how long it computed. It computes a run before it answers that one has begun, so that this answer
//!   may take as long as the run; every other answer, and every answer of the firmware, has three seconds.
//!
//! # Signs
//! Initial condition, multiplier and converter may each negate, and descriptions of the hardware disagree about the first. So a circuit is run when
//! the device is identified: one integrator holds a half, one integrates the constant, one multiplier squares the first. The readings give all three
//! signs, given that integrators negate their input; the circuits are made by them and the profile says what was found.

use super::circuit::Circuit;
use super::compile::{Polarity, Wiring, Wish, compile};
use isoform_core::bound::Accuracy;
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::functions::li;
use isoform_core::medium::Medium;
use isoform_core::profile::{Class, Facets, Limits, Profile, Takes};
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::semantics::Semantics;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::state::State;
use isoform_core::substrate::Run;
use isoform_serial::driver::Driver;
use isoform_serial::error::{SerialError, printable};
use isoform_serial::lines::Lines;
use serde_json::{Value, json};
use std::time::Duration;

/// How long the line is quiet before it counts as quiet.
const QUIET: Duration = Duration::from_millis(50);
/// How long an answer may take.
pub(super) const ANSWER: Duration = Duration::from_secs(3);
/// How far a reading may be from what a calibrated machine is told, in units of the machine.
pub(super) const CALIBRATED: f64 = 0.05;
/// A reading beyond is an overload: the outputs of integrators bend from here on.
const OVERLOAD: f64 = 1.2;
/// An initial condition beyond one by no more than this is a reading error.
const READING: f64 = 5e-3;
/// The most by which the mean of an output is off, in units of the machine: what the maker states after calibration.
const MARGIN: f64 = 1e-2;
/// The standard deviation of an output, in units of the machine: three decimals are told of each reading, from which the next run starts.
const NOISE: f64 = 1e-3;
/// Channels and seconds of a tick of the program that it shows of itself.
const SHOWN: usize = 4;
const TICK: f64 = 1e-3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Firmware,
    Lucipy,
}

/// What is known of the device.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) dialect: Dialect,
    pub(super) mac: String,
    /// Whether it repeats what it hears.
    pub(super) echoes: bool,
    pub(super) polarity: Polarity,
}

/// A program on the device.
#[derive(Debug)]
struct Loaded {
    wiring: Wiring,
    program: Program,
    run: Run,
    /// The states in units of the program.
    state: Vec<f64>,
    tick: u64,
    /// What the device holds.
    patched: Option<Circuit>,
}

/// The driver.
#[derive(Debug)]
pub struct Lucidac {
    wish: Wish,
    pub(super) known: Option<Known>,
    loaded: Option<Loaded>,
    pub(super) requests: u64,
    pub(super) runs: u64,
}

impl Lucidac {
    /// A driver for a machine with these wishes.
    #[must_use]
    pub fn new(wish: Wish) -> Self {
        Self { wish, known: None, loaded: None, requests: 0, runs: 0 }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.known.as_ref().map_or(Dialect::Firmware, |k| k.dialect)
    }
}

impl Driver for Lucidac {
    fn identify(&mut self, lines: &mut Lines) -> Result<()> {
        self.known = None;
        if let Some(loaded) = &mut self.loaded {
            loaded.patched = None;
        }
        // an end of line ends what somebody began
        let end = lines.within(ANSWER);
        lines.send(b"\n", end).map_err(Error::from)?;
        lines.drain(QUIET).map_err(Error::from)?;
        let (help, echoes) = self.exchange(lines, "help", &json!({}), ANSWER)?;
        let about = help.get("human_readable_info").and_then(Value::as_str).unwrap_or_default();
        let dialect = if about.contains("lucipy") { Dialect::Lucipy } else { Dialect::Firmware };
        let entities = self.ask(lines, "get_entities", &json!({}))?;
        let tree = entities.get("entities").unwrap_or(&entities);
        let carrier = tree.as_object().into_iter().flatten().find(|(_, carrier)| carrier.get("/0").is_some());
        let complete = |carrier: &Value| ["/M0", "/M1", "/U", "/C", "/I"].iter().all(|b| carrier["/0"].get(b).is_some());
        let Some((mac, _)) = carrier.filter(|(_, carrier)| complete(carrier)) else {
            let seen = printable(tree.to_string().as_bytes());
            return Err(SerialError::WrongDevice { wanted: "LUCIDAC".to_owned(), seen }.into());
        };
        let mac = mac.trim_start_matches('/').to_owned();
        let unknown = Polarity { ic: 1.0, reading: 1.0, product: 1.0 };
        self.known = Some(Known { dialect, mac, echoes, polarity: unknown });
        let polarity = self.measure(lines).inspect_err(|_| self.known = None)?;
        if let Some(known) = &mut self.known {
            known.polarity = polarity;
        }
        Ok(())
    }

    fn profile(&self) -> Profile {
        let device = self.known.as_ref().map_or_else(
            || "a LUCIDAC".to_owned(),
            |known| {
                let what = match known.dialect {
                    Dialect::Firmware => "LUCIDAC",
                    Dialect::Lucipy => "emulator of lucipy",
                };
                let signs = [
                    ("initial conditions", known.polarity.ic),
                    ("readings", known.polarity.reading),
                    ("products", known.polarity.product),
                ];
                let inverted: Vec<&str> = signs.iter().filter(|(_, s)| *s < 0.0).map(|(n, _)| *n).collect();
                let found = if inverted.is_empty() { "nothing".to_owned() } else { inverted.join(" and ") };
                format!(
                    "{what} {}, inverts {found} as measured; state by initial conditions and readings of three decimals",
                    known.mac
                )
            },
        );
        // a hundredth of full scale, as the maker states after calibration
        let accuracy = Accuracy { unit_roundoff: 5e-3, ..Accuracy::single() };
        let unit = self.unit();
        Profile { device, accuracy, ..Profile::digital("lucidac", env!("CARGO_PKG_VERSION")) }
            .with_class(Class::AnalogNoisy)
            .with_facets(Facets { memory: true, ..Facets::default() })
            .with_limits(Limits { batch: 1, channels: 8, ticks: 1 << 16, ..Limits::default() })
            .with_takes(Takes { cycles: false, ..Takes::default() })
            .with_medium(Medium::new(MARGIN * unit, NOISE * unit))
    }

    /// Leaky integrators that reach a quarter of their unit for an input of one.
    fn exemplars(&self) -> Vec<Program> {
        let neuron = li().with("tau", 5.0 * TICK).with("r", 0.25 * self.unit()).with("v_leak", 0.0);
        Program::single("integrators", neuron, [SHOWN], Semantics::exact(TICK)).into_iter().collect()
    }

    fn load(&mut self, lines: &mut Lines, program: &Program, run: &Run) -> Result<()> {
        self.loaded = None;
        let wiring = compile(program, &self.wish)?;
        let state: Vec<f64> = wiring.states.iter().map(|s| s.initial).collect();
        let polarity = self.polarity()?;
        let circuit = wiring.circuit(&vec![0.0; program.input_channels()], &state, polarity)?;
        self.patch(lines, &circuit, None)?;
        let patched = Some(circuit);
        self.loaded = Some(Loaded { wiring, program: program.clone(), run: run.clone(), state, tick: 0, patched });
        Ok(())
    }

    fn advance(&mut self, lines: &mut Lines, x: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<Report> {
        let mut loaded = self.loaded.take().ok_or_else(|| Error::fault("no program is loaded: reset first"))?;
        let result = self.pieces(lines, &mut loaded, x, y, ticks);
        self.loaded = Some(loaded);
        result
    }

    fn reset(&mut self, _: &mut Lines) -> Result<()> {
        let loaded = self.loaded.as_mut().ok_or_else(|| Error::fault("no program is loaded: open it again"))?;
        loaded.state = loaded.wiring.states.iter().map(|s| s.initial).collect();
        loaded.tick = 0;
        Ok(())
    }

    fn save_state(&mut self, _: &mut Lines) -> Result<State> {
        let loaded = self.loaded.as_ref().ok_or_else(|| Error::fault("no program is loaded"))?;
        let mut state = State::initial(&loaded.program, 1);
        state.tick = loaded.tick;
        for (placed, value) in loaded.wiring.states.iter().zip(&loaded.state) {
            state.blocks[placed.block.0].values[placed.block.1] = *value;
        }
        Ok(state)
    }

    fn load_state(&mut self, _: &mut Lines, state: &State) -> Result<()> {
        let loaded = self.loaded.as_mut().ok_or_else(|| Error::fault("no program is loaded"))?;
        let values: Vec<f64> = loaded.wiring.states.iter().map(|p| state.blocks[p.block.0].values[p.block.1]).collect();
        if let Some((placed, value)) = loaded.wiring.states.iter().zip(&values).find(|(p, v)| v.abs() > p.unit * (1.0 + READING))
        {
            let why = format!("the state {value} is beyond the unit of {}: give a larger unit", placed.unit);
            return Err(Error::invalid_signal(why).with_node(&placed.node));
        }
        loaded.state = values;
        loaded.tick = state.tick;
        Ok(())
    }

    fn close(&mut self, lines: &mut Lines) -> Result<()> {
        self.loaded = None;
        self.ask(lines, "reset_circuit", &json!({}))?;
        Ok(())
    }
}

impl Lucidac {
    /// What one unit of the machine stands for at the most: as wished, or as a leaky integrator has it by its nominal range.
    fn unit(&self) -> f64 {
        let nominal = || {
            let [low, high] = li().function().signature().states.first()?.quantity.range;
            Some(low.abs().max(high.abs()))
        };
        self.wish.units.iter().map(|(_, unit)| *unit).reduce(f64::max).or_else(nominal).unwrap_or(1.0)
    }

    fn polarity(&self) -> Result<Polarity> {
        self.known.as_ref().map(|k| k.polarity).ok_or_else(|| Error::fault("the machine was not identified: reset first"))
    }

    /// Runs the pieces of a block in which the input is constant.
    fn pieces(
        &mut self,
        lines: &mut Lines,
        loaded: &mut Loaded,
        x: Signal<'_>,
        y: &mut SignalMut<'_>,
        ticks: usize,
    ) -> Result<Report> {
        let polarity = self.polarity()?;
        let (input, output) = (loaded.run.input(&loaded.program, ticks), loaded.run.output(&loaded.program, ticks));
        let mut pieces: Vec<(usize, Vec<f32>)> = Vec::new();
        let mut row = vec![0.0; input.channels];
        for tick in 0..ticks {
            x.row(input, tick, &mut row);
            match pieces.last_mut() {
                Some((length, held)) if *held == row && *length < loaded.wiring.longest() => *length += 1,
                _ => pieces.push((1, row.clone())),
            }
        }
        // what does not fit is refused before anything is sent
        for (_, held) in &pieces {
            loaded.wiring.circuit(held, &loaded.state, polarity)?;
        }
        let mut report = Report::default();
        let mut device = Duration::ZERO;
        for (length, held) in &pieces {
            if lines.is_asked_to_stop(&loaded.run.cancel) {
                break;
            }
            let mut circuit = loaded.wiring.circuit(held, &loaded.state, polarity)?;
            for (integrator, placed) in circuit.integrators.iter_mut().zip(&loaded.wiring.states) {
                if integrator.ic.abs() > 1.0 + READING {
                    let why = format!(
                        "a state has reached {:.3} of its unit {}, from which no run can start: give a larger unit",
                        integrator.ic.abs(),
                        placed.unit
                    );
                    return Err(Error::new(ErrorKind::Fault, why).with_node(&placed.node));
                }
                report.clipped += u64::from(integrator.ic.abs() > 1.0);
                integrator.ic = integrator.ic.clamp(-1.0, 1.0);
            }
            let before = loaded.patched.take();
            if self.dialect() == Dialect::Lucipy || before.as_ref() != Some(&circuit) {
                self.patch(lines, &circuit, before.as_ref()).map_err(SerialError::into_fault)?;
            }
            // pieces before this one may have run
            let rows = self.run(lines, loaded.wiring.rate, *length, &circuit).map_err(SerialError::into_fault)?;
            if self.dialect() == Dialect::Firmware {
                // a device that lost its supply since has run another circuit; the emulator changes its own in every run
                self.verify(lines, &circuit).map_err(SerialError::into_fault)?;
            }
            loaded.patched = Some(circuit);
            take_rows(loaded, &rows, polarity, y, output, report.ticks)?;
            report.ticks += length;
            device += Duration::from_secs_f64(*length as f64 / f64::from(loaded.wiring.rate));
            loaded.tick += *length as u64;
        }
        report.device = Some(device);
        Ok(report)
    }
}

/// Takes the rows of a run over: outputs, and the last one as the state.
#[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
fn take_rows(
    loaded: &mut Loaded,
    rows: &[Vec<f64>],
    polarity: Polarity,
    y: &mut SignalMut<'_>,
    extent: isoform_core::signal::Extent,
    from: usize,
) -> Result<()> {
    let states = &loaded.wiring.states;
    let fault = |said: String| Error::from(SerialError::Fault { what: "the run".to_owned(), said });
    for (k, placed) in states.iter().enumerate() {
        let start = polarity.reading * rows[0][k] * placed.unit;
        if (start - loaded.state[k]).abs() > CALIBRATED * placed.unit {
            return Err(fault(format!("a state of {} starts at {start} instead of {}", placed.node, loaded.state[k])));
        }
        if let Some(row) = rows.iter().find(|row| row[k].abs() >= OVERLOAD) {
            let why = format!(
                "a state of {} is overloaded at {:.3} of its unit {}; give a larger unit",
                placed.node, row[k], placed.unit
            );
            return Err(fault(why));
        }
    }
    let value = |row: &[f64], k: usize| polarity.reading * row[k] * states[k].unit;
    let mut out = vec![0.0; loaded.wiring.outputs.len()];
    for (tick, row) in rows[1..].iter().enumerate() {
        for (to, &k) in out.iter_mut().zip(&loaded.wiring.outputs) {
            *to = value(row, k) as f32;
        }
        y.put(extent, from + tick, &out);
    }
    let last = &rows[rows.len() - 1];
    loaded.state = (0..states.len()).map(|k| value(last, k)).collect();
    Ok(())
}
