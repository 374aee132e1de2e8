#include "field.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "rooftally/h5/h5.h"

#define RECORD(name) offsetof(struct zone_record, name)
#define INTEGER .type = TYPE_INTEGER, .width = 1
#define REAL .type = TYPE_REAL, .width = 1
#define TEXT .type = TYPE_TEXT, .width = 1
#define ZONES .group = "/zones", .family = FAMILY_ZONE
#define TELEMETRY .group = "/telemetry/zone", .family = FAMILY_ZONE
#define REJECTED .group = "/rejected", .family = FAMILY_REJECTED

/* What every result has; the statistics come before and the kept fields after. */
static const struct field always[] = {
    { ZONES,
      .name = "xmin",
      REAL,
      .origin = FROM_BOX,
      .member = RECORD(box.xmin),
      .long_name = "least x of the zone" },
    { ZONES,
      .name = "ymin",
      REAL,
      .origin = FROM_BOX,
      .member = RECORD(box.ymin),
      .long_name = "least y of the zone" },
    { ZONES,
      .name = "xmax",
      REAL,
      .origin = FROM_BOX,
      .member = RECORD(box.xmax),
      .long_name = "greatest x of the zone" },
    { ZONES,
      .name = "ymax",
      REAL,
      .origin = FROM_BOX,
      .member = RECORD(box.ymax),
      .long_name = "greatest y of the zone" },
    { ZONES,
      .name = "area_m2",
      REAL,
      .origin = FROM_REAL,
      .member = RECORD(area_m2),
      .units = "m2",
      .long_name = "area of the zone" },
    { ZONES,
      .name = "vertices",
      INTEGER,
      .origin = FROM_INTEGER,
      .member = RECORD(n_vertices),
      .units = "1",
      .long_name = "vertices of the zone" },
    { .group = "/zones",
      .name = "geometry",
      .width = 1,
      .origin = FROM_WKB,
      .family = FAMILY_BYTE,
      .long_name = "WKB of the zones, one after the other" },
    { TELEMETRY,
      .name = "rank",
      INTEGER,
      .origin = FROM_INT32,
      .member = RECORD(rank),
      .units = "1",
      .long_name = "rank that analysed the zone" },
    { TELEMETRY,
      .name = "attempt",
      INTEGER,
      .origin = FROM_INT32,
      .member = RECORD(attempt),
      .units = "1",
      .long_name =
          "attempt whose rank and start these are; /telemetry/rank is of the last" },
    { TELEMETRY,
      .name = "start",
      REAL,
      .origin = FROM_REAL,
      .member = RECORD(start_s),
      .units = "s",
      .long_name = "start of the zone, since the start of its attempt" },
    { TELEMETRY,
      .name = "seconds",
      REAL,
      .origin = FROM_REAL,
      .member = RECORD(wall_s),
      .units = "s",
      .long_name = "wall time of the zone" },
    { TELEMETRY,
      .name = "candidates",
      INTEGER,
      .origin = FROM_INTEGER,
      .member = RECORD(n_candidates),
      .units = "1",
      .long_name = "buildings whose bounding box meets the zone's: selected, outside, "
                   "filtered and rejected" },
    { TELEMETRY,
      .name = "decided",
      INTEGER,
      .origin = FROM_INTEGER,
      .member = RECORD(n_decided),
      .units = "1",
      .long_name = "candidates decided without GEOS" },
    { TELEMETRY,
      .name = "refined",
      INTEGER,
      .origin = FROM_INTEGER,
      .member = RECORD(n_refined),
      .units = "1",
      .long_name = "candidates decided by GEOS" },
    { TELEMETRY,
      .name = "selected",
      INTEGER,
      .origin = FROM_INTEGER,
      .member = RECORD(n_selected),
      .units = "1",
      .long_name = "candidates selected" },
    { TELEMETRY,
      .name = "outside",
      INTEGER,
      .origin = FROM_INTEGER,
      .member = RECORD(n_outside),
      .units = "1",
      .long_name = "candidates that do not satisfy the predicate" },
    { TELEMETRY,
      .name = "filtered",
      INTEGER,
      .origin = FROM_INTEGER,
      .member = RECORD(n_filtered),
      .units = "1",
      .long_name = "candidates that do not satisfy the filter" },
    { TELEMETRY,
      .name = "rejected",
      INTEGER,
      .origin = FROM_INTEGER,
      .member = RECORD(n_rejected),
      .units = "1",
      .long_name = "candidates that could not be decided" },
    { TELEMETRY,
      .name = "bytes",
      INTEGER,
      .origin = FROM_INTEGER,
      .member = RECORD(n_bytes),
      .units = "byte",
      .long_name = "bytes read from the source" },
    { TELEMETRY,
      .name = "retries",
      INTEGER,
      .origin = FROM_INT32,
      .member = RECORD(n_retries),
      .units = "1",
      .long_name = "attempts before the one that succeeded" },
    { TELEMETRY,
      .name = "snapshot",
      TEXT,
      .origin = FROM_SNAPSHOT,
      .long_name = "snapshot that the zone was read under" },
    { REJECTED,
      .name = "id",
      TEXT,
      .origin = FROM_REJECTED_ID,
      .long_name = "id of the rejected building" },
    { REJECTED,
      .name = "reason",
      TEXT,
      .origin = FROM_REASON,
      .long_name = "why it was rejected" },
};
enum { N_ALWAYS = sizeof always / sizeof *always };

