//! What is tried: an instrument in software, a program on it, and what a clean line gives.

use isoform_core::builder::{Builder, Draft, identity};
use isoform_core::draw::Key;
use isoform_core::error::{Error, Result};
use isoform_core::functions::{li, lif};
use isoform_core::linear::{Dense, LinearMap};
use isoform_core::locator::Locator;
use isoform_core::optical::{Detection, Encoding, Optical};
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::tensor::Tensor;
use isoform_devices::biosignal::source;
use isoform_devices::cyton::codec::Gain;
use isoform_devices::cyton::twin::CytonTwin;
use isoform_devices::kinds::{self, Kind};
use isoform_devices::spikerbox;
use isoform_physics::quantum::Wafer;
use isoform_physics::quantum::array::counted_array;
use isoform_physics::quantum::neuristor::neuristor;
use isoform_serial::instrument::Instrument;
use isoform_serial::lines::Lines;
use isoform_serial::transport::{Faulty, Memory, Mishap, Observer, Twin, VirtualClock};

/// A mishap on one of the lines of an instrument.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) line: usize,
    pub(crate) mishap: Mishap,
}

/// An instrument and a program on it.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static Kind,
    options: &'static str,
    pub(crate) program: Program,
    /// A dense block, empty for a source.
    pub(crate) input: Vec<f32>,
    /// The ticks of the two advances of a session.
    pub(crate) pieces: [usize; 2],
    /// What the tissue of a source does at a tick.
    pub(crate) truth: Option<fn(u64) -> Vec<f32>>,
    /// How far an output may be from another one by what the profile declares, where the medium is written anew after an error.
    pub(crate) declared: fn(&Profile) -> f64,
    /// Why a changed byte may go unseen; none if it may not.
    pub(crate) blind: Option<&'static str>,
}

/// An instrument that was opened, or not, with what tells of its lines.
pub(crate) struct Bench {
    pub(crate) instrument: Result<Instrument>,
    pub(crate) observers: Vec<Observer>,
    pub(crate) clock: VirtualClock,
}

impl Subject {
    /// Opens the twin behind lines on which things go wrong.
    pub(crate) fn open(&self, seed: u64, mishaps: &[Placed]) -> Result<Bench> {
        let has_noise = self.kind.options.iter().chain(self.kind.twin_options).any(|(name, _)| *name == "seed");
        let seed = if has_noise { format!("seed={seed}") } else { String::new() };
        let text = format!("twin:{}?{}{seed}", self.kind.name, self.options);
        let locator: Locator = text.trim_end_matches(['?', '&']).parse().map_err(Error::from)?;
        let clock = VirtualClock::default();
        let mut observers = Vec::new();
        let mut transports = Vec::new();
        for (line, twin) in (self.kind.twins)(&mut locator.reader())?.into_iter().enumerate() {
            let here = mishaps.iter().filter(|p| p.line == line).map(|p| p.mishap).collect();
            let memory = Memory::on(clock.clone(), format!("the twin of {}", self.kind.name), twin);
            let faulty = Faulty::new(memory, here, stranger(self.kind.name)?);
            observers.push(faulty.observer());
            transports.push(faulty);
        }
        let mut transports = transports.into_iter();
        let first = transports.next().ok_or_else(|| Error::fault("an instrument has a line"))?;
        let names = self.kind.lines.iter().zip(transports);
        let lines = names.fold(Lines::one(Box::new(first)), |lines, (name, line)| lines.with(name, Box::new(line)));
        let driver = (self.kind.driver)(&mut locator.reader())?;
        Ok(Bench { instrument: Instrument::open(driver, lines), observers, clock })
    }
}

/// The wrong device: one with words of its own.
fn stranger(kind: &str) -> Result<Box<dyn Twin>> {
    let other = if kind == "board" { "lucidac" } else { "board" };
    let locator: Locator = format!("twin:{other}").parse().map_err(Error::from)?;
    let twins = (kinds::kind(other)?.twins)(&mut locator.reader())?;
    twins.into_iter().next().ok_or_else(|| Error::fault("an instrument has a line"))
}

fn numbers(count: usize, low: f32, high: f32) -> Vec<f32> {
    let mut all = vec![0.0; count];
    Key::new(5, 0).fill_uniform(0, 0, 0, &mut all);
    all.iter().map(|u| low + (high - low) * u).collect()
}

fn dense(rows: usize, columns: usize, most: f32) -> Result<LinearMap> {
    let weights = numbers(rows * columns, -most, most).into_iter().map(f64::from).collect::<Vec<f64>>();
    Ok(LinearMap::from(Dense::new(Tensor::new([rows, columns], weights)?, None)?))
}

