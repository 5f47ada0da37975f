//! Where a program is cut, and what crosses the cuts.
//!
//! The units are the parts of the schedule in their order: whole chunks pass from one to the next. A part that feeds back on itself and
//! whose nodes go to several substrates is cut into runs of nodes, in the order of evaluation, that are advanced tick by tick. Neighbours
//! on one substrate are one segment.
//!
//! Two kinds of edges in such a loop carry what an earlier tick brought, and no segment can know it by itself: late edges, and the inputs
//! of a node that evaluates before what it takes in, because it delays its input anyway. Both take a [`Kept`] row from here. The node of
//! the second kind is *relieved* of one tick of its delay, which the row is.

use crate::program::{NodeKind, Origin, Program};
use std::collections::HashMap;
use std::ops::Range;

/// Where a segment, an output or a kept row takes a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Feed {
    /// An input of the program.
    Input(usize),
    /// A row that another segment gives in this tick.
    Row {
        /// The segment.
        segment: usize,
        /// Which of its exports.
        export: usize,
    },
    /// A row of the previous tick.
    Kept(usize),
}

/// Nodes that run on one substrate as one program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) place: usize,
    pub(super) nodes: Vec<usize>,
    /// What comes in: inputs of the program first.
    pub(super) feeds: Vec<Feed>,
    /// Outputs of nodes that others need.
    pub(super) exports: Vec<(usize, usize)>,
    /// Whether its outputs are those of the program instead.
    pub(super) is_last: bool,
}

/// Segments that are advanced in turn: one for whole chunks, or several tick by tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stage {
    pub(super) segments: Range<usize>,
    pub(super) recurrent: bool,
    pub(super) kept: Vec<usize>,
}

/// What a kept row is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    /// An output of a node for edges that are late.
    Late(usize, usize),
    /// The sum at an input of a relieved node.
    Relief(usize, usize),
}

/// A row that is handed to the next tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) purpose: Purpose,
    pub(super) channels: usize,
    pub(super) terms: Vec<Feed>,
}

/// A program, cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cut {
    pub(super) segments: Vec<Segment>,
    pub(super) stages: Vec<Stage>,
    pub(super) kept: Vec<Kept>,
    /// The terms of each output; empty if the last segment gives them.
    pub(super) outputs: Vec<Vec<Feed>>,
}

impl Cut {
    /// Cuts a program, given the substrate of each node.
    pub(super) fn new(program: &Program, places: &[usize]) -> Self {
        let mut cutter = Cutter { program, cut: Self::default(), home: HashMap::new() };
        cutter.segments(places);
        cutter.feeds();
        cutter.outputs();
        cutter.cut
    }

    /// The kept row of a purpose.
    pub(super) fn find_kept(&self, purpose: Purpose) -> Option<usize> {
        self.kept.iter().position(|k| k.purpose == purpose)
    }

    /// Whether the kept row of its inputs is one tick of the delay of a node.
    pub(super) fn is_relieved(&self, node: usize) -> bool {
        self.kept.iter().any(|k| matches!(k.purpose, Purpose::Relief(n, _) if n == node))
    }

    /// The segment of a node.
    pub(super) fn segment(&self, node: usize) -> Option<usize> {
        self.segments.iter().position(|s| s.nodes.contains(&node))
    }
}

struct Cutter<'a> {
    program: &'a Program,
    cut: Cut,
    /// The segment of each node, and its stage.
    home: HashMap<usize, (usize, usize)>,
}

