//! `twin:memristor`: two-terminal memristors behind a source of voltage and a meter of current.
//!
//! A program is one node of the model, fed by one input. Each channel is a device of its own: it integrates the flow of the model by steps of fourth
//! order, and what it conducts is off by a share that differs from device to device, and fluctuates from tick to tick by a share of the current,
//! as conductances do, so that no current flows without a voltage.
//!
//! **Promises.** With the largest current `I`, that of the largest voltage in the most conducting state, the margin is five deviations of what
//! devices conduct, a fortieth of `I` by default, and not below `I/1000`. A program that takes other parameters than the model's own may have a
//! larger current, and is refused; where devices start is the program's to say.

use super::{Biolek, Exponential, Free, Joglekar, Linear, Prodromakis, hp, stanford_pku, vteam, yakopcic};
use async_trait::async_trait;
use isoform_core::Coefficients;
use isoform_core::draw::{Key, normal};
use isoform_core::dynamics::Initial;
use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use isoform_core::medium::{Medium, Price};
use isoform_core::neuron::Neuron;
use isoform_core::profile::{Class, Facets, Limits, OutOfRange, Profile, Takes};
use isoform_core::program::{Node, NodeKind, Origin, Program, Source};
use isoform_core::report::Report;
use isoform_core::semantics::{Decay, Drive, Semantics};
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Realization, Rest, Run, Substrate};
use isoform_core::transfer::TransferFunction;
use std::sync::Arc;
use std::time::Duration;

/// The options of `twin:memristor`, each with what it means.
pub const OPTIONS: &[(&str, &str)] = &[
    ("model", "hp, hp-joglekar, hp-biolek, hp-prodromakis, vteam, vteam-exponential, yakopcic or stanford-pku; hp if absent"),
    (
        "volts",
        "the largest voltage in magnitude, from 0.01 up to that for which the model holds, 1 of hp and vteam, 1.2 of yakopcic, 2 of stanford-pku; if absent \
         1, 0.22 of vteam, 1.5 of stanford-pku",
    ),
    ("seed", "which devices they are: their spread and their noise; 0 if absent"),
    ("spread", "standard deviation of what a device conducts, as a share from 0 to 0.01; 0.005 if absent"),
    ("noise", "standard deviation of a sample of the current, as a share of it, from 0 to 0.1; 0.002 if absent"),
];

/// Deviations of what devices conduct that a mean may be off, and the least share of the largest current.
const MARGIN: f64 = 5.0;
const LEAST: f64 = 1e-3;
/// The share of the largest current that single precision may round off.
const ROUNDED: f64 = 1e-6;
/// The most devices.
const CHANNELS: usize = 64;

