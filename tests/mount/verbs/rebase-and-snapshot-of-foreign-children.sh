#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a differencing disk of another program would lose its content when it gets another
# parent, or when its content is kept as a snapshot.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

export CORPUS="$here/../corpus"
export PYTHONDONTWRITEBYTECODE=1

"$python" "$CORPUS/make.py" "$tmp/corpus" || fail "the corpus cannot be made"
store=$tmp/corpus/good
start_vhdfs
"$python" "$here/foreign.py" "$store" "$mnt" || fail "foreign children"
