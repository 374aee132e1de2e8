#include "names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rooftally/base/nearest.h"
#include "rooftally/job/spelling.h"

#include "node.h"

static const char *const measure_names[N_MEASURES] = { "area_m2",
                                                       "perimeter_m",
                                                       "vertices" };

int names_count(const struct names *names)
{
    return names->n_fields + names->n_columns + N_MEASURES;
}

int names_of_measure(const struct names *names, enum measure measure)
{
    return names->n_fields + names->n_columns + (int)measure - MEASURE_AREA_M2;
}

int names_prefix(const struct names *names,
                 const char *key,
                 int line,
                 struct error *err)
{
    if (line == 0)
        return error_prefix(err, "--set %s.%s", names->section, key);
    return error_prefix(err, "%s:%d: [%s] %s", names->path, line, names->section, key);
}

/* The number of the one called `name` in [first, end), or -1. */
static int find_in(const struct names *names, const char *name, int first, int end)
{
    for (int i = first; i < end; i++)
        if (strcmp(names->list[i].name, name) == 0)
            return i;
    return -1;
}

static int find_column(const struct names *names, const char *name)
{
    return find_in(names, name, names->n_fields, names->n_fields + names->n_columns);
}

/* Zones have an area and no other measure. */
static int find_measure(const struct names *names, const char *name)
{
    int first = names->n_fields + names->n_columns;
    int n = strcmp(names->section, "zones") == 0 ? 1 : N_MEASURES;
    return find_in(names, name, first, first + n);
}

/* Whether an expression means another name by it unless it is quoted. */
static bool needs_quotes(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0';
}

static int unknown(const struct names *names,
                   const char *name,
                   bool in_expression,
                   struct error *err)
{
    int n = names_count(names), n_words = 0;
    const char **words = calloc((size_t)n + 1, sizeof *words);
    if (!words)
        return error_set(err, ERROR_BUDGET, "no memory for the job");
    for (int i = 0; i < n; i++) {
        bool column = i >= names->n_fields && i < names->n_fields + names->n_columns;
        if (in_expression ? i >= names->n_ready && i < names->n_fields : column)
            continue;
        if (!column && i >= names->n_fields
            && find_measure(names, names->list[i].name) != i)
            continue;
        words[n_words++] = names->list[i].name;
    }
    if (!in_expression)
        words[n_words++] = names->id;
    const char *nearest = nearest_word(name, words, n_words);
    if (nearest && strcasecmp(nearest, name) == 0 && needs_quotes(nearest))
        error_set(err,
                  ERROR_USAGE,
                  "unknown name '%s': write \"%s\", in double quotes",
                  name,
                  nearest);
    else if (nearest)
        error_set(err,
                  ERROR_USAGE,
                  "unknown name '%s': did you mean '%s'?",
                  name,
                  nearest);
    else
        error_set(err, ERROR_USAGE, "unknown name '%s'", name);
    free(words);
    return -1;
}

static int
check_usable(const struct names *names, const struct name *name, struct error *err)
{
    if (!name->column || name->column->type != TYPE_NULL)
        return 0;
    const char *type = name->column->type_name ? name->column->type_name : "unknown";
    if (!*type)
        return error_set(err,
                         ERROR_USAGE,
                         "no permission to select column '%s'",
                         name->name);
    return error_set(err,
                     ERROR_USAGE,
                     "column '%s' is of type %s, which no expression can use%s",
                     name->name,
                     type,
                     names->speaks_sql ? ": a view can cast it" : "");
}

static void offer(struct spelling_match *match,
                  const struct spelling *spelling,
                  const struct names *names,
                  int first,
                  int end)
{
    for (int i = first; i < end; i++)
        spelling_offer(match, spelling, names->list[i].name, i);
}

/* A computed column, which is none in the table that a store was staged from, takes no
 * name from a column that is one, but for its own, exactly, where the job does not
 * define that anew. */
