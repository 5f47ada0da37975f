//! Media for the statistical laws: healthy ones, on which no law may alarm, and planted ones, each of which its law has to catch.
//!
//! All of them are made of a healthy substrate that repeats itself, with noise about its outputs; what is wrong is planted under the noise or in it.

use super::{Defect, Faulty};
use crate::media::{Blur, Blurred, Colour, Nature};
use isoform_core::medium::Medium;
use isoform_core::substrate::Substrate;
use std::sync::Arc;

/// A medium to try the statistical laws on.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// What it is, in words.
    pub name: &'static str,
    /// The law that has to catch it; none for a healthy one.
    pub law: Option<&'static str>,
    pub(super) make: fn(Arc<dyn Substrate>) -> Arc<dyn Substrate>,
}

impl Subject {
    /// The medium, made of a healthy substrate. Some defects need the facets memory and tuning.
    #[must_use]
    pub fn make(&self, healthy: Arc<dyn Substrate>) -> Arc<dyn Substrate> {
        (self.make)(healthy)
    }
}

/// The margin that they declare.
const MARGIN: f64 = 0.05;
/// The noise that they declare.
const SIGMA: f64 = 0.02;
/// Ticks in which the programs of the suite forget.
const WASHOUT: u64 = 200;

pub(super) fn white() -> Blur {
    Blur::honest(Colour::White, SIGMA, MARGIN)
}

/// Noise that is so many times what is declared.
fn louder(colour: Colour, times: f64) -> Blur {
    Blur::honest(colour, times * SIGMA, MARGIN).declared_as(Medium::new(MARGIN, SIGMA))
}

fn blurred(inner: Arc<dyn Substrate>, blur: Blur) -> Arc<dyn Substrate> {
    Arc::new(Blurred::new(inner, blur))
}

fn honest(inner: Arc<dyn Substrate>, colour: Colour) -> Arc<dyn Substrate> {
    blurred(inner, Blur::honest(colour, SIGMA, MARGIN))
}

/// A defect under white noise.
fn under(inner: Arc<dyn Substrate>, defect: Defect) -> Arc<dyn Substrate> {
    blurred(Arc::new(Faulty::new(inner, defect)), white())
}

/// A defect under noise like 1/f, where a program that remembers has to come to rest before it shows.
fn under_flicker(inner: Arc<dyn Substrate>, defect: Defect) -> Arc<dyn Substrate> {
    honest(Arc::new(Faulty::new(inner, defect)), Colour::Flicker)
}

