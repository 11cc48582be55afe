#include "prescreen/base/clock.h"

#include "steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

json_t *screening_reasons_to_json(const struct screening *screening)
{
    json_t *array = json_array();

    for (int reason = 0; array != NULL && reason < REASON_COUNT; reason++) {
        if ((screening->reasons & REASON_BIT(reason)) == 0)
            continue;
        if (json_array_append_new(array, json_string(reason_name((enum reason)reason))) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* Says of a match what a ruling makes of it. */
static bool add_ruling(json_t *object, enum entry_ruling ruling)
{
    if (ruling != RULING_EXEMPT && ruling != RULING_SET_ASIDE)
        return true;
    return json_object_set_new(object, entry_ruling_name(ruling), json_true()) == 0;
}

static json_t *match_to_json(const struct screening_match *match)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:s}", "list", match->list, "entry_id",
                  match->entry_id, "kind", hash_kind_name(match->kind), "distance", (int)match->distance,
                  "orientation", orientation_name(match->orientation), "view", view_name(match->view),
                  "frame", (int)match->frame, "action", list_action_name(match->action));

    bool whole =
        object != NULL && add_ruling(object, match->ruling) &&
        (match->entry_view == VIEW_MAIN ||
         json_object_set_new(object, "entry_view", json_string(view_name(match->entry_view))) == 0) &&
        (match->classification[0] == '\0' ||
         json_object_set_new(object, "classification", json_string(match->classification)) == 0);
    if (!whole) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *screening_matches_to_json(const struct screening *screening)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < screening->match_count; i++) {
        if (json_array_append_new(array, match_to_json(&screening->matches[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *screening_media_to_json(const struct screening_media *media)
{
    json_t *object = json_pack("{s:s, s:I, s:I, s:I, s:I}", "format", media_format_name(media->format),
                               "width", (json_int_t)media->width, "height", (json_int_t)media->height,
                               "frames", (json_int_t)media->frames, "bytes", (json_int_t)media->bytes);

    if (object == NULL || media->trailing == TRAILING_NONE)
        return object;
    json_t *trailing = json_pack("{s:s, s:I}", "kind", trailing_data_name(media->trailing), "bytes",
                                 (json_int_t)media->trailing_bytes);
    if (json_object_set_new(object, "trailing", trailing) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *screening_hashes_to_json(const struct known_hashes *hashes)
{
    json_t *object = json_object();

    for (int kind = 0; object != NULL && kind < HASH_KIND_COUNT; kind++) {
        char text[PDQ_HEX_SIZE];
        bool known = (hashes->kinds & HASH_BIT(kind)) != 0;

        if (known)
            known_hashes_format(hashes, (enum hash_kind)kind, text);
        if (json_object_set_new(object, hash_kind_name((enum hash_kind)kind),
                                known ? json_string(text) : json_null()) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    bool graded = (hashes->kinds & HASH_BIT(HASH_PDQ)) != 0 && hashes->pdq_quality >= 0;
    if (object != NULL &&
        json_object_set_new(object, "pdq_quality",
                            graded ? json_integer(hashes->pdq_quality) : json_null()) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *timing_to_json(const struct screening_timing *timing)
{
    json_t *object = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "receive", (json_int_t)timing->receive_us,
                               "digest", (json_int_t)timing->digest_us, "decode",
                               (json_int_t)timing->decode_us, "match", (json_int_t)timing->match_us, "record",
                               (json_int_t)timing->record_us, "total", (json_int_t)timing->total_us);

    if (object != NULL && timing->cached && json_object_set_new(object, "cached", json_true()) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *screening_to_json(const struct screening *screening)
{
    json_t *object =
        json_pack("{s:s, s:s, s:b, s:o, s:o, s:I, s:o, s:s, s:s, s:s, s:I}", "screening_id",
                  screening->screening_id, "verdict", verdict_name(screening->verdict), "complete",
                  screening->complete ? 1 : 0, "reasons", screening_reasons_to_json(screening), "matches",
                  screening_matches_to_json(screening), "matches_total", (json_int_t)screening->match_total,
                  "hashes", screening_hashes_to_json(&screening->hashes), "profile", screening->profile,
                  "audience", audience_name(screening->audience), "policy_version", screening->policy_version,
                  "lists_version", (json_int_t)screening->lists_version);

    if (object == NULL)
        return NULL;
    if ((screening->has_media &&
         json_object_set_new(object, "media", screening_media_to_json(&screening->media)) != 0) ||
        json_object_set_new(object, "timing_us", timing_to_json(&screening->timing)) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static void redact_object(json_t *object)
{
    json_object_del(object, "matches");
    json_object_del(object, "matches_total");
    json_object_del(object, "hashes");
}

char *screening_answer_redact(const char *answer)
{
    json_t *root = json_loads(answer, 0, NULL);
    json_t *results = json_object_get(root, "results");
    char *text = NULL;

    if (root == NULL)
        return NULL;
    redact_object(root);
    for (size_t i = 0; i < json_array_size(results); i++)
        redact_object(json_array_get(results, i));
    text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

int screening_answer_verdict(const char *answer, enum verdict *verdict)
{
    json_t *root = json_loads(answer, 0, NULL);
    const char *name = json_string_value(json_object_get(root, "verdict"));
    int result = name != NULL && verdict_parse(name, verdict) ? 0 : -EINVAL;

    json_decref(root);
    return result;
}
