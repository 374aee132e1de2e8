/*
 * The rows that come from records, slab by slab.
 *
 *   slab: rows first to first + n   |  share of rank 0  |  rank 1  |  rank 2  |
 *   a record's rows in it                        |=============|
 *   are sent as pieces                           |======| |====|
 *   piece: i64 first row, i64 n rows, then the n rows of each field in turn
 *
 * A rank lays the pieces of its share out as columns and writes them, while the others
 * write theirs.
 */
#include "slab.h"

#include <errno.h>
#include <string.h>

#include "rooftally/base/file.h"

struct piece {
    int64_t first, n;
};

static int64_t share_first(const struct slab *slab, int rank)
{
    int size = comm_size(slab->gather->comm);
    int64_t n_share = (slab->n + size - 1) / size, at = n_share * rank;
    return slab->first + (at < slab->n ? at : slab->n);
}

/* Append rows first to end of the record that `reader` holds, for one rank. */
static int put_piece(struct slab *slab,
                     int64_t first_of_zone,
                     int64_t first,
                     int64_t end,
                     int64_t *n_sent,
                     struct error *err)
{
    struct piece piece = { first, end - first };
    int64_t n_bytes = (int64_t)sizeof piece + piece.n * slab->row_bytes;
    if (n_bytes > slab->send_capacity - *n_sent)
        return error_set(err, ERROR_INTERNAL, "a slab has more pieces than zones");
    uint8_t *to = slab->send + *n_sent;
    memcpy(to, &piece, sizeof piece);
    to += sizeof piece;
    for (int k = 0; k < slab->n_fields; k++) {
        const struct field *field = slab->fields[k];
        if (field_read(field,
                       &slab->reader.record,
                       first - first_of_zone,
                       piece.n,
                       to,
                       err)
            < 0)
            return -1;
        to += piece.n * field_row_bytes(field);
    }
    *n_sent += n_bytes;
    return 0;
}

/* The part of one record that lies in the slab, cut where the ranks' shares meet. */
static int put_record(struct slab *slab,
                      int64_t index,
                      int *rank,
                      int64_t *n_sent,
                      struct error *err)
{
    struct gather *g = slab->gather;
    int64_t zone = spool_entry(g->spool, index)->row;
    int64_t zone_first = gather_first(g, slab->family, zone);
    int64_t end = gather_first(g, slab->family, zone + 1);
    int64_t first = zone_first > slab->first ? zone_first : slab->first;
    if (end > slab->first + slab->n)
        end = slab->first + slab->n;
    while (first < end) {
        while (first >= share_first(slab, *rank + 1))
            ++*rank;
        int64_t cut = share_first(slab, *rank + 1);
        int64_t piece_end = cut < end ? cut : end, before = *n_sent;
        if (reader_get(&slab->reader, index, err) < 0
            || put_piece(slab, zone_first, first, piece_end, n_sent, err) < 0)
            return -1;
        slab->send_counts[*rank] += *n_sent - before;
        first = piece_end;
    }
    return 0;
}

/* Records are sorted by row, so pieces come out in the order of the ranks they go to. */
static int pack(struct slab *slab, struct error *err)
{
    struct gather *g = slab->gather;
    int64_t n_sent = 0, n_records = spool_n_records(g->spool);
    int rank = 0;
    memset(slab->send_counts,
           0,
           (size_t)comm_size(g->comm) * sizeof *slab->send_counts);
    for (int64_t i = slab->next; i < n_records; i++) {
        int64_t zone = spool_entry(g->spool, i)->row;
        if (gather_first(g, slab->family, zone) >= slab->first + slab->n)
            break;
        if (put_record(slab, i, &rank, &n_sent, err) < 0)
            return -1;
        if (gather_first(g, slab->family, zone + 1) <= slab->first + slab->n)
            slab->next = i + 1;
    }
    return 0;
}

