/* A folder of its own for a test of a store, and the store's files seen from outside. */
#ifndef PRESCREEN_TESTS_UNIT_STORE_FOLDER_H
#define PRESCREEN_TESTS_UNIT_STORE_FOLDER_H

#include <check.h>
#include <dirent.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct store_folder {
    char path[256];
};

/* Makes an empty folder. */
static inline struct store_folder make_folder(void)
{
    struct store_folder folder;
    const char *parent = getenv("TMPDIR");

    snprintf(folder.path, sizeof folder.path, "%.200s/prescreen-store-XXXXXX",
             parent != NULL ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder.path));
    return folder;
}

/* The path of a file in the folder; static storage. */
static inline const char *file_in(const struct store_folder *folder, const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return path;
}

/* The names in the folder, sorted, each followed by a space; static storage. */
static inline const char *names_in(const struct store_folder *folder)
{
    static char names[1024];
    struct dirent **items = NULL;
    int count = scandir(folder->path, &items, NULL, alphasort);

    ck_assert_int_ge(count, 0);
    names[0] = '\0';
    for (int i = 0; i < count; i++) {
        if (items[i]->d_name[0] != '.')
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s ", items[i]->d_name);
        free(items[i]);
    }
    free(items);
    return names;
}

static inline void remove_folder(const struct store_folder *folder)
{
    DIR *items = opendir(folder->path);
    const struct dirent *item;

    ck_assert_ptr_nonnull(items);
    while ((item = readdir(items)) != NULL)
        unlinkat(dirfd(items), item->d_name, 0);
    closedir(items);
    ck_assert_int_eq(rmdir(folder->path), 0);
}

static inline unsigned int mode_of(const char *path)
{
    struct stat status;

    ck_assert_msg(stat(path, &status) == 0, "%s", path);
    return status.st_mode & 0777;
}

/* Runs SQL on a file behind the store's back. Returns SQLite's code. */
static inline int run_sql(const struct store_folder *folder, const char *file, const char *sql)
{
    sqlite3 *db = NULL;

    ck_assert_int_eq(sqlite3_open(file_in(folder, file), &db), SQLITE_OK);
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    return code;
}

/* The one text or number that a query gives; static storage. */
static inline const char *ask_sql(const struct store_folder *folder, const char *file, const char *sql)
{
    static char answer[4096];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;

    ck_assert_int_eq(sqlite3_open(file_in(folder, file), &db), SQLITE_OK);
    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    answer[0] = '\0';
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != NULL)
        snprintf(answer, sizeof answer, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer;
}

#endif
