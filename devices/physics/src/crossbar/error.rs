//! What a crossbar refuses.

/// Why a crossbar refused something; nothing was then changed, unless it says so.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// An array of numbers does not fit the lines.
    #[error("{found} {what} do not fit; give {expected}")]
    Size {
        /// What the numbers are.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many fit.
        expected: usize,
    },
    /// There is no such crossing.
    #[error("there is no cell ({row}, {column}) in an array of {rows} by {columns}")]
    NoCell {
        /// The word line asked for.
        row: usize,
        /// The bit line asked for.
        column: usize,
        /// Word lines.
        rows: usize,
        /// Bit lines.
        columns: usize,
    },
    /// A conductance that the cells do not have.
    #[error("a conductance of {value} µS is outside {low} to {high} µS; scale the weights to the range of the cells")]
    OutOfRange {
        /// The conductance asked for, in microsiemens.
        value: f64,
        /// The least that there is.
        low: f64,
        /// The largest that there is.
        high: f64,
    },
    /// A cell that may not be written any more.
    #[error("cell ({row}, {column}) was written {endurance} times, as often as it endures; use another array")]
    Worn {
        /// Its word line.
        row: usize,
        /// Its bit line.
        column: usize,
        /// How often it could be written.
        endurance: u32,
    },
    /// Program-and-verify gave up. The cell was written that often and keeps what the last pulse left.
    #[error("cell ({row}, {column}) is at {reached} µS after {pulses} pulses, not within {tolerance} µS of {target}; allow more")]
    NotReached {
        /// Its word line.
        row: usize,
        /// Its bit line.
        column: usize,
        /// The conductance aimed at, in microsiemens.
        target: f64,
        /// How near it had to come.
        tolerance: f64,
        /// Where it was read last.
        reached: f64,
        /// How many pulses were spent.
        pulses: u32,
    },
    /// A wire resistance, conductance or voltage that is no physical quantity.
    #[error("{what} is {value}; it must be {must}")]
    Unphysical {
        /// The quantity.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What it has to be.
        must: &'static str,
    },
    /// Converters have 2 to 16 bits and a range above nought.
    #[error("a converter of {bits} bits and range {range} is none; take 2 to 16 bits and a range above nought")]
    Converter {
        /// The bits asked for.
        bits: u32,
        /// The range asked for.
        range: f64,
    },
    /// The nodal equations were not solved to rounding.
    #[error("the nodal equations are off by {residual:e} after {iterations} iterations; take a smaller array or wire resistance")]
    Unsettled {
        /// What is left, relative to the drive.
        residual: f64,
        /// How many iterations were done.
        iterations: usize,
    },
}
