//! The optical bench: heaters on the first line, the power meter on the second.
//!
//! What of one tick goes to the device: the set-points of all heaters, since each warms the others; the heaters settle; the detectors are read;
//! the set-points are read back, behind the light, so that no heater can have restarted unseen. With a reference this is done for its four phases 0, π/2, π, 3π/2, and
//! ```text
//! I_ψ = (|E|² + L² + 2 L Re(E e^{-iψ})) / 2
//! Re E = (I_0 - I_π) / 2L     Im E = (I_{π/2} - I_{3π/2}) / 2L     |E|² = Σ I_ψ / 2 - L²
//! ```
//! No message of the heaters has a check sum. What stays undetected: a change of a set-point below the last digit of its reading (1 mV), and a
//! heater that leaves its set-point for a moment and comes back by itself.

use super::chip::Section;
use super::codec::{channels, command, nearest, reading, value, vector};
use super::dialogue::{BETWEEN, WITHIN, agreed, ask, complain, greet, query, wrong};
use super::meter::Meter;
use crate::single::only_node;
use isoform_core::bound::Accuracy;
use isoform_core::error::{Error, Result};
use isoform_core::medium::Medium;
use isoform_core::optical::{Detection, Encoding, Optical};
use isoform_core::profile::{Class, Facets, Limits, OutOfRange, Profile, Takes};
use isoform_core::program::{NodeKind, Program};
use isoform_core::report::Report;
use isoform_core::semantics::Semantics;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_core::tensor::Tensor;
use isoform_physics::photonics::heaters::Heaters;
use isoform_physics::photonics::matrix::{Complex, Matrix};
use isoform_physics::photonics::phases::Phases;
use isoform_serial::driver::Driver;
use isoform_serial::error::{Result as Wire, SerialError};
use isoform_serial::lines::Lines;
use isoform_serial::link::Link;
use std::f64::consts::FRAC_PI_2;
use std::time::Duration;

/// Seconds of a tick of the program that it shows of itself.
const TICK: f64 = 1e-3;
/// The last digit of a reading in volts.
const DIGIT: f64 = 1e-3;
/// How often set-points are read until they are those that were set.
const READS: usize = 3;
/// The most by which the mean of a detected power is off, in units of full power: set-points of sixteen bits, and heaters that are as calibrated.
const MARGIN: f64 = 2e-3;
/// The standard deviation of a reading of the power meter, in watts.
const NOISE: f64 = 1.5e-7;
/// How many of those a reading may be off that is one.
const OUTLIERS: f64 = 10.0;
/// How often the most light may come: its power and the amplitude of the reference are numbers that somebody measured.
const SURPLUS: f64 = 2.0;
/// The most volts and milliamps that a full scale can be.
const MOST_SCALE: f64 = 1000.0;
/// How far a matrix may be from a unitary one.
const UNITARY: f64 = 1e-5;
/// Channels of one vector: those of a module.
const MODULE: usize = 8;

/// What is known of the bench without asking it.
#[derive(Debug, Clone)]
pub struct Bench {
    /// Modes and reference.
    pub section: Section,
    /// What is known of the heaters.
    pub calibration: Heaters,
    /// The highest voltage in volts.
    pub v_max: f64,
    /// The highest current in milliamps.
    pub i_max: f64,
    /// How long the heaters take to settle.
    pub settle: Duration,
    /// The power of one mode at full amplitude, in watts.
    pub power: f64,
    /// The amplitude of the reference in units of a mode at full amplitude.
    pub reference: f64,
    /// The power meter.
    pub meter: Meter,
}

impl Bench {
    /// Refuses heaters that do not reach a whole turn within their limits, and within the full scales of their driver in volts and milliamps.
    pub(super) fn check_limits(&self, [v_full, i_full]: [f64; 2]) -> Result<()> {
        let Self { calibration, v_max, i_max, .. } = self;
        let (v_max, i_max) = (v_max.min(v_full), i_max.min(i_full));
        for (heater, ohms) in calibration.ohms.iter().enumerate() {
            let volts = calibration.most_volts(heater);
            let milliamps = volts / ohms * 1e3;
            if volts > v_max || milliamps > i_max {
                return Err(Error::unsupported(format!(
                    "heater {heater} needs {volts:.3} V and {milliamps:.3} mA for a whole turn, but may have {v_max} V and {i_max} mA: \
                     raise vmax or imax, or calibrate"
                )));
            }
        }
        Ok(())
    }
}

