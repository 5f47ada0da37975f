//! From a program to a circuit.
//!
//! Each state `s` of the program is the output of an integrator, in units: `s = unit · y`. With `λ` seconds of the program in a second of the
//! machine, a term `a · x · s_j · s_k` of `ds_i/dt` becomes a lane into integrator `i` from the multiplier that forms `y_j y_k`, with the factor
//!
//! ```text
//! c = -λ a x unit_j unit_k / (unit_i k)                 because  dy_i/dt = -k Σ c · (output)
//! ```
//! The converter samples once in a tick, so that `λ = dt · rate`. Of the rates that the machine has, the highest is taken at which every factor is
//! at most ten. Inputs `x` are part of the factors: they are constant during a run of the machine.
//!
//! What has no wires is refused: thresholds and jumps, random draws, functions that are no polynomials, outputs that are no states, and nodes wired
//! to nodes, which a program couples once a tick and the machine at once.

use super::circuit::{CHANNELS, CONSTANT_LANE, CONSTANT_OUTPUT, Circuit, INTEGRATORS, LANES, MULTIPLIERS, UPSCALING};
use super::product::Products;
use super::reader::{Factor, Reader, Term, full_name, names};
use isoform_core::error::{Error, Result};
use isoform_core::program::Program;

/// The rates of the converter in 1/s: the divisors of a million from its least rate on.
pub const RATES: &[u32] = &[
    1_000_000, 500_000, 250_000, 200_000, 125_000, 100_000, 62_500, 50_000, 40_000, 31_250, 25_000, 20_000, 15_625, 12_500,
    10_000, 8000, 6250, 5000, 4000, 3125, 2500, 2000, 1600, 1250, 1000, 800, 625, 500, 400, 320, 250, 200, 160, 125, 100, 80, 64,
    50, 40, 32,
];
/// Samples a second that all channels together have.
const MOST_SAMPLES: u32 = 1_000_000;
/// Factors below this are a few steps of their converter.
const SMALL: f64 = 0.1;

/// What the user asks for beyond the program.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Values that stand for one unit of the machine, by `state` or `node.state`.
    pub units: Vec<(String, f64)>,
    /// Ticks in a second of the machine.
    pub rate: Option<u32>,
    /// The rate constant of the integrators.
    pub k0: Option<u32>,
}

/// The signs of a machine, as measured: plus or minus one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Polarity {
    /// Output of an integrator that starts at an initial condition of one.
    pub ic: f64,
    /// Reading of an output of one.
    pub reading: f64,
    /// Output of a multiplier for inputs of one.
    pub product: f64,
}

/// A state and its integrator, which has its place in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The node.
    pub node: String,
    /// The block of a saved state, and the channel in it.
    pub block: (usize, usize),
    /// The value that stands for one unit.
    pub unit: f64,
    /// The value after a reset.
    pub initial: f64,
}

#[derive(Debug, Clone, PartialEq)]
struct Lane {
    lane: usize,
    source: u8,
    /// How many multipliers stand between the integrators and the source.
    multipliers: u32,
    input: u8,
    factor: Factor,
    text: String,
    node: String,
}

/// A program, wired.
#[derive(Debug, Clone, PartialEq)]
pub struct Wiring {
    /// The states.
    pub states: Vec<Placed>,
    /// The integrator of each output channel.
    pub outputs: Vec<usize>,
    /// Ticks in a second of the machine.
    pub rate: u32,
    /// The rate constant of the integrators.
    pub k0: u32,
    lanes: Vec<Lane>,
    /// The channels of the program that are summed at each input.
    feeds: Vec<Vec<usize>>,
    constant: bool,
}

/// The channels of the converter that have to be read for so many states: it takes powers of two.
fn channels(states: usize) -> usize {
    states.next_power_of_two()
}

