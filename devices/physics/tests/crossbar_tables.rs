//! The cells, converters and weights of crossbars: the published figures, and what holds for every one of them. Run with `--nocapture` to see the tables.

mod printed;

use isoform_core::draw::Key;
use isoform_physics::crossbar::{Array, Converter, Device, Error, Network, Pairs, Settings};
use isoform_physics::memristor::pcm::Pcm;
use isoform_physics::memristor::reram::Wan;
use printed::Table;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn converters_round_to_the_nearest_code_and_clip_beyond_the_last(bits in 2_u32..=16, range in 0.1..10.0_f64, share in -2.0..2.0_f64) {
        let converter = Converter::new(bits, range).expect("a converter");
        let (value, is_clipped) = converter.convert(share * range);
        prop_assert!(value.abs() <= range * (1.0 + 1e-12));
        prop_assert_eq!(is_clipped, (share * range / converter.step()).abs() > converter.most() + 0.5);
        if !is_clipped {
            prop_assert!((value - share * range).abs() <= converter.step() * (0.5 + 1e-9));
        }
    }

    #[test]
    fn a_weight_is_the_difference_of_its_pair(weight in -3.0..=3.0_f64, g_min in 0.0..2.0_f64) {
        let pairs = Pairs::new(3.0, g_min, 25.0).expect("a range");
        let [plus, minus] = pairs.split(weight).expect("in range");
        prop_assert!(plus.min(minus) == g_min && plus.max(minus) <= 25.0);
        prop_assert!((pairs.join([plus, minus]) - weight).abs() < 1e-13);
        let refused = matches!(pairs.split(3.1), Err(Error::OutOfRange { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn no_cell_is_written_beyond_its_endurance(endurance in 0_u32..6, targets in prop::collection::vec((0_usize..4, 0.0..=25.0_f64), 0..40)) {
        let settings = Settings { endurance, ..Settings::new(Device::Pcm(Pcm::default())) };
        let mut array = Array::new(2, 2, settings, Key::new(1, 0));
        let mut counted = [0; 4];
        for (cell, target) in targets {
            let before = seen(&mut array);
            match array.write(cell / 2, cell % 2, target) {
                Ok(()) => counted[cell] += 1,
                Err(error) => {
                    prop_assert_eq!(error, Error::Worn { row: cell / 2, column: cell % 2, endurance });
                    prop_assert_eq!(counted[cell], endurance);
                    prop_assert_eq!(seen(&mut array), before);
                }
            }
            prop_assert_eq!(array.writes(cell / 2, cell % 2).expect("a cell"), counted[cell]);
        }
        prop_assert_eq!(array.most_writes(), counted.into_iter().max().expect("four"));
    }
}

#[test]
fn what_a_crossbar_does_not_have_is_refused() {
    let mut array = Array::new(2, 3, Settings::new(Device::Pcm(Pcm::default())), Key::new(1, 0));
    let refusal = |result: Result<(), Error>| result.expect_err("must be refused").to_string();
    assert_eq!(
        refusal(array.write(0, 0, 25.5)),
        "a conductance of 25.5 µS is outside 0 to 25 µS; scale the weights to the range of the cells"
    );
    assert!(refusal(array.write(0, 0, -1.0)).contains("outside"));
    assert!(refusal(array.write(0, 0, f64::NAN)).contains("outside"));
    assert_eq!(refusal(array.write(2, 0, 1.0)), "there is no cell (2, 0) in an array of 2 by 3");
    assert_eq!(refusal(array.write_all(&[1.0; 5])), "5 conductances do not fit; give 6");
    // one target out of range: not one cell was written
    assert!(array.write_all(&[1.0, 1.0, 1.0, 1.0, 1.0, 26.0]).is_err());
    assert_eq!(array.most_writes(), 0);
    assert!(Network::new(1, 1, &[-1e-6], 1.0).is_err() && Network::new(1, 1, &[1e-6], f64::NAN).is_err());
    assert!(Converter::new(1, 1.0).is_err() && Converter::new(8, 0.0).is_err());
    assert!(Pairs::new(1.0, 25.0, 25.0).is_err());
}

#[test]
fn program_and_verify_counts_its_pulses() {
    let mut array = Array::new(8, 8, Settings::new(Device::Pcm(Pcm::default())), Key::new(9, 0));
    let mut pulses = 0;
    for cell in 0..64 {
        let verified = array.program_and_verify(cell / 8, cell % 8, 20.0, 1.0, 100).expect("reached");
        assert!((verified.conductance - 20.0).abs() <= 1.0);
        assert_eq!(array.writes(cell / 8, cell % 8).expect("a cell"), verified.pulses);
        pulses += verified.pulses;
    }
    // a write is off by 1.084 µS and a read by a share of the 1/f noise, so that a pulse succeeds about six times of ten
    assert!((64..200).contains(&pulses), "{pulses}");
    let error = array.program_and_verify(0, 0, 5.0, 1e-9, 7).expect_err("out of reach");
    assert!(matches!(error, Error::NotReached { pulses: 7, .. }), "{error}");
    // endurance stops it as well
    let worn = Settings { endurance: 3, ..Settings::new(Device::Reram(Wan::default())) };
    let mut array = Array::new(1, 1, worn, Key::new(9, 1));
    assert_eq!(array.program_and_verify(0, 0, 5.0, 1e-9, 7), Err(Error::Worn { row: 0, column: 0, endurance: 3 }));
    assert_eq!(array.most_writes(), 3);
}

fn seen(array: &mut Array) -> (Vec<f64>, Vec<f64>) {
    let (rows, columns) = array.extent();
    let (mut g, mut v) = (vec![0.0; rows * columns], vec![0.0; rows * columns]);
    array.refresh();
    array.look(&mut g, &mut v);
    (g.into_iter().map(f64::from).collect(), v.into_iter().map(f64::from).collect())
}

#[test]
fn cells_of_an_array_drift_and_fluctuate_as_their_statistics_say() {
    const N: usize = 64 * 64;
    let pcm = Pcm::default();
    let settings = Settings { refresh: 1e-2, ..Settings::new(Device::Pcm(pcm)) };
    let mut array = Array::new(64, 64, settings, Key::new(3, 0));
    array.write_all(&[12.5; N]).expect("in range");
    let mut table = Table::new("4096 cells of 12.5 µS: mean drift");
    let (fresh, _) = seen(&mut array);
    let mean = |of: &[f64]| of.iter().sum::<f64>() / N as f64;
    let deviation = |of: &[f64]| {
        let m = mean(of);
        (of.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (N - 1) as f64).sqrt()
    };
    let mut passed = 0.0;
    for (time, expected) in [(3600.0, ".7751"), (86_400.0, ".6635"), (31_536_000.0, ".4969")] {
        array.pass(time - passed, 0);
        passed = time;
        let (old, variance) = seen(&mut array);
        // the error of a ratio of means is that of the mean of what the ratio leaves: what a write was off by is in both, and cancels
        let ratio = mean(&old) / mean(&fresh);
        let rest: Vec<f64> = old.iter().zip(&fresh).map(|(old, fresh)| old - ratio * fresh).collect();
        let error = deviation(&rest) / mean(&fresh) / (N as f64).sqrt();
        // the mean of a power is above the power of the mean: by half the variance of ν ln(t/t0) for a spread of 0.008
        let convexity = (0.008 * pcm.log_age(time)).powi(2) / 2.0;
        table.by_chance(&format!("drift after {time} s"), expected, ratio / (1.0 + convexity), error);
        // the processes faster than the refresh are left to be drawn
        let fast = (mean(&variance)).sqrt() / mean(&old);
        let spectrum = pcm.spectrum();
        let share = (spectrum.variance_after(0, 1e12) - spectrum.variance_after(4, 1e12)).sqrt();
        assert!((fast / (pcm.flicker(12.5) * share) - 1.0).abs() < 0.02, "{fast}");
    }
    table.finish();
}

#[test]
fn a_read_is_spread_by_the_published_deviation() {
    const N: usize = 48 * 48;
    let pcm = Pcm::default();
    let mut table = Table::new("reads of 2304 cells of 12.5 µS: relative deviation from the drifted conductance");
    let mut array = Array::new(48, 48, Settings::new(Device::Pcm(pcm)), Key::new(4, 0));
    array.write_all(&[12.5; N]).expect("in range");
    // the same cells without fluctuation: with the refresh beyond all processes nothing is slow, and a look has no noise
    let quiet = Settings { refresh: 1e30, ..Settings::new(Device::Pcm(pcm)) };
    let mut still = Array::new(48, 48, quiet, Key::new(4, 0));
    still.write_all(&[12.5; N]).expect("in range");
    for (time, expected) in [(0.0, ".0578"), (3600.0, ".0658"), (86_400.0, ".0702")] {
        let elapsed = time - array.now();
        array.pass(elapsed, 0);
        still.pass(elapsed, 0);
        let (truth, _) = seen(&mut still);
        let squares = (0..N).map(|c| {
            let read = array.read(c / 48, c % 48).expect("a cell");
            // the strength follows the written conductance, which is off by a known share
            let strength = pcm.read_deviation(truth[c] / pcm.drift(0.049, time), time) / pcm.read_deviation(12.5, time);
            ((read / truth[c] - 1.0) / strength).powi(2)
        });
        let found = (squares.sum::<f64>() / N as f64).sqrt();
        table.by_chance(&format!("after {time} s"), expected, found, found / (2.0 * N as f64).sqrt());
    }
    table.finish();
}

#[test]
fn reads_disturb_by_a_share_of_the_distance_to_the_largest() {
    let settings = Settings { disturb: 1e6, ..Settings::new(Device::Pcm(Pcm::default())) };
    let mut array = Array::new(32, 32, settings, Key::new(6, 0));
    array.write_all(&[5.0; 1024]).expect("in range");
    let (before, _) = seen(&mut array);
    array.pass(0.0, 250_000);
    let (after, _) = seen(&mut array);
    let moved = after.iter().zip(&before).map(|(a, b)| a - b).sum::<f64>() / 1024.0;
    // a quarter of the reads of 1/e: 1 - e^{-1/4} of some 20 µS
    assert!((moved - 0.2212 * 20.0).abs() < 0.1, "{moved}");
}

#[test]
fn arrays_repeat_by_their_key_and_differ_by_it() {
    let make = |seed| {
        let mut array = Array::new(4, 4, Settings::new(Device::Pcm(Pcm::default())), Key::new(seed, 0));
        array.write_all(&[10.0; 16]).expect("in range");
        array.pass(100.0, 3);
        seen(&mut array)
    };
    assert_eq!(make(1), make(1));
    assert_ne!(make(1), make(2));
}
