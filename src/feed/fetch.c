#include "prescreen/feed/fetch.h"

#include "prescreen/base/bug.h"

#include "protocol.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_TIMEOUT_MS = 15000, STATUS_OK = 200, STATUS_REDIRECT = 300, STATUS_SERVER = 500 };

struct fetcher {
    struct fetcher_options options;
    CURL *curl;
    struct curl_slist *headers;
};

int fetch_begin(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;
}

void fetch_end(void)
{
    curl_global_cleanup();
}

/* The library keeps a copy; ours does not stay. */
static int add_secret_header(struct fetcher *fetcher, const char *name, const char *secret)
{
    char line[FEED_SECRET_MAX + 64];

    snprintf(line, sizeof line, "%s: %s", name, secret);
    struct curl_slist *longer = curl_slist_append(fetcher->headers, line);
    explicit_bzero(line, sizeof line);
    if (longer == NULL)
        return -ENOMEM;
    fetcher->headers = longer;
    return 0;
}

static int set_secrets(struct fetcher *fetcher)
{
    const struct feed_protocol *protocol = feed_protocol_of(fetcher->options.feed->kind);
    const struct feed_credentials *credentials = fetcher->options.credentials;
    CURL *curl = fetcher->curl;
    int result = 0;

    if (protocol->headers[FEED_SECRET_FIRST] == NULL) {
        if (curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) != CURLE_OK ||
            curl_easy_setopt(curl, CURLOPT_USERNAME, credentials->secrets[FEED_SECRET_FIRST]) != CURLE_OK ||
            curl_easy_setopt(curl, CURLOPT_PASSWORD, credentials->secrets[FEED_SECRET_SECOND]) != CURLE_OK)
            return -ENOMEM;
        return 0;
    }
    for (unsigned int i = 0; result == 0 && i < FEED_SECRET_COUNT; i++)
        result = add_secret_header(fetcher, protocol->headers[i], credentials->secrets[i]);
    if (result == 0 && curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fetcher->headers) != CURLE_OK)
        result = -ENOMEM;
    return result;
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    return bytes_append(context, data, size * count) == 0 ? size * count : 0;
}

static int look_up_from_work(void *context, curl_off_t to_come, curl_off_t come, curl_off_t to_go,
                             curl_off_t gone)
{
    const struct fetcher *fetcher = context;

    (void)to_come;
    (void)come;
    (void)to_go;
    (void)gone;
    return fetcher->options.is_to_stop(fetcher->options.context) ? 1 : 0;
}

/* Every option that makes a call safe must have been taken. */
static int set_options(struct fetcher *fetcher)
{
    const struct config_feed *feed = fetcher->options.feed;
    const long time_ms = (long)(fetcher->options.time_us_max / 1000);
    CURL *curl = fetcher->curl;
    bool taken = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
                                  strncmp(feed->url, "https:", 6) == 0 ? "https" : "http") == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, time_ms) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_USERAGENT, "prescreen/" PRESCREEN_VERSION) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_up_from_work) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_XFERINFODATA, fetcher) == CURLE_OK;

    /* Whoever names who may vouch means nobody else. */
    if (taken && feed->ca_file[0] != '\0')
        taken = curl_easy_setopt(curl, CURLOPT_CAINFO, feed->ca_file) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK;
    return taken ? set_secrets(fetcher) : -ENOMEM;
}

int fetcher_create(const struct fetcher_options *options, struct fetcher **fetcher, struct diag *diag)
{
    struct fetcher *made = calloc(1, sizeof *made);
    int result = -ENOMEM;

    if (made != NULL) {
        made->options = *options;
        made->curl = curl_easy_init();
        result = made->curl == NULL ? -ENOMEM : set_options(made);
    }
    if (result != 0) {
        fetcher_free(made);
        return diag_fail(diag, result, "no memory for a connection");
    }
    *fetcher = made;
    return 0;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    curl_easy_cleanup(fetcher->curl);
    curl_slist_free_all(fetcher->headers);
    free(fetcher);
}

