//! Draws the plots that laws ask for.
//!
//! Each kind turns samples into panels of layers; [`canvas`] sets those as SVG, once for wide and once for narrow pages. Colours are
//! the keys of [`Ink`]: the style sheet of the page replaces them, for a dark page or for dashes.

mod agreement;
mod allan;
mod axis;
mod canvas;
mod curves;
mod latency;
mod map;
mod raster;
mod spikes;

use super::plot::{Kind, Plot};
use super::spelling::plain;
use crate::record::{Evidence, Samples};
use axis::Axis;
pub(super) use canvas::Picture;

/// Beyond this a number is not drawn, so that no difference of two overflows.
const LARGEST: f64 = 1e300;

/// Shades of a map.
pub(super) const LEVELS: usize = 7;

/// What is drawn in one colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Curves in the order of the legend; the substrate is the first and the oracle the second.
    Series(usize),
    /// A curve that lies on another one, dashed.
    Dashed(usize),
    /// A fitted curve, dashed.
    Model,
    /// What is allowed.
    Band,
    /// The edge of what is allowed, dashed.
    Limit,
    /// Where either decision is right.
    Ambiguous,
    /// What should not be.
    Wrong,
    /// One of [`LEVELS`] shades, from little to much.
    Level(usize),
    /// Text and axes.
    Axis,
    /// Grid lines.
    Grid,
}

impl Ink {
    /// Red, green and blue on a light page, and the key in the style sheet.
    fn rgb(self) -> (u8, u8, u8) {
        const SERIES: [(u8, u8, u8); 5] =
            [(0x1f, 0x5f, 0xa8), (0xc2, 0x57, 0x1a), (0x2f, 0x7d, 0x4f), (0x7a, 0x4f, 0xa3), (0x6b, 0x5b, 0x2e)];
        const SHADES: [(u8, u8, u8); LEVELS] = [
            (0xed, 0xf3, 0xfa),
            (0xcf, 0xe0, 0xf1),
            (0xa6, 0xc8, 0xe6),
            (0x74, 0xa9, 0xd6),
            (0x3f, 0x86, 0xc0),
            (0x1f, 0x5f, 0x9f),
            (0x0b, 0x3c, 0x73),
        ];
        match self {
            Self::Series(n) => SERIES[n % SERIES.len()],
            // One off the colour of the curve: the same to the eye, another key to the style sheet, which dashes it.
            Self::Dashed(n) => {
                let (r, g, b) = SERIES[n % SERIES.len()];
                (r, g, b + 1)
            }
            Self::Model => (0x1b, 0x1f, 0x25),
            Self::Band => (0xd5, 0xe3, 0xf2),
            Self::Limit => (0x6f, 0x8f, 0xb3),
            Self::Ambiguous => (0xf0, 0xc9, 0x5a),
            Self::Wrong => (0xb3, 0x26, 0x1e),
            Self::Level(n) => SHADES[n % LEVELS],
            Self::Axis => (0x4f, 0x58, 0x62),
            Self::Grid => (0xe3, 0xe6, 0xea),
        }
    }

    /// The key as it stands in the SVG.
    pub(super) fn key(self) -> String {
        let (r, g, b) = self.rgb();
        format!("#{r:02X}{g:02X}{b:02X}")
    }
}

/// The shape of a thing in the legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Line,
    Dot,
    Ring,
    Area,
    Stroke,
}

/// A line of the legend.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub label: String,
    pub ink: Ink,
    pub mark: Mark,
}

impl Key {
    fn new(label: impl AsRef<str>, ink: Ink, mark: Mark) -> Self {
        Self { label: plain(label.as_ref()), ink, mark }
    }
}

/// Something on a panel, in the units of its axes.
enum Layer {
    /// Points that are joined; where one is not finite the line is broken.
    Line { ink: Ink, points: Vec<(f64, f64)> },
    /// Points that are not joined.
    Dots { ink: Ink, points: Vec<(f64, f64)>, radius: f64 },
    /// A circle around each point.
    Rings { ink: Ink, points: Vec<(f64, f64)> },
    /// The area between two curves over the same x.
    Area { ink: Ink, points: Vec<(f64, f64, f64)> },
    /// Squares of one unit around points, each in its own shade.
    Cells { cells: Vec<(f64, f64, Ink)> },
    /// Upright strokes from the second to the third number.
    Strokes { ink: Ink, points: Vec<(f64, f64, f64)>, width: f64 },
}

