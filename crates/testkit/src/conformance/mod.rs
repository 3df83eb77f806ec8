//! What every adapter of the store must keep, as tests: `conformance_tests!(cellar)` in the adapter's `tests/conformance.rs`.
//!
//! `cellar` answers a fresh [`Cellar`]. Each behaviour is a function here and a test there, named alike.

pub mod accepting;
pub mod configuring;
pub mod counting;
pub mod feeding;
pub mod forwarding;
pub mod holding;
pub mod listing;
pub mod moving;
pub mod owing;
pub mod pruning;
pub mod races;
pub mod receiving;
pub mod recording;
pub mod recovering;
pub mod remembering;
pub mod serving;
pub mod sourcing;
pub(crate) mod world;

pub use world::Cellar;

/// Makes a test of every behaviour; `$cellar` is the path of an async function that answers a fresh [`Cellar`].
#[macro_export]
macro_rules! conformance_tests {
    ($cellar:path) => {
        $crate::conformance_tests! { @tests $cellar;
            accepting {
                an_accepted_event_reads_back_as_it_was_given
                keys_grow_when_the_clock_steps_back
                keys_carry_the_time
                keys_grow_after_reopening
                keys_of_dropped_events_are_never_given_again
                a_publishers_id_is_accepted_once
                an_idempotency_key_stands_for_one_content
                ids_and_keys_do_not_meet
                a_publishers_id_wins_over_an_idempotency_key
                a_key_that_comes_with_a_known_id_stands_for_its_event
                ids_of_two_tenants_do_not_meet
                a_stale_event_is_sent_back_alone
                a_tenant_that_is_gone_gets_nothing
                discarded_targets_are_listed_and_not_owed
                an_empty_batch_is_nothing
                every_event_is_found_again_after_reopening
            }
            recording {
                a_delivery_can_be_read_before_it_is_tried
                a_first_success_ends_a_delivery
                every_attempt_is_kept
                an_attempt_reads_back_as_it_was_recorded
                a_delivery_may_be_discarded_untried
                a_late_attempt_does_not_move_an_ended_delivery
                records_of_one_batch_are_taken_in_order
                a_record_of_a_foreign_delivery_changes_nothing
                activity_is_what_was_noted_last
                a_batch_may_hold_everything_at_once
            }
            owing {
                nothing_is_owed_at_first
                a_restart_finds_what_is_owed
                what_a_deleted_endpoint_is_owed_is_found
                a_refill_answers_what_is_owed_in_order
                a_refill_keeps_to_its_limits
                a_refill_carries_the_whole_event
                a_refill_asks_for_the_right_tenant
                retries_come_when_they_are_due
                a_retry_that_was_made_is_not_due_any_more
                what_is_due_for_long_is_found
            }
            serving {
                what_waits_comes_in_its_order
                what_one_node_alone_sends_is_there_once
                a_node_alone_serves_and_comes_back
            }
            moving {
                anything_but_a_success_can_be_requeued
                a_requeued_delivery_goes_on
                requeueing_what_is_owed_changes_nothing
                only_what_has_not_ended_can_be_cancelled
                what_is_not_there_cannot_be_moved
                a_replay_makes_fresh_deliveries
                a_replay_is_listed_with_its_event
                a_replay_does_not_reach_a_foreign_endpoint
                waiting_deliveries_are_discarded
                moves_are_audited
                a_target_discarded_at_once_can_be_requeued
            }
            listing {
                an_empty_list_is_an_empty_page
                events_are_listed_newest_first
                a_page_holds_still_while_events_come_in
                events_are_filtered
                deliveries_are_listed_newest_first
                deliveries_of_one_event_are_listed
                deliveries_are_filtered_by_state
                deliveries_are_filtered_by_type_and_time
                deliveries_of_a_deleted_endpoint_stay_listed
                nothing_of_another_tenant_is_listed
                a_rare_row_is_found_at_the_far_end
            }
            configuring {
                a_tenant_is_kept_as_it_is
                a_tenants_name_is_its_own_until_it_is_deleted
                a_deleted_tenant_gets_nothing_new
                configured_things_are_listed_newest_first
                retention_is_told_of_every_tenant
                the_operators_key_is_kept
                a_key_is_found_by_its_hash
                an_endpoint_is_kept_as_it_is
                a_change_of_an_old_revision_is_refused
                no_more_endpoints_than_may_be
                what_is_sealed_anew_is_the_same_otherwise
                a_state_changes_from_the_named_one_alone
                a_deleted_endpoint_is_gone
                the_catalogue_takes_all_or_none
                an_audit_entry_is_kept_as_it_is
                a_note_changes_nothing_but_the_audit_log
                a_working_store_answers
            }
            forwarding {
                a_forwarder_counts_among_the_endpoints
                a_forwarder_is_made_with_its_source
                a_forwarder_changes_with_its_source
                a_forwarder_that_was_taken_away_comes_back
                a_source_goes_with_its_forwarder
                a_forwarder_takes_no_foreign_endpoint
            }
            sourcing {
                a_source_is_kept_as_it_is
                a_change_of_a_source_of_an_old_revision_is_refused
                no_more_sources_than_may_be
                a_sources_id_is_its_own
                sources_are_listed_newest_first
                a_source_sealed_anew_is_the_same_otherwise
                a_deleted_source_is_gone
                sources_are_found_without_their_tenant
                no_tenant_takes_anothers_place
                sources_go_with_their_tenant
            }
            receiving {
                what_was_received_before_is_not_accepted_again
                what_was_received_too_long_ago_does_not_count
                an_earlier_event_counts_from_when_it_was_accepted
                received_ids_of_two_sources_do_not_meet
                received_ids_go_with_their_events
                a_source_counts_what_it_recorded
                events_of_a_source_are_listed
                events_of_a_deleted_source_stay_listed
            }
            holding {
                what_a_paused_source_received_is_held
                held_events_of_all_sources_are_told_of_in_order
                a_release_makes_fresh_deliveries
                a_release_matched_before_a_change_is_refused
                a_release_to_nobody_ends_the_hold
                what_is_not_held_is_not_released
                a_replayed_event_is_released_under_fresh_numbers
                a_repetition_of_what_is_held_is_not_held_again
                what_is_held_is_not_pruned
                what_is_held_of_a_deleted_source_is_let_go
            }
            remembering {
                a_reply_is_given_again
                a_key_given_back_is_fresh
                a_key_of_an_ended_process_is_not_fresh_again
                a_key_whose_request_was_broken_off_is_not_fresh_again
                an_old_key_is_fresh
                old_replies_are_dropped
                a_deleted_tenants_replies_go_with_it
            }
            counting {
                what_is_committed_is_counted
                repetitions_and_tests_are_not_counted
                numbers_have_their_time_and_outlive_a_restart
                folding_keeps_every_number
                old_numbers_are_forgotten
                the_backlog_is_what_has_not_ended
                a_batch_of_many_counts_each_once
            }
            pruning {
                old_events_go_with_all_that_is_theirs
                what_has_not_ended_stays
                no_more_go_than_asked_for
                only_the_named_tenant_is_pruned
                what_was_looked_at_is_looked_at_again_only_when_asked
                ids_go_with_their_events
                a_late_record_of_a_dropped_event_is_nothing
            }
            feeding {
                the_feed_tells_what_happens_from_then_on
                the_feed_is_read_on_from_any_place_in_it
                attempts_of_one_batch_are_told_one_by_one
                the_feed_is_filtered
                events_come_with_what_they_carry_up_to_a_bound
                changes_of_configuration_are_told
                nothing_of_another_tenant_is_told
                what_was_not_tried_is_not_told
                a_position_of_another_store_is_unknown
                old_notes_of_attempts_are_forgotten
                attempts_of_events_that_are_gone_are_left_out
                a_reader_beside_writers_misses_nothing
            }
            recovering {
                a_job_is_kept_as_it_is
                no_more_jobs_run_than_may_be
                a_recovery_makes_failed_deliveries_due_oldest_first
                a_recovery_takes_the_states_it_is_asked_for
                a_job_goes_on_where_it_was
                a_job_is_claimed_once
                a_cancelled_job_does_nothing_more
                a_job_that_cannot_go_on_says_why
                old_jobs_are_dropped
            }
            races {
                a_refill_never_misses_what_comes_in_meanwhile
                a_walk_holds_everything_that_was_there
                a_walk_of_a_source_holds_everything_that_was_there
                of_many_with_one_id_one_is_accepted
                of_many_received_under_one_id_one_is_accepted
                of_many_changes_of_one_revision_one_is_made
                of_many_changes_of_a_source_one_is_made
                of_many_releases_of_one_event_one_is_made
                the_limit_of_endpoints_holds_in_a_crowd
                the_limit_of_sources_holds_in_a_crowd
                nothing_matched_before_a_change_is_accepted_after_it
                nothing_matched_before_a_change_is_released_after_it
                pruning_beside_the_flow_takes_nothing_owed
            }
        }
    };
    (@tests $cellar:path; $($group:ident { $($behaviour:ident)* })*) => {
        $($crate::conformance_tests! { @group $cellar; $group $($behaviour)* })*
    };
    (@group $cellar:path; $group:ident $($behaviour:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                $crate::conformance::$group::$behaviour($cellar().await).await;
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_behaviour_is_made_a_test() {
        let list = include_str!("mod.rs");
        for file in [
            include_str!("accepting.rs"),
            include_str!("recording.rs"),
            include_str!("owing.rs"),
            include_str!("moving.rs"),
            include_str!("listing.rs"),
            include_str!("configuring.rs"),
            include_str!("remembering.rs"),
            include_str!("pruning.rs"),
            include_str!("races.rs"),
            include_str!("forwarding.rs"),
            include_str!("sourcing.rs"),
            include_str!("receiving.rs"),
            include_str!("holding.rs"),
            include_str!("counting.rs"),
            include_str!("feeding.rs"),
            include_str!("recovering.rs"),
        ] {
            for line in file.lines().filter_map(|line| line.strip_prefix("pub async fn ")) {
                let name = line.split('(').next().unwrap();
                assert!(list.lines().any(|it| it.trim() == name), "{name} is in no test");
            }
        }
    }
}
