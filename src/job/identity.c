/* What decides the result of a job, as lines that two jobs can be compared by. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/job/job.h"

#include "entries.h"
#include "keys.h"

/* The way to the source, and how it is read, are left out: a connection may hold a secret,
 * and the same data can be reached in several ways. The source says itself which one it
 * is. */
static bool decides(const char *section, const char *key)
{
    if (strcmp(section, "job") == 0 || strcmp(section, "limits") == 0)
        return false;
    if (strcmp(section, "statistics") == 0)
        return true;
    return strcmp(key, "connection") != 0 && strcmp(key, "path") != 0
           && strcmp(key, "fetch") != 0;
}

static void put_entry(FILE *out, const struct entry *entry)
{
    if (!decides(entry->section, entry->key))
        return;
    const char *const parts[] = { "[", entry->section, "] ", entry->key, " = " };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        fputs(parts[i], out);
    for (const char *at = entry->value; *at; at++)
        fputc(*at == '\n' ? ' ' : *at, out); /* one line each */
    fputc('\n', out);
}

char *entries_identity(const struct entries *entries)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        return NULL;
    for (int s = 0; keys_section(s); s++) {
        for (int k = 0; keys_key(s, k); k++) {
            const struct entry *entry =
                entries_find(entries, keys_section(s), keys_key(s, k));
            if (entry)
                put_entry(out, entry);
        }
        for (int i = 0; !keys_key(s, 0) && i < entries->n; i++)
            if (strcmp(entries->list[i].section, keys_section(s)) == 0)
                put_entry(out, &entries->list[i]);
    }
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}

struct line {
    const char *text;
    int n, n_key; /* n_key up to and with " = " */
};

static bool next_line(const char **at, struct line *line)
{
    if (!**at)
        return false;
    const char *equals = strstr(*at, " = ");
    line->text = *at;
    line->n = (int)strcspn(*at, "\n");
    line->n_key = equals && equals < *at + line->n ? (int)(equals - *at) + 3 : line->n;
    *at += line->n + ((*at)[line->n] == '\n');
    return true;
}

static bool find_key(const char *text, const struct line *wanted, struct line *found)
{
    while (next_line(&text, found))
        if (found->n_key == wanted->n_key
            && memcmp(found->text, wanted->text, (size_t)wanted->n_key) == 0)
            return true;
    return false;
}

/* A line of `a` that `b` has not, or has otherwise. */
static bool
first_other(const char *a, const char *b, struct line *in_a, struct line *in_b)
{
    while (next_line(&a, in_a)) {
        *in_b = (struct line){ 0 };
        struct line found;
        if (!find_key(b, in_a, &found))
            return true;
        *in_b = found;
        if (found.n != in_a->n || memcmp(found.text, in_a->text, (size_t)found.n) != 0)
            return true;
    }
    return false;
}

static void
tell(const struct line *then, const struct line *now, char *text, int n_text)
{
    const struct line *either = then->text ? then : now;
    char was[80] = "not given", is[80] = "not given";
    enum { MOST = 64 };
    for (int i = 0; i < 2; i++) {
        const struct line *line = i ? now : then;
        int n = line->n - line->n_key;
        if (line->text)
            snprintf(i ? is : was,
                     sizeof was,
                     "'%.*s%s'",
                     n < MOST ? n : MOST,
                     line->text + line->n_key,
                     n > MOST ? "..." : "");
    }
    snprintf(text,
             (size_t)n_text,
             "%.*s was %s, now it is %s",
             either->n_key > 3 ? either->n_key - 3 : either->n_key,
             either->text,
             was,
             is);
}

bool job_identity_differs(const char *then, const char *now, char *text, int n_text)
{
    struct line in_then = { 0 }, in_now = { 0 };
    if (strcmp(then, now) == 0)
        return false;
    if (first_other(then, now, &in_then, &in_now)
        || first_other(now, then, &in_now, &in_then))
        tell(&in_then, &in_now, text, n_text);
    else
        snprintf(text, (size_t)n_text, "the order of [statistics] is another one");
    return true;
}