/// A map, leaky integration and spikes.
fn spiking() -> Result<Program> {
    let mut net = Builder::new();
    let x = net.input("x", [3]);
    let current = net.node("synapses", Draft::from(dense(2, 3, 1.5)?), x);
    let spikes = net.node("neurons", lif().with("tau", 5e-3), current.clone());
    let membrane = net.node("membrane", li().with("tau", 10e-3), current);
    net.output("spikes", spikes);
    net.output("membrane", membrane);
    net.build(Semantics::exact(1e-3))
}

/// A beam splitter of two modes.
fn splitter() -> Result<Program> {
    let (a, b) = (0.6, 0.8);
    let pairs = vec![a, 0.0, 0.0, b, 0.0, b, a, 0.0];
    let map = Optical::new(Tensor::new([2, 2, 2], pairs)?, Encoding::Real, Detection::Intensity)?;
    Program::single("mesh", map, [2], Semantics::exact(1e-3))
}

#[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
fn cortex(tick: u64) -> Vec<f32> {
    let volts = Gain::of(24).map_or(0.0, Gain::volts);
    CytonTwin::new(0, 0.0).sample(tick).iter().map(|&code| (f64::from(code) * volts) as f32).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
fn nerve(tick: u64) -> Vec<f32> {
    vec![(f64::from(spikerbox::twin::value(0, tick)) * spikerbox::codec::VOLTS) as f32]
}

/// Every kind of instrument with a program that it can carry.
pub(crate) fn subjects() -> Result<Vec<Subject>> {
    let subject = |name: &'static str, options, program: Program, input, pieces, blind| -> Result<Subject> {
        let kind = kinds::kind(name.split(',').next().unwrap_or(name))?;
        Ok(Subject { name, kind, options, program, input, pieces, truth: None, declared: |_| 0.0, blind })
    };
    let leaky = |tau: f64, r: f64| Program::single("membrane", li().with("tau", tau).with("r", r), [1], Semantics::exact(1e-3));
    let digits = Some("readings are digits without a check sum");
    let plain = Some("operations, inputs and outputs are bytes without a check sum there");
    let samples = Some("samples are bits without a check sum");
    let pulses = numbers(20, 0.0, 1.0)
        .iter()
        .enumerate()
        .flat_map(|(i, u)| {
            let mut tick = [0.0; 8];
            tick[i % 8] = (1 + i % 5) as f32 * if *u < 0.5 { -1.0 } else { 1.0 };
            tick
        })
        .collect();
    Ok(vec![
        Subject {
            // either of two outputs may be off by what the profile says of a sum of three products of up to one
            declared: |profile| 2.0 * profile.accuracy.dot(3, 3.0, 0.0),
            ..subject(
                "arc-one",
                "",
                Program::single("map", dense(2, 3, 1.0)?, [3], Semantics::exact(1e-3))?,
                numbers(3 * 6, -1.0, 1.0),
                [4, 2],
                None,
            )?
        },
        subject("board", "", spiking()?, numbers(3 * 30, 0.0, 2.0), [18, 12], None)?,
        subject("board, plain", "mode=plain&", spiking()?, numbers(3 * 30, 0.0, 2.0), [18, 12], plain)?,
        Subject { truth: Some(cortex), ..subject("cyton", "", source(8, 250.0)?, Vec::new(), [300, 200], samples)? },
        subject("lucidac", "", leaky(20e-3, 0.5)?, numbers(20, -1.0, 1.0), [12, 8], digits)?,
        subject("model-one", "", leaky(20e-3, 1.5)?, numbers(12, -0.5, 0.5), [8, 4], None)?,
        subject("photonic", "modes=2&", splitter()?, numbers(2 * 6, -1.0, 1.0), [4, 2], None)?,
        Subject { truth: Some(nerve), ..subject("spikerbox", "", source(1, 10_000.0)?, Vec::new(), [3000, 2000], samples)? },
        subject("umemristor", "", Program::single("pulses", identity(), [8], Semantics::exact(1.0))?, pulses, [12, 8], None)?,
        subject("waveform", "tau=0.01&vmax=1&oversample=16&", leaky(10e-3, 1.0)?, numbers(6, -1.0, 1.0), [6, 0], None)?,
        Subject {
            // a film remembers on which branch it cooled, so that sessions after a failure begin otherwise
            declared: |profile| profile.medium.map_or(0.0, |m| m.margin),
            ..subject(
                "waveform, neuristor",
                "dut=neuristor&spread=0&jitter=0&delay=6e-7&",
                counted_array(neuristor(), [1, 1], 0.0, Wafer::default().followed())?,
                vec![13.0; 900],
                [600, 300],
                None,
            )?
        },
    ])
}
