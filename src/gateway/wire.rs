//! A plain connection, on which files go out unread: the kernel takes them from its cache.
//!
//! hyper knows bodies of bytes only. So a stretch of a file is noted in the connection's [`Announced`]
//! and goes through hyper as a stand-in: a slice of a region of zeroes that is never read. Where
//! hyper has the [`Wire`] write such a slice, it sends the file's bytes instead.
//!
//! That holds for HTTP/1.1, whose answers go out one after the other and whose bodies hyper hands to
//! the socket as they are (`writev`), and where nothing encrypts: `request` asks for no other.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use cellgate_core::http::BoxError;
use cellgate_core::ports::{ByteStream, OpenFile, Stretch};
use http_body::Frame;
use rustix::net::SendFlags;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// The longest stretch that is announced as one.
pub const STRETCH_BYTES: usize = 256 * 1024;

/// Addresses to tell stand-ins by. Nothing is ever written here or read from here, so it takes no
/// memory.
fn region() -> &'static [u8] {
    static REGION: OnceLock<&'static [u8]> = OnceLock::new();
    REGION.get_or_init(|| Box::leak(vec![0; STRETCH_BYTES].into_boxed_slice()))
}

fn is_stand_in(bytes: &[u8]) -> bool {
    region().as_ptr_range().contains(&bytes.as_ptr())
}

/// Stretches of files that hyper holds stand-ins for, in their order.
#[derive(Clone, Default)]
pub struct Announced(Arc<Mutex<VecDeque<Waiting>>>);

struct Waiting {
    file: Arc<dyn OpenFile>,
    offset: u64,
    len: usize,
}

impl Announced {
    /// The stand-in for `len` bytes of a file, [`STRETCH_BYTES`] at most.
    pub fn stand_in(&self, file: Arc<dyn OpenFile>, offset: u64, len: usize) -> Bytes {
        let bytes = region().get(..len).unwrap_or_default();
        self.waiting().push_back(Waiting { file, offset, len });
        Bytes::from_static(bytes)
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends from the first stretch, of which `len` bytes must be left.
    fn send(&self, socket: &TcpStream, len: usize) -> io::Result<usize> {
        let first = self.waiting().front().map(|first| (first.file.clone(), first.offset, first.len));
        let Some((file, mut offset, left)) = first.filter(|(_, _, left)| *left == len) else {
            // Rather a broken connection than zeroes for a file.
            return Err(io::Error::other("a stand-in without its file"));
        };
        let sent = loop {
            match rustix::fs::sendfile(socket, file.fd(), Some(&mut offset), left) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(sent) => break sent,
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        };
        let mut waiting = self.waiting();
        match waiting.front_mut() {
            Some(first) if sent < left => (first.offset, first.len) = (offset, left - sent),
            _ => drop(waiting.pop_front()),
        }
        Ok(sent)
    }
}

/// A body that is a stretch of a file: stand-ins where the file is in memory, else its bytes, so that
/// no thread of ours waits for the disk.
pub struct UnreadFile {
    rest: Stretch,
    announced: Announced,
    /// What is read meanwhile.
    read: Option<ByteStream>,
}

impl UnreadFile {
    pub fn new(stretch: Stretch, announced: Announced) -> Self {
        Self { rest: stretch, announced, read: None }
    }
}

impl http_body::Body for UnreadFile {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if let Some(read) = &mut self.read {
                match ready!(read.as_mut().poll_next(context)) {
                    Some(piece) => return Poll::Ready(Some(piece.map(Frame::data).map_err(Into::into))),
                    None => self.read = None,
                }
            }
            let Stretch { file, start, end } = self.rest.clone();
            if start >= end {
                return Poll::Ready(None);
            }
            let len = usize::try_from(end - start).map_or(STRETCH_BYTES, |left| left.min(STRETCH_BYTES));
            let next = start + len as u64;
            self.rest.start = next;
            if file.is_cached(start, next) {
                let stand_in = self.announced.stand_in(file, start, len);
                return Poll::Ready(Some(Ok(Frame::data(stand_in))));
            }
            self.read = Some(file.stream(start, next));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.start >= self.rest.end && self.read.is_none()
    }
}

pub struct Wire {
    socket: TcpStream,
    announced: Announced,
}

