#include "rooftally/job/binding.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rooftally/base/nearest.h"
#include "rooftally/job/spelling.h"

#include "names.h"
#include "node.h"

static int make_slot(struct binding *binding, int number, int *slot, struct error *err);

/* Make the slots that an expression reads, and let it read them. */
static int
bind_local(struct binding *binding, struct expression *expression, struct error *err)
{
    int n = names_count(binding->names);
    uint8_t *used = calloc((size_t)n, 1);
    if (!used)
        return error_set(err, ERROR_BUDGET, "no memory for the job");
    int status = 0, slot;
    expression_slots(expression, used, n);
    for (int i = 0; i < n && status == 0; i++)
        if (used[i])
            status = make_slot(binding, i, &slot, err);
    free(used);
    if (status == 0)
        expression_renumber(expression, binding->names->slots);
    return status;
}

/* A computed field: in the source's language where it can, or evaluated here. */
static int define_slot(struct binding *binding,
                       const struct name *name,
                       struct slot *slot,
                       struct error *err)
{
    slot->origin = name->sql ? SLOT_SOURCE : SLOT_LOCAL;
    if (name->sql)
        return 0;
    struct expression *copy;
    if (expression_copy(&copy, name->definition, err))
        return -1;
    if (bind_local(binding, copy, err)) {
        expression_free(copy);
        return -1;
    }
    slot->expression = copy;
    return 0;
}

static int fill_slot(struct binding *binding,
                     const struct name *name,
                     struct slot *slot,
                     struct error *err)
{
    *slot = (struct slot){ .type = name->type };
    strncpy(slot->name, name->name, NAME_BYTES - 1);
    if (name->measure) {
        slot->origin = SLOT_MEASURE;
        slot->measure = name->measure;
        return 0;
    }
    if (name->definition) {
        if (define_slot(binding, name, slot, err))
            return -1;
    } else {
        slot->origin = SLOT_SOURCE;
        slot->column = name->column->name;
    }
    if (name->sql && !(slot->sql = strdup(name->sql)))
        return error_set(err, ERROR_BUDGET, "no memory for the job");
    return 0;
}

static int make_slot(struct binding *binding, int number, int *slot, struct error *err)
{
    struct names *names = binding->names;
    if (!names->list[number].definition)
        number = names->list[number].column_number;
    if (names->slots[number] < 0) {
        struct slot made;
        if (fill_slot(binding, &names->list[number], &made, err))
            return -1;
        if (binding->n_slots == BINDING_MAX_SLOTS) {
            expression_free(made.expression);
            free(made.sql);
            return error_set(err,
                             ERROR_USAGE,
                             "the job uses more than %d columns of a table: name fewer "
                             "in fields, keep, where and [statistics]",
                             BINDING_MAX_SLOTS);
        }
        names->slots[number] = binding->n_slots;
        binding->slots[binding->n_slots++] = made;
    }
    *slot = names->slots[number];
    return 0;
}

/* A filter in its halves; what is not there is NULL. */
struct halves {
    char *sql;                /* where the source has a language */
    struct expression *first; /* where it has none */
    struct expression *rest;
};

/* Consumes `where`. */
static int split(const struct names *names,
                 struct expression *where,
                 struct halves *halves,
                 struct error *err)
{
    int n = names_count(names);
    uint8_t *measured = calloc((size_t)n, 1);
    if (!measured) {
        expression_free(where);
        return error_set(err, ERROR_BUDGET, "no memory for the job");
    }
    for (int i = 0; i < n; i++)
        measured[i] = names->list[i].measure != MEASURE_NONE;
    int status = expression_split(where,
                                  names->speaks_sql ? NULL : measured,
                                  &halves->first,
                                  &halves->rest,
                                  err);
    free(measured);
    if (status || !names->speaks_sql || !halves->first)
        return status;
    status = expression_sql(halves->first, &halves->sql, err);
    expression_free(halves->first);
    halves->first = NULL;
    return status;
}

/* Check a filter, its slots being numbers, and split it; of a source without a language only
 * if `splits`. */
static int split_where(struct names *names,
                       const struct expression *where,
                       bool splits,
                       struct halves *halves,
                       struct error *err)
{
    struct expression *copy = NULL;
    *halves = (struct halves){ .sql = NULL };
    if (expression_copy(&copy, where, err))
        return -1;
    if (names_check_where(names, copy, err)) {
        expression_free(copy);
        return -1;
    }
    if (splits || names->speaks_sql)
        return split(names, copy, halves, err);
    halves->rest = copy;
    return 0;
}

static void free_halves(struct halves *halves)
{
    free(halves->sql);
    expression_free(halves->first);
    expression_free(halves->rest);
}

