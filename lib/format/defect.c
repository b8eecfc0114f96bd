/* SPDX-License-Identifier: MIT */
#include "format/defect.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const sentences[] = {
#define DEFECT(symbol, sentence) [symbol] = (sentence),
    VHD_DEFECTS(DEFECT)
#undef DEFECT
};

const char *vhd_defect_sentence(enum vhd_defect defect)
{
    return sentences[defect];
}

enum vhd_defect vhd_fault_set(struct vhd_fault *ret, enum vhd_defect defect, const char *figures,
                              ...)
{
    assert(defect < VHD_DEFECT_COUNT);
    ret->defect = defect;
    int len = snprintf(ret->sentence, sizeof ret->sentence, "%s%s", sentences[defect],
                       figures ? ": " : "");
    if (figures && len > 0 && (size_t)len < sizeof ret->sentence) {
        va_list args;
        va_start(args, figures);
        vsnprintf(ret->sentence + len, sizeof ret->sentence - (size_t)len, figures, args);
        va_end(args);
    }
    return defect;
}

enum vhd_defect vhd_fault_set_whole(struct vhd_fault *ret, enum vhd_defect defect,
                                    const char *sentence, ...)
{
    va_list args;

    assert(defect < VHD_DEFECT_COUNT);
    ret->defect = defect;
    va_start(args, sentence);
    vsnprintf(ret->sentence, sizeof ret->sentence, sentence, args);
    va_end(args);
    return defect;
}

void vhd_fault_locate(struct vhd_fault *fault, uint64_t at)
{
    const size_t len = strlen(fault->sentence);
    const bool has_figures = len > strlen(sentences[fault->defect]);

    snprintf(fault->sentence + len, sizeof fault->sentence - len, "%s at byte %" PRIu64,
             has_figures ? "," : ":", at);
}
