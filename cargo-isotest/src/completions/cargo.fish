
# `cargo isotest` is completed like `cargo-isotest`.
function __isotest_under_cargo
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    complete -C "cargo-isotest "(string join ' ' -- (string escape -- $words[3..-1]) "$current")
end
complete -c cargo -n '__fish_seen_subcommand_from isotest' -f -a '(__isotest_under_cargo)'
