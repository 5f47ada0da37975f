//! Memristors, and crossbars of them.
