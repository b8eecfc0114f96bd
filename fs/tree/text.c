/* SPDX-License-Identifier: MIT */
#include "tree/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf.h"

void fs_text_free(struct fs_text *text)
{
    free(text->data);
    text->data = NULL;
    text->len = 0;
}

/* The value of a field, malloc'ed; NULL when memory is short. */
static char *value_of(const struct fs_field *field, const void *record)
{
    char *value = NULL;
    size_t len;
    FILE *text = open_memstream(&value, &len);
    if (!text)
        return NULL;
    field->print(text, record);
    if (fclose(text) != 0) {
        free(value);
        return NULL;
    }
    return value;
}

/* A value is one line, but names of files may hold line ends and bytes that control a terminal. */
void fs_field_show(FILE *out, const struct fs_field *field, const void *record)
{
    AUTO_FREE char *value = value_of(field, record);

    for (const char *p = value; p && *p; p++)
        putc((unsigned char)*p < ' ' || *p == 0x7F ? '?' : *p, out);
    putc('\n', out);
}

void fs_fields_show(FILE *out, const struct fs_field *fields, const void *record)
{
    for (const struct fs_field *field = fields; field->key; field++) {
        fprintf(out, "%s ", field->key);
        fs_field_show(out, field, record);
    }
}

/* A JSON string is Unicode: bytes of a file name that are not UTF-8 become U+FFFD. */
static void print_json_string(FILE *out, const char *text)
{
    putc('"', out);
    while (*text) {
        const char *start = text;
        int32_t point = vhd_utf8_next(&text);
        if (point < 0) {
            fputs("\\ufffd", out);
            text++;
        } else if (point == '"' || point == '\\') {
            fprintf(out, "\\%c", (int)point);
        } else if (point < ' ') {
            fprintf(out, "\\u%04x", (unsigned)point);
        } else {
            fwrite(start, 1, (size_t)(text - start), out);
        }
    }
    putc('"', out);
}

static void print_json_value(FILE *out, const struct fs_field *field, const void *record)
{
    AUTO_FREE char *value = value_of(field, record);

    if (!value || strcmp(value, "-") == 0)
        fputs("null", out);
    else if (field->is_number)
        fputs(value + strspn(value, " "), out);
    else
        print_json_string(out, value);
}

void fs_fields_show_json(FILE *out, const struct fs_field *fields, const void *record)
{
    for (const struct fs_field *field = fields; field->key; field++) {
        fprintf(out, "%s\"%s\": ", field == fields ? "{" : ", ", field->key);
        print_json_value(out, field, record);
    }
    fputs("}\n", out);
}

void fs_print_time(FILE *out, struct timespec time)
{
    struct tm utc;
    char text[32];

    if (time.tv_sec == 0 || !gmtime_r(&time.tv_sec, &utc)) {
        putc('-', out);
        return;
    }
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    fputs(text, out);
}

void fs_print_word(FILE *out, const char *word)
{
    for (const unsigned char *p = (const unsigned char *)word; *p; p++) {
        if (*p <= ' ' || *p == '\\' || *p == 0x7F)
            fprintf(out, "\\%03o", *p);
        else
            putc(*p, out);
    }
}
