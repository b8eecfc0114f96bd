#include "files/disks.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "tree/open_disk.h"
#include "image/info.h"
#include "tree/records.h"
#include "tree/folder.h"
#include "tree/ino.h"
#include "operation/delete.h"
#include "operation/rename.h"
#include "tree/permission.h"
#include "tree/reply.h"
#include "request/name.h"
#include "request/size.h"
#include "files/tasks.h"

/* The source of an info. */
struct record {
    const struct vhd_store *store;
    struct vhd_info info;
    struct vhd_verdict name; /* a fault of its name */
};

/*
 * The values of an info.
 */

static void print_number(FILE *out, bool is_known, uint64_t number)
{
    if (is_known)
        fprintf(out, "%" PRIu64, number);
    else
        putc('-', out);
}

static void print_name(FILE *out, const void *arg)
{
    const struct record *record = arg;
    fputs(record->info.name, out);
}

static void print_path(FILE *out, const void *arg)
{
    const struct record *record = arg;
    fprintf(out, "%s/%s", vhd_store_path(record->store), record->info.file);
}

static void print_type(FILE *out, const void *arg)
{
    const struct vhd_image *image = &((const struct record *)arg)->info.image;
    if (!image->has_footer)
        putc('-', out);
    else if (image->footer.type == VHD_TYPE_FIXED)
        fputs("fixed", out);
    else if (image->footer.type == VHD_TYPE_DYNAMIC)
        fputs("dynamic", out);
    else
        fputs("differencing", out);
}

static void print_size(FILE *out, const void *arg)
{
    const struct vhd_image *image = &((const struct record *)arg)->info.image;
    char text[VHD_SIZE_TEXT] = "-";
    if (image->has_footer)
        vhd_size_format(image->footer.current_size, text);
    fputs(text, out);
}

static void print_bytes(FILE *out, const void *arg)
{
    const struct vhd_image *image = &((const struct record *)arg)->info.image;
    print_number(out, image->has_footer, image->footer.current_size);
}

static void print_used(FILE *out, const void *arg)
{
    const struct record *record = arg;
    fprintf(out, "%" PRIu64, record->info.used);
}

static void print_length(FILE *out, const void *arg)
{
    const struct record *record = arg;
    fprintf(out, "%" PRIu64, record->info.image.length);
}

static void print_uuid(FILE *out, const void *arg)
{
    const struct vhd_image *image = &((const struct record *)arg)->info.image;
    char text[UUID_STR_LEN] = "-";
    if (image->has_footer)
        uuid_unparse_lower(image->footer.uuid, text);
    fputs(text, out);
}

static void print_created(FILE *out, const void *arg)
{
    const struct vhd_image *image = &((const struct record *)arg)->info.image;
    struct timespec created = {0};
    if (image->has_footer)
        created.tv_sec = VHD_EPOCH + image->footer.timestamp;
    fs_print_time(out, created);
}

/* Four characters and a version. A dot stands for each byte that cannot be printed. */
static void print_creator(FILE *out, const void *arg)
{
    const struct vhd_image *image = &((const struct record *)arg)->info.image;
    if (!image->has_footer) {
        putc('-', out);
        return;
    }
    size_t len = sizeof image->footer.creator_app;
    while (len > 0 && strchr(" ", image->footer.creator_app[len - 1]))
        len--;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)image->footer.creator_app[i];
        putc(c > ' ' && c < 0x7F ? c : '.', out);
    }
    uint32_t version = image->footer.creator_version;
    fprintf(out, "%s%" PRIu32 ".%" PRIu32, len ? " " : "", version >> 16, version & 0xFFFF);
}

static void print_geometry(FILE *out, const void *arg)
{
    const struct vhd_image *image = &((const struct record *)arg)->info.image;
    const struct vhd_geometry *geometry = &image->footer.geometry;
    if (image->has_footer)
        fprintf(out, "%u/%u/%u", geometry->cylinders, geometry->heads, geometry->sectors_per_track);
    else
        putc('-', out);
}

