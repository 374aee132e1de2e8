#include "rooftally/job/spelling.h"

#include <string.h>
#include <strings.h>

static int too_long(const char *written, struct error *err)
{
    return error_set(err,
                     ERROR_USAGE,
                     "'%.20s...': a name has at most 63 bytes",
                     written);
}

int spelling_read(struct spelling *spelling, const char *written, struct error *err)
{
    struct spelling read = { .quoted = *written == '"' };
    bool closed = false;
    size_t n = 0;
    const char *at = written + read.quoted;
    for (; *at; at++) {
        if (read.quoted && *at == '"' && *++at != '"') {
            closed = true;
            break;
        }
        if (n == NAME_BYTES - 1)
            return too_long(written, err);
        read.name[n++] = *at;
    }
    if (read.quoted && (!closed || n == 0 || *at))
        return error_set(err,
                         ERROR_USAGE,
                         "%.60s is not a name in double quotes",
                         written);
    *spelling = read;
    return 0;
}

static bool is_folded(const char *typed, const char *name)
{
    for (; *typed; typed++, name++) {
        char c = *typed;
        if (*name != (c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c))
            return false;
    }
    return *name == '\0';
}

int spelling_rank(const struct spelling *spelling, const char *name)
{
    bool same = strcmp(spelling->name, name) == 0;
    if (spelling->quoted)
        return same ? SPELLED_IN_SQL : SPELLED_OTHERWISE;
    return is_folded(spelling->name, name)         ? SPELLED_IN_SQL
           : same                                  ? SPELLED_AS_TYPED
           : strcasecmp(spelling->name, name) == 0 ? SPELLED_BUT_FOR_CASE
                                                   : SPELLED_OTHERWISE;
}

void spelling_offer(struct spelling_match *match,
                    const struct spelling *spelling,
                    const char *name,
                    int number)
{
    int rank = spelling_rank(spelling, name);
    if (rank > match->rank)
        *match =
            (struct spelling_match){ .rank = rank, .number = number, .name = name };
    else if (rank == SPELLED_BUT_FOR_CASE && rank == match->rank
             && strcmp(name, match->name) != 0)
        match->rival = name;
}

int spelling_settle(const struct spelling_match *match,
                    const struct spelling *spelling,
                    struct error *err)
{
    if (!match->rival)
        return 0;
    return error_set(err,
                     ERROR_USAGE,
                     "'%s' may be '%s' or '%s': write the one that is meant, in double "
                     "quotes",
                     spelling->name,
                     match->name,
                     match->rival);
}

int spelling_column(const struct source_columns *columns,
                    const char *written,
                    const struct source_column **column,
                    struct error *err)
{
    struct spelling spelling;
    struct spelling_match match = { 0 };
    if (spelling_read(&spelling, written, err))
        return -1;
    int n_own = columns->n - columns->n_computed;
    for (int i = 0; i < columns->n && (i < n_own || !match.rank); i++)
        spelling_offer(&match, &spelling, columns->columns[i].name, i);
    if (spelling_settle(&match, &spelling, err))
        return -1;
    *column = match.rank ? &columns->columns[match.number] : NULL;
    return 0;
}
