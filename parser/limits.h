/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - how much of a stranger's files is read. Each limit ends a load with a positioned error within a second; no
 * single file makes winch use more than 64 MiB before it is refused. They leave room for honest generated files: 5,000
 * services of fifty values each are one file of 2 MiB. */
#pragma once

#define YAML_BYTES_MAX   (8u << 20)  /* of one compose file, standard input too */
#define YAML_MEMORY_MAX  (36u << 20) /* of the values of one file, those that aliases make included */
#define YAML_KEY_MAX     (64u << 10) /* bytes of one key */
#define YAML_DEPTH_MAX   64          /* collections in collections */
#define DOTENV_BYTES_MAX (2u << 20)  /* of one .env, --env-file, env_file or label_file */
#define ENV_MEMORY_MAX   (16u << 20) /* of the variables of one environment, once interpolated */
#define TEMPLATE_DEPTH_MAX 100       /* ${A:-${B:-…}} */
#define TEMPLATE_BYTES_MAX (4u << 20) /* of one interpolated value */
#define LOAD_FILE_DEPTH_MAX 32       /* include in include, extends of extends */
#define LOAD_FILES_MAX   1000        /* files of all includes and extends of one load */
#define SERVICE_REPLICAS_MAX 10000   /* that `up` starts of one service */
#define LOAD_MEMORY_MAX  (160u << 20) /* of a whole load: what includes, extends, env files and port ranges grow into */
