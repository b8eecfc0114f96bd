/* SPDX-License-Identifier: MIT */
#include "image/catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/same_file.h"
#include "image/image.h"
#include "image/parent.h"
#include "store/fingerprint.h"

/* How long a listing stays valid while the directory looks unchanged. */
#define LISTING_SECONDS 2

/* The record of an image. */
struct known {
    const char *file;                   /* points to text, except in a search key */
    struct vhd_fingerprint fingerprint; /* from before the image was read */
    bool is_child;
    uuid_t identity, parent; /* of a child */
    char *parent_names[4];   /* of a child: its names for the parent; NULL for an empty one */
    char text[];
};

struct vhd_catalogue {
    _Atomic unsigned refs;
    struct vhd_store *store; /* constant; referenced */

    pthread_mutex_t lock;         /* guards all below; held while the store is read */
    void *known;                  /* tree of struct known, by file */
    const struct known **parents; /* all children, by the identity of the parent */
    size_t count, capacity;
    bool is_listed;
    struct timespec listed_at;     /* real time */
    struct vhd_fingerprint folder; /* of the directory, from before the listing */
};

struct vhd_catalogue *vhd_catalogue_new(struct vhd_store *store)
{
    struct vhd_catalogue *catalogue = calloc(1, sizeof *catalogue);
    if (!catalogue)
        return NULL;
    pthread_mutex_init(&catalogue->lock, NULL);
    catalogue->refs = 1;
    catalogue->store = vhd_store_ref(store);
    return catalogue;
}

static void known_free(void *arg)
{
    struct known *known = arg;

    for (int i = 0; known && i < 4; i++)
        free(known->parent_names[i]);
    free(known);
}

struct vhd_catalogue *vhd_catalogue_ref(struct vhd_catalogue *catalogue)
{
    catalogue->refs++;
    return catalogue;
}

void vhd_catalogue_unref(struct vhd_catalogue *catalogue)
{
    if (!catalogue || --catalogue->refs > 0)
        return;
    tdestroy(catalogue->known, known_free);
    free(catalogue->parents);
    vhd_store_unref(catalogue->store);
    pthread_mutex_destroy(&catalogue->lock);
    free(catalogue);
}

struct vhd_store *vhd_catalogue_store(const struct vhd_catalogue *catalogue)
{
    return catalogue->store;
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct known *)a)->file, ((const struct known *)b)->file);
}

static int compare_parents(const void *a, const void *b)
{
    const struct known *const *one = a, *const *other = b;
    return uuid_compare((*one)->parent, (*other)->parent);
}

/* Nanoseconds from one time to another. */
static int64_t between(struct timespec from, struct timespec to)
{
    return (int64_t)(to.tv_sec - from.tv_sec) * 1000000000 + (to.tv_nsec - from.tv_nsec);
}

/* Is this errno of open a fault of the image, and not a shortage that passes? */
static bool errno_is_image_fault(int err)
{
    return err == -EACCES || err == -ENOENT || err == -ELOOP || err == -ENXIO || err == -EPERM;
}

/* Keep a child's names for its parent. Returns 0 or -ENOMEM. */
static int keep_names(int fd, const struct vhd_header *header, struct known *known)
{
    struct vhd_parent_names names;

    vhd_parent_read_names(fd, header, &names);
    for (int i = 0; i < 4; i++) {
        if (!*names.names[i])
            continue;
        known->parent_names[i] = strdup(names.names[i]);
        if (!known->parent_names[i])
            return -ENOMEM;
    }
    return 0;
}

/*
 * Read an image into known. An unreadable image counts as no child, and no image is its own child.
 * An image under another program's lease must not delay all others: the next listing reads it.
 */
static int known_read(const struct vhd_catalogue *catalogue, const char *file, struct known *known)
{
    struct vhd_image image;

    AUTO_CLOSE int fd = vhd_store_open_unlocked(catalogue->store, file);
    if (fd == -EAGAIN) {
        known->fingerprint.is_reliable = false;
        return 0;
    }
    if (fd < 0)
        return errno_is_image_fault(fd) ? 0 : fd;
    if (vhd_image_read(fd, &image) && vhd_image_is_differencing(&image) &&
        uuid_compare(image.footer.uuid, image.header.parent_uuid) != 0) {
        known->is_child = true;
        uuid_copy(known->identity, image.footer.uuid);
        uuid_copy(known->parent, image.header.parent_uuid);
        return keep_names(fd, &image.header, known);
    }
    return 0;
}

