//! Spikes of a medium by themselves, and the intervals between them.

use super::{Axis, Ink, Key, Layer, Mark, Panel, Plot, Sketch, extents, find};
use crate::output::spelling::spell;
use crate::record::Evidence;

/// The most channels and strokes that are drawn.
const CHANNELS: usize = 64;
const STROKES: usize = 2400;
/// Bins of the histogram for a factor of ten.
const BINS: f64 = 8.0;
/// Bins of the histogram of intervals that differ by less than a factor of two, and empty ones at either side of them.
const NARROW: [usize; 2] = [16, 4];

pub(super) fn sketch(plot: &Plot, evidence: &Evidence) -> Result<Sketch, String> {
    let [name] = plot.y.as_slice() else {
        return Err(format!("spikes need the name of one sample, not {}", plot.y.len()));
    };
    let samples = find(evidence, name)?;
    let (ticks, width) = extents(samples)?;
    if ticks == 0 || width == 0 {
        return Err(String::from("there are no ticks to draw"));
    }
    let tick = plot.tick.unwrap_or(1.0);
    let (unit, x_name) = if plot.tick.is_some() { ("s", "time") } else { ("1", "tick") };
    let trains: Vec<Vec<usize>> =
        (0..width).map(|c| (0..ticks).filter(|t| samples.values[t * width + c] != 0.0).collect()).collect();
    let spikes: usize = trains.iter().map(Vec::len).sum();
    // the most active ones, in their own order
    let mut rows: Vec<usize> = (0..width).collect();
    rows.sort_by_key(|c| std::cmp::Reverse(trains[*c].len()));
    rows.truncate(CHANNELS);
    rows.sort_unstable();
    let mut strokes: Vec<(f64, f64, f64)> = rows
        .iter()
        .enumerate()
        .flat_map(|(row, c)| trains[*c].iter().map(move |t| (*t as f64 * tick, row as f64 - 0.42, row as f64 + 0.42)))
        .collect();
    strokes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let drawn = strokes.get(STROKES).map_or((ticks - 1) as f64 * tick, |s| s.0);
    strokes.truncate(STROKES);
    let height = 70 + (6 * u32::try_from(rows.len()).unwrap_or(64)).max(90);
    let [x_label, y_label] = plot.labels.as_ref().map_or([x_name, "channel"], |[x, y]| [x, y]);
    let raster = Panel {
        x: Axis::spanning(x_label, unit, false, false, [0.0, drawn])?,
        y: Axis::named(y_label, rows.iter().map(ToString::to_string).collect(), 0),
        height,
        layers: vec![Layer::Strokes { ink: Ink::Series(0), points: strokes, width: 1.5 }],
    };
    let seconds = ticks as f64 * tick;
    let rate = spikes as f64 / width as f64 / seconds;
    let per = if plot.tick.is_some() { "Hz" } else { "a tick" };
    let mut finding = format!(
        "{spikes} spikes of {width} channels in {}: {} a channel in the mean",
        spell(seconds, unit).typeset(),
        spell(rate, per).typeset()
    );
    if rows.len() < width {
        finding.push_str(&format!("; the {} most active channels are drawn", rows.len()));
    }
    if drawn < (ticks - 1) as f64 * tick {
        finding.push_str(&format!("; the first {} are drawn", spell(drawn, unit).typeset()));
    }
    let mut panels = vec![raster];
    let mut legend = vec![Key::new("spike", Ink::Series(0), Mark::Stroke)];
    match histogram(&trains, tick, unit)? {
        Some((panel, said)) => {
            panels.push(panel);
            finding.push_str(&said);
            legend.push(Key::new("intervals found", Ink::Series(2), Mark::Area));
            legend.push(Key::new("expected of independent spikes of the same rates", Ink::Model, Mark::Line));
        }
        None => finding.push_str("; too few spikes for a histogram of intervals"),
    }
    Ok(Sketch { panels, legend, finding: finding + "." })
}

/// Edges of bins of equal ratio, between whole ticks so that every interval is clearly in one bin.
fn spreading(least: usize, most: usize) -> Vec<f64> {
    let mut edges = vec![least as f64 - 0.5];
    let mut edge = least as f64;
    while edges.last().is_some_and(|e| *e < most as f64) {
        edge *= 10f64.powf(1.0 / BINS);
        let next = edge.floor() + 0.5;
        if edges.last().is_some_and(|e| next > *e) {
            edges.push(next);
        }
    }
    edges
}

