//! The distribution of times.

use super::{Axis, Ink, Key, Layer, Mark, Panel, Plot, Sketch, find, left_out};
use crate::output::spelling::{plain, spell};
use crate::record::Evidence;

/// How many distributions can be told apart.
const CURVES: usize = 4;
/// Points of a distribution that are drawn.
const FINE: usize = 400;

pub(super) fn sketch(plot: &Plot, evidence: &Evidence) -> Result<Sketch, String> {
    if plot.y.is_empty() {
        return Err(String::from("there are no times to draw"));
    }
    let mut layers = Vec::new();
    let mut legend = Vec::new();
    let mut ends = Vec::new();
    let mut findings = Vec::new();
    let mut unit = String::from("s");
    let mut note = String::new();
    for (place, name) in plot.y.iter().take(CURVES).enumerate() {
        let samples = find(evidence, name)?;
        unit = samples.unit.clone();
        note += &left_out(&samples.values);
        let mut times: Vec<f64> = samples.values.iter().copied().filter(|t| *t > 0.0 && t.is_finite()).collect();
        times.sort_by(f64::total_cmp);
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            return Err(format!("the samples {:?} hold no time above nought", plain(name)));
        };
        ends.extend([*first, *last]);
        findings.push(format!(
            "{}: {} times from {} to {}",
            plain(name),
            times.len(),
            spell(*first, &unit).typeset(),
            spell(*last, &unit).typeset()
        ));
        layers.push(Layer::Line { ink: Ink::Series(place), points: steps(&times) });
        legend.push(Key::new(name, Ink::Series(place), Mark::Line));
    }
    ends.extend(plot.quantiles.iter().flat_map(|q| [q.low, q.value, q.high]).filter(|v| *v > 0.0));
    for (place, quantile) in plot.quantiles.iter().enumerate() {
        let share = 100.0 * quantile.probability;
        let ink = if place == 0 { Ink::Wrong } else { Ink::Series(3) };
        let interval = [quantile.low, quantile.high].map(|v| (v, share));
        let [value, low, high] = [quantile.value, quantile.low, quantile.high].map(|v| spell(v, &unit).typeset());
        let name = spell(share, "1");
        legend.push(Key::new(format!("p{name} = {value}, interval {low} to {high}"), ink, Mark::Dot));
        findings.push(format!("p{name}: {value}, interval {low} to {high}"));
        layers.push(Layer::Strokes { ink: Ink::Grid, points: vec![(quantile.value, 0.0, share)], width: 1.0 });
        layers.push(Layer::Line { ink, points: interval.to_vec() });
        layers.push(Layer::Strokes {
            ink,
            points: interval.map(|(x, y)| (x, y - 2.5, (y + 2.5).min(104.0))).to_vec(),
            width: 1.5,
        });
        layers.push(Layer::Dots { ink, points: vec![(quantile.value, share)], radius: 4.0 });
    }
    let [x_name, y_name] =
        plot.labels.as_ref().map_or(["time of one call", "share of calls that took at most so long (%)"], |[x, y]| [x, y]);
    let panel = Panel {
        x: Axis::spanning(x_name, &unit, true, true, ends)?,
        y: Axis::spanning(y_name, "1", false, false, [0.0, 100.0])?.with_range(0.0, 104.0),
        height: 300,
        layers,
    };
    Ok(Sketch { panels: vec![panel], legend, finding: findings.join("; ") + "." + &note })
}

/// The empirical distribution as a staircase; of very many steps, evenly many are kept, and the ends.
fn steps(times: &[f64]) -> Vec<(f64, f64)> {
    let count = times.len();
    let mut points = Vec::new();
    let mut below = 0.0;
    for n in 0..count.min(FINE) {
        let place = if count <= FINE { n } else { n * (count - 1) / (FINE - 1) };
        if let Some(time) = times.get(place) {
            let share = 100.0 * (place + 1) as f64 / count as f64;
            points.extend([(*time, below), (*time, share)]);
            below = share;
        }
    }
    points
}