static int bind_id(struct binding *binding, struct error *err)
{
    const struct source_columns *columns = binding->columns;
    const char *id = binding->job->building_id;
    const char **words = calloc((size_t)columns->n + 1, sizeof *words);
    if (!words)
        return error_set(err, ERROR_BUDGET, "no memory for the job");
    const struct source_column *found = NULL;
    for (int i = 0; i < columns->n; i++)
        words[i] = columns->columns[i].name;
    const char *nearest = nearest_word(id, words, columns->n);
    free(words);
    for (int i = 0; i < columns->n && binding->job->any_building_id; i++)
        if (strcmp(columns->columns[i].name, id) == 0) /* the source's own word */
            found = &columns->columns[i];
    if (!found && spelling_column(columns, id, &found, err))
        return error_prefix(err, "%s: [buildings] id", binding->job->path);
    if (found && (found->type == TYPE_INTEGER || found->type == TYPE_TEXT)) {
        binding->id_type = found->type;
        binding->id = found->name;
        return 0;
    }
    if (found)
        error_set(err,
                  ERROR_USAGE,
                  "column '%s' is of type %s: an id is an integer or a text",
                  found->name,
                  found->type_name ? found->type_name : "unknown");
    else
        error_set(err,
                  ERROR_USAGE,
                  nearest ? "no column '%s': did you mean '%s'?" : "no column '%s'",
                  id,
                  nearest);
    return error_prefix(err, "%s: [buildings] id", binding->job->path);
}

/* The slot of what `keep` names; -1 the id, by its column's name or as "id". */
static int
find_keep(struct binding *binding, const char *written, int *slot, struct error *err)
{
    struct spelling spelling;
    struct error own;
    int number;
    *slot = -1;
    if (binding->job->any_keep) /* the id alone, whatever fields are called */
        return 0;
    bool means_id = spelling_read(&spelling, written, NULL) == 0
                    && spelling_rank(&spelling, "id") == SPELLED_IN_SQL;
    if (names_find(binding->names, written, false, &number, &own) == 0) {
        const struct name *found = &binding->names->list[number];
        if ((found->column && strcmp(found->column->name, binding->id) == 0)
            || (means_id && strcmp(found->name, "id") != 0)) /* "ID", or "Id" */
            return 0;
        return make_slot(binding, number, slot, err);
    }
    if (means_id)
        return 0;
    return error_set(err, own.code, "%s", own.text);
}

static int bind_keep(struct binding *binding, struct error *err)
{
    const struct job *job = binding->job;
    if (job->n_keep > BINDING_MAX_SLOTS) {
        error_set(err, ERROR_USAGE, "more than %d names", BINDING_MAX_SLOTS);
        return names_prefix(binding->names, "keep", job->keep_line, err);
    }
    for (int i = 0; i < job->n_keep; i++) {
        int slot;
        if (find_keep(binding, job->keep[i], &slot, err))
            return names_prefix(binding->names, "keep", job->keep_line, err);
        binding->keep[binding->n_keep++] = slot;
    }
    return 0;
}

static int bind_where(struct binding *binding, struct error *err)
{
    const struct job *job = binding->job;
    struct halves halves;
    if (!job->where)
        return 0;
    int status = split_where(binding->names, job->where, true, &halves, err);
    binding->source_filter = halves.sql; /* binding_release frees them */
    binding->row_filter = halves.first;
    binding->local_filter = halves.rest;
    if (status == 0 && halves.first)
        status = bind_local(binding, halves.first, err);
    if (status == 0 && halves.rest)
        status = bind_local(binding, halves.rest, err);
    return status ? names_prefix(binding->names, "where", job->where_line, err) : 0;
}

int binding_init(struct binding *binding,
                 const struct job *job,
                 const struct source_columns *columns,
                 struct error *err)
{
    struct binding made = { .job = job, .columns = columns };
    if (bind_id(&made, err)
        || names_new(&made.names,
                     job->path,
                     "buildings",
                     made.id,
                     job->fields,
                     job->n_fields,
                     columns,
                     err)
        || bind_where(&made, err) || bind_keep(&made, err)) {
        binding_release(&made);
        return -1;
    }
    *binding = made;
    return 0;
}

void binding_release(struct binding *binding)
{
    for (int i = 0; i < binding->n_slots; i++) {
        free(binding->slots[i].sql);
        expression_free(binding->slots[i].expression);
    }
    free(binding->source_filter);
    expression_free(binding->row_filter);
    expression_free(binding->local_filter);
    names_free(binding->names);
    *binding = (struct binding){ 0 };
}

int binding_slot(struct binding *binding,
                 const char *name,
                 int line,
                 int *slot,
                 struct error *err)
{
    int number, found = -1;
    if (names_find(binding->names, name, false, &number, err)
        || make_slot(binding, number, &found, err)) {
        if (line > 0)
            error_prefix(err, "%s:%d", binding->job->path, line);
        return -1;
    }
    *slot = found;
    return 0;
}

