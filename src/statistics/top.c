/* top(f, k): the k greatest values and the ids of their buildings; ties by id. */
#include <math.h>

#include "kind.h"
#include "order.h"

static const char *bind(struct statistics *set, struct statistic *statistic)
{
    double k = statistic->arguments[1].number;
    if (!(k >= 1 && k <= 1000 && k == floor(k)))
        return statistic->kind->needs;
    int64_t n = (int64_t)k;
    statistic->parts[0] = statistics_part_with(set, statistic, &part_leaders, 0, 0, n);
    statistics_add_output(set, statistic, "", OUTPUT_RANKED, TYPE_REAL, n);
    statistics_add_output(set,
                          statistic,
                          "_id",
                          OUTPUT_RANKED,
                          statistics_id_type(set),
                          n);
    return NULL;
}

/* The ids' copies live as long as the zone, so they can be lent on. */
static int finish(const struct statistic *statistic,
                  const struct zone_end *end,
                  struct output_values *values,
                  struct error *err)
{
    struct leaders *leaders = statistics_state(end, statistic, 0);
    enum value_type id_type = statistics_output(end->set, statistic->output + 1)->type;
    (void)err;
    leaders_sort(leaders);
    for (int64_t i = 0; i < leaders->n; i++) {
        const struct leader *place = &leaders->places[i];
        values[0].reals[i] = order_value(place->key, statistic->types[0]);
        if (id_type == TYPE_TEXT)
            values[1].texts[i] = place->text;
        else
            values[1].integers[i] = place->id;
    }
    return 0;
}

const struct statistic_kind kind_top = {
    .name = "top",
    .arguments = "fn",
    .types = TYPES_ORDERED,
    .unit = UNIT_VALUE,
    .needs = "a field and a whole number from 1 to 1000",
    .bind = bind,
    .finish = finish
};