static void
add_output(struct field_table *table, const struct result_input *input, int i)
{
    const struct output *output = statistics_output(input->statistics, i);
    struct field *field = &table->fields[table->n++];
    *field = (struct field){ .group = "/",
                             .family = FAMILY_ZONE,
                             .origin = FROM_OUTPUT,
                             .type = output->type,
                             .has_fill = output->type != TYPE_TEXT,
                             .index = i,
                             .width = output->width };
    const char *axis = output->name, *suffix = NULL;
    size_t n_axis = strlen(output->name);
    snprintf(field->name, sizeof field->name, "%s", output->name);
    snprintf(field->units, sizeof field->units, "%s", output->units);
    memcpy(field->long_name, output->long_name, sizeof field->long_name);
    if (!*field->units && output->type != TYPE_TEXT)
        snprintf(field->units, sizeof field->units, "1");
    if (output->form == OUTPUT_SCALAR)
        return;
    if (output->form == OUTPUT_CATEGORY) {
        field->origin = FROM_CATEGORY;
        field->type = TYPE_INTEGER;
        field->has_fill = true; /* as all; one without buildings counts 0 */
        field->categories = &table->categories[table->n_categories++];
        field->categories->output = output;
        suffix = "category";
    } else if (output->form == OUTPUT_BINS) {
        suffix = "bin";
    } else {
        suffix = "rank";
        /* "tallest_id" runs along the ranks of "tallest" */
        const struct output *before =
            i ? statistics_output(input->statistics, i - 1) : NULL;
        size_t n = before ? strlen(before->name) : 0;
        if (before && before->form == OUTPUT_RANKED && before->width == output->width
            && strncmp(output->name, before->name, n) == 0
            && strcmp(output->name + n, "_id") == 0)
            n_axis = n;
    }
    snprintf(field->axis, sizeof field->axis, "/%.*s_%s", (int)n_axis, axis, suffix);
}

const char *field_keep_name(const struct binding *binding, int keep)
{
    int slot = binding->keep[keep];
    return slot < 0 ? "id" : binding->slots[slot].name;
}

static bool is_kept_before(const struct binding *binding, int keep)
{
    for (int i = 0; i < keep; i++)
        if (binding->keep[i] == binding->keep[keep])
            return true;
    return false;
}

static const char *slot_units(const struct slot *slot)
{
    if (slot->type == TYPE_DATE)
        return "days since 1970-01-01";
    if (slot->type == TYPE_TIMESTAMP)
        return "microseconds since 1970-01-01 00:00:00";
    if (slot->type == TYPE_TEXT)
        return "";
    return slot->measure == MEASURE_AREA_M2       ? "m2"
           : slot->measure == MEASURE_PERIMETER_M ? "m"
                                                  : "1";
}

static void add_keep(struct field_table *table, const struct binding *binding, int keep)
{
    if (is_kept_before(binding, keep))
        return;
    struct field *field = &table->fields[table->n++];
    int slot = binding->keep[keep];
    enum value_type type = slot < 0 ? binding->id_type : binding->slots[slot].type;
    *field = (struct field){ .group = "/selection",
                             .family = FAMILY_BUILDING,
                             .origin = FROM_KEEP,
                             .index = keep,
                             .width = 1 };
    field->type = type == TYPE_REAL || type == TYPE_TEXT ? type : TYPE_INTEGER;
    field->has_fill = slot >= 0 && type != TYPE_TEXT;
    snprintf(field->name, sizeof field->name, "%s", field_keep_name(binding, keep));
    snprintf(field->units,
             sizeof field->units,
             "%s",
             slot < 0 ? "" : slot_units(&binding->slots[slot]));
    snprintf(field->long_name,
             sizeof field->long_name,
             slot < 0 ? "id of the selected building" : "%s of the selected building",
             field->name);
}

int field_table_init(struct field_table *table,
                     const struct result_input *input,
                     struct memory *memory,
                     struct error *err)
{
    int n_outputs = statistics_n_outputs(input->statistics), n_categories = 0;
    for (int i = 0; i < n_outputs; i++)
        n_categories +=
            statistics_output(input->statistics, i)->form == OUTPUT_CATEGORY;
    int n = n_outputs + N_ALWAYS + input->binding->n_keep;
    struct field_table t = { 0 };
    t.fields = memory_take(memory, MEMORY_GATHER, n * (int64_t)sizeof *t.fields, err);
    if (!t.fields)
        return -1;
    t.categories = memory_take(memory,
                               MEMORY_GATHER,
                               n_categories * (int64_t)sizeof *t.categories,
                               err);
    if (!t.categories)
        return -1;
    for (int i = 0; i < n_outputs; i++)
        add_output(&t, input, i);
    for (int i = 0; i < N_ALWAYS; i++) {
        t.fields[t.n] = always[i];
        if (always[i].origin == FROM_REJECTED_ID
            && input->binding->id_type == TYPE_INTEGER)
            t.fields[t.n].type = TYPE_INTEGER;
        t.n++;
    }
    for (int i = 0; i < input->binding->n_keep; i++)
        add_keep(&t, input->binding, i);
    *table = t;
    return 0;
}

int64_t field_value_bytes(const struct field *field)
{
    return field->origin == FROM_WKB  ? 1
           : field->type == TYPE_TEXT ? field->text_bytes
                                      : 8;
}

int64_t field_row_bytes(const struct field *field)
{
    return field->width * field_value_bytes(field);
}

hid_t field_type(const struct field *field)
{
    if (field->origin == FROM_WKB)
        return H5Tcopy(H5T_STD_U8LE);
    if (field->type == TYPE_TEXT)
        return h5_text_type(field->text_bytes);
    return H5Tcopy(field->type == TYPE_REAL ? H5T_IEEE_F64LE : H5T_STD_I64LE);
}
