//! The judges on a culture and on the control: the culture responds and stays what it was, the control must fail the test of response.

use isoform_conformance::statistics::permutation;
use isoform_physics::culture::dish::Dish;
use isoform_physics::culture::electrodes::CHANNELS;
use isoform_physics::culture::network::Growth;
use isoform_physics::culture::poisson::{Poisson, RATE};
use isoform_physics::culture::response::{BINS, TO, groups, histogram, mean, order};
use isoform_physics::culture::stationarity::Band;
use isoform_physics::culture::statistics::Trains;
use isoform_physics::culture::stimulation::biphasic;

/// Spikes of so many ticks; every `period` ticks, if there is one, eight channels are stimulated.
fn listen(dish: &mut Dish, ticks: usize, period: Option<usize>) -> Trains {
    let (mut row, mut trains) = ([0.0; CHANNELS], Trains::new(CHANNELS));
    for tick in 0..ticks {
        if period.is_some_and(|period| tick % period == 0) {
            for channel in (0..CHANNELS).step_by(8) {
                dish.stimulate(channel, &biphasic(-2.0)).expect("within the limits");
            }
        }
        dish.step(&mut row);
        trains.add((0..CHANNELS).filter(|&c| row[c] > 0.0));
    }
    trains
}

/// Half of the trials are stimulated, in a drawn order; each is as long as what is left of the one before takes to go. The p-value, and both groups.
fn experiment(dish: &mut Dish, trials: usize, ticks: usize, seed: u64) -> (f64, [Vec<f64>; 2]) {
    let rows: Vec<_> =
        order(trials, seed).into_iter().map(|on| (on, histogram(&listen(dish, ticks, on.then_some(ticks)).totals))).collect();
    let [evoked, sham] = groups(&rows);
    (permutation::same(&[&evoked, &sham], BINS, seed), [evoked, sham])
}

#[test]
fn a_culture_responds() {
    for delays in [false, true] {
        let mut dish = Dish::culture(Growth { delays, ..Growth::published(5, 0) });
        listen(&mut dish, 300, None);
        let (p, found) = experiment(&mut dish, 30, 300, 1);
        let [evoked, sham] = found.map(|rows| mean(&rows));
        eprintln!("delays {delays}: p = {p}, {evoked:.0?} against {sham:.0?}");
        // no permutation is as far apart
        assert_eq!(p, 1.0 / (1 + permutation::PERMUTATIONS) as f64);
    }
}

#[test]
fn the_control_fails_at_the_stated_rate() {
    // of 200 experiments at a level of 0.05, 10 are expected to find something, with a standard deviation of 3.1
    let found = |seed| experiment(&mut Dish::control(Poisson::new(seed, 0, RATE)), 20, TO, seed).0;
    let below = (0..200).filter(|&seed| found(seed) <= 0.05).count();
    eprintln!("the control passes {below} of 200 tests at 0.05");
    assert!(below <= 22, "{below}");
    assert!(found(1) > 0.01);
}

#[test]
fn a_culture_stays_in_its_band_until_it_is_driven() {
    let mut dish = Dish::culture(Growth::published(6, 0));
    listen(&mut dish, 1000, None);
    let sessions: Vec<Trains> = (0..12).map(|_| listen(&mut dish, 1000, None)).collect();
    let band = Band::of(&sessions).expect("a baseline");
    for _ in 0..4 {
        let session = listen(&mut dish, 1000, None);
        assert_eq!(band.outside(&session), None, "{:?} in {:?}", band.measure(&session), band.bounds);
    }
    let driven = listen(&mut dish, 1000, Some(20));
    eprintln!("driven: {:?} is outside {:?}", band.outside(&driven), band.bounds);
    assert!(band.outside(&driven).is_some());
}
