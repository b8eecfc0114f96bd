/* SPDX-License-Identifier: MIT */
#include "liar.h"

#include <errno.h>
#include <string.h>

const char *const liar_lies[] = {
    "flip-a-bit",   "lose-a-write", "write-short", "write-beside", "discard-nothing",
    "discard-more", "hide-data",    "find-holes",  "copy-short",   NULL,
};

static struct liar *liar_behind(struct target *target)
{
    return (struct liar *)target;
}

/* Every eighth call on which the lie is possible tells it. */
static bool tells(struct liar *liar, const char *lie)
{
    return strcmp(liar->lie, lie) == 0 &&
           __atomic_fetch_add(&liar->deeds, 1, __ATOMIC_RELAXED) % 8 == 7;
}

static int liar_read(struct target *target, void *buf, size_t len, uint64_t off)
{
    struct liar *liar = liar_behind(target);
    int err = liar->honest->ops->read(liar->honest, buf, len, off);

    if (tells(liar, "flip-a-bit"))
        ((uint8_t *)buf)[len / 2] ^= 1;
    return err;
}

static int liar_write(struct target *target, const void *buf, size_t len, uint64_t off)
{
    struct liar *liar = liar_behind(target);

    if (tells(liar, "lose-a-write"))
        return 0;
    if (tells(liar, "write-short"))
        len--;
    if (tells(liar, "write-beside") && off >= 512)
        off -= 512;
    return liar->honest->ops->write(liar->honest, buf, len, off);
}

static int liar_discard(struct target *target, uint64_t len, uint64_t off)
{
    struct liar *liar = liar_behind(target);

    if (tells(liar, "discard-nothing"))
        return 0;
    if (tells(liar, "discard-more") && off + len < target->size)
        len++;
    return liar->honest->ops->discard(liar->honest, len, off);
}

static int liar_flush(struct target *target)
{
    struct liar *liar = liar_behind(target);
    return liar->honest->ops->flush(liar->honest);
}

static int liar_seek(struct target *target, uint64_t off, bool for_hole, uint64_t *ret)
{
    struct liar *liar = liar_behind(target);

    if (!for_hole && tells(liar, "hide-data"))
        return -ENXIO;
    int err = liar->honest->ops->seek(liar->honest, off, for_hole, ret);
    if (err == 0 && for_hole && tells(liar, "find-holes"))
        *ret = off;
    return err;
}

static int liar_copy(struct target *source, uint64_t source_off, struct target *target,
                     uint64_t target_off, uint64_t len)
{
    struct liar *liar = liar_behind(target), *from = liar_behind(source);

    if (tells(liar, "copy-short"))
        len--;
    return liar->honest->ops->copy(from->honest, source_off, liar->honest, target_off, len);
}

static const struct target_ops liar_ops = {
    .read = liar_read,
    .write = liar_write,
    .discard = liar_discard,
    .flush = liar_flush,
    .seek = liar_seek,
    .copy = liar_copy,
};

struct liar liar_of(struct target *honest, const char *lie)
{
    return (struct liar){
        .target = {.ops = &liar_ops, .size = honest->size},
        .honest = honest,
        .lie = lie,
    };
}
