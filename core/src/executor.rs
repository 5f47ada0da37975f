//! A small executor: one future on one thread.
//!
//! The first poll uses a waker that does nothing. A substrate that answers at once, as all in-memory ones do, therefore costs no
//! allocation; only a pending one gets a waker that unparks the thread.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return output;
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[test]
    fn a_ready_future_is_run() {
        assert_eq!(block_on(async { 2 + 3 }), 5);
    }

    #[test]
    fn a_pending_future_is_woken_from_another_thread() {
        let done = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&done);
        let future = std::future::poll_fn(move |context| {
            if flag.load(Ordering::Acquire) {
                return Poll::Ready(7);
            }
            let (waker, flag) = (context.waker().clone(), Arc::clone(&flag));
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(5));
                flag.store(true, Ordering::Release);
                waker.wake();
            });
            Poll::Pending
        });
        assert_eq!(block_on(future), 7);
        assert!(done.load(Ordering::Acquire));
    }
}
