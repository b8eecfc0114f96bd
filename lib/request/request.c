/* SPDX-License-Identifier: MIT */
#include "request/request.h"

#include <stdio.h>
#include <string.h>

#include "request/filesystem.h"
#include "request/name.h"
#include "request/size.h"
#include "request/words.h"

/* A request as far as it has been read. */
struct request {
    struct vhd_request asked;
    bool is_dynamic, is_differencing; /* the type, if one is given; asked has is_fixed */
};

static enum vhd_result option_type(struct vhd_word value, struct request *request,
                                   struct vhd_verdict *ret)
{
    request->is_dynamic = vhd_word_is(value, "dynamic");
    request->asked.is_fixed = vhd_word_is(value, "fixed");
    request->is_differencing = vhd_word_is(value, "differencing");
    if (!request->is_dynamic && !request->asked.is_fixed && !request->is_differencing)
        return vhd_verdict_set(
            ret, VHD_INVALID_ARGUMENT,
            "the type \"%.*s\" cannot be made; write dynamic, fixed or differencing, such as "
            "\"4096 type=dynamic\"",
            vhd_word_shown(value), value.text);
    return VHD_OK;
}

static enum vhd_result option_parent(struct vhd_word value, struct request *request,
                                     struct vhd_verdict *ret)
{
    return vhd_word_read_disk(value, "parent=", request->asked.parent, ret);
}

static enum vhd_result option_from(struct vhd_word value, struct request *request,
                                   struct vhd_verdict *ret)
{
    return vhd_word_read_disk(value, "from=", request->asked.from, ret);
}

static enum vhd_result option_uuid(struct vhd_word value, struct request *request,
                                   struct vhd_verdict *ret)
{
    char text[UUID_STR_LEN] = "";

    if (value.len == UUID_STR_LEN - 1)
        memcpy(text, value.text, value.len);
    if (uuid_parse(text, request->asked.uuid) != 0 || uuid_is_null(request->asked.uuid))
        return vhd_verdict_set(
            ret, VHD_INVALID_ARGUMENT,
            "the uuid \"%.*s\" is not valid; write 36 characters that are not all "
            "zeros, such as 8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6",
            vhd_word_shown(value), value.text);
    return VHD_OK;
}

static enum vhd_result option_format(struct vhd_word value, struct request *request,
                                     struct vhd_verdict *ret)
{
    return vhd_format_parse(value.text, value.len, &request->asked.fat_bits, ret);
}

static enum vhd_result option_label(struct vhd_word value, struct request *request,
                                    struct vhd_verdict *ret)
{
    return vhd_label_parse(value.text, value.len, request->asked.label, ret);
}

/* The options, one row each. */
static const struct option {
    const char *key;
    enum vhd_result (*read)(struct vhd_word value, struct request *, struct vhd_verdict *);
} options[] = {
    {"format", option_format}, {"from", option_from}, {"label", option_label},
    {"parent", option_parent}, {"type", option_type}, {"uuid", option_uuid},
};

enum { OPTION_COUNT = sizeof options / sizeof *options };

static enum vhd_result option_read(struct vhd_word word, bool seen[OPTION_COUNT],
                                   struct request *request, struct vhd_verdict *ret)
{
    const char *equals = memchr(word.text, '=', word.len);
    size_t key_len = equals ? (size_t)(equals - word.text) : word.len;

    for (size_t i = 0; equals && i < OPTION_COUNT; i++) {
        if (strlen(options[i].key) != key_len || memcmp(options[i].key, word.text, key_len) != 0)
            continue;
        if (seen[i])
            return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                                   "%s= is given twice; write it once, such as \"4096 %s=...\"",
                                   options[i].key, options[i].key);
        seen[i] = true;
        struct vhd_word value = {equals + 1, word.len - key_len - 1};
        if (!vhd_word_unquote(&value))
            return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                                   "the value of %s= begins with a quote that does not end it; "
                                   "write a pair of quotes, such as %s=\"two words\"",
                                   options[i].key, options[i].key);
        return options[i].read(value, request, ret);
    }
    return vhd_verdict_set(
        ret, VHD_INVALID_ARGUMENT,
        "\"%.*s\" is neither a unit nor an option; write type=TYPE, parent=NAME, from=NAME, "
        "format=FORMAT, label=TEXT or uuid=UUID, such as \"4096 MB type=dynamic\"",
        vhd_word_shown(word), word.text);
}

static bool has_quote(struct vhd_word word)
{
    return word.len > 0 && (memchr(word.text, '"', word.len) || memchr(word.text, '\'', word.len));
}

static enum vhd_result refuse_quotes(struct vhd_word line, struct vhd_verdict *ret)
{
    return vhd_verdict_set(
        ret, VHD_INVALID_ARGUMENT,
        "the request %.*s has quotes at a wrong place; write none, or a pair around the size "
        "or the whole request, such as 4096 MB or \"4096 MB\"",
        vhd_word_shown(line), line.text);
}

/*
 * Cut the size off a line that begins with a quote. A user may quote for the shell and once more,
 * so a pair of quotes stands around the size or the whole request. Both are accepted.
 *
 *   line  not empty
 */
