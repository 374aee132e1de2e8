#include <stdio.h>

#include <libpq-fe.h>

#include "rooftally/source/source.h"

const char *source_library(void)
{
    static char text[32];
    int version = PQlibVersion(); /* 150018: major, then minor */
    snprintf(text, sizeof text, "%d.%d", version / 10000, version % 10000);
    return text;
}
