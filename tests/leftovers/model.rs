//! What must be told of each test of the fixture `leftovers`.

/// A deed and what is told of who does it, all of it; nothing where it is clean.
pub(crate) const DEEDS: &[(&str, &[&str])] = &[
    (
        "leaves_a_process_that_listens",
        &[
            "the test left a process running:",
            "s old: sleep 86399.5 (tcp 127.0.0.1:80, tcp [::1]:81, udp 127.0.0.1:82, unix /run/left over.sock)",
        ],
    ),
    ("leaves_a_daemon", &["the test left a process running:", "s old: sleep 86399.6\n"]),
    ("leaves_a_stopped_process", &["the test left a process running:", "s old: sleep 86399.5\n"]),
    ("leaves_a_process_whose_first_thread_has_ended", &["the test left a process running:"]),
    ("waits_for_its_child", &[]),
    ("kills_its_child_and_does_not_wait", &[]),
    ("lets_its_child_die_with_it", &[]),
    ("leaves_a_file_in_tmp", &["the test left a file in its private directories:\n  /tmp/left over\n"]),
    ("leaves_a_directory_in_var_tmp", &["the test left a file in its private directories:\n  /var/tmp/left-over\n"]),
    ("leaves_shared_memory", &["the test left a file in its private directories:\n  /dev/shm/left-over\n"]),
    ("leaves_many_files", &["the test left 20 files", "  /tmp/10\n", "  /tmp/17\n  and 12 more\n"]),
    ("removes_its_file", &[]),
    ("writes_where_the_host_s_tmp_is", &[]),
    ("connects_out", &["the test tried once to reach outside"]),
    ("connects_out_by_v6", &["the test tried once to reach outside"]),
    ("sends_out", &["the test tried twice to reach outside"]),
    ("sends_out_by_v6", &["the test tried once to reach outside"]),
    ("asks_a_name_server", &["the test tried ", " to reach outside"]),
    ("talks_to_itself", &[]),
    ("asks_for_its_own_name", &[]),
    ("knocks_at_closed_ports", &[]),
];

/// What is there once: its name, whether it passes, what is told, in this order.
pub(crate) const ALONE: &[(&str, bool, &[&str])] = &[
    ("fails_and_leaves_a_file", false, &["the assertion comes first", "isotest: the test left a file"]),
    (
        "panics_as_it_should_and_leaves_a_file",
        false,
        &["as it should", "isotest: the test left a file", "left something behind (leaks = \"fail\")"],
    ),
    ("panics_as_it_should_and_stays_inside", true, &["as it should"]),
    (
        "is_its_own_init_and_leaves_a_process_and_a_file",
        true,
        &["isotest: the test left a file", "isotest: the test tried once"],
    ),
    ("shares_processes_and_leaves_one", true, &["isotest: the test left a process running", "sleep 86399.6\n"]),
    ("shares_the_network_and_connects_to_a_closed_port", true, &[]),
];