static enum vhd_result cut_quoted_size(struct vhd_word *line, struct vhd_word *ret_size,
                                       struct vhd_verdict *ret)
{
    const struct vhd_word whole = vhd_word_trim(*line);
    const char *inner = whole.text + 1, *end = memchr(inner, *whole.text, whole.len - 1);
    struct vhd_word quoted = {inner, end ? (size_t)(end - inner) : 0};
    struct vhd_word rest = {end ? end + 1 : NULL, end ? whole.len - quoted.len - 2 : 0};

    if (!end || (rest.len > 0 && !vhd_word_is_blank(*rest.text)))
        return refuse_quotes(whole, ret);
    if (rest.len == 0) {
        *line = quoted;
        *ret_size = vhd_word_next_size(line);
        return VHD_OK;
    }
    *line = rest;
    *ret_size = vhd_word_next_size(&quoted);
    struct vhd_word next = vhd_word_next(&rest);
    bool is_whole = vhd_word_trim(quoted).len == 0 && !vhd_size_is_unit(next.text, next.len);
    return is_whole ? VHD_OK : refuse_quotes(whole, ret);
}

/* Cut the size off a line; empty if an option comes first. It may still be no number. */
static enum vhd_result find_size(struct vhd_word *line, struct vhd_word *ret_size,
                                 struct vhd_verdict *ret)
{
    const struct vhd_word whole = vhd_word_trim(*line);
    enum vhd_result result = VHD_OK;

    if (whole.len > 0 && vhd_word_is_quote(*whole.text))
        result = cut_quoted_size(line, ret_size, ret);
    else
        *ret_size = vhd_word_next_size(line);
    if (result != VHD_OK)
        return result;
    if (ret_size->len == 0 || !memchr(ret_size->text, '=', ret_size->len))
        return has_quote(*ret_size) ? refuse_quotes(whole, ret) : VHD_OK;
    /* An option comes first. */
    ret_size->len = 0;
    *line = whole;
    if (!vhd_word_is_quote(*whole.text))
        return VHD_OK;
    *line = (struct vhd_word){whole.text + 1, whole.len - 2};
    return memchr(line->text, *whole.text, line->len) ? refuse_quotes(whole, ret) : VHD_OK;
}

static enum vhd_result judge_size(struct request *request, struct vhd_word size,
                                  struct vhd_verdict *ret)
{
    struct vhd_request *asked = &request->asked;

    enum vhd_result result = vhd_size_parse(size.text, size.len, &asked->size, ret);
    if (result != VHD_OK || asked->fat_bits == 0)
        return result;
    return vhd_format_judge_size(asked->fat_bits, asked->size, ret);
}

/* Judge the options together, and the size. */
static enum vhd_result judge(struct request *request, struct vhd_word size, struct vhd_word whole,
                             struct vhd_verdict *ret)
{
    const bool has_parent = *request->asked.parent, has_from = *request->asked.from;

    if (has_parent && (request->is_dynamic || request->asked.is_fixed))
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "a disk with a parent is differencing, not %s; leave type= out",
                               request->is_dynamic ? "dynamic" : "fixed");
    if (has_parent && has_from)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "a differencing disk begins with the content of its parent; leave "
                               "parent= or from= out");
    if (request->asked.fat_bits != 0 && (has_parent || has_from))
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "a disk that begins with the content of another one cannot get a "
                               "file system; leave format= or %s= out",
                               has_parent ? "parent" : "from");
    if (*request->asked.label && request->asked.fat_bits == 0)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "a label belongs to a file system; write its format too, such as "
                               "\"512 format=fat16 label=DATA\"");
    if (!has_parent && request->is_differencing)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "a differencing disk needs a parent, such as "
                               "\"type=differencing parent=disk1\"");
    if (size.len > 0)
        return judge_size(request, size, ret);
    if (has_parent || has_from)
        return VHD_OK;
    return vhd_verdict_set(
        ret, VHD_INVALID_ARGUMENT,
        "the request \"%.*s\" has neither a size nor another disk; write a size first, such as "
        "\"4096 type=dynamic\", or a disk, such as \"parent=disk1\" or \"from=disk1\"",
        vhd_word_shown(whole), whole.text);
}

enum vhd_result vhd_request_parse(const char *text, size_t len, struct vhd_request *ret_request,
                                  struct vhd_verdict *ret)
{
    struct request request = {.is_dynamic = false};
    struct vhd_word line = {text, len}, size = {0};
    bool seen[OPTION_COUNT] = {false};

    enum vhd_result result = vhd_line_judge(&line, "4096", ret);
    const struct vhd_word whole = vhd_word_trim(line);
    if (result == VHD_OK)
        result = find_size(&line, &size, ret);
    /* Judge the syntax before the figures: a bad option wins over a size out of range. */
    for (struct vhd_word word = vhd_word_next(&line); result == VHD_OK && word.len > 0;
         word = vhd_word_next(&line))
        result = option_read(word, seen, &request, ret);
    if (result == VHD_OK)
        result = judge(&request, size, whole, ret);
    if (result == VHD_OK)
        *ret_request = request.asked;
    return result;
}
