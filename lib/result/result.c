/* SPDX-License-Identifier: MIT */
#include "result/result.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf.h"

static const struct vhd_outcome outcomes[] = {
#define OUTCOME(symbol, name, hresult, err, sentence)                                              \
    [symbol] = {name, hresult, err, (err) ? #err : "-", sentence},
    VHD_OUTCOMES(OUTCOME)
#undef OUTCOME
};

const struct vhd_outcome *vhd_outcome(enum vhd_result result)
{
    return &outcomes[result];
}

enum vhd_result vhd_result_of_errno(int err)
{
    switch (abs(err)) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
        return VHD_PATH_NOT_FOUND;
    case EEXIST:
        return VHD_ALREADY_EXISTS;
    case ENAMETOOLONG:
        return VHD_BUFFER_OVERFLOW;
    case ENOSPC:
        return VHD_DISK_FULL;
    case EDQUOT:
        return VHD_QUOTA_EXCEEDED;
    case EFBIG:
        return VHD_FILE_TOO_LARGE;
    case EBUSY:
    case ETXTBSY:
        return VHD_IN_USE;
    case EROFS:
        return VHD_READ_ONLY;
    case EACCES:
    case EPERM:
        return VHD_ACCESS_DENIED;
    case EMFILE:
    case ENFILE:
        return VHD_NO_DESCRIPTORS;
    case ENOTEMPTY:
        return VHD_NOT_EMPTY;
    case ECANCELED:
        return VHD_CANCELLED;
    case ESHUTDOWN:
        return VHD_SHUTTING_DOWN;
    case ENOMEM:
        return VHD_OUT_OF_MEMORY;
    default:
        return VHD_UNEXPECTED;
    }
}

/*
 * Turn a text into one line of UTF-8: control characters and bytes that are not UTF-8 become '?'. A
 * character that the cut at the end has split is dropped.
 */
static void tidy(char *text, bool is_cut)
{
    for (const char *p = text; *p;) {
        char *start = text + (p - text);
        int32_t point = vhd_utf8_next(&p);
        if (point >= ' ' && point != 0x7F)
            continue;
        bool is_half = point < 0 && is_cut && strlen(start) < 4;
        *start = is_half ? 0 : '?';
        p = start + !is_half;
    }
}

enum vhd_result vhd_verdict_set(struct vhd_verdict *ret, enum vhd_result result, const char *format,
                                ...)
{
    if (!ret)
        return result;
    ret->result = result;
    if (!format) {
        snprintf(ret->sentence, sizeof ret->sentence, "%s", vhd_outcome(result)->sentence);
        return result;
    }
    va_list args;
    va_start(args, format);
    int len = vsnprintf(ret->sentence, sizeof ret->sentence, format, args);
    va_end(args);
    tidy(ret->sentence, len >= (int)sizeof ret->sentence);
    return result;
}

enum vhd_result vhd_verdict_errno(struct vhd_verdict *ret, int err, const char *doing, ...)
{
    char what[VHD_SENTENCE_SIZE];
    va_list args;

    va_start(args, doing);
    vsnprintf(what, sizeof what, doing, args);
    va_end(args);
    const enum vhd_result result = vhd_result_of_errno(err);
    return vhd_verdict_set(ret, result, "%s: %s%s", what, strerrordesc_np(abs(err)),
                           result == VHD_DISK_FULL ? "; free some space and try again" : "");
}
