//! What tests need: ports in memory, a core that is ready to use, and the behaviour suites that
//! every store must pass.
//!
//! | file | what |
//! |---|---|
//! | `state` | the tables of the in-memory index and how they are read |
//! | `txn` | the inside of a transaction: journalled writes |
//! | `index` | [`MemoryIndex`] |
//! | `datasource` | [`MemoryDatasource`], `flat` and `structured` |
//! | `backends` | [`MemoryBackends`] |
//! | `suite` | what every index and every datasource must do |
//! | `ready` | [`core`], [`TestCore`]: an installation with users |
//! | `exchange` | [`request`], [`serve`]: one request through a door |

// Code for tests: a broken expectation must stop the test there and then, so `unwrap` and `expect`
// are the right tools here. Nothing of this is compiled into the gateway.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod backends;
mod datasource;
mod exchange;
mod index;
mod ready;
mod state;
pub mod suite;
mod txn;

pub use backends::MemoryBackends;
pub use datasource::MemoryDatasource;
pub use exchange::{Answer, RequestBuilder, request, serve};
pub use index::MemoryIndex;
pub use ready::{TestCore, body, core, test_core, whole};
