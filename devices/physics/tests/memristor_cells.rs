//! The statistics of phase-change and resistive cells: how far a write is off, how they drift, how they fluctuate. Run with `--nocapture` to see the
//! tables.

mod printed;

use isoform_core::draw::{Key, normal};
use isoform_physics::memristor::flicker::{DECADES, Flicker, Spectrum};
use isoform_physics::memristor::pcm::Pcm;
use isoform_physics::memristor::reram::{Cmo, Wan};
use printed::Table;
use proptest::prelude::*;

fn draw(seed: u64, lane: usize, tick: usize) -> f64 {
    f64::from(normal(Key::new(seed, 0).bits(lane as u32, 0, tick as u64)))
}

/// Standard deviation about a known mean of nought, and its standard error.
fn deviation(sample: &[f64]) -> (f64, f64) {
    let n = sample.len() as f64;
    let deviation = (sample.iter().map(|v| v * v).sum::<f64>() / n).sqrt();
    (deviation, deviation / (2.0 * n).sqrt())
}

const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;
const YEAR: f64 = 365.0 * DAY;

#[test]
fn drift_and_noise_of_phase_change_cells() {
    let pcm = Pcm::default();
    let rows = [
        (25.0, "1.0554", [".0490", ".0080"], [".7751", ".6635", ".4969"], [".0368", ".0419", ".0448", ".0496"]),
        (12.5, ".9527", [".0490", ".0080"], [".7751", ".6635", ".4969"], [".0578", ".0658", ".0702", ".0778"]),
        (5.0, ".6096", [".0493", ".0142"], [".7737", ".6616", ".4945"], [".1048", ".1194", ".1274", ".1412"]),
        (2.5, ".4482", [".0601", ".0229"], [".7317", ".6047", ".4242"], [".1645", ".1873", ".2000", ".2216"]),
    ];
    let mut table = Table::new("phase-change cells: conductances in µS, reads relative");
    for (g, write, exponent, drift, read) in rows {
        table.exact(&format!("{g} µS, deviation of a write"), write, pcm.programming_deviation(g));
        let (mean, spread) = pcm.drift_statistics(g);
        table.exact(&format!("{g} µS, mean of the exponent"), exponent[0], mean);
        table.exact(&format!("{g} µS, deviation of the exponent"), exponent[1], spread);
        for (time, expected) in [HOUR, DAY, YEAR].into_iter().zip(drift) {
            table.exact(&format!("{g} µS, drift after {time} s"), expected, pcm.drift(mean, time));
        }
        for (time, expected) in [0.0, HOUR, DAY, YEAR].into_iter().zip(read) {
            table.exact(&format!("{g} µS, read after {time} s"), expected, pcm.read_deviation(g, time));
        }
    }
    table.finish();
}

#[test]
fn cells_are_spread_as_their_statistics_say() {
    const N: usize = 3000;
    let pcm = Pcm::default();
    let mut table = Table::new("phase-change cells, by chance: deviations over 3000 cells");
    let read: [(f64, [&str; 4]); 2] = [(25.0, [".0368", ".0419", ".0448", ".0496"]), (2.5, [".1645", ".1873", ".2000", ".2216"])];
    for (cell, (g, expected)) in read.into_iter().enumerate() {
        let writes: Vec<f64> = (0..N).map(|i| pcm.write(g, draw(1 + cell as u64, i, 0)) - g).collect();
        let (found, error) = deviation(&writes);
        let programmed = ["1.0554", ".4482"][cell];
        table.by_chance(&format!("{g} µS, write"), programmed, found, error);
        let (mean, _) = pcm.drift_statistics(g);
        let exponents: Vec<f64> = (0..N).map(|i| pcm.drift_exponent(g, draw(3 + cell as u64, i, 0)) - mean).collect();
        let (found, error) = deviation(&exponents);
        table.by_chance(&format!("{g} µS, exponent"), [".0080", ".0229"][cell], found, error);
        // one fluctuation that goes on from the write to the end of the year
        let (spectrum, q) = (pcm.spectrum(), pcm.flicker(g));
        let mut cells = vec![Flicker::new(); N];
        let gaps = [pcm.t_0, HOUR, DAY - HOUR, YEAR - DAY];
        for (passed, ((gap, time), expected)) in gaps.into_iter().zip([0.0, HOUR, DAY, YEAR]).zip(expected).enumerate() {
            for (i, flicker) in cells.iter_mut().enumerate() {
                flicker.pass(&spectrum, gap, |k| draw(5 + cell as u64, i * DECADES + k, passed));
            }
            let (found, error) = deviation(&cells.iter().map(|f| q * f.value()).collect::<Vec<_>>());
            table.by_chance(&format!("{g} µS, read after {time} s"), expected, found, error);
        }
    }
    table.finish();
}

