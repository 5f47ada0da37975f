//! Media at the edges: programs that remember under noise like 1/f, no noise at all, and what runs on with outputs of another.

use async_trait::async_trait;
use isoform_conformance::defects::HEALTHY;
use isoform_conformance::media::{Blur, Blurred, Colour, Nature};
use isoform_conformance::output::diff;
use isoform_conformance::record::{Outcome, Status};
use isoform_conformance::{Options, judge, laws, run};
use isoform_core::builder::{Draft, delay};
use isoform_core::error::Result;
use isoform_core::functions::li;
use isoform_core::layer::Quantise;
use isoform_core::linear::Dense;
use isoform_core::medium::Medium;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::semantics::Semantics;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Realization, Run, Substrate};
use std::sync::Arc;

/// What a law says of a converter in steps up to a magnitude. The program that is tried goes up to five.
fn of(law: &str, step: f64, range: f64) -> Status {
    let converter = Quantise::new(Arc::new(OracleSubstrate::new()), step, range).expect("levels");
    let dossier = run(&converter, &Options::new().with_law(law)).expect("a run");
    dossier.outcomes.iter().find(|o| o.law == law).expect("the law").status
}

#[test]
fn a_converter_that_clips_does_not_compute_the_program() {
    for law in ["L2.equivalence", "L2.isolation", "L2.transfer", "L3.drift"] {
        assert_eq!(of(law, 0.5, 1.0), Status::Fail, "{law}");
        assert_eq!(of(law, 0.5, 2.0), Status::Fail, "{law}");
        assert_eq!(of(law, 0.01, 0.2), Status::Fail, "{law}");
        assert_eq!(of(law, 0.01, 8.0), Status::Pass, "{law}");
    }
}

#[test]
fn a_capacity_that_nothing_could_fall_below_says_nothing() {
    assert_eq!(of("L2.capacity", 2.0, 8.0), Status::Inconclusive);
    // some of what is left to ask could be failed
    assert_eq!(of("L2.capacity", 0.5, 1.0), Status::Pass);
    assert_eq!(of("L2.capacity", 0.01, 8.0), Status::Pass);
}

#[test]
fn a_medium_without_noise_conforms_whatever_the_digits_of_its_outputs() {
    let medium = HEALTHY.iter().find(|s| s.name == "no noise, mean off by half the margin").expect("one of the list");
    let medium = medium.make(Arc::new(OracleSubstrate::new()));
    let statistical = laws().iter().filter(|law| law.statistical).map(|law| law.id);
    for seed in 0..3 {
        let options = statistical.clone().fold(Options::new().with_seed(seed), Options::with_law);
        let dossier = run(medium.as_ref(), &options).expect("a run");
        for outcome in &dossier.outcomes {
            assert!(matches!(outcome.status, Status::Pass | Status::NotClaimed), "{outcome:?}");
        }
    }
}

#[test]
fn no_statistical_law_holds_of_what_is_no_number() {
    for bias in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        let blur = Blur { bias, ..Blur::honest(Colour::White, 0.01, 0.05) };
        let medium = Blurred::new(Arc::new(OracleSubstrate::new()), blur);
        let options = laws().iter().filter(|law| law.statistical).map(|law| law.id).fold(Options::new(), Options::with_law);
        let dossier = run(&medium, &options).expect("a run");
        assert!(dossier.outcomes.len() > 5, "{:?}", dossier.outcomes);
        for outcome in dossier.outcomes.iter().filter(|o| o.status != Status::NotClaimed) {
            assert_eq!(outcome.status, Status::Error, "{outcome:?}");
            assert!(outcome.reason.contains("of which no statistic can be made"), "{}", outcome.reason);
        }
    }
}

#[test]
fn no_record_that_holds_what_is_no_number_is_judged_well() {
    let medium = Blurred::new(Arc::new(OracleSubstrate::new()), Blur::honest(Colour::White, 0.01, 0.05));
    let mut dossier = run(&medium, &Options::new().with_law("L1.noise").with_law("L2.equivalence")).expect("a run");
    assert!(dossier.outcomes.iter().all(|o| o.status == Status::Pass), "{:?}", dossier.outcomes);
    let outputs = dossier.evidence.iter_mut().flat_map(|e| &mut e.samples).filter(|s| s.name.ends_with("/output"));
    outputs.for_each(|samples| samples.values.fill(f64::INFINITY));
    assert!(judge(&dossier).outcomes.iter().all(|o| o.status == Status::Error), "{:?}", judge(&dossier).outcomes);
}