/// Holds the names for which units are given against the states that there are.
fn check_units(program: &Program, states: &[Placed], units: &[(String, f64)]) -> Result<()> {
    if let Some((unknown, _)) = units.iter().find(|(name, _)| !states.iter().any(|s| names(program, s, name))) {
        let mut known: Vec<String> = states.iter().map(|s| full_name(program, s)).collect();
        known.dedup();
        let why = format!("a unit is given for {unknown:?}, but the program has no such state; it has {}", known.join(", "));
        return Err(Error::unsupported(why));
    }
    for state in states {
        let mut given = units.iter().filter(|(name, _)| names(program, state, name)).map(|(name, _)| name);
        if let (Some(first), Some(second)) = (given.next(), given.next()) {
            let why = format!("{first} and {second} both give a unit of {}: leave one of the two out", full_name(program, state));
            return Err(Error::unsupported(why).with_node(&state.node));
        }
    }
    Ok(())
}

/// Wires a program.
///
/// # Errors
/// `Unsupported`, naming the node and the term that does not fit.
pub fn compile(program: &Program, wish: &Wish) -> Result<Wiring> {
    let reader = Reader::of(program, wish)?;
    let outputs = reader.outputs()?;
    let Reader { states, feeds, terms, .. } = reader;
    if states.is_empty() {
        return Err(Error::unsupported("the program has no state; the machine realises flows"));
    }
    check_units(program, &states, &wish.units)?;
    let (rate, k0) = pace(&terms, program.semantics().dt, states.len(), wish)?;
    let speed = program.semantics().dt * f64::from(rate) / f64::from(k0);
    let mut products = Products::default();
    for term in &terms {
        products.form(&term.product).map_err(|e| e.with_node(&term.node))?;
    }
    let mut free = FreeLanes::default();
    let mut lanes = Vec::new();
    for (m, pair) in products.pairs().iter().enumerate() {
        for (side, factor) in pair.iter().enumerate() {
            let (source, multipliers) = products.source(factor);
            let input = u8::try_from(INTEGRATORS + 2 * m + side).unwrap_or(u8::MAX);
            let text = String::from("the input of a multiplier");
            let (lane, node) = (free.any()?, String::new());
            lanes.push(Lane { lane, source, multipliers, input, factor: vec![(Vec::new(), 1.0)], text, node });
        }
    }
    for term in terms {
        let constant = term.product.is_empty();
        let (source, multipliers) = if constant { (CONSTANT_OUTPUT, 0) } else { products.source(&term.product) };
        let lane = if constant { free.constant() } else { free.any() }.map_err(|e| e.with_node(&term.node))?;
        let factor = term.factor.into_iter().map(|(feeds, c)| (feeds, -c * speed)).collect();
        let input = u8::try_from(term.target).unwrap_or(u8::MAX);
        lanes.push(Lane { lane, source, multipliers, input, factor, text: term.text, node: term.node });
    }
    let constant = lanes.iter().any(|l| l.source == CONSTANT_OUTPUT);
    Ok(Wiring { states, outputs, rate, k0, lanes, feeds, constant })
}

/// The rate and the rate constant at which all factors fit.
fn pace(terms: &[Term], dt: f64, states: usize, wish: &Wish) -> Result<(u32, u32)> {
    let Some(largest) = terms.iter().max_by(|a, b| a.most.total_cmp(&b.most)) else {
        return Ok((wish.rate.unwrap_or(1000), 10_000));
    };
    let refuse = |why: String| Err(Error::unsupported(why).with_node(&largest.node));
    let most = MOST_SAMPLES / u32::try_from(channels(states)).unwrap_or(MOST_SAMPLES);
    let rates: Vec<u32> = match wish.rate {
        Some(rate) if !RATES.contains(&rate) || rate > most => {
            return refuse(format!("the machine has no rate of {rate}/s for {} channels", channels(states)));
        }
        Some(rate) => vec![rate],
        None => RATES.iter().copied().filter(|&r| r <= most).collect(),
    };
    let constants: Vec<u32> = match wish.k0 {
        Some(k @ (100 | 10_000)) => vec![k],
        Some(k) => return refuse(format!("the integrators have no rate constant of {k}/s; it is 100 or 10000")),
        None => vec![10_000, 100],
    };
    let factor = |rate: u32, k: u32| largest.most * dt * f64::from(rate) / f64::from(k);
    let mut best: Option<(u32, u32)> = None;
    for k in constants {
        let fits = rates.iter().copied().find(|&rate| factor(rate, k) <= UPSCALING).map(|rate| (rate, k));
        best = match (best, fits) {
            (Some(b), Some(f)) if factor(b.0, b.1) >= SMALL || factor(f.0, f.1) <= factor(b.0, b.1) => Some(b),
            (b, f) => f.or(b),
        };
    }
    let slowest = rates.last().copied().unwrap_or(RATES[RATES.len() - 1]);
    best.map_or_else(
        || {
            let c = factor(slowest, wish.k0.unwrap_or(10_000));
            refuse(format!(
                "the term {} needs a factor of {c:.3} even at {slowest} ticks a second, and the largest is 10: shorten dt",
                largest.text
            ))
        },
        Ok,
    )
}

