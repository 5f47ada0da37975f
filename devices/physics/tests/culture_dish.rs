//! What holds of every dish: limits, the log, repeatability, resuming.

use isoform_physics::culture::dish::Dish;
use isoform_physics::culture::electrodes::CHANNELS;
use isoform_physics::culture::network::{Growth, Network};
use isoform_physics::culture::plasticity::PairRule;
use isoform_physics::culture::poisson::{Poisson, RATE};
use isoform_physics::culture::stimulation::{Given, Phase, Refusal, biphasic, check};
use proptest::prelude::*;

/// A small culture, so that many can be grown.
fn small(seed: u64, delays: bool, plastic: bool) -> Growth {
    let plasticity = plastic.then(PairRule::default);
    Growth { excitatory: 160, inhibitory: 40, delays, plasticity, ..Growth::published(seed, 7) }
}

fn listen(dish: &mut Dish, ticks: usize) -> Vec<f32> {
    let mut rows = vec![0.0; ticks * CHANNELS];
    for (tick, row) in rows.chunks_exact_mut(CHANNELS).enumerate() {
        if tick % 7 == 0 {
            // a channel comes again after 64 ticks
            dish.stimulate(dish.ticks() as usize % CHANNELS, &biphasic(-2.5)).expect("within the limits");
        }
        dish.step(row);
    }
    rows
}

#[test]
fn the_same_seeds_give_the_same_run() {
    let grow = |seed, noise| Network::new(Growth { noise, delays: true, ..Growth::published(seed, 0) });
    let spikes = |mut network: Network| {
        let quiet = vec![0.0; network.len()];
        (0..200).map(|_| network.step(&quiet).to_vec()).collect::<Vec<_>>()
    };
    let run = spikes(grow(1, 1));
    assert_eq!(run, spikes(grow(1, 1)));
    assert_ne!(run, spikes(grow(2, 1)));
    assert_ne!(run, spikes(grow(1, 2)));
}

#[test]
fn a_plastic_culture_with_delays_keeps_firing() {
    let plasticity = Some(PairRule::default());
    let mut network = Network::new(Growth { delays: true, plasticity, ..Growth::published(3, 0) });
    let (quiet, before) = (vec![0.0; network.len()], network.synapses().clone());
    let spikes: usize = (0..2000).map(|_| network.step(&quiet).len()).sum();
    let rate = spikes as f64 / 2000.0;
    eprintln!("{rate} Hz");
    assert!((1.0..30.0).contains(&rate), "{rate} Hz");
    let all = 0..network.len();
    let synapses = network.synapses();
    let moved = |from: usize| all.clone().filter(|&to| synapses.weight(from, to) != before.weight(from, to)).count();
    assert!((0..800).map(moved).sum::<usize>() > 100_000, "excitatory synapses learn");
    assert_eq!((800..1000).map(moved).sum::<usize>(), 0, "inhibitory ones do not");
    assert!((0..800).all(|from| all.clone().all(|to| (0.0..=0.5).contains(&synapses.weight(from, to)))));
}

#[test]
fn a_stimulus_makes_its_cluster_fire() {
    let mut rows = [[0.0; CHANNELS]; 4];
    let mut dish = Dish::culture(Growth::published(1, 0));
    let mut fired = 0.0;
    for _ in 0..50 {
        for tick in 0..100 {
            if tick == 40 {
                dish.stimulate(11, &biphasic(-3.0)).expect("within the limits");
            }
            let at = if (40..44).contains(&tick) { tick - 40 } else { 0 };
            dish.step(&mut rows[at]);
            fired += if at > 0 { rows[at][11] } else { 0.0 };
        }
    }
    // three ticks of each of 50 trials; a channel without a stimulus fires in one tick of ten
    eprintln!("{fired} spikes after 50 stimuli");
    assert!(fired > 50.0, "{fired}");
}

#[test]
fn a_state_of_another_dish_is_refused() {
    let mut culture = Dish::culture(small(1, false, false));
    let mut control = Dish::control(Poisson::new(1, 0, RATE));
    listen(&mut culture, 20);
    let before = culture.save();
    assert!(!culture.load(&control.save()));
    assert!(!culture.load(&Dish::culture(small(1, false, true)).save()));
    assert!(!culture.load(&Dish::culture(small(1, true, false)).save()));
    assert!(!control.load(&before));
    assert_eq!(culture.save(), before);
}

/// Phases, about half of them within the limits.
fn phases() -> impl Strategy<Value = Vec<Phase>> {
    let current = (0..=34_i32).prop_map(|tenths| f64::from(tenths) / 10.0);
    let balanced = (current.clone(), 1..=60_u32, 0..2_u32).prop_map(|(current, width, odd)| {
        [current, -current].map(|current| Phase { width: width * 20 + 7 * odd, current }).to_vec()
    });
    let free = prop::collection::vec((0..=80_u32, -34..=34_i32), 0..5).prop_map(|list| {
        list.into_iter().map(|(width, tenths)| Phase { width: width * 10, current: f64::from(tenths) / 10.0 }).collect()
    });
    prop_oneof![3 => balanced, 1 => free]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is refused changes nothing; what is not is in the log, and nothing else is.
    #[test]
    fn the_log_is_what_was_asked_for_and_not_refused(requests in prop::collection::vec((0..4_u32, 0..70_usize, phases()), 1..40)) {
        let mut dish = Dish::control(Poisson::new(1, 0, RATE));
        let (mut row, mut given) = ([0.0; CHANNELS], Vec::new());
        for (ticks, channel, phases) in &requests {
            (0..*ticks).for_each(|_| dish.step(&mut row));
            let before = dish.save();
            match dish.stimulate(*channel, phases) {
                Ok(()) => {
                    prop_assert!(*channel < CHANNELS && check(*channel, phases).is_ok());
                    given.push(Given::new(dish.ticks() * 1000, *channel, phases));
                }
                Err(Refusal::Channel { channel: named, .. } | Refusal::Limit { channel: named, .. }) => {
                    prop_assert_eq!(named, *channel);
                    prop_assert_eq!(dish.save(), before);
                }
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
        prop_assert_eq!(dish.log().given().copied().collect::<Vec<_>>(), given);
        // the rate holds in the log: pulses of one channel are five milliseconds apart, or more
        for channel in 0..CHANNELS {
            let times: Vec<u64> = dish.log().given().filter(|g| g.channel == channel).map(|g| g.at).collect();
            prop_assert!(times.windows(2).all(|t| t[1] - t[0] >= 5000));
        }
    }

    /// A dish that is saved and goes on, in itself or in another of the same growth, does what it would have done.
    #[test]
    fn a_dish_resumes_bit_for_bit(seed in 0..1000_u64, delays: bool, plastic: bool, before in 0..60_usize) {
        let mut dish = Dish::culture(small(seed, delays, plastic));
        listen(&mut dish, before);
        dish.stimulate(63, &biphasic(1.5)).expect("within the limits");
        let state = dish.save();
        let rows = listen(&mut dish, 80);
        let mut other = Dish::culture(small(seed, delays, plastic));
        listen(&mut other, 13);
        prop_assert!(other.load(&state));
        prop_assert_eq!(listen(&mut other, 80), rows);
        prop_assert_eq!(other.save(), dish.save());
    }
}