#[test]
fn the_fluctuation_has_the_published_rms_and_a_flat_allan_deviation() {
    let pcm = Pcm::default();
    let spectrum = pcm.spectrum();
    for time in [0.0, 1.0, 60.0, HOUR, DAY, YEAR, 30.0 * YEAR] {
        let ours = spectrum.variance_after(0, time + pcm.t_0).sqrt() * pcm.flicker(12.5);
        let ratio = ours / pcm.read_deviation(12.5, time);
        assert!((ratio - 1.0).abs() < 1.3e-3, "{ratio} after {time} s");
    }
    // sixteen decades of averaging times would be flat but for the ripple of one process a decade
    for quarter in -16..=32 {
        let seconds = 10_f64.powf(f64::from(quarter) / 4.0);
        let ratio = (spectrum.allan_variance(seconds) / (2.0 * 2_f64.ln())).sqrt();
        assert!((ratio - 1.0).abs() < 0.0125, "{ratio} at {seconds} s");
    }
}

#[test]
fn the_allan_deviation_of_a_trace_is_flat_where_white_noise_falls() {
    const TICKS: usize = 256;
    const TRACES: usize = 300;
    let spectrum = Spectrum::of_read(250e-9);
    // averages of m ticks of 1 ms, from traces at rest
    let allan = |trace: &[f64], m: usize| {
        let means: Vec<f64> = trace.chunks_exact(m).map(|c| c.iter().sum::<f64>() / m as f64).collect();
        means.windows(2).map(|w| (w[1] - w[0]).powi(2) / 2.0).sum::<f64>() / (means.len() - 1) as f64
    };
    let mut slow = [0.0; 2];
    for trace in 0..TRACES {
        let mut flicker = Flicker::new();
        flicker.pass(&spectrum, YEAR, |k| draw(11, trace * DECADES + k, 0));
        let values: Vec<f64> = (1..=TICKS)
            .map(|tick| {
                flicker.pass(&spectrum, 1e-3, |k| draw(11, trace * DECADES + k, tick));
                flicker.value()
            })
            .collect();
        slow[0] += allan(&values, 32) / TRACES as f64;
        slow[1] += allan(&values, 128) / TRACES as f64;
    }
    let flat = 2.0 * 2_f64.ln();
    let ratios = slow.map(|s| (s / flat).sqrt());
    eprintln!("Allan deviation over that of 1/f noise: 32 ms {:.3}, 128 ms {:.3}", ratios[0], ratios[1]);
    // white noise of the same deviation would read 4.8/√32 = 0.85 of it and 0.42; what is faster than a tick adds its share at 32 ms
    let fast = spectrum.variance_after(0, 1e12) - spectrum.variance_after(3, 1e12);
    for (m, ratio) in [32.0, 128.0].into_iter().zip(ratios) {
        let expected = ((spectrum.allan_variance(m * 1e-3) + fast / m) / flat).sqrt();
        // a variance of (256/m - 1) overlapping differences in each of 300 traces
        let error = expected / (2.0 * TRACES as f64).sqrt();
        assert!((ratio - expected).abs() < 4.0 * error, "{ratio} against {expected}");
    }
}

/// Variance of the mean of so many reads at steps of `dt`, and mean variance of one, in units of `q²`, from `age` seconds after a write.
///
/// For one process of variance `s²` at rest, of which `v - s²` is missing at the age, reads `n` and `m` covary by `s² a^|n-m| + (v - s²) a^(n+m)`.
fn averaged(spectrum: &Spectrum, dt: f64, reads: i32, age: f64) -> [f64; 2] {
    let n = f64::from(reads);
    let of = |process: usize| {
        let (x, rest) = (dt / spectrum.time(process), spectrum.variance());
        let missing = rest * (-2.0 * age / spectrum.time(process)).exp();
        let a = (-x).exp();
        // sums of a^|n-m|, of a^n and of a^2n over all reads
        let pairs = if n * x < 1e-3 {
            // the leading terms of the series, where the difference would lose its digits
            n * n * (1.0 - n * x / 3.0)
        } else {
            (n * (1.0 + a) - 2.0 * a * -(-n * x).exp_m1() / -(-x).exp_m1()) / -(-x).exp_m1()
        };
        let singles = a * (-n * x).exp_m1() / (-x).exp_m1();
        let squares = a * a * (-2.0 * n * x).exp_m1() / (-2.0 * x).exp_m1();
        [(rest * pairs - missing * singles * singles) / (n * n), rest - missing * squares / n]
    };
    (0..DECADES).map(of).fold([0.0; 2], |sum, of| [sum[0] + of[0], sum[1] + of[1]])
}

