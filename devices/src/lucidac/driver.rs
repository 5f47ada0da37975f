//! The words of the analog computer.
//!
//! # Dialects
//! Two devices speak the protocol, and `identify` tells them apart by their answer to `help`; the profile names the one that was found.
//! - The **firmware**: answers carry the id of their request, lines hold at most 4096 bytes, settings go block by block, a run that streams takes a
//!   rate of its list.
//! - The **emulator of lucipy**: the answer to `start_run` has no id; it has neither `sys_ident` nor `ping`; settings go as one tree, anew before
//!   each run, because every run multiplies the lanes that are scaled up by ten once more; rows are spread from the first to the last instant of
//!   the run, whatever the rate; it never says how long it computed.
//!
//! # Signs
//! Initial condition, multiplier and converter may each negate, and descriptions of the hardware disagree about the first. So a circuit is run when
//! the device is identified: one integrator holds a half, one integrates the constant, one multiplier squares the first. The readings give all three
//! signs, given that integrators negate their input; the circuits are made by them and the profile says what was found.

use super::circuit::{CONSTANT_LANE, CONSTANT_OUTPUT, Circuit, LANES};
use super::codec::{Heard, LONGEST_LINE, LONGEST_REQUEST, hear, request};
use super::compile::{Polarity, Wiring, Wish, compile};
use isoform_core::bound::Accuracy;
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::profile::{Class, Facets, Limits, Profile, Takes};
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::state::State;
use isoform_core::substrate::Run;
use isoform_serial::driver::Driver;
use isoform_serial::error::{SerialError, printable};
use isoform_serial::lines::Lines;
use isoform_serial::link::Deadline;
use serde_json::{Value, json};
use std::time::Duration;

/// How long the line is quiet before it counts as quiet.
const QUIET: Duration = Duration::from_millis(50);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(3);
/// How long a run may take beyond the time that it computes; the emulator integrates in Python.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most lines of other things before an answer.
const OTHERS: usize = 4096;
/// How far a reading may be from what a calibrated machine is told, in units of the machine.
const CALIBRATED: f64 = 0.05;
/// A reading beyond is an overload: the outputs of integrators bend from here on.
const OVERLOAD: f64 = 1.2;
/// An initial condition beyond one by no more than this is a reading error.
const READING: f64 = 5e-3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Firmware,
    Lucipy,
}

/// What is known of the device.
#[derive(Debug, Clone)]
struct Known {
    dialect: Dialect,
    mac: String,
    /// Whether it repeats what it hears.
    echoes: bool,
    polarity: Polarity,
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
    known: Option<Known>,
    loaded: Option<Loaded>,
    requests: u64,
    runs: u64,
}

impl Lucidac {
    /// A driver for a machine with these wishes.
    #[must_use]
    pub fn new(wish: Wish) -> Self {
        Self { wish, known: None, loaded: None, requests: 0, runs: 0 }
    }

    fn dialect(&self) -> Dialect {
        self.known.as_ref().map_or(Dialect::Firmware, |k| k.dialect)
    }

    /// Sends a request and takes its answer. Gives the message, and whether the device repeated the request.
    fn exchange(&mut self, lines: &mut Lines, kind: &str, message: &Value) -> Result<(Value, bool), SerialError> {
        self.requests += 1;
        let id = self.requests.to_string();
        let line = request(&id, kind, message);
        if line.len() > LONGEST_REQUEST && self.dialect() == Dialect::Firmware {
            return Err(SerialError::TooLong { what: format!("the request {kind}"), limit: LONGEST_REQUEST });
        }
        let end = lines.within(ANSWER);
        lines.send(&line, end)?;
        let sent = line.strip_suffix(b"\n").unwrap_or(&line);
        let mut echoed = false;
        let mut strange = None;
        for _ in 0..OTHERS {
            let heard = match lines.line(LONGEST_LINE, &format!("answer to {kind}"), end) {
                Err(SerialError::Timeout { .. }) if self.known.is_none() && strange.is_some() => {
                    let seen = strange.unwrap_or_default();
                    return Err(SerialError::WrongDevice { wanted: "LUCIDAC".to_owned(), seen });
                }
                line => line?,
            };
            if heard == sent {
                echoed = true;
                continue;
            }
            match hear(&heard)? {
                Heard::Answer { id: Some(other), code, message, .. } if other == id => {
                    if self.known.as_ref().is_some_and(|k| k.echoes) && !echoed {
                        return Err(SerialError::garbled(kind, &heard, "the device did not repeat the request as it was sent"));
                    }
                    return if code == 0 { Ok((message, echoed)) } else { Err(complaint(kind, code, &message)) };
                }
                Heard::Answer { id: None, kind: k, code, message } if self.dialect() == Dialect::Lucipy && k == kind => {
                    return if code == 0 { Ok((message, echoed)) } else { Err(complaint(kind, code, &message)) };
                }
                Heard::Other if !heard.is_empty() => strange = Some(printable(&heard)),
                _ => {}
            }
        }
        Err(SerialError::TooLong { what: format!("the answer to {kind}"), limit: OTHERS })
    }

