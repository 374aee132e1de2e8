#include "category.h"

#include <math.h>
#include <string.h>

int categories_init(struct categories *categories,
                    const struct output *output,
                    int64_t n_bytes,
                    struct memory *memory,
                    struct error *err)
{
    struct categories c = { .output = output };
    int64_t n_text = output->type == TYPE_TEXT ? n_bytes / 2 : 0;
    c.capacity = (n_bytes - n_text) / (int64_t)sizeof *c.keys;
    c.bytes_capacity = n_text;
    c.keys =
        memory_take(memory, MEMORY_GATHER, c.capacity * (int64_t)sizeof *c.keys, err);
    c.bytes = c.keys ? memory_take(memory, MEMORY_GATHER, n_text, err) : NULL;
    if (!c.bytes)
        return -1;
    *categories = c;
    return 0;
}

static int compare_integers(const void *a, const void *b)
{
    int64_t left = ((const union key *)a)->integer,
            right = ((const union key *)b)->integer;
    return left < right ? -1 : left > right;
}

static int compare_reals(const void *a, const void *b)
{
    double left = ((const union key *)a)->real, right = ((const union key *)b)->real;
    if (isnan(left) || isnan(right))
        return !!isnan(left) - !!isnan(right);
    return left < right ? -1 : left > right;
}

static int compare_texts(const void *a, const void *b)
{
    return text_compare(&((const union key *)a)->text, &((const union key *)b)->text);
}

static int (*comparison(enum value_type type))(const void *, const void *)
{
    return type == TYPE_TEXT   ? compare_texts
           : type == TYPE_REAL ? compare_reals
                               : compare_integers;
}

/* One spelling for each value: of zero and of NaN there are several. */
static union key
key_at(enum value_type type, const struct output_values *values, int64_t i)
{
    union key key = { 0 };
    if (type == TYPE_TEXT)
        key.text = values->texts[i];
    else if (type == TYPE_REAL)
        key.real = isnan(values->reals[i]) ? NAN : values->reals[i] + 0.0;
    else
        key.integer = values->integers[i];
    return key;
}