int binding_measure(struct binding *binding,
                    enum measure measure,
                    int *slot,
                    struct error *err)
{
    return make_slot(binding, names_of_measure(binding->names, measure), slot, err);
}

/* Make slots of the fields that are computed here, from columns alone. */
static int
make_computed(struct binding *binding, uint8_t *used, int n, struct error *err)
{
    struct names *names = binding->names;
    int status = 0, slot;
    for (int i = 0; i < names->n_fields && status == 0; i++) {
        const struct name *name = &names->list[i];
        bool measured = false;
        if (!name->definition || name->sql)
            continue;
        memset(used, 0, (size_t)n);
        expression_slots(name->definition, used, n);
        for (int j = 0; j < n; j++)
            measured = measured || (used[j] && names->list[j].measure);
        if (!measured)
            status = make_slot(binding, i, &slot, err);
    }
    return status;
}

/* A column that hides a measure has to be in a store, or the measure would not be hidden there. */
static bool hides_measure(const struct names *names, int number)
{
    const struct name *column = &names->list[number];
    if (!column->column || column->definition || column->type == TYPE_NULL)
        return false;
    for (int measure = MEASURE_AREA_M2; measure <= MEASURE_VERTICES; measure++) {
        int other = names_of_measure(names, (enum measure)measure);
        if (strcasecmp(names->list[other].name, column->name) == 0)
            return true; /* as it is typed, it goes first */
    }
    return false;
}

int binding_everything(struct binding *binding, struct error *err)
{
    struct names *names = binding->names;
    int n = names_count(names), status = 0, slot;
    uint8_t *used = calloc((size_t)n, 1);
    if (!used)
        return error_set(err, ERROR_BUDGET, "no memory for the job");
    for (int i = 0; i < n && status == 0; i++) {
        const struct name *name = &names->list[i];
        if ((i < names->n_fields || name->mentioned) && !name->measure
            && (name->sql || name->column))
            status = make_slot(binding, i, &slot, err);
    }
    if (status == 0)
        status = make_computed(binding, used, n, err);
    free(used);
    for (int i = 0; i < n && status == 0 && binding->n_slots < BINDING_MAX_SLOTS; i++)
        if (hides_measure(names, i))
            status = make_slot(binding, i, &slot, err);
    return status;
}

static void
put_type(const char *what, const char *name, enum value_type type, FILE *out)
{
    const char *const parts[] = { "[buildings] type of ", what, name, " = ",
                                  value_type_word(type),  "\n" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        fputs(parts[i], out);
}

void binding_put_types(const struct binding *binding, FILE *out)
{
    const struct names *names = binding->names;
    put_type("the id ", binding->id, binding->id_type, out);
    for (int i = 0; i < names->n_columns; i++) {
        int number = names->n_fields + i;
        const struct name *column = &names->list[number];
        if (column->mentioned || names->slots[number] >= 0)
            put_type("", column->name, column->type, out);
    }
}

/* Only the area of a zone can be asked for where its rows are not; a source without a
 * language reads them here. */
static int check_zone_filter(const struct names *names,
                             const struct expression *local,
                             struct error *err)
{
    int n = names_count(names), status = 0;
    uint8_t *used = calloc((size_t)n, 1);
    if (!used)
        return error_set(err, ERROR_BUDGET, "no memory for the job");
    expression_slots(local, used, n);
    for (int i = 0; i < n && status == 0; i++)
        if (used[i] && i != names_of_measure(names, MEASURE_AREA_M2)
            && names->speaks_sql)
            status = error_set(err,
                               ERROR_USAGE,
                               "this source cannot filter zones by '%s'",
                               names->list[i].name);
    free(used);
    return status;
}

int binding_zones(const struct job *job,
                  const struct source_columns *columns,
                  char **source_filter,
                  struct expression **local,
                  struct error *err)
{
    struct names *names = NULL;
    struct halves halves = { .sql = NULL };
    int status = -1;
    if (names_new(&names,
                  job->path,
                  "zones",
                  job->zone_id,
                  job->zone_fields,
                  job->n_zone_fields,
                  columns,
                  err))
        return -1;
    if (job->zone_where
        && (split_where(names, job->zone_where, false, &halves, err)
            || (halves.rest && check_zone_filter(names, halves.rest, err)))) {
        names_prefix(names, "where", job->zone_where_line, err);
        goto out;
    }
    if (halves.rest) {
        names->slots[names_of_measure(names, MEASURE_AREA_M2)] = 0;
        for (int i = 0; i < names->n_columns; i++)
            names->slots[names->n_fields + i] = 1 + i;
        expression_renumber(halves.rest, names->slots);
    }
    *source_filter = halves.sql;
    *local = halves.rest;
    halves = (struct halves){ .sql = NULL };
    status = 0;
out:
    free_halves(&halves);
    names_free(names);
    return status;
}
