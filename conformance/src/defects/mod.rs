//! The suite tests itself: substrates with planted defects, each of which a law has to catch.
//!
//! A planted defect is a layer around a healthy substrate. It is worth as much as a mutation in a mutation test: a law that catches
//! none can be broken without anybody seeing it.

mod facets;
mod layer;
mod noisy;
mod physical;
mod pretends;
mod realization;
mod table;

pub use layer::Faulty;
pub use noisy::{HEALTHY, PLANTED, SLOW, Subject};
pub use physical::{Dated, Films, Habit, PHYSICAL};
pub use pretends::Pretends;
pub use table::{DefectRow, Tried, rows, self_test};

/// What is wrong with a substrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Defect {
    /// Nothing: the layer alone, which has to pass every law.
    None,
    /// A reset leaves a twentieth of the state.
    ResetLeavesResidue,
    /// A reset skips the last channel of each node.
    ResetSkipsChannel,
    /// Two realizations act on one state.
    SharedState,
    /// Outputs are one tick late.
    LateByOne,
    /// The decay is Euler's where an exact one was asked for.
    EulerAsExact,
    /// Spikes reset to a value where a subtraction was asked for.
    ZeroAsSubtract,
    /// At the threshold it fires, although only above was asked for.
    FiresAtThreshold,
    /// The other rule for cycles than was asked for.
    OtherCycleRule,
    /// Inputs are three percent too strong.
    Gain,
    /// Inputs have an offset of two percent of the largest.
    Offset,
    /// Every fifth advance hands over the output of the one before.
    StaleReply,
    /// In long chunks one sample is dropped and the rest moves up.
    DroppedSample,
    /// In long chunks one sample is played twice.
    DuplicatedSample,
    /// The first sample of every chunk but the first is lost.
    LostBoundary,
    /// Numbers that are not finite come out as nought.
    NanSwallowed,
    /// Inputs saturate at two thirds of the range.
    LowRail,
    /// Two percent of each channel reach the next.
    CrossTalk,
    /// The last two inputs both get their mean.
    MergedInputs,
    /// A refused call lets a tick pass.
    FailureAdvances,
    /// The input of the next tick shows in this one.
    PeeksAhead,
    /// A part of the first lane reaches the second.
    LanesLeak,
    /// Loading a state ignores the last block.
    LoadIgnoresBlock,
    /// The profile denies a facet that is there.
    DeniesFacet,
    /// The profile claims a facet that is not there.
    ClaimsFacet,
    /// The gain falls by one part in ten million a tick.
    SlowDrift,
    /// Every advance keeps some memory for good.
    MemoryLeak,
    /// The flag that cancels is not looked at.
    CancelIgnored,
    /// A second opening starts from where the first was closed.
    ReopensDirty,
    /// Counts replace what is there instead of being added.
    CountsReplaced,
    /// A held input is only seen in the first tick.
    HeldOnce,
    /// Writing a parameter resets the state.
    TuningResets,
    /// Writing a parameter has no effect.
    TuningIgnored,
    /// A name that stands for nothing is accepted.
    NamesAccepted,
    /// Programs beyond the profile are taken.
    TakesAnything,
    /// A second realization fails in another way than by being busy.
    FailsSecond,
    /// An advance by no ticks fails.
    EmptyFails,
    /// The seed shows where nothing is drawn.
    SeedShows,
    /// The profile is another one each time.
    ProfileChanges,
    /// Saved states are numbered from nought.
    SavedTickLost,
    /// Every realization fails after a hundred thousand ticks and all that come after it.
    Wearout,
    /// Semantics of a single node are ignored.
    OverrideIgnored,
    /// From the fourth load of a realization on, the last block is ignored.
    LoadsTwice,
    /// Two states of a node change places in what is saved and loaded.
    SwapsStates,
    /// It panics in a long chunk.
    Panics,
    /// Outputs of channels from the 64th on are nought.
    DeadChannels,
    /// Outputs of lanes from the fourth on are nought.
    DeadLanes,
    /// Inputs saturate at a magnitude of 20.
    Rail,
    /// Neurons of large thresholds never fire.
    DeafToLarge,
    /// Time constants below a third of a tick count as none.
    FastDecaysLost,
    /// A weight that is written after its first use is kept, but not used.
    WeightsCached,
    /// Every program with a dense map is refused, although the profile admits it.
    RefusesPromised,
    /// What is opened beside another realization starts from its state.
    OpensFromOther,
    /// What is written to one realization shows in all of the same program.
    WritesShared,
    /// Every third reset keeps a megabyte for good.
    LeaksInSteps,
    /// The accuracy table allows a division any error.
    LooseTable,
    /// Draws do not depend on the seed.
    SeedIgnored,
    /// Events of every chunk but the first are lost.
    EventsOnce,
    /// Delays are a tick shorter than they say.
    DelaysShort,
    /// Neurons within graphs within a program are three percent too strong.
    NestedGain,
    /// Time constants are one percent too short.
    TausShort,
    /// Nothing comes out of ticks from the 64th after a reset on.
    Tires,
}
