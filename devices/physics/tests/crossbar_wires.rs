//! What the wires of a crossbar take: the published figures, and what holds for every network. Run with `--nocapture` to see the tables.

mod printed;

use isoform_core::draw::Key;
use isoform_physics::crossbar::Network;
use printed::Table;
use proptest::prelude::*;

const MICRO: f64 = 1e-6;

#[test]
fn wire_drop_of_a_small_array() {
    let ohms = [[345.0, 903.0, 755.0, 257.0, 646.0], [652.0, 401.0, 508.0, 166.0, 454.0], [442.0, 874.0, 190.0, 244.0, 635.0]];
    let conductance: Vec<f64> = ohms.as_flattened().iter().map(|r: &f64| 1.0 / r).collect();
    let volts = [1.5, 4.1, 2.6];
    let mut table = Table::new("bit-line currents of a 3 by 5 array in A");
    let rows = [
        (0.5, [".01632671", ".01461618", ".02320516", ".03989815", ".01505020"]),
        (0.0, [".01651852", ".0148604", ".02374183", ".04119111", ".01544731"]),
    ];
    for (wire, expected) in rows {
        let found = Network::new(3, 5, &conductance, wire).expect("a network").solve(&volts).expect("solved").lines;
        for (column, (expected, found)) in expected.into_iter().zip(found).enumerate() {
            table.exact(&format!("{wire} ohm, line {column}"), expected, found);
        }
    }
    table.finish();
}

/// Rows whose figure is not that of a mean, with that of 2000 matrices of 16 lines and of 60 of 64 in a program of another language, which solves the
/// nodal equations by elimination: to within half a unit of the last digit, or a standard error.
const NOT_REPRODUCED: [(usize, f64, &str); 5] =
    [(16, 1.0, ".00246"), (16, 2.5, ".00613"), (16, 5.0, ".01219"), (64, 2.5, ".0828"), (64, 5.0, ".1519")];

#[test]
fn mean_loss_of_current() {
    let mut table = Table::new("mean relative loss of current, conductances even between 1 and 25 µS, all lines at 0.2 V");
    let rows =
        [(16, 40, [".0026", ".0065", ".0129"]), (32, 20, [".0094", ".0232", ".0452"]), (64, 10, [".0347", ".0821", ".1508"])];
    for (lines, matrices, expected) in rows {
        for (wire, expected) in [1.0, 2.5, 5.0].into_iter().zip(expected) {
            let losses: Vec<f64> = (0..matrices)
                .map(|matrix| {
                    let mut drawn = vec![0.0; lines * lines];
                    Key::new(lines as u64, matrix).fill_uniform(0, 0, 0, &mut drawn);
                    let conductance: Vec<f64> = drawn.iter().map(|&u| (1.0 + 24.0 * f64::from(u)) * MICRO).collect();
                    let network = Network::new(lines, lines, &conductance, wire).expect("a network");
                    let found = network.solve(&vec![0.2; lines]).expect("solved").lines;
                    let losses = found.iter().enumerate().map(|(column, current)| {
                        let ideal: f64 = (0..lines).map(|row| 0.2 * conductance[row * lines + column]).sum();
                        1.0 - current / ideal
                    });
                    losses.sum::<f64>() / lines as f64
                })
                .collect();
            let (mean, spread) = mean_and_spread(&losses);
            let error = spread / (losses.len() as f64).sqrt();
            let row = format!("{lines} lines, {wire} ohm");
            // a figure may be that of one matrix, which the mean of many is not: all three of a size are off by about the same factor
            match NOT_REPRODUCED.iter().find(|(of, ohms, _)| *of == lines && (ohms - wire).abs() < 0.1) {
                Some((_, _, found)) => {
                    eprintln!("{row}: not reproduced: {expected} expected, a mean of {mean:.5} ± {error:.5} found");
                    table.by_chance(&format!("{row}, of many matrices"), found, mean, error);
                }
                None => table.by_chance(&row, expected, mean, error),
            }
        }
    }
    table.finish();
}

