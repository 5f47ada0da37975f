//! Inputs and outputs of a run of lanes, and their parts.

use crate::buffer::View;
use crate::output::view;
use isoform_core::lanes::{Feed, InstructionSet, Sink};
use ndarray::{Axis, Slice};
use smallvec::SmallVec;
use std::ops::Range;

/// The inputs of a run.
pub(crate) type Feeds<'a> = SmallVec<[Feed<'a>; 4]>;

/// Rows as an input of so many lanes.
#[inline(always)]
pub(crate) fn feed<'a>(view: &View<'a>, lanes: usize) -> Feed<'a> {
    if view.held { Feed::Held(&view.data[..lanes]) } else { Feed::Stream { data: view.data, stride: view.stride } }
}

/// The part of an input that belongs to some lanes.
pub(crate) fn feed_part<'a>(feed: &Feed<'a>, lanes: &Range<usize>) -> Feed<'a> {
    match *feed {
        Feed::Stream { data, stride } => Feed::Stream { data: &data[lanes.start..], stride },
        Feed::Held(row) => Feed::Held(&row[lanes.clone()]),
        Feed::Constant(v) => Feed::Constant(v),
    }
}

/// Which lanes and ticks to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) instructions: InstructionSet,
    pub(crate) ticks: usize,
    /// The first lane, counted from the first of the shard.
    pub(crate) first: usize,
    pub(crate) lanes: usize,
}

/// So many outputs need no allocation.
pub(crate) const FEW: usize = 2;

/// The outputs of a run. A job borrows them for as long as what they refer to, which rules out a `SmallVec`.
#[derive(Debug)]
pub(crate) struct Sinks<'a> {
    few: [Sink<'a>; FEW],
    many: Vec<Sink<'a>>,
    count: usize,
}

impl<'a> Sinks<'a> {
    /// As many outputs as there are.
    pub(crate) fn new(mut sinks: impl ExactSizeIterator<Item = Sink<'a>>) -> Self {
        let count = sinks.len();
        let mut few = [const { Sink::Discard }; FEW];
        if count > FEW {
            return Self { few, many: sinks.collect(), count };
        }
        few.iter_mut().for_each(|to| *to = sinks.next().unwrap_or(Sink::Discard));
        Self { few, many: Vec::new(), count }
    }

    pub(crate) fn as_mut(&mut self) -> &mut [Sink<'a>] {
        if self.count > FEW { &mut self.many } else { &mut self.few[..self.count] }
    }

    pub(crate) fn reborrow(&mut self) -> Sinks<'_> {
        Sinks::new(self.as_mut().iter_mut().map(|sink| match sink {
            Sink::Stream(view) => Sink::Stream(view.view_mut()),
            Sink::Rows { data, stride } => Sink::Rows { data, stride: *stride },
            Sink::Counts(counts) => Sink::Counts(counts),
            Sink::Discard => Sink::Discard,
        }))
    }

    /// The part of some lanes.
    pub(crate) fn part(&mut self, lanes: &Range<usize>) -> Sinks<'_> {
        Sinks::new(self.as_mut().iter_mut().map(|sink| match sink {
            Sink::Stream(view) => Sink::Stream(view.slice_axis_mut(Axis(1), Slice::from(lanes.clone()))),
            Sink::Rows { data, stride } => Sink::Rows { data: &mut data[lanes.start..], stride: *stride },
            Sink::Counts(counts) => Sink::Counts(&mut counts[lanes.clone()]),
            Sink::Discard => Sink::Discard,
        }))
    }

    /// The parts before and from a lane on.
    pub(crate) fn split_at(&mut self, lane: usize) -> (Sinks<'_>, Sinks<'_>) {
        let mut later = SmallVec::<[Sink<'_>; FEW]>::new();
        let early = self.as_mut().iter_mut().map(|sink| {
            let (a, b) = match sink {
                Sink::Stream(view) => {
                    let (a, b) = view.view_mut().split_at(Axis(1), lane);
                    (Sink::Stream(a), Sink::Stream(b))
                }
                Sink::Rows { data, stride } => {
                    let (a, b) = view(data, *stride).split_at(Axis(1), lane);
                    (Sink::Stream(a), Sink::Stream(b))
                }
                Sink::Counts(counts) => {
                    let (a, b) = counts.split_at_mut(lane);
                    (Sink::Counts(a), Sink::Counts(b))
                }
                Sink::Discard => (Sink::Discard, Sink::Discard),
            };
            later.push(b);
            a
        });
        let early = Sinks::new(early);
        (early, Sinks::new(later.into_iter()))
    }
}
