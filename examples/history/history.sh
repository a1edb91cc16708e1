#!/usr/bin/env bash
# history.sh <range> <model...>: prints a line of history for every commit of the range that changed a model.
set -euo pipefail
range=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for commit in $(git rev-list --reverse "$range" -- "$@"); do
  rm -rf "$work/tree" && mkdir "$work/tree"
  git archive "$commit" "$@" | tar -x -C "$work/tree"
  (cd "$work/tree" && ${LIPSCHITZ:-npx --yes lipschitz@0.1.0} audit "$@" -q --no-config --no-exit-code -f "json:$work/report.json") ||
    continue # models that cannot be audited have no point on the line
  node "$here/history.mjs" add "$work/report.json" "$work/line" "$(git rev-parse --short "$commit")"
  cat "$work/line" && rm "$work/line"
done
