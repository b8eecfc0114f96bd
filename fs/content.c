#include "content.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "disk/image.h"
#include "log.h"

/* An image file, as it was when it was last known to be as the kernel believes. */
struct trace {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime, ctime;
    bool is_certain; /* a change from then on shows */
};

struct fs_content {
    pthread_mutex_t
        lock; /* guards what follows; a leaf, not held while a disk is opened or closed */
    pthread_cond_t settled;
    bool is_busy; /* somebody opens or closes the disk, or makes it writable, without the lock */
    struct vhd_disk *disk; /* NULL while closed */
    unsigned handles, writers, mappers;
    unsigned doubts;

    /* what the kernel believes */
    bool is_known; /* it has been looked at */
    struct trace trace;
    uint64_t size;
    bool is_differencing;
    uint32_t generation;
    bool is_used;  /* it has been open in this generation: the kernel may have pages */
    bool is_stale; /* which are not right, or may not be */
};

/*
 * Where a file system keeps whole seconds only, as vfat even every second one, two changes in so
 * short a time look the same.
 */
#define COARSE_SECONDS 2

struct fs_content *fs_content_new(void)
{
    struct fs_content *content = calloc(1, sizeof *content);
    if (!content)
        return NULL;
    pthread_mutex_init(&content->lock, NULL);
    pthread_cond_init(&content->settled, NULL);
    return content;
}

void fs_content_free(struct fs_content *content)
{
    if (!content)
        return;
    pthread_cond_destroy(&content->settled);
    pthread_mutex_destroy(&content->lock);
    free(content);
}

/*
 * What the kernel believes.
 */

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same_file(const struct trace *trace, const struct stat *attributes)
{
    return trace->dev == attributes->st_dev && trace->ino == attributes->st_ino &&
           trace->size == attributes->st_size && is_same_time(trace->mtime, attributes->st_mtim);
}

/* Is the file as it was? */
static bool is_as_left(const struct fs_content *content, const struct stat *attributes)
{
    return content->is_known && is_same_file(&content->trace, attributes) &&
           is_same_time(content->trace.ctime, attributes->st_ctim);
}

static void remember(struct fs_content *content, const struct stat *attributes)
{
    const time_t now = clock_real().tv_sec;
    const struct timespec mtime = attributes->st_mtim, ctime = attributes->st_ctim;

    content->trace = (struct trace){
        .dev = attributes->st_dev,
        .ino = attributes->st_ino,
        .size = attributes->st_size,
        .mtime = mtime,
        .ctime = ctime,
        .is_certain = mtime.tv_nsec != 0 || ctime.tv_nsec != 0 ||
                      (now - mtime.tv_sec > COARSE_SECONDS && now - ctime.tv_sec > COARSE_SECONDS),
    };
    content->is_known = true;
}

/*
 * Somebody else has changed the image, or may have. Where the kernel has no pages, and the size is
 * the one that it was told, it need not know.
 */
static void believe_anew(struct fs_content *content, const struct stat *attributes, uint64_t size)
{
    if (content->is_used || (content->is_known && size != content->size))
        content->generation++;
    content->is_used = content->is_stale = false;
    content->size = size;
    remember(content, attributes);
}

/*
 * The image is as it was, as far as can be told. Where that is not far, the kernel is to drop its
 * pages when the disk is opened. (It is not given a fresh node: with many who look and open at
 * once, each would make the other's stale.)
 */
static void believe_on(struct fs_content *content, const struct stat *attributes, uint64_t size)
{
    if (size != content->size) {
        believe_anew(content, attributes, size);
    } else if (!content->trace.is_certain) {
        content->is_stale |= content->is_used;
        remember(content, attributes);
    }
}

/* The image of a closed disk has to be read to tell its size. */
static void read_image(struct fs_content *content, const struct vhd_store *store, const char *file,
                       const struct stat *attributes)
{
    struct vhd_image image = {0};

    AUTO_CLOSE int fd = vhd_store_open_to_look(store, file);
    /* What a damaged image tells may be more than any file can have. */
    const bool is_sound = fd >= 0 && vhd_image_read(fd, &image);
    content->is_differencing = vhd_image_is_differencing(&image);
    const uint64_t size = is_sound ? image.footer.current_size : 0;
    if (is_as_left(content, attributes))
        believe_on(content, attributes, size);
    else
        believe_anew(content, attributes, size);
}

/* Look at a closed disk; under the lock. */
static int look_at_image(struct fs_content *content, struct fs *fs, const char *name,
                         struct stat *ret)
{
    char file[NAME_MAX + 1];

    int err = vhd_store_find(fs->store, name, file, ret);
    if (err < 0 || (content->is_busy && content->is_known))
        return err;
    if (!is_as_left(content, ret) || !content->trace.is_certain)
        read_image(content, fs->store, file, ret);
    return 0;
}

int fs_content_look(struct fs_content *content, struct fs *fs, const char *name,
                    struct fs_content_look *ret)
{
    struct stat attributes;

    HOLD_LOCK(&content->lock);
    int err = content->disk ? vhd_disk_stat(content->disk, &attributes)
                            : look_at_image(content, fs, name, &attributes);
    if (err < 0)
        return err;
    *ret = (struct fs_content_look){
        .size = content->size,
        .blocks = attributes.st_blocks,
        .changed = attributes.st_mtim,
        .generation = content->generation,
    };
    return 0;
}

