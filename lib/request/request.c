/* SPDX-License-Identifier: MIT */
#include "request/request.h"

#include <stdio.h>
#include <string.h>

#include "request/name.h"
#include "request/size.h"

/* A request as far as it has been read. */
struct request {
    struct vhd_request asked;
    bool is_dynamic, is_differencing; /* the type, if one is given; asked has is_fixed */
};

/* A stretch of the line. */
struct word {
    const char *text;
    size_t len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool vhd_request_is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!is_blank(text[i]) && text[i] != '\n')
            return false;
    }
    return true;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

/*
 * Cut the next word off the rest of a line; empty at its end. A value between quotes may contain
 * blanks: parent="my disk".
 */
static struct word next_word(struct word *rest)
{
    while (rest->len > 0 && is_blank(*rest->text))
        rest->text++, rest->len--;
    struct word word = {.text = rest->text};
    char quote = 0;
    while (rest->len > 0 && (quote || !is_blank(*rest->text))) {
        const char c = *rest->text;
        if (quote && c == quote)
            quote = 0;
        else if (!quote && is_quote(c) && word.len > 0 && rest->text[-1] == '=')
            quote = c;
        rest->text++, rest->len--, word.len++;
    }
    return word;
}

/* Length of the part of a word that a sentence shows. */
static int shown(struct word word)
{
    return (int)(word.len < 64 ? word.len : 64);
}

static bool is_word(struct word word, const char *text)
{
    return word.len == strlen(text) && memcmp(word.text, text, word.len) == 0;
}

static enum vhd_result option_type(struct word value, struct request *request,
                                   struct vhd_verdict *ret)
{
    request->is_dynamic = is_word(value, "dynamic");
    request->asked.is_fixed = is_word(value, "fixed");
    request->is_differencing = is_word(value, "differencing");
    if (!request->is_dynamic && !request->asked.is_fixed && !request->is_differencing)
        return vhd_verdict_set(
            ret, VHD_INVALID_ARGUMENT,
            "the type \"%.*s\" cannot be made; write dynamic, fixed or differencing, such as "
            "\"4096 type=dynamic\"",
            shown(value), value.text);
    return VHD_OK;
}

/* Read the name of another disk. */
static enum vhd_result read_disk(struct word value, const char *key, char name[NAME_MAX + 1],
                                 struct vhd_verdict *ret)
{
    if (value.len == 0 || value.len > NAME_MAX || memchr(value.text, '/', value.len) ||
        memchr(value.text, 0, value.len))
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "%s=\"%.*s\" is not the name of a disk; write one of disks/, such "
                               "as \"%s=disk1\"",
                               key, shown(value), value.text, key);
    memcpy(name, value.text, value.len);
    name[value.len] = 0;
    name[vhd_name_stem_length(name)] = 0;
    return VHD_OK;
}

static enum vhd_result option_parent(struct word value, struct request *request,
                                     struct vhd_verdict *ret)
{
    return read_disk(value, "parent", request->asked.parent, ret);
}

static enum vhd_result option_from(struct word value, struct request *request,
                                   struct vhd_verdict *ret)
{
    return read_disk(value, "from", request->asked.from, ret);
}

static enum vhd_result option_uuid(struct word value, struct request *request,
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
            shown(value), value.text);
    return VHD_OK;
}

/* The options, one row each. */
static const struct option {
    const char *key;
    enum vhd_result (*read)(struct word value, struct request *, struct vhd_verdict *);
} options[] = {
    {"from", option_from},
    {"parent", option_parent},
    {"type", option_type},
    {"uuid", option_uuid},
};

enum { OPTION_COUNT = sizeof options / sizeof *options };

/* Remove the pair of quotes around a value. Returns false if it begins with a quote without end. */
static bool unquote(struct word *value)
{
    if (value->len == 0 || !is_quote(*value->text))
        return true;
    if (value->len < 2 || value->text[value->len - 1] != *value->text)
        return false;
    *value = (struct word){value->text + 1, value->len - 2};
    return true;
}

static enum vhd_result option_read(struct word word, bool seen[OPTION_COUNT],
                                   struct request *request, struct vhd_verdict *ret)
{
    const char *equals = memchr(word.text, '=', word.len);
    size_t key_len = equals ? (size_t)(equals - word.text) : word.len;

    for (size_t i = 0; equals && i < OPTION_COUNT; i++) {
        if (strlen(options[i].key) != key_len || memcmp(options[i].key, word.text, key_len) != 0)
            continue;
        if (seen[i])
            return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                                   "%s= is given twice; write it once, such as "
                                   "\"4096 type=dynamic\"",
                                   options[i].key);
        seen[i] = true;
        struct word value = {equals + 1, word.len - key_len - 1};
        if (!unquote(&value))
            return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                                   "the value of %s= begins with a quote that does not end it; "
                                   "write a pair of quotes, such as parent=\"my disk\"",
                                   options[i].key);
        return options[i].read(value, request, ret);
    }
    return vhd_verdict_set(
        ret, VHD_INVALID_ARGUMENT,
        "\"%.*s\" is neither a unit nor an option; write type=TYPE, parent=NAME, from=NAME or "
        "uuid=UUID, "
        "such as \"4096 MB type=dynamic\"",
        shown(word), word.text);
}

