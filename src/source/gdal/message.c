#include <cpl_error.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rooftally/base/log.h"

#include "layer.h"

static char failure[160]; /* the first since they were forgotten; "": none */

static void CPL_STDCALL take(CPLErr level, CPLErrorNum number, const char *text)
{
    (void)number;
    if (level >= CE_Failure && !*failure)
        log_clean(failure, sizeof failure, *text ? text : "?", (int)strlen(text));
}

void gdal_listen(void)
{
    CPLSetErrorHandler(take);
}

void gdal_forget(void)
{
    failure[0] = '\0';
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
