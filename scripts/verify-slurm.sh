#!/usr/bin/env bash
# Runs an audit as an array job of Slurm, on one node on the loopback interface, and holds the merged report against that
# of one run, byte for byte. Needs root and Debian's slurm-wlm and munge; leaves no daemon behind.
#
#   scripts/verify-slurm.sh [shards] [model...]
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
shards=${1:-3}
shift || true
models=()
for model in "$@"; do models+=("$(realpath "$model")"); done
[ ${#models[@]} -gt 0 ] || models=("$root"/fixtures/trained/*.onnx)
lipschitz=${LIPSCHITZ:-$root/bin/lipschitz.js}
work=$(mktemp -d)
chmod 755 "$work"
pids=()

finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2> "$work/kill.log" || true; done
  wait
  rm -rf "$work"
}
trap finish EXIT

# wait_for <what> <command...>: until the command succeeds, half a minute at most
wait_for() {
  local what=$1
  shift
  for _ in $(seq 300); do
    if "$@" > "$work/wait.log" 2>&1; then return; fi
    sleep 0.1
  done
  echo "no $what after 30 s:" && cat "$work"/*.log && exit 1
}

# munge and Slurm, everything in the folder of this run
mkdir -p "$work/spool" "$work/state" /run/munge
dd if=/dev/urandom of="$work/munge.key" bs=128 count=1 status=none
chmod 400 "$work/munge.key"
munged --foreground --force --key-file="$work/munge.key" --socket="$work/munge.socket" --pid-file="$work/munged.pid" \
  --log-file="$work/munged.log" --seed-file="$work/munge.seed" > "$work/munged.out.log" 2>&1 &
pids+=($!)
wait_for 'munge' munge --socket="$work/munge.socket" --no-input
host=$(hostname -s)
cat > "$work/slurm.conf" << CONF
ClusterName=loopback
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CryptoType=crypto/munge
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=1024 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$work/slurm.conf
slurmctld -D -c > "$work/slurmctld.out.log" 2>&1 &
pids+=($!)
slurmd -D -N "$host" > "$work/slurmd.out.log" 2>&1 &
pids+=($!)
wait_for 'idle node' sh -c "sinfo --noheader --format=%T | grep -qx idle"
echo "Slurm $(sinfo --version | cut -d' ' -f2) on $host, $(nproc) processors"

# the audit in one run, then as an array job with a job behind it that merges
cd "$work"
node "$lipschitz" audit "${models[@]}" -o whole.json --json --threads 1 --no-config
printf '%s\n' "${models[@]}" > models.txt
cat > shard.sh << 'JOB'
#!/bin/bash
mapfile -t models < models.txt
exec node "$LIPSCHITZ" audit "${models[@]}" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
  -o "part-$SLURM_ARRAY_TASK_ID.json" --threads 1 --no-config
JOB
cat > merge.sh << 'JOB'
#!/bin/bash
exec node "$LIPSCHITZ" merge part-*.json -o merged.json --json --threads 1 --no-config
JOB
export LIPSCHITZ=$lipschitz
array=$(sbatch --parsable --array="1-$shards" --output=shard-%a.log shard.sh)
sbatch --wait --dependency="afterok:$array" --kill-on-invalid-dep=yes --output=merge.log merge.sh || {
  cat shard-*.log merge.log && exit 1
}
ls -l part-*.json | awk '{ print $NF, $5, "bytes" }'
cmp whole.json merged.json
echo "$shards shards of ${#models[@]} models: the merged report is that of one run, byte for byte"
