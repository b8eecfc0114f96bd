/* SPDX-License-Identifier: MIT */
/*
 * Arrays that grow.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>

/*
 * Make space for one more item in an array. It grows to twice its capacity.
 *
 *   items     the array; NULL for an empty one
 *   count     items in it
 *   capacity  items that fit; changed where the array moves
 *   size      bytes of an item
 *
 * Returns the array, perhaps moved; NULL when memory is short, and then it stays as it is.
 */
static inline void *array_grow(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    const size_t more = *capacity ? 2 * *capacity : 16;
    void *grown = reallocarray(items, more, size);
    if (grown)
        *capacity = more;
    return grown;
}
