#include "rooftally/h5/h5.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* After a close that failed (disk full), HDF5 would crash while it cleans up at exit. */
void h5_silence(void)
{
    static bool is_told;
    if (!is_told)
        H5dont_atexit();
    is_told = true;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

const char *h5_version(void)
{
    static char text[32];
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
    return text;
}

enum { DESCRIPTION_BYTES = 160 };

/* "file write failed: time = ..., filename = '...', errno = 28, error message = 'No space
 * left on device', buf = ...": what failed, and the system's reason, which lies beyond a
 * long path. */
static void shorten(const char *description, char *text)
{
    static const char before[] = "error message = '";
    const char *why = strstr(description, before);
    int n_what = (int)strcspn(description, ":");
    if (!why) {
        snprintf(text, DESCRIPTION_BYTES, "%s", description);
        return;
    }
    why += sizeof before - 1;
    snprintf(text,
             DESCRIPTION_BYTES,
             "%.*s: %.*s",
             n_what,
             description,
             (int)strcspn(why, "'"),
             why);
}

static herr_t keep_description(unsigned n, const H5E_error2_t *entry, void *context)
{
    (void)n;
    if (entry->desc && *entry->desc) {
        shorten(entry->desc, context);
        return 1; /* the first that is met lies deepest */
    }
    return 0;
}

int h5_error(struct error *err, enum error_code code, const char *fmt, ...)
{
    char text[ERROR_TEXT_BYTES], innermost[DESCRIPTION_BYTES] = "";
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_description, innermost);
    H5Eclear2(H5E_DEFAULT);
    return error_set(err, code, "%s%s%s", text, *innermost ? ": " : "", innermost);
}

herr_t h5_close(hid_t *handle, herr_t (*close)(hid_t))
{
    herr_t status = *handle >= 0 ? close(*handle) : 0;
    *handle = H5I_INVALID_HID;
    return status;
}

bool h5_has(hid_t parent, const char *name)
{
    return H5Lexists(parent, name, H5P_DEFAULT) > 0;
}
