/*
 * Whole files: their sectors read, and written. Nothing here is recorded.
 */
#pragma once

#include "value.h"

/* Read a file whose length is whole sectors; whatever goes wrong ends the test. */
struct content file_read(const char *path);

/* Make a file hold this and nothing else; it is made when it is missing. */
void file_write(const char *path, const struct content *content);
