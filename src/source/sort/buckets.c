#include "buckets.h"

#include <stdlib.h>
#include <string.h>

#include "buckets_state.h"

enum {
    MOST_PIECE = 64 << 10, /* see RUN_PIECE */
    LEAST_PIECE = 4 << 10,
    FEW_BUCKETS = 128,     /* more are needed only if these are too large */
    LEAST_EXTENT = 16,     /* pieces: what a disk reads at once */
    MOST_EXTENT = 8 << 20, /* between two of which a stop is noticed */
    OF_PART = 8, /* of a part, the longest record: it fits where runs are sorted */
    LONG_ALIGN = 64,
    SLACK = 6 * 64, /* for what lies at multiples of 64 */
};

/* What one of n parts takes at the end, if it has room and no record needs more: as much
 * whether buckets are small or large, for all of it is resident. */
static int64_t most_of_part(int n)
{
    enum { ONE = 12 << 20, ALL = 24 << 20 };
    return ALL / n < ONE ? ALL / n : ONE;
}

static int64_t piece_room(int64_t n_bytes)
{
    enum { SHARE = 6, MOST = 32 << 20 };
    return n_bytes / SHARE < MOST ? n_bytes / SHARE : MOST;
}

static int64_t each_bytes(int64_t piece, int n_sums)
{
    return piece + (int64_t)(sizeof(struct filling) + sizeof(uint32_t)) + 8 * n_sums;
}

int buckets_number(int64_t n_bytes,
                   int64_t n_merge,
                   int n_parts,
                   int n_ranks,
                   double n_expected)
{
    enum { OF_RANGE = 8, SHARE = 3, MOST_SUMS = SUM_WEIGHTS + SORTER_MOST_WEIGHTS };
    const double unknown = 1 << 30;
    double expected = n_expected > 0 ? n_expected : unknown;
    double wanted =
        SHARE * expected / (double)buckets_parts_bytes(n_merge, n_parts) * n_parts;
    double for_ranges = (double)OF_RANGE * n_parts * n_ranks;
    int64_t n = 1;
    wanted = wanted > for_ranges ? wanted : for_ranges;
    wanted = wanted < BUCKETS_MOST ? wanted : BUCKETS_MOST;
    for (int64_t piece = MOST_PIECE; piece >= LEAST_PIECE; piece /= 2) {
        n = piece_room(n_bytes) / each_bytes(piece, MOST_SUMS);
        if (piece == MOST_PIECE && n > FEW_BUCKETS && wanted < FEW_BUCKETS)
            return FEW_BUCKETS;
        if ((double)n >= wanted)
            return (int)(piece == MOST_PIECE && n < FEW_BUCKETS ? n : (int64_t)wanted);
    }
    return n < 1 ? 1 : (int)n;
}

int64_t buckets_resident_bytes(int64_t n_bytes, int64_t n_keep)
{
    int64_t n = n_keep + piece_room(n_bytes) + SLACK;
    return n < n_bytes ? n : n_bytes;
}

int64_t buckets_parts_bytes(int64_t n_merge, int n_parts)
{
    int64_t n = n_parts * most_of_part(n_parts);
    return n < n_merge ? n : n_merge;
}

static void *carve(uint8_t **at, int64_t n_bytes)
{
    void *piece = *at;
    *at += (n_bytes + 63) & ~INT64_C(63);
    return piece;
}

/* The largest piece of which n have room. */
static int32_t fitting_piece(int64_t room, int n, int n_sums)
{
    int32_t piece = MOST_PIECE;
    while (piece > LEAST_PIECE && n * each_bytes(piece, n_sums) > room)
        piece /= 2;
    return piece;
}

/* Where everything lies in `bytes`, a long record behind all else: what is never touched is
 * not resident. False where there is too little. */