impl Wire {
    pub fn new(socket: TcpStream) -> (Self, Announced) {
        let announced = Announced::default();
        (Self { socket, announced: announced.clone() }, announced)
    }

    fn poll_send(
        &self,
        context: &mut Context<'_>,
        send: impl Fn() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.socket.poll_write_ready(context))?;
            match self.socket.try_io(Interest::WRITABLE, &send) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// Headers and the beginning of a file, in one segment.
    fn send_both(&self, head: &[u8], len: usize) -> io::Result<usize> {
        let sent = rustix::net::send(&self.socket, head, SendFlags::MORE | SendFlags::NOSIGNAL)?;
        if sent < head.len() {
            return Ok(sent);
        }
        // What is wrong with the file is said when it is next in turn: the headers have gone.
        Ok(sent + self.announced.send(&self.socket, len).unwrap_or(0))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = slices.iter().position(|slice| is_stand_in(slice));
        match (first, slices) {
            (Some(0), [file, ..]) => {
                self.poll_send(context, || self.announced.send(&self.socket, file.len()))
            }
            (Some(1), [head, file, ..]) => self.poll_send(context, || self.send_both(head, file.len())),
            (first, slices) => {
                let slices = first.and_then(|first| slices.get(..first)).unwrap_or(slices);
                Pin::new(&mut self.socket).poll_write_vectored(context, slices)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::{AsFd, BorrowedFd};

    use cellgate_core::ports::ByteStream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    struct Plain(std::fs::File);

    impl OpenFile for Plain {
        fn fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
        fn is_cached(&self, _: u64, _: u64) -> bool {
            true
        }
        fn stream(self: Arc<Self>, _: u64, _: u64) -> ByteStream {
            Box::pin(futures_util::stream::empty())
        }
    }

    async fn pair() -> (Wire, Announced, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (wire, announced) = Wire::new(near);
        (wire, announced, listener.accept().await.unwrap().0)
    }

    fn file(bytes: &[u8]) -> Arc<dyn OpenFile> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Arc::new(Plain(file))
    }

    /// Writes all of the slices as hyper does: from the first byte that has not gone.
    async fn write(wire: &mut Wire, pieces: &[Bytes]) -> io::Result<()> {
        let mut pieces = pieces.to_vec();
        while !pieces.is_empty() {
            let slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
            let mut sent = wire.write_vectored(&slices).await?;
            while let Some(first) = pieces.first_mut() {
                let taken = sent.min(first.len());
                drop(first.split_to(taken));
                sent -= taken;
                if !first.is_empty() {
                    break;
                }
                pieces.remove(0);
            }
        }
        wire.shutdown().await
    }

    #[tokio::test]
    async fn files_take_the_places_of_their_stand_ins() {
        let (mut wire, announced, mut far) = pair().await;
        let content: Vec<u8> = (0..STRETCH_BYTES * 3).map(|n| (n % 251) as u8).collect();
        let file = file(&content);
        let expected =
            [b"head", &content[5..STRETCH_BYTES], b"between", &content[9..9 + STRETCH_BYTES], b"end"];
        let expected = expected.concat();
        let sender = tokio::spawn(async move {
            let pieces = [
                Bytes::from_static(b"head"),
                announced.stand_in(file.clone(), 5, STRETCH_BYTES - 5),
                Bytes::from_static(b"between"),
                announced.stand_in(file, 9, STRETCH_BYTES),
                Bytes::from_static(b"end"),
            ];
            write(&mut wire, &pieces).await.unwrap();
            assert!(announced.waiting().is_empty());
        });
        let mut received = Vec::new();
        far.read_to_end(&mut received).await.unwrap();
        assert!(received == expected);
        sender.await.unwrap();
    }

    #[tokio::test]
    async fn a_file_that_ends_early_breaks_the_connection() {
        let (mut wire, announced, _far) = pair().await;
        let pieces = [Bytes::from_static(b"head"), announced.stand_in(file(b"short"), 0, 100)];
        assert_eq!(write(&mut wire, &pieces).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn zeroes_never_stand_for_a_file_that_nobody_knows() {
        let (mut wire, announced, _far) = pair().await;
        let stand_in = announced.stand_in(file(b"content"), 0, 7);
        announced.waiting().clear();
        assert!(write(&mut wire, &[stand_in]).await.is_err());
    }
}