#[test]
fn noise_is_looked_for_where_it_is_loudest() {
    // a tenth of what is declared about nought, and half as much again as that at four
    let swelling = Blur::honest(Colour::White, 0.002, 0.05).with_swell(0.9).declared_as(Medium::new(0.05, 0.02));
    let outcome = noise(swelling);
    assert!(outcome.0 == Status::Fail && outcome.1.contains("at the upper end: output"), "{outcome:?}");
    // what is declared is the most that there is, and none at all is no more
    let silent = Blur::honest(Colour::White, 0.0, 0.05).declared_as(Medium::new(0.05, 0.02));
    assert_eq!(noise(silent), (Status::Pass, String::from("no noise was seen where 20 mV is declared")));
}

fn noise(blur: Blur) -> (Status, String) {
    let medium = Blurred::new(Arc::new(OracleSubstrate::new()), blur);
    let dossier = run(&medium, &Options::new().with_law("L1.noise")).expect("a run");
    (dossier.outcomes[0].status, dossier.outcomes[0].reason.clone())
}

/// A medium with a little noise that shows one program of itself, and makes another of it.
#[derive(Debug)]
struct Stray {
    inner: Blurred,
    shown: Program,
    made: Program,
}

#[async_trait]
impl Substrate for Stray {
    fn profile(&self) -> Arc<Profile> {
        self.inner.profile()
    }

    async fn realize(&self, _: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.inner.realize(&self.made, run).await
    }

    fn exemplars(&self) -> Vec<Program> {
        vec![self.shown.clone()]
    }
}

/// A program of one node.
fn single(inputs: usize, node: impl Into<Draft>) -> Program {
    let mut net = Program::builder();
    let x = net.input("x", [inputs]);
    let y = net.node("node", node, x);
    net.output("y", y);
    net.build(Semantics::exact(1e-3)).expect("a program")
}

/// What a law says of such a medium with a margin.
fn strayed(law: &str, margin: f64, [shown, made]: [Program; 2]) -> (Status, String) {
    let inner = Blurred::new(Arc::new(OracleSubstrate::new()), Blur::honest(Colour::White, 0.02, margin));
    let dossier = run(&Stray { inner, shown, made }, &Options::new().with_law(law)).expect("a run");
    assert_eq!(judge(&dossier), dossier);
    (dossier.outcomes[0].status, dossier.outcomes[0].reason.clone())
}

#[test]
fn the_time_constants_of_a_slow_program_show() {
    let leak = |tau: f64| single(1, li().with("tau", tau));
    assert_eq!(strayed("L2.course", 0.05, [leak(0.1), leak(0.1)]).0, Status::Pass);
    for tau in [0.08, 0.12] {
        let (status, reason) = strayed("L2.course", 0.05, [leak(0.1), leak(tau)]);
        assert_eq!(status, Status::Fail);
        assert!(reason.starts_with("exemplar 1, slowly: "), "{reason}");
    }
}

/// A medium with much noise that shows a slow leak, of which a reset does nothing unless it is one.
#[derive(Debug)]
struct Slow {
    inner: Blurred,
    resets: bool,
}

#[derive(Debug)]
struct Slowly {
    inner: Box<dyn Realization>,
    resets: bool,
}

#[async_trait]
impl Substrate for Slow {
    fn profile(&self) -> Arc<Profile> {
        self.inner.profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        Ok(Box::new(Slowly { inner: self.inner.realize(program, run).await?, resets: self.resets }))
    }

    fn exemplars(&self) -> Vec<Program> {
        let mut net = Program::builder();
        let x = net.input("x", [1]);
        let y = net.node("leak", li().with("tau", 1.5), x);
        net.output("y", y);
        vec![net.build(Semantics::exact(1e-3)).expect("a program")]
    }
}

#[async_trait]
impl Realization for Slowly {
    async fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        self.inner.advance(x, y, ticks).await
    }

    async fn reset(&mut self) -> Result<()> {
        if self.resets { self.inner.reset().await } else { Ok(()) }
    }
}