static bool lay_out(struct buckets *b,
                    int64_t n_bytes,
                    int64_t n_keep,
                    int64_t n_merge,
                    const uint32_t *keys)
{
    b->piece = fitting_piece(piece_room(n_bytes), b->n, b->n_sums);
    int64_t most =
        (n_bytes - b->n * each_bytes(b->piece, b->n_sums) - SLACK) & ~INT64_C(63);
    if (most < n_bytes / 2)
        return false;
    b->n_longest = n_merge / OF_PART < most / 2 ? n_merge / OF_PART : most / 2;
    int64_t n_long = b->n_longest + SORT_LENGTH_BYTES;
    b->n_keep = (n_keep < most - n_long ? n_keep : most - n_long) & ~INT64_C(63);
    uint8_t *at = b->bytes + b->n_keep;
    b->fillings = carve(&at, b->n * (int64_t)sizeof *b->fillings);
    b->sums = carve(&at, 8 * (int64_t)b->n * b->n_sums);
    b->keys = carve(&at, 4 * (int64_t)b->n);
    b->pieces = carve(&at, (int64_t)b->n * b->piece);
    b->long_room = at;
    memcpy(b->keys, keys, 4 * (size_t)b->n);
    memset(b->sums, 0, 8 * (size_t)b->n * (size_t)b->n_sums);
    for (int i = 0; i < b->n; i++)
        b->fillings[i] = (struct filling){ .bucket = { { -1, 0 }, { -1, 0 } } };
    return true;
}

int buckets_open(struct buckets **buckets,
                 struct scratch *scratch,
                 const struct sort_weights *weights,
                 const struct team *team,
                 uint8_t *bytes,
                 int64_t n_bytes,
                 int64_t n_keep,
                 int64_t n_merge,
                 const uint32_t *keys,
                 int n,
                 struct error *err)
{
    char needs[24];
    struct buckets *made = calloc(1, sizeof *made);
    if (made) {
        made->own_bytes = calloc((size_t)n, sizeof *made->own_bytes);
        made->own_records = calloc((size_t)n, sizeof *made->own_records);
        made->tables = calloc((size_t)team->size, sizeof *made->tables);
    }
    if (!made || !made->own_bytes || !made->own_records || !made->tables) {
        buckets_close(made);
        return error_set(err, ERROR_BUDGET, "no memory for sorting");
    }
    made->scratch = scratch;
    made->weights = weights;
    made->team = team;
    made->bytes = bytes;
    made->n = n;
    made->n_sums = SUM_WEIGHTS + weights->n_weights;
    if (n_bytes < SORTER_LEAST_BYTES
        || !lay_out(made, n_bytes & ~INT64_C(63), n_keep, n_merge, keys)) {
        buckets_close(made);
        return error_set(err,
                         ERROR_BUDGET,
                         "sorting needs %s at least: raise [limits] memory",
                         memory_size_text(needs, SORTER_LEAST_BYTES));
    }
    made->is_keeping = made->n_keep > 0;
    *buckets = made;
    return 0;
}

void buckets_close(struct buckets *b)
{
    if (!b)
        return;
    for (int part = 0; part < b->n_parts; part++) {
        struct overflow *overflow = &b->readings[part].overflow;
        if (!overflow->sorter)
            continue;
        sorter_close(overflow->sorter);
        scratch_close(&overflow->scratch);
    }
    free(b->own_bytes);
    free(b->own_records);
    free(b->tables);
    free(b);
}

int64_t buckets_most_bytes(const struct buckets *buckets)
{
    return buckets->n_longest;
}

/* Entries of records that are kept: they end where the keep does. */
static struct sort_entry *entries_of(const struct buckets *b)
{
    return (struct sort_entry *)(void *)(b->bytes + b->n_keep) - b->n_entries;
}

/* The last bucket whose key is not above. */
static int bucket_of(const struct buckets *b, uint32_t key)
{
    const uint32_t *first = b->keys;
    for (int n = b->n; n > 1;) {
        int half = n / 2;
        first = first[half] <= key ? first + half : first;
        n -= half;
    }
    return (int)(first - b->keys);
}

static uint8_t *piece_of(const struct buckets *b, int i)
{
    return b->pieces + (int64_t)i * b->piece;
}

/* The piece in memory takes its place: all of it, unless it is the last. */
static int write_piece(struct buckets *b, int i, bool is_last, struct error *err)
{
    struct filling *f = &b->fillings[i];
    struct extent *last = &f->bucket.last;
    int32_t n = is_last ? f->used : b->piece;
    if (!is_last && n - f->used >= SORT_LENGTH_BYTES)
        memcpy(piece_of(b, i) + f->used, &END_OF_PIECE, SORT_LENGTH_BYTES);
    if (scratch_write(b->scratch, last->at + last->n, piece_of(b, i), n, err))
        return -1;
    last->n += n;
    b->sums[(int64_t)i * b->n_sums + SUM_BYTES] += n;
    f->used = 0;
    return 0;
}

