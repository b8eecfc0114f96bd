/* SPDX-License-Identifier: MIT */
#include "request/name.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf.h"

size_t vhd_name_stem_length(const char *name)
{
    size_t len = strlen(name), ending = strlen(VHD_ENDING);

    if (len >= ending && strcasecmp(name + len - ending, VHD_ENDING) == 0)
        return len - ending;
    return len;
}

enum vhd_result vhd_name_judge_length(const char *folder, const char *file, struct vhd_verdict *ret)
{
    size_t bytes = strlen(file);
    if (bytes > NAME_MAX)
        return vhd_verdict_set(ret, VHD_BUFFER_OVERFLOW,
                               "the file name has %zu bytes, but at most %d are allowed; choose a "
                               "shorter name",
                               bytes, NAME_MAX);

    size_t folder_units = vhd_utf8_utf16_units(folder);
    bool needs_slash = folder_units > 0 && folder[strlen(folder) - 1] != '/';
    size_t units = folder_units + needs_slash + vhd_utf8_utf16_units(file);
    if (units > VHD_PATH_UNITS_MAX)
        return vhd_verdict_set(
            ret, VHD_BUFFER_OVERFLOW,
            "the path \"%s%s%s\" has %zu UTF-16 units, but at most %d are allowed; "
            "choose a shorter name",
            folder, needs_slash ? "/" : "", file, units, VHD_PATH_UNITS_MAX);
    return VHD_OK;
}

/* CON, PRN, AUX, NUL, CONIN$, CONOUT$, CLOCK$, COM1 to COM9, LPT1 to LPT9, also with superscript 1,
 * 2, 3 as the digit. */
static bool is_device(const char *name)
{
    static const char *const plain[] = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"};
    static const char *const digits[] = {"1", "2", "3", "4",      "5",      "6",
                                         "7", "8", "9", "\u00B9", "\u00B2", "\u00B3"};
    size_t len = strcspn(name, ".");

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (len == strlen(plain[i]) && strncasecmp(name, plain[i], len) == 0)
            return true;
    }
    if (len < 4 || (strncasecmp(name, "COM", 3) != 0 && strncasecmp(name, "LPT", 3) != 0))
        return false;
    for (size_t i = 0; i < sizeof digits / sizeof *digits; i++) {
        if (len == 3 + strlen(digits[i]) && strncmp(name + 3, digits[i], len - 3) == 0)
            return true;
    }
    return false;
}

/*
 * The first character that no name may contain; 0 for none, negative at bytes that are not UTF-8.
 */
static int32_t forbidden_character(const char *name)
{
    for (;;) {
        int32_t point = vhd_utf8_next(&name);
        if (point < ' ' || point == 0x7F)
            return point;
        if (point < 0x80 && strchr("*?:<>/|\"\\", (int)point))
            return point;
    }
}

/* The length of an image's ending at the end of a name, its point included; 0 for none. */
static size_t image_ending_length(const char *name, size_t len)
{
    static const char *const endings[] = {
        VHD_ENDING, ".vhdx", ".avhd", ".avhdx", ".qcow2", ".vmdk", ".vdi", ".img", ".raw", ".iso",
    };

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t ending = strlen(endings[i]);
        if (len >= ending && strncasecmp(name + len - ending, endings[i], ending) == 0)
            return ending;
    }
    return 0;
}

/* A disk "a.img" would be the file a.img.vhd; its user probably expects a raw image. */
static enum vhd_result judge_ending(const char *name, struct vhd_verdict *ret)
{
    size_t len = strlen(name), ending = image_ending_length(name, len), stem = len;

    if (ending == 0)
        return VHD_OK;
    for (size_t more = ending; more > 0; more = image_ending_length(name, stem))
        stem -= more;
    return vhd_verdict_set(ret, VHD_INVALID_NAME,
                           "the name \"%s\" ends in %s, but vhdfs makes VHD disks; write the name "
                           "without an ending: \"%.*s\"",
                           name, name + len - ending, (int)stem, name);
}

enum vhd_result vhd_name_judge(const char *name, struct vhd_verdict *ret)
{
    size_t len = strlen(name);
    int32_t forbidden = forbidden_character(name);

    if (len == 0)
        return vhd_verdict_set(ret, VHD_INVALID_NAME, "the name is empty; choose a name");
    if (forbidden < 0)
        return vhd_verdict_set(ret, VHD_INVALID_NAME,
                               "the name is not valid UTF-8; choose another name");
    if (forbidden > 0 && (forbidden < ' ' || forbidden == 0x7F))
        return vhd_verdict_set(
            ret, VHD_INVALID_NAME,
            "the name \"%s\" has the control byte 0x%02X; choose a name without it", name,
            (unsigned)forbidden);
    if (forbidden > 0)
        return vhd_verdict_set(
            ret, VHD_INVALID_NAME,
            "the name \"%s\" has '%c'; choose a name without * ? : < > / | \" \\", name,
            (int)forbidden);
    if (name[0] == '.' || name[0] == '-')
        return vhd_verdict_set(
            ret, VHD_INVALID_NAME,
            "the name \"%s\" begins with '%c'; choose a name without . or - at its start", name,
            name[0]);
    if (strchr("~. ", name[len - 1]))
        return vhd_verdict_set(
            ret, VHD_INVALID_NAME,
            "the name \"%s\" ends in '%c'; choose a name without ~ . or blank at its end", name,
            name[len - 1]);
    if (is_device(name))
        return vhd_verdict_set(ret, VHD_INVALID_NAME,
                               "the name \"%s\" is a device of Windows; choose another name", name);
    return judge_ending(name, ret);
}

enum vhd_result vhd_name_judge_disk(const char *folder, const char *name, struct vhd_verdict *ret)
{
    const size_t most = NAME_MAX - strlen(VHD_ENDING);
    char file[NAME_MAX + 1];

    if (strlen(name) > most)
        return vhd_verdict_set(
            ret, VHD_BUFFER_OVERFLOW,
            "the name has %zu bytes, but at most %zu are allowed; choose a shorter name",
            strlen(name), most);
    snprintf(file, sizeof file, "%s%s", name, VHD_ENDING);
    enum vhd_result result = vhd_name_judge_length(folder, file, ret);
    return result == VHD_OK ? vhd_name_judge(name, ret) : result;
}
