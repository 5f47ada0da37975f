//! Sets panels as SVG.

use super::{Ink, Layer, Panel};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use std::ops::Range;

/// Units of the drawing per pixel: the backend has whole coordinates, and steps of a quarter pixel do not show.
const FINE: u32 = 4;
/// Size of text in pixels.
const TEXT: u32 = 13;

/// The width for which a picture is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    width: u32,
    x_ticks: usize,
}

/// For a page on a screen or on paper.
pub(super) const WIDE: Format = Format { width: 760, x_ticks: 8 };
/// For a telephone.
pub(super) const NARROW: Format = Format { width: 360, x_ticks: 5 };

/// The inside of an SVG element and its extent.
#[derive(Debug)]
pub(in crate::output) struct Picture {
    pub width: u32,
    pub height: u32,
    pub body: String,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Scale, Scale>>;

/// An axis with its ticks, as the drawing library wants it.
struct Scale {
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.low) / (self.high - self.low);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(at, _)| *at).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        self.ticks.iter().find(|(at, _)| at == value).map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

fn colour(ink: Ink) -> RGBColor {
    let (r, g, b) = ink.rgb();
    RGBColor(r, g, b)
}

/// Draws the panels one above the other.
///
/// # Errors
/// What the drawing library says.
pub(super) fn picture(panels: &[Panel], format: Format) -> Result<Picture, String> {
    let (width, height) = (format.width * FINE, panels.iter().map(|p| p.height).sum::<u32>() * FINE);
    let mut svg = String::new();
    {
        let mut rest = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        let longest = panels.iter().flat_map(y_ticks).map(|(_, label)| label.chars().count()).max().unwrap_or(1);
        // One margin for all panels, so that their x axes lie below each other.
        let margin = (longest as u32 * 7 + 16).clamp(32, 130);
        for (place, panel) in panels.iter().enumerate() {
            let (area, below) = rest.split_vertically(panel.height * FINE);
            // panels over the same axis share its name
            let shared = panels.get(place + 1).is_some_and(|next| next.x.label() == panel.x.label());
            draw(panel, &area, format, margin, !shared)?;
            rest = below;
        }
        rest.present().map_err(|e| e.to_string())?;
    }
    // The page writes the element itself, with its label and classes.
    let body = svg.split_once('>').map_or("", |(_, body)| body).trim();
    let body = body.strip_suffix("</svg>").unwrap_or(body).to_owned();
    Ok(Picture { width, height, body })
}

fn y_ticks(panel: &Panel) -> Vec<(f64, String)> {
    panel.y.ticks((panel.height / 42).clamp(2, 10) as usize)
}

fn draw(panel: &Panel, area: &Area<'_>, format: Format, margin: u32, named: bool) -> Result<(), String> {
    let text = |ink: Ink| ("sans-serif", TEXT * FINE).into_font().color(&colour(ink));
    let x_ticks = panel.x.ticks(format.x_ticks);
    let y_ticks = y_ticks(panel);
    let mut chart = ChartBuilder::on(area)
        .margin_top(24 * FINE)
        .margin_right(12 * FINE)
        .margin_bottom(4 * FINE)
        .x_label_area_size(if named { 42 } else { 24 } * FINE)
        .y_label_area_size(margin * FINE)
        .build_cartesian_2d(
            Scale { low: panel.x.low, high: panel.x.high, ticks: x_ticks },
            Scale { low: panel.y.low, high: panel.y.high, ticks: y_ticks },
        )
        .map_err(|e| e.to_string())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(colour(Ink::Grid).stroke_width(FINE))
        .light_line_style(TRANSPARENT)
        .axis_style(colour(Ink::Axis).stroke_width(FINE))
        .set_all_tick_mark_size(4 * FINE)
        .label_style(text(Ink::Axis))
        .x_desc(if named { panel.x.label() } else { String::new() })
        .axis_desc_style(text(Ink::Axis))
        .draw()
        .map_err(|e| e.to_string())?;
    // The name of the y axis stands level above it: easier to read than upright, and a narrow page has no room beside the axis.
    let title = Text::new(panel.y.label(), (2 * FINE as i32, 4 * FINE as i32), text(Ink::Axis));
    area.draw(&title).map_err(|e| e.to_string())?;
    for layer in &panel.layers {
        put(&mut chart, panel, layer)?;
    }
    Ok(())
}

