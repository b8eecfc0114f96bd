/* SPDX-License-Identifier: MIT */
#include "image/check.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/zeros.h"
#include "format/checksum.h"
#include "format/placement.h"
#include "image/chain.h"
#include "image/check_blocks.h"
#include "image/split.h"
#include "image/survey.h"

/* The smallest disk that Windows opens. */
#define SMALLEST (UINT64_C(3) << 20)

/* blktap's checker lets a clock be this late. */
#define CLOCK_ERROR 1800

struct check {
    const struct vhd_store *store;
    const char *file;
    int fd;
    struct vhd_findings findings;
    struct vhd_survey survey;
};

/*
 * The footers.
 */

/* Is the checksum that of the bytes? A footer that an early tapdisk has hidden reads without. */
static bool has_checksum(const struct vhd_survey_footer *footer)
{
    const uint32_t sum = vhd_checksum(&footer->disk, sizeof footer->disk,
                                      offsetof(struct vhd_footer_disk, checksum));
    return be32_get(footer->disk.checksum) == sum;
}

/* The footer at the end, where another program looks first. */
static void check_end(struct check *check)
{
    const struct vhd_survey_footer *end = &check->survey.end;
    struct vhd_fault fault = end->fault;

    if (end->length + 1 == VHD_FOOTER_SIZE && end->is_readable)
        vhd_find(&check->findings, "footer", "short",
                 "the footer has 511 bytes, as programs before Virtual PC 2004 wrote it");
    if (fault.defect == VHD_SOUND && !has_checksum(end))
        vhd_find(&check->findings, "footer", "checksum",
                 "an early tapdisk has hidden the disk without a new checksum; only blktap and "
                 "vhdfs accept that");
    if (fault.defect == VHD_SOUND)
        return;
    if (fault.defect == VHD_FOOTER_MISSING && check->survey.image.has_footer)
        vhd_fault_set(&fault, VHD_FOOTER_LOST, NULL);
    vhd_find_fault(&check->findings, &fault);
}

static void check_copy(struct check *check)
{
    const struct vhd_survey_footer *end = &check->survey.end, *copy = &check->survey.copy;
    struct vhd_findings *findings = &check->findings;

    if (copy->fault.defect == VHD_FOOTER_MISSING)
        vhd_find(findings, "copy", "lost", "the footer's copy at the start of the file is lost");
    else if (copy->fault.defect == VHD_UNREADABLE)
        vhd_find(findings, "copy", "unreadable", "%s", copy->fault.sentence);
    else if (copy->fault.defect == VHD_FOOTER_CHECKSUM)
        vhd_find(findings, "copy", "checksum", "the checksum of the footer's copy is wrong");
    else if (end->fault.defect != VHD_FOOTER_MISSING &&
             memcmp(&copy->disk, &end->disk, sizeof copy->disk) != 0)
        vhd_find(findings, "copy", "differs", "the footer's copy differs from the footer");
}

static bool is_same_geometry(struct vhd_geometry a, struct vhd_geometry b)
{
    return a.cylinders == b.cylinders && a.heads == b.heads &&
           a.sectors_per_track == b.sectors_per_track;
}

static void check_sizes(struct check *check, const struct vhd_footer *footer,
                        const struct vhd_footer *strict)
{
    struct vhd_findings *findings = &check->findings;
    const struct vhd_geometry got = footer->geometry,
                              wanted = vhd_geometry_of(footer->current_size / VHD_SECTOR_SIZE);

    if (footer->original_size != strict->original_size)
        vhd_find(findings, "footer", "size",
                 "the original size is %" PRIu64 " bytes, the current one %" PRIu64
                 "; some programs use the original one",
                 footer->original_size, footer->current_size);
    if (!is_same_geometry(got, strict->geometry))
        vhd_find(findings, "footer", "geometry",
                 "the geometry is %u/%u/%u, expected %u/%u/%u for the size", got.cylinders,
                 got.heads, got.sectors_per_track, wanted.cylinders, wanted.heads,
                 wanted.sectors_per_track);
    else if (!is_same_geometry(got, wanted))
        vhd_find_remark(findings, "footer",
                        "the geometry is %u/%u/%u, expected %u/%u/%u; programs that measure the "
                        "disk by it see a smaller one",
                        got.cylinders, got.heads, got.sectors_per_track, wanted.cylinders,
                        wanted.heads, wanted.sectors_per_track);
    if (footer->current_size < SMALLEST || footer->current_size > VHD_SIZE_MAX)
        vhd_find_remark(findings, "footer",
                        "the size is %" PRIu64 " bytes; Windows opens 3 MB to 2040 GB",
                        footer->current_size);
}