    fn ask(&mut self, lines: &mut Lines, kind: &str, message: &Value) -> Result<Value, SerialError> {
        self.exchange(lines, kind, message).map(|(message, _)| message)
    }

    /// Patches a circuit and makes sure that it is there. `before` is what the device holds, if that is known.
    fn patch(&mut self, lines: &mut Lines, circuit: &Circuit, before: Option<&Circuit>) -> Result<(), SerialError> {
        let mac = self.known.as_ref().map_or_else(String::new, |k| k.mac.clone());
        if self.dialect() == Dialect::Lucipy {
            self.ask(lines, "reset_circuit", &json!({}))?;
            self.ask(lines, "set_circuit", &json!({"entity": [mac], "config": circuit.tree()}))?;
        } else {
            let channels = json!({"adc_channels": circuit.channels});
            let is_new = before.is_none_or(|b| b.channels != circuit.channels || b.sources != circuit.sources);
            if is_new {
                self.ask(lines, "set_circuit", &json!({"entity": [mac], "config": channels, "reset_before": true}))?;
            }
            for block in ["U", "C", "I", "M0"] {
                let config = circuit.block(block);
                if is_new || before.is_none_or(|b| b.block(block) != config) {
                    let message = json!({"entity": [mac, "0", block], "config": config, "reset_before": false});
                    self.ask(lines, "set_circuit", &message)?;
                }
            }
        }
        self.verify(lines, circuit)
    }

    /// Makes sure that a circuit is on the device.
    fn verify(&mut self, lines: &mut Lines, circuit: &Circuit) -> Result<(), SerialError> {
        let told = self.ask(lines, "get_circuit", &json!({}))?;
        check_settings(circuit, told.get("config").unwrap_or(&told))
    }

    /// Runs the circuit that is patched for so many ticks of the machine; gives a row for its start and one for each tick.
    fn run(&mut self, lines: &mut Lines, rate: u32, ticks: usize, circuit: &Circuit) -> Result<Vec<Vec<f64>>, SerialError> {
        self.runs += 1;
        let id = format!("00000000-0000-4000-8000-{:012x}", self.runs);
        let channels = circuit.channels.len();
        let seconds = ticks as f64 / f64::from(rate);
        let nanos = (seconds * 1e9).round();
        let ic_nanos = if circuit.integrators.iter().all(|i| i.k == 10_000) { 100_000 } else { 10_000_000 };
        let mut config = json!({"ic_time": ic_nanos, "halt_on_overload": true, "streaming": true, "repetitive": false});
        let rate = match self.dialect() {
            // rows from the first to the last instant: one more than there are intervals, and a half against rounding
            Dialect::Lucipy => json!((ticks as f64 + 1.5) / seconds),
            Dialect::Firmware => json!(rate),
        };
        // numbers of more than 32 bits are a weak spot of the firmware's JSON
        if nanos < f64::from(i32::MAX) || self.dialect() == Dialect::Lucipy {
            config["op_time"] = json!(nanos as u64);
        } else {
            config["op_time_us"] = json!((nanos / 1e3).round() as u64);
        }
        let daq = json!({"num_channels": channels, "sample_rate": rate, "sample_op": true, "sample_op_end": true});
        let message = json!({"id": id, "config": config, "daq_config": daq, "clear_queue": true, "end_repetitive": true});
        self.ask(lines, "start_run", &message)?;
        let end = lines.within(PATIENCE + Duration::from_secs_f64(seconds));
        let rows = self.rows(lines, &id, ticks + 1, nanos, end)?;
        match rows.iter().position(|row| row.len() != channels) {
            None => Ok(rows),
            Some(at) => Err(SerialError::garbled(
                "samples",
                format!("row {at}").as_bytes(),
                format!("the row has not {channels} numbers"),
            )),
        }
    }

    /// Takes the rows of a run until it is done.
    fn rows(&self, lines: &mut Lines, id: &str, wanted: usize, nanos: f64, end: Deadline) -> Result<Vec<Vec<f64>>, SerialError> {
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(wanted);
        let mut done = false;
        // samples may come after the word that all is done
        while !done || rows.len() < wanted {
            let line = match lines.line(LONGEST_LINE, "samples of the run", end) {
                Err(SerialError::Timeout { .. }) if done => {
                    let why = format!("{} samples came instead of {wanted}", rows.len());
                    return Err(SerialError::Fault { what: "the run".to_owned(), said: why });
                }
                line => line?,
            };
            match hear(&line)? {
                Heard::Rows { run, rows: more } if run == id => rows.extend(more),
                Heard::State { run, state, nanos: took } if run == id => match state.as_str() {
                    "DONE" if self.dialect() == Dialect::Firmware && took < 0.99 * nanos => {
                        let said =
                            format!("it stopped after {took} of {nanos} ns: a state left its range; give it a larger unit");
                        return Err(SerialError::Fault { what: "the run".to_owned(), said });
                    }
                    "DONE" => done = true,
                    "ERROR" => {
                        let said = "it refuses its times, rate or channels, or data were lost".to_owned();
                        return Err(SerialError::Fault { what: "the run".to_owned(), said });
                    }
                    _ => {}
                },
                _ => {}
            }
            if rows.len() > wanted {
                let why = format!("more than {wanted} samples came");
                return Err(SerialError::garbled("samples", &line, why));
            }
        }
        Ok(rows)
    }

