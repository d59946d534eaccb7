//! Buffers for reading, used again while they are warm in the cache: a new one costs a page fault for
//! every 4 KiB, and zeroes.

use std::sync::{Mutex, PoisonError};

/// From this size on a buffer is worth keeping.
const KEPT_FROM_BYTES: usize = 16 * 1024;
/// Two sizes, so that a slow reader of a small answer does not sit on a large buffer.
static SMALL: Spares = Spares { size: 64 * 1024, most: 32, idle: Mutex::new(Vec::new()) };
static LARGE: Spares = Spares { size: 256 * 1024, most: 16, idle: Mutex::new(Vec::new()) };

struct Spares {
    size: usize,
    most: usize,
    /// The last one to come back goes out first.
    idle: Mutex<Vec<Vec<u8>>>,
}

impl Spares {
    fn for_size(size: usize) -> Option<&'static Self> {
        [&SMALL, &LARGE].into_iter().find(|spares| (KEPT_FROM_BYTES..=spares.size).contains(&size))
    }

    fn take(&self) -> Vec<u8> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| vec![0; self.size])
    }

    fn give_back(&self, bytes: Vec<u8>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.most {
            idle.push(bytes);
        }
    }
}

/// Bytes to read into, of whatever was in them before.
pub struct Buffer {
    bytes: Vec<u8>,
    len: usize,
    home: Option<&'static Spares>,
}

impl Buffer {
    pub fn of(len: usize) -> Self {
        let home = Spares::for_size(len);
        Self { bytes: home.map_or_else(|| vec![0; len], Spares::take), len, home }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.len).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = self.home {
            home.give_back(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_has_the_length_it_was_asked_for() {
        for len in [0, 1, KEPT_FROM_BYTES, 64 * 1024, 64 * 1024 + 1, 256 * 1024, 256 * 1024 + 1] {
            for _ in 0..2 {
                let mut buffer = Buffer::of(len);
                assert_eq!(buffer.as_mut().len(), len);
                assert_eq!(buffer.as_ref().len(), len);
            }
        }
    }

    #[test]
    fn two_buffers_in_use_are_not_the_same() {
        let (mut one, mut two) = (Buffer::of(64 * 1024), Buffer::of(64 * 1024));
        one.as_mut().fill(1);
        two.as_mut().fill(2);
        assert!(one.as_ref().iter().all(|byte| *byte == 1));
    }
}