/* Make the record of an image. Returns 0 or a negative errno. */
static int known_new(const struct vhd_catalogue *catalogue, const struct vhd_file *file,
                     struct known **ret)
{
    size_t size = strlen(file->file) + 1;
    struct known *known = calloc(1, sizeof *known + size);
    if (!known)
        return -ENOMEM;
    memcpy(known->text, file->file, size);
    known->file = known->text;
    /* The listing begins before the stat, so its time is safe. */
    known->fingerprint = vhd_fingerprint_seen(&file->attributes, catalogue->listed_at);
    int err = known_read(catalogue, file->file, known);
    if (err < 0)
        known_free(known);
    else
        *ret = known;
    return err;
}

/* Is the record of a file still valid? */
static bool is_same(const struct known *known, const struct vhd_file *file)
{
    const struct vhd_fingerprint now = vhd_fingerprint_of(&file->attributes);
    return known->fingerprint.is_reliable && vhd_fingerprint_is_same(&known->fingerprint, &now);
}

/* A listing of the store at work. */
struct listing {
    struct vhd_catalogue *catalogue;
    void *known; /* records so far */
};

static int add_child(struct vhd_catalogue *catalogue, const struct known *known)
{
    const struct known **parents =
        array_grow(catalogue->parents, catalogue->count, &catalogue->capacity,
                   sizeof *parents); /* NOLINT(bugprone-sizeof-expression): of pointers */
    if (!parents)
        return -ENOMEM;
    catalogue->parents = parents;
    catalogue->parents[catalogue->count++] = known;
    return 0;
}

/*
 * Add the record of a file to the listing, which owns it then. A second record of the same file, or
 * one that does not fit into memory, is freed. Returns 0 or -ENOMEM.
 */
static int list_known(struct listing *listing, struct known *known)
{
    struct known **node = tsearch(known, &listing->known, compare_files);

    if (!node || *node != known) {
        /* A directory that changes while it is read may name a file twice. */
        known_free(known);
        return node ? 0 : -ENOMEM;
    }
    return known->is_child ? add_child(listing->catalogue, known) : 0;
}

/* Move a valid record to the listing, or make a new one. */
static int list_one(void *arg, const struct vhd_file *file)
{
    struct listing *listing = arg;
    struct vhd_catalogue *catalogue = listing->catalogue;
    const struct known key = {.file = file->file};
    int err = 0;

    void *node = tfind(&key, &catalogue->known, compare_files);
    struct known *known = node ? *(struct known **)node : NULL;
    if (known)
        tdelete(known, &catalogue->known, compare_files);
    if (!known || !is_same(known, file)) {
        known_free(known);
        known = NULL;
        err = known_new(catalogue, file, &known);
    }
    return err < 0 ? err : list_known(listing, known);
}

/* List the store. After a failure only the records so far stay, and the next call lists again. */
static int list(struct vhd_catalogue *catalogue, const struct vhd_fingerprint *folder)
{
    struct listing listing = {.catalogue = catalogue};

    catalogue->count = 0;
    catalogue->listed_at = clock_real();
    int err = vhd_store_each_image(catalogue->store, list_one, &listing);
    tdestroy(catalogue->known, known_free);
    catalogue->known = listing.known;
    catalogue->is_listed = err == 0;
    catalogue->folder = *folder;
    if (catalogue->count > 0)
        qsort(catalogue->parents, catalogue->count, sizeof(struct known *), compare_parents);
    return err;
}

/* Does the last listing still match the directory? */
static bool is_current(const struct vhd_catalogue *catalogue, const struct vhd_fingerprint *folder)
{
    int64_t age = between(catalogue->listed_at, clock_real());

    return catalogue->is_listed && age >= 0 && age < LISTING_SECONDS * INT64_C(1000000000) &&
           catalogue->folder.is_reliable && vhd_fingerprint_is_same(&catalogue->folder, folder);
}

