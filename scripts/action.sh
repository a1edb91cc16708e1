#!/usr/bin/env bash
# The step of action.yml: runs the audit, hands its outputs on, and ends with its exit code.
# Inputs come as INPUT_* variables, so that no text of a workflow is ever read as a command.
set -euo pipefail

version=${INPUT_VERSION:-$(node -p 'require(process.argv[1]).version' "$GITHUB_ACTION_PATH/package.json")}
report="${RUNNER_TEMP:-/tmp}/lipschitz-report-$$.json"

# Words are parted at spaces and lines; only models are globs, and ** reaches into folders.
read -r -d '' -a patterns <<<"$INPUT_MODELS" || true
read -r -d '' -a more <<<"${INPUT_ARGS:-}" || true
shopt -s globstar nullglob
models=()
# shellcheck disable=SC2206 # the pattern is meant to expand, without being parted
expand() { local IFS=; found=($1); }
for pattern in "${patterns[@]}"; do
  expand "$pattern"
  if [ ${#found[@]} -eq 0 ]; then
    echo "::error title=lipschitz::no file matches ${pattern//[^[:alnum:]._\/*?\[\]{\}-]/?}"
    exit 2
  fi
  models+=("${found[@]}")
done

options=(-f github -f "json:$report")
option() { if [ -n "$2" ]; then options+=("$1" "$2"); fi; }
option --max-lipschitz "${INPUT_MAX_LIPSCHITZ:-}"
option --max-layer "${INPUT_MAX_LAYER:-}"
option --baseline "${INPUT_BASELINE:-}"
option --max-increase "${INPUT_MAX_INCREASE:-}"
option --config "${INPUT_CONFIG:-}"
if [ -n "${INPUT_SARIF_FILE:-}" ]; then options+=(-f "sarif:$INPUT_SARIF_FILE"); fi

code=0
npx --yes "lipschitz@$version" audit "${options[@]}" "${more[@]}" -- "${models[@]}" || code=$?

verdict=error lipschitz=
if [ -s "$report" ]; then
  read -r verdict lipschitz < <(node -e '
    const { verdict, models, errors } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))
    console.log(errors.length > 0 ? "error" : verdict, models[0]?.lipschitz.upper.value ?? "")
  ' "$report") || true
fi
{
  echo "verdict=$verdict"
  echo "lipschitz=$lipschitz"
  echo "report=$report"
} >>"${GITHUB_OUTPUT:-/dev/null}"
exit "$code"