/// Lanes that nobody has.
#[derive(Default)]
struct FreeLanes {
    taken: u32,
}

impl FreeLanes {
    fn first(&mut self, lanes: impl Iterator<Item = usize>) -> Result<usize> {
        let mut lanes = lanes;
        let lane = lanes.find(|lane| (self.taken >> lane) & 1 == 0);
        let lane =
            lane.ok_or_else(|| Error::unsupported(format!("the program has more terms than the machine has lanes, {LANES}")))?;
        self.taken |= 1 << lane;
        Ok(lane)
    }

    fn any(&mut self) -> Result<usize> {
        self.first(0..LANES)
    }

    /// From above, so that the others fill up from below.
    fn constant(&mut self) -> Result<usize> {
        self.first((CONSTANT_LANE..LANES).rev())
    }
}

impl Wiring {
    /// The circuit for a row of inputs, with the states at values of the program.
    ///
    /// # Errors
    /// `InvalidSignal` if an input makes a factor too large.
    pub fn circuit(&self, x: &[f32], states: &[f64], polarity: Polarity) -> Result<Circuit> {
        let mut circuit = Circuit { constant: self.constant.then_some(1.0), ..Circuit::default() };
        let fed = |feed: &usize| self.feeds[*feed].iter().map(|&channel| f64::from(x[channel])).sum::<f64>();
        for lane in &self.lanes {
            let factor: f64 = lane.factor.iter().map(|(feeds, number)| number * feeds.iter().map(fed).product::<f64>()).sum();
            if factor.is_nan() || factor.abs() > UPSCALING {
                let why = format!(
                    "an input makes the factor of {} {factor:.3}, and the largest is 10: give a smaller rate than {}",
                    lane.text, self.rate
                );
                return Err(Error::invalid_signal(why).with_node(&lane.node));
            }
            let sign = if lane.multipliers % 2 == 1 { polarity.product } else { 1.0 };
            circuit.connect(lane.lane, lane.source, sign * factor, lane.input);
        }
        for (i, integrator) in circuit.integrators.iter_mut().enumerate() {
            integrator.k = self.k0;
            if let (Some(placed), Some(state)) = (self.states.get(i), states.get(i)) {
                integrator.ic = polarity.ic * state / placed.unit;
            }
        }
        circuit.channels = (0..channels(self.states.len()).min(CHANNELS)).map(|c| u8::try_from(c).unwrap_or(0)).collect();
        Ok(circuit)
    }

    /// Ticks in one run of the machine at most: nine seconds, and what the host wants to hold.
    #[must_use]
    pub fn longest(&self) -> usize {
        (9 * self.rate as usize).min(8192)
    }

    /// How many multipliers are used.
    #[must_use]
    pub fn multipliers(&self) -> usize {
        self.lanes.iter().filter(|l| usize::from(l.input) >= INTEGRATORS).count() / 2
    }
}

/// More multipliers than the machine has.
pub(super) fn too_many_multipliers() -> Error {
    Error::unsupported(format!("its products need more than the machine's {MULTIPLIERS} multipliers"))
}
