//! What must become of each test of the fixture `hostile`.

/// A test, and how it ends.
pub(crate) struct End {
    pub(crate) name: &'static str,
    /// `cargo isotest`'s status word.
    pub(crate) status: &'static str,
    /// What its report must contain.
    pub(crate) says: &'static str,
}

const fn passes(name: &'static str) -> End {
    End { name, status: "PASS", says: "" }
}

/// It passes, and processes or files are left.
const fn leaves(name: &'static str) -> End {
    End { name, status: "LEAK", says: "" }
}

/// It passes, and init has not seen where it tried to go.
const fn blinds(name: &'static str) -> End {
    End { name, status: "EGRESS", says: "" }
}

const fn fails(name: &'static str, status: &'static str, says: &'static str) -> End {
    End { name, status, says }
}

/// Those that misbehave. Under `cargo test` the plain ones have no sandbox, and refuse.
pub(crate) const ENDS: &[End] = &[
    passes("descriptors::closes_every_descriptor"),
    leaves("descriptors::leaves_a_child_that_holds_its_output"),
    leaves("descriptors::leaves_an_endless_writer"),
    passes("descriptors::puts_nothing_in_the_place_of_its_output"),
    passes("descriptors::writes_garbage_to_every_descriptor"),
    fails("endings::aborts_after_it_has_passed", "SIGABRT", "was killed by signal 6 (SIGABRT)"),
    fails("endings::becomes_another_program", "EXIT", "exited before it finished (exit status 0)"),
    fails("endings::exits_from_another_thread", "EXIT", "exited before it finished (exit status 0)"),
    passes("endings::holds_the_lock_of_its_output_for_ever"),
    passes("endings::panics_in_another_thread"),
    fails("endings::panics_while_it_panics", "SIGABRT", "a second panic"),
    fails("endings::panics_with_a_message_that_is_hard_to_pass_on", "FAIL", "hard: "),
    passes("endings::prints_for_ever_while_it_ends"),
    leaves("mounts::fills_all_it_can"),
    passes("mounts::lays_something_over_its_own_binary"),
    leaves("mounts::leaves_its_root"),
    passes("mounts::moves_its_root_elsewhere"),
    passes("mounts::remounts_everything_read_only"),
    passes("mounts::shares_its_mounts_with_whoever_wants_them"),
    passes("mounts::unmounts_everything"),
    // Without a wrapper only the harness's own words tell that a test came to its end, and these are lost.
    fails("plain::closes_every_descriptor", "EXIT", "exited before it finished (exit status 0)"),
    fails("plain::exits_from_another_thread", "EXIT", "exited before it finished (exit status 0)"),
    passes("plain::kills_everyone"),
    leaves("plain::leaves_daemons_that_heed_no_signal"),
    fails("plain::stops_itself", "FAIL", "stopped itself"),
    passes("plain::unmounts_everything"),
    leaves("processes::forks_without_end"),
    passes("processes::kills_and_stops_init"),
    passes("processes::kills_everyone"),
    passes("processes::leaves_daemons_as_pid_1"),
    leaves("processes::leaves_daemons_that_heed_no_signal"),
    fails("processes::stops_everyone", "FAIL", "stopped itself"),
    fails("processes::stops_itself", "FAIL", "stopped itself"),
    fails("processes::stops_itself_where_proc_is_gone", "FAIL", "stopped itself"),
    blinds("processes::takes_descriptors_away_from_init"),
    passes("processes::traces_init_and_writes_into_its_memory"),
    passes("state::clears_its_environment"),
    passes("state::gives_away_all_limits"),
    fails("state::heeds_no_signal_and_never_ends", "TIMEOUT", "timed out"),
];

/// Those that behave, and run at the same time.
pub(crate) const NEIGHBOURS: &[&str] = &[
    "descriptors::b_neighbour",
    "descriptors::d_neighbour",
    "descriptors::m_neighbour",
    "descriptors::q_neighbour",
    "descriptors::x_neighbour",
    "endings::a_neighbour",
    "endings::e_neighbour",
    "endings::h_neighbour",
    "endings::p_neighbour",
    "endings::t_neighbour",
    "mounts::c_neighbour",
    "mounts::e_neighbour",
    "mounts::n_neighbour",
    "mounts::r_neighbour",
    "mounts::v_neighbour",
    "processes::a_neighbour",
    "processes::f_neighbour",
    "processes::k_neighbour",
    "processes::p_neighbour",
    "processes::s_neighbour",
    "state::a_neighbour",
    "state::d_neighbour",
    "state::g_neighbour",
];

/// Those in a binary that does not link isotest.
pub(crate) const UNLINKED: &[End] = &[
    passes("kills_everyone_and_init"),
    leaves("leaves_a_child_that_holds_its_output"),
    fails("stops_itself", "FAIL", "stopped itself"),
    passes("traces_init"),
];