/* The next piece of a bucket, in its extent or in a new one twice as long. */
static void begin_piece(struct buckets *b, int i)
{
    struct filling *f = &b->fillings[i];
    struct extent *last = &f->bucket.last;
    f->used = 0;
    if (last->at >= 0 && last->n < f->n_extent)
        return;
    int64_t n = last->at >= 0 ? 2 * f->n_extent : LEAST_EXTENT * (int64_t)b->piece;
    f->n_extent = n < MOST_EXTENT ? n : MOST_EXTENT;
    memcpy(piece_of(b, i), last, sizeof *last);
    f->used = sizeof *last;
    *last =
        (struct extent){ .at = scratch_reserve(b->scratch, f->n_extent, MOST_PIECE) };
}

static uint8_t *
room_in_piece(struct buckets *b, int i, int64_t n_bytes, struct error *err)
{
    struct filling *f = &b->fillings[i];
    int64_t needed = n_bytes + SORT_LENGTH_BYTES;
    if (f->used > 0 && needed > b->piece - f->used && write_piece(b, i, false, err))
        return NULL;
    if (f->used == 0)
        begin_piece(b, i);
    return piece_of(b, i) + f->used + SORT_LENGTH_BYTES;
}

/* Add up what a record of a bucket weighs. */
static void weigh(struct buckets *b, int i, const uint8_t *record)
{
    int64_t *sums = b->sums + (int64_t)i * b->n_sums, weights[SORTER_MOST_WEIGHTS];
    b->weights->weigh(b->weights->context, record, weights);
    sums[SUM_RECORDS]++;
    for (int w = 0; w < b->weights->n_weights; w++)
        sums[SUM_WEIGHTS + w] += weights[w];
}

/* A record that no piece holds, with its length in front, as an extent of its own. */
static int write_long(struct buckets *b, int i, const uint8_t *at, struct error *err)
{
    struct extent *last = &b->fillings[i].bucket.last_long;
    int64_t n = sort_length(at) + SORT_LENGTH_BYTES;
    int64_t to = scratch_reserve(b->scratch, (int64_t)sizeof *last + n, LONG_ALIGN);
    if (scratch_write(b->scratch, to, last, sizeof *last, err)
        || scratch_write(b->scratch, to + (int64_t)sizeof *last, at, n, err))
        return -1;
    *last = (struct extent){ .at = to, .n = (int64_t)sizeof *last + n };
    b->sums[(int64_t)i * b->n_sums + SUM_BYTES] += last->n;
    return 0;
}

static bool is_long(const struct buckets *b, int64_t n_bytes)
{
    return n_bytes + SORT_LENGTH_BYTES > b->piece - (int64_t)sizeof(struct extent);
}

static uint32_t key_of(const uint8_t *record)
{
    uint32_t key;
    memcpy(&key, record, sizeof key);
    return __builtin_bswap32(key);
}

/* Records that were kept go to their buckets. */
static int deal_kept(struct buckets *b, struct error *err)
{
    for (int64_t at = 0; at < b->used;) {
        const uint8_t *from = b->bytes + at;
        int64_t n = sort_length(from);
        int i = bucket_of(b, key_of(from + SORT_LENGTH_BYTES));
        if (is_long(b, n)) {
            if (write_long(b, i, from, err))
                return -1;
        } else {
            uint8_t *to = room_in_piece(b, i, n, err);
            if (!to)
                return -1;
            memcpy(to - SORT_LENGTH_BYTES, from, (size_t)(n + SORT_LENGTH_BYTES));
            b->fillings[i].used += (int32_t)(n + SORT_LENGTH_BYTES);
        }
        weigh(b, i, from + SORT_LENGTH_BYTES);
        at += n + SORT_LENGTH_BYTES;
    }
    b->is_keeping = false;
    b->used = b->n_entries = 0;
    return 0;
}

static int too_long(const struct buckets *b, int64_t n_bytes, struct error *err)
{
    char needs[24], has[24];
    return error_set(err,
                     ERROR_BUDGET,
                     "it needs %s, sorting holds %s of one: raise [limits] memory",
                     memory_size_text(needs, n_bytes),
                     memory_size_text(has, buckets_most_bytes(b)));
}

/* Room behind what is kept, with an entry; NULL where there is none. */
static uint8_t *room_to_keep(const struct buckets *b, int64_t n_bytes)
{
    int64_t entries = (int64_t)sizeof(struct sort_entry) * (b->n_entries + 1);
    int64_t needed = n_bytes + SORT_LENGTH_BYTES + entries;
    return needed <= b->n_keep - b->used ? b->bytes + b->used + SORT_LENGTH_BYTES
                                         : NULL;
}

