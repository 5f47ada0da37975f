//! The clock of the system.

use isoform_core::layer::Clock;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Time since the clock was made.
#[derive(Debug)]
pub(super) struct SystemClock(Instant);

impl SystemClock {
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep_until(&self, deadline: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let waker = Arc::new(Mutex::new(None));
        Box::pin(Sleep { end: self.0.checked_add(deadline), waker, thread: None })
    }
}

/// Ends at an instant; a thread of its own wakes whoever waits. Without an end it never does.
struct Sleep {
    end: Option<Instant>,
    waker: Arc<Mutex<Option<Waker>>>,
    thread: Option<Thread>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(end) = self.end else { return Poll::Pending };
        if Instant::now() >= end {
            return Poll::Ready(());
        }
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
        if self.thread.is_none() {
            let waker = Arc::clone(&self.waker);
            let alarm = thread::spawn(move || {
                // once nobody waits any longer, the sleeper is woken early and finds itself alone
                while Arc::strong_count(&waker) > 1 {
                    match end.checked_duration_since(Instant::now()) {
                        Some(rest) if !rest.is_zero() => thread::park_timeout(rest),
                        _ => break,
                    }
                }
                if let Some(waker) = waker.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    waker.wake();
                }
            });
            self.thread = Some(alarm.thread().clone());
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.waker = Arc::new(Mutex::new(None));
        if let Some(thread) = &self.thread {
            thread.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::executor::block_on;

    #[test]
    fn a_sleep_ends_in_time() {
        let clock = SystemClock::new();
        let deadline = clock.now() + Duration::from_millis(20);
        block_on(clock.sleep_until(deadline));
        assert!(clock.now() >= deadline);
        block_on(clock.sleep_until(Duration::ZERO));
    }
}
