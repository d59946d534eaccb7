//! The core's suite, on both engines.

use std::sync::Arc;

use cellgate_core::ports::Index;

use super::Fixture;

async fn on_sqlite() -> (Arc<dyn Index>, Fixture) {
    let fixture = super::sqlite().await;
    (fixture.index(), fixture)
}

mod sqlite {
    cellgate_core::index_suite!(super::on_sqlite);
}

/// Like the suite's own, but a case does not run where there is no PostgreSQL.
macro_rules! on_postgres {
    ([] $($file:ident::$case:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let Some(fixture) = crate::index::tests::postgres().await else { return };
            cellgate_core::testing::suite::run_on_index(stringify!($case), fixture.index()).await;
        }
    )*};
}

mod postgres {
    cellgate_core::__index_cases!(on_postgres, []);
}
