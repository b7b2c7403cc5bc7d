#!/usr/bin/env bash
# Three sessions of the simulated person by commands only, then the report of the last one and the trend as PDF.
#   source .venv/bin/activate && docs/session_example.sh [FOLDER]     (default output/session_example)
set -euo pipefail
folder=$(realpath -m "${1:-output/session_example}")
mkdir -p "$folder"

# 1. The graph, with a simulated camera in front of a person who squats. With a real camera: `rehab-pose run`.
rehab-pose run --sim --ros-args -p "session.folder:=$folder/sessions" -p simulation.exercise:=squat \
    >"$folder/graph.log" 2>&1 &
graph=$!
trap 'kill -INT "$graph" 2>/dev/null; wait "$graph"' EXIT
until { rehab-pose session status || true; } 2>/dev/null | grep -q "no session is running"; do
    kill -0 "$graph" || { echo "the graph ended: $folder/graph.log" >&2; exit 1; }
    sleep 0.5
done

# 2. Two short sessions, which end by themselves after their last repetition. `--wait` shows the count.
for _ in 1 2; do
    rehab-pose session start P01 --exercise squat --repetitions 1 --recording nothing --wait
done

# 3. One of ten squats that is stopped after five.
rehab-pose session start P01 --exercise squat --repetitions 10 --side both --recording results
until { rehab-pose session status || true; } | grep -qE "([5-9]|10) of 10"; do
    kill -0 "$graph" || { echo "the graph ended: $folder/graph.log" >&2; exit 1; }
    sleep 2
done
rehab-pose session stop

# 4. The pages: a sheet of the last session, and the trend of all.
rehab-pose session list --folder "$folder/sessions"
last=$(cd "$folder/sessions" && ls -d P01_*/ | tail -n 1)
rehab-pose session report "${last%/}" --folder "$folder/sessions" -o "$folder/report.pdf"
rehab-pose session trend P01 --folder "$folder/sessions" -o "$folder/trend.pdf"
rehab-pose session export "${last%/}" --folder "$folder/sessions" --to csv,fhir -o "$folder/export"
