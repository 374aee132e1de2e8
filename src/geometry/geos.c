#include "geos.h"

#include <stdlib.h>
#include <string.h>

#include "rooftally/base/log.h"

void geos_clean(char out[REASON_BYTES], const char *text)
{
    size_t n = strnlen(text, 4 * REASON_BYTES);
    while (n > 0 && (uint8_t)text[n - 1] <= ' ')
        n--;
    log_clean(out, REASON_BYTES, text, (int)n);
}

static void hear(const char *message, void *user)
{
    struct geos *geos = user;
    geos_clean(geos->text, message);
}

/* Notices (where a self-intersection lies) say nothing that a reason does not. */
static void ignore(const char *message, void *user)
{
    (void)message, (void)user;
}

int geos_open(struct geos **geos, struct error *err)
{
    struct geos *made = calloc(1, sizeof *made);
    if (made)
        made->context = GEOS_init_r();
    if (made && made->context) {
        GEOSContext_setErrorMessageHandler_r(made->context, hear, made);
        GEOSContext_setNoticeMessageHandler_r(made->context, ignore, NULL);
        made->reader = GEOSWKBReader_create_r(made->context);
    }
    if (!made || !made->reader) {
        geos_close(made);
        return error_set(err, ERROR_GEOMETRY, "GEOS does not start: out of memory");
    }
    *geos = made;
    return 0;
}

void geos_close(struct geos *geos)
{
    if (!geos)
        return;
    if (geos->reader)
        GEOSWKBReader_destroy_r(geos->context, geos->reader);
    if (geos->context)
        GEOS_finish_r(geos->context);
    free(geos->scratch);
    free(geos);
}

const char *geos_version(void)
{
    return GEOSversion();
}

static int make_room(struct geos *geos, int64_t n_bytes)
{
    if (n_bytes <= geos->scratch_bytes)
        return 0;
    int64_t n = n_bytes < 4096 ? 4096 : n_bytes;
    uint8_t *grown = realloc(geos->scratch, (size_t)n);
    if (!grown) {
        geos_clean(geos->text, "out of memory");
        return -1;
    }
    geos->scratch = grown;
    geos->scratch_bytes = n;
    return 0;
}

GEOSGeometry *geos_read(struct geos *geos, const uint8_t *ewkb, int64_t n_bytes)
{
    struct error err;
    geos->text[0] = '\0';
    if (make_room(geos, n_bytes))
        return NULL;
    int64_t n = ewkb_flatten(ewkb, n_bytes, geos->scratch, geos->scratch_bytes, &err);
    if (n < 0) {
        geos_clean(geos->text, err.text);
        return NULL;
    }
    return GEOSWKBReader_read_r(geos->context, geos->reader, geos->scratch, (size_t)n);
}
