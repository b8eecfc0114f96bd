/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a script would read a wrong value, a program would refuse our JSON, or a line end
 * in a file name would forge a line.
 */
#include "tree/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The text that a function prints. */
struct output {
    FILE *file;
    char *text;
    size_t len;
};

static FILE *output_begin(struct output *output)
{
    output->file = open_memstream(&output->text, &output->len);
    assert_non_null(output->file);
    return output->file;
}

static void output_expect(struct output *output, const char *expected)
{
    assert_int_equal(fclose(output->file), 0);
    assert_string_equal(output->text, expected);
    assert_int_equal(output->len, strlen(expected));
    free(output->text);
}

/* The record of the tests is the value itself. */
static void print_value(FILE *out, const void *record)
{
    fputs(record, out);
}

static const struct fs_field word = {"key", print_value, false};
static const struct fs_field number = {"key", print_value, true};

static void expect_line(const char *value, const char *expected)
{
    struct output output;

    fs_field_show(output_begin(&output), &word, value);
    output_expect(&output, expected);
}

static void expect_json(const struct fs_field *field, const char *value, const char *expected)
{
    const struct fs_field fields[] = {*field, {NULL, NULL, false}};
    struct output output;
    char object[256];

    fs_fields_show_json(output_begin(&output), fields, value);
    snprintf(object, sizeof object, "{\"key\": %s}\n", expected);
    output_expect(&output, object);
}

static void a_value_is_one_line(void **state)
{
    (void)state;
    expect_line("", "\n");
    expect_line("-", "-\n");
    expect_line(" 42", " 42\n"); /* as wide as it was printed */
    expect_line("two words", "two words\n");
    expect_line("a\nb\r\n", "a?b??\n");
    expect_line("\1\x1B[31m\x1F\x7F", "??[31m??\n");
    expect_line("\"quoted\" \\ back", "\"quoted\" \\ back\n");
    expect_line("Gr\xC3\xBC\xC3\x9F"
                "e \xF0\x9F\x92\xBE",
                "Gr\xC3\xBC\xC3\x9F"
                "e \xF0\x9F\x92\xBE\n");
    expect_line("\xFF", "\xFF\n"); /* the bytes of the name, as ls gives them to a pipe */
}

/* A record with values of each kind. */
struct disk {
    const char *name;
    unsigned size;
};

static void print_name(FILE *out, const void *record)
{
    fputs(((const struct disk *)record)->name, out);
}

static void print_size(FILE *out, const void *record)
{
    fprintf(out, "%5u", ((const struct disk *)record)->size);
}

static void print_none(FILE *out, const void *record)
{
    (void)record;
    putc('-', out);
}

static const struct fs_field disk_fields[] = {
    {"name", print_name, false}, {"size", print_size, true},   {"parent", print_none, false},
    {"depth", print_none, true}, {"again", print_size, false}, {NULL, NULL, false},
};

static void fields_are_lines_in_their_order(void **state)
{
    (void)state;
    const struct disk disk = {"a b", 64};
    struct output output;

    fs_fields_show(output_begin(&output), disk_fields, &disk);
    output_expect(&output, "name a b\nsize    64\nparent -\ndepth -\nagain    64\n");
    fs_fields_show(output_begin(&output), &disk_fields[5], &disk);
    output_expect(&output, "");
}

/* A name with a line end in it starts no line. */
static void a_value_forges_no_line(void **state)
{
    (void)state;
    const struct disk disk = {"a\nsize 1", 64};
    struct output output;

    fs_fields_show(output_begin(&output), disk_fields, &disk);
    output_expect(&output, "name a?size 1\nsize    64\nparent -\ndepth -\nagain    64\n");
}

static void fields_are_one_json_object(void **state)
{
    (void)state;
    const struct disk disk = {"a b", 64};
    struct output output;

    fs_fields_show_json(output_begin(&output), disk_fields, &disk);
    output_expect(&output, "{\"name\": \"a b\", \"size\": 64, \"parent\": null, \"depth\": null, "
                           "\"again\": \"   64\"}\n");
}

