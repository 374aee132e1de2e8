/*
 * Deciding a building by its own segments, where its box meets an edge of the zone.
 *
 *       zone │  ╱╲         the box meets the edge, the building does not: the status of
 *            │ ╱  ╲        one vertex is that of the whole ring
 *            │ ╲  ╱
 *            │  ╲╱     ┌──┼──┐   two segments cross the edge, each certainly between
 *                      └──┼──┘   its ends and the edge's: not within
 *
 * The answer is that of GEOS's prepared predicate, for buildings of any validity, because
 * it follows its steps. Contains: false where the first vertex of any ring is outside;
 * else false where segments intersect, and all of them properly; else, where no segments
 * intersect, false if a first vertex of the zone's own rings lies in the building, and
 * true if none does. Intersects: true where the first vertex of any ring is inside, or
 * segments intersect, or a first vertex of the zone's rings lies in the building. Only an
 * intersection that is not proper (a vertex on an edge) makes it relate the two as a
 * whole, and that is left to it: what comes within the margin may be one.
 */
#include "patch.h"
#include "walk.h"

enum { MOST_PATCH_CELLS = 1024, MOST_NEAR = 64 };

/* Cells beyond the zone's box, where positions still are right to far less than the
 * margin. */
static const double far_away = 4096;

/* GEOS multiplies up to four coordinates, or differences of them: where these stay in the
 * range of doubles its steps are exact enough to be known. */
static const double largest = 1e60, smallest = 1e-60;

struct outline {
    const struct grid *grid;
    struct edge near[MOST_NEAR]; /* edges of the zone near the building's box */
    int n_near;
    bool crosses; /* some segment crosses an edge, properly */
};

enum meeting { APART, CROSSING, UNCERTAIN };

static enum meeting meet(const struct edge *e, const struct edge *f)
{
    if (are_apart(e->u0, e->u1, f->u0, f->u1) || are_apart(e->v0, e->v1, f->v0, f->v1))
        return APART;
    int f_of_e = side_of(e, f->u0, f->v0) * side_of(e, f->u1, f->v1);
    if (f_of_e > 0)
        return APART;
    int e_of_f = side_of(f, e->u0, e->v0) * side_of(f, e->u1, e->v1);
    if (e_of_f > 0)
        return APART;
    return f_of_e < 0 && e_of_f < 0 ? CROSSING : UNCERTAIN;
}

/* Copy the edges near the patch; false where there are too many. */
static bool gather_near(struct outline *outline, const struct patch *patch)
{
    const struct grid *grid = outline->grid;
    outline->n_near = 0;
    if (patch_cells(patch) > MOST_PATCH_CELLS)
        return false;
    for (int32_t row = patch->row0; row <= patch->row1; row++) {
        int64_t at = (int64_t)row * grid->n_columns;
        uint32_t first = grid->first[at + patch->column0];
        uint32_t end = grid->first[at + patch->column1 + 1];
        for (uint32_t i = first; i < end; i++) {
            const struct edge *edge = &grid->edges[grid->edges_in[i]];
            if (!edge_is_near(edge, patch))
                continue;
            if (outline->n_near == MOST_NEAR)
                return false;
            outline->near[outline->n_near++] = *edge;
        }
    }
    return true;
}

static struct edge
segment_of(const struct grid *grid, const struct sequence *ring, int64_t i)
{
    double x0, y0, x1, y1;
    sequence_point(ring, i, &x0, &y0);
    sequence_point(ring, i + 1, &x1, &y1);
    return (struct edge){
        grid_u(grid, x0), grid_v(grid, y0), grid_u(grid, x1), grid_v(grid, y1)
    };
}

/* Follow a ring along the near edges; false where it may touch one. */
static bool follow(struct outline *outline, const struct sequence *ring, bool *crosses)
{
    *crosses = false;
    for (int64_t i = 0; i + 1 < ring->n; i++) {
        struct edge segment = segment_of(outline->grid, ring, i);
        for (int k = 0; k < outline->n_near; k++) {
            enum meeting meeting = meet(&outline->near[k], &segment);
            if (meeting == UNCERTAIN)
                return false;
            *crosses |= meeting == CROSSING;
        }
    }
    outline->crosses |= *crosses;
    return true;
}

