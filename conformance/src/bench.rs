//! What a law measures with.

use crate::chance::Chance;
use crate::plan::{Plan, What};
use crate::record::{Evidence, Samples};
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::functions as library;
use isoform_core::layer::Renew;
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::semantics::{Number, Preset, Semantics};
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::state::State;
use isoform_core::substrate::{Run, Substrate};
use serde::Serialize;
use std::cell::OnceCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The length of a tick in the programs of the suite, in seconds.
pub(crate) const DT: f64 = 1e-3;
/// Begins what is said of a substrate that refuses the programs that it shows of itself for no node of theirs: it was opened to be something else.
pub(crate) const REFUSED_ITS_OWN: &str =
    "as it was opened, the substrate refuses whatever it is given, the program that it shows of itself included";

/// What the clock beside a substrate shows; where it has none, the time since a start.
pub(crate) fn now(substrate: &dyn Substrate, start: Instant) -> Duration {
    substrate.clock().unwrap_or_else(|| start.elapsed())
}

/// A refusal without its kind, which stands in front of what it is told in.
fn bare(refusal: &str) -> &str {
    refusal.strip_prefix(&format!("{}: ", ErrorKind::Unsupported)).unwrap_or(refusal)
}

/// A substrate on the bench: what it promises, and draws that belong to one law.
#[derive(Debug)]
pub struct Bench<'a> {
    pub(crate) substrate: &'a dyn Substrate,
    pub(crate) profile: Arc<Profile>,
    pub(crate) seed: u64,
    law: &'static str,
    /// Substrates beside it, each with its locator.
    pub(crate) peers: &'a [(String, Arc<dyn Substrate>)],
    home: OnceCell<Plan>,
    start: Instant,
    /// When the budget of time is spent.
    until: Option<Duration>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(substrate: &'a dyn Substrate, seed: u64, law: &'static str) -> Self {
        Self {
            profile: substrate.profile(),
            substrate,
            seed,
            law,
            peers: &[],
            home: OnceCell::new(),
            start: Instant::now(),
            until: None,
        }
    }

    pub(crate) fn with_peers(mut self, peers: &'a [(String, Arc<dyn Substrate>)]) -> Self {
        self.peers = peers;
        self
    }

    /// The same with a budget of time that ends so long after a start.
    pub(crate) fn with_end(mut self, start: Instant, until: Option<Duration>) -> Self {
        (self.start, self.until) = (start, until);
        self
    }

    /// What the clock shows: that of the substrate, so that what is decided by it is decided alike in a replay.
    pub(crate) fn now(&self) -> Duration {
        now(self.substrate, self.start)
    }

    /// Seconds of the budget of time that are left, if there is one.
    pub(crate) fn time_left(&self) -> Option<f64> {
        self.until.map(|until| until.saturating_sub(self.now()).as_secs_f64())
    }

    /// The draws of this law.
    pub(crate) fn chance(&self) -> Chance {
        Chance::new(self.seed, self.law)
    }

    /// Opens a program. A calibration whose time is over is made anew, as by whoever works with the device.
    pub(crate) fn open(&self, program: &Program, run: &Run) -> Result<Blocking> {
        if self.profile.facets.calibration {
            return Blocking::open(&Renew::new(self.substrate), program, run);
        }
        self.open_bare(program, run)
    }

    /// Opens a program under calibrations that end.
    pub(crate) fn open_bare(&self, program: &Program, run: &Run) -> Result<Blocking> {
        Blocking::open(self.substrate, program, run)
    }

    /// Opens a program unless the substrate does not have what it takes, in which case the refusal is given.
    pub(crate) fn try_open(&self, program: &Program, run: &Run) -> Result<Result<Blocking, String>> {
        match self.open(program, run) {
            Ok(session) => Ok(Ok(session)),
            Err(e) if e.kind() == ErrorKind::Unsupported => Ok(Err(e.to_string())),
            Err(e) => Err(e),
        }
    }

    /// Whether the substrate takes a program.
    pub(crate) fn takes(&self, program: &Program) -> Result<bool> {
        Ok(self.try_open(program, &Run::new())?.is_ok())
    }

    /// So many lanes, or as many as there are.
    pub(crate) fn batch(&self, wanted: usize) -> usize {
        wanted.min(self.profile.limits.batch).max(1)
    }

    /// So many channels, or as many as there are.
    pub(crate) fn channels(&self, wanted: usize) -> usize {
        wanted.min(self.profile.limits.channels).max(1)
    }

    /// The range of inputs that probes use: minus one to three, cut to what the substrate takes.
    pub(crate) fn span(&self) -> [f64; 2] {
        span(&self.profile)
    }

    /// The factor by which parameters turn the largest input of probes into three.
    pub(crate) fn gain(&self) -> f64 {
        let [low, high] = self.span();
        3.0 / high.abs().max(low.abs()).max(f64::MIN_POSITIVE)
    }

    /// Whether the profile rules out every program that the suite could begin with, as that of a source does, which has no inputs and no
    /// function of the library. What the suite asks cannot be asked of it; that is no fault of the substrate.
    pub(crate) fn is_foreign(&self) -> bool {
        let ids = [
            library::LIF,
            library::CUBA_LIF,
            library::IF,
            library::LI,
            library::CUBA_LI,
            library::I,
            library::SCALE,
            library::THRESHOLD,
        ];
        !ids.iter().chain(&["delay", "dense"]).any(|kind| self.has(kind))
    }

    /// A program that the substrate takes, with state if it takes any: the first that it opens of the neurons and presets.
    pub(crate) fn home(&self) -> Result<Plan> {
        if let Some(plan) = self.home.get() {
            return Ok(plan.clone());
        }
        let channels = self.channels(4);
        let mut last = String::new();
        for what in self.probes(channels) {
            for preset in [Preset::Exact, Preset::Norse, Preset::Lava, Preset::Rockpool, Preset::Spyx, Preset::Loihi] {
                let plan = Plan::single(what.clone(), channels, preset.semantics(DT));
                let Ok(program) = plan.build() else { continue };
                match self.try_open(&program, &Run::new())? {
                    Ok(session) => {
                        drop(session);
                        return Ok(self.home.get_or_init(|| plan).clone());
                    }
                    Err(refusal) => last = refusal,
                }
            }
        }
        for program in self.substrate.exemplars() {
            match self.open(&program, &Run::new()) {
                Err(e) if e.kind() == ErrorKind::Unsupported => {
                    let begin = match e.node() {
                        Some(_) => "the program that the substrate shows of itself is refused",
                        None => REFUSED_ITS_OWN,
                    };
                    return Err(Error::unsupported(format!("{begin}: {}", bare(&e.to_string()))));
                }
                opened => drop(opened?),
            }
        }
        Err(Error::unsupported(format!(
            "the substrate takes none of the transfer functions, maps and delays of the library; its profile names what it takes, and the last \
             one was refused so: {}",
            bare(&last)
        )))
    }

    /// The first program that the substrate shows of itself, which is within its ranges, or, where it shows none that it takes, the home
    /// program.
    pub(crate) fn program(&self) -> Result<Program> {
        for program in self.substrate.exemplars() {
            // what is opened may be written into cells: no more than is needed
            if self.takes(&program)? {
                return Ok(program);
            }
        }
        self.home()?.build()
    }

    /// The programs that the substrate shows of itself and takes.
    pub(crate) fn shown(&self) -> Result<Vec<Program>> {
        let mut taken = Vec::new();
        for program in self.substrate.exemplars() {
            if self.takes(&program)? {
                taken.push(program);
            }
        }
        Ok(taken)
    }

    /// Notes whether a readable state is the initial one.
    pub(crate) fn note_initial(&self, evidence: &mut Evidence, session: &mut Blocking, when: &str) -> Result<()> {
        if !self.profile.facets.memory {
            return Ok(());
        }
        let found = session.save()?;
        let initial = State::initial(session.session().program(), session.session().run().batch);
        let near = |want: f64, got: f64| (want - got).abs() <= self.profile.accuracy.stored(want).error;
        let values = |s: &State| s.blocks.iter().flat_map(|b| b.values.clone()).collect::<Vec<_>>();
        let (want, got) = (values(&initial), values(&found));
        let same = found.tick == 0 && want.len() == got.len() && want.iter().zip(&got).all(|(w, g)| near(*w, *g));
        evidence.check(format!("the state of {when}"), &["initial"], if same { "initial" } else { "not initial" });
        Ok(())
    }

    /// The candidates for a home, those with state first.
    fn probes(&self, channels: usize) -> Vec<What> {
        let ids = [library::LIF, library::CUBA_LIF, library::IF, library::LI, library::CUBA_LI, library::I];
        let mut probes: Vec<What> = ids.iter().map(|id| self.neuron(id, channels)).collect();
        probes.push(What::Delay { seconds: (0..channels).map(|c| DT * (1 + c % 3) as f64).collect() });
        probes.push(self.neuron(library::SCALE, channels));
        probes.push(self.neuron(library::THRESHOLD, channels));
        let weight = (0..channels * channels).map(|i| if i % (channels + 1) == 0 { 0.75 } else { -0.125 }).collect();
        probes.push(What::Dense { rows: channels, cols: channels, weight, bias: None });
        probes
    }

    /// A neuron of the library with parameters that differ from channel to channel, and that fires under the inputs of probes.
    pub(crate) fn neuron(&self, function: &str, channels: usize) -> What {
        let each = |f: &dyn Fn(f64) -> f64| -> Vec<f64> { (0..channels).map(|c| f(c as f64)).collect() };
        let gain = self.gain();
        let set = |name: &str, values: Vec<f64>| (name.to_owned(), values);
        let tau = |name: &str, first: f64| set(name, each(&|c| first * (1.0 + 0.25 * c)));
        let r = set("r", each(&|c| gain * (1.0 + 0.125 * c)));
        let jump = [set("v_threshold", each(&|c| 0.75 + 0.0625 * c)), set("v_reset", each(&|c| -0.0625 * c))];
        let leak = set("v_leak", each(&|c| 0.03125 * (c - 1.0)));
        let parameters = match function {
            library::LIF => [vec![tau("tau", 5e-3), r, leak], jump.to_vec()].concat(),
            library::LI => vec![tau("tau", 5e-3), r, leak],
            // an integrator needs a rate of thousands a second to move within milliseconds
            library::IF => [vec![set("r", each(&|c| 250.0 * gain / 3.0 * (1.0 + 0.125 * c)))], jump.to_vec()].concat(),
            library::I => vec![set("r", each(&|c| 50.0 * gain * (1.0 + 0.125 * c)))],
            library::CUBA_LIF => [
                vec![tau("tau_syn", 4e-3), tau("tau_mem", 6e-3), r, leak, set("w_in", each(&|c| 1.25 - 0.0625 * c))],
                jump.to_vec(),
            ]
            .concat(),
            library::CUBA_LI => {
                vec![tau("tau_syn", 4e-3), tau("tau_mem", 6e-3), r, leak, set("w_in", each(&|c| 1.25 - 0.0625 * c))]
            }
            library::THRESHOLD => vec![set("threshold", each(&|c| (0.5 + 0.125 * c) / gain))],
            _ => vec![set("scale", each(&|c| 0.5 + 0.375 * c))],
        };
        What::Neuron { function: function.to_owned(), parameters }
    }

    /// Random inputs `[tick, batch, channel]`: some ticks are quiet, so that both decay and drive show. A medium that bears an input only now
    /// and then is left alone.
    pub(crate) fn drive(&self, chance: &mut Chance, len: usize) -> Vec<f32> {
        let [low, high] = self.span();
        if self.profile.limits.spacing > 1 {
            return vec![quiet(low, high); len];
        }
        (0..len)
            .map(|_| if chance.happens(0.25) { quiet(low, high) } else { narrow(chance.within(low, high), low, high) })
            .collect()
    }

    /// Rows `[tick, channel]` at a level as often as the medium bears it, and quiet between.
    pub(crate) fn pulses(&self, ticks: usize, inputs: usize, mut level: impl FnMut() -> f64) -> Vec<f32> {
        let [low, high] = self.span();
        let spacing = self.profile.limits.spacing.max(1);
        let row = |tick: usize| (0..inputs).map(move |_| tick.is_multiple_of(spacing)).collect::<Vec<_>>();
        (0..ticks).flat_map(row).map(|driven| if driven { narrow(level(), low, high) } else { quiet(low, high) }).collect()
    }

    /// So many inputs at nought, or at what comes next to it.
    pub(crate) fn quiet(&self, inputs: usize) -> Vec<f32> {
        let [low, high] = self.span();
        vec![quiet(low, high); inputs]
    }

    /// Whether the profile admits a kind of node.
    pub(crate) fn has(&self, kind: &str) -> bool {
        let nodes = &self.profile.takes.nodes;
        nodes.is_empty() || nodes.iter().any(|k| k == kind)
    }

    /// Every preset that the substrate may take by its profile.
    pub(crate) fn semantics(&self) -> Vec<Semantics> {
        let takes = &self.profile.takes;
        Preset::ALL
            .iter()
            .map(|p| p.semantics(DT))
            .filter(|s| takes.fixed || s.number == Number::Real)
            .filter(|s| takes.located || s.preset() != Some(Preset::Events))
            .collect()
    }
}

