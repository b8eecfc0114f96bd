/* SPDX-License-Identifier: MIT */
/*
 * A target: what users write. The first byte of an input chooses between a request ('r'), a command
 * ('c'), a size ('s') and a name ('n'); the rest is the line.
 */
#include "target.h"

#include <err.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "request/command.h"
#include "request/name.h"
#include "request/request.h"
#include "request/size.h"

/* A refusal is one of these, and has one line of plain text. */
static void judge_refusal(enum vhd_result result, const struct vhd_verdict *why)
{
    const size_t len = strnlen(why->sentence, sizeof why->sentence);

    PROMISE(result == why->result);
    PROMISE(result == VHD_INVALID_ARGUMENT || result == VHD_SIZE_TOO_SMALL ||
            result == VHD_SIZE_TOO_LARGE || result == VHD_INVALID_NAME);
    PROMISE(len > 0 && len < sizeof why->sentence);
    for (size_t i = 0; i < len; i++)
        PROMISE((unsigned char)why->sentence[i] >= ' ' && why->sentence[i] != 0x7F);
}

static bool is_size(uint64_t size)
{
    return size % 512 == 0 && size >= VHD_SIZE_MIN_MB * VHD_MB && size <= VHD_SIZE_MAX_MB * VHD_MB;
}

/* Every way to write a size that the library itself uses is read as that size. */
static void size(const char *text, size_t len)
{
    struct vhd_verdict why;
    char printed[VHD_SIZE_TEXT];
    uint64_t bytes, again;

    enum vhd_result result = vhd_size_parse(text, len, &bytes, &why);
    if (result != VHD_OK) {
        judge_refusal(result, &why);
        return;
    }
    PROMISE(is_size(bytes));
    vhd_size_format(bytes, printed);
    PROMISE(vhd_size_parse(printed, strlen(printed), &again, &why) == VHD_OK && again == bytes);
    vhd_size_describe(bytes, printed);
    PROMISE(vhd_size_parse(printed, strlen(printed), &again, &why) == VHD_OK && again == bytes);
}

static void request(const char *text, size_t len)
{
    struct vhd_request request;
    struct vhd_verdict why;

    enum vhd_result result = vhd_request_parse(text, len, &request, &why);
    if (result != VHD_OK) {
        judge_refusal(result, &why);
        return;
    }
    PROMISE(is_size(request.size) || (request.size == 0 && (*request.from || *request.parent)));
    PROMISE(strnlen(request.from, sizeof request.from) <= NAME_MAX);
    PROMISE(strnlen(request.parent, sizeof request.parent) <= NAME_MAX);
    PROMISE(!strchr(request.from, '/') && !strchr(request.parent, '/'));
    PROMISE(request.fat_bits == 0 || request.fat_bits == 16 || request.fat_bits == 32);
    PROMISE(strnlen(request.label, sizeof request.label) <= VHD_FAT_LABEL_MAX);
    PROMISE(!*request.label || request.fat_bits > 0);
}

static void command(const char *text, size_t len)
{
    struct vhd_command command;
    struct vhd_verdict why;
    char described[VHD_COMMAND_DESCRIPTION_SIZE];

    enum vhd_result result = vhd_command_parse(text, len, &command, &why);
    if (result != VHD_OK) {
        judge_refusal(result, &why);
        return;
    }
    PROMISE(command.verb < VHD_VERB_COUNT);
    PROMISE(command.verb != VHD_VERB_RESIZE || is_size(command.size));
    PROMISE(strnlen(command.name, sizeof command.name) <= NAME_MAX && !strchr(command.name, '/'));
    vhd_command_describe("disk", &command, described);
    PROMISE(*described && strlen(described) < sizeof described - 1);
}

/* A name that is allowed is no path, and cannot be hidden or an option. */
static void name(const char *text, size_t len)
{
    struct vhd_verdict why;

    char *copy = strndup(text, len);
    if (!copy)
        err(2, "strndup");
    enum vhd_result result = vhd_name_judge(copy, &why);
    if (result == VHD_OK)
        PROMISE(*copy && *copy != '.' && *copy != '-' && !strpbrk(copy, "/\\\"*?:<>|\n"));
    else
        judge_refusal(result, &why);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return 0;
    const char *text = (const char *)bytes + 1;
    switch (*bytes) {
    case 'r':
        request(text, len - 1);
        break;
    case 'c':
        command(text, len - 1);
        break;
    case 's':
        size(text, len - 1);
        break;
    case 'n':
        name(text, len - 1);
        break;
    default:
        break;
    }
    return 0;
}
