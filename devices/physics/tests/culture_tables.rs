//! The statistics of the network that stands for a culture, beside those of an independent evaluation of the same equations.
//!
//! The references are means over three runs of 10 s, with the range of the three. A mean over runs of ours may be off by four standard errors of
//! itself, which are taken from the scatter of our own runs; of the Fano factor no range is known. A rhythm is the frequency of the highest
//! power in a band, and its mean may be outside the range of the references by no more. That it is a peak, and not the highest of what is flat, is
//! judged by the power beside it.
//!
//! More runs of ours would not judge more finely: the references are means of three, whose own error is then the larger one.

use isoform_core::draw::Key;
use isoform_physics::culture::network::{Growth, Network};
use isoform_physics::culture::population::{EXCITATORY, INHIBITORY};
use isoform_physics::culture::statistics::{Trains, moments, peak, spectrum};
use statrs::distribution::{ContinuousCDF, FisherSnedecor};
use std::ops::RangeInclusive;

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

/// Counts of a tick without a rhythm, by inversion.
fn poisson(mean: f64, seed: u64) -> Vec<f64> {
    let mut drawn = vec![0.0_f32; TICKS];
    Key::new(seed, 0).fill_uniform(0, 0, 0, &mut drawn);
    let count = |u: f32| {
        let (mut n, mut term, mut sum) = (0.0, (-mean).exp(), (-mean).exp());
        while sum < f64::from(u) {
            n += 1.0;
            term *= mean / n;
            sum += term;
        }
        n
    };
    drawn.into_iter().map(count).collect()
}

/// The places of a band in hertz.
fn bins(band: [usize; 2]) -> RangeInclusive<usize> {
    band[0] * SEGMENT / 1000..=band[1] * SEGMENT / 1000
}

/// The highest power within a band over the mean power beside it, of all runs together.
fn contrast(spectra: &[Vec<f64>], within: [usize; 2], beside: [[usize; 2]; 2]) -> f64 {
    let power = |k: usize| spectra.iter().map(|s| s[k]).sum::<f64>();
    let flanks: Vec<f64> = beside.into_iter().flat_map(bins).map(power).collect();
    bins(within).map(power).fold(0.0, f64::max) / moments(&flanks).0
}

/// What the contrast of a flat spectrum is above by a chance of a millionth at most.
///
/// A power of a segment is a χ² of two degrees of freedom. Of segments that overlap by half every other one is independent, and of the places of a
/// Hann window every third; a mean over all has as many degrees of freedom at least. The ratio is then an F, in each place of the band.
fn least_of_a_peak(within: [usize; 2], beside: [[usize; 2]; 2]) -> f64 {
    let [places, flanks] = [bins(within).count(), beside.into_iter().flat_map(bins).count()];
    let freedom = 2.0 * (TICKS / SEGMENT) as f64 * RUNS as f64;
    let ratio = FisherSnedecor::new(freedom, freedom * (flanks / 3) as f64).expect("has freedom");
    ratio.inverse_cdf(1.0 - 1e-6 / places as f64)
}

fn shown(range: Option<[f64; 2]>) -> String {
    range.map_or_else(|| String::from("not known"), |range| format!("{range:?}"))
}

#[test]
fn the_published_network_has_the_reference_statistics() {
    let runs: Vec<Trains> = (1..=RUNS).map(run).collect();
    let spectra: Vec<Vec<f64>> = runs.iter().map(|t| spectrum(&t.totals, SEGMENT, 120)).collect();
    let noise: Vec<Vec<f64>> =
        runs.iter().zip(1..).map(|(t, seed)| spectrum(&poisson(moments(&t.totals).0, seed), SEGMENT, 120)).collect();
    let hertz =
        |range: [usize; 2]| spectra.iter().map(|s| peak(s, bins(range)) as f64 * 1000.0 / SEGMENT as f64).collect::<Vec<f64>>();
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
    // where a rhythm is looked for, and the bands beside it
    for (name, range, within, beside) in [
        ("rhythm, Hz", [7.4, 8.1], [4, 15], [[1, 3], [16, 24]]),
        ("fast rhythm, Hz", [30.0, 36.0], [25, 50], [[16, 24], [51, 59]]),
    ] {
        let least = least_of_a_peak(within, beside);
        let [flat, peaked] = [&noise, &spectra].map(|spectra| contrast(spectra, within, beside));
        eprintln!("{name:<24}highest power over that beside: {peaked:.3}, of a flat spectrum {flat:.3}; a peak above {least:.3}");
        if peaked < least || flat > least {
            wrong.push(name);
        }
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