#[test]
fn a_slow_program_has_something_to_forget_before_a_reset() {
    for (resets, status) in [(true, Status::Pass), (false, Status::Fail)] {
        for seed in 0..3 {
            let inner = Blurred::new(Arc::new(OracleSubstrate::new()), Blur::honest(Colour::White, 0.5, 1.0));
            let dossier =
                run(&Slow { inner, resets }, &Options::new().with_law("L1.reset-trials").with_seed(seed)).expect("a run");
            assert_eq!(dossier.outcomes[0].status, status, "{resets} {seed}: {}", dossier.outcomes[0].reason);
            assert_eq!(judge(&dossier), dossier);
        }
    }
}

#[test]
fn inputs_that_move_little_alone_are_isolated_together() {
    let map = |rows: [[f64; 8]; 2]| single(8, Dense::new(rows.into(), None).expect("a map"));
    let shown = [[0.25, -0.25, 0.25, -0.25, 0.25, -0.25, 0.25, -0.25], [0.25, 0.25, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0]];
    let deaf = [[0.0; 8], shown[1]];
    let status = |margin: f64, made: [[f64; 8]; 2]| strayed("L2.isolation", margin, [map(shown), map(made)]);
    // an input moves an output by up to three quarters: one alone by more than twice the smaller margin, and three by the larger
    assert_eq!(status(0.2, shown).0, Status::Pass);
    assert_eq!(status(0.8, shown).0, Status::Pass);
    let (status_of_one, reason) = status(0.2, deaf);
    assert!(status_of_one == Status::Fail && reason.contains("under input 0 alone output 0 is off by -"), "{reason}");
    let (status_of_some, reason) = status(0.8, deaf);
    assert!(
        status_of_some == Status::Fail && reason.contains("alone output 0 is off by") && reason.contains("inputs"),
        "{reason}"
    );
    // what all inputs together do not show
    let (nothing, reason) = status(4.0, shown);
    assert!(nothing == Status::Inconclusive && reason.contains("a device that does not hear what is driven"), "{reason}");
}

/// A difference of two inputs and their sum, and the same with an output after some ticks.
fn cancelling(late: Option<usize>) -> Program {
    let mut net = Program::builder();
    let x = net.input("x", [2]);
    for (k, row) in [[1.0, -1.0], [1.0, 1.0]].into_iter().enumerate() {
        let mut y = net.node(&format!("map {k}"), Dense::new([row].into(), None).expect("a map"), x.clone());
        if late == Some(k) {
            y = net.node("late", delay(vec![1e-3]), y);
        }
        net.output(&format!("y{k}"), y);
    }
    net.build(Semantics::exact(1e-3)).expect("a program")
}

#[test]
fn an_output_that_all_inputs_alike_leave_where_it_is_takes_its_course() {
    for late in [None, Some(0), Some(1)] {
        let (status, reason) = strayed("L2.course", 0.05, [cancelling(None), cancelling(late)]);
        assert_eq!(status, if late.is_none() { Status::Pass } else { Status::Fail }, "{late:?}: {reason}");
        assert_eq!(reason.starts_with("exemplar 1, along pattern 1: "), late == Some(0), "{reason}");
    }
}

/// What a law says of a medium that shows the difference of two inputs, under noise of its own kind.
fn of_a_difference(law: &str, blur: Blur) -> (Status, String) {
    let inner = Blurred::new(Arc::new(OracleSubstrate::new()), blur);
    let shown = single(2, Dense::new([[1.0, -1.0]].into(), None).expect("a map"));
    let dossier = run(&Stray { inner, made: shown.clone(), shown }, &Options::new().with_law(law)).expect("a run");
    assert_eq!(judge(&dossier), dossier);
    (dossier.outcomes[0].status, dossier.outcomes[0].reason.clone())
}

#[test]
fn noise_shows_that_all_inputs_alike_leave_quiet() {
    // a twentieth of what is declared about nought, and 1.6 times as much as that at four
    let loud = Blur::honest(Colour::White, 0.001, 0.05).with_swell(2.0).declared_as(Medium::new(0.05, 0.02));
    let (status, reason) = of_a_difference("L1.noise", loud);
    assert!(status == Status::Fail && reason.contains("under pattern 1: "), "{reason}");
}

#[test]
fn a_loop_shows_where_all_inputs_alike_leave_an_output() {
    // the way up and the way down differ by less than the margin, and by more
    let lag = |by: f64| of_a_difference("L2.transfer", Blur::honest(Colour::White, 0.02, 0.05).with_lag(by));
    assert_eq!(lag(0.01).0, Status::Pass);
    let (status, reason) = lag(0.04);
    assert!(status == Status::Fail && reason.contains("along pattern 1 output 0 differs by"), "{reason}");
}

