//! Which scenario meets the original with a keyword: every keyword that vrrpd uses has one.

use std::collections::BTreeMap;

use lvs_core::conf::schema::{self, Status, Tool};

use super::cases;

/// Block, keyword, and the scenario: the name of a duel, or a test of another file (`file:test`).
const TABLE: &str = "
top global_defs = vrrp_version 3
top vrrp_instance = v2
top vrrp_sync_group = sync group
top vrrp_script = track_script
top track_file = track_file
top vrrp_track_process = track_process
global_defs script_user = scripts:scripts_keep_their_users_intervals_and_timeouts
global_defs enable_script_security = vrrp_track:scripts_run_as_their_user_and_unsafe_ones_do_not_run
global_defs dynamic_interfaces = waits:a_link_that_is_not_tracked_and_an_interface_that_comes_later_are_no_error
global_defs vmac_prefix = head of a file
global_defs vmac_addr_prefix = use_vmac_addr
global_defs vrrp_garp_extra_if = use_vmac_addr
global_defs router_id = mail:faults_are_kept_back_and_the_default_is_that_of_global_defs
global_defs notification_email = mail:faults_are_kept_back_and_the_default_is_that_of_global_defs
global_defs notification_email_from = mail:faults_are_kept_back_and_the_default_is_that_of_global_defs
global_defs smtp_server = mail:faults_are_kept_back_and_the_default_is_that_of_global_defs
global_defs smtp_connect_timeout = mail:faults_are_kept_back_and_the_default_is_that_of_global_defs
global_defs smtp_helo_name = mail:faults_are_kept_back_and_the_default_is_that_of_global_defs
global_defs smtp_alert = mail:faults_are_kept_back_and_the_default_is_that_of_global_defs
global_defs smtp_alert_vrrp = mail:faults_are_kept_back_and_the_default_is_that_of_global_defs
global_defs no_email_faults = mail:faults_are_kept_back_and_the_default_is_that_of_global_defs
global_defs notify_fifo = rare words
global_defs notify_fifo_script = rare words
global_defs vrrp_notify_fifo = rare words
global_defs vrrp_notify_fifo_script = rare words
global_defs vrrp_version = vrrp_version 3
global_defs vrrp_strict = vrrp_strict
global_defs vrrp_mcast_group4 = vrrp_mcast_group4
global_defs vrrp_mcast_group6 = vrrp_mcast_group6
global_defs vrrp_check_unicast_src = peers:who_may_send_unicast_and_from_how_far
global_defs vrrp_garp_master_delay = effects:announcements_and_elections_keep_their_times
global_defs vrrp_garp_master_repeat = effects:announcements_and_elections_keep_their_times
global_defs vrrp_garp_master_refresh = effects:announcements_and_elections_keep_their_times
global_defs vrrp_garp_master_refresh_repeat = effects:announcements_and_elections_keep_their_times
global_defs vrrp_garp_lower_prio_delay = global garp options
global_defs vrrp_garp_lower_prio_repeat = global garp options
global_defs vrrp_garp_interval = effects:announcements_and_elections_keep_their_times
global_defs vrrp_gna_interval = effects:announcements_and_elections_keep_their_times
global_defs vrrp_min_garp = effects:announcements_and_elections_keep_their_times
global_defs vrrp_lower_prio_no_advert = rare words
global_defs vrrp_down_timer_adverts = rare words
global_defs vrrp_startup_delay = effects:announcements_and_elections_keep_their_times
global_defs vrrp_notify_priority_changes = rare words
global_defs lvs_sync_daemon = faults:keepalived_takes_connections_over_from_vrrpd
global_defs vrrp_rt_priority = real time
global_defs vrrp_no_swap = real time
global_defs max_auto_priority = head of a file
global_defs min_auto_priority_delay = head of a file
vrrp_instance state = v2, state MASTER
vrrp_instance interface = v2
vrrp_instance virtual_router_id = v2
vrrp_instance priority = v2
vrrp_instance advert_int = v3
vrrp_instance version = v3
vrrp_instance authentication = v2, PASS
authentication auth_type = v2, PASS
authentication auth_pass = v2, long PASS
vrrp_instance nopreempt = nopreempt
vrrp_instance preempt = head of a file
vrrp_instance preempt_delay = waits:a_lower_master_is_replaced_after_preempt_delay_and_a_dead_one_at_once
vrrp_instance strict_mode = rare words
vrrp_instance accept = vrrp_strict, accept
vrrp_instance no_accept = no_accept
vrrp_instance lower_prio_no_advert = lower_prio_no_advert
vrrp_instance down_timer_adverts = down_timer_adverts
vrrp_instance virtual_ipaddress = address options
vrrp_instance virtual_ipaddress_excluded = excluded
vrrp_instance virtual_routes = virtual_routes
vrrp_instance virtual_rules = virtual_rules
vrrp_instance unicast_peer = unicast
vrrp_instance unicast_src_ip = unicast
vrrp_instance unicast_ttl = peers:who_may_send_unicast_and_from_how_far
vrrp_instance check_unicast_src = peers:who_may_send_unicast_and_from_how_far
vrrp_instance old_unicast_checksum = old_unicast_checksum
vrrp_instance unicast_fault_no_peer = unicast, no peer is a fault
vrrp_instance mcast_src_ip = mcast_src_ip
vrrp_instance mcast_dst_ip = mcast_dst_ip
vrrp_instance track_src_ip = track_src_ip
vrrp_instance use_vmac = use_vmac
vrrp_instance vmac_xmit_base = vmac_xmit_base
vrrp_instance use_vmac_addr = use_vmac_addr
vrrp_instance garp_extra_if = use_vmac_addr
vrrp_instance dont_track_primary = waits:a_link_that_is_not_tracked_and_an_interface_that_comes_later_are_no_error
vrrp_instance kernel_rx_buf_size = rare words
vrrp_instance garp_master_delay = effects:announcements_and_elections_keep_their_times
vrrp_instance garp_master_repeat = effects:announcements_and_elections_keep_their_times
vrrp_instance garp_master_refresh = effects:announcements_and_elections_keep_their_times
vrrp_instance garp_master_refresh_repeat = effects:announcements_and_elections_keep_their_times
vrrp_instance garp_lower_prio_delay = garp after lower ones
vrrp_instance garp_lower_prio_repeat = garp after lower ones
vrrp_instance track_interface = vrrp_track:other_interfaces_change_the_priority_or_are_a_fault
vrrp_instance track_script = vrrp_track:scripts_change_the_priority_by_their_weights_after_rise_and_fall
vrrp_instance track_file = vrrp_track:a_file_s_number_is_added_and_too_low_a_one_is_a_fault
vrrp_instance track_process = track_process
vrrp_instance notify_master = vrrp_track:scripts_run_as_their_user_and_unsafe_ones_do_not_run
vrrp_instance notify_backup = rare words
vrrp_instance notify_fault = vrrp_track:an_instance_that_a_reload_removes_is_told_of_and_the_others_are_left_in_peace
vrrp_instance notify_stop = rare words
vrrp_instance notify_deleted = vrrp_track:an_instance_that_a_reload_removes_is_told_of_and_the_others_are_left_in_peace
vrrp_instance notify = vrrp_track:scripts_run_as_their_user_and_unsafe_ones_do_not_run
vrrp_instance notify_priority_changes = rare words
vrrp_instance notify_master_rx_lower_pri = rare words
vrrp_instance smtp_alert = mail:changes_are_mailed_where_the_file_says_so
vrrp_sync_group group = sync group
vrrp_sync_group sync_group_tracking_weight = rare words
vrrp_sync_group track_interface = rare words
vrrp_sync_group track_script = vrrp_track:in_a_group_the_members_own_weights_do_not_count_but_the_group_s_do
vrrp_sync_group track_file = rare words
vrrp_sync_group track_process = rare words
vrrp_sync_group notify_master = rare words
vrrp_sync_group notify_backup = rare words
vrrp_sync_group notify_fault = rare words
vrrp_sync_group notify_stop = rare words
vrrp_sync_group notify_deleted = rare words
vrrp_sync_group notify = vrrp_track:a_sync_group_moves_as_one_and_tells_it_in_order
vrrp_sync_group notify_priority_changes = rare words
vrrp_sync_group smtp_alert = mail:changes_are_mailed_where_the_file_says_so
vrrp_script script = track_script
vrrp_script interval = scripts:scripts_keep_their_users_intervals_and_timeouts
vrrp_script timeout = scripts:scripts_keep_their_users_intervals_and_timeouts
vrrp_script weight = track_script
vrrp_script rise = vrrp_track:scripts_change_the_priority_by_their_weights_after_rise_and_fall
vrrp_script fall = vrrp_track:scripts_change_the_priority_by_their_weights_after_rise_and_fall
vrrp_script user = scripts:scripts_keep_their_users_intervals_and_timeouts
vrrp_script init_fail = rare words
track_file file = track_file
track_file weight = track_file
track_file init_file = track_file
vrrp_track_process process = track_process
vrrp_track_process param_match = rare words
vrrp_track_process weight = track_process
vrrp_track_process quorum = rare words
vrrp_track_process quorum_max = rare words
vrrp_track_process delay = rare words
vrrp_track_process fork_delay = rare words
vrrp_track_process terminate_delay = rare words
vrrp_track_process full_command = rare words
";

