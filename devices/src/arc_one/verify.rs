//! Closed-loop programming: pulse, read, compare, until each cell has the conductance that it should have.
//!
//! What a pulse does depends on the cell, its past and chance, so that no model is used: the width of the next pulse follows from what the
//! last one of the same sign did. Voltages start low and are raised only where the longest pulse does nothing.
//!
//! A cell is *verified* when two reads after its last pulse are within the tolerance. Relaxation begins at once, and pulses on the other
//! cells of its lines get half the voltage to it. After all cells are written the array is swept, and what has left a wider band is written
//! again, until a sweep finds all of them in it. The wider band keeps the loop from fighting relaxation, which would pick the cells that
//! happen to relax little and wear the others.

use super::dialogue::{Board, Cell, agreed, is_mendable};
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::substrate::Cancel;
use isoform_serial::link::Link;
use std::time::Duration;

/// How cells are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Writer {
    /// The conductances that are used, in siemens.
    pub range: [f64; 2],
    /// How far from its target a cell may be when it is verified, in siemens.
    pub tolerance: f64,
    /// How far a sweep may find it, in siemens.
    pub band: f64,
    /// The magnitude of the voltage of the first pulses, in volts.
    pub volts: f64,
    /// The largest magnitude that is ever sent, in volts.
    pub most_volts: f64,
    /// The shortest and the longest pulse.
    pub widths: [Duration; 2],
    /// The most pulses and second looks on one cell at a time.
    pub most_steps: u32,
}

impl Default for Writer {
    /// From 10 to 90 µS, verified at 1 % of that range, swept at 2.5 %.
    fn default() -> Self {
        Self {
            range: [10e-6, 90e-6],
            tolerance: 0.8e-6,
            band: 2e-6,
            volts: 1.5,
            most_volts: 2.0,
            widths: [Duration::from_micros(1), Duration::from_millis(10)],
            most_steps: 300,
        }
    }
}

/// The most voltage that the drivers of the board give.
pub(super) const BOARD_VOLTS: f64 = 12.0;
/// Sweeps after which the array counts as one that cannot be written.
const MOST_SWEEPS: u32 = 12;
/// How often a dialogue is begun anew while one array is written.
const MOST_FAILURES: u32 = 4;

/// A cell and the conductance that it should have, in siemens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The cell.
    pub cell: Cell,
    /// Its conductance.
    pub siemens: f64,
}

/// How a cell was found when it was verified.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verified {
    /// Its conductance, in siemens.
    pub siemens: f64,
    /// When, on the clock of the line.
    pub at: Duration,
    /// Pulses that it has got.
    pub pulses: u32,
}

/// What writing an array came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Each target, in the order in which they were given.
    pub cells: Vec<Verified>,
    /// Pulses in all.
    pub pulses: u64,
    /// Sweeps of the array.
    pub sweeps: u32,
}

impl Writer {
    /// Checks the limits, and targets against them and the array.
    ///
    /// # Errors
    /// `Unsupported`, before anything is sent.
    pub fn check(&self, board: &Board, targets: &[Target]) -> Result<()> {
        let refuse = |why: String| Err(Error::unsupported(why));
        let volts_fit = self.volts > 0.0 && self.volts <= self.most_volts && self.most_volts <= BOARD_VOLTS;
        if !volts_fit {
            return refuse(format!(
                "pulses of {} to {} V are not within the {BOARD_VOLTS} V of the board; choose others",
                self.volts, self.most_volts
            ));
        }
        let [low, high] = self.range;
        let reading = board.reading();
        for Target { cell, siemens } in targets {
            if !(low..=high).contains(siemens) {
                return refuse(format!("a conductance of {siemens:e} S is not within the {low:e} to {high:e} S that cells take"));
            }
            if cell.word >= reading.words || cell.bit >= reading.bits {
                return refuse(format!(
                    "there is no cell at word {}, bit {} of {} by {}",
                    cell.word, cell.bit, reading.words, reading.bits
                ));
            }
        }
        Ok(())
    }