/// Edges of bins of equal width, which show how regular an oscillator is.
fn even(least: usize, most: usize) -> Vec<f64> {
    let [bins, beside] = NARROW;
    let width = (most - least + 1).div_ceil(bins);
    let first = least.saturating_sub(beside * width).max(1);
    (first..most + (beside + 1) * width).step_by(width).map(|e| e as f64 - 0.5).collect()
}

/// The intervals between successive spikes of a channel, over all channels; none where there are fewer than two.
fn histogram(trains: &[Vec<usize>], tick: f64, unit: &str) -> Result<Option<(Panel, String)>, String> {
    let intervals: Vec<usize> = trains.iter().flat_map(|train| train.windows(2).map(|w| w[1] - w[0])).collect();
    let (Some(&least), Some(&most)) = (intervals.iter().min(), intervals.iter().max()) else { return Ok(None) };
    if intervals.len() < 2 {
        return Ok(None);
    }
    let narrow = most < 2 * least;
    let edges = if narrow { even(least, most) } else { spreading(least, most) };
    let counts: Vec<usize> =
        edges.windows(2).map(|e| intervals.iter().filter(|i| (e[0]..e[1]).contains(&(**i as f64))).count()).collect();
    // of a channel with intervals of mean μ ticks, a share of q^(a - 1) is of a ticks or more, with q = 1 - 1/μ
    let expected: Vec<f64> = edges
        .windows(2)
        .map(|e| {
            let share = |train: &Vec<usize>| {
                let n = train.len().saturating_sub(1);
                let span = train.last().zip(train.first()).map_or(0, |(b, a)| b - a);
                if n == 0 || span == n {
                    return 0.0;
                }
                let q = 1.0 - n as f64 / span as f64;
                n as f64 * (q.powf(e[0] - 0.5) - q.powf(e[1] - 0.5))
            };
            trains.iter().map(share).sum()
        })
        .collect();
    let bar = |(e, y): (&[f64], f64)| [(e[0] * tick, 0.0, y), (e[1] * tick, 0.0, y)];
    // a number for each tick of its width, so that wide bins do not look like many spikes
    let density = |(e, n): (&[f64], f64)| n / (e[1] - e[0]);
    let found: Vec<f64> = edges.windows(2).zip(&counts).map(|(e, n)| density((e, *n as f64))).collect();
    let expected: Vec<f64> = edges.windows(2).zip(&expected).map(|(e, n)| density((e, *n))).collect();
    let highest = found.iter().chain(&expected).copied().fold(0.0, f64::max);
    let found = edges.windows(2).zip(&found).flat_map(|(e, n)| bar((e, *n))).collect();
    let line = edges.windows(2).zip(&expected).flat_map(|(e, n)| bar((e, *n)).map(|(x, _, y)| (x, y))).collect();
    let mut sorted = intervals;
    sorted.sort_unstable();
    let median = sorted[sorted.len() / 2] as f64 * tick;
    let panel = Panel {
        x: Axis::spanning("interval between spikes of a channel", unit, !narrow, false, edges.iter().map(|e| e * tick))?,
        y: Axis::spanning("intervals in a bin, per tick of its width", "1", false, false, [0.0, highest])?
            .with_range(0.0, 1.08 * highest),
        height: 230,
        layers: vec![Layer::Area { ink: Ink::Series(2), points: found }, Layer::Line { ink: Ink::Model, points: line }],
    };
    Ok(Some((panel, format!("; {} intervals, half of them of {} or less", sorted.len(), spell(median, unit).typeset()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interval_is_in_one_bin() {
        for (least, most) in [(1, 1), (377, 377), (1, 2), (370, 391), (3, 4000), (40, 79), (40, 80)] {
            let edges = if most < 2 * least { even(least, most) } else { spreading(least, most) };
            assert!(edges[0] > 0.0 && edges[0] < least as f64 && edges[edges.len() - 1] > most as f64, "{least} {most}");
            assert!(edges.windows(2).all(|e| e[0] < e[1] && e[0].fract() == 0.5));
        }
        // what is regular is a peak amid nothing
        assert_eq!(even(377, 377).len(), 9);
    }
}
