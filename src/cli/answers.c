#include "answers.h"

#include "prescreen/base/uuid.h"
#include "prescreen/base/vocabulary.h"

#include "batch.h"
#include "client.h"
#include "local.h"
#include "output.h"
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS = 4, FILE_NAME_MAX = 4096 };

struct asking {
    const struct invocation *invocation;
    enum question question;
    enum audience audience;
    struct local local;              /* in place */
    struct client *clients[CLIENTS]; /* of a daemon; one for each lane */
    char path[CLIENT_PATH_MAX];
    answer_sink *sink;
    void *sink_context;
    struct progress progress;
    int failed; /* the last error of a file */
};

/* A copy of the answer for the batch, which frees it. */
static int keep_answer(const struct bytes *body, void **product)
{
    *product = strdup((const char *)body->data);
    return *product != NULL ? 0 : -ENOMEM;
}

static int ask_daemon(struct asking *asking, unsigned int lane, const char *name, void **product,
                      struct diag *diag)
{
    struct source source = {.fd = -1};
    struct client_answer answer;
    int result = source_open(name, &source, diag);

    if (result != 0)
        return result;
    result = client_post_source(asking->clients[lane], asking->path, &source, &answer, diag);
    source_close(&source);
    if (result != 0)
        return result;
    result = client_judge_answer(&answer, diag);
    if (result == 0)
        result = keep_answer(&answer.body, product);
    client_answer_clear(&answer);
    return result;
}

static int ask_screener(struct asking *asking, struct upload *upload, char **answer, struct diag *diag)
{
    char request_id[UUID_TEXT_SIZE];
    struct screening_request request = {.profile = option_text(asking->invocation, OPTION_PROFILE, "default"),
                                        .audience = asking->audience,
                                        .content_id = "",
                                        .account_ref = "",
                                        .key_name = "",
                                        .request_id = request_id,
                                        .idempotency_key = "",
                                        .detailed = true};
    int result = uuid_make_v7(request_id);

    if (result != 0)
        return diag_fail(diag, result, "no randomness: %s", strerror(-result));
    if (asking->question == QUESTION_HASH)
        return screener_hash(asking->local.screener, upload, request_id, answer, diag);
    return screener_screen(asking->local.screener, upload, &request, answer, diag);
}

static int ask_in_place(struct asking *asking, const char *name, void **product, struct diag *diag)
{
    struct upload *upload = NULL;
    char *answer = NULL;
    int result = source_read_upload(name, asking->local.config->limits.body_bytes, &upload, diag);

    if (result == 0)
        result = ask_screener(asking, upload, &answer, diag);
    upload_free(upload);
    if (result == 0)
        *product = answer;
    return result > 0 ? -EPROTO : result;
}

static int ask(void *context, unsigned int lane, size_t index, void **product, struct diag *diag)
{
    struct asking *asking = context;
    const char *name = asking->invocation->operands[index];

    if (asking->clients[0] != NULL)
        return ask_daemon(asking, lane, name, product, diag);
    return ask_in_place(asking, name, product, diag);
}

/* The answer with "file" as its first member; NULL when it is no JSON object or memory is short. */
static json_t *name_answer(const char *name, const char *text)
{
    char clean[FILE_NAME_MAX];
    json_t *parsed = json_loads(text, 0, NULL);
    json_t *named = json_object();
    json_t *file = json_string(name);

    if (file == NULL) /* a name that is no UTF-8 */
        file = json_string(printable(name, clean, sizeof clean));
    if (!json_is_object(parsed) || json_object_set(named, "file", file) != 0 ||
        json_object_update(named, parsed) != 0) {
        json_decref(named);
        named = NULL;
    }
    json_decref(file);
    json_decref(parsed);
    return named;
}

static int take(void *context, size_t index, int result, const void *product, const struct diag *diag)
{
    struct asking *asking = context;
    const char *name = asking->invocation->operands[index];
    json_t *answer = result == 0 ? name_answer(name, product) : NULL;

    progress_hide(&asking->progress);
    if (answer != NULL) {
        asking->sink(asking->sink_context, name, answer);
    } else {
        asking->failed = result != 0 ? result : -EPROTO;
        say("%s: %s", name, result != 0 ? diag->text : "the answer is no JSON object");
    }
    json_decref(answer);
    progress_show(&asking->progress, index + 1);
    return 0;
}

