/* SPDX-License-Identifier: MIT */
#include "image/survey.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/io.h"
#include "format/checksum.h"

static struct be32 sum_of(const void *bytes, size_t len, size_t checksum_at)
{
    return be32_of(vhd_checksum(bytes, len, checksum_at));
}

/* Read a footer, and decode it a second time with the right checksum if need be. */
static void read_footer(int fd, uint64_t at, size_t len, struct vhd_survey_footer *ret)
{
    struct vhd_fault other;

    *ret = (struct vhd_survey_footer){.at = at};
    int err = vhd_io_read(fd, &ret->disk, len, at, &ret->length);
    if (err < 0) {
        vhd_fault_set(&ret->fault, VHD_UNREADABLE, "%s", strerrordesc_np(-err));
        return;
    }
    enum vhd_defect defect = vhd_footer_decode(&ret->disk, &ret->footer, &ret->fault);
    if (defect == VHD_SOUND)
        vhd_fault_set(&ret->fault, VHD_SOUND, NULL);
    else if (defect != VHD_FOOTER_MISSING)
        vhd_fault_locate(&ret->fault, at);
    if (defect == VHD_FOOTER_CHECKSUM) {
        struct vhd_footer_disk sealed = ret->disk;
        sealed.checksum =
            sum_of(&sealed, sizeof sealed, offsetof(struct vhd_footer_disk, checksum));
        defect = vhd_footer_decode(&sealed, &ret->footer, &other);
    }
    ret->is_readable = defect == VHD_SOUND;
}

static void read_end(int fd, uint64_t length, struct vhd_survey_footer *ret)
{
    const size_t short_footer = VHD_FOOTER_SIZE - 1;
    struct vhd_survey_footer shorter;

    if (length < VHD_FOOTER_SIZE) {
        *ret = (struct vhd_survey_footer){0};
        vhd_fault_set(&ret->fault, VHD_FOOTER_MISSING, NULL);
        return;
    }
    read_footer(fd, length - VHD_FOOTER_SIZE, VHD_FOOTER_SIZE, ret);
    if (ret->fault.defect != VHD_FOOTER_MISSING)
        return;
    read_footer(fd, length - short_footer, short_footer, &shorter);
    if (shorter.is_readable)
        *ret = shorter;
}

/* Choose a footer whose checksum alone is wrong, as vhd_image_read() would if it were right. */
static bool choose_footer(struct vhd_survey *survey)
{
    struct vhd_image *image = &survey->image;

    if (survey->end.is_readable) {
        image->footer = survey->end.footer;
        image->footer_at = survey->end.at;
    } else if (survey->copy.is_readable && survey->copy.footer.type != VHD_TYPE_FIXED) {
        image->footer = survey->copy.footer;
        image->footer_at = image->length;
    } else {
        return false;
    }
    return true;
}

static void read_header(int fd, struct vhd_survey *survey)
{
    struct vhd_image *image = &survey->image;
    const uint64_t at = image->footer.data_offset;
    struct vhd_fault other;
    size_t have = 0;

    if (at < VHD_FOOTER_SIZE || at % VHD_SECTOR_SIZE != 0 || image->length < VHD_HEADER_SIZE ||
        at > image->length - VHD_HEADER_SIZE) {
        vhd_fault_set(&survey->header_fault, VHD_HEADER_OUTSIDE, "at byte %" PRIu64, at);
        return;
    }
    int err = vhd_io_read(fd, &survey->header, sizeof survey->header, at, &have);
    if (err < 0 || have < sizeof survey->header) {
        vhd_fault_set(&survey->header_fault, VHD_UNREADABLE, "%s",
                      strerrordesc_np(err < 0 ? -err : EIO));
        return;
    }
    survey->has_header = true;
    enum vhd_defect defect =
        vhd_header_decode(&survey->header, &image->header, &survey->header_fault);
    if (defect == VHD_SOUND)
        vhd_fault_set(&survey->header_fault, VHD_SOUND, NULL);
    else
        vhd_fault_locate(&survey->header_fault, at);
    if (defect == VHD_HEADER_CHECKSUM) {
        struct vhd_header_disk sealed = survey->header;
        sealed.checksum =
            sum_of(&sealed, sizeof sealed, offsetof(struct vhd_header_disk, checksum));
        defect = vhd_header_decode(&sealed, &image->header, &other);
    }
    image->has_header = defect == VHD_SOUND;
    if (image->has_header && at + VHD_HEADER_SIZE > image->footer_at)
        vhd_fault_set(&survey->header_fault, VHD_HEADER_OUTSIDE, "at byte %" PRIu64, at);
}

void vhd_survey_read(int fd, struct vhd_survey *ret)
{
    *ret = (struct vhd_survey){0};
    (void)vhd_image_read(fd, &ret->image);
    read_end(fd, ret->image.length, &ret->end);
    read_footer(fd, 0, VHD_FOOTER_SIZE, &ret->copy);
    vhd_fault_set(&ret->header_fault, VHD_SOUND, NULL);
    if (!ret->image.has_footer)
        ret->image.has_footer = ret->is_footer_guessed = choose_footer(ret);
    if (ret->image.has_footer && ret->image.footer.type != VHD_TYPE_FIXED)
        read_header(fd, ret);
}

void vhd_survey_use(int fd, const struct vhd_footer *footer, struct vhd_survey *survey)
{
    survey->image.has_footer = true;
    survey->image.footer = *footer;
    survey->image.footer_at = survey->image.length;
    if (footer->type != VHD_TYPE_FIXED)
        read_header(fd, survey);
}