/// The share depends on the ticks and on the age: the published one is that of ticks of 1 ms from `t_0`, 20 s after the write. A year later it is .72.
#[test]
fn fluctuations_do_not_average_away_as_independent_draws_do() {
    const TICKS: i32 = 16_384;
    const TRACES: usize = 32;
    let (spectrum, pcm) = (Spectrum::of_read(250e-9), Pcm::default());
    let mut table = Table::new("deviation of the mean of 16384 reads at 1 ms over that of one read");
    let share = |age: f64| {
        let [mean, one] = averaged(&spectrum, 1e-3, TICKS, age);
        (mean / one).sqrt()
    };
    table.rounded("1/f noise 20 s after the write, closed form", ".39", share(pcm.t_0));
    table.rounded("1/f noise a year after the write, closed form, ours", ".72", share(YEAR));
    // squares of means, and means of squares, of each trace
    let squares = |values: &mut dyn FnMut(i32) -> f64| {
        let (mut sum, mut all) = (0.0, 0.0);
        for tick in 1..=TICKS {
            let value = values(tick);
            sum += value;
            all += value * value;
        }
        [(sum / f64::from(TICKS)).powi(2), all / f64::from(TICKS)]
    };
    let flickers: Vec<[f64; 2]> = (0..TRACES)
        .map(|trace| {
            let mut flicker = Flicker::new();
            flicker.pass(&spectrum, pcm.t_0, |k| draw(12, trace * DECADES + k, 0));
            squares(&mut |tick| {
                flicker.pass(&spectrum, 1e-3, |k| draw(12, trace * DECADES + k, tick as usize));
                flicker.value()
            })
        })
        .collect();
    let independent: Vec<[f64; 2]> = (0..TRACES).map(|trace| squares(&mut |tick| draw(13, trace, tick as usize))).collect();
    for (name, expected, traces) in
        [("1/f noise 20 s after the write", ".39", flickers), ("independent draws", ".008", independent)]
    {
        let mean = |of: &dyn Fn(&[f64; 2]) -> f64| traces.iter().map(of).sum::<f64>() / TRACES as f64;
        let share = mean(&|t| t[0]) / mean(&|t| t[1]);
        // the error of a ratio of means is that of the mean of what the ratio leaves, and a root has half the relative error
        let left = mean(&|t| (t[0] - share * t[1]).powi(2)) / (TRACES - 1) as f64;
        let error = left.sqrt() / mean(&|t| t[1]) / (2.0 * share.sqrt());
        table.by_chance(name, expected, share.sqrt(), error);
    }
    table.finish();
}

#[test]
fn resistive_cells_spread_with_time() {
    let mut table = Table::new("resistive cells: deviation in µS");
    let wan = Wan::default();
    for (time, expected) in [(1.0, "2.023"), (DAY, "3.909"), (2.0 * DAY, "3.929")] {
        table.exact(&format!("half of g_max, {time} s"), expected, wan.deviation(20.0, time));
        table.exact(
            &format!("half of a g_max of 20, {time} s, twice"),
            expected,
            2.0 * Wan { g_max: 20.0 }.deviation(10.0, time),
        );
    }
    // models.md prints their formulas and no figures: these are their values at a day and at 50 µS by a program of another language
    table.exact("oxide cells, mean after a day", "-1.01166", Cmo::Coarse.relaxation_mean(DAY));
    table.exact("oxide cells, deviation after a day", ".88937", Cmo::Coarse.relaxation_deviation(DAY));
    table.exact("oxide cells, write at 50 µS to 2 %", ".575732", Cmo::Coarse.programming_deviation(50.0));
    table.exact("oxide cells, write at 50 µS to 0.2 %", ".0542506", Cmo::Fine.programming_deviation(50.0));
    let day: Vec<f64> = (0..4000).map(|i| wan.conductance(20.0, DAY, [draw(21, i, 0), draw(21, i, 1)]) - 20.0).collect();
    let (found, error) = deviation(&day);
    table.by_chance("half of g_max, a day, 4000 cells", "3.909", found, error);
    table.finish();
    // halfway in the logarithm of time, halfway in the deviation
    let middle = wan.deviation(20.0, DAY.sqrt());
    assert!((middle - (wan.deviation(20.0, 1.0) + wan.deviation(20.0, DAY)) / 2.0).abs() < 1e-12);
    assert_eq!(wan.deviation(20.0, 0.0), wan.deviation(20.0, 1.0));
    assert_eq!(wan.deviation(20.0, YEAR), wan.deviation(20.0, 2.0 * DAY));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_fluctuation_is_the_same_however_the_time_is_cut(seconds in 1e-6..1e6_f64, share in 0.0..=1.0_f64) {
        let spectrum = Spectrum::of_read(250e-9);
        for k in 0..DECADES {
            let (first, second, whole) =
                (spectrum.transition(k, share * seconds), spectrum.transition(k, (1.0 - share) * seconds), spectrum.transition(k, seconds));
            prop_assert!((first.0 * second.0 - whole.0).abs() < 1e-12);
            let variance = (first.1 * second.0).powi(2) + second.1.powi(2);
            prop_assert!((variance - whole.1.powi(2)).abs() < 1e-9, "{variance} {}", whole.1.powi(2));
        }
    }
}
