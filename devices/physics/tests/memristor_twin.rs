//! Memristors as a substrate: what they conduct, what they keep, and what is refused.

use isoform_core::error::{ErrorKind, Result};
use isoform_core::locator::Locator;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::program::Program;
use isoform_core::semantics::{Decay, Semantics};
use isoform_core::session::Blocking;
use isoform_core::substrate::{Run, Substrate};
use isoform_physics::memristor::{Biolek, Free, Linear, hp, open, stanford_pku, vteam, yakopcic};
use std::sync::Arc;

fn twin(options: &str) -> Result<Arc<dyn Substrate>> {
    let text = if options.is_empty() { String::from("twin:memristor") } else { format!("twin:memristor?{options}") };
    let locator: Locator = text.parse().expect("a locator");
    open(&mut locator.reader())
}

fn program(neuron: isoform_core::neuron::Neuron, channels: usize) -> Program {
    program_with(neuron, channels, 5e-4)
}

fn program_with(neuron: isoform_core::neuron::Neuron, channels: usize, dt: f64) -> Program {
    let mut builder = Program::builder();
    let v = builder.input("v", [channels]);
    let i = builder.node("device", neuron, v);
    builder.output("i", i);
    builder.build(Semantics::exact(dt).with_decay(Decay::Euler)).expect("a program")
}

#[test]
fn currents_are_those_of_the_model_up_to_spread_and_noise() {
    let program = program(hp(Free), 8);
    let x: Vec<f32> = (0..400).flat_map(|t| [(t as f32 / 60.0).sin(); 8]).collect();
    let run = |substrate: &dyn Substrate| Blocking::open(substrate, &program, &Run::new()).expect("opens").run(&x).expect("runs");
    let (ideal, exact) = (run(twin("spread=0&noise=0").expect("opens").as_ref()), run(&OracleSubstrate::new()));
    // steps of fourth order beside those of Euler, of 0.5 ms in a loop of 190 ms
    let worst = ideal.iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst > 0.0 && worst < 2e-7, "{worst:e} A of {:e}", exact.iter().copied().fold(0.0, f32::max));
    let real = run(twin("seed=3").expect("opens").as_ref());
    let shares: Vec<f32> = real.iter().zip(&ideal).filter(|(_, i)| i.abs() > 1e-6).map(|(r, i)| r / i - 1.0).collect();
    let spread = (shares.iter().map(|s| s * s).sum::<f32>() / shares.len() as f32).sqrt();
    eprintln!("shares of {spread:.4} in the root mean square, of 0.005 and 0.002");
    assert!((0.002..0.012).contains(&spread), "{spread}");
    // no voltage, no current, whatever the state and the noise
    let mut held = Blocking::open(twin("noise=0.1").expect("opens").as_ref(), &program, &Run::new()).expect("opens");
    held.run(&x).expect("runs");
    assert!(held.run(&[0.0; 8]).expect("runs").iter().all(|i| *i == 0.0));
}

#[test]
fn a_device_keeps_its_state_while_it_rests_and_loses_it_in_a_reset() {
    let program = program(hp(Biolek), 1);
    let mut session =
        Blocking::open(twin("model=hp-biolek&spread=0&noise=0").expect("opens").as_ref(), &program, &Run::new()).expect("opens");
    let fresh = session.run(&[0.1]).expect("runs")[0];
    session.run(&[0.9; 1000]).expect("runs");
    session.rest(3600.0).expect("rests");
    assert!(session.age().expect("has a clock") > 3600.0);
    let written = session.run(&[0.1]).expect("runs")[0];
    session.reset().expect("erases");
    let erased = session.run(&[0.1]).expect("runs")[0];
    eprintln!("{fresh:e} A, {written:e} A written, {erased:e} A erased");
    assert!(written > 1.2 * fresh && erased == fresh);
    assert!(session.rest(-1.0).is_err() && session.rest(f64::NAN).is_err());
}