macro_rules! subjects {
    ($($(#[$doc:meta])* $list:ident: [$($name:literal, $law:expr, |$inner:ident| $make:expr;)+])+) => {
        $($(#[$doc])* pub const $list: &[Subject] = &[$(Subject { name: $name, law: $law, make: |$inner| $make }),+];)+
    };
}

subjects! {
    /// Media on which no law may alarm.
    HEALTHY: [
        "white", None, |s| honest(s, Colour::White);
        "white, mean off by half the margin", None, |s| blurred(s, white().with_bias(0.5 * MARGIN));
        "white, mean off by nearly the margin", None, |s| blurred(s, white().with_bias(0.98 * MARGIN));
        "no noise, mean off by half the margin", None, |s| {
            blurred(s, Blur::honest(Colour::White, 0.0, MARGIN).with_bias(0.5 * MARGIN))
        };
        "autoregressive, 0.5", None, |s| honest(s, Colour::Autoregressive(0.5));
        "autoregressive, 0.9", None, |s| honest(s, Colour::Autoregressive(0.9));
        "1/f", None, |s| honest(s, Colour::Flicker);
        "1/f, mean off by half the margin", None, |s| blurred(s, Blur::honest(Colour::Flicker, SIGMA, MARGIN).with_bias(0.5 * MARGIN));
        "Laplace", None, |s| honest(s, Colour::Laplace);
        "Student, five degrees of freedom", None, |s| honest(s, Colour::Student);
        "lognormal", None, |s| honest(s, Colour::Lognormal);
        "telegraph", None, |s| honest(s, Colour::Telegraph);
        "drift of half of what is declared", None, |s| blurred(s, white().with_drift(0.015, 0.03, 1e4));
        "wearing", None, |s| blurred(s, white().in_a(Nature::Wearing { counts: true }, 0));
        "running on", None, |s| blurred(s, white().in_a(Nature::Running { deaf: false }, WASHOUT));
        "running on, autoregressive, 0.9", None, |s| {
            blurred(s, Blur::honest(Colour::Autoregressive(0.9), SIGMA, MARGIN).in_a(Nature::Running { deaf: false }, WASHOUT))
        };
        "running on, mean off by half the margin", None, |s| {
            blurred(s, white().in_a(Nature::Running { deaf: false }, WASHOUT).with_bias(0.5 * MARGIN))
        };
    ]

    /// Further media on which no law may alarm, on which a run takes many times as long.
    SLOW: [
        "autoregressive, 0.995", None, |s| honest(s, Colour::Autoregressive(0.995));
    ]

    /// Media of which each is wrong in one way.
    PLANTED: [
        "gain +3 % under noise", Some("L2.equivalence"), |s| under(s, Defect::Gain);
        "an offset of 2 % under noise", Some("L2.equivalence"), |s| under(s, Defect::Offset);
        "rail lower than declared, under noise", Some("L2.transfer"), |s| under(s, Defect::LowRail);
        "mean off by one and a half margins", Some("L2.equivalence"), |s| blurred(s, white().with_bias(1.5 * MARGIN));
        "cross-talk 2 % under noise", Some("L2.isolation"), |s| under(s, Defect::CrossTalk);
        "two inputs are one, under noise", Some("L2.isolation"), |s| under(s, Defect::MergedInputs);
        "gain +3 % under 1/f noise", Some("L2.equivalence"), |s| under_flicker(s, Defect::Gain);
        "rail lower than declared, under 1/f noise", Some("L2.transfer"), |s| under_flicker(s, Defect::LowRail);
        "mean off by four margins, 1/f", Some("L2.equivalence"), |s| {
            blurred(s, Blur::honest(Colour::Flicker, SIGMA, MARGIN).with_bias(4.0 * MARGIN))
        };
        "cross-talk 2 % under 1/f noise", Some("L2.isolation"), |s| under_flicker(s, Defect::CrossTalk);
        "hysteresis", Some("L2.transfer"), |s| blurred(s, white().with_lag(0.8 * MARGIN));
        "gain +3 % behind ten times the noise", Some("L1.noise"), |s| {
            blurred(Arc::new(Faulty::new(s, Defect::Gain)), louder(Colour::White, 10.0))
        };
        "noise x 1.5", Some("L1.noise"), |s| blurred(s, louder(Colour::White, 1.5));
        // what was remembered drowns
        "noise x 10", Some("L2.capacity"), |s| blurred(s, louder(Colour::White, 10.0));
        "heavy-tailed noise x 1.5", Some("L1.noise"), |s| blurred(s, louder(Colour::Laplace, 1.5));
        "noise x 1.5 at the end of the range alone", Some("L1.noise"), |s| {
            blurred(s, Blur::honest(Colour::White, 0.1 * SIGMA, MARGIN).with_swell(0.9).declared_as(Medium::new(MARGIN, SIGMA)))
        };
        "1/f noise declared as settling", Some("L1.noise"), |s| blurred(s, louder(Colour::Flicker, 1.0));
        "noise where none is declared", Some("L1.noise"), |s| blurred(s, white().declared_as(Medium::new(MARGIN, 0.0)));
        "reset leaves 5 %, under noise", Some("L1.reset-trials"), |s| under(s, Defect::ResetLeavesResidue);
        "reset skips a channel, under noise", Some("L1.reset-trials"), |s| under(s, Defect::ResetSkipsChannel);
        "reset leaves 5 %, under 1/f noise", Some("L1.reset-trials"), |s| under_flicker(s, Defect::ResetLeavesResidue);
        "lanes leak, under noise", Some("L2.company"), |s| under(s, Defect::LanesLeak);
        "state shared by two handles, under noise", Some("L2.company"), |s| under(s, Defect::SharedState);
        "latency +1 under noise", Some("L2.course"), |s| under(s, Defect::LateByOne);
        "Euler declared as exact, under noise", Some("L2.course"), |s| under(s, Defect::EulerAsExact);
        "stale reply under noise", Some("L2.course"), |s| under(s, Defect::StaleReply);
        "dropped sample under noise", Some("L2.course"), |s| under(s, Defect::DroppedSample);
        "duplicated sample under noise", Some("L2.course"), |s| under(s, Defect::DuplicatedSample);
        "peeks at the future under noise", Some("L2.course"), |s| under(s, Defect::PeeksAhead);
        "drift of twice of what is declared", Some("L3.drift"), |s| blurred(s, white().with_drift(0.06, 0.03, 1e4));
        "a weight that is written, read and not used", Some("L3.wear"), |s| {
            blurred(Arc::new(Faulty::new(s, Defect::TuningIgnored)), white().in_a(Nature::Wearing { counts: true }, 0))
        };
        "writes that are not counted", Some("L3.wear"), |s| blurred(s, white().in_a(Nature::Wearing { counts: false }, 0));
        "a washout that is too short", Some("L1.washout"), |s| blurred(s, white().in_a(Nature::Running { deaf: false }, 2));
        "a source that does not listen", Some("L2.response"), |s| blurred(s, white().in_a(Nature::Running { deaf: true }, WASHOUT));
        "what runs on is off by one and a half margins", Some("L2.settled"), |s| {
            blurred(s, white().in_a(Nature::Running { deaf: false }, WASHOUT).with_bias(1.5 * MARGIN))
        };
        "what runs on has a gain of +3 %", Some("L2.settled"), |s| {
            blurred(Arc::new(Faulty::new(s, Defect::Gain)), white().in_a(Nature::Running { deaf: false }, WASHOUT))
        };
        "what runs on has noise x 1.5", Some("L2.settled"), |s| {
            let declared = Medium { washout: Some(WASHOUT), ..Medium::new(MARGIN, SIGMA) };
            blurred(s, louder(Colour::White, 1.5).in_a(Nature::Running { deaf: false }, WASHOUT).declared_as(declared))
        };
        "a clock 1 % fast", Some("L3.clock"), |s| blurred(s, white().in_a(Nature::Running { deaf: false }, WASHOUT).with_clock(1.01));
        "a source that wanders off", Some("L3.stationarity"), |s| {
            let blur = white().in_a(Nature::Running { deaf: false }, WASHOUT);
            blurred(s, blur.with_drift(0.1, 0.1, 10.0))
        };
    ]
}
