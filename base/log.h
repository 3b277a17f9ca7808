/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - leveled log of our own processes: one event a line on stderr, "level noun=… msg". libc only.
 * The level is the one tolerated mutable global. No secrets, no environment values. */
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
/* WINCH_LOG=error|warning|info|debug; unset leaves the default (warning). */
void log_set_level_from_env(void);
void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...)   log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)
