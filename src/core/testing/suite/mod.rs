//! What every store must do: one suite for any [`Index`], one for any [`Datasource`].
//!
//! A case is a function over one fresh port and checks one promise of [`crate::ports`]. A store runs
//! each as a test of its own:
//!
//! ```text
//! async fn fresh() -> (Arc<dyn Index>, TempDir) { … }        // the second is kept until the end
//! mod suite { cellgate_core::index_suite!(super::fresh); }
//!
//! async fn flat() -> (Arc<dyn Datasource>, TempDir) { … }
//! mod flat_suite { cellgate_core::datasource_suite!(flat super::flat); }
//! mod structured_suite { cellgate_core::datasource_suite!(structured super::structured); }
//! ```
//!
//! Inside a mutation, a case waits for its transaction and for nothing else: a store may run it to its
//! end in one go, on a thread of its own.
//!
//! Cases are listed once, in the macros below. They are private, so that one that is written and not
//! listed is dead code, which the compiler reports.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::ports::{Datasource, Index};

/// Commits `$body`, in which `$txn` is the transaction, and answers what it answers.
macro_rules! txn {
    ($index:expr, |$txn:ident| $body:expr) => {
        crate::ports::commit($index.as_ref(), move |$txn| Box::pin(async move { $body })).await
    };
}

mod datasource;
mod index;

type Case<Port> = (&'static str, fn(Arc<Port>) -> BoxFuture<'static, ()>);

/// What a `make` may answer: a port and what must live as long as it, or `None` when this machine
/// has none.
pub trait Made<Port: ?Sized, Kept> {
    fn made(self) -> Option<(Arc<Port>, Kept)>;
}

impl<Port: ?Sized, Kept> Made<Port, Kept> for (Arc<Port>, Kept) {
    fn made(self) -> Option<(Arc<Port>, Kept)> {
        Some(self)
    }
}

impl<Port: ?Sized, Kept> Made<Port, Kept> for Option<(Arc<Port>, Kept)> {
    fn made(self) -> Option<(Arc<Port>, Kept)> {
        self
    }
}

/// Runs one case of the index suite. For [`index_suite!`](crate::index_suite).
pub async fn run_on_index(name: &str, index: Arc<dyn Index>) {
    run(&[INDEX], name, index).await;
}

/// Runs one case of the datasource suite. For [`datasource_suite!`](crate::datasource_suite).
pub async fn run_on_datasource(name: &str, datasource: Arc<dyn Datasource>) {
    run(&[BLOBS, FLAT, STRUCTURED], name, datasource).await;
}

async fn run<Port: ?Sized>(cases: &[&[Case<Port>]], name: &str, port: Arc<Port>) {
    let (_, case) =
        cases.iter().copied().flatten().find(|(known, _)| *known == name).expect("a case of the suite");
    case(port).await;
}

/// Makes a table of the cases that a `__…_cases!` macro lists.
macro_rules! table {
    ([$name:ident, $port:path, $kind:ident] $($file:ident::$case:ident,)*) => {
        const $name: &[Case<dyn $port>] =
            &[$((stringify!($case), |port| Box::pin($kind::$file::$case(port)))),*];
    };
}

crate::__index_cases!(table, [INDEX, Index, index]);
crate::__blob_cases!(table, [BLOBS, Datasource, datasource]);
crate::__flat_cases!(table, [FLAT, Datasource, datasource]);
crate::__structured_cases!(table, [STRUCTURED, Datasource, datasource]);

