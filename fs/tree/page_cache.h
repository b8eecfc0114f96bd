/* SPDX-License-Identifier: MIT */
/*
 * The state of the kernel's pages of one file, raw or fixed.vhd.
 *
 *   EMPTY    it has no pages
 *   VALID    it may have pages, and they are right
 *   SUSPECT  it may have pages, and they may be wrong
 *
 * fs/README.md, "The I/O mode of an open disk", has the table of transitions, and "Invalidation"
 * says when pages are dropped: before the reply to a first open, say. A drop beside an open file
 * could come between a program's write and the page that the kernel fills with it: that page would
 * keep the old bytes.
 *
 * In direct mode private mappings, sendfile and splice may still read into pages: strays. Each such
 * read is counted before it reads. Each change of the content drops strays after the change and
 * before its reply.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum fs_pages {
    FS_PAGES_EMPTY,
    FS_PAGES_VALID,
    FS_PAGES_SUSPECT,
};

struct fs_page_cache {
    enum fs_pages pages;      /* guarded by its owner's lock */
    _Atomic uint64_t reads;   /* reads that may have made strays */
    _Atomic uint64_t dropped; /* of these reads, those whose strays are gone */
};

/* Must the kernel drop its pages before the reply to a first open? */
static inline bool fs_page_cache_must_drop(const struct fs_page_cache *cache, bool is_direct)
{
    return cache->pages == FS_PAGES_SUSPECT || (cache->pages == FS_PAGES_VALID && is_direct);
}

/* Note that the kernel's pages may be wrong. */
static inline void fs_page_cache_suspect(struct fs_page_cache *cache)
{
    if (cache->pages == FS_PAGES_VALID)
        cache->pages = FS_PAGES_SUSPECT;
}

/* Count a read into pages in direct mode. Call it before the read. */
static inline void fs_page_cache_add_stray(struct fs_page_cache *cache)
{
    atomic_fetch_add(&cache->reads, 1);
}

/* May the kernel have strays? */
static inline bool fs_page_cache_has_strays(const struct fs_page_cache *cache)
{
    return atomic_load(&cache->reads) != atomic_load(&cache->dropped);
}

/* Note that the strays of the first reads are gone, as many as counted in reads. */
static inline void fs_page_cache_remove_strays(struct fs_page_cache *cache, uint64_t reads)
{
    uint64_t dropped = atomic_load(&cache->dropped);

    while (dropped < reads && !atomic_compare_exchange_weak(&cache->dropped, &dropped, reads))
        ;
}