fn put(chart: &mut Chart<'_, '_>, panel: &Panel, layer: &Layer) -> Result<(), String> {
    let place = |x: f64, y: f64| (panel.x.place(x), panel.y.place(y));
    let visible = |&(x, y): &(f64, f64)| (panel.x.low..=panel.x.high).contains(&x) && (panel.y.low..=panel.y.high).contains(&y);
    let columns = chart.plotting_area().dim_in_pixel().0 / FINE;
    let placed = |points: &[(f64, f64)]| points.iter().map(|(x, y)| place(*x, *y)).collect::<Vec<_>>();
    let pixels = |width: f64| (width * f64::from(FINE)).round() as u32;
    match layer {
        Layer::Line { ink, points } => {
            let style = colour(*ink).stroke_width(pixels(1.5));
            let points = placed(points);
            for run in points.split(|(x, y)| !(x.is_finite() && y.is_finite())).filter(|run| !run.is_empty()) {
                let line = PathElement::new(thinned(run, panel, columns), style);
                chart.draw_series([line]).map_err(|e| e.to_string())?;
            }
        }
        Layer::Dots { ink, points, radius } => {
            let dots = placed(points).into_iter().filter(visible);
            chart.draw_series(dots.map(|p| Circle::new(p, pixels(*radius), colour(*ink).filled()))).map_err(|e| e.to_string())?;
        }
        Layer::Rings { ink, points } => {
            let rings = placed(points).into_iter().filter(visible);
            let style = colour(*ink).stroke_width(pixels(1.5));
            chart.draw_series(rings.map(|p| Circle::new(p, pixels(6.0), style))).map_err(|e| e.to_string())?;
        }
        Layer::Area { ink, points } => {
            for run in points.split(|(x, a, b)| !(x.is_finite() && a.is_finite() && b.is_finite())).filter(|run| !run.is_empty())
            {
                let edge = |pick: fn(&(f64, f64, f64)) -> f64| {
                    let edge: Vec<_> = run.iter().map(|p| place(p.0, pick(p))).collect();
                    let finite: Vec<_> = edge.into_iter().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
                    thinned(&finite, panel, columns)
                };
                let outline: Vec<_> = edge(|p| p.1).into_iter().chain(edge(|p| p.2).into_iter().rev()).collect();
                chart.draw_series([Polygon::new(outline, colour(*ink).filled())]).map_err(|e| e.to_string())?;
            }
        }
        Layer::Cells { cells } => {
            let square =
                |&(x, y, ink): &(f64, f64, Ink)| Rectangle::new([(x - 0.5, y - 0.5), (x + 0.5, y + 0.5)], colour(ink).filled());
            chart.draw_series(cells.iter().map(square)).map_err(|e| e.to_string())?;
        }
        Layer::Strokes { ink, points, width } => {
            let style = colour(*ink).stroke_width(pixels(*width));
            let strokes = points.iter().map(|(x, from, to)| vec![place(*x, *from), place(*x, *to)]);
            let strokes = strokes.filter(|ends| ends.iter().all(visible));
            chart.draw_series(strokes.map(|ends| PathElement::new(ends, style))).map_err(|e| e.to_string())?;
        }
    }
    Ok(())
}

/// Keeps of each pixel column the first, the lowest, the highest and the last point: the line looks the same.
fn thinned(points: &[(f64, f64)], panel: &Panel, columns: u32) -> Vec<(f64, f64)> {
    let clamp = |(x, y): (f64, f64)| (x.clamp(panel.x.low, panel.x.high), y.clamp(panel.y.low, panel.y.high));
    let columns = f64::from(columns.max(1));
    if points.len() <= 2 * columns as usize {
        return points.iter().copied().map(clamp).collect();
    }
    let column = |x: f64| ((x - panel.x.low) / (panel.x.high - panel.x.low) * columns) as i64;
    let mut out = Vec::new();
    for run in points.chunk_by(|a, b| column(a.0) == column(b.0)) {
        let mut keep: Vec<usize> = vec![0, run.len() - 1];
        keep.extend((0..run.len()).min_by(|a, b| run[*a].1.total_cmp(&run[*b].1)));
        keep.extend((0..run.len()).max_by(|a, b| run[*a].1.total_cmp(&run[*b].1)));
        keep.sort_unstable();
        keep.dedup();
        out.extend(keep.into_iter().map(|n| clamp(run[n])));
    }
    out
}
