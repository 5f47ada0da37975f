//! A program that is cut computes what it computed whole.

use super::Place;
use super::cut::{Cut, Feed, Purpose};
use super::rules::Rules;
use crate::bound::Accuracy;
use crate::builder::{Builder, delay};
use crate::dynamics::{Draw, Dynamics, Quantity, Signature};
use crate::error::{Error, ErrorKind, Integrity, Result};
use crate::functions::{cuba_lif, li, lif};
use crate::linear::Dense;
use crate::neuron::Neuron;
use crate::oracle::OracleSubstrate;
use crate::profile::Profile;
use crate::program::Program;
use crate::registry::{Entry, Registry};
use crate::report::Report;
use crate::scalar::Scalar;
use crate::semantics::{Preset, Semantics};
use crate::session::Blocking;
use crate::signal::{Event, Signal, SignalMut};
use crate::substrate::{Realization, Run, Substrate};
use crate::witness::Witness;
use async_trait::async_trait;
use std::sync::Arc;

const DT: f64 = 1e-3;

fn oracles(keys: &[&str]) -> Place {
    let oracle = || Arc::new(OracleSubstrate::new()) as Arc<dyn Substrate>;
    Place::new(keys.iter().map(|&key| (key.to_owned(), oracle()))).expect("keys differ")
}

fn open(substrate: &dyn Substrate, program: &Program) -> Blocking {
    Blocking::open(substrate, program, &Run::new().with_batch(2).with_seed(5)).expect("takes it")
}

/// A spiking loop through a matrix, a delay beside it, and a read-out of two terms.
fn network(semantics: Semantics) -> Program {
    let mut net = Builder::new();
    let x = net.input("x", [3]);
    let (back, late) = (net.later("back"), net.later("late"));
    let spikes = net.node("a", cuba_lif().with("tau_syn", 4e-3).with("tau_mem", 6e-3).with("r", 3.0), x.clone() + back + late);
    let weight = [[0.3, -0.7, 0.2], [0.9, 0.1, -0.4], [-0.2, 0.5, 0.6]];
    net.node("back", Dense::new(weight.into(), None).expect("fits"), spikes.clone());
    net.node("late", delay([1e-3, 2e-3, 3e-3]), spikes.clone());
    let out = net.node("out", Dense::new(weight.into(), None).expect("fits"), spikes + x);
    let leak = net.node("leak", li().with("tau", 5e-3), out.clone());
    net.output("y", leak + out);
    // without the name of a platform, which would not have every neuron
    net.build(semantics.with_decay(semantics.decay)).expect("valid")
}

fn drive(ticks: usize) -> Vec<f32> {
    (0..ticks * 6).map(|i| ((i * 37 + 11) % 23) as f32 / 8.0 - 0.5).collect()
}

fn cut(program: &Program, keys: &[&str]) -> Cut {
    let places = Rules::new(keys.iter().copied()).and_then(|rules| rules.assign(program));
    Cut::new(program, &places.expect("covered"))
}

#[test]
fn a_loop_through_two_substrates_is_cut_and_a_late_edge_kept() {
    let program = network(Semantics::exact(DT));
    let cut = cut(&program, &["linear", "*"]);
    let index = |name: &str| program.node(name).expect("is there").0;
    let stages: Vec<_> = cut.stages.iter().map(|s| (s.segments.clone(), s.recurrent)).collect();
    assert_eq!(stages.iter().filter(|(_, recurrent)| *recurrent).count(), 1, "{stages:?}");
    // the neuron's spikes are late for the matrix, and the delay takes them in after they were fired
    assert!(cut.find_kept(Purpose::Late(index("a"), 0)).is_some());
    let chunks: Vec<_> = cut.stages.iter().filter(|s| !s.recurrent).collect();
    assert_eq!(chunks.len(), 2);
    assert_eq!(cut.segments[chunks[0].segments.start].nodes, [index("out")]);
    assert_eq!(cut.segments[chunks[1].segments.start].nodes, [index("leak")]);
    // the read-out takes its terms from two segments
    assert_eq!(cut.outputs.len(), 1);
    assert_eq!(cut.outputs[0].len(), 2);
    assert_eq!(cut.segments[chunks[0].segments.start].feeds[0], Feed::Input(0));
}

#[test]
fn what_stays_together_is_not_cut() {
    let program = network(Semantics::exact(DT));
    let cut = cut(&program, &["leak", "*"]);
    assert_eq!((cut.segments.len(), cut.kept.len()), (2, 0));
    assert!(cut.stages.iter().all(|s| !s.recurrent));
}

#[test]
fn a_node_that_is_late_by_itself_is_relieved_of_a_tick() {
    let program = network(Preset::Lava.semantics(DT));
    let cut = cut(&program, &["linear", "*"]);
    let index = program.node("a").expect("is there").0;
    assert!(cut.is_relieved(index));
    let segment = cut.segment(index).expect("is there");
    let part = super::parts::write(&program, &cut, segment).expect("valid");
    assert_eq!(part.node("a").expect("is there").1.input_delay, 0);
    assert_eq!(part.node("a").expect("is there").1.key, program.nodes()[index].key);
}

