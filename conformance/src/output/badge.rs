//! A small image of the claim.

use super::wording::{Standing, Verdict};
use crate::record::Dossier;

/// Advance of a character of the badge's type in pixels; `textLength` makes any font fit exactly.
const ADVANCE: usize = 7;
/// Space on either side of a text in pixels.
const MARGIN: usize = 8;

/// Draws the claim as an SVG image 20 pixels high: green for the level that was asked for, amber for a lower one, red for none.
#[must_use]
pub fn badge(dossier: &Dossier) -> String {
    let standing = Verdict::of(dossier).standing;
    let (text, colour) = match (dossier.claim, standing) {
        (Some(claim), Standing::Full) => (claim.to_string(), "#1a6b3c"),
        (Some(claim), _) => (claim.to_string(), "#8a5a00"),
        (None, _) => (String::from("claims nothing"), "#a32020"),
    };
    let label = "isoform";
    let (left_text, right_text) = (label.len() * ADVANCE, text.len() * ADVANCE);
    let (left, right) = (left_text + 2 * MARGIN, right_text + 2 * MARGIN);
    let (width, left_x, right_x) = (left + right, left / 2, left + right / 2);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" viewBox="0 0 {width} 20" role="img" aria-label="{label}: {text}">
<title>{label}: {text}</title>
<clipPath id="round"><rect width="{width}" height="20" rx="3"/></clipPath>
<g clip-path="url(#round)"><rect width="{left}" height="20" fill="#3b424a"/><rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" text-anchor="middle">
<text x="{left_x}" y="14" textLength="{left_text}">{label}</text>
<text x="{right_x}" y="14" textLength="{right_text}">{text}</text>
</g>
</svg>
"##
    )
}
