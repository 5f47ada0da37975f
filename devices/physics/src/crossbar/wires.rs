//! What the wires of an array leave of the current of each cell.

use super::error::Error;
use super::network::Network;

/// Lines of an array whose wires are solved together; a larger one is cut, and the currents of its tiles are summed before conversion.
const TILE: usize = 128;
const MICRO: f64 = 1e-6;

/// The share of its ideal current that each cell adds to its bit line, for conductances in microsiemens `[row, column]` and ohms a segment.
pub(super) fn left(conductance: &[f32], rows: usize, columns: usize, wire: f64) -> Result<Vec<f64>, Error> {
    let mut left = vec![1.0; rows * columns];
    for top in (0..rows).step_by(TILE) {
        for first in (0..columns).step_by(TILE) {
            let (tall, wide) = (TILE.min(rows - top), TILE.min(columns - first));
            let cells: Vec<f64> =
                (0..tall * wide).map(|k| f64::from(conductance[(top + k / wide) * columns + first + k % wide]) * MICRO).collect();
            let seen = Network::new(tall, wide, &cells, wire)?.transfer()?;
            for (k, (seen, cell)) in seen.into_iter().zip(cells).enumerate() {
                if cell > 0.0 {
                    left[(top + k / wide) * columns + first + k % wide] = seen / cell;
                }
            }
        }
    }
    Ok(left)
}