/// The range of inputs that probes of a substrate with such a profile use.
pub(crate) fn span(profile: &Profile) -> [f64; 2] {
    let [low, high] = profile.limits.input;
    let cut = [low.max(-1.0), high.min(3.0)];
    if cut[0] < cut[1] { cut } else { [low, high] }
}

/// Nought, or what comes next to it in a range.
fn quiet(low: f64, high: f64) -> f32 {
    narrow(0.0_f64.clamp(low, high), low, high)
}

/// In single precision, and not beyond a range by its rounding.
#[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
pub(crate) fn narrow(value: f64, low: f64, high: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) < low {
        near.next_up()
    } else if f64::from(near) > high {
        near.next_down()
    } else {
        near
    }
}

/// Advances a session by a dense block and gives the outputs, however many ticks were done.
pub(crate) fn advance(session: &mut Blocking, x: &[f32], ticks: usize) -> Result<Vec<f32>> {
    let output = {
        let session = session.session();
        session.run().output(session.program(), ticks).len()
    };
    let mut y = vec![0.0; output];
    let report = session.advance(Signal::Dense(x), SignalMut::Dense(&mut y), ticks)?;
    if report.ticks != ticks {
        return Err(Error::fault(format!("an advance of {ticks} ticks that nobody cancelled reports {}", report.ticks)));
    }
    Ok(y)
}

impl Evidence {
    /// Notes something that is not an array.
    pub fn note(&mut self, name: &str, value: impl Serialize) {
        // only maps with keys that are no text fail to serialise, and the suite has none
        self.facts.insert(name.to_owned(), serde_json::to_value(value).unwrap_or(serde_json::Value::Null));
    }

    /// A fact, if it is there and has the right form.
    #[must_use]
    pub fn fact<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.facts.get(name).and_then(|v| T::deserialize(v).ok())
    }

    /// Keeps raw samples.
    pub fn keep(&mut self, name: &str, unit: &str, shape: &[usize], values: Vec<f64>) {
        self.samples.push(Samples { name: name.to_owned(), unit: unit.to_owned(), shape: shape.to_vec(), values });
    }

    /// Keeps raw samples in single precision.
    pub fn keep_single(&mut self, name: &str, unit: &str, shape: &[usize], values: &[f32]) {
        self.keep(name, unit, shape, values.iter().map(|&v| f64::from(v)).collect());
    }

    /// Raw samples by name.
    #[must_use]
    pub fn sample(&self, name: &str) -> Option<&Samples> {
        self.samples.iter().find(|s| s.name == name)
    }
}
