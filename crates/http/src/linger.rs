//! A connection that is closed gently, and given up when its client takes nothing of what it is answered.
//!
//! An answer given before its request was read to the end (too large, no key, wrong content type) would be lost if the socket
//! were closed at once: what the client still sends is then answered with a reset, which throws away what it has not read
//! yet. So the writing half is closed first, and what comes in is thrown away for a moment.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// How long a client may be silent; one that only keeps its connection for later closes no sooner.
const SILENCE_MAX: Duration = Duration::from_millis(300);
/// How long a client may go on sending.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Bytes that are thrown away at most: twice the largest body that is read.
const BYTES_MAX: usize = 96 * 1024 * 1024;
/// How long a client may take nothing of what is written to it, before its connection is given up.
const STALLED_MAX: Duration = Duration::from_secs(30);
/// Bytes that are thrown away at a time.
const PIECE: usize = 16 * 1024;

/// A stream whose shutdown waits until the other side has stopped sending, for a while.
pub(crate) struct Lingering {
    stream: TcpStream,
    /// Runs while a write waits for its client.
    stalled: Option<Pin<Box<Sleep>>>,
    ending: Option<Ending>,
}

struct Ending {
    silence: Pin<Box<Sleep>>,
    until: Instant,
    bytes_left: usize,
}

impl Lingering {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self { stream, stalled: None, ending: None }
    }

    /// What a write came to. One that has waited too long is an error, which ends the connection.
    fn written<T>(
        &mut self,
        wrote: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.stalled = None;
            return wrote;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALLED_MAX)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")))
    }
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(wrote, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.written(wrote, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(flushed, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, ending, .. } = self.get_mut();
        let ending = match ending {
            Some(ending) => ending,
            None => {
                ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
                ending.insert(Ending {
                    silence: Box::pin(sleep(SILENCE_MAX)),
                    until: Instant::now() + TIME_MAX,
                    bytes_left: BYTES_MAX,
                })
            }
        };
        ending.poll(stream, cx).map(Ok)
    }
}

impl Ending {
    /// Throws away what comes in; ready when nothing more does, or when it is enough.
    fn poll(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<()> {
        let mut piece = [0; PIECE];
        loop {
            let mut read = ReadBuf::new(&mut piece);
            match Pin::new(&mut *stream).poll_read(cx, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                    self.bytes_left = self.bytes_left.saturating_sub(read.filled().len());
                }
                // It has closed its side, or broken off.
                Poll::Ready(Ok(()) | Err(_)) => return Poll::Ready(()),
                Poll::Pending => return self.silence.as_mut().poll(cx),
            }
            let now = Instant::now();
            if self.bytes_left == 0 || now >= self.until {
                return Poll::Ready(());
            }
            self.silence.as_mut().reset((now + SILENCE_MAX).min(self.until));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpStream, Lingering) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, Lingering::new(listener.accept().await.unwrap().0))
    }

    #[tokio::test]
    async fn a_client_that_is_still_sending_gets_its_answer() {
        let (mut client, mut server) = pair().await;
        let answering = async {
            server.write_all(b"answer").await.unwrap();
            server.shutdown().await.unwrap();
        };
        let asking = async {
            // More than the sockets' buffers hold.
            client.write_all(&vec![b'x'; 16 * 1024 * 1024]).await.unwrap();
            client.shutdown().await.unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let ((), answer) = tokio::join!(answering, asking);
        assert_eq!(answer, "answer");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_given_up() {
        let (client, mut server) = pair().await;
        let began = Instant::now();
        // More than the sockets' buffers hold.
        let error = server.write_all(&vec![b'x'; 16 * 1024 * 1024]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= STALLED_MAX, "{:?}", began.elapsed());
        drop(client);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_slowly_is_not_given_up() {
        let (mut client, mut server) = pair().await;
        let whole = vec![b'x'; 16 * 1024 * 1024];
        let answering = async {
            server.write_all(&whole).await.unwrap();
            server.shutdown().await.unwrap();
        };
        let reading = async {
            let (mut piece, mut got) = (vec![0; 4 * 1024 * 1024], 0);
            while got < whole.len() {
                sleep(STALLED_MAX / 2).await;
                let in_all = piece.len().min(whole.len() - got);
                client.read_exact(&mut piece[..in_all]).await.unwrap();
                got += in_all;
            }
        };
        tokio::join!(answering, reading);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_not_waited_for_long() {
        let (_client, mut server) = pair().await;
        let began = Instant::now();
        server.shutdown().await.unwrap();
        assert!(began.elapsed() < SILENCE_MAX * 2, "{:?}", began.elapsed());
    }
}
