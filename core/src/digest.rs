//! A name for everything that a program means.

use crate::error::{Error, Result};
use crate::program::{Node, NodeKind, Origin, OutputPort, Port, Source};
use crate::semantics::Semantics;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The SHA-256 of everything that a program means.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl std::str::FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || Error::invalid_signal(format!("{text:?} is not a digest of 64 hexadecimal digits"));
        if text.len() != 64 || !text.is_ascii() {
            return Err(refuse());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| refuse())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| refuse())?;
        }
        Ok(Self(bytes))
    }
}

/// Hashes a canonical form in which nodes stand in the order of their names. Ports stand as they were declared, since that is the order of channels.
pub(crate) fn program(semantics: &Semantics, inputs: &[Port], nodes: &[Node], outputs: &[OutputPort]) -> Digest {
    let mut hash = Sha256::new();
    let mut put = |text: String| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    put(format!("isoform program 1 {semantics:?}"));
    let origin = |o: &Origin| match *o {
        Origin::Input(i) => format!("in {}", inputs[i].name),
        Origin::Node(i, port) => format!("node {} {port}", nodes[i].name),
    };
    let sum = |sources: &[Source]| sources.iter().map(|s| origin(&s.origin)).collect::<Vec<_>>().join("+");
    for port in inputs {
        put(format!("input {} {} {:?}", port.name, port.shape, port.domain));
    }
    let mut sorted: Vec<&Node> = nodes.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    for (rank, node) in sorted.into_iter().enumerate() {
        put(format!("node {} {} {:?} {:?}", node.name, node.kind_name(), node.input_shapes, node.output_shapes));
        if node.semantics != *semantics {
            put(format!("own {:?}", node.semantics));
        }
        // in a part of a larger program, whose draws are those of the whole
        if node.key as usize != rank {
            put(format!("key {}", node.key));
        }
        if let NodeKind::Dynamics { function, .. } = &node.kind {
            put(format!("{:?}", function.recording()));
        }
        if let NodeKind::Linear(map) = &node.kind {
            put(format!("{:?}", map.attributes()));
        }
        for sources in &node.sources {
            put(sum(sources));
        }
        for (name, tensor) in node.parameters() {
            let bits: Vec<String> = tensor.to_f64().iter().map(|v| format!("{:x}", v.to_bits())).collect();
            put(format!("{name} {} {}", tensor.shape(), bits.join(",")));
        }
    }
    for output in outputs {
        put(format!("output {} {} {}", output.port.name, output.port.shape, sum(&output.sources)));
    }
    Digest(hash.finalize().into())
}
