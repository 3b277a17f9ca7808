/* SPDX-License-Identifier: Apache-2.0 */
/* `winch oci`: hands over to winch-oci, which is a program of its own because those who drive an OCI runtime name one by path. */
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "cli/cli.h"

int cmd_oci(struct cli *cli, int argc, char **argv)
{
    _cleanup_free_ char *path = NULL, *root = NULL;
    struct err err = {0};
    char **words = xcalloc((size_t)argc + 3, sizeof(*words));
    size_t count = 0;
    if (proc_libexec("winch-oci", &path, &err) == 0) {
        words[count++] = (char *)"winch-oci";
        if (cli->global.root) {
            root = path_join(cli->global.root, "run/oci");
            words[count++] = (char *)"--root";
            words[count++] = root;
        }
        for (int i = 1; i < argc; i++)
            words[count++] = argv[i];
        execv(path, words);
        err_sys(&err, "run %s", path);
    }
    free(words);
    return cli_error(&err);
}
