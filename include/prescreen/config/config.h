/* The configuration: read once, checked to the last key, then never changed. */
#ifndef PRESCREEN_CONFIG_CONFIG_H
#define PRESCREEN_CONFIG_CONFIG_H

#include "prescreen/base/diag.h"
#include "prescreen/base/vocabulary.h"
#include "prescreen/hash/hashes.h"
#include "prescreen/policy/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    CONFIG_NAME_MAX = 64,   /* bytes of a key's or profile's name: A-Z a-z 0-9 . _ - */
    CONFIG_PATH_MAX = 4096, /* with its terminator */
    CONFIG_KEYS_MAX = 1000,
    CONFIG_PROFILES_MAX = 1000,
    CONFIG_WORKERS_MAX = 1024,
    CONFIG_LISTS_MAX = 1000,
    CONFIG_CLASSES_MAX = 1000,      /* with one meaning */
    CONFIG_CLASS_MAX = 64,          /* bytes, printable UTF-8 */
    CONFIG_COLUMN_MAX = 64,         /* bytes, printable UTF-8 */
    CONFIG_SIGNATURE_KEY_SIZE = 32, /* bytes */
    CONFIG_FEEDS_MAX = 100,
    CONFIG_FEED_LISTS_MAX = 16, /* of one feed */
    CONFIG_URL_MAX = 1024,      /* with its terminator */
    CONFIG_FILE_MAX = 1 << 20,  /* bytes */
    CONFIG_LIMIT_TEXT_SIZE = 32
};

struct config_key {
    char name[CONFIG_NAME_MAX + 1];
    uint8_t sha256[SHA256_SIZE]; /* of the key's text */
    unsigned int rights;         /* set of enum right */
};

/* What one surface of the platform gets. Each value is the last that is said in this order: the built-in
 * defaults, the file's profile "default", the profile itself; then, over all of these, the audience's
 * overrides in the same order. In `on`, media.limit stands for the four media.limit.* that the same map does
 * not name. */
struct config_profile {
    char name[CONFIG_NAME_MAX + 1];
    struct policy_rules rules[AUDIENCE_COUNT]; /* the profile's own, with each audience's overrides applied */
    char version[17]; /* first 16 hex digits of the SHA-256 of all effective values: the policy_version */
};

/* What a category or classification of a list file means: one of enum list_action, or this. */
enum { CLASS_IGNORED = ACTION_COUNT, CLASS_MEANING_COUNT };

struct config_class {
    char name[CONFIG_CLASS_MAX + 1]; /* "none": what has no class */
    unsigned int meaning;
};

/* What is said of one list beyond what the store keeps of it. */
struct config_list {
    char name[CONFIG_NAME_MAX + 1];
    bool is_signed; /* its entries change only by files with a signature by signature_key */
    uint8_t signature_key[CONFIG_SIGNATURE_KEY_SIZE]; /* Ed25519 */
    bool has_columns;
    char columns[COLUMN_COUNT][CONFIG_COLUMN_MAX + 1]; /* what its CSV files call each; "" = they have none */
    struct config_class *classes;                      /* by name */
    size_t class_count;                                /* 0: its files have none that matter */
};

/* Who offers a list, and by which protocol. */
enum feed_kind { FEED_NCMEC, FEED_STOPNCII, FEED_KIND_COUNT };

/* "ncmec", "stopncii". The value must be in range. Static storage. */
const char *feed_kind_name(enum feed_kind kind);

/* Where lists are fetched from. Only the program that does so reads the file of credentials. */
struct config_feed {
    char name[CONFIG_NAME_MAX + 1];
    enum feed_kind kind;
    char url[CONFIG_URL_MAX]; /* of its base, without a slash at the end: https, or http on this machine */
    char credentials[CONFIG_PATH_MAX]; /* a path from /, or a name in systemd's folder of credentials */
    char ca_file[CONFIG_PATH_MAX];     /* PEM of who may vouch for it; "" = whom the system trusts */
    char lists[CONFIG_FEED_LISTS_MAX][CONFIG_NAME_MAX + 1]; /* that are fed */
    size_t list_count;
    uint64_t interval_us; /* from one pull to the next */
    uint64_t retry_us;    /* the first wait after a call that failed */
    bool skip_bad;        /* bad records are left out instead of refusing the pull */
};

