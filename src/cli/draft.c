#include "draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rooftally/base/file.h"
#include "rooftally/base/partial.h"
#include "rooftally/result/result.h"
#include "rooftally/source/store.h"

static int failed(const char *path, const char *what, struct error *err)
{
    return error_set(err,
                     ERROR_IO,
                     "%s cannot be %s: %s",
                     path,
                     what,
                     file_reason(errno));
}

/* A file that is written: without a name where the file system can do that, so that
 * nothing is left of it when the process is killed; else under another one. */
struct draft_file {
    char *partial;
    bool has_name;
    FILE *out;
};

static int open_nameless(const char *path)
{
    char *folder = file_folder(path);
    int fd = folder ? open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666) : -1;
    free(folder);
    return fd;
}

static int open_file(struct draft_file *file, const char *path, struct error *err)
{
    *file = (struct draft_file){ .out = NULL };
    file->partial = partial_name(path);
    if (!file->partial)
        return error_set(err, ERROR_BUDGET, "no memory for a file name");
    if (!file_name_fits(file->partial, "")) {
        error_set(err,
                  ERROR_USAGE,
                  "output %s: the name is too long, for there has to be a file "
                  "beside it that ends in %s: choose a shorter one",
                  path,
                  file->partial + strlen(path));
        free(file->partial);
        return -1;
    }
    partial_clear(path);
    int fd = open_nameless(path);
    file->has_name = fd < 0;
    if (fd < 0)
        fd = open(file->partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    file->out = fd < 0 ? NULL : fdopen(fd, "w");
    if (file->out)
        return 0;
    failed(file->partial, "made", err);
    free(file->partial);
    return -1;
}

static int refuse_itself(const struct draft *draft, struct error *err)
{
    if (file_is_same(draft->output, draft->result))
        return error_set(err,
                         ERROR_USAGE,
                         "%s: -o %s is the result itself",
                         draft->command,
                         draft->output);
    return 0;
}

static int write_to(const struct draft *draft, FILE *out, struct error *err)
{
    if (draft->write(draft->context, out, err) == 0)
        return 0;
    if (!ferror(out)) { /* it is the result that is of no use */
        if (err->code == ERROR_FORMAT || err->code == ERROR_IO)
            err->code = ERROR_USAGE;
        return -1;
    }
    return error_set(err,
                     ERROR_IO,
                     "%s %s",
                     draft->output ? draft->output : "standard output",
                     err->text);
}

/* All of it or nothing: it gets its name once it is whole and on disk. */
static int write_file(const struct draft *draft, struct error *err)
{
    struct draft_file file;
    if (refuse_itself(draft, err) < 0
        || result_check(draft->output, draft->force, err) < 0
        || open_file(&file, draft->output, err) < 0)
        return -1;
    int status = write_to(draft, file.out, err);
    if (status == 0 && (fflush(file.out) != 0 || fsync(fileno(file.out)) < 0))
        status = failed(draft->output, "put on disk", err);
    if (status == 0)
        status = file_publish(file.has_name ? -1 : fileno(file.out),
                              file.partial,
                              draft->output,
                              draft->force,
                              err);
    fclose(file.out);
    if (file.has_name)
        unlink(file.partial); /* or nothing, where it has been given its own */
    free(file.partial);
    return status;
}

int draft_write(const struct draft *draft, struct error *err)
{
    if (store_is_one(draft->result))
        return error_set(err,
                         ERROR_USAGE,
                         "%s: %s is a store, not a result: run a job on it, and "
                         "%s what that writes",
                         draft->command,
                         draft->result,
                         draft->command);
    return draft->output ? write_file(draft, err) : write_to(draft, stdout, err);
}
