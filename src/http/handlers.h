/* What the rows of the route table do: see struct route for the contract of each kind. */
#ifndef PRESCREEN_HTTP_HANDLERS_H
#define PRESCREEN_HTTP_HANDLERS_H

#include "request.h"

/* routes_screen.c */
enum problem screen_begin(struct request *request);
enum problem hash_begin(struct request *request);
enum problem upload_take(struct request *request, const void *data, size_t size);
enum problem screen_finish(struct request *request);
enum problem hash_finish(struct request *request);
void upload_clear(struct request *request);

/* routes_match.c */
enum problem match_finish(struct request *request);

/* routes_lists.c */
enum problem lists_finish(struct request *request);
enum problem list_get_finish(struct request *request);
enum problem list_put_finish(struct request *request);
enum problem list_delete_finish(struct request *request);

/* routes_entries.c */
enum problem entries_finish(struct request *request);

/* routes_import.c */
enum problem import_begin(struct request *request);
enum problem import_take(struct request *request, const void *data, size_t size);
enum problem import_finish(struct request *request);
void import_clear(struct request *request);

/* routes_history.c */
enum problem history_finish(struct request *request);
enum problem revert_finish(struct request *request);

/* routes_rulings.c */
enum problem exemptions_finish(struct request *request);
enum problem exempt_finish(struct request *request);
enum problem lift_finish(struct request *request);
enum problem set_aside_list_finish(struct request *request);
enum problem set_aside_finish(struct request *request);
enum problem release_finish(struct request *request);

/* routes_operation.c */
enum problem health_finish(struct request *request);
enum problem ready_finish(struct request *request);
enum problem metrics_finish(struct request *request);
enum problem openapi_finish(struct request *request);

#endif
