//! One tick of a program for one lane, in any kind of number.
//!
//! The walk knows wires, lines of past inputs and late edges; what a node computes is left to a [`Medium`].

use crate::program::{Node, NodeKind, Origin, Program, Source};
use crate::schedule::Content;

/// The arithmetic of a walk.
pub(crate) trait Medium {
    /// The kind of number.
    type Number: Copy + Default;

    /// A sum of signals.
    fn sum(&self, terms: &mut dyn Iterator<Item = Self::Number>) -> Self::Number;

    /// A signal as it reaches another node, or the next tick.
    fn hand(&self, signal: Self::Number) -> Self::Number {
        signal
    }

    /// Evaluates a node that computes: `x` per input, `states` per state of the signature, `y` per output.
    fn evaluate(
        &mut self,
        index: usize,
        node: &Node,
        x: &[Vec<Self::Number>],
        states: &mut [Vec<Self::Number>],
        y: &mut [Vec<Self::Number>],
    );
}

/// The buffers of a walk.
#[derive(Debug, Clone)]
pub(crate) struct Walk<T> {
    x: Vec<Vec<Vec<T>>>,
    y: Vec<Vec<Vec<T>>>,
    states: Vec<Vec<T>>,
}

impl<T: Copy + Default> Walk<T> {
    pub(crate) fn new(program: &Program) -> Self {
        let buffers = |node: &Node, inputs: bool| {
            let shapes = if inputs { &node.input_shapes } else { &node.output_shapes };
            shapes.iter().map(|s| vec![T::default(); s.len()]).collect()
        };
        Self {
            x: program.nodes().iter().map(|n| buffers(n, true)).collect(),
            y: program.nodes().iter().map(|n| buffers(n, false)).collect(),
            states: Vec::new(),
        }
    }

    /// The output of a node in the tick that was walked last.
    pub(crate) fn output(&self, node: usize, port: usize) -> &[T] {
        &self.y[node][port]
    }

    /// Walks one tick: reads `input`, changes `memory`, writes `output`.
    pub(crate) fn tick<M: Medium<Number = T>>(
        &mut self,
        program: &Program,
        medium: &mut M,
        input: &[T],
        memory: &mut [Vec<T>],
        output: &mut [T],
    ) {
        let blocks = &program.schedule().memory;
        for &index in &program.schedule().order {
            let node = &program.nodes()[index];
            let range = program.schedule().range(index);
            for port in 0..node.sources.len() {
                if node.input_delay > 0 {
                    let (line, ticks) = find_line(program, index, port);
                    let channels = node.input_shapes[port].len();
                    self.x[index][port].copy_from_slice(&memory[line][(ticks - 1) * channels..ticks * channels]);
                } else {
                    self.gather(program, medium, &node.sources[port], input, memory, (index, port));
                }
            }
            match &node.kind {
                NodeKind::Relay => {
                    let (x, y) = (&self.x[index], &mut self.y[index]);
                    y[0].copy_from_slice(&x[0]);
                }
                NodeKind::Delay { ticks, .. } => {
                    let line = range.clone().find(|&b| matches!(blocks[b].content, Content::Line { .. }));
                    let channels = ticks.len();
                    for (c, &back) in ticks.iter().enumerate() {
                        self.y[index][0][c] = match (back as usize, line) {
                            (0, _) | (_, None) => self.x[index][0][c],
                            (back, Some(line)) => memory[line][(back - 1) * channels + c],
                        };
                    }
                }
                NodeKind::Dynamics { .. } | NodeKind::Linear(_) | NodeKind::Optical(_) => {
                    let states = range.clone().filter(|&b| matches!(blocks[b].content, Content::State(_)));
                    self.states.clear();
                    self.states.extend(states.clone().map(|b| std::mem::take(&mut memory[b])));
                    medium.evaluate(index, node, &self.x[index], &mut self.states, &mut self.y[index]);
                    for (b, state) in states.zip(self.states.drain(..)) {
                        memory[b] = state;
                    }
                }
            }
        }
        self.put_outputs(program, medium, input, output);
        self.absorb(program, medium, input, memory);
    }

    fn gather<M: Medium<Number = T>>(
        &mut self,
        program: &Program,
        medium: &M,
        sources: &[Source],
        input: &[T],
        memory: &[Vec<T>],
        (index, port): (usize, usize),
    ) {
        let mut x = std::mem::take(&mut self.x[index][port]);
        let rows: Vec<&[T]> = sources.iter().map(|s| self.row(program, s, input, memory)).collect();
        for (c, x) in x.iter_mut().enumerate() {
            *x = medium.sum(&mut rows.iter().map(|row| medium.hand(row[c])));
        }
        self.x[index][port] = x;
    }

    fn row<'a>(&'a self, program: &Program, source: &Source, input: &'a [T], memory: &'a [Vec<T>]) -> &'a [T] {
        match source.origin {
            Origin::Input(i) => {
                let from: usize = program.inputs()[..i].iter().map(|p| p.shape.len()).sum();
                &input[from..from + program.inputs()[i].shape.len()]
            }
            Origin::Node(node, port) if source.late => {
                let held = program.schedule().memory.iter().position(|m| m.node == node && m.content == Content::Previous(port));
                held.map_or(&self.y[node][port], |b| &memory[b])
            }
            Origin::Node(node, port) => &self.y[node][port],
        }
    }

    fn put_outputs<M: Medium<Number = T>>(&self, program: &Program, medium: &M, input: &[T], output: &mut [T]) {
        let mut at = 0;
        for port in program.outputs() {
            let rows: Vec<&[T]> = port.sources.iter().map(|s| self.row(program, s, input, &[])).collect();
            let channels = port.port.shape.len();
            for (c, y) in output[at..at + channels].iter_mut().enumerate() {
                *y = medium.sum(&mut rows.iter().map(|row| row[c]));
            }
            at += channels;
        }
    }

    /// Hands the values of this tick to the next one. Lines come first: they may read late edges.
    fn absorb<M: Medium<Number = T>>(&mut self, program: &Program, medium: &M, input: &[T], memory: &mut [Vec<T>]) {
        for (b, block) in program.schedule().memory.iter().enumerate() {
            if let Content::Line { port, .. } = block.content {
                let sources = &program.nodes()[block.node].sources[port];
                self.gather(program, medium, sources, input, memory, (block.node, port));
                let row = &self.x[block.node][port];
                let keep = memory[b].len() - row.len();
                memory[b].copy_within(..keep, row.len());
                memory[b][..row.len()].copy_from_slice(row);
            }
        }
        for (b, block) in program.schedule().memory.iter().enumerate() {
            if let Content::Previous(port) = block.content {
                memory[b].iter_mut().zip(&self.y[block.node][port]).for_each(|(to, &v)| *to = medium.hand(v));
            }
        }
    }
}

fn find_line(program: &Program, node: usize, port: usize) -> (usize, usize) {
    let blocks = &program.schedule().memory;
    program
        .schedule()
        .range(node)
        .find_map(|b| match blocks[b].content {
            Content::Line { port: p, ticks } if p == port => Some((b, ticks)),
            _ => None,
        })
        .unwrap_or((0, 1))
}
