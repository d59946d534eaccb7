//! The `cellgate` binary: configuration, listener, dispatch, command line.
//!
//! | file | what |
//! |---|---|
//! | `cli/` | commands; `serve` is the default |
//! | `config` | file, environment and flags into one `Config` |
//! | `open` | store and core from a configuration |
//! | `serve` | builds the doors and serves |
//! | `listener` | accepts connections |
//! | `memory` | what the allocator may keep |
//! | `wire` | a plain connection, on which files go out unread |
//! | `request` | what happens to every request |
//! | `dispatch` | which door answers |
//! | `access_log` | one line per request |
//! | `admin` | health, readiness, metrics |
//! | `welcome` | what the first start prints |
//! | `contract_tests/` | the contract's tables against doors, cases and pages |

mod access_log;
mod admin;
mod cli;
mod config;
#[cfg(test)]
mod contract_tests;
mod cors;
mod dispatch;
mod listener;
mod memory;
mod open;
mod request;
mod serve;
mod tls;
mod welcome;
mod wire;

fn main() -> std::process::ExitCode {
    memory::bound();
    cli::run()
}