#[test]
fn a_source_of_1_f_noise_is_not_asked_to_be_stationary() {
    let blur = Blur::honest(Colour::Flicker, 0.02, 0.05).in_a(Nature::Running { deaf: false }, 200);
    let medium = Blurred::new(Arc::new(OracleSubstrate::new()), blur);
    let outcome = run(&medium, &Options::new().with_law("L3.stationarity")).expect("a run").outcomes.remove(0);
    assert!(outcome.status == Status::Inconclusive && outcome.reason.contains("differ by their nature"), "{outcome:?}");
}

#[test]
fn two_runs_under_1_f_noise_tell_a_common_offset_from_a_wander() {
    let of = |bias: f64, seed: u64| {
        let medium = Blurred::new(Arc::new(OracleSubstrate::new()), Blur::honest(Colour::Flicker, 0.02, 0.5).with_bias(bias));
        run(&medium, &Options::new().with_seed(seed).with_law("L2.equivalence")).expect("a run")
    };
    let moved = |bias: f64| diff(&of(0.0, 0), &of(bias, 0)).drift.expect("means of a noisy medium");
    let (still, away) = (moved(0.0), moved(0.2));
    assert_eq!((still.compared, still.moved), (4, Vec::new()));
    assert_eq!((away.compared, away.moved.len()), (4, 4));
    // what two means that wander by 0.02 come apart by, at the level of one of 28 comparisons: 4.13 deviations
    for moved in away.moved {
        assert!(moved.stimulus == 0 && (moved.by - 0.2).abs() < 1e-6 && (moved.half - 0.11693).abs() < 1e-4, "{moved:?}");
    }
}

/// What becomes of an output at a tick, by its channel.
type Alter = fn(usize, usize, f32) -> f32;

/// What runs on, with its outputs altered.
#[derive(Debug)]
struct Altered {
    inner: Blurred,
    alter: Alter,
}

#[derive(Debug)]
struct Altering {
    inner: Box<dyn Realization>,
    alter: Alter,
    outputs: usize,
    ticks: usize,
}

#[async_trait]
impl Substrate for Altered {
    fn profile(&self) -> Arc<Profile> {
        self.inner.profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let inner = self.inner.realize(program, run).await?;
        Ok(Box::new(Altering { inner, alter: self.alter, outputs: program.output_channels(), ticks: 0 }))
    }
}

#[async_trait]
impl Realization for Altering {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let report = self.inner.advance(x, y.reborrow(), ticks).await?;
        if let SignalMut::Dense(y) = y {
            let place = |at: usize| (self.ticks + at / self.outputs, at % self.outputs);
            y.iter_mut().enumerate().for_each(|(at, y)| *y = (self.alter)(place(at).0, place(at).1, *y));
        }
        self.ticks += ticks;
        Ok(report)
    }

    async fn reset(&mut self) -> Result<()> {
        self.inner.reset().await
    }
}

/// What a law says of what runs on with a margin, whose outputs are altered so.
fn of_running(law: &str, margin: f64, alter: Alter) -> Outcome {
    let blur = Blur::honest(Colour::White, 0.02, margin).in_a(Nature::Running { deaf: false }, 200);
    let medium = Altered { inner: Blurred::new(Arc::new(OracleSubstrate::new()), blur), alter };
    let mut dossier = run(&medium, &Options::new().with_law(law)).expect("a run");
    assert_eq!(judge(&dossier), dossier);
    dossier.outcomes.remove(0)
}

#[test]
fn what_runs_on_is_held_to_every_output() {
    let status = |alter: Alter| of_running("L2.settled", 0.05, alter).status;
    assert_eq!(status(|_, _, y| y), Status::Pass);
    let wrong: [Alter; 4] = [
        |_, _, y| 1.5 * y,
        |_, _, y| 0.1 * y,
        |_, output, y| if output == 0 { y } else { 0.0 },
        |_, output, y| if output == 3 { 0.97 * y } else { y },
    ];
    for alter in wrong {
        assert_eq!(status(alter), Status::Fail);
    }
}