void fs_content_renamed(struct fs_content *content, struct fs *fs, const char *new_name)
{
    char file[NAME_MAX + 1];
    struct stat attributes;

    HOLD_LOCK(&content->lock);
    if (content->is_known && vhd_store_find(fs->store, new_name, file, &attributes) == 0 &&
        is_same_file(&content->trace, &attributes))
        remember(content, &attributes);
}

/*
 * The open disk.
 */

/* Be the one who opens or closes it: wait until nobody else does. Under the lock. */
static void begin_change(struct fs_content *content)
{
    while (content->is_busy)
        pthread_cond_wait(&content->settled, &content->lock);
    content->is_busy = true;
}

static void end_change(struct fs_content *content)
{
    content->is_busy = false;
    pthread_cond_broadcast(&content->settled);
}

/*
 * Open the disk, by who is busy with it. For reading first, whatever it is to be used for: from
 * then on nobody else changes the image, and what we change in opening it for writing is not yet
 * done.
 */
static enum vhd_result open_disk(struct fs_content *content, struct fs *fs, const char *name,
                                 struct vhd_verdict *ret_why)
{
    struct vhd_disk *disk;
    struct stat attributes;

    pthread_mutex_unlock(&content->lock);
    enum vhd_result result = vhd_disk_open(fs->store, fs->children, name, 0, &disk, ret_why);
    pthread_mutex_lock(&content->lock);
    if (result != VHD_OK)
        return result;
    int err = vhd_disk_stat(disk, &attributes);
    if (err == 0 && is_as_left(content, &attributes))
        believe_on(content, &attributes, vhd_disk_size(disk));
    else if (err == 0)
        believe_anew(content, &attributes, vhd_disk_size(disk));
    /* The parents of a disk have no trace of their own. */
    content->is_stale |= content->is_used && content->is_differencing;
    content->disk = disk;
    content->is_used = true;
    return VHD_OK;
}

/* Have it be open for writing too, by who is busy with it. */
static enum vhd_result make_writable(struct fs_content *content, struct fs *fs,
                                     struct vhd_verdict *ret_why)
{
    pthread_mutex_unlock(&content->lock);
    enum vhd_result result = vhd_disk_make_writable(content->disk, fs->children, ret_why);
    pthread_mutex_lock(&content->lock);
    return result;
}

/* Close the disk, and remember how it has been left; by who is busy with it. */
static void close_disk(struct fs_content *content, struct fs *fs, const char *name)
{
    char file[NAME_MAX + 1];
    struct stat attributes;
    struct vhd_disk *disk = TAKE(content->disk);

    pthread_mutex_unlock(&content->lock);
    int err = vhd_disk_close(disk, NULL);
    if (err < 0)
        fs_log(LOG_WARNING, "the disk \"%s\" is not left clean: %s", name, strerrordesc_np(-err));
    err = vhd_store_find(fs->store, name, file, &attributes);
    pthread_mutex_lock(&content->lock);
    /* Another file may have been put in its place. */
    if (err == 0 && content->trace.dev == attributes.st_dev &&
        content->trace.ino == attributes.st_ino)
        remember(content, &attributes);
}

enum vhd_result fs_content_open(struct fs_content *content, struct fs *fs, const char *name,
                                enum fs_content_use use, struct fs_content_opened *ret,
                                struct vhd_verdict *ret_why)
{
    enum vhd_result result = VHD_OK;

    HOLD_LOCK(&content->lock);
    begin_change(content);
    const bool was_closed = !content->disk;
    if (was_closed)
        result = open_disk(content, fs, name, ret_why);
    if (result == VHD_OK && use != FS_CONTENT_READ)
        result = make_writable(content, fs, ret_why);
    if (result == VHD_OK) {
        content->handles++;
        content->writers += use != FS_CONTENT_READ;
        content->mappers += use == FS_CONTENT_MAP;
        /* What is read into a page while that is written past it stays there in some kernels. */
        content->is_stale |= use == FS_CONTENT_WRITE;
        *ret = (struct fs_content_opened){
            .disk = content->disk,
            .generation = content->generation,
            .is_stale = content->is_stale || content->doubts > 0,
        };
    } else if (was_closed && content->disk) {
        close_disk(content, fs, name);
    }
    end_change(content);
    return result;
}

void fs_content_close(struct fs_content *content, struct fs *fs, const char *name,
                      enum fs_content_use use)
{
    HOLD_LOCK(&content->lock);
    begin_change(content);
    content->writers -= use != FS_CONTENT_READ;
    content->mappers -= use == FS_CONTENT_MAP;
    if (--content->handles == 0)
        close_disk(content, fs, name);
    end_change(content);
}

void fs_content_dropped(struct fs_content *content)
{
    HOLD_LOCK(&content->lock);
    content->is_stale = content->writers > content->mappers;
}

void fs_content_doubt(struct fs_content *content, bool begins)
{
    HOLD_LOCK(&content->lock);
    if (begins)
        content->doubts++;
    else
        content->doubts--;
}

bool fs_content_has_writer(struct fs_content *content)
{
    HOLD_LOCK(&content->lock);
    return content->writers > 0;
}

bool fs_content_has_mapper(struct fs_content *content)
{
    HOLD_LOCK(&content->lock);
    return content->mappers > 0;
}
