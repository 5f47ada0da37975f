//! SCPI: the language of laboratory instruments (IEEE 488.2, SCPI-1999), as hosts speak it and as twins answer it.
//!
//! The `codec` turns bytes into values, the `dialogue` is what drivers talk with, and `parser` and `twin` are the other end: a command tree
//! with long and short forms, and the queue of errors. A driver keeps at most one query unanswered, since a second one before the first
//! answer mixes the two on many instruments.

pub mod codec;
pub mod dialogue;
pub mod parser;
pub mod twin;
