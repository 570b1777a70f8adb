#!/usr/bin/env bash
# Runs the client scenarios of the official MCP conformance suite against tests/McpSm.ConformanceClient, one at a time,
# each in every revision of the protocol that it belongs to, and prints one line for each. In the auth/ scenarios the
# client signs in itself. In the others, which relay-scenarios.txt lists, it is a client over stdio that starts `mcpsm proxy`.
#   tests/interop/conformance/run.sh [scenario...]      all scenarios by default
# Needs npm and .NET; the suite and its Node are installed beside this file. Without npm every scenario is skipped, or
# fails if MCPSM_TEST_REQUIRE is 1. CONFIGURATION is the build configuration; Debug by default. MCPSM_TEST_EXE is the
# `mcpsm` under test; by default it is built.
set -uo pipefail
cd "$(dirname "$0")"
suite=$PWD/node_modules/@modelcontextprotocol/conformance/dist/index.js
node=$PWD/node_modules/node/bin/node
configuration=${CONFIGURATION:-Debug}
client=../../McpSm.ConformanceClient
cli=../../../src/McpSm.Cli

# Time limits of a scenario in seconds: for the program and for the suite.
program_limit=30
suite_limit=60

stop() { echo "$1" >&2; echo "0 passed, 1 failed, 0 skipped"; exit 1; }

if ! command -v npm >/dev/null; then
    [ "${MCPSM_TEST_REQUIRE:-}" = 1 ] && stop "npm is missing, which installs the conformance suite."
    echo "The conformance suite is skipped: npm is missing."
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
if [ ! node_modules/.package-lock.json -nt package.json ] || [ ! -x "$node" ]; then
    npm install --no-package-lock --no-audit --no-fund --loglevel=error >&2 || stop "The conformance suite could not be installed."
fi
dotnet build "$client" -c "$configuration" -v quiet -warnaserror >&2 || stop "The program under test does not build."
relay=${MCPSM_TEST_EXE:-}
if [ -z "$relay" ]; then
    dotnet build "$cli" -c "$configuration" -v quiet -warnaserror >&2 || stop "The relay does not build."
    relay=$(realpath "$cli/bin/$configuration/net10.0/mcpsm")
fi
[ -x "$relay" ] || stop "The relay is missing: $relay."

temporary=$(mktemp -d)
running=
end() { [ -z "$running" ] || kill -TERM -- "-$running" 2>/dev/null; rm -rf "$temporary"; }
trap end EXIT
trap 'exit 130' INT TERM

"$node" "$suite" list --client >"$temporary/list" || stop "The conformance suite does not start."
sed -nE 's/^ +- (auth\/[^ ]+) \[(.*)\]$/\1 \2/p' "$temporary/list" >"$temporary/scenarios"
[ -s "$temporary/scenarios" ] || stop "The conformance suite lists no auth/ scenario."
# docs/rules.md lists the scenarios under the rules.
cut -d' ' -f1 "$temporary/scenarios" | LC_ALL=C sort | diff scenarios.txt - >&2 || stop "scenarios.txt does not list the suite's scenarios."

# The second list must name each scenario that the first one does not. Those that it leaves out are counted as skipped.
sed -nE 's/^ +- ([^ ]+) \[(.*)\]$/\1/p' "$temporary/list" | grep -v '^auth/' | LC_ALL=C sort >"$temporary/others"
sed -nE 's/^(- *)?([a-z][^ ]*) .*$/\2/p' relay-scenarios.txt | LC_ALL=C sort | diff - "$temporary/others" >&2 \
    || stop "relay-scenarios.txt does not list the suite's scenarios."
grep -E '^[a-z]' relay-scenarios.txt | sed 's/$/ relay/' >>"$temporary/scenarios"
grep -E '^-' relay-scenarios.txt >"$temporary/skipped"

# The suite splits the command at spaces, so start the program from its own folder.
cd "$client/bin/$configuration/net10.0" || stop "The program under test is missing in its build folder."

# Runs a scenario in one revision, through the relay or not, in a new process group, so that all its processes end with it.
run() {
    local revision=()
    [ "$2" = extension ] || revision=(--spec-version "$2")
    MCPSM_CONFORMANCE_RELAY=${3:+$relay} setsid timeout --kill-after=5 "$suite_limit" "$node" "$suite" client \
        --command ./McpSm.ConformanceClient --scenario "$1" --timeout "${program_limit}000" "${revision[@]}" \
        >"$temporary/log" 2>&1 </dev/null &
    running=$!
    wait "$running"
    local code=$?
    kill -KILL -- "-$running" 2>/dev/null
    running=
    # A scenario that the suite skips exits with 0 too, and some accept any failure of the program.
    [ "$code" = 0 ] && grep -q 'OVERALL: PASSED' "$temporary/log" && ! grep -q 'Client exited with code' "$temporary/log"
}

passed=0 failed=0 skipped=0
while read -r scenario revisions through; do
    [ $# = 0 ] || [[ " $* " == *" $scenario "* ]] || continue
    started=$(date +%s%N)
    bad=
    for revision in ${revisions//,/ }; do
        if ! run "$scenario" "$revision" "$through"; then
            bad="$bad $revision"
            sed -E 's/\x1b\[[0-9;]*m//g; s/^/    /' "$temporary/log" | tail -n 60 >>"$temporary/why"
        fi
    done
    printf -v took '%5.1f s' "$(( ($(date +%s%N) - started) / 100000000 ))e-1"
    if [ -n "$bad" ]; then
        word=FAILED failed=$((failed + 1))
    else
        word=passed passed=$((passed + 1))
    fi
    printf '%-7s %-45s %s  %s\n' "$word" "$scenario" "$took" "${through:+through the relay, }${revisions//,/ }${bad:+, not in$bad}"
    [ ! -s "$temporary/why" ] || { cat "$temporary/why"; : >"$temporary/why"; }
done <"$temporary/scenarios"

while read -r _ scenario reason; do
    [ $# = 0 ] || [[ " $* " == *" $scenario "* ]] || continue
    printf 'skipped %-45s %s\n' "$scenario" "$reason"
    skipped=$((skipped + 1))
done <"$temporary/skipped"

[ $((passed + failed + skipped)) -gt 0 ] || stop "The suite has no such scenario."
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
