/* SPDX-License-Identifier: MIT */
#include "files/disks.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "tree/disk_image.h"
#include "tree/records.h"
#include "tree/folder.h"
#include "tree/ino.h"
#include "operation/delete.h"
#include "operation/rename.h"
#include "tree/permission.h"
#include "request/name.h"
#include "files/tasks.h"

static int disk_changed(struct fs *fs, const struct fs_node *node, struct timespec *ret)
{
    char file[NAME_MAX + 1];
    struct stat attributes;

    int err = vhd_store_find(fs->store, fs_entry_name(node->entry), file, &attributes);
    if (err == 0)
        *ret = attributes.st_mtim;
    return err;
}

/*
 * The entry of a disk whose image has these attributes, referenced. If another image is open under
 * the name, its files keep the old entry with the kernel's pages, and the name gets a new entry.
 */
static struct fs_entry *entry_of(struct fs *fs, const char *name, const struct stat *image)
{
    struct fs_entry *entry = fs_entries_get(fs->entries, name);
    struct fs_disk *disk = entry ? fs_entry_known_disk(fs->entries, entry) : NULL;

    if (!disk || !fs_disk_is_another(disk, image))
        return entry;
    fs_entry_replace(fs->entries, entry);
    fs_entry_put(fs->entries, entry);
    return fs_entries_get(fs->entries, name);
}

/* The node of a disk that is in the store. */
static int find_disk(struct fs *fs, const char *name, enum fs_kind kind, struct fs_node *ret)
{
    char file[NAME_MAX + 1];
    struct stat image;

    int err = vhd_store_find(fs->store, name, file, &image);
    if (err < 0)
        return err;
    *ret = (struct fs_node){fs_row(kind), entry_of(fs, name, &image)};
    return ret->entry ? 0 : -ENOMEM;
}

static int disks_find(struct fs *fs, const char *name, struct fs_node *ret)
{
    size_t stem = vhd_name_stem_length(name);

    int err = find_disk(fs, name, FS_DISK, ret);
    if (err != -ENOENT || stem == strlen(name))
        return err;
    AUTO_FREE char *stem_name = strndup(name, stem);
    return stem_name ? find_disk(fs, stem_name, FS_DISK_ALIAS, ret) : -ENOMEM;
}

struct lister {
    struct fs *fs;
    struct fs_listing *listing;
};

static int list_disk(void *arg, const struct vhd_file *file)
{
    const struct lister *lister = arg;
    struct fs *fs = lister->fs;
    const uint64_t number = fs_numbers_of(&fs->numbers, fs->store, file->name, &file->attributes);

    return fs_listing_add(lister->listing, file->name, fs_ino_of_image(number, FS_DISK), S_IFDIR);
}

static int disks_list(struct fs *fs, struct fs_listing *listing)
{
    struct lister lister = {fs, listing};
    return vhd_store_each(fs->store, list_disk, &lister);
}

/* Delete a disk, with its name claimed, so that no task of it begins meanwhile. */
static enum vhd_result delete_claimed(struct fs *fs, struct fs_entry *entry,
                                      struct vhd_verdict *ret)
{
    if (fs_judge_change(fs, ret) != VHD_OK)
        return ret->result;
    if (!fs_record_claim(fs->entries, entry))
        return fs_tasks_refuse_at_work(fs_entry_name(entry), ret);
    enum vhd_result result = vhd_delete(fs->catalogue, fs_entry_name(entry), ret);
    if (result == VHD_OK)
        fs_entry_retire(fs->entries, entry);
    fs_record_end_claim(fs->entries, entry, NULL);
    return result;
}

static enum vhd_result disks_rmdir(struct fs *fs, const char *name, pid_t pid,
                                   struct vhd_verdict *ret)
{
    char file[NAME_MAX + 1];
    enum vhd_result result;

    int err = vhd_store_find(fs->store, name, file, NULL);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot delete the disk \"%s\"", name);
    struct fs_entry *entry = fs_entries_get(fs->entries, name);
    if (!entry)
        return vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    if (fs_entry_was_refused_unlink(fs->entries, entry, pid))
        result = vhd_verdict_set(ret, VHD_NOT_EMPTY,
                                 "this program just tried to remove a file of the disk; to delete "
                                 "the whole disk, run rmdir disks/%s",
                                 name);
    else
        result = delete_claimed(fs, entry, ret);
    fs_entry_put(fs->entries, entry);
    return result;
}

