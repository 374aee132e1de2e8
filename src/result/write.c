#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rooftally/base/partial.h"
#include "rooftally/h5/h5.h"

#include "gather.h"
#include "output.h"

/* Names that /selection uses itself. */
static const char *const taken[] = { "offset", "building", "zone_bound" };

static bool is_taken(const struct binding *binding, int keep)
{
    const char *name = field_keep_name(binding, keep);
    if (binding->keep[keep] >= 0 && strcmp(name, "id") == 0)
        return true; /* the building's, kept or not */
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i]) == 0)
            return true;
    for (int i = 0; i < keep; i++)
        if (binding->keep[i] != binding->keep[keep]
            && strcmp(name, field_keep_name(binding, i)) == 0)
            return true;
    return false;
}

/* As netCDF names things, so that its readers take the file. The names of a job are UTF-8
 * and far shorter than the 256 bytes there may be. */
static bool is_dataset_name(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f || name[i] == '/')
            return false;
    return n > 0 && name[0] != ' ' && name[n - 1] != ' ' && strcmp(name, ".") != 0;
}

int result_check_keep(const struct binding *binding, struct error *err)
{
    for (int i = 0; i < binding->n_keep; i++) {
        const char *name = field_keep_name(binding, i);
        if (is_taken(binding, i))
            return error_set(err,
                             ERROR_USAGE,
                             "[buildings] keep: the result uses the name '%s' itself: "
                             "give the field another one",
                             name);
        if (!is_dataset_name(name))
            return error_set(err,
                             ERROR_USAGE,
                             "[buildings] keep: '%s' cannot be the name of a dataset: "
                             "give the field another one",
                             name);
    }
    return 0;
}

/* The partial file's name, chosen by rank 0, on every rank (heap). */
static int share_partial(struct gather *g, char **partial, struct error *err)
{
    char *name = NULL;
    int64_t n = 0;
    int status = 0;
    if (comm_rank(g->comm) == 0) {
        output_clear(g->input->path);
        name = partial_name(g->input->path);
        n = name ? (int64_t)strlen(name) + 1 : 0;
    }
    if (comm_max(g->comm, &n, 1, err) < 0)
        goto fail;
    if (comm_rank(g->comm) > 0)
        name = calloc((size_t)n + 1, 1);
    if (!name || n == 0)
        status = error_set(err, ERROR_BUDGET, "no memory for a file name");
    if (comm_agree(g->comm, status, err) < 0
        || comm_broadcast(g->comm, name, n, err) < 0)
        goto fail;
    *partial = name;
    return 0;
fail:
    free(name);
    return -1;
}

/* The last word in the file: without it, it is a torso. By rank 0 alone, so that no
 * metadata is written in parallel. */
static int finish_file(const char *partial, bool is_consistent, struct error *err)
{
    hid_t file = H5Fopen(partial, H5F_ACC_RDWR, H5P_DEFAULT);
    int status = file < 0 ? h5_error(err, ERROR_IO, "%s cannot be opened", partial)
                          : h5_put_integer(file, "consistent", is_consistent, err);
    if (h5_close(&file, H5Fclose) < 0 && status == 0)
        status = h5_error(err, ERROR_IO, "%s cannot be written", partial);
    return status;
}

static int write_all(struct gather *g, const char *partial, struct error *err)
{
    int status = 0;
    if (gather_survey(g, err) < 0 || gather_layout(g, partial, err) < 0)
        return -1;
    if (comm_rank(g->comm) == 0)
        status = output_reserve(partial, err);
    if (comm_agree(g->comm, status, err) < 0 || gather_slabs(g, partial, err) < 0)
        return -1;
    if (comm_rank(g->comm) == 0) {
        status = finish_file(partial, g->is_consistent, err);
        if (status == 0)
            status = output_commit(partial, g->input->path, g->input->force, err);
    }
    return comm_agree(g->comm, status, err);
}

int result_write(struct comm *comm,
                 const struct result_input *input,
                 struct spool *spool,
                 struct memory *memory,
                 struct error *err)
{
    struct error own = { 0 }; /* agreement needs one */
    struct gather gather = {
        .comm = comm, .input = input, .spool = spool, .memory = memory
    };
    struct memory_mark mark = memory_mark(memory);
    char *partial = NULL;
    h5_silence();
    int status = comm_agree(comm, result_check_keep(input->binding, &own), &own);
    if (status == 0)
        status = share_partial(&gather, &partial, &own);
    if (status == 0) {
        status = write_all(&gather, partial, &own);
        if (status < 0 && comm_rank(comm) == 0)
            unlink(partial);
    }
    free(partial);
    memory_rewind(memory, &mark);
    if (status < 0 && err)
        *err = own;
    return status;
}