static void check_flags(struct check *check, const struct vhd_footer *footer,
                        const struct vhd_footer *strict)
{
    struct vhd_findings *findings = &check->findings;

    if (footer->features != strict->features)
        vhd_find(findings, "footer", "features",
                 "the features are 0x%08" PRIX32 ", expected 0x%08" PRIX32, footer->features,
                 strict->features);
    if (footer->features & VHD_FEATURES_TEMPORARY)
        vhd_find_remark(findings, "footer", "the disk is marked as temporary");
    if (footer->saved_state != strict->saved_state)
        vhd_find(findings, "footer", "state", "the saved state is %u, expected 0 or 1",
                 footer->saved_state);
    if (footer->saved_state == 1)
        vhd_find_remark(findings, "footer", "the disk belongs to a machine in saved state");
    if (footer->reserved[0] != strict->reserved[0])
        vhd_find(findings, "footer", "reserved", "reserved byte 85 is %u, expected 0",
                 footer->reserved[0]);
    else if (footer->reserved[0] != 0)
        vhd_find_remark(findings, "footer", "blktap has hidden the disk");
    if (!is_zeros(footer->reserved + 1, sizeof footer->reserved - 1))
        vhd_find(findings, "footer", "reserved", "reserved bytes behind byte 85 are not zero");
}

static void check_fields(struct check *check, const struct vhd_footer *footer)
{
    struct vhd_findings *findings = &check->findings;
    const struct vhd_footer strict = vhd_footer_strict(footer);

    check_sizes(check, footer, &strict);
    check_flags(check, footer, &strict);
    if (uuid_is_null(footer->uuid))
        vhd_find(findings, "footer", "id", "the uuid is null");
    if ((int64_t)footer->timestamp + VHD_EPOCH > time(NULL) + CLOCK_ERROR)
        vhd_find_remark(findings, "footer", "the creation lies in the future");
    if (footer->data_offset != strict.data_offset)
        vhd_find(findings, "footer", "offset",
                 "the data offset of a fixed disk is %" PRIu64 ", expected 64 ones",
                 footer->data_offset);
    if (footer->type != VHD_TYPE_FIXED && footer->data_offset != VHD_HEADER_OFFSET)
        vhd_find_remark(findings, "header", "it lies at byte %" PRIu64 "; some programs expect 512",
                        footer->data_offset);
    if (footer->is_disabled)
        vhd_find(findings, "footer", "disabled", "%s", vhd_defect_sentence(VHD_DISABLED));
}

/* Returns false when no footer says what the disk is. */
static bool check_footers(struct check *check)
{
    struct vhd_survey *survey = &check->survey;
    struct vhd_image image = survey->image;

    if (vhd_split_judge(check->store, check->file, &image)) {
        vhd_find_fault(&check->findings, &image.fault);
        return false;
    }
    if (!survey->image.has_footer) {
        vhd_find_fault(&check->findings, &survey->image.fault);
        return false;
    }
    check_end(check);
    check_fields(check, &survey->image.footer);
    if (survey->image.footer.type != VHD_TYPE_FIXED)
        check_copy(check);
    return true;
}

/*
 * A fixed disk, which has no more than its content.
 */

static void check_fixed(struct check *check)
{
    const struct vhd_image *image = &check->survey.image;
    const uint64_t size = image->footer.current_size;
    struct vhd_fault fault;

    if (size > image->footer_at) {
        vhd_fault_set(&fault, VHD_FILE_TOO_SHORT,
                      "%" PRIu64 " bytes before the footer, expected %" PRIu64, image->footer_at,
                      size);
        vhd_find_fault(&check->findings, &fault);
    } else if (size < image->footer_at) {
        vhd_find_remark(&check->findings, "file",
                        "%" PRIu64 " bytes of slack lie before the footer",
                        image->footer_at - size);
    }
}

