/* SPDX-License-Identifier: MIT */
/*
 * Whole files as sectors. The recorder does not see these calls.
 */
#pragma once

#include "value.h"

/* Read a file whose length is whole sectors. Any failure ends the test. */
struct content file_read(const char *path);

/* Replace the content of a file, which is made if it is missing. */
void file_write(const char *path, const struct content *content);
