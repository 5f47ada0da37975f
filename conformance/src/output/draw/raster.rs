//! Spikes of a substrate beside those of the oracle.

use super::{Axis, Ink, Key, Layer, Mark, Panel, Plot, Sketch, extents, find};
use crate::record::Evidence;

/// The most channels that are drawn.
const CHANNELS: usize = 24;
/// The most strokes that are drawn for one of the two.
const STROKES: usize = 1200;

pub(super) fn sketch(plot: &Plot, evidence: &Evidence) -> Result<Sketch, String> {
    let [substrate_name, oracle_name] = plot.y.as_slice() else {
        return Err(format!("a raster needs the names of two samples, not {}", plot.y.len()));
    };
    let (substrate, oracle) = (find(evidence, substrate_name)?, find(evidence, oracle_name)?);
    let (ticks, width) = extents(substrate)?;
    if extents(oracle)? != (ticks, width) {
        return Err(format!("shapes differ: substrate {:?}, oracle {:?}", substrate.shape, oracle.shape));
    }
    if ticks == 0 || width == 0 {
        return Err(String::from("there are no ticks to draw"));
    }
    let ambiguous = match &plot.ambiguous {
        Some(name) => {
            let marks = find(evidence, name)?;
            match extents(marks)? {
                (t, w) if t == ticks && (w == width || w == 1) => Some((marks, w)),
                _ => return Err(format!("the ambiguous ticks have shape {:?}, the spikes {:?}", marks.shape, substrate.shape)),
            }
        }
        None => None,
    };
    let spike = |values: &[f64], t: usize, c: usize| values.get(t * width + c).is_some_and(|v| *v != 0.0);
    let open = |t: usize, c: usize| {
        ambiguous.is_some_and(|(marks, w)| marks.values.get(if w == 1 { t } else { t * width + c }).is_some_and(|v| *v != 0.0))
    };

    // Everything is counted; of that, a window is drawn that is not too full to read.
    let (mut mismatches, mut open_ticks) = (0_usize, 0_usize);
    let mut counts = vec![(0_usize, 0_usize); width];
    for t in 0..ticks {
        for (c, count) in counts.iter_mut().enumerate() {
            let (s, o) = (spike(&substrate.values, t, c), spike(&oracle.values, t, c));
            count.0 += usize::from(s || o);
            open_ticks += usize::from(open(t, c));
            if s != o && !open(t, c) {
                mismatches += 1;
                count.1 += 1;
            }
        }
    }
    let mut channels: Vec<usize> = (0..width).collect();
    // Channels with mismatches first, then those that spike most; drawn in their own order.
    channels.sort_by_key(|c| counts.get(*c).map(|(spikes, wrong)| (std::cmp::Reverse(*wrong), std::cmp::Reverse(*spikes))));
    channels.truncate(CHANNELS);
    channels.sort_unstable();

    let tick = plot.tick.unwrap_or(1.0);
    let (mut ours, mut theirs, mut marked, mut wrong) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut drawn = 0;
    for t in 0..ticks {
        if ours.len().max(theirs.len()) > STROKES {
            break;
        }
        drawn = t + 1;
        let x = t as f64 * tick;
        for (row, &c) in channels.iter().enumerate() {
            let y = row as f64;
            let (s, o) = (spike(&substrate.values, t, c), spike(&oracle.values, t, c));
            if s {
                ours.push((x, y + 0.04, y + 0.42));
            }
            if o {
                theirs.push((x, y - 0.42, y - 0.04));
            }
            if open(t, c) && marked.len() < STROKES {
                marked.push((x, y - 0.48, y + 0.48));
            } else if s != o {
                wrong.push((x, y + if s { 0.23 } else { -0.23 }));
            }
        }
    }

    let finding = finding(&Counts { mismatches, open_ticks, ticks, drawn, width, rows: channels.len() });
    let mut legend = vec![
        Key::new(format!("{substrate_name} (upper)"), Ink::Series(0), Mark::Stroke),
        Key::new(format!("{oracle_name} (lower)"), Ink::Series(1), Mark::Stroke),
    ];
    if plot.ambiguous.is_some() {
        legend.push(Key::new("ambiguous tick: either decision is right", Ink::Ambiguous, Mark::Area));
    }
    if mismatches > 0 {
        legend.push(Key::new("mismatch", Ink::Wrong, Mark::Ring));
    }
    let (x_name, x_unit) = if plot.tick.is_some() { ("time", "s") } else { ("tick", "1") };
    let [x_name, y_name] = plot.labels.as_ref().map_or([x_name, "channel"], |[x, y]| [x, y]);
    let last = drawn.saturating_sub(1) as f64 * tick;
    let x = Axis::spanning(x_name, x_unit, false, false, [0.0, last])?;
    let margin = 0.01 * (x.high - x.low);
    let (low, high) = (x.low - margin, x.high + margin);
    let panel = Panel {
        x: x.with_range(low, high),
        y: Axis::named(y_name, channels.iter().map(ToString::to_string).collect(), 0),
        height: 64 + 26 * u32::try_from(channels.len()).unwrap_or(24).max(3),
        layers: vec![
            Layer::Strokes { ink: Ink::Ambiguous, points: marked, width: 5.0 },
            Layer::Strokes { ink: Ink::Series(0), points: ours, width: 1.5 },
            Layer::Strokes { ink: Ink::Series(1), points: theirs, width: 1.5 },
            Layer::Rings { ink: Ink::Wrong, points: wrong },
        ],
    };
    Ok(Sketch { panels: vec![panel], legend, finding })
}

struct Counts {
    mismatches: usize,
    open_ticks: usize,
    ticks: usize,
    drawn: usize,
    width: usize,
    rows: usize,
}

fn finding(counts: &Counts) -> String {
    let Counts { mismatches, open_ticks, ticks, drawn, width, rows } = *counts;
    let total = ticks.saturating_mul(width);
    let mut text = format!("Of {total} decisions, {mismatches} differ without excuse; {open_ticks} are ambiguous.");
    if drawn < ticks {
        text.push_str(&format!(" The first {drawn} of {ticks} ticks are drawn."));
    }
    if rows < width {
        text.push_str(&format!(" Drawn are {rows} of {width} channels: those that differ, then the most active."));
    }
    text
}