/* The first of the sorted parents that is not below this one. */
static size_t lower_bound(const struct vhd_catalogue *catalogue, const uuid_t parent)
{
    size_t low = 0, high = catalogue->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (uuid_compare(catalogue->parents[middle]->parent, parent) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Do two names lead to the same file? A hard link does. */
static bool lead_to_one(const struct vhd_store *store, const char *a, const char *b)
{
    struct stat one, other;

    if (strcmp(a, b) == 0)
        return true;
    return fstatat(vhd_store_fd(store), a, &one, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(vhd_store_fd(store), b, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
           is_same_file(&one, &other);
}

/* Do a child's names for its parent lead to this file? Returns 1, 0, or a negative errno. */
static int leads_to(const struct vhd_catalogue *catalogue, const struct known *child,
                    const char *file)
{
    char name[NAME_MAX + 1], found[NAME_MAX + 1];
    struct vhd_parent_names names = {0};

    for (int i = 0; i < 4; i++) {
        if (child->parent_names[i])
            memcpy(names.names[i], child->parent_names[i], strlen(child->parent_names[i]) + 1);
    }
    int err = vhd_parent_resolve(catalogue->store, &names, child->parent, name, found);
    if (err < 0)
        return err;
    return *found && lead_to_one(catalogue->store, found, file);
}

/* List the store if it has changed, or always. Under the lock. */
static int list_changes(struct vhd_catalogue *catalogue, bool is_forced)
{
    const struct timespec seen = clock_real();
    struct stat attributes;

    if (fstat(vhd_store_fd(catalogue->store), &attributes) < 0)
        return -errno;
    const struct vhd_fingerprint folder = vhd_fingerprint_seen(&attributes, seen);
    return is_forced || !is_current(catalogue, &folder) ? list(catalogue, &folder) : 0;
}

/*
 * Call visit() for each child of an image, under the lock. Returns 0, or the first other value: of
 * visit, or a negative errno.
 */
static int each_child(struct vhd_catalogue *catalogue, const char *file, const uuid_t parent,
                      int (*visit)(void *arg, const struct known *child), void *arg)
{
    int result = 0;

    for (size_t i = lower_bound(catalogue, parent); result == 0 && i < catalogue->count; i++) {
        const struct known *child = catalogue->parents[i];
        if (uuid_compare(child->parent, parent) != 0)
            break;
        result = leads_to(catalogue, child, file);
        if (result > 0)
            result = visit(arg, child);
    }
    return result;
}

static int add_one(void *arg, const struct known *child)
{
    unsigned *count = arg;
    (void)child;

    ++*count;
    return 0;
}

static int count(struct vhd_catalogue *catalogue, const char *file, const uuid_t parent,
                 bool is_forced, unsigned *ret)
{
    unsigned found = 0;

    HOLD_LOCK(&catalogue->lock);
    int err = list_changes(catalogue, is_forced);
    if (err == 0)
        err = each_child(catalogue, file, parent, add_one, &found);
    if (err == 0)
        *ret = found;
    return err;
}

/* A search for the longest chain below an image. */
struct descent {
    struct vhd_catalogue *catalogue;
    unsigned depth, deepest; /* of the image at hand; of all so far */
    unsigned limit;
};

/* Go down to a child. A cycle ends at the limit, and an image is on one way down alone. */
static int descend(void *arg, const struct known *child)
{
    struct descent *descent = arg;
    int err = 0;

    descent->depth++;
    if (descent->depth > descent->deepest)
        descent->deepest = descent->depth;
    if (descent->depth < descent->limit)
        err = each_child(descent->catalogue, child->file, child->identity, descend, descent);
    descent->depth--;
    return err;
}

int vhd_catalogue_depth_below(struct vhd_catalogue *catalogue, const char *file,
                              const uuid_t identity, unsigned limit, unsigned *ret)
{
    struct descent descent = {.catalogue = catalogue, .limit = limit};

    HOLD_LOCK(&catalogue->lock);
    int err = list_changes(catalogue, false);
    if (err == 0)
        err = each_child(catalogue, file, identity, descend, &descent);
    if (err == 0)
        *ret = descent.deepest;
    return err;
}

int vhd_catalogue_count_children(struct vhd_catalogue *catalogue, const char *file,
                                 const uuid_t parent, unsigned *ret)
{
    return count(catalogue, file, parent, false, ret);
}

int vhd_catalogue_count_children_now(struct vhd_catalogue *catalogue, const char *file,
                                     const uuid_t parent, unsigned *ret)
{
    return count(catalogue, file, parent, true, ret);
}
