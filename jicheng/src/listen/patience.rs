//! Patience with a client that says nothing or does not listen. The HTTP library times the rest
//! of a head once it knows which HTTP is spoken; before the first bytes, and while an answer waits
//! for room on the wire, it would wait for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// So many bytes tell HTTP/2's greeting from a request of HTTP/1.
const TELLING: usize = 24;

/// A stream whose first bytes must come soon and whose answers must be read.
pub struct Patient<S> {
    stream: S,
    /// Until when the first bytes must be there; `None` afterwards.
    first: Option<Pin<Box<Sleep>>>,
    came: usize,
    stalled: Duration,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    /// Waits `first` for the first bytes and `stalled` for a reader who does not read.
    pub fn new(stream: S, first: Duration, stalled: Duration) -> Patient<S> {
        Patient {
            stream,
            first: Some(Box::pin(sleep(first))),
            came: 0,
            stalled,
            waiting: None,
        }
    }

    /// Passes the outcome of a write on; one that has waited too long is a fault.
    fn bounded<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.waiting = None;
            return outcome;
        }
        let until = Instant::now() + self.stalled;
        let timer = self
            .waiting
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(context, buffer);
        if let Some(timer) = &mut this.first {
            this.came += buffer.filled().len() - before;
            if this.came >= TELLING {
                this.first = None;
            } else if outcome.is_pending() {
                ready!(timer.as_mut().poll(context));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.first = None;
        let outcome = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.bounded(context, outcome)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(context);
        this.bounded(context, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_shutdown(context);
        this.bounded(context, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.first = None;
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(context, parts);
        this.bounded(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
