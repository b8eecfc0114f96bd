/* SPDX-License-Identifier: MIT */
#include "files/info.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "image/info.h"
#include "request/size.h"

/* The source of an info. */
struct record {
    const struct vhd_store *store;
    struct vhd_info info;
    struct vhd_verdict name; /* a fault of its name */
};

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
                        "this disk is sound, but the file \"%s\" has the same disk name and is "
                        "hidden; rename that file",
                        other);
}

/*
 * Read the info of a disk. The whole has values of its table and its children. The files with one
 * value show none of these, so that a listing of thousands of disks stays cheap.
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

const struct fs_row_ops fs_disk_info_ops = {.show = info_show};
const struct fs_row_ops fs_disk_json_ops = {.show = json_show};
const struct fs_row_ops fs_disk_value_ops = {.show = value_show};