static void moved(struct fs *fs, struct fs_entry *entry, struct fs_entry *target)
{
    struct fs_disk *disk = fs_entry_disk(fs->entries, entry);

    fs_entry_move(fs->entries, entry, target);
    if (disk)
        fs_disk_renamed(disk, fs, fs_entry_name(entry));
}

/*
 * Rename, with both names claimed, so that no task of either begins meanwhile. The disk's nodes
 * and record go on under the new name.
 */
static enum vhd_result rename_claimed(struct fs *fs, struct fs_entry *entry,
                                      struct fs_entry *target, struct vhd_verdict *ret)
{
    const char *names[] = {fs_entry_name(entry), fs_entry_name(target)};

    if (!fs_record_claim(fs->entries, entry))
        return fs_tasks_refuse_at_work(names[0], ret);
    enum vhd_result result;
    if (!fs_record_claim(fs->entries, target)) {
        result = fs_tasks_refuse_at_work(names[1], ret);
    } else {
        result = vhd_rename(fs->catalogue, names[0], names[1], ret);
        if (result == VHD_OK)
            moved(fs, entry, target);
        fs_record_end_claim(fs->entries, target, NULL);
    }
    fs_record_end_claim(fs->entries, entry, NULL);
    return result;
}

static enum vhd_result judge_rename(struct fs *fs, struct fs_entry *entry, struct fs_entry *target,
                                    struct vhd_verdict *ret)
{
    if (fs_judge_change(fs, ret) != VHD_OK)
        return ret->result;
    if (entry == target)
        return vhd_verdict_set(ret, VHD_ALREADY_EXISTS,
                               "the disk already has the name \"%s\"; choose another one",
                               fs_entry_name(entry));
    return rename_claimed(fs, entry, target, ret);
}

/* Is this the alias "X.vhd" of a disk, and not a disk itself? */
static bool is_alias(struct fs *fs, const char *name)
{
    char file[NAME_MAX + 1];

    return vhd_name_stem_length(name) < strlen(name) &&
           vhd_store_find(fs->store, name, file, NULL) == -ENOENT;
}

static enum vhd_result disks_rename(struct fs *fs, const char *name, const char *new_name,
                                    struct vhd_verdict *ret)
{
    AUTO_FREE char *target_name = strndup(new_name, vhd_name_stem_length(new_name));
    struct fs_entry *entry = target_name ? fs_entries_get(fs->entries, name) : NULL;
    struct fs_entry *target = entry ? fs_entries_get(fs->entries, target_name) : NULL;
    const int stem = (int)vhd_name_stem_length(name);
    enum vhd_result result;

    if (!target)
        result = vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    else if (is_alias(fs, name))
        result = vhd_verdict_set(ret, VHD_NOT_PERMITTED,
                                 "\"%s\" is another name of the disk \"%.*s\"; rename disks/%.*s "
                                 "instead",
                                 name, stem, name, stem, name);
    else
        result = judge_rename(fs, entry, target, ret);
    fs_entry_put(fs->entries, target);
    fs_entry_put(fs->entries, entry);
    return result;
}

/* A program that tries to remove all files of a disk gets one line in errors. */
static enum vhd_result disk_unlink(struct fs *fs, const struct fs_node *node, const char *file,
                                   pid_t pid, struct vhd_verdict *ret)
{
    const bool is_told = fs_entry_was_refused_unlink(fs->entries, node->entry, pid);
    const char *name = fs_entry_name(node->entry);
    (void)file;

    fs_entry_note_refused_unlink(fs->entries, node->entry, pid);
    if (is_told)
        return vhd_verdict_set(ret, VHD_NOT_PERMITTED, "%s", "");
    return vhd_verdict_set(ret, VHD_NOT_PERMITTED,
                           "files of a disk cannot be removed; to delete the whole disk, run "
                           "rmdir disks/%s",
                           name);
}

static int alias_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    int err = disk_changed(fs, node, ret);
    if (err == 0)
        fputs(fs_entry_name(node->entry), out);
    return err;
}

static int task_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    if (!fs_tasks_has_record(fs, node))
        return -ENOENT;
    *ret = fs->started;
    fprintf(out, "../../tasks/%s", fs_entry_name(node->entry));
    return 0;
}

const struct fs_row_ops fs_disks_ops = {
    .find = disks_find,
    .list = disks_list,
    .rmdir = disks_rmdir,
    .rename = disks_rename,
};

const struct fs_row_ops fs_disk_ops = {.changed = disk_changed, .unlink = disk_unlink};
const struct fs_row_ops fs_disk_alias_ops = {.show = alias_show};
const struct fs_row_ops fs_disk_task_ops = {.show = task_show, .is_listed = fs_tasks_has_record};