/*
 * The header.
 */

static bool names_parent(const struct vhd_header *header)
{
    return !uuid_is_null(header->parent_uuid) || header->parent_timestamp != 0 ||
           !is_zeros(header->parent_name, sizeof header->parent_name) ||
           !is_zeros(header->locators, sizeof header->locators);
}

static void check_header_fields(struct check *check)
{
    const struct vhd_header_disk *disk = &check->survey.header;
    const struct vhd_image *image = &check->survey.image;
    const struct vhd_header *header = &image->header;
    struct vhd_findings *findings = &check->findings;

    if (be64_get(disk->data_offset) != VHD_NO_OFFSET)
        vhd_find(findings, "header", "offset",
                 "the header's data offset is %" PRIu64 ", expected 64 ones",
                 be64_get(disk->data_offset));
    if (be32_get(disk->reserved) != 0)
        vhd_find(findings, "header", "reserved", "reserved bytes 60 to 63 are not zero");
    if (!is_zeros(disk->reserved_end, sizeof disk->reserved_end))
        vhd_find(findings, "header", "reserved", "reserved bytes 768 to 1023 are not zero");
    if (image->footer.type == VHD_TYPE_DYNAMIC && names_parent(header))
        vhd_find(findings, "header", "parent", "the header of a dynamic disk names a parent");
    if (header->block_size != VHD_BLOCK_DEFAULT && header->block_size != VHD_BLOCK_DEFAULT / 4)
        vhd_find_remark(findings, "header",
                        "a block has %" PRIu32 " bytes; Windows opens 512 KiB and 2 MiB",
                        header->block_size);
}

/* Returns false when there is no header to go by. */
static bool check_header(struct check *check)
{
    struct vhd_survey *survey = &check->survey;

    if (survey->header_fault.defect != VHD_SOUND)
        vhd_find_fault(&check->findings, &survey->header_fault);
    if (!survey->image.has_header)
        return false;
    check_header_fields(check);
    if (survey->image.footer.current_size > VHD_IMAGE_SIZE_MAX) {
        vhd_find_fault(&check->findings, &survey->image.fault);
        return false;
    }
    return true;
}

static void check_chain(struct check *check)
{
    struct vhd_layer top = {.fd = check->fd, .image = check->survey.image};
    struct vhd_fault fault;

    vhd_fault_set(&fault, VHD_SOUND, NULL);
    int err = vhd_chain_open(check->store, &top, VHD_LAYER_HEADERS, &fault);
    vhd_layer_close(top.parent);
    if (err < 0 && fault.defect == VHD_SOUND)
        vhd_fault_set(&fault, VHD_BAD_PARENT, "%s", strerrordesc_np(-err));
    if (fault.defect != VHD_SOUND)
        vhd_find_fault(&check->findings, &fault);
}

static int check_whole(struct check *check)
{
    const struct vhd_image *image = &check->survey.image;

    if (!check_footers(check))
        return 0;
    if (image->footer.type == VHD_TYPE_FIXED) {
        check_fixed(check);
        return 0;
    }
    if (!check_header(check))
        return 0;
    if (vhd_image_is_differencing(image))
        check_chain(check);
    if (vhd_image_has_old_bitmaps(image))
        vhd_find(&check->findings, "file", "bitmaps", "%s", vhd_defect_sentence(VHD_OLD_BITMAPS));
    return vhd_check_blocks(check->fd, image, &check->findings);
}

int vhd_check_image(const struct vhd_store *store, const char *file, int fd,
                    const struct vhd_checker *checker, uint64_t *ret_findings)
{
    struct check check = {
        .store = store,
        .file = file,
        .fd = fd,
        .findings = {.checker = checker},
    };

    vhd_survey_read(fd, &check.survey);
    int err = check_whole(&check);
    *ret_findings = check.findings.count;
    return err;
}
