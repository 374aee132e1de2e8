# job.sh: what the batch scripts share, for bash: `source job.sh` and then `job_run "$@"`.
#
# job_run JOB [RUN-OPTION]... runs `rooftally run --resume` on all ranks of the allocation, by srun
# where Slurm has PMIx and by mpirun elsewhere, and requeues the job when the run was stopped early.
# The requeued job goes on from the finished zones; where there are none, --resume is a first start.
#
# Variables, all optional:
#   ROOFTALLY           the program
#   ROOFTALLY_LAUNCHER  what starts the ranks, with its options: "mpirun --mca pml ucx"
#   ROOFTALLY_REQUEUES  after so many requeues the chain ends, whatever there is left to do (50)
#   OMPI_MCA_*          settings of Open MPI; those made here give way to yours

job_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

job_say() {
    printf 'slurm: %s\n' "$*" >&2
}

# Sets ROOFTALLY: as given, else installed or built beside these scripts, else on the PATH.
job_find_program() {
    local beside
    for beside in "$job_folder/../../../bin/rooftally" "$job_folder/../build/release/rooftally"; do
        [ ! -x "$beside" ] || : "${ROOFTALLY:=$beside}"
    done
    : "${ROOFTALLY:=rooftally}"
    export ROOFTALLY
    command -v "$ROOFTALLY" >/dev/null && return
    job_say "no program $ROOFTALLY: say where it is with ROOFTALLY=/…/bin/rooftally"
    return 2
}

# Ranks that srun has started get the SIGTERM of a preempted job; mpirun's daemons die of it before
# they hand it on.
job_find_launcher() {
    if [ -n "${ROOFTALLY_LAUNCHER:-}" ]; then
        read -ra job_launcher <<<"$ROOFTALLY_LAUNCHER"
    elif srun --mpi=list 2>&1 | grep -Eqw 'pmix(_v[0-9]+)?'; then
        job_launcher=(srun --mpi=pmix --kill-on-bad-exit=1) # also one that ends before MPI knows it
    elif command -v mpirun >/dev/null; then
        job_launcher=(mpirun)
    else
        job_say "no pmix in 'srun --mpi=list' and no mpirun: say how to start ranks with" \
            ROOFTALLY_LAUNCHER
        return 2
    fi
}

# mpirun and its daemons read these when they start, before the program could set them. Without
# them a host that is cut off hangs the job for eight minutes; with them it ends in about 12 s.
job_set_environment() {
    export OMPI_MCA_oob_tcp_keepalive_time=${OMPI_MCA_oob_tcp_keepalive_time:-5}
    export OMPI_MCA_oob_tcp_keepalive_intvl=${OMPI_MCA_oob_tcp_keepalive_intvl:-2}
    export OMPI_MCA_oob_tcp_keepalive_probes=${OMPI_MCA_oob_tcp_keepalive_probes:-3}
    # Slurm's own choice is no barrier on fewer nodes than its TreeWidth, and a rank may end with a
    # segmentation fault in MPI_Init.
    export SLURM_PMIX_FENCE=${SLURM_PMIX_FENCE:-ring}
    # After `sbatch --export=NONE` srun would hand on nothing at all.
    export SLURM_EXPORT_ENV=ALL
}

# Slurm signals this shell only (--signal=B:…); srun and mpirun hand USR1 on to every rank, once.
job_signal() {
    job_signalled=$1 job_n_signals=$((job_n_signals + 1))
    [ -z "$job_launched" ] || kill -USR1 "$job_launched" 2>/dev/null
}

# Sets job_status to the launcher's. A trap ends `wait` early; the status is then had by the next.
job_launch() {
    local seen
    "${job_launcher[@]}" "$ROOFTALLY" run "$@" --resume &
    job_launched=$!
    [ -z "$job_signalled" ] || kill -USR1 "$job_launched" # it came just before
    while :; do
        seen=$job_n_signals
        wait "$job_launched"
        job_status=$?
        [ "$seen" != "$job_n_signals" ] || break
    done
}

job_requeue() { # WHY MOST
    local n=${SLURM_RESTART_COUNT:-0}
    if [ "$n" -ge "$2" ]; then
        job_say "$1, after $n requeues: not again; submit the job once more to go on"
    elif scontrol requeue "$SLURM_JOB_ID"; then
        job_say "$1: requeued, to go on from the finished zones"
        exit 0
    else
        job_say "$1, and cannot be requeued: submit the job once more to go on"
    fi
}

# Ends the batch script.
job_run() {
    job_signalled='' job_n_signals=0 job_launched='' job_status=75
    trap 'job_signal USR1' USR1
    trap 'job_signal TERM' TERM
    job_find_program && job_find_launcher || exit 2
    job_set_environment
    job_say "job $SLURM_JOB_ID, start $((${SLURM_RESTART_COUNT:-0} + 1)): $SLURM_NTASKS ranks on" \
        "$SLURM_JOB_NODELIST, by ${job_launcher[*]}"
    [ -n "$job_signalled" ] || job_launch "$@"
    if [ "$job_signalled" = TERM ]; then
        job_say "ended by Slurm, status $job_status"
    elif [ "$job_status" = 75 ] || { [ -n "$job_signalled" ] && [ "$job_status" -gt 2 ]; }; then
        job_requeue 'stopped early' "${ROOFTALLY_REQUEUES:-50}"
        job_status=75
    elif [ "$job_status" -gt 2 ]; then
        # Neither done nor refused: a rank or a node is gone. It may be gone again.
        job_requeue "lost a rank or a node (status $job_status)" 3
    fi
    exit "$job_status"
}
