/* SPDX-License-Identifier: MIT */
#include "request/words.h"

#include <string.h>

#include "request/name.h"
#include "request/size.h"

bool vhd_word_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool vhd_word_is_quote(char c)
{
    return c == '"' || c == '\'';
}

bool vhd_word_is(struct vhd_word word, const char *text)
{
    return word.len == strlen(text) && memcmp(word.text, text, word.len) == 0;
}

int vhd_word_shown(struct vhd_word word)
{
    return (int)(word.len < 64 ? word.len : 64);
}

struct vhd_word vhd_word_next(struct vhd_word *rest)
{
    while (rest->len > 0 && vhd_word_is_blank(*rest->text))
        rest->text++, rest->len--;
    struct vhd_word word = {.text = rest->text};
    char quote = 0;
    while (rest->len > 0 && (quote || !vhd_word_is_blank(*rest->text))) {
        const char c = *rest->text;
        if (quote && c == quote)
            quote = 0;
        else if (!quote && vhd_word_is_quote(c) && (word.len == 0 || rest->text[-1] == '='))
            quote = c;
        rest->text++, rest->len--, word.len++;
    }
    return word;
}

struct vhd_word vhd_word_next_size(struct vhd_word *rest)
{
    struct vhd_word size = vhd_word_next(rest), behind = *rest;
    struct vhd_word unit = vhd_word_next(&behind);

    if (size.len == 0 || !vhd_size_is_unit(unit.text, unit.len))
        return size;
    *rest = behind;
    return (struct vhd_word){size.text, (size_t)(unit.text + unit.len - size.text)};
}

bool vhd_word_unquote(struct vhd_word *word)
{
    if (word->len == 0 || !vhd_word_is_quote(*word->text))
        return true;
    if (word->len < 2 || word->text[word->len - 1] != *word->text)
        return false;
    *word = (struct vhd_word){word->text + 1, word->len - 2};
    return true;
}

struct vhd_word vhd_word_trim(struct vhd_word text)
{
    while (text.len > 0 && vhd_word_is_blank(*text.text))
        text.text++, text.len--;
    while (text.len > 0 && vhd_word_is_blank(text.text[text.len - 1]))
        text.len--;
    return text;
}

enum vhd_result vhd_word_read_disk(struct vhd_word word, const char *before,
                                   char ret_name[NAME_MAX + 1], struct vhd_verdict *ret)
{
    if (word.len == 0 || word.len > NAME_MAX || memchr(word.text, '/', word.len) ||
        memchr(word.text, 0, word.len))
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "%s\"%.*s\" is not the name of a disk; write one of disks/, such "
                               "as \"%sdisk1\"",
                               before, vhd_word_shown(word), word.text, before);
    memcpy(ret_name, word.text, word.len);
    ret_name[word.len] = 0;
    ret_name[vhd_name_stem_length(ret_name)] = 0;
    return VHD_OK;
}

bool vhd_line_is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!vhd_word_is_blank(text[i]) && text[i] != '\n')
            return false;
    }
    return true;
}

enum vhd_result vhd_line_judge(struct vhd_word *text, const char *example, struct vhd_verdict *ret)
{
    if (text->len > VHD_LINE_MAX)
        return vhd_verdict_set(
            ret, VHD_INVALID_ARGUMENT,
            "the request has %zu bytes, but at most %d are allowed; write a short line, "
            "such as \"%s\"",
            text->len, VHD_LINE_MAX, example);
    const char *end = memchr(text->text, '\n', text->len);
    if (!end)
        return VHD_OK;
    size_t len = (size_t)(end - text->text);
    if (!vhd_line_is_blank(end, text->len - len))
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "there is text behind the first line; write one request at a time, "
                               "such as \"%s\"",
                               example);
    text->len = len;
    return VHD_OK;
}
