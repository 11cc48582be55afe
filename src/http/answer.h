/* An answer on its way to the client. */
#ifndef PRESCREEN_HTTP_ANSWER_H
#define PRESCREEN_HTTP_ANSWER_H

#include "problem.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

enum { ALLOW_SIZE = 64, LOCATION_SIZE = 96 };

struct answer {
    unsigned int status; /* 0 = none yet */
    char *body;          /* owned; NULL only while there is none */
    size_t size;
    const char *content_type;     /* static storage */
    unsigned int retry_after_s;   /* 0 = no Retry-After */
    char allow[ALLOW_SIZE];       /* "" = no Allow */
    char location[LOCATION_SIZE]; /* "" = no Location */
    bool challenge;               /* add WWW-Authenticate */
    bool last;                    /* close the connection afterwards */
};

/* Sets status and a JSON body, whose ownership is taken; an earlier body is freed. NULL becomes a 500 without
 * words (no memory was left for them). */
void answer_set_json(struct answer *answer, unsigned int status, char *json);

/* The same for a body of another type, which is static storage. */
void answer_set_text(struct answer *answer, char *body, size_t size, const char *content_type);

/* The same for a problem. */
void answer_set_problem(struct answer *answer, enum problem problem, const char *detail,
                        const char *request_id);

/* Hands the answer to the HTTP library, which takes the body. False when it cannot be queued: the connection
 * is to be closed. */
bool answer_queue(struct answer *answer, struct MHD_Connection *connection, const char *request_id);

enum { ANSWER_TEXT_MAX = 4096 };

/* Writes the answer as a whole HTTP/1.1 response that closes the connection, for a socket that the HTTP
 * library would not answer any more. Returns its bytes, 0 when they do not fit. */
size_t answer_format(const struct answer *answer, const char *request_id, char text[ANSWER_TEXT_MAX]);

void answer_clear(struct answer *answer);

#endif
