//! The door through `Protocol::serve`, with a core in memory.