/* The status of a vertex; -1 also where it may lie on an edge. */
static int
status_of(const struct outline *outline, const struct sequence *ring, int64_t i)
{
    double x, y;
    sequence_point(ring, i, &x, &y);
    double u = grid_u(outline->grid, x), v = grid_v(outline->grid, y);
    const struct patch point = { u, v, u, v, 0, 0, 0, 0 };
    for (int k = 0; k < outline->n_near; k++)
        if (edge_is_near(&outline->near[k], &point))
            return -1;
    return grid_status(outline->grid, u, v);
}

/* The status of a ring that meets no edge: that of any vertex for which it is certain. */
static int status_of_ring(const struct outline *outline, const struct sequence *ring)
{
    int status = -1;
    for (int64_t i = 0; i + 1 < ring->n && status < 0; i++)
        status = status_of(outline, ring, i);
    return status;
}

/* Whether the first vertex of a ring of the zone may lie in the patch. */
static bool may_hold_ring(const struct grid *grid, const struct patch *patch)
{
    for (int64_t i = 0; i < grid->n_rings; i++) {
        const struct edge *edge = &grid->edges[grid->rings[i].first];
        if (edge->u0 >= patch->u0 - GRID_MARGIN && edge->u0 <= patch->u1 + GRID_MARGIN
            && edge->v0 >= patch->v0 - GRID_MARGIN
            && edge->v0 <= patch->v1 + GRID_MARGIN)
            return true;
    }
    return false;
}

/* The rings of the building, in GEOS's order. INSIDE and OUTSIDE: so say all of them;
 * `settled` is what the first vertex of a ring says that settles the predicate. */
static enum decision
decide_rings(struct outline *outline, struct walk *walk, enum decision settled)
{
    struct sequence ring;
    bool certain = true;
    enum decision other =
        settled == DECISION_INSIDE ? DECISION_OUTSIDE : DECISION_INSIDE;
    while (walk_next(walk, &ring) > 0) {
        bool crosses;
        if (ring.n == 0)
            continue;
        int status = status_of(outline, &ring, 0);
        if (status == (settled == DECISION_INSIDE))
            return settled;
        if (!certain)
            continue;
        certain = follow(outline, &ring, &crosses);
        if (certain && !crosses && status < 0) {
            status = status_of_ring(outline, &ring);
            certain = status >= 0;
            if (status == (settled == DECISION_INSIDE))
                return settled;
        }
    }
    if (!certain)
        return DECISION_REFINE;
    return outline->crosses ? settled : other;
}

static bool is_in_range(const struct box *box)
{
    return box->xmin > -largest && box->ymin > -largest && box->xmax < largest
           && box->ymax < largest && box->xmax - box->xmin > smallest
           && box->ymax - box->ymin > smallest;
}

enum decision grid_decide_outline(const struct grid *grid,
                                  enum predicate predicate,
                                  const struct box *box,
                                  const uint8_t *ewkb,
                                  int64_t n_bytes)
{
    struct outline
        outline; /* its edges are many, and only those that are near are set */
    struct walk walk;
    struct patch patch = patch_of(grid, box);
    outline.grid = grid;
    outline.n_near = 0;
    outline.crosses = false;
    bool is_far = !(patch.u0 > -far_away && patch.v0 > -far_away && patch.u1 < far_away
                    && patch.v1 < far_away);
    if (is_far || !is_in_range(&grid->box) || walk_open(&walk, ewkb, n_bytes)
        || (walk.type != EWKB_POLYGON && walk.type != EWKB_MULTIPOLYGON)
        || !gather_near(&outline, &patch))
        return DECISION_REFINE;
    enum decision settled =
        predicate == PREDICATE_WITHIN ? DECISION_OUTSIDE : DECISION_INSIDE;
    enum decision decision = decide_rings(&outline, &walk, settled);
    if (decision == DECISION_REFINE || decision == settled)
        return decision;
    return may_hold_ring(grid, &patch) ? DECISION_REFINE : decision;
}