/* Pieces of all ranks into the columns of this rank's share. */
static int unpack(struct slab *slab, struct error *err)
{
    struct comm *comm = slab->gather->comm;
    int64_t first = share_first(slab, comm_rank(comm));
    int64_t n = share_first(slab, comm_rank(comm) + 1) - first, n_bytes = 0, n_laid = 0;
    for (int rank = 0; rank < comm_size(comm); rank++)
        n_bytes += slab->receive_counts[rank];
    for (const uint8_t *at = slab->receive, *end = at + n_bytes; at < end;) {
        struct piece piece;
        memcpy(&piece, at, sizeof piece);
        at += sizeof piece;
        if (piece.first < first || piece.n < 1 || piece.first + piece.n > first + n)
            return error_set(err, ERROR_INTERNAL, "a piece of a slab is not of it");
        uint8_t *column = slab->columns;
        for (int k = 0; k < slab->n_fields; k++) {
            int64_t row_bytes = field_row_bytes(slab->fields[k]);
            memcpy(column + (piece.first - first) * row_bytes,
                   at,
                   (size_t)(piece.n * row_bytes));
            at += piece.n * row_bytes;
            column += n * row_bytes;
        }
        n_laid += piece.n;
    }
    if (n_laid != n)
        return error_set(err,
                         ERROR_INTERNAL,
                         "%lld of %lld rows of a slab came",
                         (long long)n_laid,
                         (long long)n);
    return 0;
}

/* One field's column of this rank's share; collective, a share of no rows too. */
static int write_column(struct slab *slab,
                        int k,
                        int64_t first,
                        int64_t n,
                        const uint8_t *column,
                        struct error *err)
{
    const struct field *field = slab->fields[k];
    hsize_t start[] = { (hsize_t)first, 0 };
    hsize_t count[] = { (hsize_t)n, (hsize_t)field->width };
    hid_t type = field_type(field), in_file = H5Dget_space(slab->datasets[k]);
    hid_t in_memory = H5Screate_simple(2, count, NULL);
    herr_t done =
        n > 0 ? H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, count, NULL)
              : H5Sselect_none(in_file);
    if (done >= 0 && n == 0)
        done = H5Sselect_none(in_memory);
    if (done >= 0)
        done = H5Dwrite(slab->datasets[k],
                        type,
                        in_memory,
                        in_file,
                        slab->transfer,
                        column);
    int status =
        done < 0 ? h5_error(err, ERROR_IO, "writing %s (disk full?)", field->name) : 0;
    h5_close(&in_memory, H5Sclose);
    h5_close(&in_file, H5Sclose);
    h5_close(&type, H5Tclose);
    return status;
}

static int write_columns(struct slab *slab, struct error *err)
{
    struct gather *g = slab->gather;
    int64_t first = share_first(slab, comm_rank(g->comm));
    int64_t n = share_first(slab, comm_rank(g->comm) + 1) - first;
    const uint8_t *column = slab->columns;
    int status = 0;
    for (int k = 0; k < slab->n_fields; k++) {
        /* the first failure is told; the others still owe their part of the collectives */
        struct error *why = status == 0 ? err : NULL;
        if (write_column(slab, k, first, n, column, why) < 0)
            status = -1;
        column += n * field_row_bytes(slab->fields[k]);
    }
    return status;
}

int slab_not_synced(struct error *err)
{
    return error_set(err, ERROR_IO, "syncing the result: %s", file_reason(errno));
}

int slab_write(struct slab *slab, int64_t first, int64_t n, struct error *err)
{
    struct comm *comm = slab->gather->comm;
    slab->first = first;
    slab->n = n;
    const struct result_input *input = slab->gather->input;
    int status = pack(slab, err);
    if (status == 0 && input->stop && input->stop(input->stop_context))
        status = error_set(err, ERROR_STOPPED, "stopped on request");
    if (comm_agree(comm, status, err) < 0)
        return -1;
    status = comm_exchange(comm,
                           slab->send,
                           slab->send_counts,
                           slab->receive,
                           slab->receive_capacity,
                           slab->receive_counts,
                           err);
    if (status == 0)
        status = unpack(slab, err);
    if (comm_agree(comm, status, err) < 0)
        return -1;
    status = write_columns(slab, err);
    if (status == 0 && !syncer_wrote(slab->gather->syncer, n * slab->row_bytes))
        status = slab_not_synced(err);
    return comm_agree(comm, status, err);
}
