//! The copy of a body that passes: its bytes up to a limit, beyond it length and hash.

use std::io::{self, Write};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::exchange::Payload;

pub struct Copy {
    limit: usize,
    kept: Vec<u8>,
    length: u64,
    /// From the byte on that did not fit.
    hash: Option<Sha256>,
}

impl Copy {
    pub fn new(limit: usize) -> Self {
        Self { limit, kept: Vec::new(), length: 0, hash: None }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        } else if self.fits(bytes) {
            self.kept.extend_from_slice(bytes);
        } else {
            let mut hash = Sha256::new();
            hash.update(std::mem::take(&mut self.kept));
            hash.update(bytes);
            self.hash = Some(hash);
        }
    }

    /// Whether all is kept with these.
    pub fn fits(&self, bytes: &[u8]) -> bool {
        self.hash.is_none() && self.kept.len() + bytes.len() <= self.limit
    }

    pub fn kept(&self) -> &[u8] {
        &self.kept
    }

    pub fn limit(&self) -> usize {
        self.limit
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    pub fn payload(self) -> Payload {
        match self.hash {
            None => Payload::Bytes(Bytes::from(self.kept)),
            Some(hash) => {
                Payload::Omitted { length: self.length, sha256: Some(hex::encode(hash.finalize())) }
            }
        }
    }
}

impl Write for Copy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_kept_up_to_the_limit() {
        let mut copy = Copy::new(5);
        copy.push(b"abc");
        copy.push(b"de");
        assert_eq!(copy.payload(), Payload::Bytes(Bytes::from_static(b"abcde")));
        let mut copy = Copy::new(2);
        copy.push(b"ab");
        copy.push(b"c");
        // The example of FIPS 180-2.
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(copy.payload(), Payload::Omitted { length: 3, sha256: Some(hash.to_owned()) });
    }
}