static int make_path(struct asking *asking, struct diag *diag)
{
    static const enum option_id options[] = {OPTION_PROFILE, OPTION_AUDIENCE};
    int result = 0;

    snprintf(asking->path, sizeof asking->path, "%s",
             asking->question == QUESTION_HASH ? "/v1/hash" : "/v1/screen");
    for (size_t i = 0; result == 0 && i < sizeof options / sizeof options[0]; i++) {
        const char *value = option_text(asking->invocation, options[i], NULL);
        if (value != NULL)
            result = client_add_parameter(asking->path, option_rows[options[i]].name, value);
    }
    return result == 0 ? 0 : diag_fail(diag, result, "the options are too long");
}

static int connect_clients(struct asking *asking, struct diag *diag)
{
    char key[CLIENT_KEY_MAX];
    int result = client_read_key(option_text(asking->invocation, OPTION_KEY_FILE, NULL), key, diag);

    if (result != 0)
        return result;
    result = make_path(asking, diag);
    for (int i = 0; result == 0 && i < CLIENTS; i++)
        result = client_create(asking->invocation->values[OPTION_URL], key, &asking->clients[i], diag);
    explicit_bzero(key, sizeof key);
    return result;
}

static int prepare(struct asking *asking, struct diag *diag)
{
    const struct invocation *invocation = asking->invocation;
    const char *band = option_text(invocation, OPTION_AUDIENCE, audience_name(AUDIENCE_UNKNOWN));
    const char *profile = option_text(invocation, OPTION_PROFILE, "default");
    int result = source_check_names(invocation->operands, invocation->operand_count, diag);

    if (result != 0)
        return result;
    if (!audience_parse(band, &asking->audience))
        return diag_fail(diag, -EINVAL, "--audience %s: must be child, adult or unknown", band);
    if (option_given(invocation, OPTION_URL))
        return connect_clients(asking, diag);
    if (option_given(invocation, OPTION_KEY_FILE))
        return diag_fail(diag, -EINVAL, "--key-file is of use only with --url");
    result = local_load_config(invocation, &asking->local, diag);
    if (result == 0 && config_find_profile(asking->local.config, profile) == NULL)
        return diag_fail(diag, -EINVAL, "--profile %s: %s has no such profile", profile,
                         asking->local.config->origin);
    if (result == 0)
        result = asking->question == QUESTION_HASH
                     ? local_open_hashing(invocation, invocation->operand_count, &asking->local, diag)
                     : local_open_screening(invocation, invocation->operand_count, &asking->local, diag);
    return result;
}

static unsigned int lane_count(const struct asking *asking)
{
    unsigned int most = asking->clients[0] != NULL ? CLIENTS : asking->local.config->workers;

    return asking->invocation->operand_count < most ? (unsigned int)asking->invocation->operand_count : most;
}

static void finish(struct asking *asking)
{
    for (int i = 0; i < CLIENTS; i++)
        client_free(asking->clients[i]);
    local_close(&asking->local);
}

int answers_ask(const struct invocation *invocation, enum question question, answer_sink *sink, void *context)
{
    struct diag diag = {""};
    struct asking *asking = calloc(1, sizeof *asking);
    int result = 0;

    if (asking == NULL) {
        say("no memory");
        return -ENOMEM;
    }
    asking->invocation = invocation;
    asking->question = question;
    asking->sink = sink;
    asking->sink_context = context;
    result = prepare(asking, &diag);
    if (result == 0) {
        struct batch batch = {.count = invocation->operand_count,
                              .lanes = lane_count(asking),
                              .context = asking,
                              .work = ask,
                              .take = take};
        progress_start(&asking->progress, invocation->command->name, invocation->operand_count);
        result = batch_run(&batch);
        progress_hide(&asking->progress);
        if (result != 0)
            diag_set(&diag, "no threads: %s", strerror(-result));
    }
    if (result != 0)
        say("%s", diag.text);
    else
        result = asking->failed;
    finish(asking);
    free(asking);
    return result;
}

void answer_print_json(const json_t *answer)
{
    json_dumpf(answer, stdout, JSON_COMPACT);
    putchar('\n');
}