/// One pair of axes and what is on it.
struct Panel {
    x: Axis,
    y: Axis,
    /// Its height in pixels.
    height: u32,
    layers: Vec<Layer>,
}

/// A plot, ready for the page.
#[derive(Debug)]
pub(super) struct Drawing {
    pub title: String,
    pub caption: String,
    /// What it shows, for those who do not see it, and below it for those who do.
    pub finding: String,
    pub legend: Vec<Key>,
    pub wide: Picture,
    pub narrow: Picture,
}

/// The panels, the legend and a sentence.
struct Sketch {
    panels: Vec<Panel>,
    legend: Vec<Key>,
    finding: String,
}

/// Draws one plot.
///
/// # Errors
/// Why it cannot be drawn, for people.
pub(super) fn draw(plot: &Plot, evidence: &Evidence) -> Result<Drawing, String> {
    let sketch = match plot.kind {
        Kind::Agreement => agreement::sketch(plot, evidence),
        Kind::StepResponse | Kind::Lines => curves::sketch(plot, evidence),
        Kind::Raster => raster::sketch(plot, evidence),
        Kind::Latency => latency::sketch(plot, evidence),
        Kind::Allan => allan::sketch(plot, evidence),
        Kind::ErrorMap => map::sketch(plot, evidence),
        Kind::Spikes => spikes::sketch(plot, evidence),
    }?;
    Ok(Drawing {
        title: plain(&plot.title),
        caption: plot.caption.as_deref().map(plain).unwrap_or_default(),
        finding: capitalised(&sketch.finding),
        legend: sketch.legend,
        wide: canvas::picture(&sketch.panels, canvas::WIDE)?,
        narrow: canvas::picture(&sketch.panels, canvas::NARROW)?,
    })
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn find<'a>(evidence: &'a Evidence, name: &str) -> Result<&'a Samples, String> {
    let found = evidence.samples.iter().find(|s| s.name == name);
    found.ok_or_else(|| format!("there are no samples named {:?}", plain(name)))
}

/// The extents of samples as time and everything else.
fn extents(samples: &Samples) -> Result<(usize, usize), String> {
    let (time, rest) = samples.shape.split_first().unwrap_or((&1, &[]));
    let width = rest.iter().try_fold(1_usize, |n, &m| n.checked_mul(m));
    match width.filter(|w| w.checked_mul(*time) == Some(samples.values.len())) {
        Some(width) => Ok((*time, width)),
        None => Err(format!(
            "the samples {:?} have shape {:?} and {} values",
            plain(&samples.name),
            samples.shape,
            samples.values.len()
        )),
    }
}

/// Samples over time at one place of their other extents.
fn column(samples: &Samples, place: usize) -> Result<Vec<f64>, String> {
    let (_, width) = extents(samples)?;
    if width > 0 && place >= width {
        return Err(format!("the samples {:?} have {width} columns and none of number {place}", plain(&samples.name)));
    }
    Ok(samples.values.iter().skip(place).step_by(width.max(1)).copied().collect())
}

/// The x values of a plot, as many as there are ticks, and what they are called and measured in.
fn abscissa(plot: &Plot, evidence: &Evidence, ticks: usize) -> Result<(Vec<f64>, String, String), String> {
    let (values, name, unit) = match (&plot.x, plot.tick) {
        (Some(x), _) => {
            let samples = find(evidence, x)?;
            (column(samples, 0)?, x.clone(), samples.unit.clone())
        }
        (None, Some(tick)) => ((0..ticks).map(|t| t as f64 * tick).collect(), String::from("time"), String::from("s")),
        (None, None) => ((0..ticks).map(|t| t as f64).collect(), String::from("tick"), String::from("1")),
    };
    if values.len() < ticks {
        return Err(format!("there are {} x values for {ticks} points", values.len()));
    }
    let name = plot.labels.as_ref().map_or(name, |[x, _]| x.clone());
    Ok((values, name, unit))
}

/// How many numbers are left out of a drawing.
fn left_out<'a>(values: impl IntoIterator<Item = &'a f64>) -> String {
    match values.into_iter().filter(|v| v.abs() > LARGEST || v.is_nan()).count() {
        0 => String::new(),
        1 => String::from(" One number is not finite and left out."),
        n => format!(" {n} numbers are not finite and left out."),
    }
}

fn zip(x: &[f64], y: &[f64]) -> Vec<(f64, f64)> {
    x.iter().copied().zip(y.iter().copied()).collect()
}