#[test]
fn a_margin_within_which_anything_that_runs_on_lies_says_nothing() {
    let both: [Alter; 2] = [|_, _, y| y, |_, _, _| 0.0];
    for alter in both {
        let outcome = of_running("L2.settled", 10.0, alter);
        assert_eq!(outcome.status, Status::Inconclusive, "{outcome:?}");
    }
}

/// Up and down from tick to tick, after ten thousand ticks by as much as the noise.
fn swing(tick: usize) -> f32 {
    2e-6 * tick as f32 * if tick.is_multiple_of(2) { 1.0 } else { -1.0 }
}

#[test]
fn what_fluctuates_more_and_more_is_not_stationary() {
    assert_eq!(of_running("L3.stationarity", 0.05, |_, _, y| y).status, Status::Pass);
    // one of four channels alone, and all against each other, so that their mean is still
    let louder: [Alter; 2] =
        [|tick, output, y| if output == 2 { y + swing(tick) } else { y }, |tick, output, y| y + swing(tick + output)];
    for alter in louder {
        let outcome = of_running("L3.stationarity", 0.05, alter);
        assert!(outcome.status == Status::Fail && outcome.reason.contains("the fluctuations of late windows"), "{outcome:?}");
    }
}

/// Noise that grows with what it is on says nothing under quiet inputs, where a pilot would take it for none.
#[test]
fn noise_that_grows_with_its_signal_and_lasts_is_allowed_for() {
    // a tenth at four, where the range ends
    let loud = Blur::honest(Colour::Autoregressive(0.99), 1e-9, 0.05).with_swell(6.2e6).declared_as(Medium::new(0.05, 0.12));
    let shown = single(2, Dense::new([[1.0, 0.0], [0.0, 1.0]].into(), None).expect("a map"));
    for law in ["L2.equivalence", "L2.transfer", "L2.isolation", "L2.course"] {
        let inner = Blurred::new(Arc::new(OracleSubstrate::new()), loud);
        let substrate = Stray { inner, made: shown.clone(), shown: shown.clone() };
        let dossier = run(&substrate, &Options::new().with_law(law)).expect("a run");
        let designs: Vec<_> = dossier.evidence[0].facts.iter().filter(|(name, _)| name.starts_with("design of ")).collect();
        assert!(!designs.is_empty());
        for (name, design) in designs {
            // (1 + 0.99) / (1 - 0.99)
            let tau = design["tau"].as_f64().expect("a time");
            eprintln!("{law}, {name}: 199 ticks expected, found {tau:.0}");
            assert!((60.0..600.0).contains(&tau), "{tau}");
        }
        assert_ne!(dossier.outcomes[0].status, Status::Fail, "{law}: {}", dossier.outcomes[0].reason);
    }
}

#[test]
fn noise_that_outlasts_a_washout_is_no_drift() {
    for seed in 0..6 {
        let blur = Blur::honest(Colour::Autoregressive(0.998), 0.02, 0.05).in_a(Nature::Running { deaf: false }, 200);
        let medium = Blurred::new(Arc::new(OracleSubstrate::new()), blur);
        let outcome =
            run(&medium, &Options::new().with_law("L3.stationarity").with_seed(seed)).expect("a run").outcomes.remove(0);
        assert_eq!(outcome.status, Status::Pass, "{}", outcome.reason);
    }
}

#[test]
fn a_washout_that_is_too_short_is_no_way_around_a_law() {
    let leak = |tau: f64| single(1, li().with("tau", tau));
    let outcome = |law: &str, noise: f64, washout: u64, seed: u64| {
        let blur = Blur::honest(Colour::White, noise, 0.05).in_a(Nature::Running { deaf: false }, washout);
        let inner = Blurred::new(Arc::new(OracleSubstrate::new()), blur);
        let shown = leak(5e-3);
        let substrate = Stray { inner, made: shown.clone(), shown };
        run(&substrate, &Options::new().with_law(law).with_seed(seed)).expect("a run").outcomes.remove(0)
    };
    let short = outcome("L2.settled", 0.1, 13, 0);
    assert!(short.status == Status::Inconclusive && short.reason.contains("but not within the declared washout"), "{short:?}");
    assert_eq!(outcome("L2.settled", 0.1, 40, 0).status, Status::Pass);
    for seed in 0..5 {
        assert_eq!(outcome("L1.washout", 0.1, 8, seed).status, Status::Fail, "seed {seed}");
        assert_eq!(outcome("L1.washout", 0.1, 40, seed).status, Status::Pass, "seed {seed}");
    }
}
