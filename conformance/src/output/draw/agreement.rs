//! A substrate against the oracle, and its error in units of the bound.

use super::{Axis, Ink, Key, LARGEST, Layer, Mark, Panel, Plot, Sketch, abscissa, column, find, left_out, zip};
use crate::output::spelling::{plain, spell};
use crate::record::Evidence;

pub(super) fn sketch(plot: &Plot, evidence: &Evidence) -> Result<Sketch, String> {
    let [substrate_name, oracle_name] = plot.y.as_slice() else {
        return Err(format!("an agreement needs the names of two samples, not {}", plot.y.len()));
    };
    let bound_name = plot.bound.as_ref().ok_or("an agreement needs the name of its bound")?;
    let (measured, bounds) = (find(evidence, substrate_name)?, find(evidence, bound_name)?);
    let substrate = column(measured, plot.column)?;
    let oracle = column(find(evidence, oracle_name)?, plot.column)?;
    let bound = match bounds.values.as_slice() {
        [single] => vec![*single; substrate.len()],
        _ => column(bounds, plot.column)?,
    };
    if oracle.len() != substrate.len() || bound.len() != substrate.len() {
        return Err(format!("lengths differ: substrate {}, oracle {}, bound {}", substrate.len(), oracle.len(), bound.len()));
    }
    let (x, x_name, x_unit) = abscissa(plot, evidence, substrate.len())?;
    let errors: Vec<f64> = substrate.iter().zip(&oracle).zip(&bound).map(|((s, o), b)| in_bounds(s - o, *b)).collect();
    let band: Vec<_> = x.iter().zip(oracle.iter().zip(&bound)).map(|(x, (o, b))| (*x, o - b, o + b)).collect();

    let y_name = plot.labels.as_ref().map_or("output", |[_, y]| y);
    let x_axis = Axis::spanning(&x_name, &x_unit, plot.log_x, false, x.iter().copied())?;
    // A bound without limit must not flatten the curves, which is why it does not widen the axis.
    let y_axis = Axis::spanning(y_name, &measured.unit, false, true, substrate.iter().chain(&oracle).copied())?;
    let error_axis =
        Axis::spanning("error in units of its bound", "1", false, true, errors.iter().copied())?.with_at_least(-1.3, 1.3);
    let edge =
        |y: f64| Layer::Line { ink: Ink::Limit, points: vec![(x_axis_end(&x, f64::min), y), (x_axis_end(&x, f64::max), y)] };
    let inside: Vec<_> = x.iter().map(|x| (*x, -1.0, 1.0)).collect();
    let wrong: Vec<_> = zip(&x, &errors).into_iter().filter(|(_, e)| e.abs() > 1.0).take(400).collect();

    let mut legend = vec![
        Key::new(oracle_name, Ink::Series(1), Mark::Line),
        Key::new(substrate_name, Ink::Dashed(0), Mark::Line),
        Key::new("error", Ink::Series(0), Mark::Line),
        Key::new(format!("allowed by {}", plain(bound_name)), Ink::Band, Mark::Area),
    ];
    if !wrong.is_empty() {
        legend.push(Key::new("beyond the bound", Ink::Wrong, Mark::Dot));
    }
    let finding = finding(&errors, &x, &x_name, &x_unit) + &left_out(substrate.iter().chain(&oracle));
    let top = Panel {
        x: x_axis.clone(),
        y: y_axis,
        height: 236,
        layers: vec![
            Layer::Area { ink: Ink::Band, points: band },
            Layer::Line { ink: Ink::Series(1), points: zip(&x, &oracle) },
            Layer::Line { ink: Ink::Dashed(0), points: zip(&x, &substrate) },
        ],
    };
    let below = Panel {
        x: x_axis,
        y: error_axis,
        height: 190,
        layers: vec![
            Layer::Area { ink: Ink::Band, points: inside },
            edge(-1.0),
            edge(1.0),
            Layer::Line { ink: Ink::Series(0), points: zip(&x, &errors) },
            Layer::Dots { ink: Ink::Wrong, points: wrong, radius: 2.5 },
        ],
    };
    Ok(Sketch { panels: vec![top, below], legend, finding })
}

/// An error in units of its bound. No error is within any bound, and any error beyond a bound of nought is drawn at the end of the
/// drawable numbers.
fn in_bounds(error: f64, bound: f64) -> f64 {
    if error == 0.0 { 0.0 } else { error / bound }
}

fn x_axis_end(x: &[f64], pick: fn(f64, f64) -> f64) -> f64 {
    x.iter().copied().filter(|x| x.abs() <= LARGEST).reduce(pick).unwrap_or(0.0)
}

fn finding(errors: &[f64], x: &[f64], x_name: &str, x_unit: &str) -> String {
    let count = |n: usize| if n == 1 { String::from("one sample has") } else { format!("{n} samples have") };
    let unbounded = errors.iter().filter(|e| !e.is_finite()).count();
    let finite = errors.iter().zip(x).filter(|(e, _)| e.is_finite());
    let mut text = match finite.max_by(|a, b| a.0.abs().total_cmp(&b.0.abs())) {
        Some((0.0, _)) => String::from("There is no error at all."),
        Some((worst, at)) => {
            format!(
                "The largest error is {} of its bound, at {} {}.",
                spell(worst.abs(), "1").typeset(),
                plain(x_name),
                spell(*at, x_unit).typeset()
            )
        }
        None => String::from("No error can be measured against its bound."),
    };
    if unbounded > 0 {
        text.push_str(&format!(" Of the errors, {} a bound of nought or none that is finite.", count(unbounded)));
    }
    text
}
