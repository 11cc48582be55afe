#include "steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How many hits one search keeps. A flood of hits on mild lists must not hide a strict one: when a search
 * finds more than it keeps, it is made again for each action alone. */
enum { HITS_MAX = SCREENING_MATCHES_MAX };

void findings_clear(struct findings *findings)
{
    free(findings->rows);
    *findings = (struct findings){0};
}

static int compare_findings(const void *left, const void *right)
{
    const struct finding *a = left;
    const struct finding *b = right;
    bool digest_a = a->kind != HASH_PDQ;
    bool digest_b = b->kind != HASH_PDQ;

    if (digest_a != digest_b)
        return digest_a ? -1 : 1;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    if (a->list->number != b->list->number)
        return a->list->number < b->list->number ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

void findings_sort(struct findings *findings)
{
    if (findings->count > 1)
        qsort(findings->rows, findings->count, sizeof findings->rows[0], compare_findings);
}

static int append_finding(struct findings *findings, const struct finding *finding)
{
    if (findings->count == findings->capacity) {
        size_t capacity = findings->capacity == 0 ? 16 : findings->capacity * 2;
        struct finding *rows = reallocarray(findings->rows, capacity, sizeof *rows);
        if (rows == NULL)
            return -ENOMEM;
        findings->rows = rows;
        findings->capacity = capacity;
    }
    findings->rows[findings->count++] = *finding;
    return 0;
}

static int add_finding(struct findings *findings, const struct finding *finding)
{
    /* Searches come in order of weight (digests, the main view, other views): a row keeps the way it was
     * first found. */
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->rows[i].row == finding->row && !findings->rows[i].is_allowance)
            return 0;
    }
    return append_finding(findings, finding);
}

/* One search: what is looked up, and in which lists. */
struct search {
    const struct screening_job *job;
    const struct known_hashes *hashes; /* digests, or NULL for a near search */
    const struct view_query *views;
    const struct index_query *queries;
    size_t query_count;
    uint8_t *radius_by_list; /* scratch, one for each list number */
};

static void allow_lists(const struct search *search, bool every, enum list_action only)
{
    const struct catalog_reading *reading = search->job->reading;

    memset(search->radius_by_list, INDEX_LIST_SKIPPED, reading->number_count);
    for (size_t i = 0; i < reading->list_count; i++) {
        const struct list_info *list = &reading->lists[i];
        if (every || list->properties.action == only)
            search->radius_by_list[list->number] = (uint8_t)list->properties.max_distance;
    }
}

static int run_search(const struct search *search, struct index_hits *hits)
{
    const struct catalog_reading *reading = search->job->reading;
    struct index_filter filter = {.radius_by_list = search->radius_by_list,
                                  .list_count = reading->number_count};

    if (search->hashes != NULL)
        return index_generation_search_exact(reading->generation, search->hashes, &filter, hits);
    return index_generation_search_near(reading->generation, search->queries, search->query_count, &filter,
                                        hits);
}

static int keep_hits(const struct search *search, const struct index_hits *hits, struct findings *findings)
{
    for (size_t i = 0; i < hits->count; i++) {
        const struct index_hit *hit = &hits->rows[i];
        struct finding finding = {.row = hit->row,
                                  .list = catalog_find_list(search->job->reading, hit->list),
                                  .ruling = catalog_find_ruling(search->job->reading, hit->row),
                                  .kind = hit->kind,
                                  .distance = hit->distance,
                                  .entry_view = hit->entry_view};
        if (search->hashes == NULL) {
            finding.orientation = search->views[hit->query].orientation;
            finding.view = search->views[hit->query].view;
            finding.frame = search->views[hit->query].frame;
        }
        int result = add_finding(findings, &finding);
        if (result != 0)
            return result;
    }
    return 0;
}

/* Searches the lists of each action on their own. A flood of exempt entries must not hide others either:
 * there is room for all of them beside. */
