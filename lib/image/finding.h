/* SPDX-License-Identifier: MIT */
/*
 * Findings: the facts that a check collects, one call each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "format/defect.h"

struct vhd_finding {
    bool is_remark;
    char where[24];   /* "footer", "block 17" */
    const char *kind; /* one word, static; "remark" for all remarks */
    char sentence[VHD_FAULT_SIZE];
};

/* The caller of a check. */
struct vhd_checker {
    /* Receives each finding and remark. */
    void (*found)(void *arg, const struct vhd_finding *finding);

    /* Called often, with a percentage that grows. Returns false to end the check. NULL for none. */
    bool (*goes_on)(void *arg, unsigned percent);

    void *arg;
};

/* A check at work. */
struct vhd_findings {
    const struct vhd_checker *checker;
    uint64_t count; /* of findings, without remarks */
};

/*
 * Add a finding or a remark.
 *
 *   where   short; copied
 *   kind    one word, static
 *   format  as printf: a sentence without full stop
 */
void vhd_find(struct vhd_findings *findings, const char *where, const char *kind,
              const char *format, ...) __attribute__((format(printf, 4, 5)));
void vhd_find_remark(struct vhd_findings *findings, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Add the finding "block N". */
void vhd_find_block(struct vhd_findings *findings, uint32_t block, const char *kind,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Add the finding of a fault, at the place and with the word that belong to its defect. */
void vhd_find_fault(struct vhd_findings *findings, const struct vhd_fault *fault);

/* Does the caller want the check to go on? */
bool vhd_findings_go_on(const struct vhd_findings *findings, unsigned percent);
