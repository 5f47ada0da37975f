//! How a hybrid system is put on a grid of ticks: declared, never implied.
//!
//! Platforms that agree on the equation of a neuron still disagree about the tick in which it fires, because they answer the
//! questions below differently. A [`Semantics`] is the full set of answers. It is part of a program's digest, and a named
//! [`Preset`] gives the answers of a platform.

use crate::error::{Error, Result};
use crate::functions as library;
use std::fmt;

macro_rules! answers {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// Every answer to this question.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => $text),+ })
            }
        }
    };
}

answers! {
    /// How much the state moves in one tick under a constant input.
    Decay {
        /// `s' = s + dt F(x, s)`.
        Euler = "euler",
        /// The solution of the flow, which must be affine.
        Exact = "exact",
        /// The classical method of fourth order (Kutta 1901), four evaluations of the flow a step.
        RungeKutta = "runge-kutta",
    }
}

answers! {
    /// What the input of a tick does to a flow.
    Drive {
        /// It is held constant for the tick.
        Held = "held",
        /// It is an impulse of area `dt` at the start of the tick, so that it decays within the tick.
        ImpulseBefore = "impulse-before",
        /// It is an impulse of area `dt` at the end of the tick.
        ImpulseAfter = "impulse-after",
    }
}

answers! {
    /// Which values the states of one node see of each other.
    Order {
        /// All see the values before the tick.
        Joint = "joint",
        /// They are updated in the order of the signature; later ones see the new values of earlier ones as their input.
        Staged = "staged",
    }
}

answers! {
    /// Where in the tick the threshold is tested.
    Test {
        /// On the state before the flow: what crossed in one tick is seen in the next.
        BeforeFlow = "before-flow",
        /// On the state after the flow.
        AfterFlow = "after-flow",
        /// At the instant of the crossing inside the tick, after which the flow goes on from the reset state.
        Located = "located",
    }
}

answers! {
    /// Which side of the threshold fires.
    Compare {
        /// Strictly above.
        Above = "above",
        /// At or above.
        AtOrAbove = "at-or-above",
    }
}

answers! {
    /// What a spike does to the state.
    Reset {
        /// The state takes the value that the definition names.
        ToValue = "to-value",
        /// The state is moved by the displacement that the definition gives exactly at the threshold; the overshoot is kept.
        Subtract = "subtract",
    }
}

answers! {
    /// Which edges of a cycle carry the value of the previous tick.
    Cycle {
        /// Those that leave a node with state: a recurrent bias acts in the first tick.
        LeavingEvent = "leaving-event",
        /// Those that enter a node with state: a recurrent bias acts from the second tick on.
        EnteringEvent = "entering-event",
    }
}

/// The numbers in which the states are kept.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Number {
    /// Real numbers, up to the rounding of the substrate.
    Real,
    /// Whole numbers, as on a digital neuromorphic chip.
    Fixed(Fixed),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real => f.pad("real"),
            Self::Fixed(fixed) => f.pad(&format!("fixed({} bit decay, unit {})", fixed.decay_bits, fixed.unit)),
        }
    }
}

/// Whole-number states with a quantised decay.
///
/// A state is a whole number of steps. Each tick it is multiplied by a whole number and shifted right by `decay_bits`, rounding
/// towards nought; then drives are added. The decay `1 - Φ` is rounded down to `decay_bits` bits. One step is so large that an
/// input of one moves a driven state by `unit` steps; a state that is driven by another state only takes over its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fixed {
    /// Bits of the decay.
    pub decay_bits: u32,
    /// Steps by which an input of one moves a state.
    pub unit: u32,
}

/// The full set of answers.
#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Semantics {
    preset: Option<Preset>,
    /// The length of a tick in the program's unit of time, seconds for NIR models.
    pub dt: f64,
    /// How much the state moves in one tick.
    pub decay: Decay,
    /// What the input does to a flow.
    pub drive: Drive,
    /// Which values the states of one node see of each other.
    pub order: Order,
    /// Where in the tick the threshold is tested.
    pub test: Test,
    /// Which side of the threshold fires.
    pub compare: Compare,
    /// What a spike does to the state.
    pub reset: Reset,
    /// By how many ticks the input of a node with state is late.
    pub input_delay: u32,
    /// Which edges of a cycle carry the value of the previous tick.
    pub cycle: Cycle,
    /// The numbers in which the states are kept.
    pub number: Number,
    /// Into how many equal steps an explicit decay cuts a tick, during which the input is held.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub substeps: u32,
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_one(substeps: &u32) -> bool {
    *substeps == 1
}