/// One test for each case: `index_suite!(make)`, where `make` is the path of a function that answers
/// a future of a fresh index and of what must live as long as it. It may answer an `Option` of both:
/// `None`, after it has said why, skips what this machine cannot run. Attributes before the path are
/// put on every test.
#[macro_export]
macro_rules! index_suite {
    ($(#[$attribute:meta])* $make:path) => {
        $crate::__index_cases!($crate::__suite_tests, [run_on_index, $make, [$(#[$attribute])*]]);
    };
}

/// One test for each case: `datasource_suite!(flat make)` or `datasource_suite!(structured make)`.
/// See [`index_suite!`](crate::index_suite).
#[macro_export]
macro_rules! datasource_suite {
    (flat $(#[$attribute:meta])* $make:path) => {
        $crate::__blob_cases!($crate::__suite_tests, [run_on_datasource, $make, [$(#[$attribute])*]]);
        $crate::__flat_cases!($crate::__suite_tests, [run_on_datasource, $make, [$(#[$attribute])*]]);
    };
    (structured $(#[$attribute:meta])* $make:path) => {
        $crate::__blob_cases!($crate::__suite_tests, [run_on_datasource, $make, [$(#[$attribute])*]]);
        $crate::__structured_cases!($crate::__suite_tests, [run_on_datasource, $make, [$(#[$attribute])*]]);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __suite_tests {
    ([$run:ident, $make:path, $attributes:tt] $($file:ident::$case:ident,)*) => {
        $($crate::__suite_tests!(@one $run, $make, $attributes, $case);)*
    };
    (@one $run:ident, $make:path, [$(#[$attribute:meta])*], $case:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $(#[$attribute])*
        async fn $case() {
            use $crate::testing::suite::Made;
            if let Some((port, _kept)) = $make().await.made() {
                $crate::testing::suite::$run(stringify!($case), port).await;
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __index_cases {
    ($callback:path, $args:tt) => {
        $callback! { $args
            nodes::nodes_come_back_as_they_were_written,
            nodes::what_does_not_exist_is_none,
            nodes::a_chain_goes_as_far_as_nodes_exist,
            nodes::an_ancestry_begins_at_the_topmost_node,
            nodes::the_deepest_path_is_walked_both_ways,
            nodes::names_are_unique_below_a_parent,
            nodes::a_uuid_belongs_to_one_node,
            nodes::direct_children_are_counted,
            nodes::nodes_with_children_are_told_in_one_question,
            nodes::touch_sets_time_and_etag_alone,
            nodes::deleting_a_node_takes_what_hangs_on_it,
            siblings::siblings_come_in_key_order,
            siblings::a_span_begins_where_it_is_told,
            siblings::a_prefix_is_plain_text,
            siblings::prefixes_at_the_edges_of_unicode,
            siblings::a_prefix_and_a_beginning_both_hold,
            siblings::pages_join_without_gap_or_repeat,
            moves::update_writes_every_column,
            moves::a_move_changes_one_row_and_takes_all_below_along,
            moves::a_new_name_takes_its_new_place_among_siblings,
            moves::a_taken_name_refuses_a_move,
            moves::nothing_resolves_through_limbo,
            meta::values_are_set_replaced_and_removed,
            meta::meta_comes_ordered_by_node_namespace_and_name,
            meta::meta_of_many_nodes_is_one_question,
            meta::awkward_names_and_values_are_kept,
            meta::copying_replaces_one_namespace,
            content::inline_bytes_come_back,
            content::extent_lists_keep_their_order,
            content::content_of_nodes_is_referenced,
            content::content_of_versions_parts_and_extents_is_referenced,
            content::discarded_blobs_are_kept_until_forgotten,
            content::versions_come_back_and_are_deleted_one_by_one,
            content::a_delete_marker_is_no_child_of_its_collection,
            locks::locks_come_back_as_they_were_put,
            locks::a_lock_put_again_replaces_the_one_with_its_token,
            locks::an_expired_lock_is_no_lock,
            locks::all_locks_come_oldest_first,
            locks::locks_on_nodes_are_theirs_alone,
            locks::locks_below_a_node_are_those_of_its_descendants,
            changes::changes_come_back_as_they_were_appended,
            changes::changes_are_read_on_from_a_number,
            changes::a_failed_mutation_leaves_no_change,
            changes::the_signal_shows_the_newest_number,
            changes::what_the_signal_announces_can_be_read,
            changes::a_tailing_reader_sees_each_change_once_and_misses_none,
            uploads::uploads_come_back_oldest_first,
            uploads::parts_come_ascending_and_in_pages,
            uploads::a_part_with_a_taken_number_replaces_and_answers_the_old,
            uploads::deleting_an_upload_takes_its_parts,
            records::records_come_back_by_id_and_by_name,
            records::a_name_is_unique_within_its_kind,
            records::records_without_a_name_do_not_collide,
            records::a_record_put_again_is_replaced,
            records::records_are_listed_by_name_then_id,
            records::deleting_a_record_says_whether_there_was_one,
            records::expired_records_of_a_kind_are_deleted,
            records::the_directory_epoch_ticks_with_every_change_of_records,
            records::the_directory_epoch_stands_still_while_people_work,
            records::the_directory_epoch_has_ticked_when_the_commit_is_answered,
            commits::what_is_answered_is_visible_everywhere,
            commits::a_failed_mutation_leaves_nothing_and_answers_its_own_error,
            commits::a_failed_mutation_restores_what_it_changed,
            commits::a_failing_mutation_does_not_take_its_neighbours_along,
            commits::a_transaction_reads_its_own_writes,
            commits::readers_do_not_see_what_is_not_committed,
            commits::a_reader_never_sees_half_a_commit,
            commits::mutations_run_one_after_the_other,
            commits::one_of_two_gets_the_name,
            commits::a_caller_that_leaves_stops_nothing,
            commits::a_mutation_that_panics_stops_nothing,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __blob_cases {
    ($callback:path, $args:tt) => {
        $callback! { $args
            blobs::a_staged_blob_is_readable_at_once,
            blobs::a_wrong_expectation_of_size_does_no_harm,
            blobs::any_range_can_be_read,
            blobs::a_read_beyond_the_end_is_an_error,
            blobs::a_blob_that_does_not_exist_is_an_error,
            blobs::staged_blobs_are_listed_until_they_are_promoted,
            blobs::a_dropped_staging_leaves_nothing,
            blobs::blobs_are_removed_wherever_they_are,
            blobs::a_read_that_has_begun_survives_the_removal,
            blobs::a_duplicate_is_a_blob_of_its_own,
            blobs::many_write_at_once,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __flat_cases {
    ($callback:path, $args:tt) => {
        $callback! { $args
            flat::a_flat_datasource_has_no_paths,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __structured_cases {
    ($callback:path, $args:tt) => {
        $callback! { $args
            paths::a_published_file_stands_at_its_path,
            paths::a_modification_time_is_kept,
            paths::a_stamp_that_differs_is_unavailable,
            paths::publishing_replaces_a_file,
            paths::a_read_that_has_begun_survives_a_replacement,
            paths::a_publication_that_fails_changes_nothing,
            paths::a_file_is_duplicated_into_staging,
            paths::digests_are_of_the_whole_file,
            trees::a_new_folder_stands_at_its_path,
            trees::nothing_stands_where_nothing_was_put,
            trees::a_scan_finds_direct_children_as_look_does,
            trees::a_rename_moves_files_and_whole_folders,
            trees::a_rename_that_fails_changes_nothing,
            trees::what_is_detached_is_out_of_the_tree,
            trees::awkward_names_stand_as_they_are,
        }
    };
}

#[cfg(test)]
mod in_memory {
    use super::*;
    use crate::testing::{MemoryDatasource, MemoryIndex};

    async fn index() -> (Arc<dyn Index>, ()) {
        (Arc::new(MemoryIndex::new()), ())
    }

    async fn flat() -> (Arc<dyn Datasource>, ()) {
        (Arc::new(MemoryDatasource::flat()), ())
    }

    async fn structured() -> (Arc<dyn Datasource>, ()) {
        (Arc::new(MemoryDatasource::structured()), ())
    }

    mod the_index {
        crate::index_suite!(super::index);
    }

    mod flat_datasource {
        crate::datasource_suite!(flat super::flat);
    }

    mod structured_datasource {
        crate::datasource_suite!(structured super::structured);
    }
}
