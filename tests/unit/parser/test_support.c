/* SPDX-License-Identifier: Apache-2.0 */
/* docs/compose-support.md is made from the key tables: this test writes it (WINCH_GOLDEN_WRITE=1, `make golden`) and else
 * checks that the file says what the tables say. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/fd.h"
#include "base/str.h"
#include "parser/schema.h"

static const char intro[] =
    "<!-- made from the tables in parser/schema_*.c by `make golden`: do not edit -->\n"
    "# What winch does with each key of Compose\n"
    "\n"
    "`runs`: does what the Compose Specification says. `accepted`: read, checked and printed by `config`, without effect on\n"
    "one host; `winch up` goes on. `refused`: read, checked and printed by `config`; `winch up` ends with an error that names\n"
    "the key and its place. Nothing is ignored in silence. Unknown keys are errors; `x-…` keys are kept.\n"
    "\n"
    "Some values of running keys are refused, too: network drivers other than `bridge`, volume drivers other than `local`,\n"
    "log drivers other than `json-file`, `local`, `none`, `journald` and `syslog` (see Logging), `network_mode: bridge`,\n"
    "mounts of type `image`, `npipe` and `cluster`, platforms other than the host's, `userns_mode` other than `host`,\n"
    "`security_opt` other than `no-new-privileges`, `seccomp=`, `apparmor=` and `systempaths=unconfined`, publishing sctp\n"
    "ports, `storage_opt` other than `size`, device requests by drivers other than `nvidia`, `amd` and `cdi`, and `build`\n"
    "without `image`.\n"
    "\n"
    "A limit that this host cannot keep (a controller or file that is not there, a value that the kernel changed, keys that\n"
    "cgroup v2 has no equal for: `mem_swappiness`, `oom_kill_disable`, `cpu_rt_…`) is a warning of `winch up`, and with\n"
    "`--strict` an error.\n"
    "\n"
    "## Logging\n"
    "\n"
    "`json-file` (the default) and `local` keep JSON lines in numbered files and obey `max-size` (default 10m; `-1`: no limit),\n"
    "`max-file` (3), `compress` (false) and `mode: blocking`; `local` has defaults of its own (20m, 5, true) and `json-file` puts\n"
    "`tag`, `labels` and `env` into each line. `journald` (native protocol, fields as docker's driver has them) and `syslog`\n"
    "(`syslog-address`: `udp://`, `tcp://` with a numeric address or localhost, `unix://PATH`; `syslog-facility`; `syslog-format`:\n"
    "`rfc3164`, `rfc5424`, `rfc5424micro`) take `tag`, `labels`, `env`, `max-buffer-size` (1m) and keep files beside, so that\n"
    "`winch logs` works: `cache-disabled`, `cache-max-size`, `cache-max-file`, `cache-compress`. A peer that is slow or away never\n"
    "holds a container up: what does not fit into the buffer is dropped, counted in `winch ps` and told to the peer later.\n"
    "Refused by name: `*-regex`, `syslog-tls-*`, `tcp+tls`, host names other than localhost, other drivers.\n"
    "\n"
    "## Kinder than the reference implementation\n"
    "\n"
    "- `v:/data`: a one-letter volume name is a volume, not a Windows drive.\n"
    "- `user: 1000` needs no quotes.\n"
    "- `\"::1:6000:6000\"` in ports: a bare IPv6 address is read as the specification shows it.\n"
    "- `create_host_path: false` and `ipam.options` survive `config`.\n"
    "- A date without quotes (`RELEASED: 2024-01-02`) in `environment`, `labels` and the like is its text.\n"
    "- Two entries of `volumes` with the same target in one file: the later one counts, as elsewhere, with a warning.\n"
    "- `include` and `extends` of remote files (git, OCI) are refused.\n"
    "\n"
    "## Limits\n"
    "\n"
    "A file, whoever wrote it, is refused with a position instead of taking the machine down. One compose file has at most\n"
    "8 MiB, 36 MiB of values with what aliases make of them, 64 levels and keys of 64 KiB; one environment file 2 MiB and,\n"
    "interpolated, 16 MiB; one interpolated value 4 MiB and 100 variables in one another; a load 32 includes or extends in\n"
    "a row, 1,000 files of them, and 160 MiB in all. The first 500 errors are shown. 5,000 services are no problem.\n"
    "\n";

static const char *status_text(const struct key_row *row)
{
    static const char *const words[] = {[STATUS_RUNS] = "runs", [STATUS_ACCEPTED] = "accepted", [STATUS_REFUSED] = "refused"};
    return words[row->status];
}

static const char *kind_text(const struct key_row *row)
{
    static const char *const words[] = {
        [VALUE_ANY] = "any", [VALUE_STRING] = "string", [VALUE_INT] = "integer", [VALUE_NUMBER] = "number",
        [VALUE_BOOL] = "boolean", [VALUE_BYTES] = "size", [VALUE_DURATION] = "duration", [VALUE_LIST] = "list",
        [VALUE_KV] = "mapping or list", [VALUE_COMMAND] = "string or list", [VALUE_OBJECT] = "mapping",
        [VALUE_LIST_OF] = "list of mappings", [VALUE_MAP_OF] = "mapping of names", [VALUE_SHAPED] = "own form",
    };
    if (row->kind == VALUE_KV && row->flags & KEY_MAP_ONLY)
        return "mapping";
    return row->kind == VALUE_LIST && row->flags & KEY_OR_STRING ? "string or list" : words[row->kind];
}

static const char *merge_text(const struct key_row *row)
{
    static const char *const words[] = {
        [MERGE_REPLACE] = "replaced", [MERGE_DEEP] = "key by key", [MERGE_APPEND] = "appended",
        [MERGE_UNIQUE] = "appended, no duplicates", [MERGE_UNIQUE_KEY] = "appended, no duplicates before `=`",
        [MERGE_BY_ID] = "same identity replaces", [MERGE_BY_ID_DEEP] = "same identity merges",
        [MERGE_FORM] = "key by key, another form replaces",
        [MERGE_LOGGING] = "key by key if the driver is the same",
    };
    return words[row->merge];
}

static void add_rows(struct str *out, const struct key_table *table, const char *prefix, enum key_status above)
{
    for (size_t i = 0; i < table->count; i++) {
        struct key_row row = table->rows[i];
        _cleanup_free_ char *name = xasprintf("%s%s", prefix, row.name);
        if (above > row.status)
            row.status = above;
        str_addf(out, "| `%s` | %s | %s | %s | %s |\n", name, kind_text(&row), merge_text(&row), status_text(&row),
                 row.note ? row.note : "");
        if (!row.table)
            continue;
        _cleanup_free_ char *below = xasprintf("%s%s", name, row.kind == VALUE_LIST_OF ? "[]." : row.kind == VALUE_MAP_OF ? ".*." : ".");
        add_rows(out, row.table, below, row.status);
    }
}

static void add_table(struct str *out, const char *title, const struct key_table *table, bool nested)
{
    str_addf(out, "## %s\n\n| key | form | in an override file | status | note |\n|---|---|---|---|---|\n", title);
    if (nested) {
        add_rows(out, table, "", STATUS_RUNS);
    } else {
        for (size_t i = 0; i < table->count; i++) {
            const struct key_row *row = &table->rows[i];
            str_addf(out, "| `%s` | %s | %s | %s | %s |\n", row->name, kind_text(row), merge_text(row), status_text(row),
                     row->note ? row->note : "");
        }
    }
    str_add_char(out, '\n');
}

Test(support, document_says_what_the_tables_say)
{
    static const char path[] = "docs/compose-support.md";
    _cleanup_str_ struct str out = {0};
    _cleanup_free_ char *written = NULL;
    struct err err = {0};

    str_add(&out, intro);
    add_table(&out, "Top level", &project_table, false);
    add_table(&out, "services.*", &service_table, true);
    add_table(&out, "networks.*", &network_table, true);
    add_table(&out, "volumes.*", &volume_table, true);
    add_table(&out, "configs.*", &config_table, true);
    add_table(&out, "secrets.*", &secret_table, true);
    add_table(&out, "models.*", &model_table, true);
    if (getenv("WINCH_GOLDEN_WRITE")) {
        FILE *file = fopen(path, "w");
        cr_assert(file);
        fputs(str_text(&out), file);
        fclose(file);
        return;
    }
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0, "%s is missing: make golden writes it", path);
    cr_assert_eq(fd_read_all(fd, 1 << 20, &written, NULL, &err), 0);
    cr_expect_str_eq(written, str_text(&out), "docs/compose-support.md is old: run make golden");
}
