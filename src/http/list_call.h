/* What the calls on lists have in common. */
#ifndef PRESCREEN_HTTP_LIST_CALL_H
#define PRESCREEN_HTTP_LIST_CALL_H

#include "request.h"

#include <jansson.h>

/* Judges what a call of the list store returned; request->diag is its diag. */
enum problem list_judge(struct request *request, int outcome);

/* The list of the path must exist. */
enum problem list_find(struct request *request, struct list_info *info);

/* Brings a change that is durable into force and into the log, and answers with it. what names the change in
 * the log. more: members of the answer beyond those of every change, taken; NULL when there are none. */
enum problem list_reply_changed(struct request *request, const char *what, unsigned int status,
                                const struct list_change *change, json_t *more);

/* Answers with a change that was not made. more is taken. */
enum problem list_reply_preview(struct request *request, const struct list_change *change, json_t *more);

/* A list as JSON; NULL on -ENOMEM. */
json_t *list_to_json(const struct list_info *info);

#endif
