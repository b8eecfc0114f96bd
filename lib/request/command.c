/* SPDX-License-Identifier: MIT */
#include "request/command.h"

#include <stdio.h>

#include "request/size.h"
#include "request/words.h"

/* Read the arguments of a verb off the rest of its line, whose words that follow are refused. */
typedef enum vhd_result read_arguments(struct vhd_word *rest, struct vhd_command *,
                                       struct vhd_verdict *);

static enum vhd_result read_type(struct vhd_word *rest, struct vhd_command *command,
                                 struct vhd_verdict *ret)
{
    const struct vhd_word word = vhd_word_next(rest);

    command->is_fixed = vhd_word_is(word, "fixed");
    if (command->is_fixed || vhd_word_is(word, "dynamic"))
        return VHD_OK;
    if (word.len == 0)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the type is missing; write \"convert fixed\" or \"convert "
                               "dynamic\"");
    return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                           "no disk can be converted to \"%.*s\"; write \"convert fixed\" or "
                           "\"convert dynamic\"",
                           vhd_word_shown(word), word.text);
}

/* Read the name of a disk, which may stand between quotes. */
static enum vhd_result read_disk(struct vhd_word *rest, struct vhd_command *command,
                                 const char *verb, struct vhd_verdict *ret)
{
    struct vhd_word word = vhd_word_next(rest);

    if (word.len == 0)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT, "the name is missing; write \"%s NAME\"",
                               verb);
    if (!vhd_word_unquote(&word))
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the quote in \"%.*s\" has no end; write a pair of quotes, such as "
                               "%s \"my disk\"",
                               vhd_word_shown(word), word.text, verb);
    return vhd_word_read_disk(word, "", command->name, ret);
}

static enum vhd_result read_parent(struct vhd_word *rest, struct vhd_command *command,
                                   struct vhd_verdict *ret)
{
    enum vhd_result result = read_disk(rest, command, "rebase", ret);
    if (result != VHD_OK)
        return result;
    struct vhd_word after = *rest;
    command->is_forced = vhd_word_is(vhd_word_next(&after), "force");
    if (command->is_forced)
        *rest = after;
    return VHD_OK;
}

static enum vhd_result read_new_name(struct vhd_word *rest, struct vhd_command *command,
                                     struct vhd_verdict *ret)
{
    return read_disk(rest, command, "snapshot", ret);
}

static enum vhd_result read_size(struct vhd_word *rest, struct vhd_command *command,
                                 struct vhd_verdict *ret)
{
    const struct vhd_word size = vhd_word_next_size(rest);

    if (size.len == 0)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the size is missing; write it in MB or with a unit, such as "
                               "\"resize 8192\" or \"resize 8 GB\"");
    return vhd_size_parse(size.text, size.len, &command->size, ret);
}

const struct vhd_verb_words vhd_verb_words[VHD_VERB_COUNT] = {
#define VERB(symbol, word, arguments, meaning)                                                     \
    [VHD_VERB_##symbol] = {word, word arguments, meaning},
    VHD_VERBS(VERB)
#undef VERB
};

/* The verbs with arguments. */
static read_arguments *const readers[VHD_VERB_COUNT] = {
    [VHD_VERB_CONVERT] = read_type,
    [VHD_VERB_REBASE] = read_parent,
    [VHD_VERB_RESIZE] = read_size,
    [VHD_VERB_SNAPSHOT] = read_new_name,
};

/* Refuse a word that is no verb, and name all verbs. */
static enum vhd_result refuse_verb(struct vhd_word word, struct vhd_verdict *ret)
{
    char known[200] = "";
    size_t len = 0;

    for (enum vhd_verb_kind verb = 0; verb < VHD_VERB_COUNT; verb++)
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", verb > 0 ? ", " : "",
                                vhd_verb_words[verb].word);
    return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                           "\"%.*s\" is no verb; known: %s; cat ctl shows those for this disk",
                           vhd_word_shown(word), word.text, known);
}

enum vhd_result vhd_command_parse(const char *text, size_t len, struct vhd_command *ret_command,
                                  struct vhd_verdict *ret)
{
    struct vhd_word line = {text, len};
    struct vhd_command command = {0};

    enum vhd_result result = vhd_line_judge(&line, "compact", ret);
    if (result != VHD_OK)
        return result;
    const struct vhd_word word = vhd_word_next(&line);
    while (command.verb < VHD_VERB_COUNT && !vhd_word_is(word, vhd_verb_words[command.verb].word))
        command.verb++;
    if (command.verb == VHD_VERB_COUNT)
        return refuse_verb(word, ret);
    const struct vhd_verb_words *words = &vhd_verb_words[command.verb];
    read_arguments *read = readers[command.verb];
    result = read ? read(&line, &command, ret) : VHD_OK;
    if (result != VHD_OK)
        return result;
    const struct vhd_word surplus = vhd_word_next(&line);
    if (surplus.len > 0)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "\"%.*s\" does not belong to %s; write \"%s\"",
                               vhd_word_shown(surplus), surplus.text, words->word, words->usage);
    *ret_command = command;
    return VHD_OK;
}

void vhd_command_describe(const char *name, const struct vhd_command *command,
                          char buf[VHD_COMMAND_DESCRIPTION_SIZE])
{
    char size[VHD_SIZE_TEXT];

    switch (command->verb) {
    case VHD_VERB_COMPACT:
        snprintf(buf, VHD_COMMAND_DESCRIPTION_SIZE, "Compact virtual hard disk \"%s\"", name);
        break;
    case VHD_VERB_CONVERT:
        snprintf(buf, VHD_COMMAND_DESCRIPTION_SIZE, "Convert virtual hard disk \"%s\" to %s", name,
                 command->is_fixed ? "fixed" : "dynamic");
        break;
    case VHD_VERB_MERGE:
        snprintf(buf, VHD_COMMAND_DESCRIPTION_SIZE,
                 "Merge virtual hard disk \"%s\" into its parent", name);
        break;
    case VHD_VERB_REBASE:
        snprintf(buf, VHD_COMMAND_DESCRIPTION_SIZE, "Rebase virtual hard disk \"%s\" to \"%s\"",
                 name, command->name);
        break;
    case VHD_VERB_SNAPSHOT:
        snprintf(buf, VHD_COMMAND_DESCRIPTION_SIZE,
                 "Keep the content of virtual hard disk \"%s\" as \"%s\"", name, command->name);
        break;
    case VHD_VERB_CHECK:
        snprintf(buf, VHD_COMMAND_DESCRIPTION_SIZE, "Check virtual hard disk \"%s\"", name);
        break;
    case VHD_VERB_REPAIR:
        snprintf(buf, VHD_COMMAND_DESCRIPTION_SIZE, "Repair virtual hard disk \"%s\"", name);
        break;
    case VHD_VERB_RESIZE:
        vhd_size_describe(command->size, size);
        snprintf(buf, VHD_COMMAND_DESCRIPTION_SIZE, "Resize virtual hard disk \"%s\" to %s", name,
                 size);
        break;
    default:
        *buf = 0;
    }
}