/// A model with what a twin of it takes.
struct Model {
    name: &'static str,
    neuron: fn() -> Neuron,
    /// Where a device starts: the parameter, with a number for which its loops are seen, and that of the most conducting state.
    start: (&'static str, [f64; 2]),
    /// The largest voltage in magnitude, where nobody says otherwise.
    volts: f64,
    /// Amperes at so many volts in the most conducting state.
    most: fn(f64) -> f64,
    /// The tick in seconds in which its loops are seen.
    dt: f64,
}

/// A window that is nought where a film is doped throughout holds it there for ever, so that its loops are seen a little before that. A sixteen kilohm film of Hewlett-Packard is 100 Ω when doped throughout, one with thresholds 50 Ω; Yakopcic's conducts `a1 sinh(b v)`, a closed
/// filament `i_0 e^{-0.8} sinh(v/v_0)`. At 0.22 V a film with thresholds moves about as fast both ways; at a volt it is on within five
/// picoseconds and off within 122 nanoseconds.
const MODELS: [Model; 8] = [
    Model { name: "hp", neuron: || hp(Free), start: ("x_0", [0.9, 1.0]), volts: 1.0, most: |v| v / 100.0, dt: 1e-5 },
    Model {
        name: "hp-joglekar",
        neuron: || hp(Joglekar),
        start: ("x_0", [0.9, 0.97]),
        volts: 1.0,
        most: |v| v / 100.0,
        dt: 1e-5,
    },
    Model { name: "hp-biolek", neuron: || hp(Biolek), start: ("x_0", [0.9, 1.0]), volts: 1.0, most: |v| v / 100.0, dt: 1e-5 },
    Model {
        name: "hp-prodromakis",
        neuron: || hp(Prodromakis),
        start: ("x_0", [0.9, 0.97]),
        volts: 1.0,
        most: |v| v / 100.0,
        dt: 1e-5,
    },
    Model { name: "vteam", neuron: || vteam(Linear), start: ("x_0", [1.5e-9, 0.0]), volts: 0.22, most: |v| v / 50.0, dt: 4e-10 },
    Model {
        name: "vteam-exponential",
        neuron: || vteam(Exponential),
        start: ("x_0", [1.5e-9, 0.0]),
        volts: 0.22,
        most: |v| v / 50.0,
        dt: 4e-10,
    },
    Model {
        name: "yakopcic",
        neuron: yakopcic,
        start: ("x_0", [0.11, 1.0]),
        volts: 1.0,
        most: |v| 0.17 * (0.05 * v).sinh(),
        dt: 2e-8,
    },
    Model {
        name: "stanford-pku",
        neuron: stanford_pku,
        start: ("g_start", [1e-9, 2e-10]),
        volts: 1.5,
        most: |v| 1e-3 * (-0.8_f64).exp() * (v / 0.25).sinh(),
        dt: 8e-12,
    },
];

/// Memristors as a substrate.
#[derive(Debug)]
pub struct Memristors {
    neuron: Neuron,
    start: (&'static str, [f64; 2]),
    dt: f64,
    seed: u64,
    spread: f64,
    noise: f64,
    profile: Arc<Profile>,
}

/// Opens `twin:memristor` by its options; see [`OPTIONS`].
///
/// # Errors
/// `Unsupported` for a model that there is not, and a number that is out of its range.
pub fn open(options: &mut Options<'_>) -> Result<Arc<dyn Substrate>> {
    let name: String = options.take("model")?.unwrap_or_else(|| String::from("hp"));
    let Some(model) = MODELS.iter().find(|m| m.name == name) else {
        let names: Vec<&str> = MODELS.iter().map(|m| m.name).collect();
        return Err(Error::unsupported(format!("there is no model {name:?}; take {}", names.join(", "))));
    };
    let seed = options.take("seed")?.unwrap_or(0);
    let spread = options.take_within("spread", 0.0..=0.01)?.unwrap_or(0.005);
    let noise = options.take_within("noise", 0.0..=0.1)?.unwrap_or(0.002);
    let neuron = (model.neuron)();
    let [_, highest] = neuron.function().signature().inputs[0].quantity.range;
    let volts = options.take_within("volts", 0.01..=highest)?.unwrap_or(model.volts);
    let most = (model.most)(volts);
    let price = Price { seconds: model.dt, joules: volts * most * model.dt, writes: 0 };
    // four standard deviations of what a device conducts above what it should; and what single precision rounds off
    let declared = (noise * most * (1.0 + 4.0 * spread)).max(ROUNDED * most);
    let medium = Medium { price, ..Medium::new((MARGIN * spread).max(LEAST) * most, declared) };
    let limits =
        Limits { input: [-volts, volts], out_of_range: OutOfRange::Refuse, batch: 1, channels: CHANNELS, ..Limits::default() };
    let mut profile = Profile::digital("twin of memristors", env!("CARGO_PKG_VERSION"))
        .with_class(Class::AnalogNoisy)
        .with_facets(Facets { rest: true, ..Facets::default() })
        .with_limits(limits)
        .with_takes(Takes { nodes: vec![neuron.function().signature().id.to_owned()], cycles: false, ..Takes::default() })
        .with_medium(medium);
    profile.device = format!("devices of the model {name}, lot {seed}");
    Ok(Arc::new(Memristors { neuron, start: model.start, dt: model.dt, seed, spread, noise, profile: Arc::new(profile) }))
}

fn refuse<T>(node: &Node, why: impl Into<String>) -> Result<T> {
    Err(Error::unsupported(why).with_node(&node.name))
}

/// The one node of a program.
fn single(program: &Program) -> Result<&Node> {
    let [node] = program.nodes() else {
        return Err(Error::unsupported(format!("a program on memristors is one node, and this has {}", program.nodes().len())));
    };
    if !matches!(node.sources.as_slice(), [one] if matches!(one.as_slice(), [Source { origin: Origin::Input(_), .. }])) {
        return refuse(node, "its voltages come from outside: wire one input of the program to it");
    }
    let alone = matches!(program.outputs(), [o] if matches!(o.sources.as_slice(), [s] if matches!(s.origin, Origin::Node(..))));
    if program.inputs().len() != 1 || !alone {
        return refuse(node, "there is one input, its voltages, and one output, its currents");
    }
    if node.input_delay > 0 || node.semantics.drive != Drive::Held {
        return refuse(node, "voltages are held for their own tick; use semantics with a held drive and without an input delay");
    }
    Ok(node)
}

#[async_trait]
impl Substrate for Memristors {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile.admit(program)?;
        if run.batch != 1 {
            return Err(Error::unsupported(format!("each device is there once, not {} times: run a batch of one", run.batch)));
        }
        let node = single(program)?;
        let function = Arc::clone(self.neuron.function());
        let NodeKind::Dynamics { parameters, .. } = &node.kind else { return refuse(node, "it has no function") };
        // where a device starts is the program's to say
        let starts =
            |at: usize| function.signature().states.iter().any(|s| matches!(s.initial, Initial::Parameter(from) if from == at));
        for (at, (own, given)) in function.signature().parameters.iter().zip(parameters).enumerate() {
            let (name, usual) = (own.quantity.name, own.default.unwrap_or(0.0));
            if !starts(at) && (0..given.len()).any(|c| (given.at(c) - usual).abs() > 1e-9 * usual.abs()) {
                return refuse(node, format!("the devices have a {name} of {usual:e}; leave it as it is"));
            }
        }
        let semantics = node.semantics.with_decay(Decay::RungeKutta);
        let devices = (0..)
            .take(node.channels())
            .map(|channel| {
                let p: Vec<f64> = parameters.iter().map(|t| t.at(if t.len() == 1 { 0 } else { channel as usize })).collect();
                let gain = 1.0 + self.spread * f64::from(normal(Key::new(self.seed, u32::MAX).bits(channel, 0, 0)));
                let mut device = Device { coefficients: function.coefficients(&semantics, &p), p, s: Vec::new(), gain };
                device.erase(function.as_ref());
                device
            })
            .collect();
        let channels = node.channels();
        Ok(Box::new(Measuring {
            function,
            semantics,
            devices,
            noise: self.noise,
            key: Key::new(self.seed.wrapping_add(run.seed.rotate_left(32)), 1),
            tick: 0,
            rested: 0.0,
            program: program.clone(),
            run: run.clone(),
            row: vec![0.0; channels],
        }))
    }

