#include "list_rulings.h"

#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"
#include "prescreen/store/rulings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What each act needs and what comes of it. */
static const struct act_row {
    const char *what;        /* in the history */
    enum entry_ruling needs; /* RULING_NONE: any */
    enum entry_ruling becomes;
    bool needs_note;
    bool yields; /* to any ruling that there is */
} act_rows[RULING_ACT_COUNT] = {
    [RULING_ACT_EXEMPT] = {"exempt", RULING_NONE, RULING_EXEMPT, true, false},
    [RULING_ACT_LIFT] = {"lift exemption", RULING_EXEMPT, RULING_NONE, false, false},
    [RULING_ACT_SET_ASIDE] = {"set aside", RULING_NONE, RULING_SET_ASIDE, false, false},
    [RULING_ACT_FLOOD] = {"set aside by flood guard", RULING_NONE, RULING_SET_ASIDE, false, true},
    [RULING_ACT_RELEASE] = {"release", RULING_SET_ASIDE, RULING_CONFIRMED, false, false},
};

/* One call while it is carried out. */
struct ruling_work {
    sqlite3 *db;
    const struct ruling_call *call;
    const struct act_row *act;
    struct list_info info;
    uint64_t version; /* that is being made */
    uint64_t at_us;
    sqlite3_stmt *find, *end, *add;
    struct list_change change;
};

/* What stands about one entry. */
struct standing_ruling {
    enum entry_ruling ruling; /* RULING_NONE: nothing */
    int64_t id;
    bool present; /* the entry is in force */
    bool same_note;
};

bool list_rulings_made(const char *what)
{
    for (int act = 0; act < RULING_ACT_COUNT; act++) {
        if (strcmp(what, act_rows[act].what) == 0)
            return true;
    }
    return false;
}

static int check_call(const struct ruling_call *call, const struct act_row *act, struct diag *diag)
{
    if (call->count == 0 || call->count > RULED_AT_ONCE_MAX)
        return diag_fail(diag, LIST_STORE_REFUSED, "%zu entries are named; 1 to %d may be", call->count,
                         RULED_AT_ONCE_MAX);
    if (strlen(call->note) > RULING_NOTE_MAX || !text_is_printable_utf8(call->note, strlen(call->note)))
        return diag_fail(diag, LIST_STORE_REFUSED,
                         "note: not UTF-8 text of at most %d bytes without control characters",
                         RULING_NOTE_MAX);
    if (act->needs_note && call->note[0] == '\0')
        return diag_fail(diag, LIST_STORE_REFUSED, "note: an exemption must say why it is made");
    return 0;
}

static int prepare(struct ruling_work *work, struct diag *diag)
{
    int result = database_prepare(work->db,
                                  "SELECT (SELECT ruling FROM ruling INDEXED BY ruling_in_force WHERE list = "
                                  "?1 AND entry_id = ?2 AND until IS"
                                  " NULL), (SELECT id FROM ruling INDEXED BY ruling_in_force WHERE list = ?1 "
                                  "AND entry_id = ?2 AND until IS NULL),"
                                  " (SELECT note = ?3 FROM ruling INDEXED BY ruling_in_force WHERE list = ?1 "
                                  "AND entry_id = ?2 AND until IS NULL),"
                                  " EXISTS (SELECT 1 FROM entry INDEXED BY entry_in_force WHERE list = ?1 "
                                  "AND entry_id = ?2 AND until IS NULL)",
                                  &work->find, diag);

    if (result == 0)
        result =
            database_prepare(work->db,
                             "UPDATE ruling SET until = ?1, ended_us = ?2, ended_by = ?3, ended_note = ?4,"
                             " ending = ?5 WHERE id = ?6",
                             &work->end, diag);
    if (result == 0)
        result = database_prepare(
            work->db,
            "INSERT INTO ruling(list, entry_id, ruling, since, at_us, who, note, md5, sha1, sha256, pdq)"
            " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, md5, sha1, sha256, pdq FROM"
            " (SELECT md5, sha1, sha256, pdq FROM entry INDEXED BY entry_in_force"
            "  WHERE list = ?1 AND entry_id = ?2 AND until IS NULL"
            "  UNION ALL SELECT md5, sha1, sha256, pdq FROM (SELECT * FROM ruling WHERE list = ?1 AND "
            "entry_id = ?2"
            "  ORDER BY id DESC LIMIT 1)) LIMIT 1",
            &work->add, diag);
    return result;
}

