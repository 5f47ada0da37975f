//! The array of neuristors as a substrate: what it promises, and what it refuses.

#![expect(clippy::print_stdout, reason = "the figures behind the promises are read")]

use isoform_core::builder::Builder;
use isoform_core::error::{ErrorKind, Result};
use isoform_core::executor::block_on;
use isoform_core::locator::Locator;
use isoform_core::neuron::Neuron;
use isoform_core::oracle::Oracle;
use isoform_core::profile::Class;
use isoform_core::program::Program;
use isoform_core::semantics::{Decay, Drive, Semantics};
use isoform_core::session::Blocking;
use isoform_core::signal::{Event, Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_physics::quantum;
use isoform_physics::quantum::array::{array, counted_array, spiking_array};
use isoform_physics::quantum::neuristor::neuristor;
use isoform_physics::quantum::rate::spike_rate;
use isoform_physics::quantum::{NeuristorArray, Wafer};
use std::sync::Arc;

/// The washout in ticks.
const WASHED: usize = 15_000;

fn opened(text: &str) -> Result<Arc<dyn Substrate>> {
    let locator: Locator = text.parse()?;
    let mut options = locator.reader();
    let substrate = quantum::open(&mut options)?;
    options.finish(&quantum::OPTIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>())?;
    Ok(substrate)
}

fn array_of(seed: u64) -> NeuristorArray {
    NeuristorArray::new(Wafer { seed, ..Wafer::default() })
}

fn semantics() -> Semantics {
    Semantics::exact(1e-8).with_decay(Decay::RungeKutta)
}

fn program(shape: [usize; 2], coupling: f64) -> Program {
    counted_array(neuristor(), shape, coupling, semantics()).expect("builds")
}

fn session(substrate: &dyn Substrate, program: &Program) -> Blocking {
    Blocking::open(substrate, program, &Run::new()).expect("is taken")
}

/// The rates of so many ticks under held voltages, `[tick, channel]`.
fn held(session: &mut Blocking, volts: &[f32], ticks: usize) -> Vec<f32> {
    let mut y = vec![0.0; ticks * volts.len()];
    session.advance(Signal::Held(volts), SignalMut::Dense(&mut y), ticks).expect("runs");
    y
}

/// Mean and standard deviation of each channel.
fn moments(rows: &[f32], channels: usize) -> Vec<(f64, f64)> {
    let of = |channel: usize| {
        let all: Vec<f64> = rows.iter().skip(channel).step_by(channels).map(|&v| f64::from(v)).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        (mean, (all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt())
    };
    (0..channels).map(of).collect()
}

#[test]
fn it_says_what_it_is() {
    let substrate = opened("neuristor:?seed=3&spread=0.001&noise=50&dt=2e-8").expect("opens");
    let profile = substrate.profile();
    assert_eq!(profile.class, Class::FreeRunning);
    assert!(profile.facets.rest && !profile.facets.memory && !profile.facets.tuning && !profile.facets.calibration);
    let medium = profile.medium.expect("promises");
    medium.check().expect("can be held against measurements");
    assert_eq!((medium.washout, medium.margin), (Some(7500), 6060.0));
    assert!((medium.noise - 1627.88).abs() < 0.01, "{}", medium.noise);
    let exemplars = substrate.exemplars();
    assert_eq!(exemplars.len(), 3);
    for program in exemplars {
        let mut running = session(substrate.as_ref(), &program);
        let realization = running.session_mut().realization();
        assert!(realization.memory().is_none() && realization.tuning().is_none() && realization.calibration().is_none());
    }
    for wrong in ["spread=0.02", "noise=-1", "dt=1e-7", "error=0", "seed=x", "tau=1"] {
        let error = opened(&format!("neuristor:?{wrong}")).expect_err("is refused");
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{wrong}: {error}");
    }
}

#[test]
fn what_it_cannot_promise_is_refused_by_name() {
    let substrate = array_of(0);
    let refused = |program: Result<Program>, run: &Run| {
        let error = block_on(substrate.realize(&program.expect("builds"), run)).map(|_| ()).expect_err("is refused");
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        error.to_string()
    };
    let refusal = |program| refused(program, &Run::new());
    let counted = |neuron: Neuron, semantics| counted_array(neuron, [1, 2], 0.0, semantics);
    let says = |text: String, what: &str| assert!(text.contains(what), "{text}");
    says(refusal(array(neuristor(), [1, 2], 0.0, semantics())), "is no rate");
    says(refusal(counted(neuristor(), semantics().with_dt(2e-8))), "open it with dt=2e-8");
    says(refusal(counted(neuristor(), semantics().with_decay(Decay::Euler))), "a tick by euler is off by");
    says(refusal(counted(neuristor(), semantics().with_input_delay(1))), "late");
    let driven = Semantics::exact(1e-8).with_decay(Decay::Euler).with_drive(Drive::ImpulseAfter);
    says(refusal(counted(neuristor(), driven)), "held drive");
    says(refusal(counted(neuristor().with("r_m", 1290.0), semantics())), "made with a r_m of 1286.3");
    says(refusal(counted(neuristor().with("noise", 100.0), semantics())), "noise of its own");
    says(refusal(counted_array(neuristor(), [2, 2], 0.02, semantics())), "a coupling of at most 0.0005");
    says(refused(Ok(program([1, 2], 0.0)), &Run::new().with_batch(2)), "a batch of one");
    says(refusal(counted_array(neuristor(), [1, 17], 0.0, semantics())), "17 channels exceed the 16");
    let slow = |name: &str, value: f64| {
        let mut net = Builder::new();
        let v_in = net.input("v_in", [2]);
        let cell = net.node("cell", neuristor(), v_in);
        let rate = net.node("rate", spike_rate().with(name, value), cell);
        net.output("rate", rate);
        net.build(semantics())
    };
    says(refusal(slow("tau", 2e-5)), "a window of 1e-5 s");
    says(refusal(slow("level", 3e-3)), "a level from 1 to 2 mA");
    // fine enough is fine
    let fine = Semantics::exact(1e-8).with_decay(Decay::Euler).with_substeps(20);
    session(&substrate, &counted(neuristor(), fine).expect("builds"));
}

#[test]
fn spikes_are_those_that_rates_count() {
    let substrate = array_of(2);
    let mut running = session(&substrate, &spiking_array(neuristor(), [1, 2], 0.0, semantics()).expect("builds"));
    let ticks = 60_000;
    let spikes = held(&mut running, &[11.0, 13.5], ticks);
    let mut counted = session(&substrate, &program([1, 2], 0.0));
    let rates = moments(&held(&mut counted, &[11.0, 13.5], ticks)[2 * WASHED..], 2);
    for (channel, (rate, _)) in rates.iter().enumerate() {
        let train: Vec<usize> = (0..ticks).filter(|t| spikes[2 * t + channel] != 0.0).collect();
        let intervals: Vec<f64> = train.windows(2).map(|w| (w[1] - w[0]) as f64 * 1e-8).collect();
        assert!(spikes.iter().all(|v| *v == 0.0 || *v == 1.0) && intervals.len() > 100);
        // as many as whole periods fit in
        let mean = intervals.iter().sum::<f64>() / intervals.len() as f64;
        assert!((mean * rate - 1.0).abs() < 1.0 / intervals.len() as f64, "{mean} {rate}");
        // the element is the oscillator that it is, not a source of independent spikes
        let spread = (intervals.iter().map(|i| (i - mean).powi(2)).sum::<f64>() / intervals.len() as f64).sqrt();
        assert!(spread < 0.1 * mean, "{spread} {mean}");
    }
}

#[test]
fn there_is_no_reset_and_it_runs_on() {
    let substrate = array_of(0);
    let mut running = session(&substrate, &program([1, 2], 0.0));
    held(&mut running, &[12.0, 13.0], 9000);
    let error = running.reset().expect_err("cannot be reset");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("after 15000 ticks"), "{error}");
    let rates = moments(&held(&mut running, &[12.0, 13.0], 1000), 2);
    assert!(rates.iter().all(|(mean, _)| (300e3..400e3).contains(mean)), "{rates:?}");
    // a voltage that an event leaves at nought is out of range, and refused before anything happens
    let events = [Event { tick: 0, batch: 0, channel: 0, value: 12.0 }];
    let mut y = [0.0; 2];
    let error = running.advance(Signal::Events(&events), SignalMut::Dense(&mut y), 1).expect_err("is refused");
    assert_eq!(error.kind(), ErrorKind::InvalidSignal);
    assert_eq!(running.run(&[14.5, 12.0]).expect_err("is out of range").kind(), ErrorKind::InvalidSignal);
    held(&mut running, &[12.0, 13.0], 1);
}

#[test]
fn rates_and_their_noise_are_within_the_promises() {
    println!("{:>4} {:>6} {:>10} {:>10} {:>8} {:>8}", "seed", "V", "program", "array", "off", "sd");
    for seed in 0..4 {
        let substrate = array_of(seed);
        let medium = substrate.profile().medium.expect("promises");
        for (program, volts) in substrate.exemplars().iter().zip([[10.8, 11.5, 12.5, 14.0], [12.5, 12.5, 13.0, 11.0]]) {
            let mut oracle = Oracle::new(program, &Run::new());
            let ticks = WASHED + 6000;
            let said: Vec<f32> = oracle.run(&volts.repeat(ticks)).iter().map(|&v| v as f32).collect();
            let found = held(&mut session(&substrate, program), &volts, ticks);
            let (said, found) = (moments(&said[4 * WASHED..], 4), moments(&found[4 * WASHED..], 4));
            for ((v, said), found) in volts.iter().zip(said).zip(found) {
                let off = (said.0 - found.0).abs();
                println!("{seed:>4} {v:>6} {:>10.0} {:>10.0} {off:>8.0} {:>8.0}", said.0, found.0, found.1);
                assert!(off < medium.margin && found.1 < medium.noise, "{medium:?}");
            }
        }
    }
}

#[test]
fn what_came_before_is_forgotten_after_the_washout_and_not_long_before() {
    const REPEATS: usize = 8;
    let substrate = array_of(1);
    let mut running = session(&substrate, &program([1, 4], 0.0));
    // means over four elements and a twentieth of the washout, early and after it
    let mut after = |history: f32| -> Vec<[f64; 2]> {
        (0..REPEATS)
            .map(|_| {
                held(&mut running, &[history; 4], WASHED);
                let response = held(&mut running, &[12.5; 4], WASHED + 750);
                let mean = |from: usize| moments(&response[4 * from..4 * (from + 750)], 4).iter().map(|m| m.0).sum::<f64>() / 4.0;
                [mean(1500), mean(WASHED)]
            })
            .collect()
    };
    let (low, high) = (after(10.8), after(14.0));
    let compare = |at: usize| {
        let stats = |all: &[[f64; 2]]| {
            let mean = all.iter().map(|r| r[at]).sum::<f64>() / REPEATS as f64;
            let squares = all.iter().map(|r| (r[at] - mean).powi(2)).sum::<f64>();
            (mean, squares / (REPEATS - 1) as f64 / REPEATS as f64)
        };
        let ((a, va), (b, vb)) = (stats(&low), stats(&high));
        ((a - b).abs(), (va + vb).sqrt())
    };
    let (early, late) = (compare(0), compare(1));
    println!("difference and standard error: at a tenth of the washout {early:?}, after it {late:?}");
    assert!(early.0 > 50e3 && early.0 > 20.0 * early.1, "{early:?}");
    // a hertz of the whole range is left
    assert!(late.0 < 4.0 * late.1 + 1.0, "{late:?}");
}

#[test]
fn it_repeats_itself_from_the_start_and_never_within() {
    let rates = |substrate: &NeuristorArray, run: &Run| {
        let mut running = Blocking::open(substrate, &program([1, 2], 0.0), run).expect("is taken");
        held(&mut running, &[12.0, 13.0], 2000)
    };
    let substrate = array_of(5);
    let first = rates(&substrate, &Run::new());
    assert_eq!(rates(&array_of(5), &Run::new()), first);
    for other in [rates(&substrate, &Run::new()), rates(&array_of(6), &Run::new()), rates(&array_of(5), &Run::new().with_seed(1))]
    {
        assert_ne!(other, first);
    }
}

#[test]
fn time_and_energy_are_told() {
    let substrate = array_of(0);
    let profile = substrate.profile();
    let mut running = session(&substrate, &program([1, 4], 0.0));
    let mut y = vec![0.0; 4000];
    let report = running.advance(Signal::Held(&[14.0; 4]), SignalMut::Dense(&mut y), 1000).expect("runs");
    assert_eq!((report.ticks, report.lost, report.clipped, report.writes), (1000, 0, 0, 0));
    assert_eq!(report.device.map(|d| d.as_nanos()), Some(10_000));
    let energy = report.energy.expect("is modelled");
    // between the load alone at a fifth of its voltage and what the price allows
    let most = profile.medium.expect("promises").price.joules * 1000.0;
    assert!(!energy.measured && energy.joules < most && energy.joules > 4.0 * 14.0 * 2.8 / 12e3 * 1e-5, "{energy:?} {most}");
    let before = held(&mut running, &[12.0; 4], 9000);
    let rest = running.session_mut().realization().rest().expect("can rest");
    block_on(rest.rest(86_400.0)).expect("passes at once");
    let age = block_on(rest.age()).expect("is told");
    assert!((age - 86_400.0 - 10_000.0 * 1e-8).abs() < 1e-6, "{age}");
    assert_eq!(block_on(rest.rest(-1.0)).expect_err("is refused").kind(), ErrorKind::InvalidSignal);
    let after = held(&mut running, &[12.0; 4], 500);
    // it ran on: the rate is what it was, without another washout
    for (before, after) in moments(&before[4 * 8500..], 4).into_iter().zip(moments(&after, 4)) {
        assert!((before.0 - after.0).abs() < 3e3, "{before:?} {after:?}");
    }
}