    /// A device that starts where its loops are seen, and one in its most conducting state, whose currents are as large as what is promised of them.
    fn exemplars(&self) -> Vec<Program> {
        let (name, starts) = self.start;
        let program = |start: f64| {
            let mut builder = Program::builder();
            let v = builder.input("v", [1]);
            let i = builder.node("device", self.neuron.clone().with(name, start), v);
            builder.output("i", i);
            builder.build(Semantics::exact(self.dt).with_decay(Decay::RungeKutta)).ok()
        };
        starts.into_iter().filter_map(program).collect()
    }
}

#[derive(Debug)]
struct Device {
    p: Vec<f64>,
    coefficients: Coefficients,
    s: Vec<f64>,
    /// What it conducts, as a share of what it should.
    gain: f64,
}

impl Device {
    /// Brings it to the state in which it is after a reset.
    fn erase(&mut self, function: &dyn TransferFunction) {
        let states = &function.signature().states;
        let start = |initial| match initial {
            Initial::Value(v) => v,
            Initial::Parameter(at) => self.p[at],
        };
        self.s = states.iter().map(|state| start(state.initial)).collect();
    }
}

#[derive(Debug)]
struct Measuring {
    function: Arc<dyn TransferFunction>,
    semantics: Semantics,
    devices: Vec<Device>,
    noise: f64,
    key: Key,
    tick: u64,
    rested: f64,
    program: Program,
    run: Run,
    row: Vec<f32>,
}

#[async_trait]
impl Realization for Measuring {
    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let (input, output) = (self.run.input(&self.program, ticks), self.run.output(&self.program, ticks));
        let mut done = 0;
        while done < ticks && !self.run.cancel.is_raised() {
            x.row(input, done, &mut self.row);
            for ((lane, device), value) in (0..).zip(&mut self.devices).zip(&mut self.row) {
                let mut i = [0.0];
                let Device { p, coefficients, s, gain } = device;
                self.function.step(&self.semantics, coefficients, &[f64::from(*value)], s, p, &mut i);
                let share = self.noise * f64::from(normal(self.key.bits(lane, 0, self.tick)));
                *value = (i[0] * *gain * (1.0 + share)) as f32;
            }
            y.put(output, done, &self.row);
            self.tick += 1;
            done += 1;
        }
        Ok(Report { device: Duration::try_from_secs_f64(done as f64 * self.semantics.dt).ok(), ..Report::of(done) })
    }

    /// Devices are erased; their noise goes on.
    async fn reset(&mut self) -> Result<()> {
        let Self { devices, function, .. } = self;
        devices.iter_mut().for_each(|device| device.erase(function.as_ref()));
        Ok(())
    }

    fn rest(&mut self) -> Option<&mut dyn Rest> {
        Some(self)
    }
}

/// Without a voltage no charge passes, and a device stays as it is.
#[async_trait]
impl Rest for Measuring {
    async fn rest(&mut self, seconds: f64) -> Result<()> {
        if !(seconds.is_finite() && seconds >= 0.0) {
            return Err(Error::invalid_signal(format!("a rest of {seconds} s is none; give nought or more")));
        }
        self.rested += seconds;
        Ok(())
    }

    async fn age(&mut self) -> Result<f64> {
        Ok(self.rested + self.tick as f64 * self.semantics.dt)
    }
}