#[test]
fn thresholds_and_filaments_switch_in_the_published_times() {
    let ideal = |options: &str| twin(&format!("{options}&spread=0&noise=0")).expect("opens");
    // Kvatinsky et al. 2015 with the usual constants: off in 122.4 ns at a volt, on in 4.69 ps at minus a volt, still between the thresholds
    let program = program_with(vteam(Linear), 1, 4e-10);
    let mut session = Blocking::open(ideal("model=vteam&volts=1").as_ref(), &program, &Run::new()).expect("opens");
    let rising = session.run(&[1.0; 310]).expect("runs");
    let half = rising.iter().position(|i| *i <= 1.0 / 525.0).expect("passes the middle");
    assert!(
        (152..=154).contains(&half) && (rising[309] - 1e-3).abs() < 1e-9 && rising[300] > 1.001e-3,
        "{half}, {}",
        rising[309]
    );
    assert!((session.run(&[0.02; 100]).expect("runs")[99] - 2e-5).abs() < 1e-10);
    assert!((session.run(&[-1.0]).expect("runs")[0] + 2e-2).abs() < 1e-8);
    // a filament does not move below 1.05 V, and closes at 1.5 V, by 46.5 mm/s at a gap of 1 nm (Jiang et al. 2016)
    let program = program_with(stanford_pku().with("g_start", 1e-9), 1, 8e-12);
    let mut session = Blocking::open(ideal("model=stanford-pku").as_ref(), &program, &Run::new()).expect("opens");
    let still = session.run(&[1.0; 1000]).expect("runs");
    assert!(still.iter().all(|i| *i == still[0]));
    let closing = session.run(&[1.5; 100]).expect("runs");
    let gap = |i: f32| -0.25e-9 * (f64::from(i) / (1e-3 * 6.0_f64.sinh())).ln();
    let speed = (gap(closing[0]) - gap(closing[1])) / 8e-12;
    assert!((speed / 4.647e-2 - 1.0).abs() < 0.01 && gap(closing[99]) < 0.97e-9, "{speed} m/s");
}

#[test]
fn what_a_device_is_not_is_refused() {
    for options in ["model=vo2", "spread=0.5", "noise=-1", "volts=1.1", "model=stanford-pku&volts=2.5"] {
        assert_eq!(twin(options).expect_err(options).kind(), ErrorKind::Unsupported);
    }
    let refuse = |neuron| {
        let error = Blocking::open(twin("").expect("opens").as_ref(), &program(neuron, 1), &Run::new()).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        error.to_string()
    };
    assert!(refuse(yakopcic()).contains("yakopcic"));
    let other = refuse(hp(Free).with("r_on", 50.0));
    assert!(other.contains("the devices have a r_on of 1e2; leave it as it is"), "{other}");
    let mut session = Blocking::open(twin("").expect("opens").as_ref(), &program(hp(Free), 1), &Run::new()).expect("opens");
    let error = session.run(&[1.5]).expect_err("too much");
    assert!(error.kind() == ErrorKind::InvalidSignal && error.to_string().contains("outside -1 to 1"), "{error}");
}

#[test]
fn loops_are_those_of_memristors_at_every_voltage_that_is_taken() {
    // below the frequency of a device, which hangs on the voltage, its lobes grow with it
    for options in [
        "model=vteam&volts=1&noise=0&spread=0",
        "model=vteam&volts=0.5",
        "model=vteam-exponential&volts=1",
        "model=yakopcic&volts=1.2",
        "model=stanford-pku&volts=2",
        "model=hp&volts=0.1&noise=0",
    ] {
        isoform_conformance::suite::assert_law(twin(options).expect("opens").as_ref(), "L2.pinched");
    }
}

#[test]
fn what_leaves_a_loop_open_is_told_as_it_is() {
    let told = |options: &str| {
        let options_of_run = isoform_conformance::Options::new().with_law("L2.pinched");
        let dossier = isoform_conformance::run(twin(options).expect("opens").as_ref(), &options_of_run).expect("runs");
        dossier.outcomes[0].reason.clone()
    };
    // below both thresholds a film is a resistor
    let silent = told("model=vteam&volts=0.01&noise=0&spread=0");
    assert!(silent.contains("no area beside its rounding") && !silent.contains("the noise"), "{silent}");
    assert!(told("model=vteam&volts=0.01").contains("no area beside its noise"));
}