/// The driver of the bench.
#[derive(Debug)]
pub struct Photonic {
    bench: Bench,
    /// Identities of the modules and of the meter.
    device: String,
    /// Channels of the chain.
    channels: usize,
    v_full: f64,
    i_full: f64,
    loaded: Option<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    map: Optical,
    mesh: Phases,
    run: Run,
}

impl Photonic {
    /// A driver that has not seen its device yet.
    #[must_use]
    pub fn new(bench: Bench) -> Self {
        Self { bench, device: String::from("not asked yet"), channels: 0, v_full: 0.0, i_full: 0.0, loaded: None }
    }

    /// What is promised of the light, in units of full power. With a reference a quadrature is the difference of two readings over twice its
    /// amplitude, a power half the sum of four.
    fn medium(&self) -> Medium {
        let share = if self.bench.section.reference { (0.5_f64.sqrt() / self.bench.reference).max(1.0) } else { 1.0 };
        Medium::new(MARGIN * share, NOISE / self.bench.power * share)
    }

    /// The powers that a detector can read, in watts: from none to that of all modes in one, beside the reference if there is one. Noise and a
    /// meter that is not quite at nought in the dark reach as far beyond as is promised.
    fn powers(&self) -> [f64; 2] {
        let Bench { section, power, reference, .. } = &self.bench;
        let modes = section.modes as f64;
        let most = power * if section.reference { (modes.sqrt() + reference).powi(2) / 2.0 } else { modes };
        let off = MARGIN * most + OUTLIERS * NOISE;
        [-off, SURPLUS * most + off]
    }

    /// The volts of all channels for a field and a phase of the reference.
    fn volts(&self, loaded: &Loaded, field: &[Complex], reference: f64) -> Result<Vec<f64>> {
        let Bench { section, calibration, v_max, i_max, .. } = &self.bench;
        let mut volts = calibration.volts(&section.phases(field, &loaded.mesh, reference))?;
        let (v_max, i_max) = (v_max.min(self.v_full), i_max.min(self.i_full));
        for (heater, (v, ohms)) in volts.iter().zip(&calibration.ohms).enumerate() {
            if !(0.0..=v_max).contains(v) || v / ohms * 1e3 > i_max {
                return Err(Error::unsupported(format!("heater {heater} would need {v:.3} V, which is beyond its limits")));
            }
        }
        volts.resize(self.channels, 0.0);
        Ok(volts)
    }

    /// Sets all heaters and lets them settle.
    fn set(&self, link: &mut Link, volts: &[f64]) -> Wire<()> {
        let words = self.words(volts);
        for (module, words) in words.chunks(MODULE).enumerate() {
            self.set_module(link, module, words)?;
        }
        link.sleep(self.bench.settle);
        Ok(())
    }

    fn set_module(&self, link: &mut Link, module: usize, words: &[u16]) -> Wire<()> {
        let first = u16::try_from(module * MODULE).unwrap_or(u16::MAX);
        ask(link, "a vector of set-points", &vector(command::V, first, words))
    }

    /// Sets all heaters of all modules to nought, whatever one of them answers; gives the first failure.
    fn darken(&self, link: &mut Link) -> Wire<()> {
        // a complaint that came unasked is no answer
        let mut first = link.drain(BETWEEN).map(drop);
        for (module, words) in vec![0; self.channels].chunks(MODULE).enumerate() {
            let answered = self.set_module(link, module, words);
            if answered.is_err() {
                let _ = link.drain(BETWEEN);
            }
            first = first.and(answered);
        }
        first
    }

    fn words(&self, volts: &[f64]) -> Vec<u16> {
        volts.iter().map(|&v| nearest(v, self.v_full)).collect()
    }