    /// Writes cells. Those that are within `first` of their targets from the beginning are left alone.
    ///
    /// # Errors
    /// `Unsupported` for what is out of the limits; `Fault` for a cell that does not obey; what the line says after some tries.
    pub fn write(&self, board: &mut Board, link: &mut Link, targets: &[Target], first: f64, cancel: &Cancel) -> Result<Written> {
        self.check(board, targets)?;
        let before = board.pulses();
        let words = targets.iter().map(|t| t.cell.word + 1).max().unwrap_or(0);
        let bits = targets.iter().map(|t| t.cell.bit + 1).max().unwrap_or(0);
        let mut cells = vec![None; targets.len()];
        let (mut failures, mut sweeps) = (0, 0);
        if targets.is_empty() {
            return Ok(Written { cells: Vec::new(), pulses: 0, sweeps });
        }
        loop {
            let found = board.steadily(link, |board, link| board.sweep(link, words, bits))?;
            sweeps += 1;
            let allowed = if sweeps == 1 { first } else { self.band };
            let mut is_quiet = true;
            for (target, verified) in targets.iter().zip(&mut cells) {
                let siemens = found[target.cell.word * bits + target.cell.bit];
                if (siemens - target.siemens).abs() <= allowed {
                    verified.get_or_insert(Verified { siemens, at: link.now(), pulses: 0 });
                    continue;
                }
                if sweeps > MOST_SWEEPS {
                    return Err(stuck(target, siemens));
                }
                if link.is_asked_to_stop(cancel) {
                    return Err(Error::new(ErrorKind::Fault, "the writing of the array was cancelled; reset to go on with it"));
                }
                is_quiet = false;
                let earlier = verified.map_or(0, |v: Verified| v.pulses);
                let written = self.write_cell(board, link, target, &mut failures)?;
                *verified = Some(Verified { pulses: written.pulses + earlier, ..written });
            }
            if is_quiet {
                break;
            }
        }
        Ok(Written { cells: cells.into_iter().flatten().collect(), pulses: board.pulses() - before, sweeps })
    }

    fn write_cell(&self, board: &mut Board, link: &mut Link, target: &Target, failures: &mut u32) -> Result<Verified> {
        let [shortest, longest] = self.widths.map(|w| w.as_secs_f64());
        let mut aim = [Aim::new(self.volts); 2];
        let mut siemens = board.steadily(link, |board, link| board.read(link, target.cell))?;
        let mut pulses = 0;
        for _ in 0..self.most_steps {
            if (target.siemens - siemens).abs() <= self.tolerance {
                // a second look, for the first may have been noise or changed on the way
                let again = board.steadily(link, |board, link| board.read(link, target.cell))?;
                match agreed(siemens, again) {
                    Some(mean) if (target.siemens - mean).abs() <= self.tolerance => {
                        return Ok(Verified { siemens: mean, at: link.now(), pulses });
                    }
                    _ => siemens = again,
                }
                if (target.siemens - siemens).abs() <= self.tolerance {
                    continue;
                }
            }
            pulses += 1;
            // less resistance needs a negative voltage
            let needs_fall = target.siemens > siemens;
            let aim = &mut aim[usize::from(needs_fall)];
            let volts = if needs_fall { -aim.volts } else { aim.volts };
            let width = aim.width.clamp(shortest, longest);
            let after = match board.pulse(link, target.cell, volts, Duration::from_secs_f64(width)) {
                Ok(after) => after,
                Err(error) if is_mendable(&error) && *failures < MOST_FAILURES => {
                    // whether the pulse was given shows in the next read
                    *failures += 1;
                    board.begin(link)?;
                    siemens = board.steadily(link, |board, link| board.read(link, target.cell))?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let moved = if needs_fall { after - siemens } else { siemens - after };
            aim.learn(moved, width, (target.siemens - after).abs(), self.tolerance, (longest, self.most_volts));
            siemens = after;
        }
        Err(stuck(target, siemens))
    }
}

fn stuck(target: &Target, siemens: f64) -> Error {
    let Cell { word, bit } = target.cell;
    Error::fault(format!(
        "the cell at word {word}, bit {bit} stays at {siemens:.3e} S where {:.3e} S is wanted: it is stuck, or the voltages are too low",
        target.siemens
    ))
}

/// What is known of the pulses of one sign on one cell.
#[derive(Debug, Clone, Copy)]
struct Aim {
    width: f64,
    volts: f64,
}

impl Aim {
    fn new(volts: f64) -> Self {
        Self { width: 10e-6, volts }
    }

    /// Chooses the next pulse by what the last one did.
    fn learn(&mut self, moved: f64, width: f64, missing: f64, tolerance: f64, (longest, most_volts): (f64, f64)) {
        // less than this is noise
        if moved < tolerance / 4.0 {
            if width >= longest {
                self.volts = (self.volts * 1.1).min(most_volts);
                self.width = longest / 10.0;
            } else {
                self.width = width * 4.0;
            }
        } else {
            self.width = width * (0.9 * missing / moved).clamp(0.05, 5.0);
        }
    }
}
