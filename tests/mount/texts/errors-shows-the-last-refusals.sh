#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user who gets only "I/O error" from a shell could not look up the cause.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
expect "" "$(cat "$mnt/errors")" "errors at the beginning"
expect 644 "$(stat -c %a "$mnt/errors")" "mode of errors"
echo 40 >"$mnt/new/good" || fail "a good request is refused"
expect "" "$(cat "$mnt/errors")" "errors after a success"

answer "$mnt/new/a" 2 >"$tmp/answer"
line=$(cat "$mnt/errors")
echo "$line" | grep -Eqx \
    '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z new/a ERANGE VM_E_IMAGE_SIZE_TOO_SMALL [^ ].*' ||
    fail "the line is: $line"
told=$(date -d "${line%% *}" +%s) || fail "no time: ${line%% *}"
[ $(($(date +%s) - told)) -lt 60 ] || fail "the time is ${line%% *}"

# The last sixteen of twenty are kept, in order.
for i in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20; do
    set -- "$@" "$mnt/new/e$i" "x$i"
done
answer "$@" >"$tmp/answer"
expect "e05 e06 e07 e08 e09 e10 e11 e12 e13 e14 e15 e16 e17 e18 e19 e20" \
    "$(sed 's,^[^ ]* new/\([^ ]*\) .*,\1,' "$mnt/errors" | paste -sd ' ')" "the names in errors"

# Reading keeps them, and so does a truncation to a size above 0. A write or a truncation to 0
# clears them.
expect 16 "$(wc -l <"$mnt/errors")" "lines after reading"
truncate -s 5 "$mnt/errors" || fail "errors cannot be given a size"
truncate -s 1M "$mnt/errors" || fail "errors cannot be given a size"
expect 16 "$(wc -l <"$mnt/errors")" "lines after truncating to a size"
: >"$mnt/errors" || fail "errors cannot be truncated"
expect "" "$(cat "$mnt/errors")" "errors after : >"
answer "$mnt/new/a" 2 >"$tmp/answer"
truncate -s 0 "$mnt/errors" || fail "errors cannot be truncated"
expect "" "$(cat "$mnt/errors")" "errors after truncate -s 0"
answer "$mnt/new/a" 2 >"$tmp/answer"
expect 1 "$(wc -l <"$mnt/errors")" "lines after another refusal"
echo >>"$mnt/errors" || fail "errors cannot be written to"
expect "" "$(cat "$mnt/errors")" "errors after a write"
expect 0 "$(stat -c %s "$mnt/errors")" "size after a write"

# Blanks in a name are escaped, so the line keeps its number of words.
touch "$mnt/new/a b " 2>/dev/null && fail "a name with a blank at its end is accepted"
expect EINVAL "$(cut -d ' ' -f 3 "$mnt/errors")" "third word"

# Every kind of refusal has a line.
echo 1 2>/dev/null >"$mnt/tasks/good/cancel" && fail "an ended task was cancelled"
tail -n 1 "$mnt/errors" | grep -q ' tasks/good/cancel ESRCH ' || fail "cancel: $(tail -n 1 "$mnt/errors")"
echo 40 2>/dev/null >"$mnt/new/good" && fail "good was made twice"
tail -n 1 "$mnt/errors" | grep -q ' new/good EEXIST E_ALREADY_EXISTS ' ||
    fail "open: $(tail -n 1 "$mnt/errors")"