#[test]
fn every_tick_of_a_cut_program_is_as_defined_and_its_state_goes_anywhere() {
    const TICKS: usize = 150;
    let presets = [Preset::Exact, Preset::Norse, Preset::Lava, Preset::Loihi, Preset::Rockpool, Preset::Spyx];
    let ways: [&[&str]; 5] =
        [&["linear", "*"], &["late", "*"], &["a", "*"], &["neuron", "delay", "linear"], &["out", "back", "late", "*"]];
    let run = Run::new().with_batch(2).with_seed(5);
    for preset in presets {
        for keys in ways {
            let (program, place, x) = (network(preset.semantics(DT)), oracles(keys), drive(TICKS));
            let mut witness = Witness::new(&program, &run, &Accuracy::single());
            let mut session = open(&place, &program);
            let mut before = session.save().expect("saves");
            let mut rows = Vec::new();
            let mut fired = 0.0;
            for x in x.chunks_exact(6) {
                let y = session.run(x).expect("runs");
                let after = session.save().expect("saves");
                let judged = witness.judge(&before, x, &y, &after).expect("fits");
                assert!(judged.mismatches.is_empty(), "{preset} {keys:?}: {:?}", judged.mismatches);
                fired += y.iter().map(|v| v.abs()).sum::<f32>();
                rows.extend(y);
                before = after;
            }
            assert!(fired > 1.0, "{preset} {keys:?} is silent");
            let mut whole = open(&place, &program);
            assert_eq!(whole.run(&x).expect("runs"), rows, "{preset} {keys:?}: one chunk and many");
            let mut oracle = open(&OracleSubstrate::new(), &program);
            oracle.load(&before).expect("belongs to it");
            whole.load(&oracle.save().expect("saves")).expect("belongs to it");
            assert_eq!(whole.save().expect("saves"), before, "{preset} {keys:?}");
        }
    }
}

#[test]
fn held_inputs_events_counts_and_bits_are_what_rows_are() {
    const TICKS: usize = 100;
    let mut net = Builder::new();
    let x = net.input("x", [3]);
    let weight = [[2.3, -0.7, 0.2], [0.9, 1.1, -0.4], [-0.2, 0.5, 3.6]];
    let maps = net.node("maps", Dense::new(weight.into(), None).expect("fits"), x);
    let fires = net.node("fires", lif().with("tau", 5e-3), maps);
    net.output("y", fires);
    let program = net.build(Semantics::exact(DT)).expect("valid");
    let place = oracles(&["linear", "*"]);
    let held = [1.0, 0.5, 0.75, 0.25, 2.0, 1.0];
    let dense = held.repeat(TICKS);
    let rows = open(&place, &program).run(&dense).expect("runs");
    let mut counts = [0; 6];
    let mut session = open(&place, &program);
    session.advance(Signal::Held(&held), SignalMut::Counts(&mut counts), TICKS).expect("runs");
    let sums: Vec<f32> = (0..6).map(|c| rows.iter().skip(c).step_by(6).sum()).collect();
    assert_eq!(counts.map(|c| c as f32).as_slice(), sums);
    assert!(sums.iter().sum::<f32>() > 10.0);
    let events: Vec<Event> = dense
        .iter()
        .enumerate()
        .map(|(i, &value)| {
            let number = |n: usize| u32::try_from(n).expect("small");
            Event { tick: number(i / 6), batch: number(i % 6 / 3), channel: number(i % 3), value }
        })
        .collect();
    let mut bits = [0; 2 * TICKS];
    session.reset().expect("resets");
    session.advance(Signal::Events(&events), SignalMut::Bits(&mut bits), TICKS).expect("runs");
    let ones: u32 = bits.iter().map(|b: &u8| b.count_ones()).sum();
    assert_eq!(ones, counts.iter().sum::<u32>());
}

/// White noise that comes out as it is drawn.
#[derive(Debug)]
struct Hiss;

impl Dynamics<2, 0, 0, 1> for Hiss {
    const SIGNATURE: Signature<2, 0, 0, 1> = Signature {
        id: "test.hiss/1",
        summary: "The input and a normal draw.",
        source: "this test",
        inputs: [
            Quantity::new("x", "1", [-1.0, 1.0], "input").input(),
            Quantity::new("xi", "1", [-4.0, 4.0], "draw").drawn(Draw::PerTick),
        ],
        states: [],
        parameters: [],
        outputs: [Quantity::new("y", "1", [-5.0, 5.0], "sum").output()],
    };

    fn tick<S: Scalar>(&self, [x, xi]: [S; 2], s: [S; 0], _: [S; 0], _: S) -> ([S; 0], [S; 1]) {
        (s, [x + xi])
    }
}

