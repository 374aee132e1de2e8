#!/bin/sh
# Messages and collectives among 1 to 5 ranks, and what a waiting rank costs.
set -eu
program=$BUILD_DIR/tests/comm_test_comm
command -v mpirun >/dev/null || { echo 'skipped: no mpirun'; exit 77; }
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export ASAN_OPTIONS=detect_leaks=0
for n in 1 2 3 5; do
    timeout 120 mpirun --oversubscribe -n $n "$program" ranks $n
done
timeout 120 mpirun --oversubscribe -n 3 "$program" idle
# a rank that does not come: the others end by themselves
status=0
timeout 20 mpirun --oversubscribe -n 3 "$program" missing >/dev/null 2>&1 || status=$?
[ $status = 3 ] || { echo "a missing rank: status $status"; exit 1; }
