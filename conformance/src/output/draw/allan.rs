//! How the mean of a record settles as it grows: the overlapping Allan deviation.
//!
//! ```text
//! σ²(m) = Σ_{j=0}^{N-2m} (ȳ_{j+m} - ȳ_j)² / (2 (N - 2m + 1))        ȳ_j the mean of the m samples from j on
//! ```
//! Source: IEEE Std 1139-2008, section 5.2, after Allan 1966, *Statistics of atomic frequency standards*, Proc. IEEE 54, 221. White noise falls
//! as `m^{-1/2}`, 1/f noise stays where it is, a random walk grows as `m^{1/2}`.

use super::{Axis, Ink, Key, Layer, Mark, Panel, Plot, Sketch, column, find};
use crate::output::spelling::spell;
use crate::record::Evidence;

/// The fewest independent means behind a point.
const FEWEST: usize = 4;

/// The deviation of means over `m` samples, and the same for the next ones; none where the record is too short for `m`.
pub(super) fn deviation(samples: &[f64], m: usize) -> Option<f64> {
    let terms = (samples.len() + 1).checked_sub(2 * m).filter(|n| *n > 0 && m > 0)?;
    let step = |j: usize| samples[j + m] - samples[j];
    let mut sum: f64 = (0..m).map(step).sum();
    let mut squares = sum * sum;
    for j in 1..terms {
        sum += step(j + m - 1) - step(j - 1);
        squares += sum * sum;
    }
    Some((squares / (2.0 * terms as f64)).sqrt() / m as f64)
}

pub(super) fn sketch(plot: &Plot, evidence: &Evidence) -> Result<Sketch, String> {
    let [output, program] = plot.y.as_slice() else {
        return Err(format!("an Allan deviation needs the names of two samples, not {}", plot.y.len()));
    };
    let (seen, said) = (find(evidence, output)?, column(find(evidence, program)?, plot.column)?);
    let unit = seen.unit.clone();
    let seen = column(seen, plot.column)?;
    if seen.len() != said.len() || seen.iter().chain(&said).any(|v| !v.is_finite()) {
        return Err(String::from("the record and what the program says do not fit each other"));
    }
    let noise: Vec<f64> = seen.iter().zip(&said).map(|(a, b)| a - b).collect();
    let (tick, x_name, x_unit) = plot.tick.map_or((1.0, "mean over so many ticks", "1"), |dt| (dt, "mean over a time of", "s"));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "powers of two below 2^24")]
    let mut lengths: Vec<usize> = (0..48).map(|k| 2f64.powf(f64::from(k) / 2.0).round() as usize).collect();
    lengths.dedup();
    lengths.retain(|m| m * FEWEST <= noise.len());
    let found: Vec<(f64, f64, f64)> = lengths
        .into_iter()
        .filter_map(|m| {
            let relative = 1.0 / (2.0 * (noise.len() as f64 / m as f64 - 1.0)).sqrt();
            deviation(&noise, m).filter(|d| *d > 0.0).map(|d| (m as f64 * tick, d, d * relative))
        })
        .collect();
    let (Some(first), Some(last)) = (found.first().copied(), found.last().copied()) else {
        return Err(String::from("the record has no noise"));
    };
    let floor = found.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or(first);
    let white = |x: f64| first.1 * (first.0 / x).sqrt();
    let ends =
        [first.1, white(last.0), floor.1].into_iter().chain(found.iter().flat_map(|(_, d, e)| [d + e, (d - e).max(d / 2.0)]));
    let [x_label, y_label] = plot.labels.as_ref().map_or([x_name, "Allan deviation of the output"], |[x, y]| [x, y]);
    let mut layers = vec![
        Layer::Area { ink: Ink::Band, points: found.iter().map(|(x, d, e)| (*x, (d - e).max(d / 2.0), d + e)).collect() },
        Layer::Line { ink: Ink::Limit, points: vec![(first.0, first.1), (last.0, white(last.0))] },
        Layer::Line { ink: Ink::Series(0), points: found.iter().map(|(x, d, _)| (*x, *d)).collect() },
        Layer::Dots { ink: Ink::Series(0), points: found.iter().map(|(x, d, _)| (*x, *d)).collect(), radius: 3.0 },
    ];
    let mut legend = vec![
        Key::new("found, with one standard error", Ink::Series(0), Mark::Dot),
        Key::new("white noise: slope −1/2", Ink::Limit, Mark::Line),
    ];
    // a line at the least of a white record would seem to be what it comes to
    if plot.flat {
        layers.insert(2, Layer::Line { ink: Ink::Model, points: vec![(first.0, floor.1), (last.0, floor.1)] });
        legend.push(Key::new("1/f noise: flat", Ink::Model, Mark::Line));
    }
    let finding = format!(
        "Of {} samples, single ones differ by {} and means over {} by {}; the least is {} at {}.",
        noise.len(),
        spell(first.1, &unit).typeset(),
        spell(last.0, x_unit).typeset(),
        spell(last.1, &unit).typeset(),
        spell(floor.1, &unit).typeset(),
        spell(floor.0, x_unit).typeset()
    );
    let panel = Panel {
        x: Axis::spanning(x_label, x_unit, true, false, found.iter().map(|f| f.0))?,
        y: Axis::spanning(y_label, &unit, true, true, ends)?,
        height: 300,
        layers,
    };
    Ok(Sketch { panels: vec![panel], legend, finding })
}

#[cfg(test)]
mod tests {
    use super::deviation;

    #[test]
    fn it_is_that_of_the_definition() {
        // means of one: 1, -2, 4, -3; squares 1 + 4 + 16 + 9 over eight; of two: differences of means 1/2, 1
        let record = [0.0, 1.0, -1.0, 3.0, 0.0];
        let one = ((1.0_f64 + 4.0 + 16.0 + 9.0) / 8.0).sqrt();
        let two = ((0.5_f64 * 0.5 + 1.5 * 1.5) / 4.0).sqrt();
        assert!((deviation(&record, 1).expect("fits") - one).abs() < 1e-15);
        assert!((deviation(&record, 2).expect("fits") - two).abs() < 1e-15);
        assert_eq!((deviation(&record, 3), deviation(&record, 0)), (None, None));
    }
}
