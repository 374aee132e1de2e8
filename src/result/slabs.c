/* All slabs of all families: sizes, buffers, and the file that all ranks have open. */
#include <fcntl.h>
#include <unistd.h>

#include "rooftally/comm/file.h"

#include "slab.h"

enum {
    LEAST_BYTES = 64 * 1024,
    MOST_BYTES = 4 * 1024 * 1024,
    RANK_BYTES = 256 * 1024,
    SYNC_BYTES = 8 << 20,
};

/* Bytes of a slab, the same on every rank: a share of the least free memory, and no
 * more than keeps all ranks busy. */
static int choose_bytes(struct gather *g, int64_t *n_bytes, struct error *err)
{
    int64_t most = (int64_t)RANK_BYTES * comm_size(g->comm);
    int64_t n = memory_free_bytes(g->memory) / 10;
    most = most < 1 << 20 ? 1 << 20 : most > MOST_BYTES ? MOST_BYTES : most;
    n = n < LEAST_BYTES ? LEAST_BYTES : n > most ? most : n;
    n = -n; /* the least of all is the greatest of the negatives */
    if (comm_max(g->comm, &n, 1, err) < 0)
        return -1;
    *n_bytes = -n;
    return 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int open_datasets(struct slab *slab, hid_t file, struct error *err)
{
    int status = 0;
    for (int k = 0; k < slab->n_fields; k++) {
        const struct field *field = slab->fields[k];
        char path[2 * NAME_BYTES + 8];
        snprintf(path, sizeof path, "%s/%s", field->group, field->name);
        slab->datasets[k] = H5Dopen2(file, path, H5P_DEFAULT);
        if (slab->datasets[k] < 0 && status == 0)
            status = h5_error(err, ERROR_IO, "dataset %s", path);
    }
    return status;
}

/* Fields of the family, and buffers for slabs of about n_bytes. */
static int
make_room(struct slab *slab, enum family family, int64_t n_bytes, struct error *err)
{
    struct gather *g = slab->gather;
    int size = comm_size(g->comm), n_fields = g->table.n;
    slab->family = family;
    slab->fields = memory_take(g->memory,
                               MEMORY_GATHER,
                               n_fields * (int64_t)sizeof *slab->fields,
                               err);
    if (!slab->fields)
        return -1;
    for (int k = 0; k < n_fields; k++)
        if (g->table.fields[k].family == family && g->table.fields[k].width > 0) {
            slab->fields[slab->n_fields++] = &g->table.fields[k];
            slab->row_bytes += field_row_bytes(&g->table.fields[k]);
        }
    if (slab->n_fields == 0)
        return 0;
    int64_t n_rows = least(n_bytes / slab->row_bytes, g->n_rows[family]);
    slab->n_rows = n_rows < 1 ? 1 : n_rows;
    int64_t n_share = (slab->n_rows + size - 1) / size, n_head = 2 * sizeof(int64_t);
    /* a zone has one piece in a share, and shares cut zones */
    int64_t n_sent = least(slab->n_rows, spool_n_records(g->spool) + size);
    int64_t n_received = least(n_share, g->input->n_zones);
    slab->send_capacity = slab->n_rows * slab->row_bytes + n_sent * n_head;
    slab->receive_capacity = n_share * slab->row_bytes + n_received * n_head;

    int64_t n_counts = size * (int64_t)sizeof(int64_t);
    struct memory *memory = g->memory;
    if (!(slab->datasets = memory_take(memory,
                                       MEMORY_GATHER,
                                       n_fields * (int64_t)sizeof(hid_t),
                                       err))
        || !(slab->send_counts = memory_take(memory, MEMORY_GATHER, n_counts, err))
        || !(slab->receive_counts = memory_take(memory, MEMORY_GATHER, n_counts, err))
        || !(slab->send = memory_take(memory, MEMORY_GATHER, slab->send_capacity, err))
        || !(slab->receive =
                 memory_take(memory, MEMORY_GATHER, slab->receive_capacity, err))
        || !(slab->columns =
                 memory_take(memory, MEMORY_GATHER, n_share * slab->row_bytes, err)))
        return -1;
    for (int k = 0; k < n_fields; k++)
        slab->datasets[k] = H5I_INVALID_HID;
    reader_init(&slab->reader, g);
    return 0;
}

static void report(struct gather *g, const struct slab *slab)
{
    g->bytes_done += (double)slab->n * (double)slab->row_bytes;
    if (g->input->progress)
        g->input->progress(g->input->progress_context,
                           g->bytes_in_all > 0 ? g->bytes_done / g->bytes_in_all : 1);
}

static int write_family(struct gather *g,
                        hid_t file,
                        enum family family,
                        int64_t n_bytes,
                        struct error *err)
{
    struct memory_mark mark = memory_mark(g->memory);
    struct slab slab = { .gather = g, .transfer = H5I_INVALID_HID };
    int status = comm_agree(g->comm, make_room(&slab, family, n_bytes, err), err);
    if (status < 0 || slab.n_fields == 0)
        goto out;
    slab.transfer = comm_transfer(g->comm);
    status = open_datasets(&slab, file, err);
    if (slab.transfer < 0)
        status = h5_error(err, ERROR_IO, "transfer list");
    status = comm_agree(g->comm, status, err);
    for (int64_t first = 0; status == 0 && first < g->n_rows[family];) {
        int64_t n = least(slab.n_rows, g->n_rows[family] - first);
        status = slab_write(&slab, first, n, err);
        report(g, &slab);
        first += n;
    }
out:
    h5_close(&slab.transfer, H5Pclose);
    for (int k = 0; slab.datasets && k < slab.n_fields; k++)
        h5_close(&slab.datasets[k], H5Dclose);
    memory_rewind(g->memory, &mark);
    return status;
}

/* What is still open besides the file is a handle that someone forgot, and its data may
 * not be in the file. */
static int finish(struct gather *g, hid_t *file, int status, struct error *err)
{
    if (!syncer_end(g->syncer) && status == 0)
        status = slab_not_synced(err);
    g->syncer = NULL;
    status = comm_agree(g->comm, status, err); /* to flush is collective */
    if (status == 0 && H5Fflush(*file, H5F_SCOPE_GLOBAL) < 0)
        status = h5_error(err, ERROR_IO, "flushing the result");
    if (status == 0 && H5Fget_obj_count(*file, H5F_OBJ_ALL) != 1)
        status = error_set(err, ERROR_INTERNAL, "the result has open handles");
    if (h5_close(file, H5Fclose) < 0 && status == 0)
        status = h5_error(err, ERROR_IO, "closing the result");
    return comm_agree(g->comm, status, err);
}

int gather_slabs(struct gather *gather, const char *path, struct error *err)
{
    int64_t n_bytes = 0;
    int fd = -1;
    hid_t file = H5I_INVALID_HID, access = comm_file_access(gather->comm);
    int status = access < 0 ? h5_error(err, ERROR_IO, "access list") : 0;
    if (comm_agree(gather->comm, status, err) < 0
        || choose_bytes(gather, &n_bytes, err) < 0) {
        h5_close(&access, H5Pclose);
        return -1;
    }
    file = H5Fopen(path, H5F_ACC_RDWR, access);
    h5_close(&access, H5Pclose);
    if (file < 0)
        status = h5_error(err, ERROR_IO, "%s cannot be opened", path);
    status = comm_agree(gather->comm, status, err);
    if (status == 0 && comm_rank(gather->comm) == 0)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        gather->syncer = syncer_start(fd, SYNC_BYTES);

    for (int k = 0; k < gather->table.n; k++) {
        const struct field *field = &gather->table.fields[k];
        gather->bytes_in_all +=
            (double)gather->n_rows[field->family] * (double)field_row_bytes(field);
    }
    for (int family = 0; status == 0 && family < N_FAMILIES; family++)
        if (gather->n_rows[family] > 0)
            status = write_family(gather, file, (enum family)family, n_bytes, err);
    status = finish(gather, &file, status, err);
    if (fd >= 0)
        close(fd);
    return status;
}