static void finalize(struct ruling_work *work)
{
    sqlite3_finalize(work->find);
    sqlite3_finalize(work->end);
    sqlite3_finalize(work->add);
}

static int read_standing(struct ruling_work *work, struct standing_ruling *standing, struct diag *diag)
{
    const char *name = (const char *)sqlite3_column_text(work->find, 0);
    struct standing_ruling read = {.ruling = RULING_NONE,
                                   .id = sqlite3_column_int64(work->find, 1),
                                   .same_note = sqlite3_column_int(work->find, 2) == 1,
                                   .present = sqlite3_column_int(work->find, 3) == 1};

    if (name != NULL && !entry_ruling_parse(name, &read.ruling))
        return database_damaged(work->db, diag);
    *standing = read;
    return 0;
}

static int find_standing(struct ruling_work *work, const char *entry_id, struct standing_ruling *standing,
                         struct diag *diag)
{
    struct database_binder binder = database_bind(work->find);

    bind_number(&binder, work->info.number);
    bind_text(&binder, entry_id);
    bind_text(&binder, work->call->note);
    int result = database_bound(&binder, diag);
    if (result == 0)
        result = database_step(work->find, diag);
    if (result == DATABASE_ROW)
        result = read_standing(work, standing, diag);
    sqlite3_reset(work->find);
    return result;
}

static int end_standing(struct ruling_work *work, const struct standing_ruling *standing, struct diag *diag)
{
    struct database_binder binder = database_bind(work->end);

    bind_number(&binder, (int64_t)work->version);
    bind_number(&binder, (int64_t)work->at_us);
    bind_text(&binder, work->call->who);
    bind_text(&binder, work->call->note);
    bind_text(&binder, work->act->becomes == RULING_NONE ? "lifted" : "replaced");
    bind_number(&binder, standing->id);
    int result = database_bound(&binder, diag);
    return result != 0 ? result : database_run(work->end, diag);
}

/* With the hashes of the entry, or, when it is not on the list at this time, those of the ruling before. */
static int add_ruling(struct ruling_work *work, const char *entry_id, struct diag *diag)
{
    struct database_binder binder = database_bind(work->add);

    bind_number(&binder, work->info.number);
    bind_text(&binder, entry_id);
    bind_text(&binder, entry_ruling_name(work->act->becomes));
    bind_number(&binder, (int64_t)work->version);
    bind_number(&binder, (int64_t)work->at_us);
    bind_text(&binder, work->call->who);
    bind_text(&binder, work->call->note);
    int result = database_bound(&binder, diag);
    return result != 0 ? result : database_run(work->add, diag);
}

static int check_entry(const struct ruling_work *work, const char *entry_id,
                       const struct standing_ruling *standing, struct diag *diag)
{
    const char *shown = text_is_printable_utf8(entry_id, strlen(entry_id)) ? entry_id : "of this name";
    const char *list = work->info.properties.name;

    if (work->act->needs != RULING_NONE && standing->ruling != work->act->needs)
        return diag_fail(diag, LIST_STORE_NOT_FOUND, "list %s has no entry %.80s that is %s", list, shown,
                         work->act->needs == RULING_EXEMPT ? "exempt" : "set aside");
    if (work->act->needs == RULING_NONE && !standing->present)
        return diag_fail(diag, LIST_STORE_NOT_FOUND, "list %s has no entry %.80s", list, shown);
    return 0;
}

static int rule_entry(struct ruling_work *work, const char *entry_id, struct diag *diag)
{
    struct standing_ruling standing = {.ruling = RULING_NONE};
    int result = find_standing(work, entry_id, &standing, diag);

    if (result == 0 && work->act->yields && (standing.ruling != RULING_NONE || !standing.present)) {
        work->change.unchanged++;
        return 0;
    }
    if (result == 0)
        result = check_entry(work, entry_id, &standing, diag);
    if (result != 0)
        return result;
    if (standing.ruling == work->act->becomes && standing.same_note) {
        work->change.unchanged++;
        return 0;
    }
    work->change.changed++;
    if (standing.ruling != RULING_NONE)
        result = end_standing(work, &standing, diag);
    if (result == 0 && work->act->becomes != RULING_NONE)
        result = add_ruling(work, entry_id, diag);
    return result;
}

