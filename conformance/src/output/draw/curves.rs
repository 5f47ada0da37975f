//! Curves, and responses to a step with the exponentials that were fitted to them.

use super::{Axis, Ink, Key, Layer, Mark, Panel, Plot, Sketch, abscissa, column, find, left_out, zip};
use crate::output::plot::{Fit, Kind};
use crate::output::spelling::{plain, spell};
use crate::record::Evidence;

/// How many curves can be told apart.
const CURVES: usize = 5;
/// Points of a fitted curve.
const FINE: usize = 400;

pub(super) fn sketch(plot: &Plot, evidence: &Evidence) -> Result<Sketch, String> {
    let first = plot.y.first().ok_or("there is no curve to draw")?;
    let unit = find(evidence, first)?.unit.clone();
    let mut curves = Vec::new();
    for name in plot.y.iter().take(CURVES) {
        curves.push((name, column(find(evidence, name)?, plot.column)?));
    }
    let longest = curves.iter().map(|(_, y)| y.len()).max().unwrap_or(0);
    let (x, x_name, x_unit) = abscissa(plot, evidence, longest)?;
    let band = match &plot.band {
        Some([low, high]) => {
            let (low, high) = (column(find(evidence, low)?, plot.column)?, column(find(evidence, high)?, plot.column)?);
            x.iter().zip(low.iter().zip(&high)).map(|(x, (a, b))| (*x, *a, *b)).collect()
        }
        None => Vec::new(),
    };

    let labels = labels(&plot.y);
    let default = if plot.kind == Kind::StepResponse {
        "response"
    } else if plot.y.len() == 1 {
        labels[0]
    } else {
        "value"
    };
    let y_name = plot.labels.as_ref().map_or(default, |[_, y]| y);
    let x_axis = Axis::spanning(&x_name, &x_unit, plot.log_x, false, x.iter().take(longest).copied())?;
    let ends = band.iter().flat_map(|(_, a, b)| [*a, *b]).chain(plot.levels.iter().map(|(_, y)| *y)).collect::<Vec<_>>();
    let y_axis = Axis::spanning(y_name, &unit, plot.log_y, true, curves.iter().flat_map(|(_, y)| y.iter().copied()).chain(ends))?;

    let mut layers = Vec::new();
    let mut legend = Vec::new();
    if let Some([low, high]) = &plot.band {
        layers.push(Layer::Area { ink: Ink::Band, points: band });
        legend.push(Key::new(between(low, high), Ink::Band, Mark::Area));
    }
    let edges = |pick: fn(f64, f64) -> f64| x.iter().copied().filter(|x| x.is_finite()).reduce(pick);
    for (place, (label, y)) in plot.levels.iter().enumerate() {
        let (Some(from), Some(to)) = (edges(f64::min), edges(f64::max)) else { continue };
        layers.push(Layer::Line { ink: Ink::Limit, points: vec![(from, *y), (to, *y)] });
        // lines of one meaning have one name
        if plot.levels.iter().position(|(other, _)| other == label) == Some(place) {
            legend.push(Key::new(label, Ink::Limit, Mark::Line));
        }
    }
    let mut fits = Vec::new();
    for (place, (_, y)) in curves.iter().enumerate() {
        let (ink, points) = (Ink::Series(place), zip(&x, y));
        let dots = plot.points || plot.dotted.is_some_and(|from| place >= from);
        legend.push(Key::new(labels[place], ink, if dots { Mark::Dot } else { Mark::Line }));
        layers.push(if dots { Layer::Dots { ink, points, radius: 2.5 } } else { Layer::Line { ink, points } });
    }
    for fit in plot.fits.iter().take(CURVES) {
        let ink = Ink::Model;
        let tau = spell(fit.tau, &x_unit).typeset();
        legend.push(Key::new(format!("{}: τ = {tau}", plain(&fit.label)), ink, Mark::Line));
        layers.push(Layer::Line { ink, points: exponential(fit, &x_axis) });
        fits.push(format!(
            "{}: time constant {tau}, from {} to {}",
            plain(&fit.label),
            spell(fit.start, &unit).typeset(),
            spell(fit.last, &unit).typeset()
        ));
    }
    let mut finding = fits.join("; ") + ".";
    if fits.is_empty() {
        let names: Vec<String> = labels.iter().take(curves.len()).map(|name| plain(name)).collect();
        finding = format!("{} against {}.", names.join(", "), plain(&x_name));
    }
    if plot.y.len() > CURVES {
        finding.push_str(&format!(" Only the first {CURVES} of {} curves are drawn.", plot.y.len()));
    }
    let finding = finding + &left_out(curves.iter().flat_map(|(_, y)| y));
    Ok(Sketch { panels: vec![Panel { x: x_axis, y: y_axis, height: 300, layers }], legend, finding })
}

/// What curves are called: the last parts of the names of their samples, which belong to a program or a stage, where these tell them apart.
fn labels(names: &[String]) -> Vec<&str> {
    let last: Vec<&str> = names.iter().map(|name| name.rsplit('/').next().unwrap_or(name)).collect();
    let is_told = last.iter().enumerate().all(|(place, name)| !last[..place].contains(name));
    if is_told { last } else { names.iter().map(String::as_str).collect() }
}

/// What a band is called: the interval of something, where its edges are called the ends of that.
fn between(low: &str, high: &str) -> String {
    let [low, high] = [low, high].map(|name| name.rsplit('/').next().unwrap_or(name));
    match (low.strip_suffix(", lower end"), high.strip_suffix(", upper end")) {
        (Some(what), Some(other)) if what == other => format!("interval of what {what}"),
        _ => format!("{low} to {high}"),
    }
}

fn exponential(fit: &Fit, axis: &Axis) -> Vec<(f64, f64)> {
    let end = |at: f64| if axis.log { 10f64.powf(at) } else { at };
    let (low, high) = (end(axis.low).max(fit.onset), end(axis.high));
    (0..=FINE)
        .map(|n| low + (high - low) * n as f64 / FINE as f64)
        .map(|x| (x, fit.last + (fit.start - fit.last) * (-(x - fit.onset) / fit.tau).exp()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_called_by_the_last_part_of_its_name() {
        let of = |names: &[&str]| labels(&names.iter().map(ToString::to_string).collect::<Vec<_>>()).join(", ");
        assert_eq!(of(&["exemplar 1/record"]), "record");
        assert_eq!(of(&["one/got", "one/want"]), "got, want");
        assert_eq!(of(&["one/got", "other/got"]), "one/got, other/got");
        assert_eq!(between("moved, lower end", "moved, upper end"), "interval of what moved");
        assert_eq!(between("a/low", "a/high"), "low to high");
    }
}
