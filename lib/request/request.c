#include "request/request.h"

#include <stdio.h>
#include <string.h>

#include "request/size.h"

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

/* The next word of the rest of a line; empty at its end. */
static struct word next_word(struct word *rest)
{
    while (rest->len > 0 && is_blank(*rest->text))
        rest->text++, rest->len--;
    struct word word = {.text = rest->text};
    while (rest->len > 0 && !is_blank(*rest->text))
        rest->text++, rest->len--, word.len++;
    return word;
}

/* How much of a word is shown in a sentence. */
static int shown(struct word word)
{
    return (int)(word.len < 64 ? word.len : 64);
}

static enum vhd_result option_type(struct word value, struct vhd_request *request,
                                   struct vhd_verdict *ret)
{
    (void)request;
    if (value.len != strlen("dynamic") || memcmp(value.text, "dynamic", value.len) != 0)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the type is \"%.*s\", expected \"dynamic\"", shown(value),
                               value.text);
    return VHD_OK;
}

static enum vhd_result option_uuid(struct word value, struct vhd_request *request,
                                   struct vhd_verdict *ret)
{
    char text[UUID_STR_LEN] = "";

    if (value.len == UUID_STR_LEN - 1)
        memcpy(text, value.text, value.len);
    if (uuid_parse(text, request->uuid) != 0 || uuid_is_null(request->uuid))
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the uuid is \"%.*s\", expected 36 characters such as "
                               "8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6, not all zero",
                               shown(value), value.text);
    return VHD_OK;
}

/* The options: one row each. */
static const struct option {
    const char *key;
    enum vhd_result (*read)(struct word value, struct vhd_request *, struct vhd_verdict *);
} options[] = {
    {"type", option_type},
    {"uuid", option_uuid},
};

enum { OPTION_COUNT = sizeof options / sizeof *options };

static enum vhd_result option_read(struct word word, bool seen[OPTION_COUNT],
                                   struct vhd_request *request, struct vhd_verdict *ret)
{
    const char *equals = memchr(word.text, '=', word.len);
    size_t key_len = equals ? (size_t)(equals - word.text) : word.len;

    for (size_t i = 0; equals && i < OPTION_COUNT; i++) {
        if (strlen(options[i].key) != key_len || memcmp(options[i].key, word.text, key_len) != 0)
            continue;
        if (seen[i])
            return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT, "%s= is given twice", options[i].key);
        seen[i] = true;
        struct word value = {equals + 1, word.len - key_len - 1};
        return options[i].read(value, request, ret);
    }
    return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                           "\"%.*s\" is no option, expected type=dynamic or uuid=UUID", shown(word),
                           word.text);
}

/* Cut the line out of the text: at most one, its end optional. */
static enum vhd_result one_line(struct word *text, struct vhd_verdict *ret)
{
    if (text->len > VHD_REQUEST_MAX)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the request takes %zu bytes, expected at most %d", text->len,
                               VHD_REQUEST_MAX);
    const char *end = memchr(text->text, '\n', text->len);
    if (!end)
        return VHD_OK;
    size_t len = (size_t)(end - text->text);
    if (!vhd_request_is_blank(end, text->len - len))
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "there is text behind the first line, expected one request a write");
    text->len = len;
    return VHD_OK;
}

enum vhd_result vhd_request_parse(const char *text, size_t len, struct vhd_request *ret_request,
                                  struct vhd_verdict *ret)
{
    struct vhd_request request = {0};
    struct word line = {text, len};
    bool seen[OPTION_COUNT] = {false};

    enum vhd_result result = one_line(&line, ret);
    if (result != VHD_OK)
        return result;
    struct word size = next_word(&line);

    /* Syntax is judged before figures: a bad option wins over a size out of range. */
    for (struct word word = next_word(&line); word.len > 0; word = next_word(&line)) {
        result = option_read(word, seen, &request, ret);
        if (result != VHD_OK)
            return result;
    }
    result = vhd_size_parse(size.text, size.len, &request.size, ret);
    if (result == VHD_OK)
        *ret_request = request;
    return result;
}