enum listen_kind { LISTEN_NONE, LISTEN_TCP, LISTEN_UNIX };

struct config_listen {
    enum listen_kind kind;
    char host[256]; /* numeric IPv4, IPv6 without brackets, or "localhost" */
    uint16_t port;  /* 0 = any free one */
    char path[108]; /* of a unix socket, absolute */
    bool loopback;  /* only this machine can reach it: also true of a unix socket */
};

struct config_limits {
    uint64_t body_bytes, import_bytes, pixels, frames, worker_memory_bytes, job_time_us, upload_time_us;
    uint64_t connections, queue, queue_time_us;
    uint64_t history;
    uint64_t flood_window_us, flood_matches, flood_factor;
    uint64_t snapshot_interval_us;
    uint64_t cache_bytes; /* 0 = nothing is kept */
    uint64_t feed_page_bytes, feed_time_us;
};

struct config {
    struct config_listen listen, admin_listen;
    char data_dir[CONFIG_PATH_MAX];
    unsigned int workers;      /* resolved: at least 1 */
    unsigned int heif_workers; /* resolved: at least 1 */
    struct config_limits limits;
    struct config_key *keys;
    size_t key_count;
    struct config_list *lists; /* by name */
    size_t list_count;
    struct config_feed *feeds; /* in the order of the file */
    size_t feed_count;
    struct config_profile *profiles; /* by name; always has "default" */
    size_t profile_count;
    char origin[CONFIG_PATH_MAX]; /* the file, or "built-in defaults" */
};

enum config_unit { UNIT_BYTES, UNIT_COUNT, UNIT_TIME };

/* One row per limit: configuration, --help, documentation and metrics are made from this table. */
struct config_limit_row {
    const char *name; /* below limits: in the file */
    uint64_t minimum, standard, maximum;
    enum config_unit unit;
    size_t offset; /* of its uint64_t in struct config_limits */
    const char *reason;
};
extern const struct config_limit_row config_limit_rows[];
extern const size_t config_limit_count;

/* Writes a value of the row's unit as the file would spell it: "32MiB", "500", "2s". */
void config_limit_format(const struct config_limit_row *row, uint64_t value,
                         char text[CONFIG_LIMIT_TEXT_SIZE]);

/* Prints the table for --help: a line for each limit with its default, range and reason. */
void config_describe_limits(FILE *stream);

/* Reads path (NULL: /etc/prescreen/prescreen.yaml when it exists, else the built-in defaults), then
 * PRESCREEN_LISTEN, PRESCREEN_DATA_DIR and PRESCREEN_WORKERS. A key that the file does not set has its
 * built-in default, which is what config/prescreen.yaml says. Returns 0 or a negative errno with diag as
 * "FILE:LINE: KEY: what is wrong and what is allowed", or "VARIABLE: ..." for the environment; nothing of a
 * key's sha256 is repeated in it, because people paste the key itself there. Ownership: *config is the
 * caller's, freed by config_free(). */
int config_load(const char *path, struct config **config, struct diag *diag);

/* The same for a text in memory, without the environment. An empty text gives the built-in defaults. */
int config_parse(const char *text, size_t size, const char *origin, struct config **config,
                 struct diag *diag);
void config_free(struct config *config);

/* NULL when there is none. */
const struct config_profile *config_find_profile(const struct config *config, const char *name);
const struct config_list *config_find_list(const struct config *config, const char *name);

/* What a class of the list's files means; false when that is not said. */
bool config_find_class(const struct config_list *list, const char *name, unsigned int *meaning);

#endif
