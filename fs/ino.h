/*
 * Three numbers name a file of the tree.
 *
 * The kind says which row of the tree (tree.c) it is, a status or an info. The serial says which
 * disk or task it belongs to: one for each NAME in use (names.h), never given twice while mounted,
 * so that no number comes to mean another object; 0 is the fixed part of the tree. Both together
 * are the st_ino that a user sees. The node id that the kernel gets has a generation above them: a
 * file gets a new one where the kernel must take it for another than before, though it is the same
 * to a user. Nodes that are still known when 2^24 others have been made may meet their like; then
 * two files share a node, as all others do anyway.
 *
 *     node id = generation (24 bits) | serial (32 bits) | kind (8 bits)
 *
 * The root is serial 0, kind 1, and thereby number 1, as FUSE wants it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t fs_ino(uint32_t serial, unsigned kind)
{
    return (uint64_t)serial << 8 | kind;
}

static inline uint64_t fs_ino_with_generation(uint64_t ino, uint64_t generation)
{
    return generation << 40 | ino;
}

/* Is a node id of that generation? */
static inline bool fs_ino_is_of(uint64_t id, uint64_t generation)
{
    return id >> 40 == (generation & 0xFFFFFF);
}

static inline uint32_t fs_ino_serial(uint64_t id)
{
    return (uint32_t)(id >> 8);
}

static inline unsigned fs_ino_kind(uint64_t id)
{
    return id & 0xFF;
}
