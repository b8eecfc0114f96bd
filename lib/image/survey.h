/* SPDX-License-Identifier: MIT */
/*
 * A survey: the metadata of an image as it lies in the file, also where it is damaged. A check says
 * what is wrong with it, and a repair decides what it should be.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

/* A footer of the file, at its end or at its start. */
struct vhd_survey_footer {
    uint64_t at;   /* bytes */
    size_t length; /* 512, or 511 of an old program; less if the file is too short */
    struct vhd_footer_disk disk;
    struct vhd_fault
        fault;        /* VHD_SOUND, VHD_UNREADABLE, or as vhd_footer_decode(), with its place */
    bool is_readable; /* nothing but the checksum is wrong, at most */
    struct vhd_footer footer; /* if it is readable */
};

struct vhd_survey {
    struct vhd_survey_footer end, copy;
    struct vhd_header_disk header; /* with has_header */
    struct vhd_fault header_fault; /* VHD_SOUND, or why the header cannot be used as it is */
    bool has_header;               /* its bytes are there, whatever they say */

    /*
     * The image as vhd_image_read() reads it, or with a footer or header whose checksum alone is
     * wrong. has_footer and has_header say whether there are such; fault is that of
     * vhd_image_read().
     */
    struct vhd_image image;
    bool is_footer_guessed; /* the checksum of the footer is wrong */
};

/*
 * Survey an image.
 *
 *   fd  open for reading
 *
 * Parts that the host cannot read have the fault VHD_UNREADABLE.
 */
void vhd_survey_read(int fd, struct vhd_survey *ret);

/*
 * Go by another footer: one that lies inside the file, with neither a footer at the end nor a copy.
 * The header follows from it.
 */
void vhd_survey_use(int fd, const struct vhd_footer *footer, struct vhd_survey *survey);