static int search_by_action(struct search *search, struct findings *findings)
{
    struct index_hits hits = {.capacity = HITS_MAX + search->job->reading->exempt_count};
    int result = 0;

    hits.rows = calloc(hits.capacity, sizeof *hits.rows);
    if (hits.rows == NULL)
        return -ENOMEM;
    for (int action = 0; result == 0 && action < ACTION_COUNT; action++) {
        allow_lists(search, false, (enum list_action)action);
        result = run_search(search, &hits);
        if (result == 0)
            result = keep_hits(search, &hits, findings);
    }
    free(hits.rows);
    return result;
}

/* Searches every list at once and, when that was too much to keep, the lists of each action on their own. */
static int search_lists(struct search *search, struct findings *findings)
{
    struct index_hit rows[HITS_MAX];
    struct index_hits hits = {.rows = rows, .capacity = HITS_MAX};
    size_t before = findings->count;
    int result = 0;

    if (search->job->reading->number_count == 0)
        return 0;
    search->radius_by_list = malloc(search->job->reading->number_count);
    if (search->radius_by_list == NULL)
        return -ENOMEM;
    allow_lists(search, true, ACTION_REPORT);
    result = run_search(search, &hits);
    const uint64_t total = hits.total;
    if (result == 0)
        result = total > HITS_MAX ? search_by_action(search, findings) : keep_hits(search, &hits, findings);
    free(search->radius_by_list);
    search->radius_by_list = NULL;
    /* Rows known from an earlier search are not counted again, as far as they were kept. */
    findings->total += total > HITS_MAX ? total : findings->count - before;
    return result;
}

int findings_look_up_exact(const struct screening_job *job, const struct known_hashes *hashes,
                           struct findings *findings)
{
    struct search search = {.job = job, .hashes = hashes};

    return search_lists(&search, findings);
}

/* Queries of one frame follow each other. Returns where those of the frame at first end. */
static size_t end_of_frame(const struct view_query *queries, size_t count, size_t first)
{
    size_t end = first + 1;

    while (end < count && queries[end].frame == queries[first].frame)
        end++;
    return end;
}

static bool knows_good_pictures(const struct catalog_reading *reading)
{
    for (size_t i = 0; i < reading->list_count; i++) {
        if (reading->lists[i].properties.action == ACTION_ALLOW && reading->lists[i].kinds[HASH_PDQ] > 0)
            return true;
    }
    return false;
}

/* The nearest hit whose entry is not exempt; NULL when there is none. */
static const struct index_hit *find_in_force(const struct search *search, const struct index_hits *hits)
{
    for (size_t i = 0; i < hits->count; i++) {
        if (catalog_find_ruling(search->job->reading, hits->rows[i].row) != RULING_EXEMPT)
            return &hits->rows[i];
    }
    return NULL;
}

/* Finds the known-good entry that is nearest to a frame's main view, notes it as an allowance, and narrows
 * the frame's queries to what it does not overrule. hits has room for one more than there are exempt entries.
 */
static int allow_frame(struct search *search, const struct view_query *views, struct index_query *queries,
                       size_t count, struct index_hits *hits, struct findings *findings)
{
    search->views = views;
    search->queries = queries;
    search->query_count = count;
    int result = run_search(search, hits);
    const struct index_hit *nearest = result == 0 ? find_in_force(search, hits) : NULL;
    if (nearest == NULL)
        return result;
    for (size_t i = 0; i < count; i++)
        queries[i].radius_max = nearest->distance > 0 ? nearest->distance - 1 : INDEX_HASHES_SKIPPED;
    const struct finding allowance = {.row = nearest->row,
                                      .list = catalog_find_list(search->job->reading, nearest->list),
                                      .kind = HASH_PDQ,
                                      .distance = nearest->distance,
                                      .orientation = views[nearest->query].orientation,
                                      .view = VIEW_MAIN,
                                      .frame = views[nearest->query].frame,
                                      .is_allowance = true};
    return append_finding(findings, &allowance);
}