/* Cut the text down to its one line, whose newline is optional. */
static enum vhd_result one_line(struct word *text, struct vhd_verdict *ret)
{
    if (text->len > VHD_REQUEST_MAX)
        return vhd_verdict_set(
            ret, VHD_INVALID_ARGUMENT,
            "the request has %zu bytes, but at most %d are allowed; write a short line, "
            "such as \"4096\"",
            text->len, VHD_REQUEST_MAX);
    const char *end = memchr(text->text, '\n', text->len);
    if (!end)
        return VHD_OK;
    size_t len = (size_t)(end - text->text);
    if (!vhd_request_is_blank(end, text->len - len))
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "there is text behind the first line; write one request at a time, "
                               "such as \"4096\"");
    text->len = len;
    return VHD_OK;
}

/* A stretch without its outer blanks. */
static struct word trimmed(struct word text)
{
    while (text.len > 0 && is_blank(*text.text))
        text.text++, text.len--;
    while (text.len > 0 && is_blank(text.text[text.len - 1]))
        text.len--;
    return text;
}

static bool has_quote(struct word word)
{
    return word.len > 0 && (memchr(word.text, '"', word.len) || memchr(word.text, '\'', word.len));
}

static enum vhd_result refuse_quotes(struct word line, struct vhd_verdict *ret)
{
    return vhd_verdict_set(
        ret, VHD_INVALID_ARGUMENT,
        "the request %.*s has quotes at a wrong place; write none, or a pair around the size "
        "or the whole request, such as 4096 MB or \"4096 MB\"",
        shown(line), line.text);
}

/* Cut the size off a line, and the next word too if it is a unit. */
static struct word cut_size(struct word *line)
{
    struct word size = next_word(line), rest = *line;
    struct word unit = next_word(&rest);

    if (size.len == 0 || !vhd_size_is_unit(unit.text, unit.len))
        return size;
    *line = rest;
    return (struct word){size.text, (size_t)(unit.text + unit.len - size.text)};
}

/*
 * Cut the size off a line that begins with a quote. A user may quote for the shell and once more,
 * so a pair of quotes stands around the size or the whole request. Both are accepted.
 *
 *   line  not empty
 */
static enum vhd_result cut_quoted_size(struct word *line, struct word *ret_size,
                                       struct vhd_verdict *ret)
{
    const struct word whole = trimmed(*line);
    const char *inner = whole.text + 1, *end = memchr(inner, *whole.text, whole.len - 1);
    struct word quoted = {inner, end ? (size_t)(end - inner) : 0};
    struct word rest = {end ? end + 1 : NULL, end ? whole.len - quoted.len - 2 : 0};

    if (!end || (rest.len > 0 && !is_blank(*rest.text)))
        return refuse_quotes(whole, ret);
    if (rest.len == 0) {
        *line = quoted;
        *ret_size = cut_size(line);
        return VHD_OK;
    }
    *line = rest;
    *ret_size = cut_size(&quoted);
    struct word next = next_word(&rest);
    bool is_whole = trimmed(quoted).len == 0 && !vhd_size_is_unit(next.text, next.len);
    return is_whole ? VHD_OK : refuse_quotes(whole, ret);
}

/* Cut the size off a line; empty if an option comes first. It may still be no number. */
static enum vhd_result find_size(struct word *line, struct word *ret_size, struct vhd_verdict *ret)
{
    const struct word whole = trimmed(*line);
    enum vhd_result result = VHD_OK;

    if (whole.len > 0 && is_quote(*whole.text))
        result = cut_quoted_size(line, ret_size, ret);
    else
        *ret_size = cut_size(line);
    if (result != VHD_OK)
        return result;
    if (ret_size->len == 0 || !memchr(ret_size->text, '=', ret_size->len))
        return has_quote(*ret_size) ? refuse_quotes(whole, ret) : VHD_OK;
    /* An option comes first. */
    ret_size->len = 0;
    *line = whole;
    if (!is_quote(*whole.text))
        return VHD_OK;
    *line = (struct word){whole.text + 1, whole.len - 2};
    return memchr(line->text, *whole.text, line->len) ? refuse_quotes(whole, ret) : VHD_OK;
}

/* Judge the options together, and the size. */
static enum vhd_result judge(struct request *request, struct word size, struct word whole,
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
    if (!has_parent && request->is_differencing)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "a differencing disk needs a parent, such as "
                               "\"type=differencing parent=disk1\"");
    if (size.len > 0)
        return vhd_size_parse(size.text, size.len, &request->asked.size, ret);
    if (has_parent || has_from)
        return VHD_OK;
    return vhd_verdict_set(
        ret, VHD_INVALID_ARGUMENT,
        "the request \"%.*s\" has neither a size nor another disk; write a size first, such as "
        "\"4096 type=dynamic\", or a disk, such as \"parent=disk1\" or \"from=disk1\"",
        shown(whole), whole.text);
}

enum vhd_result vhd_request_parse(const char *text, size_t len, struct vhd_request *ret_request,
                                  struct vhd_verdict *ret)
{
    struct request request = {.is_dynamic = false};
    struct word line = {text, len}, size = {0};
    bool seen[OPTION_COUNT] = {false};

    enum vhd_result result = one_line(&line, ret);
    const struct word whole = trimmed(line);
    if (result == VHD_OK)
        result = find_size(&line, &size, ret);
    /* Judge the syntax before the figures: a bad option wins over a size out of range. */
    for (struct word word = next_word(&line); result == VHD_OK && word.len > 0;
         word = next_word(&line))
        result = option_read(word, seen, &request, ret);
    if (result == VHD_OK)
        result = judge(&request, size, whole, ret);
    if (result == VHD_OK)
        *ret_request = request.asked;
    return result;
}
