//! The copy of a request body: a form that becomes too large to keep is taken apart from there on.

use crate::copy::Copy;
use crate::exchange::Payload;
use crate::form::Parser;

pub struct SentCopy {
    copy: Copy,
    form: Option<Parser>,
    begun: bool,
}

impl SentCopy {
    pub fn new(limit: usize, form: Option<Parser>) -> Self {
        Self { copy: Copy::new(limit), form, begun: false }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        if let Some(form) = &mut self.form {
            if !self.begun && !self.copy.fits(bytes) {
                form.push(self.copy.kept());
                self.begun = true;
            }
            if self.begun {
                form.push(bytes);
            }
        }
        self.copy.push(bytes);
    }

    pub fn payload(self) -> Payload {
        match self.form.filter(|_| self.begun).and_then(Parser::finish) {
            Some(form) => Payload::Form(form),
            None => self.copy.payload(),
        }
    }
}