static int check_exemptions(struct ruling_work *work, struct diag *diag)
{
    int64_t count = 0;
    int result =
        database_query(work->db, "SELECT count(*) FROM ruling WHERE until IS NULL AND ruling = 'exempt'",
                       NULL, 0, &count, 1, diag);

    if (result != 0 || count <= EXEMPTIONS_MAX || work->act->becomes != RULING_EXEMPT)
        return result;
    return diag_fail(
        diag, LIST_STORE_REFUSED,
        "more than %d exemptions: remove such entries from their list, or lift those that are not needed",
        EXEMPTIONS_MAX);
}

/* The list keeps its updated_us: a ruling is no news from its source. */
static int note_version(struct ruling_work *work, struct diag *diag)
{
    const int64_t values[] = {(int64_t)work->version, work->info.number};
    const struct list_history history = {.at_us = work->at_us,
                                         .who = work->call->who,
                                         .what = work->act->what,
                                         .list = work->info.number,
                                         .properties = &work->info.properties,
                                         .change = &work->change};
    int result =
        database_execute(work->db, "UPDATE list SET version = ?1 WHERE number = ?2", values, 2, diag);

    if (result == 0)
        result = list_history_add(work->db, work->version, &history, diag);
    return result;
}

static int rule_in_transaction(struct ruling_work *work, struct list_store *store, struct diag *diag)
{
    uint64_t last_row = 0;
    int result = list_store_find(work->db, work->call->list, &work->info, diag);

    if (result == 0)
        result = list_history_last(work->db, &work->version, &last_row, diag);
    if (result == 0)
        result = prepare(work, diag);
    work->change.lists_version = work->version++;
    for (size_t i = 0; result == 0 && i < work->call->count; i++)
        result = rule_entry(work, work->call->entry_ids[i], diag);
    if (result == 0)
        result = check_exemptions(work, diag);
    if (result != 0 || work->change.changed == 0)
        return result;
    work->change.lists_version = work->version;
    result = note_version(work, diag);
    if (result == 0)
        result = list_store_forget(work->db, store, work->info.number, &work->change, diag);
    return result != 0 ? result : list_store_commit(store, work->db, work->version, diag);
}

int list_store_rule(struct list_store *store, const struct ruling_call *call, struct list_change *change,
                    struct diag *diag)
{
    struct ruling_work work = {.call = call, .act = &act_rows[call->act], .at_us = clock_wall_us()};
    int result = check_call(call, work.act, diag);

    if (result == 0)
        result = list_store_connect(store, &work.db, diag);
    if (result == 0) {
        result = database_begin(work.db, diag);
        if (result == 0)
            result = rule_in_transaction(&work, store, diag);
        result = list_store_outcome(result, diag);
        finalize(&work);
        database_rollback(work.db);
    }
    database_close(work.db);
    if (result == 0)
        *change = work.change;
    return result;
}

/* Ends rulings by a condition of the row; gives how many. */
static int end_rulings(sqlite3 *db, const char *sql, const struct list_history *history, uint64_t version,
                       uint64_t *count, struct diag *diag)
{
    sqlite3_stmt *statement = NULL;
    int result = database_prepare(db, sql, &statement, diag);

    if (result == 0) {
        struct database_binder binder = database_bind(statement);

        bind_number(&binder, history->list);
        bind_number(&binder, (int64_t)version);
        bind_number(&binder, (int64_t)history->at_us);
        bind_text(&binder, history->who);
        result = database_bound(&binder, diag);
        if (result == 0)
            result = database_run(statement, diag);
        if (result == 0)
            *count = (uint64_t)sqlite3_changes64(db);
    }
    sqlite3_finalize(statement);
    return result;
}

#define DIFFERS(kind) "coalesce(now." kind " <> ruling." kind ", 0)"
#define EQUALS(kind)  "coalesce(now." kind " = ruling." kind ", 0)"
#define EACH(relation, word)                                                                                 \
    "(" relation("md5") word relation("sha1") word relation("sha256") word relation("pdq") ")"

