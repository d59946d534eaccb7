//! Asking for a password, which the terminal does not show.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Asks on the terminal; `Err` where there is none.
pub fn password(question: &str) -> Result<String, String> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err("there is no terminal to ask on".into());
    }
    let failed = |error: rustix::io::Errno| format!("the terminal: {error}");
    let before = tcgetattr(&stdin).map_err(failed)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    // The end of the line shows that it was taken.
    silent.local_modes.insert(LocalModes::ECHONL);
    eprint!("{question}");
    let _ = std::io::stderr().flush();
    tcsetattr(&stdin, OptionalActions::Flush, &silent).map_err(failed)?;
    let restored = Restored(before);
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    drop(restored);
    read.map_err(|error| error.to_string())?;
    let password = line.trim_end_matches(['\n', '\r']).to_owned();
    if password.is_empty() { Err("none was entered".into()) } else { Ok(password) }
}

/// Puts the terminal back, whatever happens between.
struct Restored(Termios);

impl Drop for Restored {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}