uint8_t *
buckets_room(struct buckets *b, uint32_t key, int64_t n_bytes, struct error *err)
{
    if (n_bytes > b->n_longest || n_bytes >= UINT32_MAX) {
        too_long(b, n_bytes, err);
        return NULL;
    }
    b->into = -1;
    b->room = b->is_keeping ? room_to_keep(b, n_bytes) : NULL;
    if (!b->room) {
        if (b->is_keeping && deal_kept(b, err))
            return NULL;
        b->into = bucket_of(b, key);
        b->room = is_long(b, n_bytes) ? b->long_room + SORT_LENGTH_BYTES
                                      : room_in_piece(b, b->into, n_bytes, err);
    }
    if (b->room) {
        uint32_t length = (uint32_t)n_bytes;
        memcpy(b->room - SORT_LENGTH_BYTES, &length, sizeof length);
    }
    b->longest = n_bytes > b->longest ? n_bytes : b->longest;
    return b->room;
}

/* The bucket's next record, likely as long as this one, goes behind it: while a hundred others
 * go elsewhere, no cache but the last holds that place, unless it is asked for now. */
static void fetch_next_place(const struct buckets *b, int64_t n)
{
    enum { LINE = 64, MOST_LINES = 8 };
    const uint8_t *next = piece_of(b, b->into) + b->fillings[b->into].used;
    for (int line = 0; line < MOST_LINES && LINE * line < n + LINE; line++)
        __builtin_prefetch(next + LINE * line, 1);
}

int buckets_add(struct buckets *b, struct error *err)
{
    const uint8_t *from = b->room - SORT_LENGTH_BYTES;
    int64_t n = sort_length(from);
    if (b->into < 0) {
        int64_t weights[SORTER_MOST_WEIGHTS];
        b->used += n + SORT_LENGTH_BYTES;
        b->n_entries++;
        *entries_of(b) = sort_entry_of(from);
        b->weights->weigh(b->weights->context, b->room, weights);
        b->own[0][0]++;
        for (int w = 0; w < b->weights->n_weights; w++)
            b->own[0][1 + w] += weights[w];
        return 0;
    }
    weigh(b, b->into, b->room);
    if (is_long(b, n))
        return write_long(b, b->into, from, err);
    b->fillings[b->into].used += (int32_t)(n + SORT_LENGTH_BYTES);
    fetch_next_place(b, n);
    return 0;
}

/* Nothing has left the memory of any rank, and nothing does. Agreed. */
static int keep(struct buckets *b, struct error *err)
{
    const struct team *team = b->team;
    int64_t n = 1 + b->weights->n_weights;
    int64_t *totals = calloc((size_t)(team->size * n), sizeof *totals);
    int status = totals ? 0 : error_set(err, ERROR_BUDGET, "no memory for sorting");
    if (totals)
        memcpy(totals + team->rank * n, b->own[0], 8 * (size_t)n);
    sort_entries(entries_of(b), b->n_entries);
    status =
        team_agree(team, status, err) || team_sum(team, totals, team->size * n, err);
    for (int64_t i = 0; status == 0 && i < team->size * n; i++) {
        b->all[i % n] += totals[i];
        b->before[0][i % n] += i / n < team->rank ? totals[i] : 0;
    }
    free(totals);
    b->is_kept = status == 0;
    b->n_parts = 1;
    b->readings[0] =
        (struct part_reading){ .entries = entries_of(b), .n_entries = b->n_entries };
    return status ? -1 : 0;
}

int64_t buckets_kept_bytes(const struct buckets *b)
{
    return b->is_kept ? b->n_keep : 0;
}

int buckets_parts(const struct buckets *b)
{
    return b->n_parts;
}

/* What is in memory still, and where each chain ends, from pieces that are written. */
static int write_rest(struct buckets *b, struct error *err)
{
    struct bucket *heads = (struct bucket *)(void *)b->pieces;
    if (b->is_keeping && deal_kept(b, err))
        return -1;
    for (int i = 0; i < b->n; i++)
        if (b->fillings[i].used > 0 && write_piece(b, i, true, err))
            return -1;
    for (int i = 0; i < b->n; i++)
        heads[i] = b->fillings[i].bucket;
    b->tables[b->team->rank] = b->scratch->n_bytes;
    if (scratch_append(b->scratch, heads, b->n * (int64_t)sizeof *heads, err))
        return -1;
    return scratch_settle(b->scratch, err);
}