/// The tests of other files that play the same file with both programs.
const ELSEWHERE: [(&str, &str); 7] = [
    ("effects", include_str!("effects.rs")),
    ("peers", include_str!("peers.rs")),
    ("scripts", include_str!("scripts.rs")),
    ("waits", include_str!("waits.rs")),
    ("vrrp_track", include_str!("../vrrp_track/main.rs")),
    ("mail", include_str!("../vrrp_track/mail.rs")),
    ("faults", include_str!("../faults/connections.rs")),
];

/// The text of a scenario.
fn scenario(name: &str) -> Option<String> {
    if let Some((file, test)) = name.split_once(':') {
        let (_, text) = ELSEWHERE.iter().find(|(f, _)| *f == file)?;
        let body = text.split_once(&format!("fn {test}("))?.1;
        let end = body.find("#[test]").unwrap_or(body.len());
        return Some(body[..end].to_owned());
    }
    cases::all().into_iter().find(|c| c.name == name).map(|c| c.file)
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word)
}

/// The keywords that vrrpd uses, with their blocks.
fn used() -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    schema::blocks(&mut |path, block| {
        let name = if path.is_empty() { "top" } else { block.name };
        for keyword in block.iter() {
            if matches!(keyword.status, Status::Used(tools) if tools.contains(&Tool::Vrrpd)) {
                found.push((name.to_owned(), keyword.name));
            }
        }
    });
    found.sort();
    found.dedup();
    found
}

#[test]
fn every_keyword_that_is_used_meets_the_original() {
    let rows = TABLE.lines().filter_map(|l| l.split_once(" = "));
    let mut table: BTreeMap<&str, &str> = rows.collect();
    for (block, keyword) in used() {
        let name = table.remove(format!("{block} {keyword}").as_str());
        let name = name.unwrap_or_else(|| panic!("'{block} {keyword}' is used and has no scenario"));
        let text = scenario(name).unwrap_or_else(|| panic!("there is no scenario '{name}'"));
        assert!(has_word(&text, keyword), "'{name}' has no '{keyword}' in it");
    }
    assert!(table.is_empty(), "not used, or not in that block: {table:?}");
}
