/*
 * What fetching costs by index and by reading the whole table.
 *
 * By index every candidate is a visit to a row, whose block may be far from the last one;
 * a scan visits every row of the table in turn, and sends those that pass the filter,
 * which are then sorted. So it depends on the share of the table that the zones cover, on
 * the order of the rows, and on the filter. The last two are seen in a sample of blocks:
 * rows that lie as they do in space share a block with their neighbours.
 */
#include <stdlib.h>
#include <string.h>

#include "postgres.h"

enum { SAMPLE_BLOCKS = 64 };

/* Seconds on one core, server and rank together, measured at 1.2 million footprints with
 * a filter and eight statistics. */
static const double zone_s = 0.5e-3;      /* a statement, and a descent for each box */
static const double candidate_s = 1.5e-6; /* a row of a block that is at hand */
static const double far_s = 3e-6;         /* more for one that lies anywhere */
static const double row_s = 0.5e-6;       /* a row that is looked at */
static const double sent_s = 1.1e-6; /* a row that is sent, sorted, and read again */
static const double scan_start_s = 0.05;

/* Sizes are width and height together: of most blocks, and of all of them but for a few
 * far away, which would make every block look small. */
struct sample {
    double n, n_passing, block_size, whole_size;
};

static void sample_sql(const struct postgres *postgres,
                       const char *filter,
                       double percent,
                       struct sql *sql)
{
    static const char *const ends[4][3] = { { "pg_catalog.min", "ST_XMin", "x0" },
                                            { "pg_catalog.min", "ST_YMin", "y0" },
                                            { "pg_catalog.max", "ST_XMax", "x1" },
                                            { "pg_catalog.max", "ST_YMax", "y1" } };
    sql_add(sql,
            "SELECT COALESCE(pg_catalog.sum(n), 0), COALESCE(pg_catalog.sum(m), 0),"
            " COALESCE(pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY"
            " x1 OPERATOR(pg_catalog.-) x0 OPERATOR(pg_catalog.+)"
            " y1 OPERATOR(pg_catalog.-) y0), 0), COALESCE("
            "pg_catalog.percentile_cont(0.95) WITHIN GROUP (ORDER BY x1)"
            " OPERATOR(pg_catalog.-)"
            " pg_catalog.percentile_cont(0.05) WITHIN GROUP (ORDER BY x0)"
            " OPERATOR(pg_catalog.+)"
            " pg_catalog.percentile_cont(0.95) WITHIN GROUP (ORDER BY y1)"
            " OPERATOR(pg_catalog.-)"
            " pg_catalog.percentile_cont(0.05) WITHIN GROUP (ORDER BY y0), 0) FROM ("
            "SELECT pg_catalog.count(*) AS n,"
            " pg_catalog.count(*) FILTER (WHERE %s) AS m",
            filter ? filter : "true");
    for (int i = 0; i < 4; i++) {
        sql_add(sql, ", %s(%s%s(b.", ends[i][0], postgres->postgis, ends[i][1]);
        sql_identifier(sql, postgres->buildings.geometry);
        sql_add(sql, ")) AS %s", ends[i][2]);
    }
    sql_add(sql,
            " FROM %s b TABLESAMPLE SYSTEM (%.6f) REPEATABLE (1)"
            " GROUP BY (b.ctid::pg_catalog.text::pg_catalog.point)[0]) s",
            postgres->buildings.sql,
            percent);
}

static int take_sample(struct postgres *postgres,
                       const char *filter,
                       double percent,
                       struct sample *sample,
                       struct error *err)
{
    struct sql sql = { 0 };
    PGresult *result = NULL;
    sample_sql(postgres, filter, percent, &sql);
    if (sql_end(&sql, err))
        result = session_run(&postgres->session, sql.text, 0, NULL, false, err);
    sql_release(&sql);
    if (!result)
        return error_prefix(err, "%s", postgres->buildings.name);
    *sample = (struct sample){ .n = strtod(PQgetvalue(result, 0, 0), NULL),
                               .n_passing = strtod(PQgetvalue(result, 0, 1), NULL),
                               .block_size = strtod(PQgetvalue(result, 0, 2), NULL),
                               .whole_size = strtod(PQgetvalue(result, 0, 3), NULL) };
    PQclear(result);
    return 0;
}

/* How far apart the rows of a block are, of what they would be if they lay anywhere. */
static double disorder_of(const struct sample *sample)
{
    double share = sample->whole_size > 0 ? sample->block_size / sample->whole_size : 0;
    return share >= 0 && share < 1 ? share : 1;
}

int postgres_costs(struct source *source,
                   int64_t n_zones,
                   double n_candidates,
                   struct source_costs *costs,
                   struct error *err)
{
    struct postgres *postgres = (struct postgres *)source;
    const struct postgres_table *table = &postgres->buildings;
    struct sample sample = { 0 };
    struct error why = { ERROR_NONE, "" };
    if (table->n_blocks == 0)
        return 0;
    double percent = 100.0 * SAMPLE_BLOCKS / (double)table->n_blocks;
    percent = percent < 100 ? percent : 100;
    if (take_sample(postgres, postgres->filter, percent, &sample, &why)) {
        /* a filter that fails on some row is the business of that row's zone */
        if (why.code == ERROR_DATA)
            return postgres_reopen(source, err);
        if (err)
            *err = why;
        return -1;
    }
    if (!(sample.n > 0))
        return 0;
    double n_rows = source->schema.n_buildings;
    double sampled = sample.n * 100 / percent;
    if (!(n_rows > sampled)) /* what ANALYZE has left may be of a smaller table */
        n_rows = sampled;
    double passing = sample.n_passing / sample.n, disorder = disorder_of(&sample);
    double by_row = source->schema.spatial_index ? 0 : n_rows * row_s;
    *costs = (struct source_costs){
        .n_rows = n_rows,
        .passing = passing,
        .disorder = disorder,
        .index_s = (double)n_zones * (zone_s + by_row)
                   + n_candidates * (candidate_s + far_s * disorder),
        .scan_s = scan_start_s + n_rows * (row_s + passing * sent_s),
    };
    return 1;
}
