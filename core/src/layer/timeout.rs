//! A deadline on every call.

use crate::error::{Error, ErrorKind, Result};
use crate::profile::Profile;
use crate::program::Program;
use crate::report::Report;
use crate::signal::{Signal, SignalMut};
use crate::substrate::{Cancel, Realization, Run, Substrate};
use async_trait::async_trait;
use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// A source of time, given by the caller.
pub trait Clock: Debug + Send + Sync {
    /// Time since some fixed instant.
    fn now(&self) -> Duration;
    /// Ends when that time has come.
    fn sleep_until(&self, deadline: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// A substrate whose calls fail with `Timeout` when they outlast a limit.
///
/// # Behavior
/// - A call that is still pending at the deadline is dropped, and the state is lost.
/// - A call that blocks its thread cannot be dropped. If it is found to have outlasted the limit when it returns, it fails as well:
///   its answer came too late to be of use.
/// - The cancel flag of the run is raised at the deadline, so that a substrate that looks at it stops.
#[derive(Debug)]
pub struct Timeout {
    inner: Arc<dyn Substrate>,
    limit: Duration,
    clock: Arc<dyn Clock>,
}

impl Timeout {
    /// A limit on every call, by a clock.
    #[must_use]
    pub fn new(inner: Arc<dyn Substrate>, limit: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { inner, limit, clock }
    }
}

/// Runs a call against a deadline.
async fn within<T>(
    clock: &dyn Clock,
    limit: Duration,
    cancel: Option<&Cancel>,
    call: impl Future<Output = Result<T>>,
) -> Result<T> {
    let deadline = clock.now() + limit;
    let late = || Error::new(ErrorKind::Timeout, format!("no answer within {limit:?}")).with_state_lost();
    let mut call = pin!(call);
    let mut sleep: Option<Pin<Box<dyn Future<Output = ()> + Send>>> = None;
    poll_fn(|context| {
        if let Poll::Ready(result) = call.as_mut().poll(context) {
            return Poll::Ready(if result.is_ok() && clock.now() > deadline { Err(late()) } else { result });
        }
        // most calls answer at once and never need the timer
        let sleep = sleep.get_or_insert_with(|| clock.sleep_until(deadline));
        sleep.as_mut().poll(context).map(|()| {
            if let Some(cancel) = cancel {
                cancel.raise();
            }
            Err(late())
        })
    })
    .await
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Substrate for Timeout {
    fn profile(&self) -> Arc<Profile> {
        self.inner.profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let inner = within(self.clock.as_ref(), self.limit, None, self.inner.realize(program, run)).await?;
        Ok(Box::new(Timed { inner, limit: self.limit, clock: Arc::clone(&self.clock), cancel: run.cancel.clone() }))
    }

    fn exemplars(&self) -> Vec<Program> {
        self.inner.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        self.inner.clock()
    }
}

#[derive(Debug)]
struct Timed {
    inner: Box<dyn Realization>,
    limit: Duration,
    clock: Arc<dyn Clock>,
    cancel: Cancel,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Realization for Timed {
    async fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        within(self.clock.as_ref(), self.limit, Some(&self.cancel), self.inner.advance(x, y, ticks)).await
    }

    async fn reset(&mut self) -> Result<()> {
        self.cancel.lower();
        within(self.clock.as_ref(), self.limit, None, self.inner.reset()).await
    }

    crate::hand_on_facets!(inner);
}