#[test]
fn draws_are_those_of_the_whole_program() {
    let mut net = Builder::new();
    let x = net.input("x", [3]);
    let first = net.node("a", Neuron::new(Hiss), x);
    let second = net.node("b", Neuron::new(Hiss), first);
    net.output("y", second);
    let program = net.build(Semantics::exact(DT)).expect("valid");
    let x = drive(80);
    let whole = open(&OracleSubstrate::new(), &program).run(&x).expect("runs");
    let placed = open(&oracles(&["a", "*"]), &program).run(&x).expect("runs");
    let apart = whole.iter().zip(&placed).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 1e-6, "{apart}");
    let cut = cut(&program, &["a", "*"]);
    assert_eq!(cut.segments.len(), 2);
    let part = super::parts::write(&program, &cut, 1).expect("valid");
    let alone = part.to_builder();
    let mut other = alone.clone();
    other.nodes[0].key = None;
    assert_ne!(other.build(Semantics::exact(DT)).expect("valid").digest(), part.digest());
    assert_eq!(alone.build(Semantics::exact(DT)).expect("valid").digest(), part.digest());
}

/// An oracle that fails after some ticks.
#[derive(Debug)]
struct Fragile(OracleSubstrate);

#[derive(Debug)]
struct Breaks(Box<dyn Realization>, usize);

#[async_trait]
impl Substrate for Fragile {
    fn profile(&self) -> Arc<Profile> {
        self.0.profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        Ok(Box::new(Breaks(self.0.realize(program, run).await?, 0)))
    }
}

#[async_trait]
impl Realization for Breaks {
    async fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        self.1 += ticks;
        if self.1 > 70 { Err(Error::fault("broken")) } else { self.0.advance(x, y, ticks).await }
    }

    async fn reset(&mut self) -> Result<()> {
        self.1 = 0;
        self.0.reset().await
    }
}

#[test]
fn a_part_that_fails_is_named_and_the_state_of_the_others_lost() {
    let program = network(Semantics::exact(DT));
    let fragile = Arc::new(Fragile(OracleSubstrate::new())) as Arc<dyn Substrate>;
    let oracle = Arc::new(OracleSubstrate::new()) as Arc<dyn Substrate>;
    let place = Place::new([(String::from("leak"), fragile), (String::from("*"), oracle)]).expect("keys differ");
    let mut session = open(&place, &program);
    let error = session.run(&drive(100)).expect_err("breaks");
    assert_eq!((error.kind(), error.node(), error.locator()), (ErrorKind::Fault, Some("leak"), Some("leak")));
    assert_eq!(error.state(), Integrity::Lost);
    session.reset().expect("resets");
    session.run(&drive(20)).expect("runs");
}

/// A substrate that refuses every map, and says how large it is.
#[derive(Debug)]
struct Narrow(OracleSubstrate);

#[async_trait]
impl Substrate for Narrow {
    fn profile(&self) -> Arc<Profile> {
        self.0.profile()
    }

    async fn realize(&self, program: &Program, _: &Run) -> Result<Box<dyn Realization>> {
        let node = &program.nodes()[0];
        Err(Error::unsupported(format!("give it {} modes", node.channels())).with_node(&node.name))
    }
}

#[test]
fn what_several_parts_are_refused_for_is_said_at_once() {
    let mut net = Builder::new();
    let x = net.input("x", [1]);
    let wide = net.node("wide", Dense::new([[0.5], [0.25]].into(), None).expect("fits"), x);
    let fires = net.node("fires", lif().with("tau", 5e-3), wide);
    let one = net.node("one", Dense::new([[0.5, 0.25]].into(), None).expect("fits"), fires);
    net.output("y", one);
    let program = net.build(Semantics::exact(DT)).expect("valid");
    let narrow = Arc::new(Narrow(OracleSubstrate::new())) as Arc<dyn Substrate>;
    let oracle = Arc::new(OracleSubstrate::new()) as Arc<dyn Substrate>;
    let place = Place::new([(String::from("linear"), narrow), (String::from("*"), oracle)]).expect("keys differ");
    let error = Blocking::open(&place, &program, &Run::new()).expect_err("two maps are refused");
    assert_eq!((error.kind(), error.node(), error.locator()), (ErrorKind::Unsupported, Some("wide"), Some("linear")));
    assert_eq!(error.message(), "give it 2 modes; node \"one\": give it 1 modes");
}

#[test]
fn locators_name_the_parts() {
    let mut registry = Registry::new();
    registry.register("oracle", Entry::new("the reference", |_, _| Ok(Arc::new(OracleSubstrate::new()))));
    crate::layer::register(&mut registry);
    let program = network(Semantics::exact(DT));
    let x = drive(40);
    let run = |text: &str| open(registry.open_str(text).expect("opens").as_ref(), &program).run(&x).expect("runs");
    assert_eq!(run("place:?linear=(oracle:)&*=(oracle:)"), run("place:?*=(oracle:)&linear=(oracle:)"));
    let bare = registry.open_str("place:?linear=(oracle:)&neuron=(oracle:)").expect("opens");
    let error = Blocking::open(bare.as_ref(), &program, &Run::new()).expect_err("the delay is left");
    assert_eq!((error.kind(), error.node()), (ErrorKind::Unsupported, Some("late")));
    for text in ["place:", "place:?linear=oracle", "place:?linear=(nothing:)"] {
        assert!(registry.open_str(text).is_err(), "{text}");
    }
}