static void json_numbers_are_bare(void **state)
{
    (void)state;
    expect_json(&number, "0", "0");
    expect_json(&number, "   7", "7");
    expect_json(&number, "18446744073709551615", "18446744073709551615");
    expect_json(&word, "7", "\"7\"");
}

static void json_has_null_for_none(void **state)
{
    (void)state;
    expect_json(&word, "-", "null");
    expect_json(&number, "-", "null");
    expect_json(&word, "--", "\"--\"");
    expect_json(&word, "-1", "\"-1\"");
    expect_json(&word, "", "\"\"");
}

static void json_strings_are_escaped(void **state)
{
    (void)state;
    expect_json(&word, "say \"no\" \\ yes", "\"say \\\"no\\\" \\\\ yes\"");
    expect_json(&word, "\1\t\n\r\x1F", "\"\\u0001\\u0009\\u000a\\u000d\\u001f\"");
    expect_json(&word, "/", "\"/\"");
}

/* RFC 8259: JSON that programs exchange is UTF-8. */
static void json_is_always_utf_8(void **state)
{
    (void)state;
    static const struct {
        const char *value, *expected;
    } cases[] = {
        {"\xC3\xBC \xE2\x82\xAC \xF0\x9F\x92\xBE", "\"\xC3\xBC \xE2\x82\xAC \xF0\x9F\x92\xBE\""},
        {"a\xFFz", "\"a\\ufffdz\""},
        {"\xFC", "\"\\ufffd\""},                                  /* Latin-1 */
        {"a\x80", "\"a\\ufffd\""},                                /* goes on without a beginning */
        {"\xE2\x82", "\"\\ufffd\\ufffd\""},                       /* ends too early */
        {"\xC3\"", "\"\\ufffd\\\"\""},                            /* and a quote is still escaped */
        {"\xC0\xAF", "\"\\ufffd\\ufffd\""},                       /* longer than it need be */
        {"\xED\xA0\x80", "\"\\ufffd\\ufffd\\ufffd\""},            /* half of a pair of UTF-16 */
        {"\xF4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, /* above the last character */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_json(&word, cases[i].value, cases[i].expected);
}

static void expect_time(struct timespec time, const char *expected)
{
    struct output output;

    fs_print_time(output_begin(&output), time);
    output_expect(&output, expected);
}

/* In UTC wherever the daemon runs. */
static void times_are_utc(void **state)
{
    (void)state;
    assert_int_equal(setenv("TZ", "UTC-9", 1), 0);
    tzset();
    expect_time((struct timespec){0}, "-");
    expect_time((struct timespec){1767323045, 999999999}, "2026-01-02T03:04:05Z");
    expect_time((struct timespec){1, 0}, "1970-01-01T00:00:01Z");
    expect_time((struct timespec){2147483648, 0}, "2038-01-19T03:14:08Z");
}

static void expect_word(const char *value, const char *expected)
{
    struct output output;

    fs_print_word(output_begin(&output), value);
    output_expect(&output, expected);
}

static void a_word_has_no_blanks(void **state)
{
    (void)state;
    expect_word("", "");
    expect_word("/disks/a", "/disks/a");
    expect_word("a b\tc\nd", "a\\040b\\011c\\012d");
    expect_word("back\\slash", "back\\134slash");
    expect_word("\1\x7F", "\\001\\177");
    expect_word("\xC3\xBC\xFF", "\xC3\xBC\xFF");
}

static void a_text_is_freed_once(void **state)
{
    (void)state;
    struct fs_text text = {.data = strdup("text"), .len = 4};

    fs_text_free(&text);
    assert_null(text.data);
    assert_int_equal(text.len, 0);
    fs_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_one_line),
        cmocka_unit_test(fields_are_lines_in_their_order),
        cmocka_unit_test(a_value_forges_no_line),
        cmocka_unit_test(fields_are_one_json_object),
        cmocka_unit_test(json_numbers_are_bare),
        cmocka_unit_test(json_has_null_for_none),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(json_is_always_utf_8),
        cmocka_unit_test(times_are_utc),
        cmocka_unit_test(a_word_has_no_blanks),
        cmocka_unit_test(a_text_is_freed_once),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
