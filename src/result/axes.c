/* Second axes of the statistics: ranks, bins with their edges, categories. */
#include <stdio.h>
#include <string.h>

#include "layout.h"

static double edge(const struct output *output, int64_t i)
{
    return output->low
           + (output->high - output->low) * (double)i / (double)output->width;
}

static const char *axis_units(const struct output *output)
{
    return *output->axis_units ? output->axis_units : "1";
}

static int write_ranks(struct gather *g,
                       hid_t file,
                       const struct field *field,
                       const struct output *output,
                       struct error *err)
{
    int64_t *ranks = memory_take(g->memory,
                                 MEMORY_GATHER,
                                 output->width * (int64_t)sizeof *ranks,
                                 err);
    if (!ranks)
        return -1;
    for (int64_t i = 0; i < output->width; i++)
        ranks[i] = i + 1;
    struct layout_column column = { field->axis + 1,      "1",
                                    "place from the top", H5T_STD_I64LE,
                                    output->width,        NULL };
    return layout_write(file, &column, H5T_NATIVE_INT64, ranks, err);
}

static int write_bins(struct gather *g,
                      hid_t file,
                      const struct field *field,
                      const struct output *output,
                      struct error *err)
{
    int64_t n = output->width;
    double *values =
        memory_take(g->memory, MEMORY_GATHER, (n + 1) * (int64_t)sizeof *values, err);
    if (!values)
        return -1;
    for (int64_t i = 0; i < n; i++)
        values[i] = edge(output, i) + (edge(output, i + 1) - edge(output, i)) / 2;
    struct layout_column column = { .name = field->axis + 1,
                                    .units = axis_units(output),
                                    .long_name = "middle of the bin",
                                    .type = H5T_IEEE_F64LE,
                                    .n = n };
    if (layout_write(file, &column, H5T_NATIVE_DOUBLE, values, err) < 0)
        return -1;

    char edge_name[NAME_BYTES + 24], edges_name[NAME_BYTES + 24],
        scale[NAME_BYTES + 24];
    snprintf(edge_name, sizeof edge_name, "%s_edge", output->name);
    snprintf(edges_name, sizeof edges_name, "%s_edges", output->name);
    snprintf(scale, sizeof scale, "/%s_edge", output->name);
    hid_t dimension = h5_create_dimension(file, edge_name, n + 1, err);
    if (dimension < 0)
        return -1;
    h5_close(&dimension, H5Dclose);
    for (int64_t i = 0; i <= n; i++)
        values[i] = edge(output, i);
    column.name = edges_name;
    column.long_name = "edges of the bins";
    column.n = n + 1;
    column.scale = scale;
    return layout_write(file, &column, H5T_NATIVE_DOUBLE, values, err);
}

static int write_text_keys(struct gather *g,
                           hid_t file,
                           const struct layout_column *column,
                           const struct categories *categories,
                           struct error *err)
{
    int64_t width = (int64_t)H5Tget_size(column->type);
    char *texts = memory_take(g->memory, MEMORY_GATHER, width * categories->n, err);
    if (!texts)
        return -1;
    memset(texts, 0, (size_t)(width * categories->n));
    for (int64_t i = 0; i < categories->n; i++)
        if (categories->keys[i].text.n > 0)
            memcpy(texts + i * width,
                   categories->keys[i].text.bytes,
                   (size_t)categories->keys[i].text.n);
    return layout_write(file, column, column->type, texts, err);
}

static int write_categories(struct gather *g,
                            hid_t file,
                            const struct field *field,
                            const struct categories *categories,
                            struct error *err)
{
    struct layout_column column = { .name = field->axis + 1,
                                    .units = axis_units(categories->output),
                                    .long_name = "value counted",
                                    .type = H5T_STD_I64LE,
                                    .n = categories->n };
    if (categories->output->type == TYPE_TEXT) {
        column.units = "";
        column.type = h5_text_type(categories_longest(categories));
        int status = write_text_keys(g, file, &column, categories, err);
        h5_close(&column.type, H5Tclose);
        return status;
    }
    /* keys are unions with a text, twice as long: put the numbers side by side */
    bool is_real = categories->output->type == TYPE_REAL;
    int64_t *values = memory_take(g->memory,
                                  MEMORY_GATHER,
                                  categories->n * (int64_t)sizeof *values,
                                  err);
    if (!values)
        return -1;
    for (int64_t i = 0; i < categories->n; i++)
        memcpy(&values[i], &categories->keys[i], sizeof *values);
    column.type = is_real ? H5T_IEEE_F64LE : H5T_STD_I64LE;
    return layout_write(file,
                        &column,
                        is_real ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64,
                        values,
                        err);
}

int layout_axes(struct gather *gather, hid_t file, struct error *err)
{
    struct memory_mark mark = memory_mark(gather->memory);
    int status = 0;
    for (int k = 0; status == 0 && k < gather->table.n; k++) {
        const struct field *field = &gather->table.fields[k];
        if (!*field->axis || h5_has(file, field->axis))
            continue;
        const struct output *output =
            statistics_output(gather->input->statistics, field->index);
        if (output->form == OUTPUT_CATEGORY)
            status = write_categories(gather, file, field, field->categories, err);
        else if (output->form == OUTPUT_BINS)
            status = write_bins(gather, file, field, output, err);
        else
            status = write_ranks(gather, file, field, output, err);
        memory_rewind(gather->memory, &mark);
    }
    return status;
}
