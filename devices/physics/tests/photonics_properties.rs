//! What holds of every mesh: energy, reciprocity, layouts, permutations, loss.

use isoform_physics::photonics::decomposition::{Decomposition, Layout};
use isoform_physics::photonics::fabric::Fabric;
use isoform_physics::photonics::matrix::{Complex, Matrix};
use isoform_physics::photonics::phases::{Convention, Phases};
use isoform_physics::photonics::singular::Singular;
use proptest::prelude::*;
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};

const LAYOUTS: [Layout; 2] = [Layout::Rectangle, Layout::Triangle];

fn power(field: &[Complex]) -> f64 {
    field.iter().map(Complex::norm_sqr).sum()
}

/// Light that comes back through a mesh, part by part: a coupler, a phase and a loss do the same in both directions, but come in the other order.
fn backward(phases: &Phases, fabric: &Fabric, field: &mut [Complex]) {
    field.iter_mut().zip(&phases.output).for_each(|(e, &p)| *e *= Complex::cis(p));
    // a mode that has no element in a column meets a dummy there, or nothing
    let size = field.len();
    let mut column = vec![fabric.depth(); size];
    let met = columns(phases, size);
    let idle = |skipped: usize| if fabric.dummies { fabric.through.powi(i32::try_from(skipped).expect("few")) } else { 1.0 };
    for ((element, split), at) in phases.elements.iter().zip(&fabric.couplers).zip(met).rev() {
        for mode in [element.mode, element.mode + 1] {
            field[mode] *= fabric.through * idle(column[mode] - at - 1);
            column[mode] = at;
        }
        for (phase, off) in [(element.internal, split[1]), (element.external, split[0])] {
            let (upper, lower) = (field[element.mode], field[element.mode + 1]);
            let (bar, cross) = ((FRAC_PI_4 + off).cos(), Complex::I * (FRAC_PI_4 + off).sin());
            field[element.mode] = (upper * bar + lower * cross) * Complex::cis(phase);
            field[element.mode + 1] = upper * cross + lower * bar;
        }
    }
    field.iter_mut().zip(column).for_each(|(e, skipped)| *e *= idle(skipped));
}

/// The column of each element: the first in which both of its modes are free.
fn columns(phases: &Phases, size: usize) -> Vec<usize> {
    let mut free = vec![0; size];
    let place = |mode: usize| {
        let at = free[mode].max(free[mode + 1]);
        (free[mode], free[mode + 1]) = (at + 1, at + 1);
        at
    };
    phases.elements.iter().map(|e| e.mode).map(place).collect()
}

/// Holds both layouts of the permutation that sorts some numbers to bars and crosses.
fn bars_and_crosses(order: &[usize]) {
    let mut places: Vec<usize> = (0..order.len()).collect();
    places.sort_by_key(|&i| order[i]);
    let n = places.len();
    let matrix = Matrix::from_fn(n, n, |r, c| if places[c] == r { Complex::ONE } else { Complex::ZERO });
    for layout in LAYOUTS {
        let found = Decomposition::of(&matrix, layout);
        assert!(found.elements.iter().all(|e| e.theta.min((e.theta - FRAC_PI_2).abs()) < 1e-12), "{found:?}");
        assert!(Phases::of(&matrix, layout, Convention::SingleArm).matrix().distance(&matrix) < 1e-13);
    }
}