static int allow_frames(struct search *search, const struct view_query *views, struct index_query *queries,
                        size_t count, struct findings *findings)
{
    struct index_hits hits = {.capacity = 1 + search->job->reading->exempt_count};
    int result = 0;

    search->radius_by_list = malloc(search->job->reading->number_count);
    hits.rows = calloc(hits.capacity, sizeof *hits.rows);
    if (search->radius_by_list == NULL || hits.rows == NULL)
        result = -ENOMEM;
    else
        allow_lists(search, false, ACTION_ALLOW);
    for (size_t first = 0, end = 0; result == 0 && first < count; first = end) {
        end = end_of_frame(views, count, first);
        result = allow_frame(search, views + first, queries + first, end - first, &hits, findings);
    }
    free(hits.rows);
    free(search->radius_by_list);
    search->radius_by_list = NULL;
    return result;
}

/* Main matches that stand although known-good entries are near to some frames. A row that is found in several
 * frames is kept in one alone: it must not be one where it is overruled. */
static int look_up_standing(const struct screening_job *job, const struct view_query *views,
                            const struct index_query *queries, size_t count, struct findings *findings)
{
    struct index_query *narrowed = malloc(count * sizeof *narrowed);
    struct search search = {.job = job};
    const size_t before = findings->count;

    if (narrowed == NULL)
        return -ENOMEM;
    memcpy(narrowed, queries, count * sizeof *narrowed);
    int result = allow_frames(&search, views, narrowed, count, findings);
    if (result == 0 && findings->count > before) {
        search.views = views;
        search.queries = narrowed;
        search.query_count = count;
        result = search_lists(&search, findings);
    }
    free(narrowed);
    return result;
}

/* What one of the upload's hashes is looked up for: a match of both main views, or one through another view.
 * Returns false when it has no part in that. */
static bool set_radii(const struct screening_job *job, bool derived, struct index_query *query,
                      enum view view)
{
    unsigned int radius = job->rules->view_radius;

    query->view_radius_max = derived && job->reading->has_views ? radius : INDEX_HASHES_SKIPPED;
    if (view == VIEW_MAIN)
        query->radius_max = derived ? INDEX_HASHES_SKIPPED : INDEX_RADIUS_MAX;
    else
        query->radius_max = derived ? radius : INDEX_HASHES_SKIPPED;
    return query->radius_max != INDEX_HASHES_SKIPPED || query->view_radius_max != INDEX_HASHES_SKIPPED;
}

/* Looks main views up. */
static int look_up_main(struct search *search, struct findings *findings)
{
    const struct screening_job *job = search->job;
    const uint64_t before = findings->total;
    bool several = end_of_frame(search->views, search->query_count, 0) < search->query_count;
    int result = 0;

    if (several && knows_good_pictures(job->reading))
        result = look_up_standing(job, search->views, search->queries, search->query_count, findings);
    const uint64_t standing = findings->total - before;
    if (result == 0)
        result = search_lists(search, findings);
    /* A flood has been counted whole. */
    if (findings->total - before - standing > HITS_MAX)
        findings->total -= standing;
    return result;
}

/* Main matches are looked for on their own, so that no nearer match through a view takes the place of one. */
static int look_up_group(const struct screening_job *job, const struct view_query *queries, size_t count,
                         bool derived, struct findings *findings)
{
    struct index_query *searched = calloc(count + 1, sizeof *searched);
    struct view_query *views = calloc(count + 1, sizeof *views);
    struct search search = {.job = job, .views = views, .queries = searched};
    int result = searched == NULL || views == NULL ? -ENOMEM : 0;

    for (size_t i = 0; result == 0 && i < count; i++) {
        struct index_query query = {.hash = queries[i].hash};

        if (!set_radii(job, derived, &query, queries[i].view))
            continue;
        views[search.query_count] = queries[i];
        searched[search.query_count++] = query;
    }
    if (result == 0 && search.query_count > 0)
        result = derived ? search_lists(&search, findings) : look_up_main(&search, findings);
    free(searched);
    free(views);
    return result;
}

int findings_look_up_near(const struct screening_job *job, const struct view_query *queries, size_t count,
                          struct findings *findings)
{
    int result = look_up_group(job, queries, count, false, findings);

    return result != 0 ? result : look_up_group(job, queries, count, true, findings);
}