static void print_blocks(FILE *out, const void *arg)
{
    const struct vhd_image *image = &((const struct record *)arg)->info.image;
    print_number(out, image->has_header, image->blocks);
}

static void print_allocated(FILE *out, const void *arg)
{
    const struct vhd_image *image = &((const struct record *)arg)->info.image;
    print_number(out, image->has_header, image->allocated);
}

static void print_parent(FILE *out, const void *arg)
{
    const struct record *record = arg;
    fputs(*record->info.parent ? record->info.parent : "-", out);
}

static void print_parent_uuid(FILE *out, const void *arg)
{
    const struct vhd_image *image = &((const struct record *)arg)->info.image;
    char text[UUID_STR_LEN] = "-";
    if (vhd_image_is_differencing(image))
        uuid_unparse_lower(image->header.parent_uuid, text);
    fputs(text, out);
}

static void print_children(FILE *out, const void *arg)
{
    const struct record *record = arg;
    fprintf(out, "%u", record->info.children);
}

static void print_depth(FILE *out, const void *arg)
{
    const struct record *record = arg;
    print_number(out, record->info.depth > 0, record->info.depth);
}

static void print_slack(FILE *out, const void *arg)
{
    const struct record *record = arg;
    print_number(out, record->info.has_slack, record->info.slack);
}

/* The size for a person: "4.0 GiB". */
static void print_human(FILE *out, const void *arg)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    const struct vhd_image *image = &((const struct record *)arg)->info.image;
    double size = (double)image->footer.current_size;
    size_t unit = 0;

    if (!image->has_footer) {
        putc('-', out);
        return;
    }
    while (size >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        size /= 1024;
        unit++;
    }
    fprintf(out, "%.*f %s", unit > 0, size, units[unit]);
}

static void print_fault(FILE *out, const void *arg)
{
    const struct record *record = arg;
    const struct vhd_fault *fault = &record->info.image.fault;

    if (record->name.result == VHD_NOT_A_DISK)
        fputs(record->name.sentence, out);
    else if (fault->defect != VHD_SOUND)
        fputs(fault->sentence, out);
    else
        fputs(record->name.result == VHD_OK ? "-" : record->name.sentence, out);
}

const struct fs_field fs_disk_fields[] = {
    [FS_DISK_FIELD_name] = {"name", print_name, false},
    [FS_DISK_FIELD_path] = {"path", print_path, false},
    [FS_DISK_FIELD_type] = {"type", print_type, false},
    [FS_DISK_FIELD_size] = {"size", print_size, false},
    [FS_DISK_FIELD_bytes] = {"bytes", print_bytes, true},
    [FS_DISK_FIELD_used] = {"used", print_used, true},
    [FS_DISK_FIELD_length] = {"length", print_length, true},
    [FS_DISK_FIELD_uuid] = {"uuid", print_uuid, false},
    [FS_DISK_FIELD_created] = {"created", print_created, false},
    [FS_DISK_FIELD_creator] = {"creator", print_creator, false},
    [FS_DISK_FIELD_geometry] = {"geometry", print_geometry, false},
    [FS_DISK_FIELD_blocks] = {"blocks", print_blocks, true},
    [FS_DISK_FIELD_allocated] = {"allocated", print_allocated, true},
    [FS_DISK_FIELD_parent] = {"parent", print_parent, false},
    [FS_DISK_FIELD_parent_uuid] = {"parent_uuid", print_parent_uuid, false},
    [FS_DISK_FIELD_children] = {"children", print_children, true},
    [FS_DISK_FIELD_depth] = {"depth", print_depth, true},
    [FS_DISK_FIELD_slack] = {"slack", print_slack, true},
    [FS_DISK_FIELD_human] = {"human", print_human, false},
    [FS_DISK_FIELD_fault] = {"fault", print_fault, false},
    [FS_DISK_FIELD_END] = {NULL, NULL, false},
};