fn mean_and_spread(sample: &[f64]) -> (f64, f64) {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    (mean, (sample.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

#[test]
fn pairs_of_equal_conductance_cancel_only_without_wires() {
    const LINES: usize = 64;
    // adjacent columns hold the same conductances
    let most = |matrix: u32, wire: f64| {
        let mut drawn = vec![0.0; LINES * LINES / 2];
        Key::new(5, matrix).fill_uniform(0, 0, 0, &mut drawn);
        let conductance: Vec<f64> = drawn.iter().flat_map(|&u| [(1.0 + 24.0 * f64::from(u)) * MICRO; 2]).collect();
        let found =
            Network::new(LINES, LINES, &conductance, wire).expect("a network").solve(&[0.2; LINES]).expect("solved").lines;
        found.chunks_exact(2).map(|pair| ((pair[0] - pair[1]) / pair[0]).abs()).fold(0.0, f64::max)
    };
    assert!(most(0, 0.0) < 1e-15);
    let found: Vec<f64> = (0..12).map(|matrix| most(matrix, 5.0)).collect();
    let (mean, _) = mean_and_spread(&found);
    eprintln!(
        "adjacent equal columns, 64 lines, 5 ohm: published up to .38 % apart, found {:.3} % in the mean of 12 matrices",
        100.0 * mean
    );
    assert!(found.iter().all(|&apart| (0.002..0.0038).contains(&apart)), "{found:?}");
}

fn network() -> impl Strategy<Value = (usize, usize, Vec<f64>, Vec<f64>)> {
    (1_usize..9, 1_usize..9).prop_flat_map(|(rows, columns)| {
        let conductance = prop::collection::vec(prop_oneof![Just(0.0), 1e-6..1e-3_f64], rows * columns);
        (Just(rows), Just(columns), conductance, prop::collection::vec(-1.0..1.0_f64, rows))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn laws_of_ohm_and_kirchhoff((rows, columns, g, volts) in network(), wire in 0.01..50.0_f64) {
        let found = Network::new(rows, columns, &g, wire).expect("a network").solve(&volts).expect("solved");
        let scale = g.iter().sum::<f64>();
        let at = |of: &[f64], i: usize, j: usize| of[i * columns + j];
        for (i, &volt) in volts.iter().enumerate() {
            for j in 0..columns {
                let current = at(&g, i, j) * (at(&found.words, i, j) - at(&found.bits, i, j));
                prop_assert!((current - at(&found.cells, i, j)).abs() <= 1e-11 * scale, "Ohm at ({i}, {j})");
                // what leaves a crossing along the word line and through the cell came along the word line
                let before = if j == 0 { volt } else { at(&found.words, i, j - 1) };
                let after = if j + 1 == columns { 0.0 } else { (at(&found.words, i, j) - at(&found.words, i, j + 1)) / wire };
                let came = (before - at(&found.words, i, j)) / wire;
                prop_assert!((came - after - current).abs() < 1e-11 / wire, "word line at ({i}, {j})");
                let above = if i == 0 { 0.0 } else { (at(&found.bits, i - 1, j) - at(&found.bits, i, j)) / wire };
                let below = if i + 1 == rows { 0.0 } else { at(&found.bits, i + 1, j) };
                let left = (at(&found.bits, i, j) - below) / wire;
                prop_assert!((above + current - left).abs() < 1e-11 / wire, "bit line at ({i}, {j})");
            }
        }
        let driven: f64 = (0..rows).map(|i| (volts[i] - at(&found.words, i, 0)) / wire).sum();
        let grounded: f64 = (0..columns).map(|j| at(&found.bits, rows - 1, j) / wire).sum();
        prop_assert!((driven - grounded).abs() < 1e-11 / wire, "in {driven}, out {grounded}");
        prop_assert!((grounded - found.lines.iter().sum::<f64>()).abs() < 1e-11 / wire);
    }

    #[test]
    fn driver_and_ground_can_be_exchanged((rows, columns, g, _) in network(), wire in 0.0..50.0_f64) {
        let forward = Network::new(rows, columns, &g, wire).expect("a network").transfer().expect("solved");
        // driven where it was grounded: bit lines become word lines, and both are counted from the other end
        let mut turned = vec![0.0; g.len()];
        let place = |i: usize, j: usize| (columns - 1 - j) * rows + (rows - 1 - i);
        (0..rows).for_each(|i| (0..columns).for_each(|j| turned[place(i, j)] = g[i * columns + j]));
        let back = Network::new(columns, rows, &turned, wire).expect("a network").transfer().expect("solved");
        let scale = g.iter().sum::<f64>();
        for i in 0..rows {
            for j in 0..columns {
                prop_assert!((forward[i * columns + j] - back[place(i, j)]).abs() <= 1e-12 * scale);
            }
        }
    }

    #[test]
    fn without_wires_the_product_is_ideal((rows, columns, g, volts) in network()) {
        let at = |wire: f64| Network::new(rows, columns, &g, wire).expect("a network").solve(&volts).expect("solved").lines;
        let wire = 1e-9;
        let (ideal, nearly) = (at(0.0), at(wire));
        // no piece of a line carries more than all cells at a volt, and between driver and ground no cell has more pieces than this
        let lost = wire * (rows + columns) as f64 * g.iter().sum::<f64>();
        for j in 0..columns {
            let product: f64 = (0..rows).map(|i| volts[i] * g[i * columns + j]).sum();
            prop_assert!((ideal[j] - product).abs() < 1e-15);
            let cells: f64 = (0..rows).map(|i| g[i * columns + j]).sum();
            prop_assert!((nearly[j] - product).abs() <= cells * lost + 1e-15);
        }
    }

    #[test]
    fn currents_are_linear_in_the_voltages((rows, columns, g, volts) in network(), wire in 0.0..50.0_f64, by in -3.0..3.0_f64) {
        let network = Network::new(rows, columns, &g, wire).expect("a network");
        let (matrix, lines) = (network.transfer().expect("solved"), network.solve(&volts).expect("solved").lines);
        let scaled = network.solve(&volts.iter().map(|v| by * v).collect::<Vec<_>>()).expect("solved").lines;
        let scale = g.iter().sum::<f64>();
        for j in 0..columns {
            let product: f64 = (0..rows).map(|i| volts[i] * matrix[i * columns + j]).sum();
            prop_assert!((lines[j] - product).abs() <= 1e-12 * scale && (scaled[j] - by * lines[j]).abs() <= 1e-12 * scale);
        }
    }

    // Rayleigh's law: a network at one voltage takes no more current when a resistance grows.
    #[test]
    fn longer_wires_take_more((rows, columns, g, _) in network(), volts in 0.0..1.0_f64, wire in 0.0..200.0_f64, more in 0.1..200.0_f64) {
        let driven = vec![volts; rows];
        let at = |wire: f64| Network::new(rows, columns, &g, wire).expect("a network").solve(&driven).expect("solved").lines;
        let (near, far) = (at(wire), at(wire + more));
        prop_assert!(near.iter().chain(&far).all(|&current| current >= 0.0));
        prop_assert!(far.iter().sum::<f64>() <= near.iter().sum::<f64>() * (1.0 + 1e-12));
    }

    // At one voltage v no column takes more either, as long as no cell loses more than half of it. With i = G (v - r K i) for the wires K, which is
    // nowhere negative, di/dr = -G (1 - A + A² - ...) K i for A = r K G; and A K i <= K i wherever r K i <= v/2, so that no pair of terms is negative.
    // As i <= G v, the half is kept where r K G 1 <= 1/2, and no drop of K G 1 is more than that of a whole row and a whole column at the far ends.
    #[test]
    fn every_column_loses_by_its_wires_while_cells_keep_half_of_one_voltage(
        (rows, columns, g, _) in network(), volts in 0.0..1.0_f64, share in 0.0..0.9_f64, more in 0.01..0.1_f64,
    ) {
        let along: f64 = (0..rows).map(|i| (0..columns).map(|j| g[i * columns + j]).sum()).fold(0.0, f64::max);
        let down: f64 = (0..columns).map(|j| (0..rows).map(|i| g[i * columns + j]).sum()).fold(0.0, f64::max);
        let most = 0.5 / (columns as f64 * along + rows as f64 * down).max(1e-9);
        let driven = vec![volts; rows];
        let at = |wire: f64| Network::new(rows, columns, &g, wire).expect("a network").solve(&driven).expect("solved").lines;
        let (near, far) = (at(share * most), at((share + more) * most));
        // a column is settled to a part of all that flows, not of its own current
        let slack = 1e-12 * near.iter().sum::<f64>();
        for (column, (near, far)) in near.iter().zip(&far).enumerate() {
            prop_assert!(*far <= near + slack, "column {column}: {far} after {near}");
        }
    }

    // one array holds the plus side of each pair, the other the minus side, on wires of one make: the minus side is driven by the negative
    #[test]
    fn equal_pairs_cancel_in_mirrored_arrays_and_not_in_adjacent_columns(
        (rows, columns, g) in (1_usize..9, 1_usize..9)
            .prop_flat_map(|(rows, columns)| (Just(rows), Just(columns), prop::collection::vec(1e-6..1e-3_f64, rows * columns))),
        volts in prop::collection::vec(0.1..1.0_f64, 8),
        wire in 1.0..50.0_f64,
    ) {
        let volts = &volts[..rows];
        let opposite: Vec<f64> = volts.iter().map(|v| -v).collect();
        let lines = |columns, g: &[f64], volts: &[f64]| Network::new(rows, columns, g, wire).expect("a network").solve(volts).expect("solved").lines;
        let (plus, minus) = (lines(columns, &g, volts), lines(columns, &g, &opposite));
        let scale = plus.iter().sum::<f64>();
        for (plus, minus) in plus.iter().zip(&minus) {
            prop_assert!((plus + minus).abs() <= 1e-13 * scale, "{plus} and {minus}");
        }
        let beside: Vec<f64> = g.iter().flat_map(|&g| [g; 2]).collect();
        let beside = lines(2 * columns, &beside, volts);
        // the wire between the two columns of a pair drops a part of a millionth at least, that of the least cell on an ohm
        let apart = beside.chunks_exact(2).map(|pair| (pair[0] - pair[1]).abs() / pair[0]).fold(0.0, f64::max);
        prop_assert!(apart > 1e-7, "{apart}");
    }
}

/// models.md, section 3.4, has each column fall with the resistance of the wires for all voltages that are not negative. That does not hold. Where
/// wires raise the bit line of one column, it leads current back along the word line of a row at nought to a column that would have had less. And
/// at one voltage, once a column is limited by its wires and no longer by its cells, it leaves more to its neighbour.
#[test]
fn a_column_may_gain_by_its_wires() {
    let rows = [
        ("1 V and 0 V", [1e-3, 1e-6, 1e-3, 1e-3], [1.0, 0.0], [(0.0, "1.000"), (5.0, "1.014"), (20.0, "1.305")]),
        ("1 V and 1 V", [1e-3, 0.0, 0.1, 1e-6], [1.0, 1.0], [(0.0, "1.0000"), (100.0, ".5436"), (1000.0, ".5725")]),
    ];
    let mut table = Table::new("2 by 2 cells: current of the second column in µA");
    for (name, conductance, volts, expected) in rows {
        let found = expected.map(|(wire, expected)| {
            let found = Network::new(2, 2, &conductance, wire).expect("a network").solve(&volts).expect("solved").lines;
            table.exact(&format!("{name}, {wire} ohm"), expected, found[1] / MICRO);
            found
        });
        // the second gains where both together lose
        let together = found.each_ref().map(|lines| lines[0] + lines[1]);
        assert!(found[2][1] > found[1][1] && together[2] < together[1] && together[1] < together[0], "{found:?}");
    }
    table.finish();
}
