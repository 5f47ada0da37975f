//! What a run looks like to a person, to a build server and to another program.
//!
//! Everything here is made from a [`Dossier`](crate::record::Dossier) and nothing else, so that a run that was read back from its
//! files gives the same page as the run itself.
//!
//! | function | gives |
//! |---|---|
//! | [`table`](fn@table) | a table for a terminal |
//! | [`json`](fn@json), [`from_json`] | the dossier without its samples, as JSON |
//! | [`junit`](fn@junit) | JUnit XML, for build servers |
//! | [`badge`](fn@badge) | a small SVG image of the claim |
//! | [`html`](fn@html) | one self-contained page with plots |
//! | [`write()`], [`read`] | a folder with all of these and the raw samples, there and back |
//! | [`diff`](fn@diff) | what differs between two runs |

mod badge;
mod diff;
mod draw;
mod drift;
mod encode;
mod files;
mod html;
mod json;
mod junit;
mod ledger;
mod npy;
pub mod plot;
mod spelling;
mod table;
mod wording;

pub use badge::badge;
pub use diff::{Change, Difference, FigureChange, StatusChange, diff};
pub use drift::{Drifted, Moved};
pub use files::{FolderError, LARGEST_ARRAY, LARGEST_FOLDER, LARGEST_TEXT, read, write};
pub use html::{Page, html};
pub use json::{from_json, json};
pub use junit::junit;
pub use spelling::quoted;
pub(crate) use spelling::spell;
pub use table::{ProfileRow, Style, profile_table, table};
pub use wording::{Standing, Verdict};
