
# `cargo isotest` is completed like `cargo-isotest`, and everything else as before.
_cargo_or_isotest() {
    if [[ "${COMP_WORDS[1]}" == isotest && "${COMP_CWORD}" -gt 1 ]]; then
        COMP_WORDS=(cargo-isotest "${COMP_WORDS[@]:2}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _isotest cargo-isotest "$2" "$3"
        return
    fi
    # bash-completion reads cargo's own script only when it is needed.
    if [[ -z "${__isotest_before}" ]] && declare -F _completion_loader >/dev/null; then
        _completion_loader cargo
        __isotest_hook_into_cargo
    fi
    if [[ -n "${__isotest_before}" ]]; then
        "${__isotest_before}" "$@"
    fi
}

__isotest_hook_into_cargo() {
    local registered
    registered=$(complete -p cargo 2>/dev/null)
    if [[ "${registered}" =~ -F\ ([^ ]+) && "${BASH_REMATCH[1]}" != _cargo_or_isotest ]]; then
        __isotest_before="${BASH_REMATCH[1]}"
    fi
    complete -o bashdefault -o default -F _cargo_or_isotest cargo
}

__isotest_before="${__isotest_before-}"
__isotest_hook_into_cargo