static void offer_columns(struct spelling_match *match,
                          const struct spelling *spelling,
                          const struct names *names)
{
    int first = names->n_fields, end = first + names->n_columns;
    offer(match, spelling, names, first, end - names->n_computed);
    for (int i = end - names->n_computed; i < end; i++)
        if (!names->list[i].redefined
            && strcmp(spelling->name, names->list[i].name) == 0)
            spelling_offer(match, spelling, names->list[i].name, i);
}

/* Zones have an area and no other measure. One in capitals is first looked for among
 * what is spelled so. */
static void offer_columns_and_measures(struct spelling_match *match,
                                       const struct spelling *spelling,
                                       const struct names *names)
{
    int first = names->n_fields + names->n_columns;
    int n = strcmp(names->section, "zones") == 0 ? 1 : N_MEASURES;
    offer_columns(match, spelling, names);
    for (int i = first; i < first + n; i++)
        if (match->rank < SPELLED_AS_TYPED
            || strcmp(spelling->name, names->list[i].name) == 0)
            spelling_offer(match, spelling, names->list[i].name, i);
    if (!match->rank)
        offer(match, spelling, names, names->n_fields, first);
}

/* Outside of expressions a column is known by its field alone; the id needs none. */
static int find_field(const struct names *names,
                      const struct spelling *spelling,
                      struct spelling_match *match,
                      struct error *err)
{
    int id = find_column(names, names->id);
    if (id >= 0)
        offer(match, spelling, names, id, id + 1);
    struct spelling_match other = *match;
    offer_columns_and_measures(&other, spelling, names);
    if (other.rank && names->list[other.number].measure)
        *match = other;
    if (match->rank >= other.rank) /* what SQL means by it goes first, as in `where` */
        return 0;
    if (spelling_settle(&other, spelling, err)
        || check_usable(names, &names->list[other.number], err))
        return -1;
    return error_set(err,
                     ERROR_USAGE,
                     "'%s' is a column but no field: add it to [%s] fields",
                     other.name,
                     names->section);
}

int names_find(const struct names *names,
               const char *written,
               bool in_expression,
               int *number,
               struct error *err)
{
    struct spelling spelling;
    struct spelling_match match = { 0 };
    if (spelling_read(&spelling, written, err))
        return -1;
    offer(&match, &spelling, names, 0, names->n_ready);
    if (in_expression)
        offer_columns_and_measures(&match, &spelling, names);
    else if (find_field(names, &spelling, &match, err))
        return -1;
    if (!match.rank)
        return unknown(names, spelling.name, in_expression, err);
    if (spelling_settle(&match, &spelling, err)
        || check_usable(names, &names->list[match.number], err))
        return -1;
    *number = match.number;
    return 0;
}

/* For expression_check. */
static int look_up(void *context,
                   const char *name,
                   struct name_binding *binding,
                   struct error *err)
{
    struct names *names = context;
    int number;
    if (names_find(names, name, true, &number, err))
        return -1;
    const struct name *found = &names->list[number];
    names->list[found->column_number].mentioned = true;
    binding->type = found->type;
    binding->sql = found->sql;
    binding->slot = found->definition ? number : found->column_number;
    binding->definition = found->definition;
    return 0;
}

static int define(struct names *names, const struct job_field *field, struct error *err)
{
    struct name *name = &names->list[names->n_ready];
    struct error own;
    if (expression_copy(&name->definition, field->definition, err))
        return -1;
    if (expression_check(name->definition, look_up, names, &name->type, &own)) {
        error_set(err, own.code, "'%s': %s", field->name, own.text);
        return -1;
    }
    if (name->type == TYPE_NULL)
        return error_set(err,
                         ERROR_USAGE,
                         "'%s' is always null, of no type: compute it from a "
                         "column, or leave it out",
                         field->name);
    if (names->speaks_sql && expression_is_sql(name->definition))
        return expression_sql(name->definition, &name->sql, err);
    return 0;
}