    /// Makes sure that all heaters are where they were set.
    fn confirm(&self, link: &mut Link, volts: &[f64]) -> Wire<()> {
        let words = self.words(volts);
        for attempt in 1.. {
            match self.read_back(link, &words) {
                Ok(()) => break,
                // a damaged reading is read again; a set-point that is another one stays so
                Err(SerialError::Garbled { .. } | SerialError::Timeout { .. } | SerialError::Fault { .. }) if attempt < READS => {
                    link.drain(BETWEEN)?;
                }
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn read_back(&self, link: &mut Link, words: &[u16]) -> Wire<()> {
        let what = "a set-point that is read back";
        let end = link.within(WITHIN);
        link.send(b"Vall?\n", end)?;
        for (channel, &word) in words.iter().enumerate() {
            let line = link.line(64, what, end)?;
            complain(what, &line)?;
            let (seen, set) = (reading(what, &line, " V")?, value(word, self.v_full));
            if (seen - set).abs() > 0.51 * DIGIT {
                let said = format!("heater {channel} has {seen} V instead of {set:.4} V");
                return Err(SerialError::Fault { what: String::from("the setting of heaters"), said });
            }
        }
        Ok(())
    }

    /// The light at the outputs for a field, in units of full power.
    fn light(&self, lines: &mut Lines, volts: &[f64]) -> Result<Vec<f64>> {
        self.set(lines, volts)?;
        let powers = self.bench.meter.read(lines.named("meter"), self.bench.section.modes, self.powers())?;
        // behind the light, so that heaters which restarted meanwhile show
        self.confirm(lines, volts)?;
        Ok(powers.into_iter().map(|p| p / self.bench.power).collect())
    }

    /// One tick: what the map gives for a field.
    fn tick(&self, lines: &mut Lines, loaded: &Loaded, steps: &[Vec<f64>]) -> Result<Vec<f64>> {
        let modes = loaded.map.modes_out();
        if !self.bench.section.reference {
            let mut light = self.light(lines, &steps[0])?;
            light.truncate(modes);
            return Ok(light);
        }
        let seen: Vec<Vec<f64>> = steps.iter().map(|volts| self.light(lines, volts)).collect::<Result<_>>()?;
        let l = self.bench.reference;
        let mut y = Vec::with_capacity(loaded.map.output().len());
        for ((a, b), (c, d)) in seen[0].iter().zip(&seen[1]).zip(seen[2].iter().zip(&seen[3])).take(modes) {
            match loaded.map.detection() {
                Detection::Homodyne => y.extend([(a - c) / (2.0 * l), (b - d) / (2.0 * l)]),
                Detection::Intensity => y.push((a + b + c + d) / 2.0 - l * l),
            }
        }
        Ok(y)
    }

    /// The volts of a tick, for each phase of the reference.
    fn steps(&self, loaded: &Loaded, x: &[f32], tick: usize) -> Result<Vec<Vec<f64>>> {
        let wide: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
        let mut field: Vec<Complex> = loaded.map.field(&wide).into_iter().map(|[re, im]| Complex::new(re, im)).collect();
        if let Some(mode) = field.iter().position(|e| e.norm() > 1.0 + 1e-6) {
            let size = field[mode].norm();
            return Err(Error::invalid_signal(format!(
                "the field of mode {mode} at tick {tick} has a magnitude of {size}, but full amplitude is 1: scale the input"
            )));
        }
        field.resize(self.bench.section.modes, Complex::ZERO);
        let phases = if self.bench.section.reference { 4 } else { 1 };
        (0..phases).map(|step| self.volts(loaded, &field, f64::from(step) * FRAC_PI_2)).collect()
    }
}

/// The one map of a program that is nothing else.
fn only_map(program: &Program) -> Result<&Optical> {
    let node = only_node(program, "the optical bench")?;
    match &node.kind {
        NodeKind::Optical(map) => Ok(map),
        _ => {
            let why = format!("the optical bench takes optical maps, not a {}", node.kind_name());
            Err(Error::unsupported(why).with_node(&node.name))
        }
    }
}

/// A full scale, by which every set-point is made into a word.
fn full_scale(link: &mut Link, what: &str, message: &[u8], unit: &str) -> Wire<f64> {
    let scale = agreed(link, what, message, unit)?;
    if scale > 0.0 && scale <= MOST_SCALE {
        return Ok(scale);
    }
    let seen = format!("{scale:?}{unit}");
    Err(SerialError::garbled(what, seen.as_bytes(), format!("it can only be above nought and up to {MOST_SCALE}{unit}")))
}

impl Driver for Photonic {
    fn identify(&mut self, lines: &mut Lines) -> Result<()> {
        let link: &mut Link = lines;
        greet(link)?;
        ask(link, "the numbering of the chain", b"nup=0\n")?;
        let mut modules = Vec::new();
        let end = link.within(WITHIN);
        link.send(b"nupall?\n", end)?;
        let mut wait = end;
        loop {
            let line = match link.line(64, "the modules of the chain", wait) {
                Ok(line) => line,
                Err(SerialError::Timeout { .. }) if !modules.is_empty() => break,
                Err(e) => return Err(e.into()),
            };
            complain("the modules of the chain", &line)?;
            let text = String::from_utf8_lossy(&line).into_owned();
            let (name, _) = text.rsplit_once(':').ok_or_else(|| wrong(&line))?;
            modules.push((name.to_owned(), channels(name).ok_or_else(|| wrong(&line))?));
            if modules.len() > 64 {
                return Err(SerialError::TooLong { what: String::from("the chain"), limit: 64 }.into());
            }
            wait = link.within(BETWEEN);
        }
        if let Some((name, count)) = modules.iter().find(|(_, n)| *n != MODULE) {
            return Err(Error::unsupported(format!("{name} has {count} channels; the bench is written for modules of {MODULE}")));
        }
        self.channels = modules.iter().map(|(_, n)| n).sum();
        self.v_full = full_scale(link, "the full scale of volts", b"vfull?\n", " V")?;
        self.i_full = full_scale(link, "the full scale of current", b"ifull?\n", " mA")?;
        let needed = self.bench.section.heaters();
        if self.channels < needed {
            return Err(Error::unsupported(format!(
                "{needed} heaters are needed for {} modes, but the chain has {} channels: name fewer modes or add a module",
                self.bench.section.modes, self.channels
            )));
        }
        let meter = self.bench.meter.identify(lines.named("meter"))?;
        let names: Vec<&str> = modules.iter().map(|(name, _)| name.as_str()).collect();
        self.device = format!("{} and {meter}", names.join(" "));
        Ok(())
    }

    fn exemplars(&self) -> Vec<Program> {
        let modes = self.bench.section.modes;
        // the discrete Fourier transform sends every mode to all
        let phase = |i: usize| std::f64::consts::TAU * ((i / modes) * (i % modes)) as f64 / modes as f64;
        let pair = |i: usize| Complex::from_polar(1.0 / (modes as f64).sqrt(), phase(i));
        let pairs: Vec<f64> = (0..modes * modes).map(pair).flat_map(|c| [c.re, c.im]).collect();
        let map = Tensor::new([modes, modes, 2], pairs).and_then(|m| Optical::new(m, Encoding::Real, Detection::Intensity));
        map.and_then(|map| Program::single("mesh", map, [modes], Semantics::exact(TICK))).into_iter().collect()
    }

    fn profile(&self) -> Profile {
        let Section { modes, reference } = self.bench.section;
        let mut nodes = vec![String::from("optical_intensity")];
        nodes.extend(reference.then(|| String::from("optical_homodyne")));
        Profile {
            name: String::from("photonic"),
            version: String::from(env!("CARGO_PKG_VERSION")),
            device: self.device.clone(),
            class: Class::AnalogNoisy,
            accuracy: Accuracy::single(),
            facets: Facets::default(),
            limits: Limits {
                input: [-1.0, 1.0],
                out_of_range: OutOfRange::Refuse,
                ticks: 4096,
                batch: 1,
                channels: if reference { 2 * modes } else { modes },
                realizations: 1,
                spacing: 1,
            },
            takes: Takes { nodes, located: false, fixed: false, cycles: false },
            medium: Some(self.medium()),
        }
    }

    fn load(&mut self, lines: &mut Lines, program: &Program, run: &Run) -> Result<()> {
        let map = only_map(program)?.clone();
        let name = &program.nodes()[0].name;
        let refuse = |why: String| Error::unsupported(why).with_node(name);
        if run.batch != 1 {
            return Err(refuse(format!("the optical bench has one lane, not {}", run.batch)));
        }
        let modes = self.bench.section.modes;
        let size = map.modes_in();
        if map.modes_out() != size || size > modes {
            return Err(refuse(format!(
                "a mesh of {modes} modes realises square matrices of at most {modes} rows, not {} by {size}",
                map.modes_out()
            )));
        }
        // modes that the map does not have pass straight
        let mut unitary = Matrix::identity(modes);
        for (at, &[re, im]) in map.pairs().iter().enumerate() {
            unitary.put(at / size, at % size, Complex::new(re, im));
        }
        let defect = unitary.defect();
        if defect > UNITARY {
            return Err(refuse(format!(
                "a mesh without loss or gain realises unitary matrices alone, and this one is off by {defect:.1e}: \
                 its columns must be orthogonal and of length one"
            )));
        }
        self.bench.check_limits([self.v_full, self.i_full]).map_err(|e| e.with_node(name))?;
        self.loaded = Some(Loaded { map, mesh: Section::mesh(&unitary), run: run.clone() });
        self.reset(lines)
    }

    fn advance(&mut self, lines: &mut Lines, x: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<Report> {
        let Some(loaded) = &self.loaded else { return Err(Error::fault("no program is loaded on the optical bench")) };
        let (inputs, outputs) = (loaded.map.input().len(), loaded.map.output().len());
        let extent = |channels| isoform_core::signal::Extent { ticks, batch: 1, channels };
        let mut row = vec![0.0_f32; inputs];
        // what is out of range is refused before a byte is sent
        let mut plan = Vec::with_capacity(ticks);
        for tick in 0..ticks {
            x.row(extent(inputs), tick, &mut row);
            plan.push(self.steps(loaded, &row, tick)?);
        }
        let mut done = 0;
        for (tick, steps) in plan.iter().enumerate() {
            if lines.is_asked_to_stop(&loaded.run.cancel) {
                break;
            }
            let seen = self.tick(lines, loaded, steps)?;
            #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
            let narrow: Vec<f32> = seen.iter().map(|&v| v as f32).collect();
            y.put(extent(outputs), tick, &narrow);
            done += 1;
        }
        if done > 0 {
            self.bench.meter.is_well(lines.named("meter"))?;
        }
        Ok(Report::of(done))
    }

    /// Limits go to the device once more, so that no damaged message can pass them; all heaters go dark; the meter is set up.
    fn reset(&mut self, lines: &mut Lines) -> Result<()> {
        let limits = [("VMAX", " V", self.bench.v_max.min(self.v_full)), ("IMAX", " mA", self.bench.i_max.min(self.i_full))];
        let link: &mut Link = lines;
        self.darken(link)?;
        self.confirm(link, &vec![0.0; self.channels])?;
        link.sleep(self.bench.settle);
        for channel in 0..self.channels {
            for (name, unit, limit) in limits {
                ask(link, "a limit", format!("{name}{channel}={limit:.3}\n").as_bytes())?;
                let what = "a limit that is read back";
                let seen = reading(what, &query(link, what, format!("{name}{channel}?\n").as_bytes())?, unit)?;
                if (seen - limit).abs() > DIGIT {
                    let said = format!("{name} of channel {channel} is {seen} instead of {limit}");
                    return Err(SerialError::Fault { what: String::from("the setting of limits"), said }.into());
                }
            }
        }
        self.bench.meter.prepare(lines.named("meter"))?;
        Ok(())
    }

    fn close(&mut self, lines: &mut Lines) -> Result<()> {
        self.loaded = None;
        let link: &mut Link = lines;
        self.darken(link)?;
        Ok(self.confirm(link, &vec![0.0; self.channels])?)
    }
}