// by hand, since the digest of a program is made from it: the number of steps shows only where it is asked for
impl fmt::Debug for Semantics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = f.debug_struct("Semantics");
        all.field("preset", &self.preset)
            .field("dt", &self.dt)
            .field("decay", &self.decay)
            .field("drive", &self.drive)
            .field("order", &self.order)
            .field("test", &self.test)
            .field("compare", &self.compare)
            .field("reset", &self.reset)
            .field("input_delay", &self.input_delay)
            .field("cycle", &self.cycle)
            .field("number", &self.number);
        if self.substeps != 1 {
            all.field("substeps", &self.substeps);
        }
        all.finish()
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $setter:ident: $field:ident, $kind:ty;)+) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $setter(mut self, $field: $kind) -> Self {
            self.$field = $field;
            self.preset = None;
            self
        })+
    };
}

impl Semantics {
    /// What the equations say, on a grid of `dt`: the default.
    #[must_use]
    pub fn exact(dt: f64) -> Self {
        Preset::Exact.semantics(dt)
    }

    /// The preset that these answers come from; none once an answer was changed.
    #[must_use]
    pub fn preset(&self) -> Option<Preset> {
        self.preset
    }

    setters! {
        /// The same, with another decay.
        with_decay: decay, Decay;
        /// The same, with another drive.
        with_drive: drive, Drive;
        /// The same, with another order.
        with_order: order, Order;
        /// The same, with the threshold tested elsewhere.
        with_test: test, Test;
        /// The same, with another comparison.
        with_compare: compare, Compare;
        /// The same, with another reset.
        with_reset: reset, Reset;
        /// The same, with another delay of inputs.
        with_input_delay: input_delay, u32;
        /// The same, with another rule for cycles.
        with_cycle: cycle, Cycle;
        /// The same, with other numbers.
        with_number: number, Number;
        /// The same, with a tick cut into another number of steps.
        with_substeps: substeps, u32;
    }

    /// The length of one step of an explicit decay, in the unit of `dt`.
    #[must_use]
    pub fn step_length(&self) -> f64 {
        self.dt / f64::from(self.substeps)
    }

    /// The same answers at another time step.
    #[must_use]
    pub fn with_dt(mut self, dt: f64) -> Self {
        self.dt = dt;
        self
    }

    /// Checks that the answers do not contradict each other.
    ///
    /// # Errors
    /// `InvalidProgram`, with what to change.
    pub fn check(&self) -> Result<()> {
        let refuse = |why: &str| Err(Error::invalid_program(why));
        if !(self.dt.is_finite() && self.dt > 0.0) {
            return refuse(&format!("a time step of {} is not a positive number", self.dt));
        }
        if self.input_delay > MAX_INPUT_DELAY {
            return refuse(&format!("an input delay of {} ticks exceeds {MAX_INPUT_DELAY}", self.input_delay));
        }
        if self.test == Test::Located && (self.drive != Drive::Held || self.order != Order::Joint || self.decay != Decay::Exact) {
            return refuse("a located test needs an exact decay, a held drive and a joint order");
        }
        if self.decay == Decay::RungeKutta && (self.drive != Drive::Held || self.order != Order::Joint) {
            return refuse("a runge-kutta decay needs a held drive and a joint order");
        }
        if !(1..=MAX_SUBSTEPS).contains(&self.substeps) {
            return refuse(&format!("a tick has 1 to {MAX_SUBSTEPS} steps, not {}", self.substeps));
        }
        if self.substeps > 1 && (self.decay == Decay::Exact || self.drive != Drive::Held || self.number != Number::Real) {
            return refuse("a tick is cut into steps for an euler or runge-kutta decay, a held drive and real numbers alone");
        }
        if let Number::Fixed(fixed) = self.number {
            if !(1..=24).contains(&fixed.decay_bits) || fixed.unit == 0 {
                return refuse("fixed numbers need 1 to 24 bits of decay and a unit above nought");
            }
            if self.test != Test::AfterFlow
                || self.decay != Decay::Euler
                || self.reset != Reset::ToValue
                || self.drive != Drive::Held
            {
                return refuse("fixed numbers need an euler decay, a held drive, a test after the flow and a reset to a value");
            }
        }
        Ok(())
    }
}

