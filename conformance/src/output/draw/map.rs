//! Where a map is off, entry by entry: the mean error of each output under each input alone.

use super::{Axis, Ink, Key, LEVELS, Layer, Mark, Panel, Plot, Sketch, extents, find};
use crate::output::spelling::spell;
use crate::record::Evidence;

/// The most rows and columns.
const MOST: usize = 128;

pub(super) fn sketch(plot: &Plot, evidence: &Evidence) -> Result<Sketch, String> {
    let [output, program, stimulus] = plot.y.as_slice() else {
        return Err(format!("an error map needs the names of three samples, not {}", plot.y.len()));
    };
    let (seen, said, stimulus) = (find(evidence, output)?, find(evidence, program)?, find(evidence, stimulus)?);
    let (ticks, outputs) = extents(seen)?;
    if extents(said)? != (ticks, outputs) || stimulus.values.len() != ticks {
        return Err(format!("shapes differ: {:?}, {:?} and {:?}", seen.shape, said.shape, stimulus.shape));
    }
    let margin = match &plot.bound {
        Some(name) => find(evidence, name)?.values.first().copied(),
        None => None,
    };
    // stimuli by their numbers, those of no use left out: nought is all inputs quiet, the next is the first input alone
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within nought and the most")]
    let number = |s: f64| (0.0..MOST as f64).contains(&s).then_some(s as usize);
    let columns = 1 + stimulus.values.iter().filter_map(|s| number(*s)).max().unwrap_or(0);
    if outputs == 0 || outputs > MOST {
        return Err(format!("there are {outputs} outputs, and 1 to {MOST} can be drawn"));
    }
    let mut sums = vec![(0.0, 0_usize); outputs * columns];
    for (tick, which) in stimulus.values.iter().enumerate().filter_map(|(tick, s)| Some((tick, number(*s)?))) {
        for o in 0..outputs {
            let at = &mut sums[o * columns + which];
            at.0 += seen.values[tick * outputs + o] - said.values[tick * outputs + o];
            at.1 += 1;
        }
    }
    let raw = |o: usize, c: usize| match sums[o * columns + c] {
        (_, 0) => None,
        (sum, n) => Some(sum / n as f64),
    };
    let reference = |o: usize| if plot.relative { raw(o, 0) } else { Some(0.0) };
    let mean = |o: usize, c: usize| Some((raw(o, c)? - reference(o)?).abs()).filter(|v: &f64| v.is_finite());
    let all = || (0..outputs).flat_map(|o| (0..columns).map(move |c| (o, c))).filter_map(|(o, c)| Some((o, c, mean(o, c)?)));
    let (row, at, largest) = all().max_by(|a, b| a.2.total_cmp(&b.2)).ok_or("nothing was measured")?;
    let name = |c: usize| if c == 0 { String::from("none") } else { (c - 1).to_string() };
    // beside a margin shades tell how much of it is used, and what is beyond has a ring
    let scale = margin.filter(|m| *m > 0.0 && m.is_finite()).unwrap_or(largest);
    let top = if scale > 0.0 { scale } else { 1.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the largest shade, held below it")]
    let level = |v: f64| ((v / top * LEVELS as f64) as usize).min(LEVELS - 1);
    let place = |o: usize| (outputs - 1 - o) as f64;
    let cells = all().map(|(o, c, v)| (c as f64, place(o), Ink::Level(level(v)))).collect();
    let beyond: Vec<(f64, f64)> =
        all().filter(|(.., v)| margin.is_some_and(|m| *v > m)).map(|(o, c, _)| (c as f64, place(o))).collect();
    let unit = &seen.unit;
    // two digits tell a shade
    let edge = |k: usize| format!("{:.1e}", top * (k + 1) as f64 / LEVELS as f64).parse().map_or(top, |v: f64| v);
    let mut legend: Vec<Key> =
        (0..LEVELS).map(|k| Key::new(format!("up to {}", spell(edge(k), unit).typeset()), Ink::Level(k), Mark::Area)).collect();
    if !beyond.is_empty() {
        legend.push(Key::new("beyond the margin", Ink::Wrong, Mark::Ring));
    }
    let mut finding =
        format!("The largest mean error is {}, of output {row} under input {} alone", spell(largest, unit).typeset(), name(at));
    if let Some(margin) = margin {
        finding.push_str(&format!("; the margin is {}", spell(margin, unit).typeset()));
    }
    let [x_label, y_label] =
        plot.labels.as_ref().map_or(["input that is driven alone, none in the first column", "output"], |[x, y]| [x, y]);
    let panel = Panel {
        // the first input and the first output have their names, whatever else there is room for
        x: Axis::named(x_label, (0..columns).map(name).collect(), 1),
        y: Axis::named(y_label, (0..outputs).rev().map(|o| o.to_string()).collect(), outputs - 1),
        height: 70 + 38 * u32::try_from(outputs.clamp(3, 14)).unwrap_or(14),
        layers: vec![Layer::Cells { cells }, Layer::Rings { ink: Ink::Wrong, points: beyond }],
    };
    Ok(Sketch { panels: vec![panel], legend, finding: finding + "." })
}