impl Cutter<'_> {
    fn segments(&mut self, places: &[usize]) {
        let cut = &mut self.cut;
        for part in &self.program.schedule().parts {
            let runs: Vec<&[usize]> = part.nodes.chunk_by(|&a, &b| places[a] == places[b]).collect();
            let recurrent = runs.len() > 1;
            for (r, run) in runs.into_iter().enumerate() {
                let place = places[run[0]];
                let joins = !recurrent && cut.stages.last().is_some_and(|s| !s.recurrent);
                match cut.segments.last_mut().filter(|last| joins && last.place == place) {
                    Some(last) => last.nodes.extend_from_slice(run),
                    None => {
                        let nodes = run.to_vec();
                        cut.segments.push(Segment { place, nodes, feeds: Vec::new(), exports: Vec::new(), is_last: false });
                        let end = cut.segments.len();
                        match cut.stages.last_mut().filter(|_| recurrent && r > 0) {
                            Some(stage) => stage.segments.end = end,
                            None => cut.stages.push(Stage { segments: end - 1..end, recurrent, kept: Vec::new() }),
                        }
                    }
                }
            }
        }
        for (s, stage) in cut.stages.iter().enumerate() {
            for segment in stage.segments.clone() {
                self.home.extend(cut.segments[segment].nodes.iter().map(|&node| (node, (segment, s))));
            }
        }
    }

    /// Whether a node takes in what comes after it in the same tick of a loop.
    fn is_relieved(&self, node: usize, (segment, stage): (usize, usize)) -> bool {
        let built = &self.program.nodes()[node];
        let patient = match &built.kind {
            NodeKind::Delay { ticks, .. } => ticks.iter().all(|&t| t > 0),
            _ => built.input_delay > 0,
        };
        let later = |origin| match origin {
            Origin::Node(from, _) => self.home.get(&from).is_some_and(|&(s, at)| at == stage && s > segment),
            Origin::Input(_) => false,
        };
        patient && built.sources.iter().flatten().any(|source| later(source.origin))
    }

    fn feeds(&mut self) {
        let program = self.program;
        for stage in 0..self.cut.stages.len() {
            for segment in self.cut.stages[stage].segments.clone() {
                let mut feeds = Vec::new();
                for node in self.cut.segments[segment].nodes.clone() {
                    let relieved = self.is_relieved(node, (segment, stage));
                    for (port, sources) in program.nodes()[node].sources.iter().enumerate() {
                        if relieved {
                            let channels = program.nodes()[node].input_shapes[port].len();
                            let terms = sources.iter().map(|s| self.row(s.origin)).collect();
                            feeds.push(self.keep(stage, Kept { purpose: Purpose::Relief(node, port), channels, terms }));
                            continue;
                        }
                        for source in sources {
                            match source.origin {
                                Origin::Node(from, port) if source.late && self.cut.stages[stage].recurrent => {
                                    let channels = program.nodes()[from].output_shapes[port].len();
                                    let terms = vec![self.row(source.origin)];
                                    feeds.push(self.keep(stage, Kept { purpose: Purpose::Late(from, port), channels, terms }));
                                }
                                Origin::Node(from, _) if self.home.get(&from).is_some_and(|&(s, _)| s == segment) => {}
                                origin => feeds.push(self.row(origin)),
                            }
                        }
                    }
                }
                feeds.sort_unstable();
                feeds.dedup();
                self.cut.segments[segment].feeds = feeds;
            }
        }
    }

    /// What an origin gives in the present tick.
    fn row(&mut self, origin: Origin) -> Feed {
        match origin {
            Origin::Input(i) => Feed::Input(i),
            Origin::Node(node, port) => {
                let segment = self.home.get(&node).map_or(0, |&(segment, _)| segment);
                let exports = &mut self.cut.segments[segment].exports;
                let export = exports.iter().position(|&e| e == (node, port)).unwrap_or_else(|| {
                    exports.push((node, port));
                    exports.len() - 1
                });
                Feed::Row { segment, export }
            }
        }
    }

    fn keep(&mut self, stage: usize, kept: Kept) -> Feed {
        let found = self.cut.find_kept(kept.purpose).unwrap_or_else(|| {
            self.cut.kept.push(kept);
            let index = self.cut.kept.len() - 1;
            self.cut.stages[stage].kept.push(index);
            index
        });
        Feed::Kept(found)
    }

    fn outputs(&mut self) {
        let program = self.program;
        let sources = || program.outputs().iter().flat_map(|o| &o.sources);
        let last = self.cut.stages.last().filter(|s| !s.recurrent).map(|s| s.segments.start);
        let whole = last.is_some_and(|last| {
            sources().all(|s| match s.origin {
                Origin::Node(node, _) => self.home.get(&node).is_some_and(|&(segment, _)| segment == last),
                Origin::Input(_) => true,
            })
        });
        if let (Some(last), true) = (last, whole) {
            let segment = &mut self.cut.segments[last];
            segment.is_last = true;
            segment.feeds.extend(sources().filter_map(|s| match s.origin {
                Origin::Input(i) => Some(Feed::Input(i)),
                Origin::Node(..) => None,
            }));
            segment.feeds.sort_unstable();
            segment.feeds.dedup();
        } else {
            self.cut.outputs = program.outputs().iter().map(|o| o.sources.iter().map(|s| self.row(s.origin)).collect()).collect();
        }
        // a program has an output, also where nobody takes it
        for segment in self.cut.segments.iter_mut().filter(|s| !s.is_last && s.exports.is_empty()) {
            segment.exports.push((segment.nodes[0], 0));
        }
    }
}