/// More ticks of input delay than any platform has.
const MAX_INPUT_DELAY: u32 = 4096;

/// More steps in a tick than anybody writes down one by one, as recordings do.
const MAX_SUBSTEPS: u32 = 256;

/// The answers of a platform, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// What the equations say, on a grid.
    Exact,
    /// What the equations say, with spikes located inside the tick.
    Events,
    /// Norse 1.
    Norse,
    /// snnTorch, as of the NIR paper.
    Snntorch,
    /// Nengo.
    Nengo,
    /// Lava in floating point.
    Lava,
    /// Lava in the fixed point of Loihi.
    Loihi,
    /// Rockpool.
    Rockpool,
    /// Sinabs.
    Sinabs,
    /// Spyx.
    Spyx,
    /// SpiNNaker2, by its Brian2 back end.
    Spinnaker2,
}

impl Preset {
    /// Every preset.
    pub const ALL: &'static [Self] = &[
        Self::Exact,
        Self::Events,
        Self::Norse,
        Self::Snntorch,
        Self::Nengo,
        Self::Lava,
        Self::Loihi,
        Self::Rockpool,
        Self::Sinabs,
        Self::Spyx,
        Self::Spinnaker2,
    ];

    /// The name on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Events => "events",
            Self::Norse => "norse",
            Self::Snntorch => "snntorch",
            Self::Nengo => "nengo",
            Self::Lava => "lava",
            Self::Loihi => "loihi",
            Self::Rockpool => "rockpool",
            Self::Sinabs => "sinabs",
            Self::Spyx => "spyx",
            Self::Spinnaker2 => "spinnaker2",
        }
    }

    /// The answers, at a time step.
    #[must_use]
    pub fn semantics(self, dt: f64) -> Semantics {
        let exact = Semantics {
            preset: None,
            dt,
            decay: Decay::Exact,
            drive: Drive::Held,
            order: Order::Joint,
            test: Test::AfterFlow,
            compare: Compare::Above,
            reset: Reset::ToValue,
            input_delay: 0,
            cycle: Cycle::LeavingEvent,
            number: Number::Real,
            substeps: 1,
        };
        let euler = Semantics { decay: Decay::Euler, order: Order::Staged, ..exact };
        let lava = Semantics { input_delay: 1, ..euler };
        let answers = match self {
            Self::Exact => exact,
            Self::Events => Semantics { test: Test::Located, ..exact },
            Self::Norse => Semantics { cycle: Cycle::EnteringEvent, ..euler },
            Self::Snntorch | Self::Spinnaker2 => euler,
            Self::Nengo => Semantics { order: Order::Staged, ..exact },
            Self::Lava => lava,
            Self::Loihi => Semantics { number: Number::Fixed(Fixed { decay_bits: 12, unit: 640 }), ..lava },
            Self::Rockpool | Self::Sinabs => {
                Semantics { drive: Drive::ImpulseAfter, order: Order::Staged, reset: Reset::Subtract, ..exact }
            }
            Self::Spyx => Semantics { test: Test::BeforeFlow, reset: Reset::Subtract, ..euler },
        };
        Semantics { preset: Some(self), ..answers }
    }

    /// The ids of the neurons that the platform has, by the code with which it reads and writes NIR; none means that it takes any.
    #[must_use]
    pub fn neurons(self) -> Option<&'static [&'static str]> {
        const I: &str = library::I;
        const IF: &str = library::IF;
        const LI: &str = library::LI;
        const LIF: &str = library::LIF;
        const CUBA_LIF: &str = library::CUBA_LIF;
        const THRESHOLD: &str = library::THRESHOLD;
        match self {
            Self::Exact | Self::Events => None,
            Self::Norse | Self::Snntorch | Self::Nengo | Self::Sinabs => Some(&[IF, LI, LIF, CUBA_LIF]),
            Self::Lava | Self::Loihi | Self::Spinnaker2 => Some(&[IF, LIF, CUBA_LIF]),
            Self::Rockpool => Some(&[LI, LIF, CUBA_LIF]),
            Self::Spyx => Some(&[I, IF, LI, LIF, CUBA_LIF, THRESHOLD]),
        }
    }

    /// Checks that the platform has a neuron.
    ///
    /// # Errors
    /// `InvalidProgram`, naming the neurons that it has.
    pub fn admit(self, function: &str) -> Result<()> {
        match self.neurons() {
            Some(known) if !known.contains(&function) && function != library::SCALE => Err(Error::invalid_program(format!(
                "{self} has no neuron {function}; it has {}; use another preset, or override the semantics of this node",
                known.join(", ")
            ))),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Preset {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.iter().copied().find(|p| p.name() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|p| p.name()).collect();
            Error::not_found(format!("no semantics are called {text:?}; known are {}", known.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_consistent_and_parse() {
        for &preset in Preset::ALL {
            let semantics = preset.semantics(1e-4);
            semantics.check().expect("a preset contradicts itself");
            assert_eq!(preset.name().parse::<Preset>().expect("parses"), preset);
            let text = serde_json::to_string(&semantics).expect("serialises");
            assert_eq!(serde_json::from_str::<Semantics>(&text).expect("parses"), semantics);
        }
        let error = "brian".parse::<Preset>().expect_err("unknown");
        assert!(error.to_string().contains("snntorch"), "{error}");
    }

    #[test]
    fn a_changed_answer_is_no_longer_the_platforms() {
        assert_eq!(Preset::Norse.semantics(1.0).with_reset(Reset::Subtract).preset(), None);
        assert_eq!(Preset::Norse.semantics(1.0).with_dt(2.0).preset(), Some(Preset::Norse));
    }

    #[test]
    fn a_platform_refuses_a_neuron_that_it_does_not_have() {
        let error = Preset::Spinnaker2.admit(library::LI).expect_err("has no LI");
        assert!(error.to_string().contains("isoform.cubalif/1"), "{error}");
        assert!(Preset::Exact.admit("third-party.neuron/1").is_ok());
        assert!(Preset::Norse.admit("third-party.neuron/1").is_err());
    }

    #[test]
    fn contradictions_are_refused() {
        let exact = Semantics::exact(1e-3);
        assert!(exact.with_dt(0.0).check().is_err());
        assert!(exact.with_dt(f64::NAN).check().is_err());
        assert!(exact.with_test(Test::Located).with_decay(Decay::Euler).check().is_err());
        assert!(exact.with_number(Number::Fixed(Fixed { decay_bits: 12, unit: 64 })).check().is_err());
    }

    #[test]
    fn steps_within_a_tick_are_refused_where_they_mean_nothing() {
        let (exact, loihi) = (Semantics::exact(1e-3), Preset::Loihi.semantics(1e-3));
        let (euler, rk4) = (exact.with_decay(Decay::Euler), exact.with_decay(Decay::RungeKutta));
        for fine in [euler, rk4, euler.with_substeps(7), rk4.with_substeps(256), euler.with_order(Order::Staged).with_substeps(2)]
        {
            fine.check().expect("makes sense");
        }
        let senseless = [
            euler.with_substeps(0),
            euler.with_substeps(257),
            exact.with_substeps(2),
            loihi.with_substeps(2),
            loihi.with_decay(Decay::RungeKutta),
            euler.with_drive(Drive::ImpulseAfter).with_substeps(2),
            rk4.with_drive(Drive::ImpulseBefore),
            rk4.with_order(Order::Staged),
            rk4.with_test(Test::Located),
            euler.with_test(Test::Located).with_substeps(2),
        ];
        for semantics in senseless {
            assert!(semantics.check().is_err(), "{semantics}");
        }
    }

    #[test]
    fn one_step_a_tick_leaves_no_trace() {
        let euler = Preset::Norse.semantics(1e-3);
        assert!(format!("{euler:?}").ends_with("cycle: EnteringEvent, number: Real }"), "{euler:?}");
        assert!(!euler.to_string().contains("steps"), "{euler}");
        let text = serde_json::to_string(&euler).expect("serialises");
        assert!(text.ends_with("\"number\":\"real\"}"), "{text}");
        let cut = euler.with_substeps(3);
        assert!(cut.to_string().ends_with("number real, substeps 3"), "{cut}");
        assert!(format!("{cut:?}").ends_with("number: Real, substeps: 3 }"), "{cut:?}");
        let text = serde_json::to_string(&cut).expect("serialises");
        assert_eq!(serde_json::from_str::<Semantics>(&text).expect("parses"), cut);
    }
}
