#include <cpl_error.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rooftally/base/log.h"

#include "layer.h"

/* The first since they were forgotten; "": none. */
static char failure[160], warning[160];
static int64_t n_warnings;

static void CPL_STDCALL take(CPLErr level, CPLErrorNum number, const char *text)
{
    (void)number;
    if (level >= CE_Failure && !*failure)
        log_clean(failure, sizeof failure, *text ? text : "?", (int)strlen(text));
    if (level != CE_Warning)
        return;
    if (n_warnings++ == 0)
        log_clean(warning, sizeof warning, *text ? text : "?", (int)strlen(text));
}

void gdal_listen(void)
{
    CPLSetErrorHandler(take);
}

void gdal_forget(void)
{
    failure[0] = '\0';
}

const char *gdal_warned(int64_t *n)
{
    static char told[sizeof warning];
    memcpy(told, warning, sizeof told);
    *n = n_warnings;
    n_warnings = 0;
    warning[0] = '\0';
    return told;
}

bool gdal_failed(void)
{
    return *failure;
}

int gdal_error(struct error *err, enum error_code code, const char *fmt, ...)
{
    char text[160];
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(text, sizeof text, fmt, arguments);
    va_end(arguments);
    error_set(err, code, "%s%s%s", text, *failure ? ": " : "", failure);
    gdal_forget();
    return -1;
}
