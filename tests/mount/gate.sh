# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154 # tmp, mnt and VHDFS are those of mount.sh
# A host that hangs or loses writes: vhdfs runs with the library GATE, made of gate.c. Sourced after
# mount.sh, and after a change of $store.

[ "$sanitized" = no ] || skip "a sanitizer has to come first"
# A confined daemon reaches files of the store alone.
gate_dir=$store/.gate
mkdir -p "$gate_dir"
: >"$gate_dir/held"
printf '#!/bin/sh\nexec env LD_PRELOAD=%s GATE_DIR=%s %s "$@"\n' "$GATE" "$gate_dir" "$VHDFS" \
    >"$tmp/gated"
chmod +x "$tmp/gated"
VHDFS=$tmp/gated

# shut_gate KIND...: such calls on images slow* wait while $gatekeeper lives.
shut_gate()
{
    : >"$gate_dir/held"
    rm -f "$tmp/shut"
    for gate_kind; do
        : >"$gate_dir/$gate_kind"
        set -- "$@" "$gate_dir/$gate_kind"
        shift
    done
    behind "$python" -I -S -c 'import fcntl, sys, time
gates = [open(path) for path in sys.argv[2:]]
for gate in gates:
    fcntl.flock(gate, fcntl.LOCK_EX)
open(sys.argv[1], "w").close()
time.sleep(600)' "$tmp/shut" "$@"
    gatekeeper=$!
    wait_until 20 [ -e "$tmp/shut" ]
}

# open_gate: all waiting calls go on.
open_gate()
{
    kill -KILL "$gatekeeper"
    wait_until 20 has_ended "$gatekeeper"
}

# held: the number of calls that have started to wait
held()
{
    wc -c <"$gate_dir/held"
}

# no_more_come: calls wait, and for a second no further one has come
no_more_come()
{
    held_before=$(held)
    sleep 1
    [ "$held_before" = "$(held)" ] && [ "$held_before" -gt 0 ]
}