/* Is the image the disk's own, and the only one of its name? */
static void judge_name(struct fs *fs, const struct fs_node *node, const char *file,
                       struct vhd_verdict *ret)
{
    char other[NAME_MAX + 1];

    if (fs_node_judge(fs, node, ret) == VHD_OK && vhd_store_find_rival(fs->store, file, other))
        vhd_verdict_set(ret, VHD_ALREADY_EXISTS,
                        "sound, but \"%s\" would be a disk of the same name: rename that file",
                        other);
}

/*
 * Read the info of a disk. The whole has values of its table and its children. The files with one
 * value show none of these, so that a look at thousands of disks stays cheap.
 */
static int read_record(struct fs *fs, const struct fs_node *node, bool is_whole, struct record *ret,
                       struct timespec *ret_changed)
{
    const char *name = fs_entry_name(node->entry);

    ret->store = fs->store;
    int err = is_whole ? vhd_info_read_all(fs->catalogue, name, &ret->info)
                       : vhd_info_read(fs->store, name, &ret->info);
    if (err == 0)
        *ret_changed = ret->info.changed;
    if (err == 0 && is_whole)
        judge_name(fs, node, ret->info.file, &ret->name);
    return err;
}

static int info_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    struct record record;
    int err = read_record(fs, node, true, &record, ret);
    if (err == 0)
        fs_fields_show(out, fs_disk_fields, &record);
    return err;
}

static int json_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    struct record record;
    int err = read_record(fs, node, true, &record, ret);
    if (err == 0)
        fs_fields_show_json(out, fs_disk_fields, &record);
    return err;
}

static int value_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    struct record record;
    int err = read_record(fs, node, false, &record, ret);
    if (err == 0)
        fs_field_show(out, node->row->field, &record);
    return err;
}

/*
 * The folder.
 */

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
                                 "this program was just refused to remove a file inside: to delete "
                                 "the disk, run rmdir disks/%s",
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
        return vhd_verdict_set(ret, VHD_ALREADY_EXISTS, "the disk has the name \"%s\" already",
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

static enum vhd_result disks_rename(struct fs *fs, const char *name, const char *new_text,
                                    struct vhd_verdict *ret)
{
    AUTO_FREE char *new_name = strndup(new_text, vhd_name_stem_length(new_text));
    struct fs_entry *entry = new_name ? fs_entries_get(fs->entries, name) : NULL;
    struct fs_entry *target = entry ? fs_entries_get(fs->entries, new_name) : NULL;
    enum vhd_result result;

    if (!target)
        result = vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    else if (is_alias(fs, name))
        result = vhd_verdict_set(ret, VHD_NOT_PERMITTED,
                                 "\"%s\" is another name of the disk \"%.*s\": rename that", name,
                                 (int)vhd_name_stem_length(name), name);
    else
        result = judge_rename(fs, entry, target, ret);
    fs_entry_put(fs->entries, target);
    fs_entry_put(fs->entries, entry);
    return result;
}

/* A program that tries to remove all files of a disk gets one line in errors. */
static enum vhd_result disk_unlink(struct fs *fs, const struct fs_node *node, const char *text,
                                   pid_t pid, struct vhd_verdict *ret)
{
    const bool is_told = fs_entry_was_refused_unlink(fs->entries, node->entry, pid);
    const char *name = fs_entry_name(node->entry);
    (void)text;

    fs_entry_note_refused_unlink(fs->entries, node->entry, pid);
    if (is_told)
        return vhd_verdict_set(ret, VHD_NOT_PERMITTED, "%s", "");
    return vhd_verdict_set(ret, VHD_NOT_PERMITTED,
                           "files of a disk stay with it: to delete the disk, run rmdir disks/%s",
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
const struct fs_row_ops fs_disk_info_ops = {.show = info_show};
const struct fs_row_ops fs_disk_json_ops = {.show = json_show};
const struct fs_row_ops fs_disk_value_ops = {.show = value_show};
const struct fs_row_ops fs_disk_task_ops = {.show = task_show, .is_listed = fs_tasks_has_record};