    /// Measures the signs of the machine.
    fn measure(&mut self, lines: &mut Lines) -> Result<Polarity, SerialError> {
        const RATE: u32 = 100_000;
        const TICKS: usize = 10;
        let mut circuit = Circuit { constant: Some(1.0), channels: vec![0, 1, 8, 9], ..Circuit::default() };
        circuit.integrators[0].ic = 0.5;
        circuit.connect(0, 0, 1.0, 8);
        circuit.connect(1, 0, 1.0, 9);
        circuit.connect(CONSTANT_LANE, CONSTANT_OUTPUT, 0.5, 1);
        self.patch(lines, &circuit, None)?;
        let rows = self.run(lines, RATE, TICKS, &circuit)?;
        let (first, last) = (&rows[0], &rows[TICKS]);
        // a tenth of a millisecond at a rate constant of 10000/s
        let seen = [first[0], last[1] - first[1], last[2]];
        let sign = |value: f64, size: f64| if (value.abs() - size).abs() <= CALIBRATED { Some(value.signum()) } else { None };
        match (sign(seen[0], 0.5), sign(seen[1], 0.5), sign(seen[2], 0.25)) {
            (Some(initial), Some(ramp), Some(square)) if first[1].abs() <= CALIBRATED => {
                let reading = -ramp;
                Ok(Polarity { ic: initial * reading, reading, product: square * reading })
            }
            _ => {
                let said = format!(
                    "a half, its integral and its square read {seen:?} and not 0.5, 0.5 and 0.25 up to the sign: calibrate it"
                );
                Err(SerialError::Fault { what: "the measurement of its signs".to_owned(), said })
            }
        }
    }
}

fn complaint(kind: &str, code: i64, message: &Value) -> SerialError {
    let words = message.as_str().or_else(|| message.get("error").and_then(Value::as_str)).unwrap_or("without words");
    let said = format!("code {code}, {words}");
    // what came before the error is set already
    if kind == "set_circuit" {
        SerialError::Fault { what: kind.to_owned(), said }
    } else {
        SerialError::Refused { what: kind.to_owned(), said }
    }
}

/// Compares the settings that the device tells with those that were sent. Numbers may come back in single precision.
fn check_settings(sent: &Circuit, told: &Value) -> Result<(), SerialError> {
    let differs = |what: &str| {
        let said = format!("the settings of {what} are not what was sent");
        Err(SerialError::Fault { what: "reading back the circuit".to_owned(), said })
    };
    let mut read = Circuit::default();
    for (key, value) in told.as_object().into_iter().flatten() {
        let taken = match key.as_str() {
            "/0" => value.as_object().into_iter().flatten().try_for_each(|(block, config)| match block.as_str() {
                "/U" | "/C" | "/I" | "/M0" => read.set(&["0", &block[1..]], config),
                _ => Ok(()),
            }),
            "adc_channels" => read.set(&[], &json!({ key: value })),
            _ => Ok(()),
        };
        if taken.is_err() {
            return differs(key);
        }
    }
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-6;
    if read.sources != sent.sources || read.constant != sent.constant {
        return differs("the U block");
    }
    if read.upscaling != sent.upscaling || read.sums != sent.sums {
        return differs("the I block");
    }
    if !(0..LANES).all(|l| close(read.factors[l], sent.factors[l])) {
        return differs("the C block");
    }
    if !read.integrators.iter().zip(&sent.integrators).all(|(a, b)| close(a.ic, b.ic) && a.k == b.k) {
        return differs("the integrators");
    }
    if read.channels != sent.channels {
        return differs("the converter");
    }
    Ok(())
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
        let (help, echoes) = self.exchange(lines, "help", &json!({}))?;
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
        Profile { device, accuracy, ..Profile::digital("lucidac", env!("CARGO_PKG_VERSION")) }
            .with_class(Class::AnalogNoisy)
            .with_facets(Facets { memory: true, ..Facets::default() })
            .with_limits(Limits { batch: 1, channels: 8, ticks: 1 << 16, ..Limits::default() })
            .with_takes(Takes { cycles: false, ..Takes::default() })
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

    fn close(&mut self, lines: &mut Lines) {
        self.loaded = None;
        let _ = self.ask(lines, "reset_circuit", &json!({}));
    }
}

impl Lucidac {
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
            if loaded.run.cancel.is_raised() {
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
                self.patch(lines, &circuit, before.as_ref())?;
            }
            let rows = self.run(lines, loaded.wiring.rate, *length, &circuit)?;
            if self.dialect() == Dialect::Firmware {
                // a device that lost its supply since has run another circuit; the emulator changes its own in every run
                self.verify(lines, &circuit)?;
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
