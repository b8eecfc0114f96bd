/* SPDX-License-Identifier: MIT */
/*
 * Texts that the tree shows. A list of fields describes a text: each has a key and a function that
 * prints its value. "status", "status.json" and the files with one value come from the same list.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

/* A snapshot of a text. */
struct fs_text {
    char *data; /* malloc'ed; NULL when there is none */
    size_t len;
    struct timespec changed; /* the time of the last change of its object */
};

/* Release the data of a text, and leave it empty. */
void fs_text_free(struct fs_text *text);

/* One value of a text. */
struct fs_field {
    const char *key;
    void (*print)(FILE *out, const void *record); /* without a line's end; "-" for none */
    bool is_number;                               /* bare in JSON, without the blanks before it */
};

/* Print one value, control bytes as '?', and a newline. */
void fs_field_show(FILE *out, const struct fs_field *field, const void *record);

/* Print a "key value" line for each field of a list, which ends with a NULL key. */
void fs_fields_show(FILE *out, const struct fs_field *fields, const void *record);

/* Print the same as one JSON object with a newline behind it; "-" is null. */
void fs_fields_show_json(FILE *out, const struct fs_field *fields, const void *record);

/* Print a time in UTC, 2026-01-02T03:04:05Z; "-" for the zero time. */
void fs_print_time(FILE *out, struct timespec time);

/* Print a word of a line: blanks, control bytes and backslashes as \ooo, as /proc/mounts does. */
void fs_print_word(FILE *out, const char *word);
