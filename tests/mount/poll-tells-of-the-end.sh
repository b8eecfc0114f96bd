#!/bin/sh
# If this failed: a program that watches a task by poll(2) would never hear of its end, or hear of
# changes all the time, or read what was there before the change that it was told of.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/mount.sh"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/frozen.sh"

start_vhdfs
freeze

# ended OUT NAME FILE...: the poller has read of each of the files, twice, that line
ended()
{
    ends_out=$1
    shift
    expect "$(printf '%s\n' "$@" "$@" | sort)" "$(sed 1d "$ends_out" | sort)" "what was read"
}

make_behind d
maker=$!
make_behind e
maker_e=$!
pollers=
for options in "" "-n" "-e" "-e -n"; do
    # shellcheck disable=SC2086
    poll_behind "$tmp/poller$options" $options "$mnt/tasks/d" state percent status status.json
    pollers="$pollers $!"
done
poll_behind "$tmp/cancelled" "$mnt/tasks/e" state status status.json percent
cancelled=$!
poll_behind "$tmp/other" "$mnt/tasks/e" result error errno finished
other=$!

# Looking changes nothing, nor does what happens to others.
cat "$mnt/tasks/d/"* >/dev/null
answer "$mnt/new/small" 2 >"$tmp/answer"
for poller in $pollers $cancelled; do
    has_ended "$poller" && fail "a poller has ended"
done
echo 1 >"$mnt/tasks/e/cancel" || fail "cannot cancel"
thaw
ends_with 0 "$maker" "the maker"
for poller in $pollers; do
    wait_until 30 has_ended "$poller"
    wait "$poller" || fail "a poller: $(cat "$tmp"/poller*)"
done
for options in "" "-n" "-e" "-e -n"; do
    ended "$tmp/poller$options" "state completed" "percent 100" "status state completed" \
        'status.json {"state": "completed"'
done
wait_until 20 has_ended "$maker_e"
ends_with 0 "$cancelled" "the poller of what is cancelled: $(cat "$tmp/cancelled")"
ended "$tmp/cancelled" "state cancelled" "status state cancelled" \
    'status.json {"state": "cancelled"' "percent $(tr -d ' ' <"$mnt/tasks/e/percent")"
ends_with 0 "$other" "the poller of other values: $(cat "$tmp/other")"
grep -qx 'result 0x80004004 E_ABORT' "$tmp/other" || fail "other values: $(cat "$tmp/other")"
