#include "rooftally/result/open.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/base/file.h"
#include "rooftally/result/result.h"

/* ERROR_FORMAT unless the file says that it is a whole result of this version. */
static int check(hid_t file, const char *path, int64_t *consistent, struct error *err)
{
    int64_t version = 0, whole = 0;
    char *format = h5_get_text(file, "rooftally_format", NULL);
    bool is_result = format && strcmp(format, "result") == 0;
    free(format);
    if (!is_result || h5_get_integer(file, "format_version", &version, NULL) < 0)
        return error_set(err, ERROR_FORMAT, "%s is not a result of rooftally", path);
    if (version != RESULT_FORMAT_VERSION)
        return error_set(err,
                         ERROR_FORMAT,
                         "%s: result of version %lld; this program reads version %d",
                         path,
                         (long long)version,
                         RESULT_FORMAT_VERSION);
    if (h5_get_integer(file, "consistent", &whole, NULL) < 0)
        return error_set(err, ERROR_FORMAT, "%s is not complete", path);
    if (consistent)
        *consistent = whole;
    return 0;
}

/* What is no file that can be read: HDF5 has many words for it, and waits for a pipe. */
static int check_file(const char *path, struct error *err)
{
    struct stat there;
    if (stat(path, &there) < 0 || access(path, R_OK) < 0)
        return error_set(err, ERROR_IO, "%s: %s", path, file_reason(errno));
    if (!S_ISREG(there.st_mode))
        return error_set(err, ERROR_IO, "%s is not a file", path);
    return 0;
}

bool result_is_one(const char *path)
{
    h5_silence();
    hid_t file = H5I_INVALID_HID;
    if (check_file(path, NULL) == 0) /* a pipe would wait for a writer */
        file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    char *format = file >= 0 ? h5_get_text(file, "rooftally_format", NULL) : NULL;
    bool is_result = format && strcmp(format, "result") == 0;
    free(format);
    h5_close(&file, H5Fclose);
    H5Eclear2(H5E_DEFAULT);
    return is_result;
}

hid_t result_open(const char *path, int64_t *consistent, struct error *err)
{
    h5_silence();
    if (check_file(path, err) < 0)
        return H5I_INVALID_HID;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        h5_error(err, ERROR_FORMAT, "%s is not a result of rooftally", path);
    else if (check(file, path, consistent, err) < 0)
        h5_close(&file, H5Fclose);
    return file;
}

struct statistics_walk {
    hid_t zone;
    h5_each_dataset_call *each;
    void *context;
};

static int look_at(void *context, hid_t dataset, const char *name, struct error *err)
{
    const struct statistics_walk *walk = context;
    if (!h5_is_attached(dataset, walk->zone))
        return 0;
    return walk->each(walk->context, dataset, name, err);
}

int result_each_statistic(hid_t file,
                          h5_each_dataset_call *each,
                          void *context,
                          struct error *err)
{
    struct statistics_walk walk = { H5Dopen2(file, "/zone", H5P_DEFAULT),
                                    each,
                                    context };
    if (walk.zone < 0)
        return h5_error(err, ERROR_FORMAT, "no /zone");
    int status = h5_each_dataset(file, "/", look_at, &walk, err);
    h5_close(&walk.zone, H5Dclose);
    return status;
}

char *result_provenance(const char *path, const char *attribute)
{
    char *value = NULL;
    hid_t group = H5I_INVALID_HID, file = result_open(path, NULL, NULL);
    if (file >= 0)
        group = H5Gopen2(file, "/provenance", H5P_DEFAULT);
    if (group >= 0)
        value = h5_get_text(group, attribute, NULL);
    h5_close(&group, H5Gclose);
    h5_close(&file, H5Fclose);
    H5Eclear2(H5E_DEFAULT);
    return value;
}

bool result_is_of(const char *path, const char *attribute, const char *wanted)
{
    char *value = result_provenance(path, attribute);
    bool is = value && strcmp(value, wanted) == 0;
    free(value);
    return is;
}
