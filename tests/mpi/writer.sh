#!/bin/sh
# The result of 1 to 4 ranks, of little and of much memory: the same bits, and every
# group opens in ncdump, h5py and xarray.
set -eu
python=/usr/bin/python3
writer=$BUILD_DIR/tests/result_test_writer
here=$(dirname "$0")
command -v mpirun >/dev/null || { echo 'skipped: no mpirun'; exit 77; }
command -v ncdump >/dev/null || { echo 'skipped: no ncdump'; exit 77; }
$python -c 'import h5py, h5netcdf, xarray' || { echo 'skipped: no xarray, h5netcdf'; exit 77; }
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMPI_MCA_mpi_yield_when_idle=1 ASAN_OPTIONS=detect_leaks=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for kind in full empty bare; do
    "$writer" "$folder/$kind-0.h5" $kind 300 65536
    ranks='2 3'
    [ $kind = full ] && ranks='1 2 3 4'
    for n in $ranks; do
        memory=16384
        [ $n = 3 ] && memory=9216
        mpirun --oversubscribe -n $n "$writer" "$folder/$kind-$n.h5" $kind 300 $memory
    done
    $python "$here/compare_results.py" "$folder/$kind"-?.h5
done
# more ranks than zones
"$writer" "$folder/few-0.h5" full 2 16384
mpirun --oversubscribe -n 4 "$writer" "$folder/few-4.h5" full 2 16384
$python "$here/compare_results.py" "$folder"/few-?.h5
# a failure, of all ranks or of one, is every rank's: exit 1, one cause, nothing left
for kind in missing poor; do
    status=0
    timeout 60 mpirun --oversubscribe -n 3 "$writer" "$folder/$kind.h5" $kind 300 16384 \
        2>"$folder/said" || status=$?
    [ $status = 1 ] || { echo "$kind: status $status"; cat "$folder/said"; exit 1; }
    [ "$(grep '^rank [012]: ' "$folder/said" | cut -d: -f2- | sort | uniq -c \
        | awk '{print $1}')" = 3 ] || { cat "$folder/said"; exit 1; }
    [ ! -e "$folder/$kind.h5" ] || { echo "$kind: a result is there"; exit 1; }
done
# a disk too small for the result: an error on every rank, and no one waits
mkdir "$folder/small"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=9m tmpfs "$folder/small" 2>/dev/null; then
    trap 'umount "$folder/small"; rm -rf "$folder"' EXIT
    status=0
    timeout 60 mpirun --oversubscribe -n 3 "$writer" "$folder/small/r.h5" full 300 16384 \
        2>"$folder/said" || status=$?
    [ $status = 1 ] && [ "$(grep -c '^rank [012]: .*No space left on device' "$folder/said")" = 3 ] \
        && [ -z "$(ls "$folder/small")" ] || { cat "$folder/said"; exit 1; }
else
    echo 'no root to mount a small disk with: a full disk is not tried'
fi
left=$(find "$folder" -name '*.partial-*' -o -name '*.spool')
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
