/*
 * What the kernel may have in its page cache of one file, raw or fixed.vhd.
 *
 *   EMPTY    it has no pages
 *   VALID    it may have pages, and they are right
 *   SUSPECT  it may have pages, and they may be wrong
 *
 *   from            when                                                        to
 *   EMPTY           a program opens the disk cached                             VALID
 *   VALID           another program has changed the image, or may have          SUSPECT
 *   VALID           a sync of the disk has failed                               SUSPECT
 *   any             the disk has another size than at the last open             SUSPECT
 *   any             strays are left at the last close                           SUSPECT
 *   any             the kernel was asked to drop its pages, and has not yet     SUSPECT
 *   VALID, SUSPECT  the kernel has dropped its pages                            EMPTY
 *   VALID           a program opens the disk for direct use                     must be dropped
 *   SUSPECT         a program opens the disk                                    must be dropped
 *
 * Pages are dropped before the first open of a disk is answered, while nobody has it open. With
 * open files a drop would come between a program's write and the page that the kernel fills with
 * it, which then keeps the old bytes. Truncation and failed discards drop pages too: the kernel
 * lets no write begin during those requests.
 *
 * Direct use leaves pages alone, with two exceptions: a private mapping reads into pages, and since
 * Linux 6.5 sendfile and splice do. Such pages are strays. Each read that may make some is counted
 * before it reads; each change of the content drops them after it was made and before it is
 * answered.
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
    _Atomic uint64_t reads;   /* that may have made strays */
    _Atomic uint64_t dropped; /* of them, those whose strays are gone */
};

/* Must the kernel drop its pages before the first open is answered? */
static inline bool fs_page_cache_must_drop(const struct fs_page_cache *cache, bool is_direct)
{
    return cache->pages == FS_PAGES_SUSPECT || (cache->pages == FS_PAGES_VALID && is_direct);
}

/* What the kernel has may be wrong from now on. */
static inline void fs_page_cache_suspect(struct fs_page_cache *cache)
{
    if (cache->pages == FS_PAGES_VALID)
        cache->pages = FS_PAGES_SUSPECT;
}

/* In direct use the kernel reads into a page. To be called before that read. */
static inline void fs_page_cache_add_stray(struct fs_page_cache *cache)
{
    atomic_fetch_add(&cache->reads, 1);
}

static inline bool fs_page_cache_has_strays(const struct fs_page_cache *cache)
{
    return atomic_load(&cache->reads) != atomic_load(&cache->dropped);
}

/* The strays of so many reads are gone. */
static inline void fs_page_cache_remove_strays(struct fs_page_cache *cache, uint64_t reads)
{
    uint64_t dropped = atomic_load(&cache->dropped);

    while (dropped < reads && !atomic_compare_exchange_weak(&cache->dropped, &dropped, reads))
        ;
}