/* Make the next field ready. */
static int
add_field(struct names *names, const struct job_field *field, struct error *err)
{
    struct name *name = &names->list[names->n_ready];
    name->name = field->name;
    name->column_number = names->n_ready;
    if (field->definition) {
        if (define(names, field, err))
            return -1;
    } else {
        struct spelling spelling;
        struct spelling_match match = { 0 };
        if (spelling_read(&spelling, field->written, err))
            return -1;
        offer_columns_and_measures(&match, &spelling, names);
        if (!match.rank)
            return unknown(names, spelling.name, true, err);
        const struct name *found = &names->list[match.number];
        if (spelling_settle(&match, &spelling, err) || check_usable(names, found, err))
            return -1;
        name->name = found->name;
        name->type = found->type;
        name->column = found->column;
        name->column_number = match.number;
        name->measure = found->measure;
        if (found->sql && !(name->sql = strdup(found->sql)))
            return error_set(err, ERROR_BUDGET, "no memory for the job");
    }
    if (find_in(names, name->name, 0, names->n_ready) >= 0)
        return error_set(err, ERROR_USAGE, "'%s' is listed twice", name->name);
    names->n_ready++;
    return 0;
}

static bool is_defined(const struct job_field *fields, int n_fields, const char *name)
{
    for (int i = 0; i < n_fields; i++)
        if (fields[i].definition && strcmp(fields[i].name, name) == 0)
            return true;
    return false;
}

static int add_columns(struct names *names,
                       const struct job_field *fields,
                       const struct source_columns *columns,
                       struct error *err)
{
    for (int i = 0; i < names->n_columns; i++) {
        struct name *name = &names->list[names->n_fields + i];
        name->column = &columns->columns[i];
        name->name = name->column->name;
        name->type = name->column->type;
        name->column_number = names->n_fields + i;
        name->redefined = i >= names->n_columns - names->n_computed
                          && is_defined(fields, names->n_fields, name->name);
        names->speaks_sql |= name->column->sql != NULL;
        if (name->column->sql && !(name->sql = strdup(name->column->sql)))
            return error_set(err, ERROR_BUDGET, "no memory for the job");
    }
    return 0;
}

static void add_measures(struct names *names)
{
    for (int i = 0; i < N_MEASURES; i++) {
        enum measure measure = (enum measure)(MEASURE_AREA_M2 + i);
        int number = names_of_measure(names, measure);
        names->list[number] = (struct name){
            .name = measure_names[i],
            .type = measure == MEASURE_VERTICES ? TYPE_INTEGER : TYPE_REAL,
            .measure = measure,
            .column_number = number,
        };
    }
}

int names_new(struct names **names,
              const char *path,
              const char *section,
              const char *id,
              const struct job_field *fields,
              int n_fields,
              const struct source_columns *columns,
              struct error *err)
{
    struct names *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(err, ERROR_BUDGET, "no memory for the job");
    made->n_fields = n_fields;
    made->n_columns = columns->n;
    made->n_computed = columns->n_computed;
    made->path = path;
    made->section = section;
    made->id = id;
    size_t n = (size_t)names_count(made);
    made->list = calloc(n, sizeof *made->list);
    made->slots = calloc(n, sizeof *made->slots);
    if (!made->list || !made->slots) {
        error_set(err, ERROR_BUDGET, "no memory for the job");
        goto failed;
    }
    for (size_t i = 0; i < n; i++)
        made->slots[i] = -1;
    add_measures(made);
    if (add_columns(made, fields, columns, err))
        goto failed;
    for (int i = 0; i < n_fields; i++)
        if (add_field(made, &fields[i], err)) {
            names_prefix(made, "fields", fields[i].line, err);
            goto failed;
        }
    *names = made;
    return 0;
failed:
    names_free(made);
    return -1;
}

void names_free(struct names *names)
{
    if (!names)
        return;
    for (int i = 0; names->list && i < names_count(names); i++) {
        free(names->list[i].sql);
        expression_free(names->list[i].definition);
    }
    free(names->list);
    free(names->slots);
    free(names);
}

int names_check_where(struct names *names, struct expression *where, struct error *err)
{
    enum value_type type;
    if (expression_check(where, look_up, names, &type, err))
        return -1;
    if (type != TYPE_BOOLEAN)
        return error_set(err,
                         ERROR_USAGE,
                         "not a condition: compare it, as in 'height > 10'");
    return 0;
}