/* First place whose key is not less than this one. */
static int64_t place(const struct categories *c, const union key *key)
{
    int (*compare)(const void *, const void *) = comparison(c->output->type);
    int64_t first = 0, end = c->n;
    while (first < end) {
        int64_t middle = first + (end - first) / 2;
        if (compare(&c->keys[middle], key) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

static bool is_at(const struct categories *c, int64_t at, const union key *key)
{
    return at < c->n && comparison(c->output->type)(&c->keys[at], key) == 0;
}

int64_t categories_find(const struct categories *categories,
                        const struct output_values *values,
                        int64_t i)
{
    union key key = key_at(categories->output->type, values, i);
    int64_t at = place(categories, &key);
    return is_at(categories, at, &key) ? at : -1;
}

static int no_room(const struct categories *c, struct error *err)
{
    char text[24];
    int64_t n_bytes = c->capacity * (int64_t)sizeof *c->keys + c->bytes_capacity;
    return error_set(err,
                     ERROR_BUDGET,
                     "%s: its categories need more than the %s there are for them, "
                     "after %lld: raise [limits] memory, or group the values",
                     c->output->name,
                     memory_size_text(text, n_bytes),
                     (long long)c->n);
}

/* Put a new key into its place: there are far more zones than categories, so nearly
 * every key is there already, and moving the others for a new one costs little. */
static int add(struct categories *c, union key key, struct error *err)
{
    int64_t at = place(c, &key);
    if (is_at(c, at, &key))
        return 0;
    if (c->n == c->capacity)
        return no_room(c, err);
    if (c->output->type == TYPE_TEXT) {
        if (key.text.n > c->bytes_capacity - c->n_bytes)
            return no_room(c, err);
        char *to = c->bytes + c->n_bytes;
        if (key.text.n > 0)
            memcpy(to, key.text.bytes, (size_t)key.text.n);
        c->n_bytes += key.text.n;
        key.text.bytes = to;
    }
    memmove(&c->keys[at + 1], &c->keys[at], (size_t)(c->n - at) * sizeof key);
    c->keys[at] = key;
    c->n++;
    return 0;
}

int categories_add(struct categories *categories,
                   const struct output_values *values,
                   struct error *err)
{
    for (int64_t i = 0; i < values->n; i++)
        if (add(categories, key_at(categories->output->type, values, i), err) < 0)
            return -1;
    return 0;
}

int64_t categories_longest(const struct categories *categories)
{
    int64_t longest = 0;
    for (int64_t i = 0; i < categories->n; i++)
        if (categories->output->type == TYPE_TEXT
            && categories->keys[i].text.n > longest)
            longest = categories->keys[i].text.n;
    return longest;
}

/* Keys as bytes between ranks: 8 a number, or the length and the text. */
static int pack(const struct categories *c,
                struct memory *memory,
                char **bytes,
                int64_t *n_bytes,
                struct error *err)
{
    bool is_text = c->output->type == TYPE_TEXT;
    int64_t n = 8 * c->n;
    for (int64_t i = 0; is_text && i < c->n; i++)
        n += c->keys[i].text.n;
    char *at = memory_take(memory, MEMORY_GATHER, n, err);
    if (!at)
        return -1;
    *bytes = at;
    *n_bytes = n;
    for (int64_t i = 0; i < c->n; i++) {
        memcpy(at, is_text ? (const void *)&c->keys[i].text.n : &c->keys[i], 8);
        at += 8;
        if (is_text && c->keys[i].text.n > 0) {
            memcpy(at, c->keys[i].text.bytes, (size_t)c->keys[i].text.n);
            at += c->keys[i].text.n;
        }
    }
    return 0;
}

static int
unpack(struct categories *c, const char *bytes, int64_t n_bytes, struct error *err)
{
    for (const char *at = bytes; at < bytes + n_bytes;) {
        union key key = { 0 };
        if (c->output->type == TYPE_TEXT) {
            memcpy(&key.text.n, at, 8);
            key.text.bytes = at + 8;
            at += key.text.n;
        } else {
            memcpy(&key, at, 8);
        }
        at += 8;
        if (add(c, key, err) < 0)
            return -1;
    }
    return 0;
}

static void forget(struct categories *c)
{
    c->n = c->n_bytes = 0;
}

int categories_merge(struct categories *categories,
                     struct comm *comm,
                     struct memory *memory,
                     struct error *err)
{
    struct memory_mark mark = memory_mark(memory);
    char *own = NULL, *all = NULL;
    int64_t n_own = 0, n_all = 0;
    int status = pack(categories, memory, &own, &n_own, err);
    int64_t *counts = memory_take(memory,
                                  MEMORY_GATHER,
                                  comm_size(comm) * (int64_t)sizeof *counts,
                                  err);
    int64_t capacity = comm_rank(comm) == 0 ? memory_free_bytes(memory) / 2 : 0;
    all = memory_take(memory, MEMORY_GATHER, capacity, err);
    if (comm_agree(comm, counts && all ? status : -1, err) < 0)
        goto out;
    status = comm_gather(comm, own, n_own, all, capacity, counts, err);
    if (status == 0 && comm_rank(comm) == 0) {
        for (int rank = 0; rank < comm_size(comm); rank++)
            n_all += counts[rank];
        forget(categories);
        status = unpack(categories, all, n_all, err);
    }
    if (status == 0 && comm_rank(comm) == 0)
        status = pack(categories, memory, &all, &n_all, err);
    if (comm_agree(comm, status, err) < 0 || comm_max(comm, &n_all, 1, err) < 0)
        goto out;
    if (comm_rank(comm) > 0) {
        all = memory_take(memory, MEMORY_GATHER, n_all, err);
        status = all ? 0 : -1;
    }
    if (comm_agree(comm, status, err) < 0 || comm_broadcast(comm, all, n_all, err) < 0)
        goto out;
    if (comm_rank(comm) > 0) {
        forget(categories);
        status = unpack(categories, all, n_all, err);
    }
    status = comm_agree(comm, status, err);
    memory_rewind(memory, &mark);
    return status;
out:
    memory_rewind(memory, &mark);
    return -1;
}