/* The same picture still: some hash that the ruling knew is the same, and none has another value. */
int list_rulings_lapse(sqlite3 *db, const struct list_history *history, uint64_t version,
                       struct list_change *change, struct diag *diag)
{
    return end_rulings(db,
                       "UPDATE ruling SET until = ?2, ended_us = ?3, ended_by = ?4, ending = 'lapsed'"
                       " WHERE list = ?1 AND until IS NULL AND EXISTS (SELECT 1 FROM entry AS now INDEXED BY"
                       " entry_in_force WHERE now.list = ?1 AND now.until IS NULL AND now.entry_id ="
                       " ruling.entry_id AND (" EACH(DIFFERS, " OR ") " OR NOT " EACH(EQUALS, " OR ") "))",
                       history, version, &change->lapsed, diag);
}

int list_rulings_end(sqlite3 *db, const struct list_history *history, uint64_t version, struct diag *diag)
{
    uint64_t count = 0;

    return end_rulings(db,
                       "UPDATE ruling SET until = ?2, ended_us = ?3, ended_by = ?4, ending = 'list deleted'"
                       " WHERE list = ?1 AND until IS NULL",
                       history, version, &count, diag);
}

/* Where the rulings of one reading go. */
struct ruling_reading {
    int (*on_ruled)(void *context, const struct entry_ruled *ruled);
    void *context;
};

static int give_ruled(void *context, sqlite3_stmt *row, struct diag *diag)
{
    const struct ruling_reading *reading = context;
    struct entry_ruled ruled = {.version = (uint64_t)sqlite3_column_int64(row, 2),
                                .at_us = (uint64_t)sqlite3_column_int64(row, 3),
                                .lapsed = sqlite3_column_type(row, 6) != SQLITE_NULL,
                                .lapsed_us = (uint64_t)sqlite3_column_int64(row, 6),
                                .present = sqlite3_column_int(row, 7) == 1};
    const char *who = (const char *)sqlite3_column_text(row, 4);
    const char *ruling = (const char *)sqlite3_column_text(row, 1);
    int result = list_store_read_text(row, 0, ruled.entry_id, sizeof ruled.entry_id, diag);

    if (result == 0)
        result = list_store_read_text(row, 5, ruled.note, sizeof ruled.note, diag);
    if (result == 0 && (ruling == NULL || !entry_ruling_parse(ruling, &ruled.ruling)))
        result = database_damaged(sqlite3_db_handle(row), diag);
    /* Names of keys may be longer than what is shown of them. */
    snprintf(ruled.who, sizeof ruled.who, "%s", who != NULL ? who : "");
    return result != 0 ? result : reading->on_ruled(reading->context, &ruled);
}

static int give_rulings(sqlite3 *db, const char *name, enum entry_ruling ruling,
                        struct ruling_reading *reading, struct diag *diag)
{
    struct list_info info;
    int result = list_store_outcome(list_store_find(db, name, &info, diag), diag);
    const int64_t values[] = {info.number};
    char *sql = NULL;

    if (result != 0)
        return result;
    sql = sqlite3_mprintf(
        "SELECT entry_id, ruling, since, at_us, who, note, ended_us,"
        " EXISTS (SELECT 1 FROM entry INDEXED BY entry_in_force WHERE list = ?1 AND until IS NULL"
        " AND entry_id = ruling.entry_id)"
        " FROM ruling WHERE list = ?1 AND ruling = %Q AND (until IS NULL OR ending = 'lapsed')"
        " AND NOT EXISTS (SELECT 1 FROM ruling AS newer WHERE newer.list = ?1"
        " AND newer.entry_id = ruling.entry_id AND newer.id > ruling.id) ORDER BY entry_id",
        entry_ruling_name(ruling));
    if (sql == NULL)
        return diag_fail(diag, -ENOMEM, "out of memory");
    result = database_each(db, sql, values, 1, give_ruled, reading, diag);
    sqlite3_free(sql);
    return result;
}

int list_store_each_ruled(struct list_store *store, const char *name, enum entry_ruling ruling,
                          int (*on_ruled)(void *context, const struct entry_ruled *ruled), void *context,
                          struct diag *diag)
{
    struct ruling_reading reading = {.on_ruled = on_ruled, .context = context};
    sqlite3 *db = NULL;
    int result = list_store_connect(store, &db, diag);

    if (result == 0)
        result = database_exec(db, "BEGIN", diag);
    if (result == 0)
        result = give_rulings(db, name, ruling, &reading, diag);
    database_close(db);
    return result;
}
