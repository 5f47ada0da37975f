//! Memristors as a substrate: what they conduct, what they keep, and what is refused.

use isoform_core::error::{ErrorKind, Result};
use isoform_core::locator::Locator;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::program::Program;
use isoform_core::semantics::{Decay, Semantics};
use isoform_core::session::Blocking;
use isoform_core::substrate::{Run, Substrate};
use isoform_physics::memristor::{Biolek, Free, hp, open, yakopcic};
use std::sync::Arc;

fn twin(options: &str) -> Result<Arc<dyn Substrate>> {
    let text = if options.is_empty() { String::from("twin:memristor") } else { format!("twin:memristor?{options}") };
    let locator: Locator = text.parse().expect("a locator");
    open(&mut locator.reader())
}

fn program(neuron: isoform_core::neuron::Neuron, channels: usize) -> Program {
    let mut builder = Program::builder();
    let v = builder.input("v", [channels]);
    let i = builder.node("device", neuron, v);
    builder.output("i", i);
    builder.build(Semantics::exact(5e-4).with_decay(Decay::Euler)).expect("a program")
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
fn what_a_device_is_not_is_refused() {
    for options in ["model=vo2", "spread=0.5", "noise=-1"] {
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
