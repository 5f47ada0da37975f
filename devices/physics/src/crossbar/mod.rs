//! Crossbars of memristors.
