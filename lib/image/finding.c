/* SPDX-License-Identifier: MIT */
#include "image/finding.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static void add(struct vhd_findings *findings, const char *where, const char *kind,
                const char *format, va_list args)
{
    struct vhd_finding finding = {.is_remark = !kind, .kind = kind ? kind : "remark"};

    snprintf(finding.where, sizeof finding.where, "%s", where);
    vsnprintf(finding.sentence, sizeof finding.sentence, format, args);
    findings->count += !finding.is_remark;
    findings->checker->found(findings->checker->arg, &finding);
}

void vhd_find(struct vhd_findings *findings, const char *where, const char *kind,
              const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(findings, where, kind, format, args);
    va_end(args);
}

void vhd_find_remark(struct vhd_findings *findings, const char *where, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(findings, where, NULL, format, args);
    va_end(args);
}

void vhd_find_block(struct vhd_findings *findings, uint32_t block, const char *kind,
                    const char *format, ...)
{
    char where[24];
    va_list args;

    snprintf(where, sizeof where, "block %" PRIu32, block);
    va_start(args, format);
    add(findings, where, kind, format, args);
    va_end(args);
}

void vhd_find_fault(struct vhd_findings *findings, const struct vhd_fault *fault)
{
    static const struct {
        const char *where, *kind;
    } words[VHD_DEFECT_COUNT] = {
        [VHD_SOUND] = {"file", "sound"},
        [VHD_UNREADABLE] = {"file", "unreadable"},
        [VHD_FOOTER_MISSING] = {"footer", "lost"},
        [VHD_FOREIGN] = {"file", "format"},
        [VHD_FOOTER_LOST] = {"footer", "lost"},
        [VHD_DISABLED] = {"footer", "disabled"},
        [VHD_OLD_BITMAPS] = {"file", "bitmaps"},
        [VHD_FOOTER_CHECKSUM] = {"footer", "checksum"},
        [VHD_FOOTER_VERSION] = {"footer", "version"},
        [VHD_FOOTER_TYPE] = {"footer", "type"},
        [VHD_FOOTER_CURRENT_SIZE] = {"footer", "size"},
        [VHD_FILE_TOO_SHORT] = {"file", "small"},
        [VHD_HEADER_OUTSIDE] = {"header", "outside"},
        [VHD_HEADER_COOKIE] = {"header", "cookie"},
        [VHD_HEADER_CHECKSUM] = {"header", "checksum"},
        [VHD_HEADER_VERSION] = {"header", "version"},
        [VHD_BLOCK_SIZE] = {"header", "block"},
        [VHD_DISK_TOO_LARGE] = {"footer", "size"},
        [VHD_TOO_MANY_BLOCKS] = {"header", "block"},
        [VHD_TABLE_TOO_SMALL] = {"table", "small"},
        [VHD_TABLE_OUTSIDE] = {"table", "outside"},
        [VHD_BLOCK_OUTSIDE] = {"table", "outside"},
        [VHD_BLOCK_OVERLAP] = {"table", "overlap"},
        [VHD_NO_PARENT] = {"parent", "lost"},
        [VHD_OTHER_PARENT] = {"parent", "id"},
        [VHD_OTHER_SIZE] = {"parent", "size"},
        [VHD_CHAIN_TOO_LONG] = {"parent", "chain"},
        [VHD_BAD_PARENT] = {"parent", "bad"},
        [VHD_PARENT_SMALLER] = {"parent", NULL},
        [VHD_PARENT_TOUCHED] = {"parent", "time"},
        [VHD_SPLIT] = {"file", "split"},
    };

    if (words[fault->defect].kind)
        vhd_find(findings, words[fault->defect].where, words[fault->defect].kind, "%s",
                 fault->sentence);
    else
        vhd_find_remark(findings, words[fault->defect].where, "%s", fault->sentence);
}

bool vhd_findings_go_on(const struct vhd_findings *findings, unsigned percent)
{
    const struct vhd_checker *checker = findings->checker;
    return !checker->goes_on || checker->goes_on(checker->arg, percent);
}