/* What became of a call that got no whole answer. */
static int judge_code(const struct fetcher *fetcher, CURLcode code, struct diag *diag)
{
    static const struct {
        CURLcode code;
        int outcome;
    } lasting[] = {{CURLE_PEER_FAILED_VERIFICATION, FETCH_FAILED},
                   {CURLE_SSL_CACERT_BADFILE, FETCH_FAILED},
                   {CURLE_SSL_ISSUER_ERROR, FETCH_FAILED},
                   {CURLE_UNSUPPORTED_PROTOCOL, FETCH_FAILED},
                   {CURLE_URL_MALFORMAT, FETCH_FAILED},
                   {CURLE_OUT_OF_MEMORY, -ENOMEM}};
    int outcome = FETCH_AGAIN;

    if (code == CURLE_ABORTED_BY_CALLBACK)
        return diag_fail(diag, FETCH_STOPPED, "stopped");
    if (code == CURLE_WRITE_ERROR)
        return diag_fail(diag, FETCH_FAILED, "the answer is larger than limits.feed_page");
    if (code == CURLE_OPERATION_TIMEDOUT)
        return diag_fail(diag, FETCH_AGAIN, "no whole answer in time (limits.feed_time)");
    for (size_t i = 0; i < sizeof lasting / sizeof lasting[0]; i++) {
        if (lasting[i].code == code)
            outcome = lasting[i].outcome;
    }
    return diag_fail(diag, outcome, "no answer from %s: %s", fetcher->options.feed->url,
                     curl_easy_strerror(code));
}

static int judge_status(long status, struct diag *diag)
{
    if (status == STATUS_OK)
        return 0;
    if (status == 401 || status == 403)
        return diag_fail(diag, FETCH_DENIED, "the source answered %ld: it does not take the credentials",
                         status);
    if (status == 408 || status == 429 || status >= STATUS_SERVER)
        return diag_fail(diag, FETCH_AGAIN, "the source answered %ld", status);
    if (status >= STATUS_REDIRECT && status < 400)
        return diag_fail(diag, FETCH_FAILED, "the source answered %ld: redirects are not followed", status);
    return diag_fail(diag, FETCH_FAILED, "the source answered %ld", status);
}

static void read_times(CURL *curl, struct fetch_answer *answer)
{
    struct curl_header *header = NULL;
    curl_off_t asked_s = 0;

    if (curl_easy_header(curl, "Date", 0, CURLH_HEADER, -1, &header) == CURLHE_OK) {
        time_t date = curl_getdate(header->value, NULL);
        answer->date_s = date > 0 ? (uint64_t)date : 0;
    }
    if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &asked_s) == CURLE_OK && asked_s > 0)
        answer->asked_us =
            asked_s > UINT32_MAX ? (uint64_t)UINT32_MAX * 1000000 : (uint64_t)asked_s * 1000000;
}

int fetcher_get(struct fetcher *fetcher, const char *url, struct fetch_answer *answer, struct diag *diag)
{
    struct fetch_answer got = {.date_s = 0};
    long status = 0;
    int result = 0;

    BUG_ON(strncmp(url, fetcher->options.feed->url, strlen(fetcher->options.feed->url)) != 0);
    bytes_init(&got.body, fetcher->options.page_bytes_max);
    CURLcode code = curl_easy_setopt(fetcher->curl, CURLOPT_WRITEDATA, &got.body);
    if (code == CURLE_OK)
        code = curl_easy_setopt(fetcher->curl, CURLOPT_URL, url);
    if (code == CURLE_OK)
        code = curl_easy_perform(fetcher->curl);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(fetcher->curl, CURLINFO_RESPONSE_CODE, &status);
    result = code == CURLE_OK ? judge_status(status, diag) : judge_code(fetcher, code, diag);
    read_times(fetcher->curl, &got);
    if (result != 0)
        bytes_clear(&got.body);
    *answer = got;
    return result;
}