/* What each part of this rank has, and what precedes it: ranges of about as many bytes. */
static void deal_buckets(struct buckets *b)
{
    int n_ranges = b->team->size * b->n_parts, n_values = 1 + b->weights->n_weights;
    double all = 0, seen = 0;
    int own = b->team->rank * b->n_parts;
    for (int i = 0; i < b->n; i++)
        all += (double)b->own_bytes[i];
    for (int part = 0; part <= b->n_parts; part++)
        b->first_bucket[part] = b->n;
    for (int i = 0, range = -1; i < b->n; i++) {
        const int64_t *sums = b->sums + (int64_t)i * b->n_sums;
        while (range + 1 < n_ranges
               && seen + (double)b->own_bytes[i] / 2 >= all * (range + 1) / n_ranges) {
            range++;
            for (int part = 0; part <= b->n_parts; part++)
                if (range == own + part)
                    b->first_bucket[part] = i;
        }
        for (int w = 0; w < n_values; w++) {
            int64_t value = sums[w == 0 ? SUM_RECORDS : SUM_WEIGHTS + w - 1];
            b->all[w] += value;
            for (int part = 0; part < b->n_parts; part++) {
                b->before[part][w] += range < own + part ? value : 0;
                b->own[part][w] += range == own + part ? value : 0;
            }
        }
        seen += (double)b->own_bytes[i];
    }
}

int64_t buckets_part_bytes(const struct buckets *b)
{
    return b->n_part;
}

/* What a part of n takes of n_merge. */
static int64_t part_bytes(const struct buckets *b, int64_t n_merge, int n)
{
    int64_t longest = OF_PART * b->longest;
    int64_t most = longest > most_of_part(n) ? longest : most_of_part(n);
    return n_merge / n < most ? n_merge / n : most;
}

/* As many parts as have memory that is worth a thread, and that holds the longest record and
 * the largest bucket, if that of one part does. */
static void choose_parts(struct buckets *b, int64_t n_merge, int most_parts)
{
    enum { LEAST_PART = 4 << 20 };
    int64_t least = OF_PART * b->longest, largest = 0;
    for (int i = 0; i < b->n; i++) {
        int64_t needed =
            b->own_bytes[i] + (int64_t)sizeof(struct sort_entry) * b->own_records[i];
        largest = needed > largest ? needed : largest;
    }
    if (largest <= part_bytes(b, n_merge, 1))
        least = largest > least ? largest : least;
    least = least > LEAST_PART ? least : LEAST_PART;
    b->n_parts = most_parts;
    while (b->n_parts > 1 && part_bytes(b, n_merge, b->n_parts) < least)
        b->n_parts--;
    b->n_part = part_bytes(b, n_merge, b->n_parts);
}

int buckets_end(struct buckets *b,
                int status,
                int64_t n_merge,
                int most_parts,
                struct error *err)
{
    const struct team *team = b->team;
    int64_t greatest[3] = { !b->is_keeping, b->longest, -n_merge };
    if (team_agree(team, status, err) || team_max(team, greatest, 3, err))
        return -1;
    if (!greatest[0])
        return keep(b, err);
    memset(b->own, 0, sizeof b->own);
    status = write_rest(b, err);
    int64_t place = b->tables[team->rank];
    if (team_agree(team, status, err)
        || team_sum(team, b->sums, (int64_t)b->n * b->n_sums, err)
        || team_gather_all(team, &place, sizeof place, b->tables, err))
        return -1;
    b->longest = greatest[1];
    for (int i = 0; i < b->n; i++) {
        b->own_bytes[i] = b->sums[(int64_t)i * b->n_sums + SUM_BYTES];
        b->own_records[i] = b->sums[(int64_t)i * b->n_sums + SUM_RECORDS];
    }
    choose_parts(b, -greatest[2], most_parts);
    deal_buckets(b);
    return 0;
}

void buckets_sums(const struct buckets *b,
                  int part,
                  int64_t *before,
                  int64_t *own,
                  int64_t *all)
{
    size_t n = (1 + (size_t)b->weights->n_weights) * sizeof *before;
    memcpy(before, b->before[part], n);
    memcpy(own, b->own[part], n);
    memcpy(all, b->all, n);
}
