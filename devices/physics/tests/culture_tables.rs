//! The statistics of the network that stands for a culture, beside those of an independent evaluation of the same equations.
//!
//! The references are means over three runs of 10 s, with the range of the three. A mean over runs of ours may be off by four standard errors of
//! itself, which are taken from the scatter of our own runs; of the Fano factor no range is known. A rhythm is the frequency of the highest
//! power in a band, and its mean may be outside the range of the references by no more.
//!
//! More runs of ours would not judge more finely: the references are means of three, whose own error is then the larger one.

use isoform_physics::culture::network::{Growth, Network};
use isoform_physics::culture::population::{EXCITATORY, INHIBITORY};
use isoform_physics::culture::statistics::{Trains, moments, peak, spectrum};

const ALL: usize = EXCITATORY + INHIBITORY;
const RUNS: u64 = 8;
const TICKS: usize = 10_000;
/// Ticks of a segment of the spectrum, whose frequencies are half a hertz apart.
const SEGMENT: usize = 2000;

/// A statistic: its name, the reference, the range of that, and our runs.
type Row = (&'static str, f64, Option<[f64; 2]>, Vec<f64>);

/// One run of 10 s from the beginning.
fn run(seed: u64) -> Trains {
    let mut network = Network::new(Growth::published(seed, 0));
    let (quiet, mut trains) = (vec![0.0; ALL], Trains::new(ALL));
    for _ in 0..TICKS {
        trains.add(network.step(&quiet).iter().map(|&n| usize::from(n)));
    }
    trains
}

fn shown(range: Option<[f64; 2]>) -> String {
    range.map_or_else(|| String::from("not known"), |range| format!("{range:?}"))
}

#[test]
fn the_published_network_has_the_reference_statistics() {
    let runs: Vec<Trains> = (1..=RUNS).map(run).collect();
    let spectra: Vec<Vec<f64>> = runs.iter().map(|t| spectrum(&t.totals, SEGMENT, 120)).collect();
    let hertz = |range: [usize; 2]| {
        let bins = range[0] * SEGMENT / 1000..=range[1] * SEGMENT / 1000;
        spectra.iter().map(|s| peak(s, bins.clone()) as f64 * 1000.0 / SEGMENT as f64).collect::<Vec<f64>>()
    };
    let of = |f: &dyn Fn(&Trains) -> f64| runs.iter().map(f).collect::<Vec<f64>>();
    let rows: [Row; 4] = [
        ("E rate, Hz", 7.36, Some([7.31, 7.42]), of(&|t| 1e3 * t.rate(0..EXCITATORY))),
        ("I rate, Hz", 6.73, Some([6.63, 6.82]), of(&|t| 1e3 * t.rate(EXCITATORY..ALL))),
        ("pooled ISI CV", 1.06, Some([0.97, 1.11]), of(&Trains::variation)),
        ("population Fano, 1 ms", 3.72, None, of(&|t| t.fano(1))),
    ];
    eprintln!("{:<24}{:>10}{:>18}{:>10}{:>10}   runs", "", "expected", "range of 3", "found", "4 s.e.");
    let mut wrong = Vec::new();
    for (name, expected, range, found) in &rows {
        let (mean, variance) = moments(found);
        let error = 4.0 * (variance / (RUNS - 1) as f64).sqrt();
        eprintln!("{name:<24}{expected:>10.3}{:>18}{mean:>10.3}{error:>10.3}   {found:.3?}", shown(*range));
        if (mean - expected).abs() > error {
            wrong.push(*name);
        }
    }
    for (name, range, within) in [("rhythm, Hz", [7.4, 8.1], [4, 15]), ("fast rhythm, Hz", [30.0, 36.0], [25, 50])] {
        let found = hertz(within);
        let (mean, variance) = moments(&found);
        let error = 4.0 * (variance / (RUNS - 1) as f64).sqrt();
        eprintln!("{name:<24}{:>10}{:>18}{mean:>10.3}{error:>10.3}   {found:.1?}", "", shown(Some(range)));
        if mean < range[0] - error || mean > range[1] + error {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
