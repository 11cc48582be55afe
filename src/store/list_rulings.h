/* Rulings as the parts of the list store that change entries see them. */
#ifndef PRESCREEN_STORE_LIST_RULINGS_H
#define PRESCREEN_STORE_LIST_RULINGS_H

#include "list_store.h"

/* Ends the rulings about entries of the list whose hashes have become others. Call it within the transaction
 * of a change, after its entries; version, time and who are the change's. Sets change->lapsed. Cost: by the
 * number of rulings about the list. */
int list_rulings_lapse(sqlite3 *db, const struct list_history *history, uint64_t version,
                       struct list_change *change, struct diag *diag);

/* Ends every ruling about a list that ends. */
int list_rulings_end(sqlite3 *db, const struct list_history *history, uint64_t version, struct diag *diag);

/* The words of history for rulings: they leave the entries of a list as they are. */
bool list_rulings_made(const char *what);

#endif