#[test]
fn what_rounding_leaves_of_noughts_is_no_angle() {
    bars_and_crosses(&[4, 5, 2, 6, 1, 3, 7, 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn light_is_neither_made_nor_lost(size in 1..=8_usize, seed in 0..10_000_u64, x in proptest::collection::vec(-2.0..2.0_f64, 16)) {
        let field: Vec<Complex> = x.chunks_exact(2).take(size).map(|p| Complex::new(p[0], p[1])).collect();
        for layout in LAYOUTS {
            let phases = Phases::of(&Matrix::haar(size, seed), layout, Convention::SingleArm);
            let mut passed = field.clone();
            phases.pass(&mut passed);
            prop_assert!((power(&passed) - power(&field)).abs() < 1e-12 * (1.0 + power(&field)));
            let at_once = phases.matrix().apply(&field);
            prop_assert!(at_once.iter().zip(&passed).all(|(a, b)| (a - b).norm() < 1e-13));
            // uneven couplers keep the power as well
            let uneven = Fabric::ideal(size, layout).with_couplers(0.2, seed).matrix(&phases).apply(&field);
            prop_assert!((power(&uneven) - power(&field)).abs() < 1e-12 * (1.0 + power(&field)));
        }
    }

    #[test]
    fn the_way_back_is_the_transpose(
        size in 1..=7_usize, seed in 0..10_000_u64, x in proptest::collection::vec(-2.0..2.0_f64, 14),
        sigma in prop_oneof![Just(0.0), 0.0..0.3_f64], loss in prop_oneof![Just(0.0), 0.0..1.0_f64], dummies in any::<bool>(),
    ) {
        for layout in LAYOUTS {
            let phases = Phases::of(&Matrix::haar(size, seed), layout, Convention::SingleArm);
            let fabric = Fabric::ideal(size, layout).with_couplers(sigma, seed).with_loss(loss, dummies);
            let mut field: Vec<Complex> = x.chunks_exact(2).take(size).map(|p| Complex::new(p[0], p[1])).collect();
            let wanted = fabric.matrix(&phases).transpose().apply(&field);
            backward(&phases, &fabric, &mut field);
            prop_assert!(field.iter().zip(&wanted).all(|(a, b)| (a - b).norm() < 1e-12));
        }
    }

    #[test]
    fn loss_keeps_singular_values_between_all_of_it_and_none(
        size in 1..=8_usize, seed in 0..10_000_u64, loss in 0.0..2.0_f64, sigma in prop_oneof![Just(0.0), 0.0..0.3_f64],
    ) {
        for layout in LAYOUTS {
            let phases = Phases::of(&Matrix::haar(size, seed), layout, Convention::Clements);
            let values = |dummies| {
                let fabric = Fabric::ideal(size, layout).with_couplers(sigma, seed).with_loss(loss, dummies);
                (Singular::of(&fabric.matrix(&phases)).values, fabric.through.powi(i32::try_from(fabric.depth()).expect("small")))
            };
            let (without, least) = values(false);
            prop_assert!(without.iter().all(|&s| s >= least * (1.0 - 1e-12) && s <= 1.0 + 1e-12), "{without:?} and {least}");
            // with dummies each way has all of it
            prop_assert!(values(true).0.iter().all(|s| (s / least - 1.0).abs() < 1e-12));
        }
    }

    #[test]
    fn both_layouts_are_the_same_matrix(size in 1..=8_usize, seed in 0..10_000_u64) {
        let [a, b] = LAYOUTS.map(|layout| Phases::of(&Matrix::haar(size, seed), layout, Convention::Clements).matrix());
        prop_assert!(a.distance(&b) < 1e-12);
    }

    #[test]
    fn a_permutation_needs_only_bars_and_crosses(order in proptest::sample::subsequence((0..8_usize).collect::<Vec<_>>(), 1..=8).prop_shuffle()) {
        bars_and_crosses(&order);
    }

    #[test]
    fn more_loss_is_less_light(size in 2..=8_usize, seed in 0..10_000_u64, loss in 0.0..1.0_f64, more in 0.01..1.0_f64, dummies in any::<bool>()) {
        for layout in LAYOUTS {
            let phases = Phases::of(&Matrix::haar(size, seed), layout, Convention::Clements);
            let through = |loss| {
                let fabric = Fabric::ideal(size, layout).with_loss(loss, dummies);
                let matrix = fabric.matrix(&phases);
                let columns: Vec<f64> = (0..size).map(|c| (0..size).map(|r| matrix.at(r, c).norm_sqr()).sum()).collect();
                (columns, fabric.depth(), fabric.through)
            };
            let ((a, depth, amplitude), (b, _, _)) = (through(loss), through(loss + more));
            prop_assert!(a.iter().zip(&b).all(|(a, b)| b < a || size == 2 && b <= a));
            // whatever way light takes, it meets no more columns than there are
            let least = amplitude.powi(2 * i32::try_from(depth).expect("small"));
            prop_assert!(a.iter().all(|&p| p <= 1.0 + 1e-12 && p >= least * (1.0 - 1e-12)));
            if dummies {
                prop_assert!(a.iter().all(|p| (p / least - 1.0).abs() < 1e-12));
            }
        }
    }

    #[test]
    fn finer_steps_are_nearer(size in 2..=8_usize, seed in 0..10_000_u64, bits in 4..16_u32) {
        let wanted = Matrix::haar(size, seed);
        let phases = Phases::of(&wanted, Layout::Rectangle, Convention::Clements);
        let found = phases.quantised(bits);
        let step = std::f64::consts::TAU / f64::from(bits).exp2();
        prop_assert!(found.list().iter().all(|p| (p / step - (p / step).round()).abs() < 1e-6));
        // an error δ of a phase moves a matrix by at most δ in the operator norm, and errors of all add
        let most = phases.list().len() as f64 * step / 2.0;
        prop_assert!(found.matrix().distance(&wanted) <= most);
        prop_assert_eq!(found.quantised(bits).list(), found.list());
    }
}
